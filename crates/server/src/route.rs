//! The register of routes: one row each, from which the router is built and tests are generated.
//!
//! **Invariant:** there is no route without a row: `router.rs` adds the rows and nothing else, and the
//! house rules let nobody else add one.

use axum::middleware::from_fn_with_state;
use axum::routing::{MethodFilter, MethodRouter};
use schemars::JsonSchema;

use crate::admission::admit;
use crate::app::App;
use crate::once;

mod shape;
mod table;

pub use shape::{Answer, Form, Shape};

/// The method of a route.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[expect(missing_docs, reason = "each variant is the method's name")]
pub enum Verb {
    Get,
    Post,
    Put,
    Patch,
    Delete,
}

impl Verb {
    /// The method as a request has it.
    #[must_use]
    pub const fn method(self) -> http::Method {
        match self {
            Self::Get => http::Method::GET,
            Self::Post => http::Method::POST,
            Self::Put => http::Method::PUT,
            Self::Patch => http::Method::PATCH,
            Self::Delete => http::Method::DELETE,
        }
    }

    const fn filter(self) -> MethodFilter {
        match self {
            Self::Get => MethodFilter::GET,
            Self::Post => MethodFilter::POST,
            Self::Put => MethodFilter::PUT,
            Self::Patch => MethodFilter::PATCH,
            Self::Delete => MethodFilter::DELETE,
        }
    }
}

/// What a caller has to show (platform spec 0.4).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Credential {
    /// Nothing, and what is shown is not looked at.
    None,
    /// Nothing; a key that is sent has to be a good one and shows more.
    Optional,
    /// A key of either kind.
    Any,
    /// An API key; a management key is refused.
    Inference,
    /// An API key or a session; a management key is refused.
    InferenceOrSession,
    /// A management key or a session; an API key is refused.
    Management,
    /// The session of a person in a browser.
    Session,
    /// A signature over the body.
    Signature,
    /// The token of a directory that provisions an organization.
    Directory,
}

/// What the session of a member who is no admin may do with a route that acts in the account of the
/// session (platform spec 1.3). Owners of their own account and admins may everything.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Members {
    /// Nothing: 403, whatever is named.
    Nothing,
    /// The same as an admin with what is theirs: keys that they made, workspaces that they belong to
    /// and what hangs on them. Anything else is not there.
    Own,
    /// The same as an admin.
    Everything,
}

/// A kind of thing that belongs to a tenant and has an id.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[expect(missing_docs, reason = "each variant is the thing's name")]
pub enum Object {
    Account,
    Connection,
    Generation,
    Guardrail,
    Identity,
    Invitation,
    Key,
    ManagementKey,
    Payment,
    ProviderKey,
    Preset,
    Phrase,
    ScimGroup,
    ScimMapping,
    ScimToken,
    ScimUser,
    Session,
    TaxId,
    User,
    Workspace,
}

/// Where a request names a thing, and by which name.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Place {
    /// A parameter of the path, without braces.
    Path(&'static str),
    /// A parameter of the query.
    Query(&'static str),
    /// A member of the body, with dots into members of members.
    Body(&'static str),
}

/// What becomes of a request with an `Idempotency-Key` that is sent again.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Again {
    /// It is another request: the key means nothing here.
    Another,
    /// It has one effect; the handler keeps its answer in the commit of that effect.
    InCommit,
    /// The same for an answer that shows a secret: it is kept sealed, for whoever holds the credential
    /// that it was given to.
    Sealed,
    /// It has one effect, which lies outside of the database: the answer is kept after it.
    Outside,
    /// The same for an answer of a provider, when a second header asks for it.
    OnRequest,
}

/// Answers one route: told the method, it gives the handler for it.
type Door = fn(MethodFilter) -> MethodRouter<App>;

/// One route.
#[derive(Debug, Clone, Copy)]
pub struct Route {
    /// The method.
    pub verb: Verb,
    /// The path, with its parameters in braces.
    pub path: &'static str,
    /// Who may call it.
    pub credential: Credential,
    /// What a session of a member may do with it, where a session is one of several credentials.
    pub members: Members,
    /// The ids of tenants' things that a request names. Another tenant's is not there.
    pub objects: &'static [(Object, Place)],
    /// Whether a balance may be another afterwards, at once or by what begins here.
    pub moves_money: bool,
    /// Whether a request may reach a provider: such a route holds money first.
    pub reaches_provider: bool,
    /// What an `Idempotency-Key` does.
    pub again: Again,
    /// How requests and answers look, where the public reference does not say it.
    pub shape: Shape,
    /// Whether it is part of the API. The others are pages for people, and what pages load.
    pub is_api: bool,
    door: Door,
}

impl Route {
    const fn new(verb: Verb, path: &'static str, credential: Credential, door: Door) -> Self {
        let (moves_money, reaches_provider, again) = (false, false, Again::Another);
        let (objects, shape, is_api): (&[_], _, _) = (&[], Shape::NONE, true);
        Self {
            verb,
            path,
            credential,
            members: Members::Nothing,
            objects,
            moves_money,
            reaches_provider,
            again,
            shape,
            is_api,
            door,
        }
    }

    /// The same route, whose requests name things of tenants.
    const fn names(self, objects: &'static [(Object, Place)]) -> Self {
        Self { objects, ..self }
    }

    /// The same route, which members may use as far as this.
    const fn members(self, members: Members) -> Self {
        Self { members, ..self }
    }

    /// The same route, which is not part of the API.
    const fn for_people(self) -> Self {
        Self { is_api: false, ..self }
    }

    /// The same route, which may change a balance.
    const fn moves_money(self) -> Self {
        Self { moves_money: true, ..self }
    }

    /// The same route, whose requests go to providers and are paid.
    const fn reaches_provider(self) -> Self {
        let again = Again::OnRequest;
        Self { moves_money: true, reaches_provider: true, again, ..self }
    }

    /// The same route, where a request with an `Idempotency-Key` is answered once.
    const fn once(self, again: Again) -> Self {
        Self { again, ..self }
    }

    /// The same route, another name for this one of the public reference.
    const fn like(self, path: &'static str) -> Self {
        Self { shape: Shape { like: Some(path), ..self.shape }, ..self }
    }

    /// The same route, whose query has such members.
    const fn asks<T: JsonSchema>(self) -> Self {
        Self { shape: Shape { query: Some(shape::form::<T>), ..self.shape }, ..self }
    }

    /// The same route, which takes such a body.
    const fn takes<T: JsonSchema>(self) -> Self {
        Self { shape: Shape { body: Some(shape::form::<T>), ..self.shape }, ..self }
    }

    /// The same route, which answers so when all is well.
    const fn gives<T: JsonSchema>(self, status: u16) -> Self {
        let answer = Some((status, Answer::Json(shape::form::<T>)));
        Self { shape: Shape { answer, ..self.shape }, ..self }
    }

    /// The same route, which answers 200 with what is no JSON.
    const fn gives_bytes(self, media_type: &'static str) -> Self {
        let answer = Some((200, Answer::Bytes(media_type)));
        Self { shape: Shape { answer, ..self.shape }, ..self }
    }

    /// The same route, which sends a browser somewhere else.
    const fn redirects(self) -> Self {
        let answer = Some((303, Answer::Elsewhere));
        Self { shape: Shape { answer, ..self.shape }, ..self }
    }

    /// The same route, which answers 204 when all is well.
    const fn gives_nothing(self) -> Self {
        let answer = Some((204, Answer::Nothing));
        Self { shape: Shape { answer, ..self.shape }, ..self }
    }

    pub(crate) fn handler(&self, app: &App) -> MethodRouter<App> {
        let handler = (self.door)(self.verb.filter());
        let handler = match self.again {
            Again::Another | Again::OnRequest => handler,
            Again::InCommit | Again::Sealed | Again::Outside => {
                handler.layer(from_fn_with_state((app.clone(), self.again), once::keep))
            }
        };
        match self.credential {
            Credential::Management | Credential::InferenceOrSession => {
                let rights = (app.clone(), self.credential, self.members);
                handler.route_layer(from_fn_with_state(rights, admit))
            }
            Credential::None
            | Credential::Optional
            | Credential::Any
            | Credential::Inference
            | Credential::Session
            | Credential::Signature
            | Credential::Directory => handler,
        }
    }
}

const fn get(path: &'static str, credential: Credential, door: Door) -> Route {
    Route::new(Verb::Get, path, credential, door)
}

const fn post(path: &'static str, credential: Credential, door: Door) -> Route {
    Route::new(Verb::Post, path, credential, door)
}

const fn put(path: &'static str, credential: Credential, door: Door) -> Route {
    Route::new(Verb::Put, path, credential, door)
}

const fn patch(path: &'static str, credential: Credential, door: Door) -> Route {
    Route::new(Verb::Patch, path, credential, door)
}

const fn delete(path: &'static str, credential: Credential, door: Door) -> Route {
    Route::new(Verb::Delete, path, credential, door)
}

/// Every route of the server.
pub fn routes() -> impl Iterator<Item = &'static Route> {
    table::TABLES.iter().copied().flatten()
}

#[cfg(test)]
mod tests;
