//! Phrases that are never taken for an injection: ours.

use axum::routing::on;
use signalbox_platform::v1::allowlist::{PhraseObject, PhraseWish};
use signalbox_platform::v1::{Data, Deleted, Listed, Page};

use super::super::{Object, Place, Route, delete, get, patch, post};
use crate::route::Credential::Management;
use crate::v1::allowlist;

const PHRASE: &[(Object, Place)] = &[(Object::Phrase, Place::Path("id"))];

/// The rows.
pub(super) const ROUTES: &[Route] = &[
    get("/api/v1/privacy/allowlist", Management, |verb| on(verb, allowlist::list))
        .asks::<Page>()
        .gives::<Listed<PhraseObject>>(200),
    post("/api/v1/privacy/allowlist", Management, |verb| on(verb, allowlist::add))
        .takes::<PhraseWish>()
        .gives::<Data<PhraseObject>>(201),
    patch("/api/v1/privacy/allowlist/{id}", Management, |verb| on(verb, allowlist::update))
        .names(PHRASE)
        .takes::<PhraseWish>()
        .gives::<Data<PhraseObject>>(200),
    delete("/api/v1/privacy/allowlist/{id}", Management, |verb| on(verb, allowlist::delete))
        .names(PHRASE)
        .gives::<Deleted>(200),
];
