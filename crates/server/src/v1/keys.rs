//! `/api/v1/keys`: the API keys of the caller's account; of a member those that they made.

use axum::Extension;
use axum::extract::{Path, State};
use axum::response::Response;
use http::{HeaderMap, StatusCode};
use signalbox_core::id::KeyHash;
use signalbox_platform::people::leak::LeakReport;
use signalbox_platform::seal::Opener;
use signalbox_platform::v1::keys::{CreateKey, ListKeys, RotateKey, UpdateKey};

use crate::app::App;
use crate::manage::{Asked, Wish, Within, changed, found, written};
use crate::once::{self, Keyed};
use crate::session::Visitor;
use crate::{admission, error};

/// `GET /api/v1/keys?offset&include_disabled&workspace_id`.
pub(crate) async fn list(
    State(app): State<App>,
    Within(by, reach): Within,
    Asked(asked): Asked<ListKeys>,
) -> Response {
    found(&app, app.platform().list_keys(&by.account, &reach, asked)).await
}

/// `POST /api/v1/keys`: the only answer that shows the key, and the same again for the same request with
/// the same credential and `Idempotency-Key`.
pub(crate) async fn create(
    State(app): State<App>,
    Within(by, reach): Within,
    Extension(keyed): Extension<Keyed>,
    headers: HeaderMap,
    Wish(wish): Wish<CreateKey>,
) -> Response {
    let opener = Opener::new(admission::secret(&app, &headers));
    let answer = app.platform().make_key(by.clone(), &reach, wish, keyed.once, &opener).await;
    app.gateway().authenticator.renew(&by.account).await;
    match answer {
        Ok(answer) => once::told(answer),
        Err(problem) => error::error(&app, problem.into()),
    }
}

/// `POST /api/v1/keys/{hash}/rotate`: the only answer that shows the new key, as with `POST /keys`.
pub(crate) async fn rotate(
    State(app): State<App>,
    Within(by, reach): Within,
    Path(hash): Path<String>,
    Extension(keyed): Extension<Keyed>,
    headers: HeaderMap,
    Wish(wish): Wish<RotateKey>,
) -> Response {
    let opener = Opener::new(admission::secret(&app, &headers));
    let hash = KeyHash::new(hash);
    let work = app.platform().rotate_key(by.clone(), &reach, &hash, wish, keyed.once, &opener);
    let answer = work.await;
    app.gateway().authenticator.renew(&by.account).await;
    match answer {
        Ok(answer) => once::told(answer),
        Err(problem) => error::error(&app, problem.into()),
    }
}

/// `POST /api/v1/leaked-keys`: from anybody; the same answer for every text.
pub(crate) async fn leaked(
    State(app): State<App>,
    visitor: Visitor,
    Wish(report): Wish<LeakReport>,
) -> Response {
    let noted = app.people().leaked(&visitor.visit, report).await;
    let noted = match noted {
        Ok((noted, accounts)) => {
            for account in &accounts {
                app.gateway().authenticator.renew(account).await;
            }
            Ok(noted)
        }
        Err(problem) => Err(problem),
    };
    written(&app, StatusCode::ACCEPTED, noted)
}

/// `GET /api/v1/keys/{hash}`.
pub(crate) async fn one(
    State(app): State<App>,
    Within(by, reach): Within,
    Path(hash): Path<String>,
) -> Response {
    found(&app, app.platform().get_key(&by.account, &reach, &KeyHash::new(hash))).await
}

/// `PATCH /api/v1/keys/{hash}`.
pub(crate) async fn update(
    State(app): State<App>,
    Within(by, reach): Within,
    Path(hash): Path<String>,
    Wish(wish): Wish<UpdateKey>,
) -> Response {
    let hash = KeyHash::new(hash);
    let work = app.platform().update_key(by.clone(), &reach, &hash, wish);
    changed(&app, &by, StatusCode::OK, work).await
}

/// `DELETE /api/v1/keys/{hash}`.
pub(crate) async fn delete(
    State(app): State<App>,
    Within(by, reach): Within,
    Path(hash): Path<String>,
) -> Response {
    let hash = KeyHash::new(hash);
    let work = app.platform().delete_key(by.clone(), &reach, &hash);
    changed(&app, &by, StatusCode::OK, work).await
}
