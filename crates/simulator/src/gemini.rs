//! `gemini`: requests as strictly as the provider reads them, streams (server-sent or as a JSON array)
//! and whole answers.

mod check;
mod parts;
mod request;
mod stream;
mod unary;

use serde_json::{Map, Value, json};

pub(crate) use request::read;
pub(crate) use stream::ChunkWriter;
pub(crate) use unary::document;

use crate::answer::{Answer, Counts, Finish};
use crate::dialect::Failure;

/// The canonical name of a status.
fn status_name(status: u16) -> &'static str {
    match status {
        401 => "UNAUTHENTICATED",
        403 => "PERMISSION_DENIED",
        404 => "NOT_FOUND",
        409 => "ABORTED",
        429 => "RESOURCE_EXHAUSTED",
        499 => "CANCELLED",
        503 => "UNAVAILABLE",
        504 => "DEADLINE_EXCEEDED",
        status if status < 500 => "INVALID_ARGUMENT",
        _ => "INTERNAL",
    }
}

/// The body of an error answer.
pub(crate) fn error(failure: &Failure) -> Value {
    let message = failure.message(
        "The input token count (1234567) exceeds the maximum number of tokens allowed (1048576).",
        "The request was blocked because its content violates the usage policy.",
    );
    let mut error = json!({"code": failure.status, "message": message,
        "status": status_name(failure.status)});
    if let (Some(seconds), Some(members)) = (failure.retry_after, error.as_object_mut()) {
        let details = json!([{"@type": "type.googleapis.com/google.rpc.RetryInfo",
            "retryDelay": format!("{seconds}s")}]);
        members.insert("details".to_owned(), details);
    }
    json!({ "error": error })
}

/// The word for why an answer ended.
fn finish_reason(finish: Finish) -> &'static str {
    match finish {
        Finish::Stop | Finish::Calls => "STOP",
        Finish::Length => "MAX_TOKENS",
        Finish::Refused => "SAFETY",
    }
}

/// Usage in the dialect's words: thoughts are counted beside the candidates.
fn usage(counts: &Counts) -> Value {
    let spoken = counts.output.saturating_sub(counts.reasoning);
    let mut out = Map::new();
    out.insert("promptTokenCount".to_owned(), json!(counts.prompt));
    out.insert("candidatesTokenCount".to_owned(), counts.shown(spoken));
    out.insert("totalTokenCount".to_owned(), json!(counts.total()));
    out.insert(
        "promptTokensDetails".to_owned(),
        json!([{"modality": "TEXT", "tokenCount": counts.prompt}]),
    );
    if counts.reasoning > 0 {
        out.insert("thoughtsTokenCount".to_owned(), json!(counts.reasoning));
    }
    if let Some(cached) = counts.cached {
        out.insert("cachedContentTokenCount".to_owned(), json!(cached));
    }
    Value::Object(out)
}

/// What stands around the parts of a candidate that has ended.
fn ending(answer: &Answer, candidate: &mut Value) {
    let Some(members) = candidate.as_object_mut() else { return };
    if let Some(finish) = answer.finish {
        members.insert("finishReason".to_owned(), json!(finish_reason(finish)));
    }
    if answer.finish == Some(Finish::Refused) {
        let rating = json!([{"category": "HARM_CATEGORY_DANGEROUS_CONTENT",
            "probability": "HIGH", "blocked": true}]);
        members.insert("safetyRatings".to_owned(), rating);
    }
    if answer.cite {
        let web = json!({"uri": "https://source.example/page", "title": "A source"});
        let support = json!({"segment": {"startIndex": 0, "endIndex": 1, "text": "c"},
            "groundingChunkIndices": [0]});
        let grounding = json!({"webSearchQueries": ["simulated"],
            "groundingChunks": [{ "web": web }], "groundingSupports": [support]});
        members.insert("groundingMetadata".to_owned(), grounding);
    }
}

/// What is said of a prompt that is not answered at all.
fn feedback() -> Value {
    json!({"blockReason": "PROHIBITED_CONTENT"})
}
