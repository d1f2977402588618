//! The `gemini` dialect: `generateContent` and `streamGenerateContent?alt=sse`, as Google AI Studio
//! and Vertex speak it. Providers alone speak it here: bodies go out, answers come in.
//!
//! Thought signatures travel as reasoning of the format `google-gemini-v1`: that of a thought on its
//! own block, that of a function call as an encrypted block with the call's id, any other as an
//! encrypted block without an id, after the part it belongs to.

mod answer;
mod citation;
pub mod error;
pub mod finish;
pub mod read_stream;
pub mod unary;
pub mod usage;
pub mod write_request;

/// The format of this dialect's reasoning (inference spec 9.5).
pub const FORMAT: &str = "google-gemini-v1";
