//! Sessions of browsers: the cookie, and proof that it was a page of ours that sent it.

use std::net::IpAddr;

use axum::extract::FromRequestParts;
use axum::response::Response;
use http::request::Parts;
use http::{HeaderMap, HeaderValue, Method, header};
use signalbox_core::{ApiError, ErrorKind};
use signalbox_platform::People;
use signalbox_platform::people::{Person, Visit};

use crate::app::App;
use crate::error;
use crate::manage::Peer;

/// Characters of a token.
const TOKEN: usize = 64;

/// A cookie of ours. On `https` its name has a prefix that makes browsers refuse it from any other host
/// or path; without it is for development.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Cookie {
    /// Of whoever is signed in.
    Session,
    /// Of whoever is on the way to an identity provider.
    Journey,
}

fn is_secure(app: &App) -> bool {
    app.people().public_url().starts_with("https://")
}

impl Cookie {
    fn name(self, app: &App) -> &'static str {
        match (self, is_secure(app)) {
            (Self::Session, true) => "__Host-signalbox_session",
            (Self::Session, false) => "signalbox_session",
            (Self::Journey, true) => "__Host-signalbox_journey",
            (Self::Journey, false) => "signalbox_journey",
        }
    }

    /// The token in it, if it looks like one.
    pub fn read<'h>(self, app: &App, headers: &'h HeaderMap) -> Option<&'h str> {
        let name = self.name(app);
        let texts = headers.get_all(header::COOKIE).iter().filter_map(|value| value.to_str().ok());
        let pairs = texts.flat_map(|text| text.split(';'));
        let mut values = pairs.filter_map(|pair| {
            let (key, value) = pair.trim().split_once('=')?;
            (key == name).then_some(value)
        });
        let value = values.next()?;
        // Two of the same name: somebody has planted one.
        if values.next().is_some() {
            return None;
        }
        (value.len() == TOKEN && value.bytes().all(|byte| byte.is_ascii_hexdigit()))
            .then_some(value)
    }

    /// Lets the browser keep this token from now on; none makes it forget.
    pub fn set(self, app: &App, token: Option<&str>, response: &mut Response) {
        let (name, secure) = (self.name(app), if is_secure(app) { "; Secure" } else { "" });
        let seconds = match (token, self) {
            (None, _) => 0,
            (Some(_), Self::Session) => People::session_seconds(),
            (Some(_), Self::Journey) => People::journey_seconds(),
        };
        let token = token.unwrap_or_default();
        let cookie =
            format!("{name}={token}; Path=/; Max-Age={seconds}; HttpOnly; SameSite=Lax{secure}");
        if let Ok(mut cookie) = HeaderValue::from_str(&cookie) {
            cookie.set_sensitive(true);
            response.headers_mut().append(header::SET_COOKIE, cookie);
        }
    }
}

/// The token of whoever is signed in.
pub(crate) fn token<'h>(app: &App, headers: &'h HeaderMap) -> Option<&'h str> {
    Cookie::Session.read(app, headers)
}

/// Lets the browser keep this session from now on; none makes it forget.
pub(crate) fn set(app: &App, token: Option<&str>, response: &mut Response) {
    Cookie::Session.set(app, token, response);
}

fn text<'h>(headers: &'h HeaderMap, name: &str) -> Option<&'h str> {
    headers.get(name).map(|value| value.to_str().unwrap_or("?"))
}

/// Scheme, host and port of a URL.
fn origin(url: &str) -> &str {
    let from = url.find("://").map_or(0, |at| at.saturating_add(3));
    let end = url.get(from..).and_then(|rest| rest.find('/'));
    end.and_then(|end| url.get(..from.saturating_add(end))).unwrap_or(url)
}

/// Refuses what a page of another origin sent. A browser says whose page it was in `Origin` or
/// `Sec-Fetch-Site`; a request that says neither is refused too.
///
/// # Errors
/// 403; 415 for a body that is not JSON.
pub(crate) fn from_us(app: &App, headers: &HeaderMap) -> Result<(), ApiError> {
    let ours = origin(app.people().public_url());
    let site = text(headers, "sec-fetch-site");
    let fine = match text(headers, "origin") {
        Some(origin) => {
            origin.eq_ignore_ascii_case(ours) && site.is_none_or(|site| site == "same-origin")
        }
        None => site == Some("same-origin"),
    };
    if fine {
        return in_json(headers);
    }
    let message = format!("This is for pages of {ours} alone (see `public_url`)");
    Err(ApiError::new(ErrorKind::PermissionDenied, message))
}

/// Refuses bodies that a form can send: what acts by cookie is asked for in JSON.
fn in_json(headers: &HeaderMap) -> Result<(), ApiError> {
    let length = text(headers, "content-length");
    let empty = length.is_none_or(|length| length == "0");
    if empty && !headers.contains_key(header::TRANSFER_ENCODING) {
        return Ok(());
    }
    let kind = text(headers, "content-type").and_then(|kind| kind.split(';').next());
    if kind.is_some_and(|kind| kind.trim().eq_ignore_ascii_case("application/json")) {
        return Ok(());
    }
    Err(ApiError::invalid("Content-Type: application/json").with_status(415))
}

/// Where a request comes from.
pub(crate) fn visit(parts: &Parts) -> Visit {
    let address: Option<IpAddr> = parts.extensions.get::<Peer>().map(|peer| peer.0);
    let agent = parts.headers.get(header::USER_AGENT).and_then(|value| value.to_str().ok());
    Visit { address, agent: agent.map(str::to_owned) }
}

/// Who is signed in, with a request that a page of ours sent.
///
/// # Errors
/// 401 without a session; 403 for a change that another page asked for.
pub(crate) async fn person(app: &App, parts: &Parts) -> Result<Person, ApiError> {
    let nobody = || ApiError::new(ErrorKind::Authentication, "No cookie auth credentials found");
    let token = token(app, &parts.headers).ok_or_else(nobody)?;
    let person = app.people().person(token, &visit(parts)).await?;
    if !matches!(parts.method, Method::GET | Method::HEAD) {
        from_us(app, &parts.headers)?;
    }
    Ok(person)
}

/// Whoever is signed in.
pub(crate) struct SignedIn(pub Person);

impl FromRequestParts<App> for SignedIn {
    type Rejection = Response;

    async fn from_request_parts(parts: &mut Parts, app: &App) -> Result<Self, Response> {
        person(app, parts).await.map(Self).map_err(|problem| error::error(app, problem))
    }
}

/// Whoever asks, signed in or not.
pub(crate) struct Visitor {
    /// Where from.
    pub visit: Visit,
    /// The headers.
    pub headers: HeaderMap,
}

impl FromRequestParts<App> for Visitor {
    type Rejection = Response;

    async fn from_request_parts(parts: &mut Parts, _: &App) -> Result<Self, Response> {
        Ok(Self { visit: visit(parts), headers: parts.headers.clone() })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_origin_ends_where_the_path_begins() {
        for (url, expected) in [
            ("https://a.example", "https://a.example"),
            ("https://a.example/gate/", "https://a.example"),
            ("http://127.0.0.1:80", "http://127.0.0.1:80"),
        ] {
            assert_eq!(origin(url), expected);
        }
    }
}
