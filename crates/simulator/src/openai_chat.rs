//! `openai-chat`: requests, the chunks of a stream, whole answers and errors.

mod chunk;
mod request;
mod unary;

use serde_json::{Value, json};

pub(crate) use chunk::{CREATED, ChunkWriter};
pub(crate) use request::read;
pub(crate) use unary::{document, early_usage, usage};

use crate::dialect::Failure;

/// The body of an error answer.
pub(crate) fn error(failure: &Failure) -> Value {
    let kind = if failure.status < 500 { "invalid_request_error" } else { "server_error" };
    let message = failure.message(
        "This model's maximum context length is 4096 tokens. Your messages are longer.",
        "The request was refused by the content policy.",
    );
    let code = failure.code.map_or_else(|| json!(failure.status), |code| json!(code));
    json!({"error": {"message": message, "type": kind, "param": null, "code": code}})
}
