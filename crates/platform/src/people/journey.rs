//! Signing in elsewhere: a browser leaves for an identity provider, comes back, and is somebody here.
//!
//! What ties the two ends together is a cookie of 256 random bits: nonce and verifier follow from it and
//! from the state, and only their hashes, and that of the state, are ever stored or sent ahead. A state is
//! good once, for ten minutes, in the browser that it was made for, at the provider that it was made for.

use std::sync::Arc;
use std::time::Duration;

use signalbox_core::Secret;
use signalbox_core::id::UserId;
use signalbox_store::{Errand, SignInRecord, SsoConnection, SsoStatus};
use signalbox_upstream::service::encoded;

use super::oidc::{Idp, Known, Return, Vouched};
use super::refusal::Refusal;
use super::session::{Opened, Person};
use super::{Limit, People, Visit, digest, token};
use crate::PlatformError;
use crate::v1::Data;
use crate::v1::sign_in::{LinkWish, WayIn, WaysAsked};

/// How long a browser may be under way.
const UNDER_WAY: Duration = Duration::from_secs(600);
/// Longest path to come back to, in bytes.
const PATH: usize = 1_024;
/// Longest code, in bytes.
const CODE: usize = 4_096;
/// The page for signing in.
const PAGE: &str = "/sign-in";

/// A browser that leaves.
#[derive(Debug, Clone)]
pub struct Departure {
    /// Where to.
    pub url: String,
    /// What it keeps for ten minutes.
    pub keeps: Secret<String>,
}

/// What a browser brings back in its address.
#[derive(Debug, Clone, Default, serde::Deserialize)]
#[serde(default)]
pub struct Brought {
    code: Option<String>,
    state: Option<String>,
    iss: Option<String>,
    error: Option<String>,
}

/// Where a browser goes that is back.
#[derive(Debug, Clone)]
pub struct Landing {
    /// A path here, with a query.
    pub to: String,
    /// The session that it has from now on, if it has a new one.
    pub opened: Option<Opened>,
}

/// Where somebody is sent to, and for whose organization.
#[derive(Debug, Clone)]
pub(super) struct Door {
    pub idp: Arc<Idp>,
    pub connection: Option<SsoConnection>,
}

impl Door {
    /// Empty for a provider of the operator, else the id of the connection.
    pub fn source(&self) -> &str {
        self.connection.as_ref().map_or("", |one| one.id.as_str())
    }

    /// What people know it as.
    pub fn provider(&self) -> &str {
        let domain = self.connection.as_ref().map(|one| one.domain.as_str());
        domain.unwrap_or(&self.idp.provider().id)
    }
}

/// A path of this installation, and nothing that a browser could take for another host.
fn checked_path(path: Option<&str>) -> Result<String, Refusal> {
    let path = path.unwrap_or("/");
    let plain = path.bytes().all(|byte| byte.is_ascii_graphic() && byte != b'\\');
    let local = path.starts_with('/') && !path.starts_with("//");
    if plain && local && path.len() <= PATH { Ok(path.to_owned()) } else { Err(Refusal::Path) }
}

/// A path with one more member in its query.
fn with(path: &str, name: &str, value: &str) -> String {
    let (path, fragment) = path.split_once('#').map_or((path, None), |(a, b)| (a, Some(b)));
    let mark = if path.contains('?') { '&' } else { '?' };
    let mut whole = format!("{path}{mark}{name}={}", encoded(value));
    if let Some(fragment) = fragment {
        whole.push('#');
        whole.push_str(fragment);
    }
    whole
}

/// The page for signing in with what it is told, and where it goes on to.
fn entrance(name: &str, value: &str, return_to: &str) -> String {
    let page = with(PAGE, name, value);
    if return_to == "/" { page } else { with(&page, "return_to", return_to) }
}

/// The page that hears why a browser could not leave.
#[must_use]
pub fn turned_away(refusal: &Refusal, return_to: Option<&str>) -> String {
    let path = checked_path(return_to).unwrap_or_else(|_| "/".to_owned());
    entrance("error", refusal.code(), &path)
}

/// What follows from the browser's secret for one state.
fn follows(what: &str, secret: &str, state: &str) -> String {
    digest(&format!("{what}:{secret}:{state}"))
}

/// By what the last step of somebody with a second factor is known.
fn factor_hash(secret: &str) -> String {
    follows("factor", secret, "")
}

impl People {
    /// The identity provider, or the connection, with this name. Only a test may use a connection that is
    /// not active.
    pub(super) async fn door(&self, source: &str, errand: Errand) -> Result<Door, Refusal> {
        if let Some(idp) = self.0.providers.iter().find(|idp| idp.provider().id == source) {
            return Ok(Door { idp: Arc::clone(idp), connection: None });
        }
        let found = self.platform().store().sso_connection(source).await?;
        let connection = found.filter(|one| match errand {
            Errand::SignIn => one.status == SsoStatus::Active,
            Errand::Test => one.verified_at.is_some(),
            Errand::Link | Errand::Factor => false,
        });
        let connection = connection.ok_or(Refusal::Unknown)?;
        let idp = self.idp_of(&connection).await?;
        Ok(Door { idp, connection: Some(connection) })
    }

    pub(super) fn redirect_uri(&self, source: &str) -> String {
        format!("{}/api/v1/session/callback/{source}", self.public_url())
    }

    /// The ways to sign in, or with an address the only one that it has.
    ///
    /// # Errors
    /// [`PlatformError::Store`].
    pub async fn ways_in(&self, asked: WaysAsked) -> Result<Data<Vec<WayIn>>, PlatformError> {
        if let Some(email) = asked.email {
            let email = email.trim().to_lowercase();
            let email = if email.contains('@') { email } else { format!("@{email}") };
            if let Some(connection) = self.sso_for(&email).await? {
                let only = WayIn::new(&connection.id, &connection.domain, "sso");
                return Ok(Data { data: vec![only] });
            }
        }
        let all = self.0.providers.iter().map(|idp| idp.provider());
        let data = all.map(|one| WayIn::new(&one.id, &one.name, "provider")).collect();
        Ok(Data { data })
    }

    /// Sends somebody who is signed in to an identity provider, to come back with an identity.
    ///
    /// # Errors
    /// [`PlatformError::Forbidden`] for whoever has not proven their address;
    /// [`PlatformError::NotFound`] for an unknown provider; [`PlatformError::Elsewhere`].
    pub async fn depart_to_link(
        &self,
        visit: &Visit,
        kept: Option<&str>,
        person: &Person,
        wish: LinkWish,
    ) -> Result<Departure, PlatformError> {
        person.proven()?;
        let (back, user) = (wish.return_to.as_deref(), Some(person.user.id.clone()));
        let errand = Errand::Link;
        Ok(self.depart_as(visit, kept, &wish.provider, back, errand, user).await?)
    }

    /// How long a browser keeps what it is given on leaving, in seconds.
    #[must_use]
    pub const fn journey_seconds() -> u64 {
        UNDER_WAY.as_secs()
    }

    /// Sends a browser to an identity provider. `kept` is what it keeps from another journey.
    ///
    /// # Errors
    /// [`Refusal`].
    pub async fn depart(
        &self,
        visit: &Visit,
        kept: Option<&str>,
        source: &str,
        return_to: Option<&str>,
    ) -> Result<Departure, Refusal> {
        self.depart_as(visit, kept, source, return_to, Errand::SignIn, None).await
    }

    /// The same, to link an identity to somebody who is signed in, or to test a connection.
    pub(super) async fn depart_as(
        &self,
        visit: &Visit,
        kept: Option<&str>,
        source: &str,
        return_to: Option<&str>,
        errand: Errand,
        user: Option<UserId>,
    ) -> Result<Departure, Refusal> {
        self.may(Limit::DepartFrom, &visit.network()).await?;
        let return_to = checked_path(return_to)?;
        let door = self.door(source, errand).await?;
        let keeps = kept.map_or_else(token, |kept| Secret::new(kept.to_owned()));
        let state = token();
        let (secret, state) = (keeps.expose(), state.expose());
        let redirect_uri = self.redirect_uri(source);
        let known = Known {
            redirect_uri: &redirect_uri,
            state,
            nonce: &follows("nonce", secret, state),
            verifier: &follows("verifier", secret, state),
        };
        let url = Box::pin(door.idp.departure(known)).await?;
        let millis = i64::try_from(UNDER_WAY.as_millis()).unwrap_or(i64::MAX);
        let record = SignInRecord {
            hash: digest(state),
            browser: digest(secret),
            source: source.to_owned(),
            errand,
            user,
            return_to,
            expires_at: self.now().plus_millis(millis),
        };
        self.platform().store().add_sign_in(record).await?;
        Ok(Departure { url, keeps })
    }

    /// Takes a browser in that comes back. `kept` is what it kept, `session` the token that it shows.
    pub async fn arrive(
        &self,
        visit: &Visit,
        kept: Option<&str>,
        session: Option<&str>,
        source: &str,
        brought: Brought,
    ) -> Landing {
        let mut left = None;
        let arrival = self.arrival(visit, kept, session, source, brought, &mut left);
        match Box::pin(arrival).await {
            Ok(landing) => landing,
            Err(refusal) => {
                tracing::info!(source, reason = %refusal, "a sign-in was refused");
                let to = match left {
                    Some((Errand::Link | Errand::Test, page)) => {
                        with(&page, "error", refusal.code())
                    }
                    Some((_, return_to)) => entrance("error", refusal.code(), &return_to),
                    None => with(PAGE, "error", refusal.code()),
                };
                Landing { to, opened: None }
            }
        }
    }

    /// The same; `left` becomes what the browser left for and where it wants to go on to.
    async fn arrival(
        &self,
        visit: &Visit,
        kept: Option<&str>,
        session: Option<&str>,
        source: &str,
        brought: Brought,
        left: &mut Option<(Errand, String)>,
    ) -> Result<Landing, Refusal> {
        self.may(Limit::TriesFrom, &visit.network()).await?;
        let (Some(secret), Some(state)) = (kept, brought.state.as_deref()) else {
            return Err(Refusal::State);
        };
        let store = self.platform().store();
        let under_way = store.take_sign_in(digest(state), digest(secret)).await?;
        let under_way =
            under_way.filter(|one| one.source == source && one.errand != Errand::Factor);
        let under_way = under_way.ok_or(Refusal::State)?;
        *left = Some((under_way.errand, under_way.return_to.clone()));
        let door = self.door(source, under_way.errand).await?;
        let vouched = self.vouched(&door, secret, state, &brought).await?;
        match under_way.errand {
            Errand::SignIn => {
                let user = self.admit(visit, &door, vouched).await?;
                if user.totp_confirmed_at.is_none() {
                    let opened = self.open(user, visit, session, Some(under_way.source)).await?;
                    return Ok(Landing { to: under_way.return_to, opened: Some(opened) });
                }
                let to = entrance("second_factor", "required", &under_way.return_to);
                let hash = factor_hash(secret);
                let (errand, user) = (Errand::Factor, Some(user.id));
                store.add_sign_in(SignInRecord { hash, errand, user, ..under_way }).await?;
                Ok(Landing { to, opened: None })
            }
            Errand::Link | Errand::Test | Errand::Factor => {
                let person = self.same_person(visit, session, under_way.user.as_ref()).await?;
                if under_way.errand == Errand::Link {
                    self.link(&person, &door, vouched).await?;
                } else {
                    self.note_test(&person, &door, &vouched).await?;
                }
                Ok(Landing {
                    to: with(&under_way.return_to, "done", door.provider()),
                    opened: None,
                })
            }
        }
    }

    async fn vouched(
        &self,
        door: &Door,
        secret: &str,
        state: &str,
        brought: &Brought,
    ) -> Result<Vouched, Refusal> {
        if brought.error.is_some() {
            return Err(Refusal::There);
        }
        let code = brought.code.as_deref().filter(|code| code.len() <= CODE);
        let code = code.ok_or(Refusal::State)?;
        let known = Known {
            redirect_uri: &self.redirect_uri(door.name()),
            state,
            nonce: &follows("nonce", secret, state),
            verifier: &follows("verifier", secret, state),
        };
        let back = Return { code, iss: brought.iss.as_deref() };
        Ok(door.idp.vouch(known, back, self.now()).await?)
    }

    /// Whoever left to come back like this has to be signed in still.
    async fn same_person(
        &self,
        visit: &Visit,
        session: Option<&str>,
        user: Option<&UserId>,
    ) -> Result<Person, Refusal> {
        let person = self.person(session.ok_or(Refusal::SignedOut)?, visit).await;
        let person = person.map_err(|_| Refusal::SignedOut)?;
        if user == Some(&person.user.id) { Ok(person) } else { Err(Refusal::SignedOut) }
    }

    /// The last step of somebody with a second factor who is back.
    ///
    /// # Errors
    /// [`PlatformError::Denied`] for a wrong code, and for nobody who is under way;
    /// [`PlatformError::TooOften`].
    pub async fn arrive_with_code(
        &self,
        visit: &Visit,
        kept: Option<&str>,
        session: Option<&str>,
        code: &str,
    ) -> Result<Opened, PlatformError> {
        const NOBODY: PlatformError = PlatformError::Denied("Sign in again");
        self.may(Limit::TriesFrom, &visit.network()).await?;
        let secret = kept.ok_or(NOBODY)?;
        let (hash, browser) = (factor_hash(secret), digest(secret));
        let store = self.platform().store();
        let under_way = store.sign_in_under_way(&hash, &browser).await?.ok_or(NOBODY)?;
        let user = under_way.user.ok_or(NOBODY)?;
        let user = store.user(&user).await?.ok_or(NOBODY)?;
        self.may(Limit::TriesAt, &user.email).await?;
        if user.totp_confirmed_at.is_some() && !self.second_factor(&user, code).await? {
            return Err(PlatformError::Denied("Wrong code"));
        }
        store.take_sign_in(hash, browser).await?.ok_or(NOBODY)?;
        self.forgive(&user.email).await?;
        self.open(user, visit, session, Some(under_way.source)).await
    }
}

impl Door {
    /// What it is called in addresses.
    fn name(&self) -> &str {
        let id = self.connection.as_ref().map(|one| one.id.as_str());
        id.unwrap_or(&self.idp.provider().id)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_browser_comes_back_to_a_path_of_ours_alone() {
        for path in ["/", "/a?b=c#d", "/a//b", "/@evil.example", "/%2f%2fevil.example"] {
            assert_eq!(checked_path(Some(path)).unwrap(), path);
        }
        assert_eq!(checked_path(None).unwrap(), "/");
        for path in [
            "",
            "a",
            "//evil.example",
            "///evil.example",
            "/\\evil.example",
            "\\/evil.example",
            "https://evil.example",
            "javascript:alert(1)",
            "/\t/evil.example",
            "/a b",
            "/a\r\nB: c",
            "/ä",
            " /",
        ] {
            assert!(matches!(checked_path(Some(path)), Err(Refusal::Path)), "{path}");
        }
        assert!(checked_path(Some(&format!("/{}", "x".repeat(PATH)))).is_err());
    }

    #[test]
    fn a_query_grows_before_the_fragment() {
        for (path, expected) in [
            ("/a", "/a?n=v%26"),
            ("/a?b=c", "/a?b=c&n=v%26"),
            ("/a#d", "/a?n=v%26#d"),
            ("/a?b#d?e", "/a?b&n=v%26#d?e"),
        ] {
            assert_eq!(with(path, "n", "v&"), expected);
        }
    }

    #[test]
    fn nonce_and_verifier_differ_and_each_state_has_its_own() {
        let all = [
            follows("nonce", "s", "1"),
            follows("verifier", "s", "1"),
            follows("nonce", "s", "2"),
            follows("nonce", "t", "1"),
            factor_hash("s"),
        ];
        let different: std::collections::HashSet<_> = all.iter().collect();
        assert_eq!(different.len(), all.len());
        assert!(all.iter().all(|one| one.len() == 64), "RFC 7636: 43 to 128 characters");
    }
}
