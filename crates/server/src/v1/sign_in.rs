//! `/api/v1/session/providers`, `/begin`, `/callback`, `/identities`: signing in elsewhere.

use axum::extract::{Path, State};
use axum::response::{IntoResponse as _, Response};
use http::{HeaderValue, StatusCode, header};
use signalbox_platform::PlatformError;
use signalbox_platform::people::{Brought, Departure, turned_away};
use signalbox_platform::v1::sign_in::{Away, BeginAsked, FactorCode, LinkWish, WaysAsked};
use signalbox_platform::v1::{Data, Deleted};

use crate::app::App;
use crate::error;
use crate::manage::{Asked, Wish, found};
use crate::session::{Cookie, SignedIn, Visitor, from_us, set, token};
use crate::v1::session::{opened, private};

/// Sends a browser to an address; one that can't stand in a header to the beginning.
fn redirect(url: &str) -> Response {
    let home = HeaderValue::from_static("/");
    let to = HeaderValue::from_str(url).unwrap_or(home);
    private((StatusCode::SEE_OTHER, [(header::LOCATION, to)]).into_response())
}

/// The answer to a page that wants to leave, with what the browser keeps.
pub(crate) async fn away(
    app: &App,
    work: impl Future<Output = Result<Departure, PlatformError>>,
) -> Response {
    let mut keeps = None;
    let data = async {
        let departure = work.await?;
        keeps = Some(departure.keeps);
        Ok::<_, PlatformError>(Data { data: Away { url: departure.url } })
    };
    let mut response = found(app, data).await;
    if let Some(keeps) = keeps {
        Cookie::Journey.set(app, Some(keeps.expose()), &mut response);
    }
    private(response)
}

/// `GET /api/v1/session/providers?email`.
pub(crate) async fn providers(State(app): State<App>, Asked(asked): Asked<WaysAsked>) -> Response {
    private(found(&app, app.people().ways_in(asked)).await)
}

/// `GET /api/v1/session/begin/{source}?return_to`: for a browser, which hears of what is wrong on the page
/// for signing in.
pub(crate) async fn begin(
    State(app): State<App>,
    visitor: Visitor,
    Path(source): Path<String>,
    Asked(asked): Asked<BeginAsked>,
) -> Response {
    let kept = Cookie::Journey.read(&app, &visitor.headers);
    let return_to = asked.return_to.as_deref();
    match app.people().depart(&visitor.visit, kept, &source, return_to).await {
        Ok(departure) => {
            let mut response = redirect(&departure.url);
            Cookie::Journey.set(&app, Some(departure.keeps.expose()), &mut response);
            response
        }
        Err(refusal) => {
            let page = turned_away(&refusal, return_to);
            redirect(&format!("{}{page}", app.people().public_url()))
        }
    }
}

/// `GET /api/v1/session/callback/{source}`: a browser comes back.
pub(crate) async fn callback(
    State(app): State<App>,
    visitor: Visitor,
    Path(source): Path<String>,
    Asked(brought): Asked<Brought>,
) -> Response {
    let kept = Cookie::Journey.read(&app, &visitor.headers);
    let session = token(&app, &visitor.headers);
    let landing = app.people().arrive(&visitor.visit, kept, session, &source, brought).await;
    let mut response = redirect(&format!("{}{}", app.people().public_url(), landing.to));
    if let Some(opened) = landing.opened {
        set(&app, Some(opened.token.expose()), &mut response);
    }
    response
}

/// `POST /api/v1/session/sign-in/code`: a cookie, for whoever is back and has a second factor.
pub(crate) async fn code(
    State(app): State<App>,
    visitor: Visitor,
    Wish(wish): Wish<FactorCode>,
) -> Response {
    if let Err(problem) = from_us(&app, &visitor.headers) {
        return error::error(&app, problem);
    }
    let kept = Cookie::Journey.read(&app, &visitor.headers);
    let old = token(&app, &visitor.headers);
    let result = app.people().arrive_with_code(&visitor.visit, kept, old, &wish.code).await;
    opened(&app, StatusCode::CREATED, result)
}

/// `GET /api/v1/session/identities`.
pub(crate) async fn identities(State(app): State<App>, SignedIn(person): SignedIn) -> Response {
    private(found(&app, app.people().identities(&person)).await)
}

/// `POST /api/v1/session/identities`: where the browser has to go to link one.
pub(crate) async fn link(
    State(app): State<App>,
    visitor: Visitor,
    SignedIn(person): SignedIn,
    Wish(wish): Wish<LinkWish>,
) -> Response {
    let kept = Cookie::Journey.read(&app, &visitor.headers);
    away(&app, app.people().depart_to_link(&visitor.visit, kept, &person, wish)).await
}

/// `DELETE /api/v1/session/identities/{identity_id}`.
pub(crate) async fn unlink(
    State(app): State<App>,
    SignedIn(person): SignedIn,
    Path(id): Path<String>,
) -> Response {
    let work = async { app.people().unlink(&person, id).await.map(|()| Deleted::TRUE) };
    private(found(&app, work).await)
}
