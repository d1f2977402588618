//! One identity provider: the way there, and what it says of who comes back.

use std::sync::Arc;
use std::time::Duration;

use serde::Deserialize;
use signalbox_core::{Secret, Timestamp};
use signalbox_runtime::Clock;
use signalbox_upstream::service::encoded;
use tokio::sync::Mutex;

use super::claims::{Claims, Expected};
use super::jws::{Keys, Unsigned};
use super::metadata::{Metadata, address};
use super::outside::{Outside, Proof};
use super::{Manner, PlainEndpoints, Provider, Trouble, profile};

/// How long metadata and keys are kept.
const KEPT: Duration = Duration::from_secs(3_600);
/// How long keys are kept at least, whatever key a token names.
const KEYS_KEPT: Duration = Duration::from_secs(60);
/// How long a provider is left alone that did not answer.
const RESTS: Duration = Duration::from_secs(5);

/// An identity provider with what is known of it.
#[derive(Debug)]
pub struct Idp {
    provider: Provider,
    outside: Outside,
    clock: Clock,
    kept: Mutex<Kept>,
}

#[derive(Debug, Default)]
struct Kept {
    metadata: Option<(Duration, Arc<Metadata>)>,
    keys: Option<(Duration, Arc<Keys>)>,
    failed: Option<(Duration, Trouble)>,
}

/// What both ends of a sign-in have to know.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Known<'a> {
    /// Where the browser comes back to.
    pub redirect_uri: &'a str,
    /// By what its return is known.
    pub state: &'a str,
    /// What the ID token has to repeat.
    pub nonce: &'a str,
    /// What the code is exchanged with; its hash goes ahead (RFC 7636).
    pub verifier: &'a str,
}

/// What a browser brings back.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Return<'a> {
    /// The code.
    pub code: &'a str,
    /// Which issuer says so (RFC 9207).
    pub iss: Option<&'a str>,
}

/// What an identity provider says of somebody.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Vouched {
    /// Which issuer.
    pub issuer: String,
    /// Who it is there.
    pub subject: String,
    /// The address.
    pub email: Option<String>,
    /// Whether it is known to be theirs; absent when nothing is said.
    pub email_verified: Option<bool>,
    /// The first name.
    pub first_name: Option<String>,
    /// The last name.
    pub last_name: Option<String>,
}

#[derive(Deserialize)]
struct Tokens {
    access_token: Option<String>,
    id_token: Option<String>,
}

fn challenge(verifier: &str) -> String {
    use base64::Engine as _;
    use sha2::Digest as _;
    let digest = sha2::Sha256::digest(verifier.as_bytes());
    base64::engine::general_purpose::URL_SAFE_NO_PAD.encode(digest)
}

impl Idp {
    pub(crate) fn new(provider: Provider, outside: Outside, clock: Clock) -> Self {
        Self { provider, outside, clock, kept: Mutex::default() }
    }

    /// How it is configured.
    #[must_use]
    pub fn provider(&self) -> &Provider {
        &self.provider
    }

    fn fresh<T: Clone>(&self, kept: &Option<(Duration, T)>, lifetime: Duration) -> Option<T> {
        let now = self.clock.monotonic();
        let fresh = |(since, _): &&(Duration, T)| now < since.saturating_add(lifetime);
        kept.as_ref().filter(fresh).map(|(_, value)| value.clone())
    }

    /// The document at an address. One that fails is not asked for again at once.
    async fn document(&self, kept: &mut Kept, url: &str) -> Result<Vec<u8>, Trouble> {
        if let Some(trouble) = self.fresh(&kept.failed, RESTS) {
            return Err(trouble);
        }
        let got = self.outside.get(url, Proof::None).await;
        if let Err(trouble) = got {
            kept.failed = Some((self.clock.monotonic(), trouble));
        }
        got
    }

    async fn metadata(&self) -> Result<Arc<Metadata>, Trouble> {
        let mut kept = self.kept.lock().await;
        if let Some(metadata) = self.fresh(&kept.metadata, KEPT) {
            return Ok(metadata);
        }
        let issuer = &self.provider.issuer;
        let document = self.document(&mut kept, &address(issuer)).await?;
        let metadata = Arc::new(Metadata::read(&document, issuer)?);
        kept.metadata = Some((self.clock.monotonic(), Arc::clone(&metadata)));
        Ok(metadata)
    }

    /// The issuer's keys, at most as old as this.
    async fn keys(&self, metadata: &Metadata, age: Duration) -> Result<Arc<Keys>, Trouble> {
        let mut kept = self.kept.lock().await;
        if let Some(keys) = self.fresh(&kept.keys, age) {
            return Ok(keys);
        }
        let document = self.document(&mut kept, &metadata.jwks_uri).await?;
        let keys = Keys::read(&document).ok_or(Trouble::Unreachable("its keys can't be read"))?;
        let keys = Arc::new(keys);
        kept.keys = Some((self.clock.monotonic(), Arc::clone(&keys)));
        Ok(keys)
    }

    /// Where a browser is sent to.
    pub(crate) async fn departure(&self, known: Known<'_>) -> Result<String, Trouble> {
        let metadata;
        let (to, openid) = match &self.provider.manner {
            Manner::Plain(at) => (&at.authorization, false),
            Manner::Oidc => {
                metadata = self.metadata().await?;
                (&metadata.authorization_endpoint, true)
            }
        };
        let challenge = challenge(known.verifier);
        let mut url = to.clone();
        let mut fields = vec![
            ("response_type", "code"),
            ("client_id", self.provider.client_id.as_str()),
            ("redirect_uri", known.redirect_uri),
            ("scope", self.provider.scopes.as_str()),
            ("state", known.state),
            ("code_challenge", challenge.as_str()),
            ("code_challenge_method", "S256"),
        ];
        if openid {
            fields.push(("nonce", known.nonce));
        }
        for (name, value) in fields {
            url.push(if url.contains('?') { '&' } else { '?' });
            url.push_str(name);
            url.push('=');
            url.push_str(&encoded(value));
        }
        Ok(url)
    }

    /// Who comes back.
    pub(crate) async fn vouch(
        &self,
        known: Known<'_>,
        back: Return<'_>,
        now: Timestamp,
    ) -> Result<Vouched, Trouble> {
        let issuer = &self.provider.issuer;
        if back.iss.is_some_and(|iss| iss != issuer) {
            return Err(Trouble::Token("another issuer sent the browser back"));
        }
        match &self.provider.manner {
            Manner::Oidc => {
                let metadata = self.metadata().await?;
                if metadata.names_itself && back.iss.is_none() {
                    return Err(Trouble::Token("the issuer did not name itself"));
                }
                self.vouch_by_token(&metadata, known, back.code, now).await
            }
            Manner::Plain(at) => self.vouch_by_profile(at, known, back.code).await,
        }
    }

    async fn exchange(
        &self,
        at: &str,
        in_header: bool,
        known: Known<'_>,
        code: &str,
    ) -> Result<Tokens, Trouble> {
        let mut form = vec![
            ("grant_type", "authorization_code"),
            ("code", code),
            ("redirect_uri", known.redirect_uri),
            ("code_verifier", known.verifier),
        ];
        let id = &self.provider.client_id;
        let mut proof = Proof::None;
        match &self.provider.client_secret {
            Some(secret) if in_header => proof = Proof::Basic(id, secret),
            Some(secret) => {
                form.extend([("client_id", id.as_str()), ("client_secret", secret.expose())]);
            }
            None => form.push(("client_id", id)),
        }
        let told = self.outside.post(at, proof, &form).await?;
        match told.status {
            200 => serde_json::from_slice(&told.body)
                .map_err(|_| Trouble::Unreachable("its tokens can't be read")),
            400 | 401 | 403 => Err(Trouble::Token("the code was not taken")),
            _ => Err(Trouble::Unreachable("it answered with an error")),
        }
    }

    /// What an ID token says, by a key that is published now.
    async fn opened(&self, metadata: &Metadata, token: &str) -> Result<Vec<u8>, Trouble> {
        let mut age = KEPT;
        loop {
            match self.keys(metadata, age).await?.open(token) {
                Ok(payload) => return Ok(payload),
                Err(Unsigned::UnknownKey) if age > KEYS_KEPT => age = KEYS_KEPT,
                Err(Unsigned::UnknownKey) => return Err(Trouble::Token("its key is unknown")),
                Err(Unsigned::Never(why)) => return Err(Trouble::Token(why)),
            }
        }
    }

    async fn vouch_by_token(
        &self,
        metadata: &Metadata,
        known: Known<'_>,
        code: &str,
        now: Timestamp,
    ) -> Result<Vouched, Trouble> {
        let in_header = metadata.proves_in_header();
        let tokens = self.exchange(&metadata.token_endpoint, in_header, known, code).await?;
        let token = tokens.id_token.ok_or(Trouble::Token("there is no ID token"))?;
        let payload = self.opened(metadata, &token).await?;
        let unreadable = Trouble::Token("the ID token can't be read");
        let mut claims = Claims::read(&payload).ok_or(unreadable)?;
        let (issuer, client_id) = (&self.provider.issuer, &self.provider.client_id);
        let expected = Expected { issuer, client_id, nonce: known.nonce, now };
        claims.check(expected).map_err(Trouble::Token)?;
        let told = claims.email.is_some() && claims.email_verified.is_some();
        if let (false, Some(at), Some(token)) =
            (told, &metadata.userinfo_endpoint, tokens.access_token)
        {
            let more = self.outside.get(at, Proof::Bearer(&Secret::new(token))).await?;
            let more = Claims::read(&more).ok_or(Trouble::Unreachable("nobody is described"))?;
            if more.sub != claims.sub {
                return Err(Trouble::Token("somebody else is described"));
            }
            claims = more;
        }
        Ok(Vouched {
            issuer: issuer.clone(),
            subject: claims.sub,
            email: claims.email,
            email_verified: claims.email_verified,
            first_name: claims.given_name,
            last_name: claims.family_name,
        })
    }

    async fn vouch_by_profile(
        &self,
        at: &PlainEndpoints,
        known: Known<'_>,
        code: &str,
    ) -> Result<Vouched, Trouble> {
        let tokens = self.exchange(&at.token, false, known, code).await?;
        let token = tokens.access_token.ok_or(Trouble::Token("the code was not taken"))?;
        profile::ask(&self.outside, &self.provider.issuer, at, &Secret::new(token)).await
    }
}
