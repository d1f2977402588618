//! `/api/v1/byok`: own provider keys, with a management key.

use axum::extract::{Path, State};
use axum::response::Response;
use http::StatusCode;
use signalbox_core::ApiError;
use signalbox_gateway::ProbeOutcome;
use signalbox_platform::v1::Data;
use signalbox_platform::v1::byok::{
    ByokOrder, CreateByok, ListByok, ProbeObject, ProbeWish, UpdateByok,
};

use crate::app::App;
use crate::manage::{Asked, Manager, Wish, changed, found};

/// `GET /api/v1/byok?offset&limit&workspace_id&provider`.
pub(crate) async fn list(
    State(app): State<App>,
    Manager(by): Manager,
    Asked(asked): Asked<ListByok>,
) -> Response {
    found(&app, app.platform().list_byok(&by.account, asked)).await
}

/// `POST /api/v1/byok`.
pub(crate) async fn create(
    State(app): State<App>,
    Manager(by): Manager,
    Wish(wish): Wish<CreateByok>,
) -> Response {
    let world = app.gateway().world.load_full();
    let work = app.platform().make_byok(by.clone(), wish, &world.catalog);
    changed(&app, &by, StatusCode::CREATED, work).await
}

/// `GET /api/v1/byok/{id}`.
pub(crate) async fn one(
    State(app): State<App>,
    Manager(by): Manager,
    Path(id): Path<String>,
) -> Response {
    found(&app, app.platform().get_byok(&by.account, &id)).await
}

/// `PATCH /api/v1/byok/{id}`.
pub(crate) async fn update(
    State(app): State<App>,
    Manager(by): Manager,
    Path(id): Path<String>,
    Wish(wish): Wish<UpdateByok>,
) -> Response {
    let world = app.gateway().world.load_full();
    let work = app.platform().update_byok(by.clone(), id, wish, &world.catalog);
    changed(&app, &by, StatusCode::OK, work).await
}

/// `DELETE /api/v1/byok/{id}`.
pub(crate) async fn delete(
    State(app): State<App>,
    Manager(by): Manager,
    Path(id): Path<String>,
) -> Response {
    let work = app.platform().delete_byok(by.clone(), id);
    changed(&app, &by, StatusCode::OK, work).await
}

/// `POST /api/v1/byok/probe`: one small request at the provider, which the key pays.
pub(crate) async fn probe(
    State(app): State<App>,
    Manager(by): Manager,
    Wish(wish): Wish<ProbeWish>,
) -> Response {
    let work = async {
        app.people().may_probe(&by.account)?;
        let (provider, key) = wish.checked(&app.gateway().world.load().catalog)?;
        let outcome = app.gateway().probe(&provider, &key).await;
        let outcome = outcome.map_err(|problem| ApiError::invalid(format!("key: {problem}")))?;
        let ok = outcome.is_good();
        let ProbeOutcome { status, model, problem, latency_ms } = outcome;
        Ok::<_, ApiError>(Data { data: ProbeObject { ok, status, model, problem, latency_ms } })
    };
    found(&app, work).await
}

/// `PUT /api/v1/byok/order`.
pub(crate) async fn order(
    State(app): State<App>,
    Manager(by): Manager,
    Wish(wish): Wish<ByokOrder>,
) -> Response {
    let work = app.platform().order_byok(by.clone(), wish);
    changed(&app, &by, StatusCode::OK, work).await
}
