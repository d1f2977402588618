//! `GET /api/v1/providers`

use axum::extract::State;
use axum::response::Response;
use signalbox_catalog::listing;

use crate::app::App;
use crate::error;

pub(crate) async fn list(State(app): State<App>) -> Response {
    let world = app.gateway().world.load();
    error::json(&app, Ok(listing::providers(&world.catalog).to_string()))
}
