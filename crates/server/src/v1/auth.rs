//! `/api/v1/auth/keys`: codes for apps, and keys for codes.

use axum::extract::State;
use axum::response::Response;
use http::{HeaderValue, header};
use signalbox_core::ApiError;
use signalbox_platform::oauth::{CodeWish, ExchangeWish};

use crate::admission::Admitted;
use crate::app::App;
use crate::error;
use crate::manage::{Wish, found};
use crate::session::{SignedIn, Visitor};

/// `POST /api/v1/auth/keys/code`.
pub(crate) async fn code(
    State(app): State<App>,
    who: Admitted,
    Wish(wish): Wish<CodeWish>,
) -> Response {
    match who {
        Admitted::Person(person) => found(&app, app.people().consent(&person, wish)).await,
        Admitted::Key(_, by) => found(&app, app.people().issue_code(by, wish)).await,
    }
}

/// `POST /api/v1/session/consent`: what an app asks for, in the words of the page that shows it.
pub(crate) async fn requested(
    State(app): State<App>,
    SignedIn(person): SignedIn,
    Wish(wish): Wish<CodeWish>,
) -> Response {
    found(&app, app.people().requested(&person, wish)).await
}

/// `POST /api/v1/auth/keys`: from any page, without a credential: the code is one.
pub(crate) async fn exchange(
    State(app): State<App>,
    visitor: Visitor,
    Wish(wish): Wish<ExchangeWish>,
) -> Response {
    let exchanged = app.people().exchange(&visitor.visit, wish).await;
    if let Some(account) = &exchanged.account {
        app.gateway().authenticator.renew(account).await;
    }
    let text = exchanged.result.map_err(ApiError::from).and_then(|key| {
        serde_json::to_vec(&key).map_err(|problem| ApiError::internal(problem.to_string()))
    });
    let mut response = error::json(&app, text);
    let nobody = HeaderValue::from_static("private, no-store");
    response.headers_mut().insert(header::CACHE_CONTROL, nobody);
    response
}
