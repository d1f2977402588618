//! The client for addresses that tenants give: webhooks, token servers, sign-in services. It reaches
//! what [`Reach`] permits, follows no redirect, and reads no more than it is told to.

use std::fmt;
use std::time::Duration;

use bytes::Bytes;
use http::{HeaderMap, Method, header};

use crate::client::{CallError, Client};
use crate::web_address::{WebAddress, WebAddressError};

/// A client for tenants' addresses. Clones share the connections.
#[derive(Clone)]
pub struct Guarded(Client);

/// One request.
#[derive(Debug, Clone)]
pub struct Fetch<'a> {
    /// Its method.
    pub method: Method,
    /// Where it goes, as a tenant wrote it.
    pub address: &'a str,
    /// Its headers; the host is that of the address.
    pub headers: HeaderMap,
    /// Its body; empty is none.
    pub body: Bytes,
    /// How long it may take in all.
    pub timeout: Duration,
    /// Most bytes of the answer.
    pub most: usize,
}

impl<'a> Fetch<'a> {
    /// A small document within ten seconds.
    #[must_use]
    pub fn get(address: &'a str) -> Self {
        let (headers, body) = (HeaderMap::new(), Bytes::new());
        let (timeout, most) = (Duration::from_secs(10), 1024 * 1024);
        Self { method: Method::GET, address, headers, body, timeout, most }
    }
}

/// An answer, whatever its status: a redirect is an answer too.
#[derive(Debug, Clone)]
pub struct Fetched {
    /// The status.
    pub status: u16,
    /// The headers.
    pub headers: HeaderMap,
    /// The body.
    pub body: Bytes,
}

/// Why there is no answer. Nothing here says what is at the address.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum FetchError {
    /// The text is no address.
    #[error(transparent)]
    Address(#[from] WebAddressError),
    /// It leads, or part of it leads, to what is not in reach.
    #[error("the address is not one that may be called")]
    OutOfReach,
    /// Anything else.
    #[error(transparent)]
    Call(CallError),
}

impl Guarded {
    /// The guarded side of a client.
    #[must_use]
    pub const fn new(client: Client) -> Self {
        Self(client)
    }

    /// Sends a request and reads the whole answer.
    ///
    /// # Errors
    /// See [`FetchError`].
    pub async fn fetch(&self, fetch: Fetch<'_>) -> Result<Fetched, FetchError> {
        let address = WebAddress::parse(fetch.address)?;
        let mut headers = fetch.headers;
        headers.remove(header::HOST);
        let body = if fetch.body.is_empty() { Vec::new() } else { vec![fetch.body] };
        let timeout = fetch.timeout;
        let call = async {
            let asked =
                self.0.guarded().request(fetch.method, address.uri(), &headers, &body, timeout);
            let answer = asked.await?;
            let (status, headers) = (answer.status.as_u16(), answer.headers.clone());
            let body = answer.collect(fetch.most, timeout, timeout).await?;
            Ok(Fetched { status, headers, body })
        };
        let done = tokio::time::timeout(timeout, call).await;
        done.unwrap_or(Err(CallError::Timeout(timeout))).map_err(|error| match error {
            CallError::OutOfReach => FetchError::OutOfReach,
            other => FetchError::Call(other),
        })
    }
}

impl fmt::Debug for Guarded {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Guarded")
    }
}
