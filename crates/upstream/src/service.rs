//! Small documents to and from a service outside, such as a payment processor or a node of a chain.
//!
//! It follows no redirect, repeats nothing that may have been received, and reads at most a MiB.

use std::fmt;
use std::time::Duration;

use bytes::Bytes;
use http::{HeaderMap, HeaderName, HeaderValue, Method, Uri, header};
use signalbox_core::Secret;

use crate::address::{self, AddressError};
use crate::client::{CallError, Client};

/// Largest answer that is read.
const MAX_ANSWER: usize = 1024 * 1024;

/// A service with an address and a credential.
#[derive(Clone)]
pub struct Service {
    client: Client,
    base: String,
    headers: HeaderMap,
    timeout: Duration,
}

/// What a service answered.
#[derive(Debug, Clone)]
pub struct Told {
    /// The HTTP status.
    pub status: u16,
    /// The headers.
    pub headers: HeaderMap,
    /// The whole body.
    pub body: Bytes,
}

/// A body with its content type.
#[derive(Debug, Clone)]
pub struct Document {
    kind: &'static str,
    body: Bytes,
}

impl Document {
    /// A JSON text.
    #[must_use]
    pub fn json(text: String) -> Self {
        Self { kind: "application/json", body: text.into() }
    }

    /// A form: names as they are, values percent-encoded.
    #[must_use]
    pub fn form<'a>(fields: impl IntoIterator<Item = (&'a str, &'a str)>) -> Self {
        let mut text = String::new();
        for (name, value) in fields {
            if !text.is_empty() {
                text.push('&');
            }
            text.push_str(name);
            text.push('=');
            address::encode(value, &mut text);
        }
        Self { kind: "application/x-www-form-urlencoded", body: text.into() }
    }
}

/// Percent-encodes a text that stands between slashes, or as a value of a query.
#[must_use]
pub fn encoded(text: &str) -> String {
    let mut whole = String::with_capacity(text.len());
    address::encode(text, &mut whole);
    whole
}

impl Service {
    /// A service at an address that starts with `https://`, or with `http://` on this machine: a
    /// credential is not sent in clear text to another one. Each call takes at most `timeout`.
    ///
    /// # Errors
    /// [`AddressError::Malformed`].
    pub fn new(client: &Client, base: &str, timeout: Duration) -> Result<Self, AddressError> {
        Self::at(client, base, timeout, false)
    }

    /// A service that is given no credential, at an address with `https://` or `http://`: one beside the
    /// gateway, in the operator's own network.
    ///
    /// # Errors
    /// [`AddressError::Malformed`].
    pub fn without_credential(
        client: &Client,
        base: &str,
        timeout: Duration,
    ) -> Result<Self, AddressError> {
        Self::at(client, base, timeout, true)
    }

    fn at(
        client: &Client,
        base: &str,
        timeout: Duration,
        in_clear: bool,
    ) -> Result<Self, AddressError> {
        let base = base.trim_end_matches('/').to_owned();
        let uri: Uri = base.parse().map_err(|_| AddressError::Malformed)?;
        let host = uri.host().unwrap_or_default();
        let local = matches!(host, "127.0.0.1" | "localhost" | "[::1]");
        let fine = match uri.scheme_str() {
            Some("https") => !host.is_empty(),
            Some("http") => local || (in_clear && !host.is_empty()),
            _ => false,
        };
        let plain = uri.query().is_none() && !base.contains('@');
        if !fine || !plain {
            return Err(AddressError::Malformed);
        }
        Ok(Self { client: client.clone(), base, headers: HeaderMap::new(), timeout })
    }

    /// The same service with a bearer token.
    ///
    /// # Errors
    /// [`AddressError::Malformed`] when the token can't stand in a header.
    pub fn with_bearer(mut self, token: &Secret<String>) -> Result<Self, AddressError> {
        let value = HeaderValue::try_from(format!("Bearer {}", token.expose()));
        let mut value = value.map_err(|_| AddressError::Malformed)?;
        value.set_sensitive(true);
        self.headers.insert(header::AUTHORIZATION, value);
        Ok(self)
    }

    /// The same service with one more header.
    #[must_use]
    pub fn with(mut self, name: &'static str, value: &'static str) -> Self {
        let name = HeaderName::from_static(name);
        self.headers.insert(name, HeaderValue::from_static(value));
        self
    }

    /// Calls `path`, which starts with a slash, or is empty. An idempotency key goes into the header
    /// of that name.
    ///
    /// # Errors
    /// [`CallError`]; an answer with an error status is an answer.
    pub async fn call(
        &self,
        method: Method,
        path: &str,
        document: Option<Document>,
        idempotency_key: Option<&str>,
    ) -> Result<Told, CallError> {
        let malformed = || CallError::Address(AddressError::Malformed);
        let uri: Uri = format!("{}{path}", self.base).parse().map_err(|_| malformed())?;
        let mut headers = self.headers.clone();
        let mut body = Vec::new();
        if let Some(document) = document {
            headers.insert(header::CONTENT_TYPE, HeaderValue::from_static(document.kind));
            body.push(document.body);
        }
        if let Some(key) = idempotency_key {
            let value = HeaderValue::try_from(key).map_err(|_| malformed())?;
            headers.insert(HeaderName::from_static("idempotency-key"), value);
        }
        let answer = self.client.request(method, &uri, &headers, &body, self.timeout).await?;
        let (status, headers) = (answer.status.as_u16(), answer.headers.clone());
        let body = answer.collect(MAX_ANSWER, self.timeout, self.timeout).await?;
        Ok(Told { status, headers, body })
    }
}

impl fmt::Debug for Service {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // A path may hold a key.
        let host = self.base.splitn(4, '/').take(3).collect::<Vec<_>>().join("/");
        f.debug_struct("Service").field("host", &host).finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_credential_leaves_this_machine_only_encrypted() {
        let new = |base| Service::new(&Client::new(), base, Duration::from_secs(1));
        for base in ["https://api.example", "http://127.0.0.1:8420", "http://localhost:1/x/"] {
            assert!(new(base).is_ok(), "{base}");
        }
        for base in ["http://api.example", "ftp://x", "", "https://", "https://u@x", "https://x?y"]
        {
            assert!(new(base).is_err(), "{base}");
        }
        let open = |base| Service::without_credential(&Client::new(), base, Duration::from_secs(1));
        for base in ["https://api.example", "http://presidio:3000", "http://127.0.0.1:1/"] {
            assert!(open(base).is_ok(), "{base}");
        }
        for base in ["ftp://x", "", "http://", "http://u@x", "http://x?y"] {
            assert!(open(base).is_err(), "{base}");
        }
    }

    #[test]
    fn a_form_keeps_brackets_of_names_and_encodes_values() {
        let form = Document::form([("a[b]", "x y&z"), ("c", "ä/+")]);
        assert_eq!(form.body, "a[b]=x%20y%26z&c=%C3%A4%2F%2B");
    }

    #[test]
    fn a_service_prints_no_credential() {
        let service =
            Service::new(&Client::new(), "https://api.example", Duration::from_secs(1)).unwrap();
        let service = service.with_bearer(&Secret::new("sk_canary".to_owned())).unwrap();
        assert!(!format!("{service:?}").contains("canary"));
        let keyed = "https://api.example/v3/canary";
        let keyed = Service::new(&Client::new(), keyed, Duration::from_secs(1)).unwrap();
        assert_eq!(format!("{keyed:?}"), "Service { host: \"https://api.example\", .. }");
        assert!(!format!("{:?}", service.headers).contains("canary"));
    }
}
