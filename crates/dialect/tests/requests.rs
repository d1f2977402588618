//! Requests: reading, checking, patching and relaying them.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    missing_docs
)]

#[path = "requests/laws.rs"]
mod laws;
#[path = "requests/patches.rs"]
mod patches;
#[path = "requests/relay.rs"]
mod relay;
#[path = "requests/survey.rs"]
mod survey;

use bytes::Bytes;
use signalbox_dialect::document::Document;

fn document(text: &str) -> Document {
    Document::parse(Bytes::copy_from_slice(text.as_bytes())).unwrap()
}
