//! `/api/v1/session/organizations/{organization_id}/sso`: single sign-on, for admins of organizations whose
//! plan has it.

use axum::extract::{Path, State};
use axum::response::Response;
use http::StatusCode;
use signalbox_core::id::AccountId;
use signalbox_platform::v1::Deleted;
use signalbox_platform::v1::sso::{ConnectionEdit, ConnectionWish, TestWish};

use crate::app::App;
use crate::manage::{Wish, changed, found};
use crate::session::{Cookie, SignedIn, Visitor};
use crate::v1::sign_in::away;

/// `GET …/sso`.
pub(crate) async fn one(
    State(app): State<App>,
    SignedIn(person): SignedIn,
    Path(id): Path<AccountId>,
) -> Response {
    found(&app, app.people().sso(&person, &id)).await
}

/// `POST …/sso/enable`: there is no way back.
pub(crate) async fn enable(
    State(app): State<App>,
    SignedIn(person): SignedIn,
    Path(id): Path<AccountId>,
) -> Response {
    found(&app, app.people().enable_sso(&person, &id)).await
}

/// `POST …/sso/connections`.
pub(crate) async fn add(
    State(app): State<App>,
    SignedIn(person): SignedIn,
    Path(id): Path<AccountId>,
    Wish(wish): Wish<ConnectionWish>,
) -> Response {
    let work = app.people().add_connection(&person, &id, wish);
    changed(&app, &person.by(&id), StatusCode::CREATED, work).await
}

/// `POST …/sso/connections/{connection_id}/verify`.
pub(crate) async fn verify(
    State(app): State<App>,
    SignedIn(person): SignedIn,
    Path((id, connection)): Path<(AccountId, String)>,
) -> Response {
    found(&app, app.people().verify_connection(&person, &id, &connection)).await
}

/// `PATCH …/sso/connections/{connection_id}`.
pub(crate) async fn change(
    State(app): State<App>,
    SignedIn(person): SignedIn,
    Path((id, connection)): Path<(AccountId, String)>,
    Wish(edit): Wish<ConnectionEdit>,
) -> Response {
    found(&app, app.people().change_connection(&person, &id, &connection, edit)).await
}

/// `POST …/sso/connections/{connection_id}/test`: where the browser has to go.
pub(crate) async fn test(
    State(app): State<App>,
    visitor: Visitor,
    SignedIn(person): SignedIn,
    Path((id, connection)): Path<(AccountId, String)>,
    Wish(wish): Wish<TestWish>,
) -> Response {
    let kept = Cookie::Journey.read(&app, &visitor.headers);
    let what = (connection.as_str(), wish);
    away(&app, app.people().test_connection(&visitor.visit, kept, &person, &id, what)).await
}

/// `DELETE …/sso/connections/{connection_id}`.
pub(crate) async fn delete(
    State(app): State<App>,
    SignedIn(person): SignedIn,
    Path((id, connection)): Path<(AccountId, String)>,
) -> Response {
    let work = async {
        app.people().delete_connection(&person, &id, &connection).await.map(|()| Deleted::TRUE)
    };
    found(&app, work).await
}
