//! One HTTP/1.1 client with warm connections for all providers.

use std::sync::{Arc, PoisonError, RwLock};
use std::time::Duration;

use bytes::{Bytes, BytesMut};
use http::{HeaderMap, Method, Request, Response, StatusCode, Uri, header};
use http_body_util::BodyExt;
use hyper::body::Incoming;
use hyper_rustls::HttpsConnector;
use hyper_util::client::legacy::connect::HttpConnector;
use hyper_util::client::legacy::{Client as Pool, Error as PoolError};
use hyper_util::rt::{TokioExecutor, TokioTimer};
use signalbox_core::Timeouts;
use tokio::time::error::Elapsed;

use crate::address::AddressError;
use crate::body::Ready;
use crate::connect::{self, InTime, Limits};
use crate::dial::{self, Dial, Guard, Resolve, SystemResolver};
use crate::reach::Reach;
use crate::retry_after;
use crate::token::TokenError;
use crate::transport::{Call, Origin, Target};

/// Why a call gave no usable answer. Nothing here came from the provider's body.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum CallError {
    /// No connection: nothing was sent, so another try is safe.
    #[error("no connection")]
    Connect,
    /// A tenant's address leads to what is not in reach: nothing was sent.
    #[error("the address is not one that may be called")]
    OutOfReach,
    /// The connection broke before the answer was complete.
    #[error("the connection broke")]
    Broken,
    /// Nothing arrived in time.
    #[error("no answer within {0:?}")]
    Timeout(Duration),
    /// The provider took nothing of the request for so long.
    #[error("the request could not be sent on for {0:?}")]
    Stalled(Duration),
    /// Nothing more of the answer arrived for so long.
    #[error("silence for {0:?}")]
    Silent(Duration),
    /// The answer was larger than its limit in bytes.
    #[error("the answer is larger than {0} bytes")]
    TooLarge(usize),
    /// Model and region of the call give no address: nothing was sent.
    #[error("{0}")]
    Address(AddressError),
    /// The credential gives no access token: nothing was sent.
    #[error("{0}")]
    Credential(TokenError),
}

type Connections = Pool<InTime<HttpsConnector<Dial>>, Ready>;

/// The client. Clones share the connections.
#[derive(Debug, Clone)]
pub struct Client {
    usual: (Limits, Connections),
    /// Connections with other limits, which few providers have.
    others: Arc<RwLock<Vec<(Limits, Connections)>>>,
    /// What its connections may lead to; `None` is anything.
    guard: Option<Guard>,
    /// The one for tenants' addresses; `None` when this is that.
    tenants: Option<Arc<Self>>,
}

/// The head of a provider's answer, with its body still to be read.
#[derive(Debug)]
pub struct Answer {
    /// HTTP status.
    pub status: StatusCode,
    /// Response headers.
    pub headers: HeaderMap,
    body: Incoming,
}

impl Default for Client {
    fn default() -> Self {
        Self::new()
    }
}

impl Client {
    /// A client with the built-in trust roots and the usual limits. Connections are kept for 90 s,
    /// as many as are used. What tenants name is reached on the public internet only.
    #[must_use]
    pub fn new() -> Self {
        Self::reaching(Reach::PublicOnly)
    }

    /// The same with this reach for what tenants name.
    #[must_use]
    pub fn reaching(reach: Reach) -> Self {
        Self::resolving(reach, Arc::new(SystemResolver))
    }

    /// The same with a resolver for the names that tenants give.
    #[must_use]
    pub fn resolving(reach: Reach, resolver: Arc<dyn Resolve>) -> Self {
        let tenants = Self::guarding(Some(Guard { reach: Arc::new(reach), resolver }));
        Self { tenants: Some(Arc::new(tenants)), ..Self::guarding(None) }
    }

    fn guarding(guard: Option<Guard>) -> Self {
        let usual = Limits::of(&Timeouts::default());
        let usual = (usual, connections(usual, guard.as_ref()));
        Self { usual, others: Arc::default(), guard, tenants: None }
    }

    /// The client for addresses that come from tenants.
    pub(crate) fn guarded(&self) -> &Self {
        self.tenants.as_deref().unwrap_or(self)
    }

    /// The connections with these limits.
    fn connections(&self, limits: Limits) -> Connections {
        let (usual, connections_of_usual) = &self.usual;
        if *usual == limits {
            return connections_of_usual.clone();
        }
        let found = |others: &[(Limits, Connections)]| {
            let mut others = others.iter();
            others.find(|(other, _)| *other == limits).map(|(_, found)| found.clone())
        };
        if let Some(found) = found(&self.others.read().unwrap_or_else(PoisonError::into_inner)) {
            return found;
        }
        let mut others = self.others.write().unwrap_or_else(PoisonError::into_inner);
        found(&others).unwrap_or_else(|| {
            let new = connections(limits, self.guard.as_ref());
            others.push((limits, new.clone()));
            new
        })
    }

    /// Posts a JSON body and waits for the head of the answer, at most `timeout`. When no
    /// connection came about, nothing was sent, so that it is tried a second time at once; unless
    /// the first try already took all the time that a connection may take.
    ///
    /// # Errors
    /// Any [`CallError`] but `TooLarge`.
    pub async fn post(
        &self,
        target: &Target,
        call: Call<'_>,
        limits: Limits,
        timeout: Duration,
    ) -> Result<Answer, CallError> {
        let mut prepared = target.prepare(&call)?;
        if let Some(tokens) = &target.tokens {
            // Almost always there already; a call that has to fetch one waits no longer for it.
            let server = if target.origin == Origin::Row { self } else { self.guarded() };
            let value = Box::pin(tokens.header(server, call.now));
            let value = match tokio::time::timeout(timeout, value).await {
                Ok(value) => value.map_err(CallError::Credential)?,
                Err(_) => return Err(CallError::Timeout(timeout)),
            };
            prepared.headers.to_mut().insert(header::AUTHORIZATION, value);
        }
        let by = if target.origin == Origin::Tenant { self.guarded() } else { self };
        let connections = by.connections(limits);
        send(&connections, limits, &prepared.uri, &prepared.headers, &call.body, timeout).await
    }

    /// Posts a body and waits for the head of the answer.
    pub(crate) async fn send(
        &self,
        uri: &Uri,
        headers: &HeaderMap,
        body: &[Bytes],
        timeout: Duration,
    ) -> Result<Answer, CallError> {
        let (limits, connections) = &self.usual;
        send(connections, *limits, uri, headers, body, timeout).await
    }

    /// Any request with a body that is there already, and the head of its answer.
    pub(crate) async fn request(
        &self,
        method: Method,
        uri: &Uri,
        headers: &HeaderMap,
        body: &[Bytes],
        timeout: Duration,
    ) -> Result<Answer, CallError> {
        let (limits, connections) = &self.usual;
        send_as(connections, *limits, method, uri, headers, body, timeout).await
    }

    /// Gets a small document, such as a local server's list of models, from a target whose address
    /// has no placeholders.
    ///
    /// # Errors
    /// As [`Client::post`], and [`CallError::TooLarge`] above one MiB.
    pub async fn get(&self, target: &Target, timeout: Duration) -> Result<Bytes, CallError> {
        let (uri, headers) = target.bare().ok_or(CallError::Address(AddressError::Malformed))?;
        let mut request = Request::new(Ready::new(Vec::new()));
        *request.uri_mut() = uri.clone();
        *request.headers_mut() = headers.clone();
        let (limits, connections) = &self.usual;
        let called = tokio::time::timeout(timeout, connections.request(request)).await;
        let answer = answered(called, *limits, timeout)?;
        if !answer.status.is_success() {
            return Err(CallError::Broken);
        }
        answer.collect(1024 * 1024, timeout, timeout).await
    }
}

fn connections(limits: Limits, guard: Option<&Guard>) -> Connections {
    let mut tcp = HttpConnector::new();
    tcp.set_nodelay(true);
    tcp.enforce_http(false);
    tcp.set_connect_timeout(Some(limits.connect));
    tcp.set_keepalive(Some(Duration::from_secs(30)));
    let tcp = guard.map_or(Dial::Open(tcp), |guard| Dial::Guarded(guard.clone()));
    let connector = hyper_rustls::HttpsConnectorBuilder::new()
        .with_webpki_roots()
        .https_or_http()
        .enable_http1()
        .wrap_connector(tcp);
    Pool::builder(TokioExecutor::new())
        .pool_idle_timeout(Duration::from_secs(90))
        .pool_timer(TokioTimer::new())
        .retry_canceled_requests(true)
        .build(InTime::new(connector, limits))
}

async fn send(
    connections: &Connections,
    limits: Limits,
    uri: &Uri,
    headers: &HeaderMap,
    body: &[Bytes],
    timeout: Duration,
) -> Result<Answer, CallError> {
    send_as(connections, limits, Method::POST, uri, headers, body, timeout).await
}

async fn send_as(
    connections: &Connections,
    limits: Limits,
    method: Method,
    uri: &Uri,
    headers: &HeaderMap,
    body: &[Bytes],
    timeout: Duration,
) -> Result<Answer, CallError> {
    let request = || {
        let mut request = Request::new(Ready::new(body.to_vec()));
        request.method_mut().clone_from(&method);
        *request.uri_mut() = uri.clone();
        *request.headers_mut() = headers.clone();
        request
    };
    let call = async {
        match connections.request(request()).await {
            Err(error)
                if error.is_connect()
                    && !connect::was_too_slow(&error)
                    && !dial::was_out_of_reach(&error) =>
            {
                connections.request(request()).await
            }
            done => done,
        }
    };
    answered(tokio::time::timeout(timeout, call).await, limits, timeout)
}

/// The head of the answer, or why there is none.
fn answered(
    called: Result<Result<Response<Incoming>, PoolError>, Elapsed>,
    limits: Limits,
    timeout: Duration,
) -> Result<Answer, CallError> {
    match called {
        Err(_) => Err(CallError::Timeout(timeout)),
        Ok(Err(error)) if dial::was_out_of_reach(&error) => Err(CallError::OutOfReach),
        Ok(Err(error)) if error.is_connect() => Err(CallError::Connect),
        Ok(Err(error)) if connect::timed_out(&error) => Err(CallError::Stalled(limits.write_idle)),
        Ok(Err(_)) => Err(CallError::Broken),
        Ok(Ok(response)) => {
            let (head, body) = response.into_parts();
            Ok(Answer { status: head.status, headers: head.headers, body })
        }
    }
}

impl Answer {
    /// Seconds after which the provider wants to be asked again, if it said so. Figures of its
    /// request limit count only with a 429: other answers carry them too.
    #[must_use]
    pub fn retry_after(&self, now: signalbox_core::Timestamp) -> Option<u64> {
        let limited = self.status == StatusCode::TOO_MANY_REQUESTS;
        let reset = || limited.then(|| retry_after::reset(&self.headers, now)).flatten();
        retry_after::read(&self.headers, now).or_else(reset)
    }

    /// Whether the body is an event stream.
    #[must_use]
    pub fn is_event_stream(&self) -> bool {
        self.has_type("text/event-stream")
    }

    /// Whether the body is a stream of AWS event messages.
    #[must_use]
    pub fn is_aws_event_stream(&self) -> bool {
        self.has_type("application/vnd.amazon.eventstream")
    }

    fn has_type(&self, expected: &str) -> bool {
        let given = self.headers.get(header::CONTENT_TYPE).and_then(|value| value.to_str().ok());
        let essence = given.and_then(|value| value.split(';').next());
        essence.is_some_and(|essence| essence.trim().eq_ignore_ascii_case(expected))
    }

    /// The next bytes of the body, or `None` at its end. Waits as long as it takes: the caller
    /// holds the deadline.
    ///
    /// # Errors
    /// [`CallError::Broken`].
    pub async fn chunk(&mut self) -> Result<Option<Bytes>, CallError> {
        loop {
            match self.body.frame().await {
                None => return Ok(None),
                Some(Err(_)) => return Err(CallError::Broken),
                Some(Ok(frame)) => {
                    if let Ok(data) = frame.into_data() {
                        return Ok(Some(data));
                    }
                }
            }
        }
    }

    /// The next bytes of the body, or `None` at its end.
    ///
    /// # Errors
    /// [`CallError::Broken`], and [`CallError::Silent`] when nothing comes for `idle`.
    pub async fn chunk_within(&mut self, idle: Duration) -> Result<Option<Bytes>, CallError> {
        match tokio::time::timeout(idle, self.chunk()).await {
            Ok(chunk) => chunk,
            Err(_) => Err(CallError::Silent(idle)),
        }
    }

    /// The whole body, at most `limit` bytes, within `timeout` and without a silence of `idle`.
    ///
    /// # Errors
    /// Any [`CallError`] but `Connect`.
    pub async fn collect(
        mut self,
        limit: usize,
        timeout: Duration,
        idle: Duration,
    ) -> Result<Bytes, CallError> {
        let read = async {
            let Some(first) = self.chunk_within(idle).await? else { return Ok(Bytes::new()) };
            let Some(second) = self.chunk_within(idle).await? else {
                return if first.len() > limit {
                    Err(CallError::TooLarge(limit))
                } else {
                    Ok(first)
                };
            };
            let mut whole = BytesMut::from(first);
            let mut next = Some(second);
            while let Some(chunk) = next {
                if whole.len().saturating_add(chunk.len()) > limit {
                    return Err(CallError::TooLarge(limit));
                }
                whole.extend_from_slice(&chunk);
                next = self.chunk_within(idle).await?;
            }
            Ok(whole.freeze())
        };
        match tokio::time::timeout(timeout, read).await {
            Ok(done) => done,
            Err(_) => Err(CallError::Timeout(timeout)),
        }
    }

    /// The beginning of an error body, at most `limit` bytes; whatever goes wrong is left out.
    pub async fn excerpt(mut self, limit: usize, timeout: Duration) -> Bytes {
        let mut text = BytesMut::new();
        let read = async {
            while let Ok(Some(chunk)) = self.chunk().await {
                let room = limit.saturating_sub(text.len());
                text.extend_from_slice(chunk.get(..room.min(chunk.len())).unwrap_or_default());
                if chunk.len() >= room {
                    break;
                }
            }
        };
        // What arrived before the deadline is enough.
        drop(tokio::time::timeout(timeout, read).await);
        text.freeze()
    }
}
