//! A server for tests: one handler for all requests.

use std::future::Future;

use bytes::Bytes;
use http_body_util::{BodyExt, Full};
use hyper::service::service_fn;
use hyper::{Request, Response};
use hyper_util::rt::TokioIo;
use signalbox_runtime::task;
use tokio::net::TcpListener;

/// A request, read to its end.
#[derive(Debug, Clone)]
pub struct Asked {
    pub method: String,
    /// With its query.
    pub path: String,
    pub headers: hyper::HeaderMap,
    pub body: Bytes,
}

/// Serves on a free port until the runtime ends. `None` breaks the connection.
pub async fn serve<F, A>(handler: F) -> String
where
    F: Fn(Asked) -> A + Clone + Send + Sync + 'static,
    A: Future<Output = Option<(u16, String)>> + Send + 'static,
{
    let listener = TcpListener::bind(("127.0.0.1", 0)).await.unwrap();
    let address = listener.local_addr().unwrap();
    drop(task::spawn("peer", async move {
        while let Ok((socket, _)) = listener.accept().await {
            let handler = handler.clone();
            let service = service_fn(move |request| answer(handler.clone(), request));
            drop(task::spawn("peer connection", async move {
                let io = TokioIo::new(socket);
                // How a connection ends is seen by who called.
                drop(
                    hyper::server::conn::http1::Builder::new().serve_connection(io, service).await,
                );
            }));
        }
    }));
    format!("http://{address}")
}

/// Stands for a broken connection.
#[derive(Debug)]
struct Broken;

impl std::fmt::Display for Broken {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("broken")
    }
}

impl std::error::Error for Broken {}

async fn answer<F, A>(
    handler: F,
    request: Request<hyper::body::Incoming>,
) -> Result<Response<Full<Bytes>>, Broken>
where
    F: Fn(Asked) -> A,
    A: Future<Output = Option<(u16, String)>>,
{
    let (head, body) = request.into_parts();
    let body = body.collect().await.map_err(|_| Broken)?.to_bytes();
    let path = head.uri.path_and_query().unwrap().to_string();
    let asked = Asked { method: head.method.to_string(), path, headers: head.headers, body };
    let (status, text) = handler(asked).await.ok_or(Broken)?;
    Ok(Response::builder().status(status).body(Full::new(Bytes::from(text))).unwrap())
}

/// The fields of a form.
pub fn form(body: &[u8]) -> Vec<(String, String)> {
    let text = std::str::from_utf8(body).unwrap();
    let pairs = text.split('&').filter(|pair| !pair.is_empty());
    pairs
        .map(|pair| {
            let (name, value) = pair.split_once('=').unwrap();
            (decoded(name), decoded(value))
        })
        .collect()
}

/// Takes percent-encoding off.
pub fn decoded(text: &str) -> String {
    let mut bytes = Vec::new();
    let mut rest = text.bytes();
    while let Some(byte) = rest.next() {
        if byte == b'%' {
            let digits = [rest.next().unwrap(), rest.next().unwrap()];
            let digits = std::str::from_utf8(&digits).unwrap();
            bytes.push(u8::from_str_radix(digits, 16).unwrap());
        } else {
            bytes.push(byte);
        }
    }
    String::from_utf8(bytes).unwrap()
}
