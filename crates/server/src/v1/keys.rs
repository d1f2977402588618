//! `/api/v1/keys`: the API keys of the caller's account, with a management key.

use axum::Extension;
use axum::extract::{Path, State};
use axum::response::Response;
use http::{HeaderMap, StatusCode};
use signalbox_core::id::KeyHash;
use signalbox_platform::seal::Opener;
use signalbox_platform::v1::keys::{CreateKey, ListKeys, UpdateKey};

use crate::app::App;
use crate::manage::{Asked, Manager, Wish, changed, found};
use crate::once::{self, Keyed};
use crate::{credential, error};

/// `GET /api/v1/keys?offset&include_disabled&workspace_id`.
pub(crate) async fn list(
    State(app): State<App>,
    Manager(by): Manager,
    Asked(asked): Asked<ListKeys>,
) -> Response {
    found(&app, app.platform().list_keys(&by.account, asked)).await
}

/// `POST /api/v1/keys`: the only answer that shows the key, and the same again for the same request with
/// the same management key and `Idempotency-Key`.
pub(crate) async fn create(
    State(app): State<App>,
    Manager(by): Manager,
    Extension(keyed): Extension<Keyed>,
    headers: HeaderMap,
    Wish(wish): Wish<CreateKey>,
) -> Response {
    let opener = Opener::new(credential::key(&headers).unwrap_or_default());
    let answer = app.platform().make_key(by.clone(), wish, keyed.once, &opener).await;
    app.gateway().authenticator.renew(&by.account).await;
    match answer {
        Ok(answer) => once::told(answer),
        Err(problem) => error::error(&app, problem.into()),
    }
}

/// `GET /api/v1/keys/{hash}`.
pub(crate) async fn one(
    State(app): State<App>,
    Manager(by): Manager,
    Path(hash): Path<String>,
) -> Response {
    found(&app, app.platform().get_key(&by.account, &KeyHash::new(hash))).await
}

/// `PATCH /api/v1/keys/{hash}`.
pub(crate) async fn update(
    State(app): State<App>,
    Manager(by): Manager,
    Path(hash): Path<String>,
    Wish(wish): Wish<UpdateKey>,
) -> Response {
    let hash = KeyHash::new(hash);
    let work = app.platform().update_key(by.clone(), &hash, wish);
    changed(&app, &by, StatusCode::OK, work).await
}

/// `DELETE /api/v1/keys/{hash}`.
pub(crate) async fn delete(
    State(app): State<App>,
    Manager(by): Manager,
    Path(hash): Path<String>,
) -> Response {
    let hash = KeyHash::new(hash);
    let work = app.platform().delete_key(by.clone(), &hash);
    changed(&app, &by, StatusCode::OK, work).await
}
