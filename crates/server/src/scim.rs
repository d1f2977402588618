//! `/scim/v2`: what identity providers tell of the people and groups of an organization, with the token
//! of a connection (RFC 7644). Answers and errors are in SCIM's own form.

use axum::body::Body;
use axum::extract::{FromRequest, FromRequestParts, Path, Query, Request, State};
use axum::response::{IntoResponse as _, Response};
use http::request::Parts;
use http::{HeaderValue, StatusCode, header};
use serde_json::Value;
use signalbox_platform::scim::discovery::{MAX_BODY, configuration, list, resource_types, schemas};
use signalbox_platform::scim::{Heard, ListQuery, ScimDirectory, ScimError};

use crate::app::App;
use crate::manage::Peer;
use crate::{credential, short_body};

fn document(status: u16, body: &Value) -> Response {
    let status = StatusCode::from_u16(status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    let kind = [(header::CONTENT_TYPE, HeaderValue::from_static("application/scim+json"))];
    (status, kind, Body::from(body.to_string())).into_response()
}

/// Whether a request is a directory's, which hears in its own form of what there is not, too.
pub(crate) fn is_meant(uri: &http::Uri) -> bool {
    uri.path().strip_prefix("/scim/v2").is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
}

/// An error in SCIM's form.
pub(crate) fn refused(error: &ScimError) -> Response {
    let mut response =
        document(error.status, &serde_json::to_value(error.body()).unwrap_or_default());
    if error.status == 401 {
        let how = HeaderValue::from_static("Bearer");
        response.headers_mut().insert(header::WWW_AUTHENTICATE, how);
    }
    if error.status == 503 {
        response.headers_mut().insert(header::RETRY_AFTER, HeaderValue::from(1));
    }
    response
}

/// Whoever shows a good token.
pub(crate) struct Directed(ScimDirectory);

impl FromRequestParts<App> for Directed {
    type Rejection = Response;

    async fn from_request_parts(parts: &mut Parts, app: &App) -> Result<Self, Response> {
        let address = parts.extensions.get::<Peer>().map(|peer| peer.0.to_string());
        let token = credential::key(&parts.headers);
        let url = app.people().public_url();
        let directory = app.platform().scim_directory(token, address, url).await;
        directory.map(Self).map_err(|error| refused(&error))
    }
}

/// The query of a request; what is malformed in it is told in SCIM's form.
pub(crate) struct Asked(ListQuery);

impl FromRequestParts<App> for Asked {
    type Rejection = Response;

    async fn from_request_parts(parts: &mut Parts, _: &App) -> Result<Self, Response> {
        let asked = Query::<ListQuery>::try_from_uri(&parts.uri);
        let malformed = |problem: axum::extract::rejection::QueryRejection| {
            refused(&ScimError::invalid("invalidValue", problem.body_text()))
        };
        asked.map(|Query(asked)| Self(asked)).map_err(malformed)
    }
}

/// A JSON body of whatever media type: directories disagree about it.
pub(crate) struct Sent(Value);

impl FromRequest<App> for Sent {
    type Rejection = Response;

    async fn from_request(request: Request, _: &App) -> Result<Self, Response> {
        let (parts, body): (_, Body) = request.into_parts();
        let bytes = short_body::read(&parts.headers, body, MAX_BODY).await;
        let bytes =
            bytes.map_err(|problem| refused(&ScimError::new(problem.status(), problem.message)))?;
        let value = serde_json::from_slice(&bytes);
        value.map(Self).map_err(|problem: serde_json::Error| {
            refused(&ScimError::invalid("invalidSyntax", problem.to_string()))
        })
    }
}

fn told(answer: Result<Value, ScimError>) -> Response {
    match answer {
        Ok(body) => document(200, &body),
        Err(error) => refused(&error),
    }
}

fn shown(answer: Result<Heard, ScimError>, asked: &ListQuery) -> Response {
    told(answer.map(|heard| asked.shape().cut(heard.resource)))
}

/// The answer to a change: it comes when the change holds for the next request of this process.
async fn changed(
    app: &App,
    directory: &ScimDirectory,
    status: u16,
    asked: &ListQuery,
    work: impl Future<Output = Result<Heard, ScimError>>,
) -> Response {
    let done = work.await;
    app.gateway().authenticator.renew(&directory.by.account).await;
    match done {
        Ok(heard) => {
            let mut response = document(status, &asked.shape().cut(heard.resource));
            if let Ok(location) = HeaderValue::from_str(&heard.location) {
                response.headers_mut().insert(header::LOCATION, location);
            }
            response
        }
        Err(error) => refused(&error),
    }
}

async fn removed(
    app: &App,
    directory: &ScimDirectory,
    work: impl Future<Output = Result<(), ScimError>>,
) -> Response {
    let done = work.await;
    app.gateway().authenticator.renew(&directory.by.account).await;
    match done {
        Ok(()) => StatusCode::NO_CONTENT.into_response(),
        Err(error) => refused(&error),
    }
}

/// `GET /scim/v2/ServiceProviderConfig`.
pub(crate) async fn service(Directed(directory): Directed) -> Response {
    document(200, &configuration(directory.base()))
}

fn all(found: Vec<Value>) -> Response {
    let total = found.len() as u64;
    document(200, &list(found, total, 1))
}

fn one(found: Vec<Value>, id: &str) -> Response {
    let mut found = found.into_iter();
    let wanted = found.find(|one| one.get("id").and_then(Value::as_str) == Some(id));
    told(wanted.ok_or_else(|| ScimError::new(404, "Resource not found")))
}

/// `GET /scim/v2/ResourceTypes`.
pub(crate) async fn types(Directed(directory): Directed) -> Response {
    all(resource_types(directory.base()))
}

/// `GET /scim/v2/ResourceTypes/{name}`.
pub(crate) async fn kind(Directed(directory): Directed, Path(name): Path<String>) -> Response {
    one(resource_types(directory.base()), &name)
}

/// `GET /scim/v2/Schemas`.
pub(crate) async fn forms(Directed(directory): Directed) -> Response {
    all(schemas(directory.base()))
}

/// `GET /scim/v2/Schemas/{name}`.
pub(crate) async fn form(Directed(directory): Directed, Path(name): Path<String>) -> Response {
    one(schemas(directory.base()), &name)
}

/// `GET /scim/v2/Users?filter&startIndex&count&attributes&excludedAttributes`.
pub(crate) async fn users(Directed(directory): Directed, Asked(asked): Asked) -> Response {
    told(directory.users(&asked).await)
}

/// `POST /scim/v2/Users`.
pub(crate) async fn create_user(
    State(app): State<App>,
    Directed(directory): Directed,
    Asked(asked): Asked,
    Sent(wish): Sent,
) -> Response {
    changed(&app, &directory, 201, &asked, directory.create_user(wish)).await
}

/// `GET /scim/v2/Users/{user_id}`.
pub(crate) async fn user(
    Directed(directory): Directed,
    Path(id): Path<String>,
    Asked(asked): Asked,
) -> Response {
    shown(directory.user(&id).await, &asked)
}

/// `PUT /scim/v2/Users/{user_id}`.
pub(crate) async fn replace_user(
    State(app): State<App>,
    Directed(directory): Directed,
    Path(id): Path<String>,
    Asked(asked): Asked,
    Sent(wish): Sent,
) -> Response {
    changed(&app, &directory, 200, &asked, directory.replace_user(&id, wish)).await
}

/// `PATCH /scim/v2/Users/{user_id}`.
pub(crate) async fn patch_user(
    State(app): State<App>,
    Directed(directory): Directed,
    Path(id): Path<String>,
    Asked(asked): Asked,
    Sent(wish): Sent,
) -> Response {
    changed(&app, &directory, 200, &asked, directory.patch_user(&id, wish)).await
}

/// `DELETE /scim/v2/Users/{user_id}`.
pub(crate) async fn delete_user(
    State(app): State<App>,
    Directed(directory): Directed,
    Path(id): Path<String>,
) -> Response {
    removed(&app, &directory, directory.delete_user(&id)).await
}

/// `GET /scim/v2/Groups?filter&startIndex&count&attributes&excludedAttributes`.
pub(crate) async fn groups(Directed(directory): Directed, Asked(asked): Asked) -> Response {
    told(directory.groups(&asked).await)
}

/// `POST /scim/v2/Groups`.
pub(crate) async fn create_group(
    State(app): State<App>,
    Directed(directory): Directed,
    Asked(asked): Asked,
    Sent(wish): Sent,
) -> Response {
    changed(&app, &directory, 201, &asked, directory.create_group(wish)).await
}

/// `GET /scim/v2/Groups/{group_id}`.
pub(crate) async fn group(
    Directed(directory): Directed,
    Path(id): Path<String>,
    Asked(asked): Asked,
) -> Response {
    shown(directory.group(&id, &asked.shape()).await, &asked)
}

/// `PUT /scim/v2/Groups/{group_id}`.
pub(crate) async fn replace_group(
    State(app): State<App>,
    Directed(directory): Directed,
    Path(id): Path<String>,
    Asked(asked): Asked,
    Sent(wish): Sent,
) -> Response {
    let shape = asked.shape();
    changed(&app, &directory, 200, &asked, directory.replace_group(&id, &shape, wish)).await
}

/// `PATCH /scim/v2/Groups/{group_id}`.
pub(crate) async fn patch_group(
    State(app): State<App>,
    Directed(directory): Directed,
    Path(id): Path<String>,
    Asked(asked): Asked,
    Sent(wish): Sent,
) -> Response {
    let shape = asked.shape();
    changed(&app, &directory, 200, &asked, directory.patch_group(&id, &shape, wish)).await
}

/// `DELETE /scim/v2/Groups/{group_id}`.
pub(crate) async fn delete_group(
    State(app): State<App>,
    Directed(directory): Directed,
    Path(id): Path<String>,
) -> Response {
    removed(&app, &directory, directory.delete_group(&id)).await
}
