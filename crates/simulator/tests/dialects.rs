//! Every dialect as a client sees it, over a real socket: streams, whole answers and refusals.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    missing_docs
)]

#[path = "dialects/anthropic_messages.rs"]
mod anthropic_messages;
#[path = "dialects/bedrock_converse.rs"]
mod bedrock_converse;
#[path = "dialects/cohere_v2.rs"]
mod cohere_v2;
#[path = "dialects/gemini.rs"]
mod gemini;
#[path = "dialects/openai_completions.rs"]
mod openai_completions;
#[path = "dialects/openai_responses.rs"]
mod openai_responses;
#[path = "dialects/token.rs"]
mod token;
#[path = "dialects/wire.rs"]
mod wire;
