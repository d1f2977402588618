//! `POST /api/v1/routing/plan`: what would become of a request, and why.

use axum::extract::{Request, State};
use axum::response::Response;
use schemars::JsonSchema;
use serde::Deserialize;
use signalbox_core::ApiError;
use signalbox_gateway::{Inbound, Surface};

use crate::app::App;
use crate::manage::Asked;
use crate::{credential, error, inference};

/// What is asked beside the request itself.
#[derive(Deserialize, JsonSchema)]
pub(crate) struct PlanQuery {
    /// The route that it is meant for; left out, its members tell.
    surface: Option<String>,
    /// Repeats the draw of an earlier plan.
    dice: Option<u64>,
}

/// The plan of any inference request, which is the body. `?surface=` names the route that it is meant
/// for (`chat`, `messages`, `responses`, `completions`, `cursor`, `embeddings`, `rerank`); left out, its
/// members tell. `?dice=` repeats the draw of an earlier plan. Nothing is sent, held or billed.
pub(crate) async fn plan(
    State(app): State<App>,
    Asked(asked): Asked<PlanQuery>,
    request: Request,
) -> Response {
    let (head, body) = request.into_parts();
    let answer = async {
        let caller = credential::any(&app, &head.headers).await?;
        let body = inference::body::read(&head.headers, body).await?;
        let surface = match asked.surface.as_deref() {
            Some(name) => Surface::from_name(name).ok_or_else(|| {
                ApiError::invalid(
                    "surface: expected chat, messages, responses, completions, cursor, embeddings \
                     or rerank",
                )
            })?,
            None => app.gateway().surface_of(&body)?,
        };
        let inbound =
            Inbound { surface, head: inference::request_head(&app, &head), body, id: None };
        let plan = app.gateway().dry_run(&caller, inbound, asked.dice).await?;
        Ok::<_, ApiError>(serde_json::json!({ "data": plan }).to_string())
    };
    error::json(&app, answer.await)
}
