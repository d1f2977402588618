//! `/api/v1/auth/keys`: codes for apps, and keys for codes.

use axum::extract::{FromRequestParts, State};
use axum::response::Response;
use http::request::Parts;
use http::{HeaderValue, header};
use signalbox_core::ApiError;
use signalbox_platform::By;
use signalbox_platform::oauth::{CodeWish, ExchangeWish};
use signalbox_platform::people::Person;

use crate::app::App;
use crate::manage::{Manager, Wish, found};
use crate::session::{SignedIn, Visitor, person};
use crate::{credential, error};

/// Who consents: a person, or whoever holds a management key.
pub(crate) enum Consenting {
    Person(Box<Person>),
    Key(By),
}

impl FromRequestParts<App> for Consenting {
    type Rejection = Response;

    async fn from_request_parts(parts: &mut Parts, app: &App) -> Result<Self, Response> {
        let no_key = !credential::is_present(&parts.headers);
        if no_key && parts.headers.contains_key(header::COOKIE) {
            let person = person(app, parts).await;
            return person
                .map(|person| Self::Person(Box::new(person)))
                .map_err(|problem| error::error(app, problem));
        }
        let Manager(by) = Manager::from_request_parts(parts, app).await?;
        Ok(Self::Key(by))
    }
}

/// `POST /api/v1/auth/keys/code`.
pub(crate) async fn code(
    State(app): State<App>,
    consenting: Consenting,
    Wish(wish): Wish<CodeWish>,
) -> Response {
    match consenting {
        Consenting::Person(person) => found(&app, app.people().consent(&person, wish)).await,
        Consenting::Key(by) => found(&app, app.people().issue_code(by, wish)).await,
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
