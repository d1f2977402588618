//! Clients that are used to servers that die: nothing that happens to a connection is an error here.

use std::net::SocketAddr;
use std::time::Duration;

use bytes::Bytes;
use http::{Method, Request, Response, header};
use http_body_util::{BodyExt, Full};
use hyper::body::Incoming;
use hyper::client::conn::http1::{SendRequest, handshake};
use hyper_util::rt::TokioIo;
use serde_json::{Value, json};
use signalbox_runtime::task;
use tokio::net::TcpStream;
use tokio::task::JoinHandle;

use crate::seen::Seen;
use crate::watch;

/// One request.
#[derive(Debug, Clone)]
pub struct Wish {
    pub key: String,
    pub model: String,
    pub stream: bool,
    pub tag: String,
    pub max_tokens: Option<u64>,
    /// Tokens after which the client leaves.
    pub leave_after: Option<usize>,
    /// Further members of the body.
    pub more: Value,
}

impl Wish {
    pub fn new(key: &str, model: &str, tag: String) -> Self {
        let (key, model) = (key.to_owned(), model.to_owned());
        let (max_tokens, leave_after, more) = (Some(2_000), None, json!({}));
        Self { key, model, stream: false, tag, max_tokens, leave_after, more }
    }

    pub fn streamed(mut self) -> Self {
        self.stream = true;
        self
    }

    pub fn leaving_after(mut self, tokens: usize) -> Self {
        self.leave_after = Some(tokens);
        self
    }

    fn body(&self) -> Bytes {
        let mut body = json!({
            "model": self.model, "stream": self.stream, "user": self.tag,
            "messages": [{"role": "user", "content": format!("Say it again, {}!", self.tag)}],
        });
        let members = body.as_object_mut().unwrap();
        if let Some(most) = self.max_tokens {
            members.insert("max_tokens".to_owned(), json!(most));
        }
        members.extend(self.more.as_object().unwrap().clone());
        Bytes::from(body.to_string())
    }
}

/// A connection; dropping it closes it.
pub struct Line {
    address: SocketAddr,
    sender: SendRequest<Full<Bytes>>,
    task: JoinHandle<Option<()>>,
}

impl Drop for Line {
    fn drop(&mut self) {
        self.task.abort();
    }
}

impl Line {
    /// `None` when nobody listens.
    pub async fn open(address: SocketAddr) -> Option<Self> {
        let socket = TcpStream::connect(address).await.ok()?;
        socket.set_nodelay(true).ok()?;
        let (sender, connection) = handshake(TokioIo::new(socket)).await.ok()?;
        let task = task::spawn("test client", async move { drop(connection.await) });
        Some(Self { address, sender, task })
    }

    /// Sends a request and gives the answer's head.
    pub async fn send(
        &mut self,
        method: Method,
        path: &str,
        headers: &[(&str, &str)],
        body: Bytes,
    ) -> Option<Response<Incoming>> {
        let mut request = Request::builder()
            .method(method)
            .uri(path)
            .header(header::HOST, self.address.to_string())
            .header(header::CONTENT_TYPE, "application/json");
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        self.sender.send_request(request.body(Full::new(body)).unwrap()).await.ok()
    }
}

/// The status of a `GET`, if anybody answers.
pub async fn status(address: SocketAddr, path: &str) -> Option<u16> {
    let mut line = Line::open(address).await?;
    let head = line.send(Method::GET, path, &[], Bytes::new()).await?;
    Some(head.status().as_u16())
}

/// A chat completion from connect to end, whatever the end is.
pub async fn chat(address: SocketAddr, wish: &Wish) -> Seen {
    match Line::open(address).await {
        Some(line) => chat_on(line, wish, |_| {}).await,
        None => Seen { tag: wish.tag.clone(), ..Seen::default() },
    }
}

/// The same on an open connection. `each` is called when something arrived, before anything else is
/// read.
pub async fn chat_on(mut line: Line, wish: &Wish, mut each: impl FnMut(&Seen)) -> Seen {
    let mut seen = Seen { tag: wish.tag.clone(), ..Seen::default() };
    let key = format!("Bearer {}", wish.key);
    let headers = [("authorization", key.as_str())];
    let path = "/api/v1/chat/completions";
    let head = line.send(Method::POST, path, &headers, wish.body()).await;
    let Some(head) = head else { return seen };
    seen.status = head.status().as_u16();
    let id = head.headers().get("x-generation-id").and_then(|id| id.to_str().ok());
    seen.id = id.map(str::to_owned);
    let is_stream = head
        .headers()
        .get(header::CONTENT_TYPE)
        .is_some_and(|kind| kind.as_bytes().starts_with(b"text/event-stream"));
    let mut body = head.into_body();
    let mut unread = Vec::new();
    let mut ended = false;
    while let Some(frame) = body.frame().await {
        let Ok(frame) = frame else { return seen };
        let Ok(bytes) = frame.into_data() else { continue };
        unread.extend_from_slice(&bytes);
        if is_stream {
            events(&mut seen, &mut unread, watch::now());
        } else if serde_json::from_slice::<serde::de::IgnoredAny>(&unread).is_ok() {
            seen.take(&unread, watch::now());
            (ended, seen.done) = (true, true);
        }
        each(&seen);
        if wish.leave_after.is_some_and(|most| seen.tokens.len() >= most) {
            seen.left = true;
            return seen;
        }
        if ended {
            break;
        }
    }
    seen
}

/// Takes the whole events out of what arrived.
fn events(seen: &mut Seen, unread: &mut Vec<u8>, now: Duration) {
    while let Some(end) = unread.windows(2).position(|two| two == b"\n\n") {
        let event: Vec<u8> = unread.drain(..end + 2).collect();
        match event.strip_prefix(b"data: ") {
            Some(b"[DONE]\n\n") => seen.done = true,
            Some(json) => seen.take(json.trim_ascii_end(), now),
            None => assert!(event.starts_with(b":"), "{:?}", String::from_utf8_lossy(&event)),
        }
    }
}
