//! Who may use a route that acts in an account: whoever holds a key of the right kind, and whoever is
//! signed in, in the account that the session acts for, as far as the route's row lets members
//! (platform spec 0.4, 1.3).

use std::sync::Arc;

use axum::extract::{FromRequestParts, Request, State};
use axum::middleware::Next;
use axum::response::Response;
use http::request::Parts;
use http::{HeaderMap, Method, header};
use signalbox_core::{ApiError, ErrorKind};
use signalbox_gateway::Principal;
use signalbox_platform::people::Person;
use signalbox_platform::{Actor, By, Reach};

use crate::app::App;
use crate::manage::Peer;
use crate::route::{Credential, Members};
use crate::{credential, error, session};

/// Who was let in.
#[derive(Debug, Clone)]
pub(crate) enum Admitted {
    /// Whoever holds this key, and in whose name that is done.
    Key(Arc<Principal>, By),
    /// Somebody who is signed in.
    Person(Arc<Person>),
}

impl Admitted {
    /// In whose name something is done, to which account.
    pub fn by(&self) -> By {
        match self {
            Self::Key(_, by) => by.clone(),
            Self::Person(person) => person.by(&person.context.account),
        }
    }

    /// How far into the account that goes.
    pub fn reach(&self) -> Reach {
        match self {
            Self::Key(..) => Reach::Whole,
            Self::Person(person) => person.reach(),
        }
    }
}

fn refused() -> ApiError {
    ApiError::new(ErrorKind::PermissionDenied, "Only admins of the organization may")
}

/// Whether a request acts by its cookie: it names no key, which would go first.
fn by_cookie(headers: &HeaderMap) -> bool {
    !credential::is_present(headers) && headers.contains_key(header::COOKIE)
}

/// The secret that a request was let in with.
pub(crate) fn secret<'h>(app: &App, headers: &'h HeaderMap) -> &'h str {
    let found =
        if by_cookie(headers) { session::token(app, headers) } else { credential::key(headers) };
    found.unwrap_or_default()
}

/// Somebody who is signed in and may do that in the account that the session acts for.
async fn person(app: &App, members: Members, parts: &Parts) -> Result<Person, ApiError> {
    let person = session::person(app, parts).await?;
    if person.reach() != Reach::Whole && members == Members::Nothing {
        return Err(refused());
    }
    // Until then it may be somebody else's address, and what is made here would stay.
    if !matches!(parts.method, Method::GET | Method::HEAD) {
        person.proven()?;
    }
    Ok(person)
}

async fn admitted(
    app: &App,
    credential: Credential,
    members: Members,
    parts: &Parts,
) -> Result<Admitted, ApiError> {
    if by_cookie(&parts.headers) {
        let person = person(app, members, parts).await?;
        return Ok(Admitted::Person(Arc::new(person)));
    }
    let principal = match credential {
        Credential::InferenceOrSession => credential::inference(app, &parts.headers).await?,
        _ => credential::management(app, &parts.headers).await?,
    };
    let address = parts.extensions.get::<Peer>().map(|peer| peer.0.to_string());
    let actor = Actor::Key(principal.key.hash.clone());
    let by = By { account: principal.key.account.clone(), actor, address };
    Ok(Admitted::Key(principal, by))
}

/// Lets a request in as the row of its route says, before anything of its body is read.
pub(crate) async fn admit(
    State((app, credential, members)): State<(App, Credential, Members)>,
    request: Request,
    next: Next,
) -> Response {
    let (mut parts, body) = request.into_parts();
    match admitted(&app, credential, members, &parts).await {
        Ok(who) => {
            parts.extensions.insert(who);
            next.run(Request::from_parts(parts, body)).await
        }
        Err(problem) => error::error(&app, problem),
    }
}

impl FromRequestParts<App> for Admitted {
    type Rejection = Response;

    async fn from_request_parts(parts: &mut Parts, app: &App) -> Result<Self, Response> {
        let found = parts.extensions.get::<Self>().cloned();
        found.ok_or_else(|| error::error(app, ApiError::internal("nobody was let in here")))
    }
}

/// Whoever may do everything in the account: members of organizations never get here, whatever the row
/// of the route says.
pub(crate) struct Manager(pub By);

impl FromRequestParts<App> for Manager {
    type Rejection = Response;

    async fn from_request_parts(parts: &mut Parts, app: &App) -> Result<Self, Response> {
        let who = Admitted::from_request_parts(parts, app).await?;
        match who.reach() {
            Reach::Whole => Ok(Self(who.by())),
            Reach::Own(_) => Err(error::error(app, refused())),
        }
    }
}

/// Whoever is signed in and may do everything in the account that the session acts for: for what no key
/// opens.
pub(crate) struct Administrator(pub By);

impl FromRequestParts<App> for Administrator {
    type Rejection = Response;

    async fn from_request_parts(parts: &mut Parts, app: &App) -> Result<Self, Response> {
        let person = person(app, Members::Nothing, parts).await;
        let person = person.map_err(|problem| error::error(app, problem))?;
        Ok(Self(person.by(&person.context.account)))
    }
}

/// Whoever was let in, and how far they reach.
pub(crate) struct Within(pub By, pub Reach);

impl FromRequestParts<App> for Within {
    type Rejection = Response;

    async fn from_request_parts(parts: &mut Parts, app: &App) -> Result<Self, Response> {
        let who = Admitted::from_request_parts(parts, app).await?;
        Ok(Self(who.by(), who.reach()))
    }
}
