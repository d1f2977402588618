//! The way in: the register of routes as a service, and what holds for every answer.

use axum::Router;
use axum::extract::{Request, State};
use axum::response::{IntoResponse, Response};
use http::{HeaderMap, HeaderValue, Method, StatusCode, header};
use hyper::body::Incoming;
use signalbox_core::{ApiError, ErrorKind};
use signalbox_platform::scim::ScimError;
use tower::Service as _;

use crate::app::App;
use crate::manage::Peer;
use crate::route::{Route, routes};
use crate::{credential, error, scim, web};

/// The service that answers every request: one handler for each row of the register.
pub(crate) fn router(app: App) -> Router {
    let add = |router: Router<App>, row: &Route| router.route(row.path, row.handler(&app));
    routes()
        .fold(Router::new(), add)
        .fallback(no_such_route)
        .method_not_allowed_fallback(wrong_method)
        .with_state(app)
}

/// The process answers.
pub(crate) async fn live() -> &'static str {
    "ok"
}

/// It answers and may be sent requests.
pub(crate) async fn ready(State(app): State<App>) -> Response {
    if app.is_ready() && app.platform().store().ping().await.is_ok() {
        "ok".into_response()
    } else {
        (StatusCode::SERVICE_UNAVAILABLE, "not ready").into_response()
    }
}

async fn no_such_route(State(app): State<App>, request: Request) -> Response {
    if let Some(page) = web::missing(request.method(), request.uri(), request.headers()) {
        return page;
    }
    let message = format!("{} {} does not exist", request.method(), request.uri().path());
    if scim::is_meant(request.uri()) {
        return scim::refused(&ScimError::new(404, message));
    }
    error::error(&app, ApiError::new(ErrorKind::NotFound, message))
}

async fn wrong_method(State(app): State<App>, request: Request) -> Response {
    let message = format!("{} is not for {}", request.uri().path(), request.method());
    if scim::is_meant(request.uri()) {
        return scim::refused(&ScimError::new(405, message));
    }
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
/// itself. They get no answer to a request with cookies (nothing here allows credentials), and what
/// looks at cookies changes nothing for them (`session.rs`).
pub(crate) async fn answer(
    mut router: Router,
    mut request: http::Request<Incoming>,
    peer: Peer,
) -> Response {
    request.extensions_mut().insert(peer);
    let cookie = request.headers().contains_key(header::COOKIE);
    let authenticated = cookie || credential::is_present(request.headers());
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
