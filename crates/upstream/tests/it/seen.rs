//! A server that notes what it is sent and answers with an empty object.

use std::time::Duration;

use bytes::Bytes;
use signalbox_catalog::{Dialect, Provider, ProviderRow};
use signalbox_core::{Secret, Timeouts, Timestamp};
use signalbox_upstream::{
    Call, CallError, Client, Credential, HeaderMap, Limits, Target, TransportError,
};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};

/// What is asked of the client.
#[derive(Clone, Copy, Default)]
pub struct Sent<'a> {
    pub model: &'a str,
    pub region: Option<&'a str>,
    pub stream: bool,
    pub headers: Option<&'a HeaderMap>,
    pub now: Option<Timestamp>,
}

/// What arrived.
#[derive(Debug)]
pub struct Seen {
    pub path: String,
    pub headers: Vec<(String, String)>,
    pub body: String,
}

impl Seen {
    pub fn all(&self, name: &str) -> Vec<&str> {
        let named = self.headers.iter().filter(|(one, _)| one.eq_ignore_ascii_case(name));
        named.map(|(_, value)| value.as_str()).collect()
    }

    pub fn header(&self, name: &str) -> Option<&str> {
        self.all(name).first().copied()
    }
}

/// A provider with one dialect; `row` and `speaks` are further lines of TOML.
pub fn provider(base: &str, row: &str, speaks: &str) -> Provider {
    let text = format!(
        "slug = 'acme'\nbase_url = '{base}'\n{row}\n[[speaks]]\ndialect = 'openai-chat'\n{speaks}"
    );
    toml::from_str::<ProviderRow>(&text).unwrap().apply(None).unwrap()
}

pub fn target(provider: &Provider, key: Option<&str>) -> Result<Target, TransportError> {
    let key = key.map(|key| Credential::parse(&Secret::new(key.to_owned())).unwrap());
    Target::new(provider, Dialect::OpenaiChat, key.as_ref())
}

pub async fn listener() -> (TcpListener, String) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap().to_string();
    (listener, address)
}

/// Sends one request to a provider whose base URL is a fresh server.
pub async fn send(
    row: &str,
    speaks: &str,
    key: Option<&str>,
    sent: Sent<'_>,
) -> Result<Seen, CallError> {
    let (listener, address) = listener().await;
    let provider = provider(&format!("http://{address}/v1"), row, speaks);
    exchange(&listener, &target(&provider, key).unwrap(), sent).await
}

/// Sends one request and reads it at the other end.
pub async fn exchange(
    listener: &TcpListener,
    target: &Target,
    sent: Sent<'_>,
) -> Result<Seen, CallError> {
    let none = HeaderMap::new();
    let call = Call {
        model: sent.model,
        region: sent.region,
        stream: sent.stream,
        headers: sent.headers.unwrap_or(&none),
        body: vec![Bytes::from_static(b"{\"a\""), Bytes::from_static(b":1}")],
        now: sent.now.unwrap_or(Timestamp::from_seconds(1)),
    };
    let client = Client::new();
    let posted =
        client.post(target, call, Limits::of(&Timeouts::default()), Duration::from_secs(10));
    tokio::pin!(posted);
    let (mut stream, _) = tokio::select! {
        answer = &mut posted => return Err(answer.unwrap_err()),
        accepted = listener.accept() => accepted.unwrap(),
    };
    let serve = async {
        let seen = read(&mut stream).await;
        answer(&mut stream, 200, "{}").await;
        seen
    };
    let (seen, answer) = tokio::join!(serve, posted);
    answer.map(|_| seen)
}

/// Reads one request with a `content-length`.
pub async fn read(stream: &mut TcpStream) -> Seen {
    let mut bytes = Vec::new();
    let (head, body) = loop {
        let mut chunk = [0; 4096];
        let count = stream.read(&mut chunk).await.unwrap();
        assert!(count > 0, "the request ended early");
        bytes.extend_from_slice(&chunk[..count]);
        let text = String::from_utf8_lossy(&bytes).into_owned();
        let Some((head, body)) = text.split_once("\r\n\r\n") else { continue };
        let length = head.lines().find_map(|line| {
            let (name, value) = line.split_once(':')?;
            name.eq_ignore_ascii_case("content-length").then(|| value.trim().parse().unwrap())
        });
        let length: usize = length.unwrap_or(0);
        if body.len() >= length {
            break (head.to_owned(), body.to_owned());
        }
    };
    let mut lines = head.lines();
    let path = lines.next().unwrap().split(' ').nth(1).unwrap().to_owned();
    let headers = lines.filter_map(|line| line.split_once(':'));
    let headers = headers.map(|(name, value)| (name.to_owned(), value.trim().to_owned())).collect();
    Seen { path, headers, body }
}

pub async fn answer(stream: &mut TcpStream, status: u16, body: &str) {
    let head = format!("HTTP/1.1 {status} X\r\ncontent-length: {}\r\n\r\n", body.len());
    stream.write_all(head.as_bytes()).await.unwrap();
    stream.write_all(body.as_bytes()).await.unwrap();
}
