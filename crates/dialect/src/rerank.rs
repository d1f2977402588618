//! Rerank: documents in the order of their relevance to a query (inference spec 16.2).
//!
//! Providers agree on the request but for names of members, which their rows patch, and on the
//! answer but for the name of its list. Answers are checked: each document at most once.

mod answer;
mod read_request;

use crate::document::{Document, Edits, Kind, Raw, quoted, rewrite_elements};
use crate::embeddings::Outbound;
use crate::error::ProviderError;
use crate::openai_chat;
use crate::openai_chat::write_relay::is_own;
use crate::outbound::WrittenRequest;

pub use answer::{Ranked, RerankAnswer, read_answer, write_answer};
pub use read_request::{RerankRequest, read_request};

/// Writes the body of a request: the client's own, with the router's members taken out. A document
/// that is an object with a text alone becomes that text, which every provider takes.
#[must_use]
pub fn write_request(request: &RerankRequest, out: &Outbound<'_>) -> WrittenRequest {
    let document = &request.document;
    let mut edits = Edits::default();
    for (key, _) in document.members() {
        if is_own(key) || matches!(key, "stream" | "stream_options") {
            edits.remove(key.to_owned());
        }
    }
    edits.set("model", quoted(out.provider_model_id));
    let documents = document.get("documents").map(Raw::new);
    if let Some(text) = documents.and_then(|raw| rewrite_elements(raw, plain)) {
        edits.set("documents", text);
    }
    out.patches.apply(document, &mut edits);
    WrittenRequest { body: document.edited(&edits), losses: Vec::new() }
}

/// The text of a document that has nothing else.
fn plain(raw: Raw<'_>) -> Option<String> {
    if raw.kind() != Kind::Object || has_image(raw) {
        return None;
    }
    raw.get("text").map(|text| text.text().to_owned())
}

/// Whether a document has an image.
fn has_image(document: Raw<'_>) -> bool {
    document.get("image").is_some_and(|image| !image.is_null())
}

/// Reads an answer with an error status.
#[must_use]
pub fn read_error(status: u16, body: &[u8]) -> ProviderError {
    openai_chat::error::read_error(status, body)
}

/// The documents of a request.
fn documents(document: &Document) -> Vec<Raw<'_>> {
    let list = document.get("documents").map(Raw::new);
    list.into_iter().flat_map(Raw::elements).map(|(_, raw)| raw).collect()
}
