//! `/api/v1/session`: people sign up, sign in, and look after their sessions.

use axum::extract::{Path, State};
use axum::response::{IntoResponse as _, Response};
use http::{HeaderValue, StatusCode, header};
use signalbox_core::ApiError;
use signalbox_platform::PlatformError;
use signalbox_platform::people::Opened;
use signalbox_platform::v1::session::{
    ChangePassword, Confirmation, Done, ForgotPassword, MailedToken, OfferFactor, RemoveFactor,
    ResetPassword, SessionObject, SessionRow, SignInWish, SignUpWish, SwitchContext,
};
use signalbox_platform::v1::{Data, Deleted};

use crate::app::App;
use crate::error;
use crate::manage::{Wish, found};
use crate::session::{SignedIn, Visitor, from_us, set, token};

pub(crate) fn private(mut response: Response) -> Response {
    let nobody = HeaderValue::from_static("private, no-store");
    response.headers_mut().insert(header::CACHE_CONTROL, nobody);
    response
}

fn with_status(status: StatusCode, response: Response) -> Response {
    if response.status().is_success() { (status, response).into_response() } else { response }
}

/// The answer to whoever has a new session, with its cookie.
pub(crate) fn opened(
    app: &App,
    status: StatusCode,
    result: Result<Opened, PlatformError>,
) -> Response {
    let opened = match result {
        Ok(opened) => opened,
        Err(problem) => return private(error::error(app, problem.into())),
    };
    let data = Data { data: SessionObject::from(&opened.person) };
    let text = serde_json::to_vec(&data).map_err(|e| ApiError::internal(e.to_string()));
    let mut response = with_status(status, error::json(app, text));
    set(app, Some(opened.token.expose()), &mut response);
    private(response)
}

async fn done(app: &App, work: impl Future<Output = Result<(), PlatformError>>) -> Response {
    private(found(app, async { work.await.map(|()| Done::TRUE) }).await)
}

/// `POST /api/v1/session/sign-up`: the answer is the same for every address.
pub(crate) async fn sign_up(
    State(app): State<App>,
    visitor: Visitor,
    Wish(wish): Wish<SignUpWish>,
) -> Response {
    if let Err(problem) = from_us(&app, &visitor.headers) {
        return error::error(&app, problem);
    }
    with_status(StatusCode::ACCEPTED, done(&app, app.people().sign_up(&visitor.visit, wish)).await)
}

/// `POST /api/v1/session/sign-in`: a cookie.
pub(crate) async fn sign_in(
    State(app): State<App>,
    visitor: Visitor,
    Wish(wish): Wish<SignInWish>,
) -> Response {
    if let Err(problem) = from_us(&app, &visitor.headers) {
        return error::error(&app, problem);
    }
    let old = token(&app, &visitor.headers);
    let result = app.people().sign_in(&visitor.visit, old, wish).await;
    opened(&app, StatusCode::CREATED, result)
}

/// `GET /api/v1/session`: who is signed in.
pub(crate) async fn one(State(app): State<App>, SignedIn(person): SignedIn) -> Response {
    private(
        found(&app, async { Ok::<_, PlatformError>(Data { data: SessionObject::from(&person) }) })
            .await,
    )
}

/// `DELETE /api/v1/session`: sign out.
pub(crate) async fn sign_out(State(app): State<App>, SignedIn(person): SignedIn) -> Response {
    let work = async {
        app.people().end_session(&person, &person.session.id).await.map(|()| Deleted::TRUE)
    };
    let mut response = found(&app, work).await;
    set(&app, None, &mut response);
    private(response)
}

/// `GET /api/v1/session/sessions`.
pub(crate) async fn list(State(app): State<App>, SignedIn(person): SignedIn) -> Response {
    let work = async {
        let sessions = app.people().sessions(&person.user.id).await?;
        let row = |one| SessionRow::of(one, &person.session.id);
        Ok::<_, PlatformError>(Data { data: sessions.into_iter().map(row).collect::<Vec<_>>() })
    };
    private(found(&app, work).await)
}

/// `DELETE /api/v1/session/sessions`: all but the present one.
pub(crate) async fn end_others(State(app): State<App>, SignedIn(person): SignedIn) -> Response {
    let work = async { app.people().end_other_sessions(&person).await.map(|()| Deleted::TRUE) };
    private(found(&app, work).await)
}

/// `DELETE /api/v1/session/sessions/{session_id}`.
pub(crate) async fn end(
    State(app): State<App>,
    SignedIn(person): SignedIn,
    Path(id): Path<String>,
) -> Response {
    let work = async { app.people().end_session(&person, &id).await.map(|()| Deleted::TRUE) };
    private(found(&app, work).await)
}

/// `PUT /api/v1/session/context`: for which account the session acts.
pub(crate) async fn switch(
    State(app): State<App>,
    SignedIn(person): SignedIn,
    Wish(wish): Wish<SwitchContext>,
) -> Response {
    let work = async {
        let person = app.people().switch(&person, &wish.account_id).await?;
        Ok::<_, PlatformError>(Data { data: SessionObject::from(&person) })
    };
    private(found(&app, work).await)
}

/// `POST /api/v1/session/email/verify`.
pub(crate) async fn verify_email(
    State(app): State<App>,
    SignedIn(person): SignedIn,
    Wish(wish): Wish<MailedToken>,
) -> Response {
    done(&app, app.people().verify_email(&person, &wish.token)).await
}

/// `POST /api/v1/session/email/send`: the link again.
pub(crate) async fn send_verification(
    State(app): State<App>,
    SignedIn(person): SignedIn,
) -> Response {
    done(&app, app.people().send_verification(&person.user)).await
}

/// `POST /api/v1/session/password`.
pub(crate) async fn change_password(
    State(app): State<App>,
    visitor: Visitor,
    SignedIn(person): SignedIn,
    Wish(wish): Wish<ChangePassword>,
) -> Response {
    let result = app.people().change_password(&visitor.visit, &person, wish).await;
    opened(&app, StatusCode::OK, result)
}

/// `POST /api/v1/session/password/forgot`: the answer is the same for every address.
pub(crate) async fn forgot_password(
    State(app): State<App>,
    visitor: Visitor,
    Wish(wish): Wish<ForgotPassword>,
) -> Response {
    if let Err(problem) = from_us(&app, &visitor.headers) {
        return error::error(&app, problem);
    }
    let work = app.people().forgot_password(&visitor.visit, &wish.email);
    with_status(StatusCode::ACCEPTED, done(&app, work).await)
}

/// `POST /api/v1/session/password/reset`.
pub(crate) async fn reset_password(
    State(app): State<App>,
    visitor: Visitor,
    Wish(wish): Wish<ResetPassword>,
) -> Response {
    if let Err(problem) = from_us(&app, &visitor.headers) {
        return error::error(&app, problem);
    }
    done(&app, app.people().reset_password(&visitor.visit, wish)).await
}

/// `POST /api/v1/session/second-factor`: a secret for a telephone.
pub(crate) async fn offer_factor(
    State(app): State<App>,
    SignedIn(person): SignedIn,
    Wish(wish): Wish<OfferFactor>,
) -> Response {
    let work = async {
        let data = app.people().offer_factor(&person, wish.password).await?;
        Ok::<_, PlatformError>(Data { data })
    };
    private(found(&app, work).await)
}

/// `POST /api/v1/session/second-factor/confirm`: recovery codes.
pub(crate) async fn confirm_factor(
    State(app): State<App>,
    SignedIn(person): SignedIn,
    Wish(wish): Wish<Confirmation>,
) -> Response {
    let work = async {
        Ok::<_, PlatformError>(Data { data: app.people().confirm_factor(&person, wish).await? })
    };
    private(found(&app, work).await)
}

/// `POST /api/v1/session/second-factor/remove`.
pub(crate) async fn remove_factor(
    State(app): State<App>,
    SignedIn(person): SignedIn,
    Wish(wish): Wish<RemoveFactor>,
) -> Response {
    done(&app, app.people().remove_factor(&person, wish)).await
}
