//! An error as an HTTP answer in the OpenAI envelope (inference spec 4).

use axum::body::Body;
use axum::response::{IntoResponse, Response};
use http::{HeaderValue, StatusCode, header};
use signalbox_core::ApiError;
use signalbox_dialect::anthropic_messages::write_error;
use signalbox_dialect::openai_chat::error::{ErrorContext, error_body};
use signalbox_dialect::{AnswerStyle, openai_responses};
use signalbox_gateway::Failed;

use crate::app::App;

/// The answer for a request that failed, in the words of the route it came in by.
pub(crate) fn failed(app: &App, failed: &Failed, style: AnswerStyle) -> Response {
    let error = &failed.error;
    if !error.kind.is_public() {
        tracing::error!(%error, id = ?failed.id, "a request failed by our fault");
    }
    let context = ErrorContext {
        docs_base: &app.gateway().public_url,
        openrouter_metadata: failed.metadata.as_deref(),
        user_id: None,
    };
    let body = match style {
        AnswerStyle::Chat | AnswerStyle::Completions => error_body(error, &context),
        AnswerStyle::Responses => openai_responses::error::error_body(error, &context),
        AnswerStyle::Messages => write_error::error_body(error, &context, failed.id.as_ref()),
    };
    let body = Body::from(body);
    let mut response = Response::new(body);
    *response.status_mut() =
        StatusCode::from_u16(error.status()).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    let headers = response.headers_mut();
    headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("application/json"));
    if let Some(id) = failed.id.as_ref().and_then(|id| HeaderValue::from_str(id.as_str()).ok()) {
        headers.insert("x-generation-id", id);
    }
    if let Some(seconds) = error.retry_after {
        headers.insert(header::RETRY_AFTER, HeaderValue::from(seconds));
    }
    if !retry_helps(error) {
        headers.insert("x-should-retry", HeaderValue::from_static("false"));
    }
    if let Some(limit) = error.rate_limit {
        headers.insert("x-ratelimit-limit", HeaderValue::from(limit.limit));
        headers.insert("x-ratelimit-remaining", HeaderValue::from(limit.remaining));
        headers.insert("x-ratelimit-reset", HeaderValue::from(limit.reset_millis));
    }
    response
}

/// Longest wait in seconds that clients of OpenAI's kind sit out by themselves, or a little less than
/// that. Told to wait longer, some of them would try again at once instead.
const SAT_OUT: u64 = 60;

/// Whether the same request may soon have another answer. Clients of OpenAI's kind repeat 408, 409,
/// 429 and everything from 500 on by themselves unless `x-should-retry` says no.
fn retry_helps(error: &ApiError) -> bool {
    let waits_long = error.retry_after.is_some_and(|seconds| seconds > SAT_OUT);
    let hopeless = error.availability.as_ref().is_some_and(|one| !one.retryable);
    let passing = matches!(error.status(), 408 | 409 | 425 | 429 | 500..);
    passing && !waits_long && !hopeless
}

/// The answer for an error outside inference.
pub(crate) fn error(app: &App, error: ApiError) -> Response {
    failed(app, &Failed::from(error), AnswerStyle::Chat)
}

/// A JSON document.
pub(crate) fn document(document: impl Into<bytes::Bytes>) -> Response {
    let kind = [(header::CONTENT_TYPE, HeaderValue::from_static("application/json"))];
    (kind, Body::from(document.into())).into_response()
}

/// A JSON document, or the error instead of it.
pub(crate) fn json(app: &App, result: Result<impl Into<bytes::Bytes>, ApiError>) -> Response {
    match result {
        Ok(found) => document(found),
        Err(problem) => error(app, problem),
    }
}
