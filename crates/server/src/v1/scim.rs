//! `/api/v1/scim`: what directories provisioned and what their groups open; the tokens of directories.

use axum::extract::{Path, State};
use axum::response::Response;
use http::StatusCode;
use signalbox_platform::v1::Page;
use signalbox_platform::v1::scim::{CreateMapping, CreateToken, DeleteMapping, UpdateMapping};

use crate::app::App;
use crate::manage::{Asked, Manager, Wish, changed, found};

/// `GET /api/v1/scim/groups?offset&limit`.
pub(crate) async fn groups(
    State(app): State<App>,
    Manager(by): Manager,
    Asked(page): Asked<Page>,
) -> Response {
    found(&app, app.platform().list_scim_groups(&by.account, page)).await
}

/// `GET /api/v1/scim/group-mappings?offset&limit`.
pub(crate) async fn mappings(
    State(app): State<App>,
    Manager(by): Manager,
    Asked(page): Asked<Page>,
) -> Response {
    found(&app, app.platform().list_scim_mappings(&by.account, page)).await
}

/// `POST /api/v1/scim/group-mappings`.
pub(crate) async fn create_mapping(
    State(app): State<App>,
    Manager(by): Manager,
    Wish(wish): Wish<CreateMapping>,
) -> Response {
    let work = app.platform().make_scim_mapping(by.clone(), wish);
    changed(&app, &by, StatusCode::CREATED, work).await
}

/// `GET /api/v1/scim/group-mappings/{id}`.
pub(crate) async fn mapping(
    State(app): State<App>,
    Manager(by): Manager,
    Path(id): Path<String>,
) -> Response {
    found(&app, app.platform().get_scim_mapping(&by.account, &id)).await
}

/// `PATCH /api/v1/scim/group-mappings/{id}`.
pub(crate) async fn update_mapping(
    State(app): State<App>,
    Manager(by): Manager,
    Path(id): Path<String>,
    Wish(wish): Wish<UpdateMapping>,
) -> Response {
    let work = app.platform().update_scim_mapping(by.clone(), id, wish);
    changed(&app, &by, StatusCode::OK, work).await
}

/// `DELETE /api/v1/scim/group-mappings/{id}?keep_members`.
pub(crate) async fn delete_mapping(
    State(app): State<App>,
    Manager(by): Manager,
    Path(id): Path<String>,
    Asked(wish): Asked<DeleteMapping>,
) -> Response {
    let work = app.platform().delete_scim_mapping(by.clone(), id, wish);
    changed(&app, &by, StatusCode::OK, work).await
}

/// `GET /api/v1/scim/tokens`.
pub(crate) async fn tokens(State(app): State<App>, Manager(by): Manager) -> Response {
    found(&app, app.platform().list_scim_tokens(&by.account)).await
}

/// `POST /api/v1/scim/tokens`: the only answer that shows the token.
pub(crate) async fn create_token(
    State(app): State<App>,
    Manager(by): Manager,
    Wish(wish): Wish<CreateToken>,
) -> Response {
    let work = app.platform().make_scim_token(by.clone(), wish);
    changed(&app, &by, StatusCode::CREATED, work).await
}

/// `DELETE /api/v1/scim/tokens/{token_id}`.
pub(crate) async fn delete_token(
    State(app): State<App>,
    Manager(by): Manager,
    Path(id): Path<String>,
) -> Response {
    let work = app.platform().delete_scim_token(by.clone(), id);
    changed(&app, &by, StatusCode::OK, work).await
}
