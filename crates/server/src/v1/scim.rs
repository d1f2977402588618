//! `/api/v1/scim`: what directories provisioned and what their groups open, with a management key; the
//! tokens of directories, also for administrators who are signed in.

use axum::extract::{Path, State};
use axum::response::Response;
use http::StatusCode;
use signalbox_platform::v1::Page;
use signalbox_platform::v1::scim::{CreateMapping, CreateToken, DeleteMapping, UpdateMapping};
use signalbox_platform::{By, PlatformError};

use super::auth::Consenting;
use crate::app::App;
use crate::error;
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

/// For which organization, and in whose name.
fn administrator(app: &App, consenting: Consenting) -> Result<By, Box<Response>> {
    let by = match consenting {
        Consenting::Key(by) => Ok(by),
        Consenting::Person(person) => person.administers(&person.context.account),
    };
    by.map_err(|problem: PlatformError| Box::new(error::error(app, problem.into())))
}

/// `GET /api/v1/scim/tokens`.
pub(crate) async fn tokens(State(app): State<App>, consenting: Consenting) -> Response {
    match administrator(&app, consenting) {
        Ok(by) => found(&app, app.platform().list_scim_tokens(&by.account)).await,
        Err(refused) => *refused,
    }
}

/// `POST /api/v1/scim/tokens`: the only answer that shows the token.
pub(crate) async fn create_token(
    State(app): State<App>,
    consenting: Consenting,
    Wish(wish): Wish<CreateToken>,
) -> Response {
    match administrator(&app, consenting) {
        Ok(by) => {
            let work = app.platform().make_scim_token(by.clone(), wish);
            changed(&app, &by, StatusCode::CREATED, work).await
        }
        Err(refused) => *refused,
    }
}

/// `DELETE /api/v1/scim/tokens/{token_id}`.
pub(crate) async fn delete_token(
    State(app): State<App>,
    consenting: Consenting,
    Path(id): Path<String>,
) -> Response {
    match administrator(&app, consenting) {
        Ok(by) => {
            let work = app.platform().delete_scim_token(by.clone(), id);
            changed(&app, &by, StatusCode::OK, work).await
        }
        Err(refused) => *refused,
    }
}
