//! `bedrock-converse`: requests as strictly as the provider reads them, the binary event stream and
//! whole answers.

mod check;
mod request;
mod stream;
mod unary;

use serde_json::{Value, json};

pub(crate) use request::read;
pub(crate) use stream::EventWriter;
pub(crate) use unary::document;

use crate::answer::{Answer, Counts, Finish};
use crate::dialect::Failure;
use crate::event_stream;

/// The error type that goes with a status, as the header `x-amzn-errortype` names it.
pub(crate) fn error_type(status: u16) -> &'static str {
    match status {
        401 | 403 => "AccessDeniedException",
        404 => "ResourceNotFoundException",
        408 => "ModelTimeoutException",
        424 => "ModelErrorException",
        429 => "ThrottlingException",
        503 => "ServiceUnavailableException",
        status if status < 500 => "ValidationException",
        _ => "InternalServerException",
    }
}

/// The body of an error answer; its type is in a header.
pub(crate) fn error(failure: &Failure) -> Value {
    let message = failure.message(
        "Input is too long for requested model.",
        "The request was blocked by the content filter.",
    );
    json!({ "message": message })
}

/// The frame of an error inside a stream.
pub(crate) fn exception(status: u16) -> Vec<u8> {
    let kind = match status {
        400 => "validationException",
        424 => "modelStreamErrorException",
        429 => "throttlingException",
        503 => "serviceUnavailableException",
        _ => "internalServerException",
    };
    event_stream::exception(kind, &error(&Failure::simulated(status)))
}

/// The word for why an answer ended.
fn stop_reason(finish: Finish) -> &'static str {
    match finish {
        Finish::Stop => "end_turn",
        Finish::Length => "max_tokens",
        Finish::Calls => "tool_use",
        Finish::Refused => "content_filtered",
    }
}

/// Usage in the dialect's words: input tokens are those that touch no cache.
fn usage(counts: &Counts) -> Value {
    let mut out = json!({
        "inputTokens": counts.fresh(),
        "outputTokens": counts.shown(counts.output),
        "totalTokens": counts.total(),
    });
    let Some(members) = out.as_object_mut() else { return out };
    if let Some(cached) = counts.cached {
        members.insert("cacheReadInputTokens".to_owned(), json!(cached));
    }
    if let Some(written) = counts.written {
        members.insert("cacheWriteInputTokens".to_owned(), json!(written));
        let long = written.saturating_sub(written / 2);
        let split = json!([{"ttl": "5m", "inputTokens": written / 2},
            {"ttl": "1h", "inputTokens": long}]);
        members.insert("cacheDetails".to_owned(), split);
    }
    out
}

/// Where a text is from: the prompt's file, or a page.
fn citation(answer: &Answer, text: &str) -> Value {
    let cited: String = text.chars().take(20).collect();
    let location = if answer.has_media {
        json!({"documentChar": {"documentIndex": 0, "start": 0, "end": cited.chars().count()}})
    } else {
        json!({"web": {"url": "https://source.example/page", "domain": "source.example"}})
    };
    json!({"title": "A source", "sourceContent": [{ "text": cited }], "location": location})
}

/// The id of a call, from the simulator's own.
fn call_id(id: &str) -> String {
    id.replacen("call_", "tooluse_", 1)
}
