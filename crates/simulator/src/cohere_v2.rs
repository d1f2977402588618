//! `cohere-v2`: requests as strictly as the provider reads them, streams and whole answers.

mod request;
mod stream;
mod unary;

use serde_json::{Value, json};

pub(crate) use request::read;
pub(crate) use stream::EventWriter;
pub(crate) use unary::document;

use crate::answer::{Counts, Finish};
use crate::dialect::{Failure, Recipient};

/// The body of an error answer.
pub(crate) fn error(failure: &Failure) -> Value {
    let message = failure.message(
        "too many tokens: size limit exceeded by 1024 tokens. Try using shorter or fewer inputs.",
        "your request was blocked because the input or output contains toxic content.",
    );
    json!({"id": "sim-error", "message": message})
}

/// An answer that failed on the way.
pub(crate) fn failed(to: &Recipient<'_>) -> Value {
    json!({"id": to.id, "finish_reason": "ERROR", "error": "A simulated failure.",
        "message": {"role": "assistant", "content": []}})
}

/// The word for why an answer ended.
fn reason(finish: Finish) -> &'static str {
    match finish {
        Finish::Stop | Finish::Refused => "COMPLETE",
        Finish::Length => "MAX_TOKENS",
        Finish::Calls => "TOOL_CALL",
    }
}

/// Usage in the dialect's words: what is billed and what was counted.
fn usage(counts: &Counts) -> Value {
    let output = counts.shown(counts.output);
    let mut out = json!({
        "billed_units": {"input_tokens": counts.prompt, "output_tokens": output},
        "tokens": {"input_tokens": counts.prompt, "output_tokens": output},
    });
    if let (Some(cached), Some(members)) = (counts.cached, out.as_object_mut()) {
        members.insert("cached_tokens".to_owned(), json!(cached));
    }
    out
}

/// Where a text is from.
fn citation(text: &str) -> Value {
    let cited: String = text.chars().take(20).collect();
    json!({"start": 0, "end": cited.chars().count(), "text": cited, "type": "TEXT_CONTENT",
        "content_index": 0, "sources": [{"type": "document", "id": "doc:0",
            "document": {"id": "doc:0", "title": "A source", "snippet": cited}}]})
}
