//! `Idempotency-Key`: the same request has one effect and one answer, for ever.
//!
//! A route says in its row what it does with the key ([`Again`]); nothing else is needed for a route
//! whose effect lies outside of the database. A handler whose effect is a commit of ours takes
//! [`Keyed`] and has its answer written in that commit.

use axum::body::{Body, to_bytes};
use axum::extract::{Request, State};
use axum::middleware::Next;
use axum::response::Response;
use http::{HeaderMap, StatusCode};
use signalbox_core::id::AccountId;
use signalbox_core::{ApiError, Timestamp};
use signalbox_platform::once::{self, Answer, Once, Unsuccessful};
use signalbox_runtime::task;

use crate::admission::Admitted;
use crate::app::App;
use crate::route::Again;
use crate::{error, short_body};

/// Largest answer that is kept.
const MAX_ANSWER: usize = 1024 * 1024;

/// What a handler is told of the key.
#[derive(Debug, Clone, Default)]
pub(crate) struct Keyed {
    /// The request, when it has a key.
    pub once: Option<Once>,
    /// When it first began, if nobody got its answer.
    pub begun: Option<Timestamp>,
}

/// What the header says, for this account, route and body; `None` without one.
///
/// # Errors
/// 400 for a key that is no key.
pub(crate) fn of(
    headers: &HeaderMap,
    account: &AccountId,
    route: &str,
    body: &[u8],
) -> Result<Option<Once>, ApiError> {
    let Some(value) = headers.get("idempotency-key") else { return Ok(None) };
    // Not text is no key, as is an empty one.
    once::request(account, value.to_str().unwrap_or_default(), route, body).map(Some)
}

/// An answer that is no success: ours, or the handler's own.
enum Refusal {
    Error(ApiError),
    Said(Response),
}

impl From<ApiError> for Refusal {
    fn from(error: ApiError) -> Self {
        Self::Error(error)
    }
}

impl Unsuccessful for Refusal {
    fn did_nothing(&self) -> bool {
        match self {
            Self::Error(error) => error.did_nothing(),
            Self::Said(response) => {
                let status = response.status();
                status.is_client_error() && status != StatusCode::REQUEST_TIMEOUT
            }
        }
    }
}

/// Answers a request as its row says.
pub(crate) async fn keep(
    State((app, again)): State<(App, Again)>,
    request: Request,
    next: Next,
) -> Response {
    match kept(&app, again, request, next).await {
        Ok(response) | Err(Refusal::Said(response)) => response,
        Err(Refusal::Error(problem)) => error::error(&app, problem),
    }
}

async fn kept(app: &App, again: Again, request: Request, next: Next) -> Result<Response, Refusal> {
    let (mut head, body) = request.into_parts();
    if !head.headers.contains_key("idempotency-key") {
        head.extensions.insert(Keyed::default());
        return Ok(next.run(Request::from_parts(head, body)).await);
    }
    let unknown = || ApiError::internal("nobody was let in here");
    let account = head.extensions.get::<Admitted>().ok_or_else(unknown)?.by().account;
    let body = short_body::read(&head.headers, body, short_body::MAX_DOCUMENT).await?;
    let route = format!("{} {}", head.method, head.uri.path());
    let once = of(&head.headers, &account, &route, &body)?;
    let mut keyed = Keyed { once, begun: None };
    if matches!(again, Again::InCommit | Again::Sealed) {
        // The commit decides; this tells who comes later before anything of the body is read.
        if again == Again::InCommit
            && let Some(once) = &keyed.once
            && let Some(before) = app.platform().answered_once(once).await?
        {
            return Ok(told(before));
        }
        head.extensions.insert(keyed);
        return Ok(next.run(Request::from_parts(head, Body::from(body))).await);
    }
    let platform = app.platform().clone();
    let claim = keyed.once.clone();
    // What began goes on when its client leaves: its answer is there when the client asks again.
    let work = task::spawn("once", async move {
        let effect = async |begun| {
            keyed.begun = begun;
            head.extensions.insert(keyed);
            answer(next.run(Request::from_parts(head, Body::from(body))).await).await
        };
        platform.once(claim, effect).await
    });
    let lost = || ApiError::internal("a request ended without an answer");
    let answer = work.await.ok().flatten().ok_or_else(lost)??;
    Ok(told(answer))
}

/// A kept answer as it was given.
pub(crate) fn told(answer: Answer) -> Response {
    let mut response = error::document(answer.body);
    *response.status_mut() = StatusCode::from_u16(answer.status).unwrap_or(StatusCode::OK);
    response
}

/// An answer that can be kept.
async fn answer(response: Response) -> Result<Answer, Refusal> {
    if !response.status().is_success() {
        return Err(Refusal::Said(response));
    }
    let status = response.status().as_u16();
    let whole = to_bytes(response.into_body(), MAX_ANSWER).await;
    let text = whole.ok().and_then(|bytes| String::from_utf8(bytes.into()).ok());
    let body = text.ok_or_else(|| ApiError::internal("an answer that can't be kept"))?;
    Ok(Answer { status, body })
}
