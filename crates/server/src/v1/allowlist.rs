//! `/api/v1/privacy/allowlist`, with a management key.

use axum::extract::{Path, State};
use axum::response::Response;
use http::StatusCode;
use signalbox_platform::v1::Page;
use signalbox_platform::v1::allowlist::PhraseWish;

use crate::app::App;
use crate::manage::{Asked, Manager, Wish, changed, found};

/// `GET /api/v1/privacy/allowlist?offset&limit`.
pub(crate) async fn list(
    State(app): State<App>,
    Manager(by): Manager,
    Asked(page): Asked<Page>,
) -> Response {
    found(&app, app.platform().list_phrases(&by.account, page)).await
}

/// `POST /api/v1/privacy/allowlist`.
pub(crate) async fn add(
    State(app): State<App>,
    Manager(by): Manager,
    Wish(wish): Wish<PhraseWish>,
) -> Response {
    let work = app.platform().add_phrase(by.clone(), wish);
    changed(&app, &by, StatusCode::CREATED, work).await
}

/// `PATCH /api/v1/privacy/allowlist/{id}`.
pub(crate) async fn update(
    State(app): State<App>,
    Manager(by): Manager,
    Path(id): Path<String>,
    Wish(wish): Wish<PhraseWish>,
) -> Response {
    let work = app.platform().update_phrase(by.clone(), id, wish);
    changed(&app, &by, StatusCode::OK, work).await
}

/// `DELETE /api/v1/privacy/allowlist/{id}`.
pub(crate) async fn delete(
    State(app): State<App>,
    Manager(by): Manager,
    Path(id): Path<String>,
) -> Response {
    let work = app.platform().delete_phrase(by.clone(), id);
    changed(&app, &by, StatusCode::OK, work).await
}
