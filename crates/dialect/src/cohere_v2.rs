//! The `cohere-v2` dialect: `POST /v2/chat`. Providers alone speak it here: bodies go out, answers
//! come in.
//!
//! The plan that a model writes before it calls tools is reasoning whose block has the id
//! [`TOOL_PLAN`]; by that it goes back as the plan that it was.

mod answer;
mod citation;
pub mod error;
pub mod finish;
mod logprobs;
pub mod read_stream;
pub mod unary;
pub mod usage;
pub mod write_request;

/// The id of the reasoning block that is a tool plan.
pub const TOOL_PLAN: &str = "tool_plan";
