//! Requests through the hub: chat bodies as conversations, conversations as bodies.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    missing_docs
)]

#[path = "hub/answers.rs"]
mod answers;
#[path = "hub/chat.rs"]
mod chat;
#[path = "hub/laws.rs"]
mod laws;
#[path = "hub/marks.rs"]
mod marks;
#[path = "hub/messages.rs"]
mod messages;
#[path = "hub/shown.rs"]
mod shown;
#[path = "hub/thinking.rs"]
mod thinking;

use bytes::Bytes;
use serde_json::Value;
use signalbox_core::ParameterSet;
use signalbox_dialect::conversation::Conversation;
use signalbox_dialect::document::Document;
use signalbox_dialect::loss::Loss;
use signalbox_dialect::openai_chat::read_request::read_request;
use signalbox_dialect::openai_chat::survey::survey;
use signalbox_dialect::openai_chat::write_relay::{Outbound, ReasoningStyle};
use signalbox_dialect::openai_chat::write_request as chat_request;
use signalbox_dialect::patch::Patches;
use signalbox_dialect::{WireDialect, anthropic_messages};

fn outbound(patches: &Patches) -> Outbound<'_> {
    Outbound {
        provider_model_id: "m-1",
        stream: false,
        unsupported: ParameterSet::EMPTY,
        max_output: None,
        endpoint_max_output: None,
        service_tier: None,
        user: None,
        patches,
        reasoning: ReasoningStyle::Effort,
        asking: Default::default(),
        caches_prompts: true,
        traits: Default::default(),
        template: Default::default(),
        betas: &[],
        forward_name: false,
        cache: Default::default(),
    }
}

fn read(body: &str) -> Conversation {
    let document = Document::parse(Bytes::copy_from_slice(body.as_bytes())).unwrap();
    read_request(&document, &survey(&document).unwrap()).unwrap()
}

fn value(bytes: &[u8]) -> Value {
    serde_json::from_slice(bytes).unwrap()
}

fn to_chat(conversation: &Conversation, out: &Outbound<'_>) -> (Value, Vec<Loss>) {
    let written = chat_request::write_request(conversation, out).unwrap();
    (value(&written.body), written.losses)
}

fn to_messages(conversation: &Conversation, out: &Outbound<'_>) -> (Value, Vec<Loss>) {
    let written = anthropic_messages::write_request::write_request(conversation, out).unwrap();
    (value(&written.body), written.losses)
}
