//! Every route. The way in is read here; each handler is in the folder of its URL.

use axum::Router;
use axum::extract::{Request, State};
use axum::response::{IntoResponse, Response};
use axum::routing::{delete, get, post};
use http::{HeaderMap, HeaderValue, Method, StatusCode, header};
use hyper::body::Incoming;
use signalbox_core::{ApiError, ErrorKind};
use tower::Service as _;

use crate::app::App;
use crate::manage::Peer;
use crate::{credential, error, inference, v1, webhooks};

/// What an account buys.
fn purchases() -> Router<App> {
    use v1::purchases as buy;
    let rule = get(buy::rule).put(buy::set_rule).delete(buy::drop_rule);
    Router::new()
        .route("/api/v1/credits/checkout", post(buy::checkout))
        .route("/api/v1/credits/purchases", get(buy::list))
        .route("/api/v1/credits/purchases/{id}/refund", post(buy::refund))
        .route("/api/v1/credits/purchases/{id}/reconcile", post(buy::reconcile))
        .route("/api/v1/credits/crypto", post(buy::claim))
        .route("/api/v1/credits/auto-top-up", rule)
        .route("/api/v1/credits/tax-ids", get(buy::tax_ids).post(buy::add_tax_id))
        .route("/api/v1/credits/tax-ids/{id}", delete(buy::remove_tax_id))
        .route("/api/v1/credits/invoices", get(buy::invoices))
        .route("/webhooks/stripe", post(webhooks::stripe))
}

/// What an account owns.
fn management() -> Router<App> {
    use v1::keys;
    let key = get(keys::one).patch(keys::update).delete(keys::delete);
    Router::new()
        .route("/api/v1/keys", get(keys::list).post(keys::create))
        .route("/api/v1/keys/{hash}", key)
}

/// The service that answers every request.
pub(crate) fn router(app: App) -> Router {
    Router::new()
        .route("/api/v1/chat/completions", post(inference::chat))
        .route("/api/v1/cursor/chat/completions", post(inference::cursor))
        .route("/api/v1/cursor/models", get(v1::models::list))
        .route("/api/v1/completions", post(inference::completions))
        .route("/api/v1/messages", post(inference::messages))
        .route("/api/v1/responses", post(inference::responses))
        .route("/api/v1/messages/count_tokens", post(inference::count_tokens))
        .route("/api/v1/embeddings", post(inference::embeddings))
        .route("/api/v1/rerank", post(inference::rerank))
        .route("/api/v1/routing/plan", post(v1::routing::plan))
        .route("/api/v1/models", get(v1::models::list))
        .route("/api/v1/models/count", get(v1::models::count))
        .route("/api/v1/models/{author}/{slug}/endpoints", get(v1::models::endpoints))
        .route("/api/v1/model/{author}/{slug}", get(v1::models::one))
        .route("/api/v1/embeddings/models", get(v1::models::embeddings))
        .route("/api/v1/endpoints/zdr", get(v1::models::zdr))
        .route("/api/v1/providers", get(v1::providers::list))
        .route("/api/v1/credits", get(v1::account::credits))
        .merge(purchases())
        .merge(management())
        .route("/api/v1/credits/coinbase", post(v1::credits::coinbase))
        .route("/api/v1/credits/redeem", post(v1::credits::redeem))
        .route("/api/v1/credits/transfer", post(v1::credits::transfer))
        .route("/api/v1/credits/statement", get(v1::credits::statement))
        .route("/api/v1/key", get(v1::account::key))
        .route("/api/v1/generation", get(v1::account::generation))
        .route("/health/live", get(|| async { "ok" }))
        .route("/health/ready", get(ready))
        .fallback(no_such_route)
        .method_not_allowed_fallback(wrong_method)
        .with_state(app)
}

async fn ready(State(app): State<App>) -> Response {
    if app.is_ready() && app.platform().store().ping().await.is_ok() {
        "ok".into_response()
    } else {
        (StatusCode::SERVICE_UNAVAILABLE, "not ready").into_response()
    }
}

async fn no_such_route(State(app): State<App>, request: Request) -> Response {
    let message = format!("{} {} does not exist", request.method(), request.uri().path());
    error::error(&app, ApiError::new(ErrorKind::NotFound, message))
}

async fn wrong_method(State(app): State<App>, request: Request) -> Response {
    let message = format!("{} is not for {}", request.uri().path(), request.method());
    error::error(&app, ApiError::invalid(message).with_status(405))
}

async fn routed(router: &mut Router, request: http::Request<Incoming>) -> Response {
    match router.call(request).await {
        Ok(response) => response,
        Err(never) => match never {},
    }
}

/// Says that what was answered to one caller is nobody else's to keep (reliability design, test 35).
fn keep_private(authenticated: bool, headers: &mut HeaderMap) {
    if authenticated {
        let nobody = HeaderValue::from_static("private, no-store");
        headers.entry(header::CACHE_CONTROL).or_insert(nobody);
    }
}

/// Pages of other origins may call the API: credentials travel in a header that no page sends by
/// itself, and cookies are not looked at here.
pub(crate) async fn answer(
    mut router: Router,
    mut request: http::Request<Incoming>,
    peer: Peer,
) -> Response {
    request.extensions_mut().insert(peer);
    let authenticated = credential::is_present(request.headers());
    let from_page = request.headers().contains_key(header::ORIGIN);
    let preflight = from_page && request.method() == Method::OPTIONS;
    let asked = request.headers().get(header::ACCESS_CONTROL_REQUEST_HEADERS).cloned();
    let mut response = if preflight {
        StatusCode::NO_CONTENT.into_response()
    } else {
        routed(&mut router, request).await
    };
    keep_private(authenticated, response.headers_mut());
    if from_page {
        let headers = response.headers_mut();
        let any = HeaderValue::from_static("*");
        headers.insert(header::ACCESS_CONTROL_ALLOW_ORIGIN, any);
        let shown = HeaderValue::from_static(
            "X-Generation-Id, Retry-After, X-Should-Retry, X-RateLimit-Limit, X-RateLimit-Remaining, \
             X-RateLimit-Reset, X-OpenRouter-Cache-Status, X-OpenRouter-Cache-Age, \
             X-OpenRouter-Cache-TTL, X-OpenRouter-Cache-Source-Id",
        );
        headers.insert(header::ACCESS_CONTROL_EXPOSE_HEADERS, shown);
        if preflight {
            let methods = HeaderValue::from_static("GET, POST, PATCH, PUT, DELETE, OPTIONS");
            headers.insert(header::ACCESS_CONTROL_ALLOW_METHODS, methods);
            if let Some(asked) = asked {
                headers.insert(header::ACCESS_CONTROL_ALLOW_HEADERS, asked);
            }
            headers.insert(header::ACCESS_CONTROL_MAX_AGE, HeaderValue::from_static("86400"));
        }
    }
    response
}
