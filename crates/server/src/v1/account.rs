//! What a caller may know of its own account: credits, key, generations.

use axum::extract::{Query, State};
use axum::response::Response;
use http::HeaderMap;
use signalbox_core::ApiError;
use signalbox_platform::PlatformError;
use signalbox_platform::v1::audit_log::ListActs;

use crate::app::App;
use crate::manage::{Asked, Manager, found};
use crate::{credential, error};

/// `GET /api/v1/credits`.
pub(crate) async fn credits(State(app): State<App>, Manager(by): Manager) -> Response {
    found(&app, app.platform().credits(&by.account)).await
}

/// `GET /api/v1/key`: the calling key, of either kind.
pub(crate) async fn key(State(app): State<App>, headers: HeaderMap) -> Response {
    let answer = async {
        let caller = credential::any(&app, &headers).await?;
        written(app.platform().key(&caller.key).await)
    };
    error::json(&app, answer.await)
}

/// `GET /api/v1/generation?id=`: one generation of the caller's account.
pub(crate) async fn generation(
    State(app): State<App>,
    Query(pairs): Query<Vec<(String, String)>>,
    headers: HeaderMap,
) -> Response {
    let answer = async {
        let caller = credential::any(&app, &headers).await?;
        let id = pairs.iter().find(|(name, value)| name == "id" && !value.is_empty());
        let (_, id) = id.ok_or_else(|| ApiError::invalid("id: required"))?;
        written(app.platform().generation(&caller.key.account, id).await)
    };
    error::json(&app, answer.await)
}

/// `GET /api/v1/audit-log?before&limit`: what was done to the account's things.
pub(crate) async fn audit_log(
    State(app): State<App>,
    Manager(by): Manager,
    Asked(asked): Asked<ListActs>,
) -> Response {
    found(&app, app.platform().list_acts(&by.account, asked)).await
}

fn written(found: Result<impl serde::Serialize, PlatformError>) -> Result<String, ApiError> {
    serde_json::to_string(&found?).map_err(|problem| ApiError::internal(problem.to_string()))
}
