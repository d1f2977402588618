//! The rows for people: sessions, organizations, and keys for apps.

use axum::routing::on;

use super::super::{Credential, Object, Place, Route, delete, get, patch, post, put};
use crate::v1::{auth, organizations, session};

use Credential::{Management, None, Session, SessionOrManagement};

const SESSION: &[(Object, Place)] = &[(Object::Session, Place::Path("session_id"))];
const ORGANIZATION: &[(Object, Place)] = &[(Object::Account, Place::Path("organization_id"))];
const MEMBER: &[(Object, Place)] =
    &[(Object::Account, Place::Path("organization_id")), (Object::User, Place::Path("user_id"))];
const INVITATION: &[(Object, Place)] = &[
    (Object::Account, Place::Path("organization_id")),
    (Object::Invitation, Place::Path("invitation_id")),
];

pub(super) const ROUTES: &[Route] = &[
    post("/api/v1/session/sign-up", None, |verb| on(verb, session::sign_up)),
    post("/api/v1/session/sign-in", None, |verb| on(verb, session::sign_in)),
    get("/api/v1/session", Session, |verb| on(verb, session::one)),
    delete("/api/v1/session", Session, |verb| on(verb, session::sign_out)),
    get("/api/v1/session/sessions", Session, |verb| on(verb, session::list)),
    delete("/api/v1/session/sessions", Session, |verb| on(verb, session::end_others)),
    delete("/api/v1/session/sessions/{session_id}", Session, |verb| on(verb, session::end))
        .names(SESSION),
    put("/api/v1/session/context", Session, |verb| on(verb, session::switch))
        .names(&[(Object::Account, Place::Body("account_id"))]),
    post("/api/v1/session/email/verify", Session, |verb| on(verb, session::verify_email)),
    post("/api/v1/session/email/send", Session, |verb| on(verb, session::send_verification)),
    post("/api/v1/session/password", Session, |verb| on(verb, session::change_password)),
    post("/api/v1/session/password/forgot", None, |verb| on(verb, session::forgot_password)),
    post("/api/v1/session/password/reset", None, |verb| on(verb, session::reset_password)),
    post("/api/v1/session/second-factor", Session, |verb| on(verb, session::offer_factor)),
    post("/api/v1/session/second-factor/confirm", Session, |verb| {
        on(verb, session::confirm_factor)
    }),
    post("/api/v1/session/second-factor/remove", Session, |verb| on(verb, session::remove_factor)),
    get("/api/v1/session/organizations", Session, |verb| on(verb, organizations::list)),
    post("/api/v1/session/organizations", Session, |verb| on(verb, organizations::create)),
    get("/api/v1/session/organizations/{organization_id}/members", Session, |verb| {
        on(verb, organizations::members)
    })
    .names(ORGANIZATION),
    patch("/api/v1/session/organizations/{organization_id}/members/{user_id}", Session, |verb| {
        on(verb, organizations::change_member)
    })
    .names(MEMBER),
    delete("/api/v1/session/organizations/{organization_id}/members/{user_id}", Session, |verb| {
        on(verb, organizations::remove_member)
    })
    .names(MEMBER),
    get("/api/v1/session/organizations/{organization_id}/invitations", Session, |verb| {
        on(verb, organizations::invitations)
    })
    .names(ORGANIZATION),
    post("/api/v1/session/organizations/{organization_id}/invitations", Session, |verb| {
        on(verb, organizations::invite)
    })
    .names(ORGANIZATION),
    delete(
        "/api/v1/session/organizations/{organization_id}/invitations/{invitation_id}",
        Session,
        |verb| on(verb, organizations::revoke),
    )
    .names(INVITATION),
    post("/api/v1/session/invitations/accept", Session, |verb| on(verb, organizations::accept)),
    get("/api/v1/organization/members", Management, |verb| on(verb, organizations::page)),
    post("/api/v1/session/consent", Session, |verb| on(verb, auth::requested))
        .names(&[(Object::Workspace, Place::Body("workspace_id"))]),
    post("/api/v1/auth/keys/code", SessionOrManagement, |verb| on(verb, auth::code))
        .names(&[(Object::Workspace, Place::Body("workspace_id"))]),
    post("/api/v1/auth/keys", None, |verb| on(verb, auth::exchange)),
];
