//! The `openai-chat` dialect: `POST /chat/completions`, as OpenAI speaks it and as the many
//! compatible servers vary it.

mod choice;
mod chunk;
mod delta;
pub mod echo;
pub mod error;
pub mod finish;
pub mod flat;
mod preamble;
pub mod read_request;
pub mod read_stream;
mod reasoning;
mod sources;
pub mod stream_relay;
pub mod survey;
mod template;
pub mod unary;
pub mod usage;
pub mod write_relay;
pub mod write_request;
pub mod write_stream;
