//! The least that a reverse proxy can do: copy bytes both ways over kept connections.

use std::convert::Infallible;
use std::net::SocketAddr;

use anyhow::Context as _;
use bytes::Bytes;
use http::header::HOST;
use http::uri::{Authority, Scheme};
use http::{Request, Response, StatusCode, Uri};
use http_body_util::{BodyExt, Empty, combinators::BoxBody};
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::client::legacy::Client;
use hyper_util::client::legacy::connect::HttpConnector;
use hyper_util::rt::{TokioExecutor, TokioIo};
use signalbox_runtime::task;
use tokio::net::TcpListener;

type Pool = Client<HttpConnector, Incoming>;

/// Serves until the process ends.
pub(crate) async fn serve(listen: SocketAddr, to: SocketAddr) -> anyhow::Result<()> {
    let mut connector = HttpConnector::new();
    connector.set_nodelay(true);
    let pool: Pool = Client::builder(TokioExecutor::new()).build(connector);
    let authority: Authority = to.to_string().parse()?;
    let listener = TcpListener::bind(listen).await.context("the floor cannot listen")?;
    loop {
        let (stream, _) = listener.accept().await?;
        stream.set_nodelay(true)?;
        let (pool, authority) = (pool.clone(), authority.clone());
        let connection = async move {
            let service = service_fn(|request| forward(pool.clone(), authority.clone(), request));
            // A client that leaves ends its connection; the next one is served.
            let _ = http1::Builder::new().serve_connection(TokioIo::new(stream), service).await;
        };
        drop(task::spawn("floor-connection", connection));
    }
}

async fn forward(
    pool: Pool,
    authority: Authority,
    mut request: Request<Incoming>,
) -> Result<Response<BoxBody<Bytes, hyper::Error>>, Infallible> {
    let mut parts = request.uri().clone().into_parts();
    parts.scheme = Some(Scheme::HTTP);
    parts.authority = Some(authority);
    request.headers_mut().remove(HOST);
    let answer = match Uri::from_parts(parts) {
        Ok(uri) => {
            *request.uri_mut() = uri;
            pool.request(request).await.ok()
        }
        Err(_) => None,
    };
    Ok(answer.map_or_else(bad_gateway, |answer| answer.map(BodyExt::boxed)))
}

fn bad_gateway() -> Response<BoxBody<Bytes, hyper::Error>> {
    let empty = Empty::new().map_err(|never| match never {});
    let mut answer = Response::new(empty.boxed());
    *answer.status_mut() = StatusCode::BAD_GATEWAY;
    answer
}
