//! The `openai-responses` dialect: `POST /responses` (inference spec 16.4).
//!
//! A request becomes a [`survey`] for routing and a conversation for providers of other dialects;
//! an answer is written from events, streamed or whole.

mod carried;
pub mod error;
pub mod hosted;
mod item;
pub mod read_request;
pub mod read_stream;
pub mod relay_unary;
pub mod response;
pub mod stream_relay;
pub mod survey;
pub mod write_relay;
pub mod write_request;
pub mod write_stream;
pub mod write_unary;
mod write_usage;
