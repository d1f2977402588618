//! Own provider keys.

use axum::routing::on;
use signalbox_platform::v1::Data;
use signalbox_platform::v1::byok::{ByokObject, ByokOrder, ProbeObject, ProbeWish};

use super::super::{Credential, Object, Place, Route, delete, get, patch, post, put};
use crate::v1::byok;

use Credential::Management;

const BYOK: &[(Object, Place)] = &[(Object::ProviderKey, Place::Path("id"))];

pub(super) const ROUTES: &[Route] = &[
    get("/api/v1/byok", Management, |verb| on(verb, byok::list))
        .names(&[(Object::Workspace, Place::Query("workspace_id"))]),
    post("/api/v1/byok", Management, |verb| on(verb, byok::create)).names(&[
        (Object::Workspace, Place::Body("workspace_id")),
        (Object::Key, Place::Body("allowed_api_key_hashes")),
        (Object::User, Place::Body("allowed_user_ids")),
    ]),
    post("/api/v1/byok/probe", Management, |verb| on(verb, byok::probe))
        .takes::<ProbeWish>()
        .gives::<Data<ProbeObject>>(200),
    put("/api/v1/byok/order", Management, |verb| on(verb, byok::order))
        .names(&[(Object::ProviderKey, Place::Body("ids"))])
        .takes::<ByokOrder>()
        .gives::<Data<Vec<ByokObject>>>(200),
    get("/api/v1/byok/{id}", Management, |verb| on(verb, byok::one)).names(BYOK),
    patch("/api/v1/byok/{id}", Management, |verb| on(verb, byok::update)).names(&[
        (Object::ProviderKey, Place::Path("id")),
        (Object::Key, Place::Body("allowed_api_key_hashes")),
        (Object::User, Place::Body("allowed_user_ids")),
    ]),
    delete("/api/v1/byok/{id}", Management, |verb| on(verb, byok::delete)).names(BYOK),
];
