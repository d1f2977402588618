//! `openai-responses`: requests as strictly as the provider reads them, streams and whole answers.

mod check;
mod items;
mod request;
mod stream;

use serde_json::{Value, json};

pub(crate) use items::{document, failed};
pub(crate) use request::read;
pub(crate) use stream::EventWriter;

use crate::dialect::Failure;

/// The body of an error answer.
pub(crate) fn error(failure: &Failure) -> Value {
    let message = failure.message(
        "Your input exceeds the context window of this model. Please adjust your input and try again.",
        "Invalid prompt: your prompt was flagged as potentially violating our usage policy. Please try again with a different prompt.",
    );
    let kind = match failure.status {
        401 => "authentication_error",
        429 => "rate_limit_error",
        status if status < 500 => "invalid_request_error",
        _ => "server_error",
    };
    let code = match (failure.code, failure.status) {
        (Some("content_policy_violation"), _) => Some("invalid_prompt"),
        (Some(code), _) => Some(code),
        (None, 401) => Some("invalid_api_key"),
        (None, 404) => Some("model_not_found"),
        (None, 429) => Some("rate_limit_exceeded"),
        (None, 500..) => Some("server_error"),
        (None, _) => None,
    };
    let param = failure.wrong.as_ref().and_then(|wrong| wrong.param.clone());
    json!({"error": {"message": message, "type": kind, "param": param, "code": code}})
}
