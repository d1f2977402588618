//! A raw client.

use bytes::Bytes;
use http::Request;
use http_body_util::{BodyExt, Full};
use hyper_util::rt::TokioIo;
use serde_json::Value;
use signalbox_simulator::{Running, Simulator, start};
use tokio::net::TcpStream;

/// A PDF of nine bytes and a picture of three, in base64.
pub(crate) const PDF: &str = "JVBERi0xLjcK";
pub(crate) const PNG: &str = "iVBO";

pub(crate) struct Answer {
    pub(crate) status: u16,
    pub(crate) headers: http::HeaderMap,
    pub(crate) bytes: Vec<u8>,
}

impl Answer {
    pub(crate) fn text(&self) -> String {
        String::from_utf8_lossy(&self.bytes).into_owned()
    }

    pub(crate) fn json(&self) -> Value {
        assert_eq!(self.headers["content-type"], "application/json");
        serde_json::from_slice(&self.bytes).unwrap()
    }

    /// The data of server-sent events; each name is the data's type, where there is one.
    pub(crate) fn events(&self) -> Vec<Value> {
        assert_eq!(self.headers["content-type"], "text/event-stream");
        let text = self.text();
        let frames = text.split("\n\n").filter(|f| !f.is_empty() && !f.ends_with("[DONE]"));
        frames
            .map(|frame| {
                let data = frame.lines().find_map(|l| l.strip_prefix("data: ")).unwrap();
                let data: Value = serde_json::from_str(data).unwrap();
                if let Some(name) = frame.strip_prefix("event: ") {
                    assert_eq!(data["type"], name.lines().next().unwrap());
                }
                data
            })
            .collect()
    }

    /// Type and payload of the frames of a binary event stream, sums verified.
    pub(crate) fn frames(&self) -> Vec<(String, Value)> {
        assert_eq!(self.headers["content-type"], "application/vnd.amazon.eventstream");
        let (mut out, mut rest) = (Vec::new(), self.bytes.as_slice());
        while !rest.is_empty() {
            let number = |at: usize| u32::from_be_bytes(rest[at..at + 4].try_into().unwrap());
            let (total, headers) = (number(0) as usize, number(4) as usize);
            assert_eq!(number(8), crc(&rest[..8]));
            assert_eq!(number(total - 4), crc(&rest[..total - 4]));
            let head = String::from_utf8_lossy(&rest[12..12 + headers]).into_owned();
            let named = |name: &str| {
                let value = head.split_once(name)?.1.as_bytes()[3..].to_vec();
                let end =
                    value.iter().position(|b| *b == b'\r' || *b == b':').unwrap_or(value.len());
                Some(String::from_utf8(value[..end].to_vec()).unwrap())
            };
            let kind = named(":event-type").or_else(|| named(":exception-type")).unwrap();
            let payload = serde_json::from_slice(&rest[12 + headers..total - 4]).unwrap();
            out.push((kind, payload));
            rest = &rest[total..];
        }
        out
    }
}

/// CRC-32, bit by bit.
fn crc(bytes: &[u8]) -> u32 {
    !bytes.iter().fold(u32::MAX, |sum, byte| {
        (0..8).fold(sum ^ u32::from(*byte), |s, _| {
            if s & 1 == 1 { (s >> 1) ^ 0xEDB8_8320 } else { s >> 1 }
        })
    })
}

pub(crate) async fn simulator() -> Running {
    start(Simulator::new()).await.unwrap()
}

pub(crate) async fn send(
    to: &Running,
    path: &str,
    headers: &[(&str, &str)],
    body: impl Into<Bytes>,
) -> Answer {
    let stream = TcpStream::connect(to.address()).await.unwrap();
    let (mut sender, connection) =
        hyper::client::conn::http1::handshake(TokioIo::new(stream)).await.unwrap();
    let connection = signalbox_runtime::task::spawn("client", connection);
    let mut request = Request::post(path).header("host", "sim");
    for (name, value) in headers {
        request = request.header(*name, *value);
    }
    let request = request.body(Full::new(body.into())).unwrap();
    let response = sender.send_request(request).await.unwrap();
    let (parts, mut body) = response.into_parts();
    let mut bytes = Vec::new();
    // A connection that breaks ends the body.
    while let Some(Ok(frame)) = body.frame().await {
        bytes.extend_from_slice(frame.data_ref().unwrap());
    }
    connection.abort();
    Answer { status: parts.status.as_u16(), headers: parts.headers, bytes }
}

pub(crate) async fn post(to: &Running, path: &str, body: &Value) -> Answer {
    send(to, path, &[("anthropic-version", "2023-06-01")], body.to_string()).await
}

/// All strings at a pointer, put together.
pub(crate) fn joined(events: &[Value], pointer: &str) -> String {
    events.iter().filter_map(|e| e.pointer(pointer)?.as_str()).collect()
}

/// A body with some members put over others.
pub(crate) fn with(mut body: Value, members: Value) -> Value {
    for (key, value) in members.as_object().unwrap() {
        body[key] = value.clone();
    }
    body
}
