//! The chat request for a legacy completion: providers are always asked in `openai-chat`.

use signalbox_core::{ApiError, Parameter};

use crate::document::{Document, Edits, Pieces, Raw};
use crate::openai_chat::survey::Survey;
use crate::openai_chat::write_relay::{Outbound, relay};

/// Writes the body of a request to an `openai-chat` endpoint: the prompt becomes one user message,
/// the number `logprobs` becomes `logprobs` and `top_logprobs`, everything else goes as for chat.
///
/// # Errors
/// As `openai_chat::write_relay::write_relay`.
pub fn write_relay(
    document: &Document,
    survey: &Survey,
    out: &Outbound<'_>,
) -> Result<Pieces, ApiError> {
    let mut edits = Edits::default();
    for key in ["echo", "best_of", "suffix"] {
        edits.remove(key);
    }
    let logprobs = document.get("logprobs").map(Raw::new).and_then(Raw::integer);
    if let Some(count) = logprobs.filter(|_| !out.unsupported.contains(Parameter::Logprobs)) {
        edits.set("logprobs", "true".to_owned());
        if count > 0 && !out.unsupported.contains(Parameter::TopLogprobs) {
            edits.set("top_logprobs", count.to_string());
        }
    }
    relay(document, survey, out, edits)
}
