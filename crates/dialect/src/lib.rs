//! Floor 1: wire formats. Bytes in, meaning out, and back; no socket, clock or logger.
//!
//! A request is a [`document::Document`]: the bytes as received and an index of its members. An
//! answer in the client's own dialect is relayed by splicing (`openai_chat::stream_relay`); any
//! other pair of dialects goes through the [`event::Event`] stream.

pub mod answer;
pub mod anthropic_messages;
pub mod bedrock_converse;
pub mod calls;
pub mod cohere_v2;
pub mod conversation;
pub mod document;
pub mod embeddings;
pub mod error;
pub mod event;
pub mod frame;
pub mod gemini;
pub mod identity;
pub mod laws;
pub mod loss;
pub mod openai_chat;
pub mod openai_completions;
pub mod openai_responses;
pub mod outbound;
pub mod patch;
pub mod preset;
pub mod reasoning;
pub mod rerank;
pub mod texts;
pub mod watch;

mod base64;
mod citation;
mod compose;
mod scan;

pub use answer::{AnswerStream, AnswerStyle, Skin, WholeAnswer};
pub use calls::{Calls, ReturnedCall};
pub use conversation::WireDialect;
pub use error::ProviderError;
pub use identity::{Extras, Facts, Identity, RelayOptions, StreamFault, UsageReport};
pub use outbound::{CacheStyle, Outbound, ReasoningStyle, WrittenRequest};
pub use reasoning::{Ask, Asking, Effort, Efforts};
