//! The rows for people: sessions, organizations, and keys for apps.

use axum::routing::on;
use signalbox_platform::oauth::{CodeWish, ConsentObject};
use signalbox_platform::v1::organization::{
    InvitationObject, InviteWish, MemberObject, MemberWish, OrganizationObject, OrganizationWish,
};
use signalbox_platform::v1::session::{
    ChangePassword, Confirmation, ContextObject, Done, FactorOffer, ForgotPassword, MailedToken,
    OfferFactor, RecoveryCodes, RemoveFactor, ResetPassword, SessionObject, SessionRow, SignInWish,
    SignUpWish, SwitchContext,
};
use signalbox_platform::v1::{Data, Deleted};

use super::super::{Credential, Members, Object, Place, Route, delete, get, patch, post, put};
use crate::v1::{auth, organizations, session};

use Credential::{Management, None, Session};
use Members::Own;

const SESSION: &[(Object, Place)] = &[(Object::Session, Place::Path("session_id"))];
const ORGANIZATION: &[(Object, Place)] = &[(Object::Account, Place::Path("organization_id"))];
const MEMBER: &[(Object, Place)] =
    &[(Object::Account, Place::Path("organization_id")), (Object::User, Place::Path("user_id"))];
const INVITATION: &[(Object, Place)] = &[
    (Object::Account, Place::Path("organization_id")),
    (Object::Invitation, Place::Path("invitation_id")),
];

pub(super) const ROUTES: &[Route] = &[
    post("/api/v1/session/sign-up", None, |verb| on(verb, session::sign_up))
        .takes::<SignUpWish>()
        .gives::<Done>(202),
    post("/api/v1/session/sign-in", None, |verb| on(verb, session::sign_in))
        .takes::<SignInWish>()
        .gives::<Data<SessionObject>>(201),
    get("/api/v1/session", Session, |verb| on(verb, session::one))
        .gives::<Data<SessionObject>>(200),
    delete("/api/v1/session", Session, |verb| on(verb, session::sign_out)).gives::<Deleted>(200),
    get("/api/v1/session/sessions", Session, |verb| on(verb, session::list))
        .gives::<Data<Vec<SessionRow>>>(200),
    delete("/api/v1/session/sessions", Session, |verb| on(verb, session::end_others))
        .gives::<Deleted>(200),
    delete("/api/v1/session/sessions/{session_id}", Session, |verb| on(verb, session::end))
        .names(SESSION)
        .gives::<Deleted>(200),
    put("/api/v1/session/context", Session, |verb| on(verb, session::switch))
        .names(&[(Object::Account, Place::Body("account_id"))])
        .takes::<SwitchContext>()
        .gives::<Data<SessionObject>>(200),
    post("/api/v1/session/email/verify", Session, |verb| on(verb, session::verify_email))
        .takes::<MailedToken>()
        .gives::<Done>(200),
    post("/api/v1/session/email/send", Session, |verb| on(verb, session::send_verification))
        .gives::<Done>(200),
    post("/api/v1/session/password", Session, |verb| on(verb, session::change_password))
        .takes::<ChangePassword>()
        .gives::<Data<SessionObject>>(200),
    post("/api/v1/session/password/forgot", None, |verb| on(verb, session::forgot_password))
        .takes::<ForgotPassword>()
        .gives::<Done>(202),
    post("/api/v1/session/password/reset", None, |verb| on(verb, session::reset_password))
        .takes::<ResetPassword>()
        .gives::<Done>(200),
    post("/api/v1/session/second-factor", Session, |verb| on(verb, session::offer_factor))
        .takes::<OfferFactor>()
        .gives::<Data<FactorOffer>>(200),
    post("/api/v1/session/second-factor/confirm", Session, |verb| {
        on(verb, session::confirm_factor)
    })
    .takes::<Confirmation>()
    .gives::<Data<RecoveryCodes>>(200),
    post("/api/v1/session/second-factor/remove", Session, |verb| on(verb, session::remove_factor))
        .takes::<RemoveFactor>()
        .gives::<Done>(200),
    get("/api/v1/session/organizations", Session, |verb| on(verb, organizations::list))
        .gives::<Data<Vec<ContextObject>>>(200),
    post("/api/v1/session/organizations", Session, |verb| on(verb, organizations::create))
        .takes::<OrganizationWish>()
        .gives::<Data<OrganizationObject>>(201),
    get("/api/v1/session/organizations/{organization_id}/members", Session, |verb| {
        on(verb, organizations::members)
    })
    .names(ORGANIZATION)
    .gives::<Data<Vec<MemberObject>>>(200),
    patch("/api/v1/session/organizations/{organization_id}/members/{user_id}", Session, |verb| {
        on(verb, organizations::change_member)
    })
    .names(MEMBER)
    .takes::<MemberWish>()
    .gives::<Data<MemberObject>>(200),
    delete("/api/v1/session/organizations/{organization_id}/members/{user_id}", Session, |verb| {
        on(verb, organizations::remove_member)
    })
    .names(MEMBER)
    .gives::<Deleted>(200),
    get("/api/v1/session/organizations/{organization_id}/invitations", Session, |verb| {
        on(verb, organizations::invitations)
    })
    .names(ORGANIZATION)
    .gives::<Data<Vec<InvitationObject>>>(200),
    post("/api/v1/session/organizations/{organization_id}/invitations", Session, |verb| {
        on(verb, organizations::invite)
    })
    .names(ORGANIZATION)
    .takes::<InviteWish>()
    .gives::<Data<InvitationObject>>(201),
    delete(
        "/api/v1/session/organizations/{organization_id}/invitations/{invitation_id}",
        Session,
        |verb| on(verb, organizations::revoke),
    )
    .names(INVITATION)
    .gives::<Deleted>(200),
    post("/api/v1/session/invitations/accept", Session, |verb| on(verb, organizations::accept))
        .takes::<MailedToken>()
        .gives::<Data<OrganizationObject>>(200),
    get("/api/v1/organization/members", Management, |verb| on(verb, organizations::page)),
    post("/api/v1/session/consent", Session, |verb| on(verb, auth::requested))
        .names(&[(Object::Workspace, Place::Body("workspace_id"))])
        .takes::<CodeWish>()
        .gives::<Data<ConsentObject>>(200),
    post("/api/v1/auth/keys/code", Management, |verb| on(verb, auth::code))
        .members(Own)
        .names(&[(Object::Workspace, Place::Body("workspace_id"))]),
    post("/api/v1/auth/keys", None, |verb| on(verb, auth::exchange)),
];
