//! How a stream of bytes is cut into messages.

pub mod event_stream;
pub mod invoke;
pub mod sse;
