//! The register of routes: one row each, from which the router is built and tests are generated.
//!
//! **Invariant:** there is no route without a row: `router.rs` adds the rows and nothing else, and the
//! house rules let nobody else add one.

use axum::routing::{MethodFilter, MethodRouter};

use crate::app::App;

mod table;

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
    /// A management key; an API key is refused.
    Management,
    /// The session of a person in a browser.
    Session,
    /// A session or a management key; an API key is refused.
    SessionOrManagement,
    /// A signature over the body.
    Signature,
}

/// A kind of thing that belongs to a tenant and has an id.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[expect(missing_docs, reason = "each variant is the thing's name")]
pub enum Object {
    Account,
    Generation,
    Invitation,
    Key,
    Payment,
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
    /// The ids of tenants' things that a request names. Another tenant's is not there.
    pub objects: &'static [(Object, Place)],
    /// Whether a balance may be another afterwards, at once or by what begins here.
    pub moves_money: bool,
    /// Whether a request may reach a provider: such a route holds money first.
    pub reaches_provider: bool,
    door: Door,
}

impl Route {
    const fn new(verb: Verb, path: &'static str, credential: Credential, door: Door) -> Self {
        let (moves_money, reaches_provider) = (false, false);
        Self { verb, path, credential, objects: &[], moves_money, reaches_provider, door }
    }

    /// The same route, whose requests name things of tenants.
    const fn names(self, objects: &'static [(Object, Place)]) -> Self {
        Self { objects, ..self }
    }

    /// The same route, which may change a balance.
    const fn moves_money(self) -> Self {
        Self { moves_money: true, ..self }
    }

    /// The same route, whose requests go to providers and are paid.
    const fn reaches_provider(self) -> Self {
        Self { moves_money: true, reaches_provider: true, ..self }
    }

    pub(crate) fn handler(&self) -> MethodRouter<App> {
        (self.door)(self.verb.filter())
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
