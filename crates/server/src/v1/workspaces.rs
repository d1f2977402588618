//! `/api/v1/workspaces`: workspaces, who is in them, what they may spend. `{id}` is the UUID or the slug.

use axum::extract::{Path, State};
use axum::response::Response;
use http::StatusCode;
use signalbox_gateway::{Surface, kept_of};
use signalbox_platform::v1::Page;
use signalbox_platform::v1::budgets::PutBudget;
use signalbox_platform::v1::defaults::{DefaultsWish, as_a_request};
use signalbox_platform::v1::workspaces::{People, WorkspaceWish};

use crate::app::App;
use crate::error;
use crate::manage::{Asked, Manager, Wish, Within, changed, found};

/// `GET /api/v1/workspaces?offset&limit`.
pub(crate) async fn list(
    State(app): State<App>,
    Within(by, reach): Within,
    Asked(page): Asked<Page>,
) -> Response {
    found(&app, app.platform().list_workspaces(&by.account, &reach, page)).await
}

/// `POST /api/v1/workspaces`.
pub(crate) async fn create(
    State(app): State<App>,
    Manager(by): Manager,
    Wish(wish): Wish<WorkspaceWish>,
) -> Response {
    let work = app.platform().make_workspace(by.clone(), wish);
    changed(&app, &by, StatusCode::CREATED, work).await
}

/// `GET /api/v1/workspaces/{id}`.
pub(crate) async fn one(
    State(app): State<App>,
    Within(by, reach): Within,
    Path(id): Path<String>,
) -> Response {
    found(&app, app.platform().get_workspace(&by.account, &reach, &id)).await
}

/// `PATCH /api/v1/workspaces/{id}`.
pub(crate) async fn update(
    State(app): State<App>,
    Manager(by): Manager,
    Path(id): Path<String>,
    Wish(wish): Wish<WorkspaceWish>,
) -> Response {
    let work = app.platform().update_workspace(by.clone(), &id, wish);
    changed(&app, &by, StatusCode::OK, work).await
}

/// `DELETE /api/v1/workspaces/{id}`.
pub(crate) async fn delete(
    State(app): State<App>,
    Manager(by): Manager,
    Path(id): Path<String>,
) -> Response {
    let work = app.platform().delete_workspace(by.clone(), &id);
    changed(&app, &by, StatusCode::OK, work).await
}

/// `GET /api/v1/workspaces/{id}/defaults`.
pub(crate) async fn defaults(
    State(app): State<App>,
    Manager(by): Manager,
    Path(id): Path<String>,
) -> Response {
    found(&app, app.platform().get_defaults(&by.account, &id)).await
}

/// `PATCH /api/v1/workspaces/{id}/defaults`.
pub(crate) async fn update_defaults(
    State(app): State<App>,
    Manager(by): Manager,
    Path(id): Path<String>,
    Wish(wish): Wish<DefaultsWish>,
) -> Response {
    // A default that no request could have would make every request fail.
    if let Err(problem) = kept_of(Surface::Chat, as_a_request(&wish).to_string().into()) {
        return error::error(&app, problem);
    }
    let work = app.platform().update_defaults(by.clone(), &id, wish);
    changed(&app, &by, StatusCode::OK, work).await
}

/// `GET /api/v1/workspaces/{id}/members?offset&limit`.
pub(crate) async fn members(
    State(app): State<App>,
    Manager(by): Manager,
    Path(id): Path<String>,
    Asked(page): Asked<Page>,
) -> Response {
    found(&app, app.platform().list_workspace_members(&by.account, &id, page)).await
}

/// `POST /api/v1/workspaces/{id}/members/add`.
pub(crate) async fn add_members(
    State(app): State<App>,
    Manager(by): Manager,
    Path(id): Path<String>,
    Wish(people): Wish<People>,
) -> Response {
    let work = app.platform().add_workspace_members(by.clone(), &id, people);
    changed(&app, &by, StatusCode::OK, work).await
}

/// `POST /api/v1/workspaces/{id}/members/remove`.
pub(crate) async fn remove_members(
    State(app): State<App>,
    Manager(by): Manager,
    Path(id): Path<String>,
    Wish(people): Wish<People>,
) -> Response {
    let work = app.platform().remove_workspace_members(by.clone(), &id, people);
    changed(&app, &by, StatusCode::OK, work).await
}

/// `GET /api/v1/workspaces/{id}/budgets`.
pub(crate) async fn budgets(
    State(app): State<App>,
    Within(by, reach): Within,
    Path(id): Path<String>,
) -> Response {
    found(&app, app.platform().list_budgets(&by.account, &reach, &id)).await
}

/// `GET /api/v1/workspaces/{id}/budgets/{interval}`.
pub(crate) async fn budget(
    State(app): State<App>,
    Within(by, reach): Within,
    Path((id, interval)): Path<(String, String)>,
) -> Response {
    found(&app, app.platform().get_budget(&by.account, &reach, &id, &interval)).await
}

/// `PUT /api/v1/workspaces/{id}/budgets/{interval}`.
pub(crate) async fn put_budget(
    State(app): State<App>,
    Manager(by): Manager,
    Path((id, interval)): Path<(String, String)>,
    Wish(wish): Wish<PutBudget>,
) -> Response {
    let work = app.platform().put_budget(by.clone(), &id, &interval, wish);
    changed(&app, &by, StatusCode::OK, work).await
}

/// `DELETE /api/v1/workspaces/{id}/budgets/{interval}`: 200 also when there is none.
pub(crate) async fn delete_budget(
    State(app): State<App>,
    Manager(by): Manager,
    Path((id, interval)): Path<(String, String)>,
) -> Response {
    let work = app.platform().delete_budget(by.clone(), &id, &interval);
    changed(&app, &by, StatusCode::OK, work).await
}
