//! The `anthropic-messages` dialect: `POST /v1/messages`, as clients and as providers speak it.

mod carried;
mod limits;
pub mod read_error;
pub mod read_request;
pub mod read_stream;
mod read_usage;
pub mod relay_unary;
pub mod stop_reason;
pub mod stream_relay;
pub mod survey;
mod write_citation;
pub mod write_error;
pub mod write_relay;
pub mod write_request;
pub mod write_stream;
pub mod write_unary;
mod write_usage;

pub(crate) use carried::CLAUDE;
