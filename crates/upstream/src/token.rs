//! Access tokens of Google Cloud: a service account signs a claim, a token server answers with a
//! token for about an hour (RFC 7523; RFC 6749, section 6, for a user's refresh token). The token is
//! kept, renewed before its end, and asked for once however many calls wait.

use std::fmt;
use std::sync::{Arc, PoisonError, RwLock};
use std::time::Duration;

use aws_lc_rs::rand::SystemRandom;
use aws_lc_rs::rsa::KeyPair;
use aws_lc_rs::signature;
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use bytes::Bytes;
use http::{HeaderMap, HeaderValue, Uri, header};
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{PrivateKeyDer, PrivatePkcs1KeyDer};
use serde::Deserialize;
use signalbox_core::{Secret, Timestamp};

use crate::address::encode;
use crate::client::{CallError, Client};

/// Where tokens come from when the credential does not say.
const TOKEN_URI: &str = "https://oauth2.googleapis.com/token";
const SCOPE: &str = "https://www.googleapis.com/auth/cloud-platform";
/// Longest that a claim may be good for, and what tokens last when the server does not say.
const HOUR: i64 = 3600;
/// How long before its end a token is renewed, unless it lasts less than four times that.
const EARLY: i64 = 300;
/// Longest that a token is trusted, whatever the server says.
const MAX_LIFETIME: i64 = 12 * HOUR;
/// How long after a failure the token server is left alone.
const PAUSE: i64 = 1;
/// How long the token server may take.
const PATIENCE: Duration = Duration::from_secs(10);
const MAX_ANSWER: usize = 64 * 1024;

/// Why there is no access token. Nothing here came from the token server's text.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum TokenError {
    /// The token server could not be reached, or did not answer in time.
    #[error("the token server does not answer")]
    Unreachable,
    /// The token server has no token for this credential.
    #[error("the token server answered with status {0}")]
    Refused(u16),
    /// The token server's answer has no token.
    #[error("the token server's answer has no token")]
    Malformed,
    /// The private key does not sign.
    #[error("the private key does not sign")]
    Unsigned,
}

/// Why a credential is no source of tokens.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum SourceError {
    /// The private key is no RSA key in PEM.
    #[error("private_key is no RSA key in PEM")]
    Key,
    /// The token server's address is none, or would carry the claim unencrypted.
    #[error("token_uri is no https:// address")]
    TokenUri,
    /// Something is left out.
    #[error("{0} is missing")]
    Missing(&'static str),
}

/// The members of a Google credentials file that matter here.
#[derive(Deserialize)]
pub(crate) struct SourceFile {
    #[serde(rename = "type")]
    kind: String,
    client_email: Option<String>,
    private_key: Option<String>,
    private_key_id: Option<String>,
    token_uri: Option<String>,
    client_id: Option<String>,
    client_secret: Option<String>,
    refresh_token: Option<String>,
}

/// A source of tokens, with the one it has.
pub(crate) struct TokenSource {
    grant: Grant,
    token_uri: Uri,
    current: RwLock<Option<Token>>,
    /// Held by whoever asks for a token: when that last failed, and how.
    asking: tokio::sync::Mutex<Option<(Timestamp, TokenError)>>,
}

enum Grant {
    Account { email: String, key_id: Option<String>, key: Box<KeyPair> },
    User { id: String, secret: Secret<String>, refresh: Secret<String> },
}

#[derive(Clone)]
struct Token {
    header: HeaderValue,
    renew: Timestamp,
    expires: Timestamp,
}

impl SourceFile {
    /// Whether a file's `type` is one that tokens come from.
    pub(crate) fn is_source(kind: &str) -> bool {
        matches!(kind, "service_account" | "authorized_user")
    }
}

impl TokenSource {
    /// Reads a credentials file.
    pub(crate) fn new(file: SourceFile) -> Result<Arc<Self>, SourceError> {
        let need = |value: Option<String>, name| {
            value.filter(|value| !value.is_empty()).ok_or(SourceError::Missing(name))
        };
        let grant = if file.kind == "service_account" {
            Grant::Account {
                email: need(file.client_email, "client_email")?,
                key_id: file.private_key_id,
                key: Box::new(private_key(&need(file.private_key, "private_key")?)?),
            }
        } else {
            Grant::User {
                id: need(file.client_id, "client_id")?,
                secret: Secret::new(need(file.client_secret, "client_secret")?),
                refresh: Secret::new(need(file.refresh_token, "refresh_token")?),
            }
        };
        let token_uri = token_uri(file.token_uri.as_deref().unwrap_or(TOKEN_URI))?;
        let current = RwLock::new(None);
        Ok(Arc::new(Self { grant, token_uri, current, asking: tokio::sync::Mutex::new(None) }))
    }

    /// The value of the `authorization` header.
    pub(crate) async fn header(
        &self,
        client: &Client,
        now: Timestamp,
    ) -> Result<HeaderValue, TokenError> {
        let kept = self.kept(now);
        if let Some(token) = kept.as_ref().filter(|token| now < token.renew) {
            return Ok(token.header.clone());
        }
        let mut last_failure = match &kept {
            // It still works: whoever comes first renews it, nobody waits.
            Some(token) => match self.asking.try_lock() {
                Ok(asking) => asking,
                Err(_) => return Ok(token.header.clone()),
            },
            None => self.asking.lock().await,
        };
        // Somebody else may have been here while this one waited.
        if let Some(token) = self.kept(now).filter(|token| now < token.renew) {
            return Ok(token.header);
        }
        let paused = last_failure.filter(|(at, _)| now < at.plus_millis(PAUSE * 1000));
        let asked = match paused {
            Some((_, error)) => Err(error),
            None => self.ask(client, now).await,
        };
        match asked {
            Ok(token) => {
                *last_failure = None;
                let header = token.header.clone();
                *self.current.write().unwrap_or_else(PoisonError::into_inner) = Some(token);
                Ok(header)
            }
            Err(error) => {
                if paused.is_none() {
                    *last_failure = Some((now, error));
                }
                kept.map(|token| token.header).ok_or(error)
            }
        }
    }

    /// The token that there is, if it has not expired.
    fn kept(&self, now: Timestamp) -> Option<Token> {
        let current = self.current.read().unwrap_or_else(PoisonError::into_inner);
        current.as_ref().filter(|token| now < token.expires).cloned()
    }

    async fn ask(&self, client: &Client, now: Timestamp) -> Result<Token, TokenError> {
        let form = HeaderValue::from_static("application/x-www-form-urlencoded");
        let mut headers = HeaderMap::new();
        headers.insert(header::CONTENT_TYPE, form);
        let body = [Bytes::from(self.grant.request(&self.token_uri, now)?)];
        let answer = client.send(&self.token_uri, &headers, &body, PATIENCE).await;
        let answer = answer.map_err(unreachable)?;
        if !answer.status.is_success() {
            return Err(TokenError::Refused(answer.status.as_u16()));
        }
        read(&answer.collect(MAX_ANSWER, PATIENCE, PATIENCE).await.map_err(unreachable)?, now)
    }
}

fn unreachable(error: CallError) -> TokenError {
    match error {
        CallError::TooLarge(_) => TokenError::Malformed,
        _ => TokenError::Unreachable,
    }
}

impl Grant {
    /// The form that asks for a token.
    fn request(&self, token_uri: &Uri, now: Timestamp) -> Result<String, TokenError> {
        let fields = match self {
            Self::Account { email, key_id, key } => vec![
                ("grant_type", "urn:ietf:params:oauth:grant-type:jwt-bearer".to_owned()),
                ("assertion", claim(email, key_id.as_deref(), key, token_uri, now)?),
            ],
            Self::User { id, secret, refresh } => vec![
                ("grant_type", "refresh_token".to_owned()),
                ("client_id", id.clone()),
                ("client_secret", secret.expose().clone()),
                ("refresh_token", refresh.expose().clone()),
            ],
        };
        let mut form = String::new();
        for (name, value) in fields {
            form.push_str(if form.is_empty() { "" } else { "&" });
            form.push_str(name);
            form.push('=');
            encode(&value, &mut form);
        }
        Ok(form)
    }
}

/// A signed JSON Web Token that says who asks for what.
fn claim(
    email: &str,
    key_id: Option<&str>,
    key: &KeyPair,
    token_uri: &Uri,
    now: Timestamp,
) -> Result<String, TokenError> {
    let mut head = serde_json::json!({"alg": "RS256", "typ": "JWT"});
    if let (Some(key_id), Some(head)) = (key_id, head.as_object_mut()) {
        head.insert("kid".to_owned(), key_id.into());
    }
    let issued = now.seconds();
    let claims = serde_json::json!({
        "iss": email,
        "scope": SCOPE,
        "aud": token_uri.to_string(),
        "iat": issued,
        "exp": issued.saturating_add(HOUR),
    });
    let mut token = URL_SAFE_NO_PAD.encode(head.to_string());
    token.push('.');
    token.push_str(&URL_SAFE_NO_PAD.encode(claims.to_string()));
    let mut signed = vec![0; key.public_modulus_len()];
    key.sign(&signature::RSA_PKCS1_SHA256, &SystemRandom::new(), token.as_bytes(), &mut signed)
        .map_err(|_| TokenError::Unsigned)?;
    token.push('.');
    token.push_str(&URL_SAFE_NO_PAD.encode(signed));
    Ok(token)
}

/// Reads the token server's answer.
fn read(answer: &[u8], now: Timestamp) -> Result<Token, TokenError> {
    #[derive(Deserialize)]
    struct Written {
        access_token: String,
        expires_in: Option<i64>,
    }
    let written: Written = serde_json::from_slice(answer).map_err(|_| TokenError::Malformed)?;
    if written.access_token.is_empty() {
        return Err(TokenError::Malformed);
    }
    let mut header = HeaderValue::try_from(format!("Bearer {}", written.access_token))
        .map_err(|_| TokenError::Malformed)?;
    header.set_sensitive(true);
    let lasts = written.expires_in.unwrap_or(HOUR).clamp(0, MAX_LIFETIME);
    let after = |seconds: i64| now.plus_millis(seconds.saturating_mul(1000));
    let renew = after(lasts.saturating_sub(EARLY.min(lasts / 4)));
    Ok(Token { header, renew, expires: after(lasts) })
}

fn private_key(pem: &str) -> Result<KeyPair, SourceError> {
    let key = PrivateKeyDer::from_pem_slice(pem.as_bytes()).map_err(|_| SourceError::Key)?;
    let read = match &key {
        PrivateKeyDer::Pkcs8(key) => KeyPair::from_pkcs8(key.secret_pkcs8_der()),
        PrivateKeyDer::Pkcs1(key) => KeyPair::from_der(PrivatePkcs1KeyDer::secret_pkcs1_der(key)),
        _ => return Err(SourceError::Key),
    };
    read.map_err(|_| SourceError::Key)
}

/// An address that a claim may be sent to: encrypted, or on this machine.
fn token_uri(text: &str) -> Result<Uri, SourceError> {
    let uri: Uri = text.parse().map_err(|_| SourceError::TokenUri)?;
    let host = uri.host().unwrap_or_default();
    let local = matches!(host, "127.0.0.1" | "localhost" | "[::1]");
    match uri.scheme_str() {
        Some("https") if !host.is_empty() => Ok(uri),
        Some("http") if local => Ok(uri),
        _ => Err(SourceError::TokenUri),
    }
}

impl fmt::Debug for TokenSource {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut shown = f.debug_struct("TokenSource");
        shown.field("token_uri", &self.token_uri);
        if let Grant::Account { email, .. } = &self.grant {
            shown.field("account", email);
        }
        shown.finish_non_exhaustive()
    }
}
