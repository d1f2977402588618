//! The rows for signing in elsewhere: identity providers, identities, single sign-on.

use axum::routing::on;
use signalbox_platform::v1::session::SessionObject;
use signalbox_platform::v1::sign_in::{
    Away, BeginAsked, FactorCode, IdentityObject, LinkWish, WayIn, WaysAsked,
};
use signalbox_platform::v1::sso::{
    ConnectionEdit, ConnectionObject, ConnectionWish, SsoObject, TestWish,
};
use signalbox_platform::v1::{Data, Deleted};

use super::super::{Credential, Object, Place, Route, delete, get, patch, post};
use crate::v1::{sign_in, sso};

use Credential::{None, Session};

const IDENTITY: &[(Object, Place)] = &[(Object::Identity, Place::Path("identity_id"))];
const ORGANIZATION: &[(Object, Place)] = &[(Object::Account, Place::Path("organization_id"))];
const CONNECTION: &[(Object, Place)] = &[
    (Object::Account, Place::Path("organization_id")),
    (Object::Connection, Place::Path("connection_id")),
];

pub(super) const ROUTES: &[Route] = &[
    get("/api/v1/session/providers", None, |verb| on(verb, sign_in::providers))
        .asks::<WaysAsked>()
        .gives::<Data<Vec<WayIn>>>(200),
    get("/api/v1/session/begin/{source}", None, |verb| on(verb, sign_in::begin))
        .asks::<BeginAsked>()
        .redirects(),
    get("/api/v1/session/callback/{source}", None, |verb| on(verb, sign_in::callback)).redirects(),
    post("/api/v1/session/sign-in/code", None, |verb| on(verb, sign_in::code))
        .takes::<FactorCode>()
        .gives::<Data<SessionObject>>(201),
    get("/api/v1/session/identities", Session, |verb| on(verb, sign_in::identities))
        .gives::<Data<Vec<IdentityObject>>>(200),
    post("/api/v1/session/identities", Session, |verb| on(verb, sign_in::link))
        .takes::<LinkWish>()
        .gives::<Data<Away>>(200),
    delete("/api/v1/session/identities/{identity_id}", Session, |verb| on(verb, sign_in::unlink))
        .names(IDENTITY)
        .gives::<Deleted>(200),
    get("/api/v1/session/organizations/{organization_id}/sso", Session, |verb| on(verb, sso::one))
        .names(ORGANIZATION)
        .gives::<Data<SsoObject>>(200),
    post("/api/v1/session/organizations/{organization_id}/sso/enable", Session, |verb| {
        on(verb, sso::enable)
    })
    .names(ORGANIZATION)
    .gives::<Data<SsoObject>>(200),
    post("/api/v1/session/organizations/{organization_id}/sso/connections", Session, |verb| {
        on(verb, sso::add)
    })
    .names(ORGANIZATION)
    .takes::<ConnectionWish>()
    .gives::<Data<ConnectionObject>>(201),
    patch(
        "/api/v1/session/organizations/{organization_id}/sso/connections/{connection_id}",
        Session,
        |verb| on(verb, sso::change),
    )
    .names(CONNECTION)
    .takes::<ConnectionEdit>()
    .gives::<Data<ConnectionObject>>(200),
    delete(
        "/api/v1/session/organizations/{organization_id}/sso/connections/{connection_id}",
        Session,
        |verb| on(verb, sso::delete),
    )
    .names(CONNECTION)
    .gives::<Deleted>(200),
    post(
        "/api/v1/session/organizations/{organization_id}/sso/connections/{connection_id}/verify",
        Session,
        |verb| on(verb, sso::verify),
    )
    .names(CONNECTION)
    .gives::<Data<ConnectionObject>>(200),
    post(
        "/api/v1/session/organizations/{organization_id}/sso/connections/{connection_id}/test",
        Session,
        |verb| on(verb, sso::test),
    )
    .names(CONNECTION)
    .takes::<TestWish>()
    .gives::<Data<Away>>(200),
];
