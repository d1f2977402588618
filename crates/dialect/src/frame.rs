//! How a stream of bytes is cut into messages.

pub mod sse;
