//! Phrases that are never taken for an injection: ours.

use axum::routing::on;

use super::super::{Object, Place, Route, delete, get, patch, post};
use crate::route::Credential::Management;
use crate::v1::allowlist;

const PHRASE: &[(Object, Place)] = &[(Object::Phrase, Place::Path("id"))];

/// The rows.
pub(super) const ROUTES: &[Route] = &[
    get("/api/v1/privacy/allowlist", Management, |verb| on(verb, allowlist::list)),
    post("/api/v1/privacy/allowlist", Management, |verb| on(verb, allowlist::add)),
    patch("/api/v1/privacy/allowlist/{id}", Management, |verb| on(verb, allowlist::update))
        .names(PHRASE),
    delete("/api/v1/privacy/allowlist/{id}", Management, |verb| on(verb, allowlist::delete))
        .names(PHRASE),
];
