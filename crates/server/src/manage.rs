//! What every route of the management API begins and ends with: what is asked for, and that what was
//! changed holds for the next request.

use std::future::Future;
use std::net::IpAddr;

use axum::body::Body;
use axum::extract::{FromRequest, FromRequestParts, Query, Request};
use axum::response::{IntoResponse as _, Response};
use http::StatusCode;
use http::request::Parts;
use serde::Serialize;
use serde::de::DeserializeOwned;
use signalbox_core::ApiError;
use signalbox_platform::{By, PlatformError};

pub(crate) use crate::admission::{Manager, Within};
use crate::app::App;
use crate::{error, short_body};

/// Where a request comes from: the other end of the connection, or whom trusted proxies name.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Peer(pub IpAddr);

/// A JSON body of a known form. It comes last among a handler's arguments, so nobody's body is read
/// who may not ask.
pub(crate) struct Wish<T>(pub T);

impl<T: DeserializeOwned> FromRequest<App> for Wish<T> {
    type Rejection = Response;

    async fn from_request(request: Request, app: &App) -> Result<Self, Response> {
        let (parts, body): (_, Body) = request.into_parts();
        let wish = short_body::document(&parts.headers, body).await;
        wish.map(Self).map_err(|problem| error::error(app, problem))
    }
}

/// The query of a request, in a known form. Names that it does not know are passed over.
pub(crate) struct Asked<T>(pub T);

impl<T: DeserializeOwned> FromRequestParts<App> for Asked<T> {
    type Rejection = Response;

    async fn from_request_parts(parts: &mut Parts, app: &App) -> Result<Self, Response> {
        let asked = Query::try_from_uri(&parts.uri);
        let malformed = |problem: axum::extract::rejection::QueryRejection| {
            error::error(app, ApiError::invalid(problem.body_text()))
        };
        asked.map(|Query(asked)| Self(asked)).map_err(malformed)
    }
}

/// The answer with this status, or the error instead of it.
pub(crate) fn written<E>(
    app: &App,
    status: StatusCode,
    found: Result<impl Serialize, E>,
) -> Response
where
    ApiError: From<E>,
{
    let text = found.map_err(ApiError::from).and_then(|found| {
        serde_json::to_vec(&found).map_err(|problem| ApiError::internal(problem.to_string()))
    });
    match text {
        Ok(text) => (status, error::document(text)).into_response(),
        Err(problem) => error::error(app, problem),
    }
}

/// The answer to who only looks.
pub(crate) async fn found<T: Serialize, E>(
    app: &App,
    work: impl Future<Output = Result<T, E>>,
) -> Response
where
    ApiError: From<E>,
{
    written(app, StatusCode::OK, work.await)
}

/// The answer to who changes something: it comes when the change holds for the next request of this
/// process.
pub(crate) async fn changed<T: Serialize>(
    app: &App,
    by: &By,
    status: StatusCode,
    work: impl Future<Output = Result<T, PlatformError>>,
) -> Response {
    let done = work.await;
    app.gateway().authenticator.renew(&by.account).await;
    written(app, status, done)
}
