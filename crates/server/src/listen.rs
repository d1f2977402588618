//! The accept loop: deadlines against slow clients, and a stop that lets streams end.

use std::convert::Infallible;
use std::sync::Arc;
use std::time::Duration;

use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::{TokioIo, TokioTimer};
use hyper_util::server::graceful::GracefulShutdown;
use signalbox_core::limits;
use signalbox_runtime::task;
use tokio::net::TcpListener;
use tokio_util::sync::CancellationToken;

use crate::app::App;
use crate::manage::Peer;
use crate::proxies::Proxies;
use crate::router;

/// Longest wait for the head of a request.
const HEAD_TIMEOUT: Duration = Duration::from_secs(30);

/// A server that runs until its token is cancelled.
#[derive(Debug)]
pub struct Listening {
    /// Cancel it to stop accepting; open streams get 30 seconds.
    pub stop: CancellationToken,
    /// The proxies in front of it.
    pub proxies: Proxies,
}

/// Serves until `listening.stop` is cancelled and the open answers have ended.
pub async fn serve(listener: TcpListener, app: App, listening: Listening) {
    let router = router::router(app.clone());
    let proxies = Arc::new(listening.proxies);
    let graceful = GracefulShutdown::new();
    loop {
        let accepted = tokio::select! {
            accepted = listener.accept() => accepted,
            () = listening.stop.cancelled() => break,
        };
        let (socket, peer) = match accepted {
            Ok(accepted) => accepted,
            Err(error) => {
                // Out of descriptors, usually: others must end before more can begin.
                tracing::warn!(%error, "a connection could not be accepted");
                tokio::time::sleep(Duration::from_millis(50)).await;
                continue;
            }
        };
        drop(socket.set_nodelay(true));
        let (router, proxies) = (router.clone(), Arc::clone(&proxies));
        let service = service_fn(move |request: http::Request<Incoming>| {
            let router = router.clone();
            let peer = Peer(proxies.client(peer.ip(), request.headers()));
            async move { Ok::<_, Infallible>(router::answer(router, request, peer).await) }
        });
        let connection = http1::Builder::new()
            .timer(TokioTimer::new())
            .header_read_timeout(HEAD_TIMEOUT)
            .half_close(false)
            .serve_connection(TokioIo::new(socket), service);
        let watched = graceful.watch(connection);
        drop(task::spawn("connection", async move {
            if let Err(error) = watched.await {
                tracing::debug!(%error, "a connection ended early");
            }
        }));
    }
    app.stop_being_ready();
    drop(listener);
    if tokio::time::timeout(limits::STOP_TIMEOUT, graceful.shutdown()).await.is_err() {
        tracing::warn!("stopped before every answer had ended");
    }
}
