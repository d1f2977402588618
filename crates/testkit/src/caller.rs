//! A small HTTP/1.1 client: one connection for each request, so that leaving is closing it.

use std::net::SocketAddr;
use std::time::Duration;

use bytes::{Bytes, BytesMut};
use http::{HeaderMap, Method, Request, header};
use http_body_util::{BodyExt, Full};
use hyper::body::Incoming;
use hyper_util::rt::TokioIo;
use serde_json::Value;
use signalbox_runtime::task;
use tokio::net::TcpStream;
use tokio::task::JoinHandle;

use crate::Events;

/// Longest that a client waits for anything.
const PATIENCE: Duration = Duration::from_secs(90);

/// The path of chat completions.
const CHAT: &str = "/api/v1/chat/completions";

/// When a client closes its connection.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Leave {
    /// At the end of the answer.
    Never,
    /// When so many bytes of the body are there.
    AfterBytes(usize),
    /// When so many events are there, comments included.
    AfterEvents(usize),
    /// So long after it began to connect.
    After(Duration),
}

/// Somebody with a key.
#[derive(Debug, Clone)]
pub struct Caller {
    address: SocketAddr,
    headers: Vec<(String, String)>,
}

/// What came back.
#[derive(Debug, Clone)]
pub struct Reply {
    /// The HTTP status; 0 when the client left before it came.
    pub status: u16,
    /// The response headers.
    pub headers: HeaderMap,
    /// The body, as far as it was read.
    pub body: Bytes,
    /// Whether the body was read to its proper end.
    pub ended: bool,
}

/// An answer that is still arriving. Dropping it closes the connection.
#[derive(Debug)]
pub struct Opened {
    reply: Reply,
    received: BytesMut,
    body: Incoming,
    _connection: Connection,
}

#[derive(Debug)]
struct Connection(JoinHandle<Option<()>>);

impl Drop for Connection {
    fn drop(&mut self) {
        self.0.abort();
    }
}

impl Caller {
    pub(crate) fn new(address: SocketAddr, key: &str) -> Self {
        Self { address, headers: Vec::new() }.with_key(key)
    }

    /// The same caller with another key.
    #[must_use]
    pub fn with_key(&self, key: &str) -> Self {
        self.without("authorization").with("authorization", &format!("Bearer {key}"))
    }

    /// The same caller with one more header.
    #[must_use]
    pub fn with(&self, name: &str, value: &str) -> Self {
        let mut caller = self.clone();
        caller.headers.push((name.to_owned(), value.to_owned()));
        caller
    }

    /// The same caller without a header.
    #[must_use]
    pub fn without(&self, name: &str) -> Self {
        let mut caller = self.clone();
        caller.headers.retain(|(other, _)| other != name);
        caller
    }

    /// `GET`.
    pub async fn get(&self, path: &str) -> Reply {
        self.send(Method::GET, path, Bytes::new()).await
    }

    /// `POST` of a chat request, read to its end.
    pub async fn chat(&self, body: &Value) -> Reply {
        self.send(Method::POST, CHAT, body.to_string().into()).await
    }

    /// `POST` of a JSON document, read to its end.
    pub async fn post(&self, path: &str, body: &Value) -> Reply {
        self.send(Method::POST, path, body.to_string().into()).await
    }

    /// `POST` of any bytes as a chat request.
    pub async fn chat_bytes(&self, body: impl Into<Bytes>) -> Reply {
        self.send(Method::POST, CHAT, body.into()).await
    }

    /// Any request, read to its end.
    ///
    /// # Panics
    /// When the server does not answer.
    pub async fn send(&self, method: Method, path: &str, body: Bytes) -> Reply {
        let work = async { self.open(method, path, body).await.rest().await };
        match tokio::time::timeout(PATIENCE, work).await {
            Ok(reply) => reply,
            Err(_) => panic!("no end of {path} within {PATIENCE:?}"),
        }
    }

    /// A chat request whose answer is read piece by piece.
    ///
    /// # Panics
    /// When the server does not answer.
    pub async fn chat_open(&self, body: &Value) -> Opened {
        self.open(Method::POST, CHAT, body.to_string().into()).await
    }

    /// Any JSON request whose answer is read piece by piece.
    ///
    /// # Panics
    /// When the server does not answer.
    pub async fn post_open(&self, path: &str, body: &Value) -> Opened {
        self.open(Method::POST, path, body.to_string().into()).await
    }

    /// A chat request by a client that may leave.
    pub async fn chat_until(&self, body: &Value, leave: Leave) -> Reply {
        let gone =
            || Reply { status: 0, headers: HeaderMap::new(), body: Bytes::new(), ended: false };
        let Leave::After(moment) = leave else {
            let mut opened = self.chat_open(body).await;
            while !opened.has(leave) && opened.chunk().await.is_some() {}
            return opened.leave();
        };
        // What arrives is kept outside, so that it is there when time is up.
        let mut kept = None;
        let work = async {
            let opened = kept.insert(self.chat_open(body).await);
            while opened.chunk().await.is_some() {}
        };
        drop(tokio::time::timeout(moment, work).await);
        kept.map_or_else(gone, Opened::leave)
    }

    async fn open(&self, method: Method, path: &str, body: Bytes) -> Opened {
        let socket = TcpStream::connect(self.address).await.expect("a connection to the server");
        socket.set_nodelay(true).expect("no delay");
        let io = TokioIo::new(socket);
        let (mut sender, connection) =
            hyper::client::conn::http1::handshake(io).await.expect("a handshake");
        let connection = Connection(task::spawn("test client", async move {
            // How a connection ended is seen by whoever reads the body.
            drop(connection.await);
        }));
        let mut request = Request::builder()
            .method(method)
            .uri(path)
            .header(header::CONTENT_TYPE, "application/json");
        if !self.headers.iter().any(|(name, _)| name == "host") {
            request = request.header(header::HOST, self.address.to_string());
        }
        for (name, value) in &self.headers {
            request = request.header(name, value);
        }
        let request = request.body(Full::new(body)).expect("a request");
        let response = sender.send_request(request).await.expect("an answer's head");
        let (head, body) = response.into_parts();
        let reply = Reply {
            status: head.status.as_u16(),
            headers: head.headers,
            body: Bytes::new(),
            ended: false,
        };
        Opened { reply, received: BytesMut::new(), body, _connection: connection }
    }
}

impl Opened {
    /// The status of the answer.
    #[must_use]
    pub fn status(&self) -> u16 {
        self.reply.status
    }

    /// The next bytes; `None` at the end, whether proper or not.
    pub async fn chunk(&mut self) -> Option<Bytes> {
        loop {
            match self.body.frame().await {
                None => {
                    self.reply.ended = true;
                    return None;
                }
                Some(Err(_)) => return None,
                Some(Ok(frame)) => {
                    if let Ok(bytes) = frame.into_data() {
                        self.received.extend_from_slice(&bytes);
                        return Some(bytes);
                    }
                }
            }
        }
    }

    /// Reads on until this many whole events are there, comments included; fewer when it ends.
    pub async fn events(&mut self, count: usize) -> Events {
        while !self.has(Leave::AfterEvents(count)) && self.chunk().await.is_some() {}
        Events::read(&self.received)
    }

    /// What is there so far.
    #[must_use]
    pub fn so_far(&self) -> Reply {
        Reply { body: self.received.clone().freeze(), ..self.reply.clone() }
    }

    /// Reads on until the body has this text in it.
    ///
    /// # Panics
    /// When it ends without it.
    pub async fn until(&mut self, text: &str) {
        while !self.has_text(text) {
            let more = self.chunk().await;
            assert!(more.is_some(), "no {text:?} in {:?}", self.received);
        }
    }

    /// Whether this text is there already.
    #[must_use]
    pub fn has_text(&self, text: &str) -> bool {
        memchr::memmem::find(&self.received, text.as_bytes()).is_some()
    }

    fn has(&self, leave: Leave) -> bool {
        match leave {
            Leave::Never | Leave::After(_) => false,
            Leave::AfterBytes(count) => self.received.len() >= count,
            Leave::AfterEvents(count) => {
                self.received.windows(2).filter(|two| two == b"\n\n").count() >= count
            }
        }
    }

    /// Reads to the end.
    pub async fn rest(mut self) -> Reply {
        while self.chunk().await.is_some() {}
        self.leave()
    }

    /// Closes the connection.
    #[must_use]
    pub fn leave(self) -> Reply {
        Reply { body: self.received.freeze(), ..self.reply }
    }
}

impl Reply {
    /// A response header.
    #[must_use]
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name)?.to_str().ok()
    }

    /// The body as JSON.
    ///
    /// # Panics
    /// When it is none.
    #[must_use]
    pub fn json(&self) -> Value {
        serde_json::from_slice(&self.body).unwrap_or_else(|error| {
            panic!("{error} in {}: {}", self.status, String::from_utf8_lossy(&self.body))
        })
    }

    /// The body as an event stream.
    #[must_use]
    pub fn events(&self) -> Events {
        Events::read(&self.body)
    }

    /// Whether it is an event stream.
    #[must_use]
    pub fn is_stream(&self) -> bool {
        self.header("content-type").is_some_and(|kind| kind.starts_with("text/event-stream"))
    }
}
