//! `anthropic-messages`: requests as strictly as the provider reads them, streams and whole answers,
//! by itself, in the binary event stream (`invoke`) and in `rawPredict` calls.

mod check;
mod request;
mod stream;
mod unary;

use serde_json::{Value, json};

pub(crate) use request::read;
pub(crate) use stream::EventWriter;
pub(crate) use unary::document;

use crate::answer::{Answer, Counts, Finish};
use crate::dialect::{Carrier, Failure};
use crate::{bedrock_converse, gemini};

/// The error type that goes with a status.
fn error_type(status: u16) -> &'static str {
    match status {
        401 => "authentication_error",
        402 => "billing_error",
        403 => "permission_error",
        404 => "not_found_error",
        413 => "request_too_large",
        429 => "rate_limit_error",
        504 => "timeout_error",
        503 | 529 => "overloaded_error",
        status if status < 500 => "invalid_request_error",
        _ => "api_error",
    }
}

/// The body of an error answer. The other carriers put their own envelope around errors that are
/// theirs.
pub(crate) fn error(carrier: Carrier, failure: &Failure) -> Value {
    match carrier {
        Carrier::Invoke => return bedrock_converse::error(failure),
        Carrier::Vertex if !matches!(failure.status, 400 | 413 | 529) => {
            return gemini::error(failure);
        }
        Carrier::Own | Carrier::Vertex => {}
    }
    let message = failure.message(
        "prompt is too long: 208310 tokens > 200000 maximum",
        "Output blocked by content filtering policy",
    );
    json!({"type": "error", "error": {"type": error_type(failure.status), "message": message},
        "request_id": "req_sim"})
}

/// The word for why an answer ended.
fn stop_reason(finish: Finish) -> &'static str {
    match finish {
        Finish::Stop => "end_turn",
        Finish::Length => "max_tokens",
        Finish::Calls => "tool_use",
        Finish::Refused => "refusal",
    }
}

/// What a refusal says about itself.
fn stop_details(answer: &Answer) -> Value {
    if answer.finish != Some(Finish::Refused) {
        return Value::Null;
    }
    json!({"type": "refusal", "category": "cyber", "explanation": "The request was declined."})
}

/// Usage in the dialect's words: input tokens are those that touch no cache.
fn usage(counts: &Counts) -> Value {
    let mut out = json!({
        "input_tokens": counts.fresh(),
        "cache_creation_input_tokens": counts.written.unwrap_or_default(),
        "cache_read_input_tokens": counts.cached.unwrap_or_default(),
        "output_tokens": counts.shown(counts.output),
    });
    if let (Some(written), Some(members)) = (counts.written, out.as_object_mut()) {
        let split = json!({"ephemeral_5m_input_tokens": written / 2,
            "ephemeral_1h_input_tokens": written.saturating_sub(written / 2)});
        members.insert("cache_creation".to_owned(), split);
    }
    if let (true, Some(members)) = (counts.reasoning > 0, out.as_object_mut()) {
        let details = json!({"thinking_tokens": counts.reasoning});
        members.insert("output_tokens_details".to_owned(), details);
    }
    out
}

/// Where a text is from: the prompt's file, or a page.
fn citation(answer: &Answer, text: &str) -> Value {
    let cited: String = text.chars().take(20).collect();
    if answer.has_media {
        return json!({"type": "char_location", "cited_text": cited, "document_index": 0,
            "document_title": "A source", "start_char_index": 0,
            "end_char_index": cited.chars().count(), "file_id": null});
    }
    json!({"type": "web_search_result_location", "url": "https://source.example/page",
        "title": "A source", "cited_text": cited, "encrypted_index": "c2lt"})
}

/// The id of a call, from the simulator's own.
fn call_id(id: &str) -> String {
    id.replacen("call_", "toolu_", 1)
}
