//! `/api/v1/openapi.json`: the description of this API.

use axum::response::{IntoResponse as _, Response};
use http::header;

const DOCUMENT: &str = include_str!("../../../../openapi/signalbox.json");

/// `GET /api/v1/openapi.json`: OpenAPI 3.1.
pub(crate) async fn document() -> Response {
    let headers = [
        (header::CONTENT_TYPE, "application/json"),
        (header::CACHE_CONTROL, "public, max-age=300"),
    ];
    (headers, DOCUMENT).into_response()
}
