//! `/api/v1/session/management-keys`: for people who administer the account that their session acts for.

use axum::extract::{Path, State};
use axum::response::Response;
use http::StatusCode;
use signalbox_core::id::KeyHash;
use signalbox_platform::v1::management_keys::ManagementKeyWish;

use crate::admission::Administrator;
use crate::app::App;
use crate::manage::{Wish, changed, found};

/// `GET /api/v1/session/management-keys`.
pub(crate) async fn list(State(app): State<App>, Administrator(by): Administrator) -> Response {
    found(&app, app.platform().list_management_keys(&by.account)).await
}

/// `POST /api/v1/session/management-keys`: the only answer that shows the key.
pub(crate) async fn create(
    State(app): State<App>,
    Administrator(by): Administrator,
    Wish(wish): Wish<ManagementKeyWish>,
) -> Response {
    let work = app.platform().make_management_key(by.clone(), wish);
    changed(&app, &by, StatusCode::CREATED, work).await
}

/// `DELETE /api/v1/session/management-keys/{hash}`.
pub(crate) async fn delete(
    State(app): State<App>,
    Administrator(by): Administrator,
    Path(hash): Path<String>,
) -> Response {
    let work = app.platform().delete_management_key(by.clone(), KeyHash::new(hash));
    changed(&app, &by, StatusCode::OK, work).await
}
