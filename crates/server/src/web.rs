//! The web app: its pages and what they load, as they were embedded when this program was built.
//!
//! All pages are one document; the app reads the address. Only addresses of the register are pages, so
//! that what is missing below `/api` is told in JSON.

mod asset;

use axum::body::Body;
use axum::extract::{Path, State};
use axum::response::{IntoResponse as _, Response};
use http::{HeaderMap, HeaderName, HeaderValue, Method, StatusCode, Uri, header};
use signalbox_core::{ApiError, ErrorKind};

use crate::app::App;
use crate::error;
use asset::Asset;

/// What every page's document is.
const INDEX: &str = "/index.html";
/// What is told instead of the app by a program that was built without it.
const NOT_BUILT: &str = "The web app is not in this build of Signalbox. With Node.js 20 or newer, run \
     scripts/web.sh and then build Signalbox again, or use `make run`, which does both.\n\
     The API does not need it: see /api/v1/models.\n";

/// Scripts, styles and data come from here alone, nothing is inline, nobody frames a page, and no form
/// is sent anywhere else.
const POLICY: &str = "default-src 'none'; script-src 'self'; style-src 'self'; font-src 'self'; \
     img-src 'self' data:; connect-src 'self'; form-action 'self'; base-uri 'none'; \
     frame-ancestors 'none'";
/// Devices that no page asks for.
const DEVICES: &str = "camera=(), display-capture=(), geolocation=(), microphone=(), payment=(), \
     usb=()";

/// The parts of the site that are for programs: what is missing there is told in JSON.
const FOR_PROGRAMS: [&str; 4] = ["/api", "/webhooks", "/health", "/assets"];

fn guard(headers: &mut HeaderMap) {
    for (name, value) in [
        (header::CONTENT_SECURITY_POLICY, POLICY),
        (header::X_FRAME_OPTIONS, "DENY"),
        (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
        (header::REFERRER_POLICY, "no-referrer"),
        (HeaderName::from_static("permissions-policy"), DEVICES),
        (HeaderName::from_static("cross-origin-resource-policy"), "same-origin"),
    ] {
        headers.insert(name, HeaderValue::from_static(value));
    }
}

fn document(headers: &HeaderMap, status: StatusCode) -> Response {
    let mut response = match asset::find(INDEX) {
        Some(found) => found.answer(headers, status),
        None => {
            let kind = [(header::CONTENT_TYPE, HeaderValue::from_static("text/plain"))];
            (StatusCode::NOT_FOUND, kind, Body::from(NOT_BUILT)).into_response()
        }
    };
    guard(response.headers_mut());
    response
}

/// A page.
pub(crate) async fn page(headers: HeaderMap) -> Response {
    let mut response = document(&headers, StatusCode::OK);
    // Whoever opened the window has no hold on it.
    let opener = HeaderName::from_static("cross-origin-opener-policy");
    response.headers_mut().insert(opener, HeaderValue::from_static("same-origin"));
    response
}

/// The page where a person gives an app a key. Apps open it in windows of theirs and wait for what
/// their callback says there.
pub(crate) async fn consent(headers: HeaderMap) -> Response {
    document(&headers, StatusCode::OK)
}

fn served(app: &App, headers: &HeaderMap, path: &str) -> Response {
    let Some(found) = asset::find(path) else {
        let message = format!("GET {path} does not exist");
        return error::error(app, ApiError::new(ErrorKind::NotFound, message));
    };
    let mut response = found.answer(headers, StatusCode::OK);
    guard(response.headers_mut());
    response
}

/// A script, a style or a font, under a name that has a hash of what is in it.
pub(crate) async fn hashed(
    State(app): State<App>,
    headers: HeaderMap,
    Path(name): Path<String>,
) -> Response {
    served(&app, &headers, &format!("/assets/{name}"))
}

/// A file at the top of the site.
pub(crate) async fn file(State(app): State<App>, headers: HeaderMap, uri: Uri) -> Response {
    served(&app, &headers, uri.path())
}

/// The app's own page for an address that does not exist, when a person asks for one.
pub(crate) fn missing(method: &Method, uri: &Uri, headers: &HeaderMap) -> Option<Response> {
    let path = uri.path();
    let inside = |part: &str| {
        path.strip_prefix(part).is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
    };
    let reads = matches!(*method, Method::GET | Method::HEAD);
    if !reads || FOR_PROGRAMS.into_iter().any(inside) || !wants_page(headers) {
        return None;
    }
    asset::find(INDEX).map(|_: &Asset| document(headers, StatusCode::NOT_FOUND))
}

/// Whether the sender names pages among what it can show.
fn wants_page(headers: &HeaderMap) -> bool {
    let accepted = headers.get_all(header::ACCEPT).iter().filter_map(|value| value.to_str().ok());
    accepted.flat_map(|text| text.split(',')).any(|one| {
        let kind = one.split(';').next().unwrap_or_default();
        kind.trim().eq_ignore_ascii_case("text/html")
    })
}
