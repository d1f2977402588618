//! The `bedrock-converse` dialect: `POST /model/{model}/converse` and `converse-stream` of the AWS
//! service. Providers alone speak it here: bodies go out, answers come in. Model and streaming are in
//! the address. Streams are binary (`frame::event_stream`).
//!
//! Reasoning has the format of Claude here: the text with its signature, and `redactedContent`, whose
//! base64 is the `data` that the same block has in the Messages dialect.

mod answer;
pub mod error;
pub mod read_stream;
pub mod unary;
mod usage;
pub mod write_request;
