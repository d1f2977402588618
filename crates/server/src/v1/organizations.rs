//! Organizations: `/api/v1/organization/members` with a management key, and what people do with them
//! who are signed in.

use axum::extract::{Path, State};
use axum::response::Response;
use http::StatusCode;
use signalbox_core::id::{AccountId, UserId};
use signalbox_platform::PlatformError;
use signalbox_platform::v1::organization::{InviteWish, ListMembers, MemberWish, OrganizationWish};
use signalbox_platform::v1::session::{ContextObject, MailedToken};
use signalbox_platform::v1::{Data, Deleted};

use crate::app::App;
use crate::manage::{Asked, Manager, Wish, changed, found};
use crate::session::SignedIn;

/// `GET /api/v1/organization/members?offset&limit`.
pub(crate) async fn page(
    State(app): State<App>,
    Manager(by): Manager,
    Asked(asked): Asked<ListMembers>,
) -> Response {
    found(&app, app.platform().organization_members(&by.account, asked)).await
}

/// `GET /api/v1/session/organizations`: those that the person belongs to.
pub(crate) async fn list(State(app): State<App>, SignedIn(person): SignedIn) -> Response {
    let of = person.contexts.iter().filter(|one| one.organization.is_some());
    let data: Vec<ContextObject> = of.map(ContextObject::from).collect();
    found(&app, async { Ok::<_, PlatformError>(Data { data }) }).await
}

/// `POST /api/v1/session/organizations`.
pub(crate) async fn create(
    State(app): State<App>,
    SignedIn(person): SignedIn,
    Wish(wish): Wish<OrganizationWish>,
) -> Response {
    let by = person.by(&person.context.account);
    let work = app.people().create_organization(&person, wish);
    changed(&app, &by, StatusCode::CREATED, work).await
}

/// `GET /api/v1/session/organizations/{organization_id}/members`.
pub(crate) async fn members(
    State(app): State<App>,
    SignedIn(person): SignedIn,
    Path(id): Path<AccountId>,
) -> Response {
    found(&app, app.people().members(&person, &id)).await
}

/// `PATCH /api/v1/session/organizations/{organization_id}/members/{user_id}`.
pub(crate) async fn change_member(
    State(app): State<App>,
    SignedIn(person): SignedIn,
    Path((id, user)): Path<(AccountId, UserId)>,
    Wish(wish): Wish<MemberWish>,
) -> Response {
    let work = app.people().change_member(&person, &id, user, wish);
    changed(&app, &person.by(&id), StatusCode::OK, work).await
}

/// `DELETE /api/v1/session/organizations/{organization_id}/members/{user_id}`; oneself, to leave.
pub(crate) async fn remove_member(
    State(app): State<App>,
    SignedIn(person): SignedIn,
    Path((id, user)): Path<(AccountId, UserId)>,
) -> Response {
    let work =
        async { app.people().remove_member(&person, &id, user).await.map(|()| Deleted::TRUE) };
    changed(&app, &person.by(&id), StatusCode::OK, work).await
}

/// `GET /api/v1/session/organizations/{organization_id}/invitations`.
pub(crate) async fn invitations(
    State(app): State<App>,
    SignedIn(person): SignedIn,
    Path(id): Path<AccountId>,
) -> Response {
    found(&app, app.people().invitations(&person, &id)).await
}

/// `POST /api/v1/session/organizations/{organization_id}/invitations`: by mail.
pub(crate) async fn invite(
    State(app): State<App>,
    SignedIn(person): SignedIn,
    Path(id): Path<AccountId>,
    Wish(wish): Wish<InviteWish>,
) -> Response {
    let work = app.people().invite(&person, &id, wish);
    changed(&app, &person.by(&id), StatusCode::CREATED, work).await
}

/// `DELETE /api/v1/session/organizations/{organization_id}/invitations/{invitation_id}`.
pub(crate) async fn revoke(
    State(app): State<App>,
    SignedIn(person): SignedIn,
    Path((id, invitation)): Path<(AccountId, String)>,
) -> Response {
    let work = async {
        app.people().revoke_invitation(&person, &id, invitation).await.map(|()| Deleted::TRUE)
    };
    changed(&app, &person.by(&id), StatusCode::OK, work).await
}

/// `POST /api/v1/session/invitations/accept`.
pub(crate) async fn accept(
    State(app): State<App>,
    SignedIn(person): SignedIn,
    Wish(wish): Wish<MailedToken>,
) -> Response {
    let by = person.by(&person.context.account);
    let work = app.people().accept_invitation(&person, &wish.token);
    changed(&app, &by, StatusCode::OK, work).await
}
