//! A streamed answer as server-sent events, with comments while there is nothing to say.

use std::pin::Pin;
use std::task::{Context, Poll};

use axum::body::Body;
use axum::response::Response;
use bytes::Bytes;
use http::{HeaderValue, header};
use http_body::Frame;
use signalbox_core::{ApiError, limits};
use signalbox_dialect::answer::error_chunk_of;
use signalbox_dialect::{Identity, Skin};
use signalbox_gateway::{Failed, Piece};
use tokio::sync::mpsc;
use tokio::time::{Interval, MissedTickBehavior};

/// Waits for the first piece, so that a failure before it can still have a status of its own; after
/// one keep-alive interval the stream begins without it.
pub(super) async fn respond(
    mut pieces: mpsc::Receiver<Piece>,
    skin: Skin,
    identity: Identity,
) -> Result<Response, Failed> {
    let first = match tokio::time::timeout(limits::KEEP_ALIVE_EVERY, pieces.recv()).await {
        Ok(None) => return Err(ApiError::internal("the generation ended without an answer").into()),
        Ok(Some(Piece::Failed(failed))) => return Err(failed),
        Ok(Some(Piece::Bytes(bytes))) => (bytes, false),
        Ok(Some(Piece::Last(bytes))) => (bytes, true),
        Err(_) => (Bytes::from(skin.style.keep_alive(limits::KEEP_ALIVE_COMMENT)), false),
    };
    let (first, ended) = first;
    let mut ticks = tokio::time::interval(limits::KEEP_ALIVE_EVERY);
    ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    ticks.reset();
    let events = Events { first: Some(first), pieces, ticks, quiet: true, ended, skin, identity };
    let mut response = Response::new(Body::new(events));
    let headers = response.headers_mut();
    headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("text/event-stream"));
    let cache = HeaderValue::from_static("no-cache, private, no-store");
    headers.insert(header::CACHE_CONTROL, cache);
    headers.insert("x-accel-buffering", HeaderValue::from_static("no"));
    Ok(response)
}

struct Events {
    first: Option<Bytes>,
    pieces: mpsc::Receiver<Piece>,
    ticks: Interval,
    /// Whether nothing was sent since the last tick.
    quiet: bool,
    /// Whether the client was sent an end.
    ended: bool,
    skin: Skin,
    identity: Identity,
}

impl Events {
    /// The error as the stream's end.
    fn failed(&mut self, error: &ApiError) -> Bytes {
        self.ended = true;
        if !error.kind.is_public() {
            tracing::error!(%error, id = %self.identity.id, "a stream failed by our fault");
        }
        let mut events = error_chunk_of(&self.skin, error, &self.identity);
        events.extend_from_slice(self.skin.style.end_marker());
        Bytes::from(events)
    }
}

impl http_body::Body for Events {
    type Data = Bytes;
    type Error = std::convert::Infallible;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Self::Error>>> {
        if let Some(first) = self.first.take() {
            return Poll::Ready(Some(Ok(Frame::data(first))));
        }
        match self.pieces.poll_recv(cx) {
            Poll::Ready(None) if self.ended => return Poll::Ready(None),
            Poll::Ready(None) => {
                let lost = ApiError::internal("the generation ended without an end");
                return Poll::Ready(Some(Ok(Frame::data(self.failed(&lost)))));
            }
            Poll::Ready(Some(Piece::Last(bytes))) => {
                self.ended = true;
                return Poll::Ready(Some(Ok(Frame::data(bytes))));
            }
            Poll::Ready(Some(Piece::Bytes(bytes))) => {
                self.quiet = false;
                return Poll::Ready(Some(Ok(Frame::data(bytes))));
            }
            Poll::Ready(Some(Piece::Failed(failed))) => {
                return Poll::Ready(Some(Ok(Frame::data(self.failed(&failed.error)))));
            }
            Poll::Pending => {}
        }
        while self.ticks.poll_tick(cx).is_ready() {
            if std::mem::replace(&mut self.quiet, true) {
                let text = Bytes::from(self.skin.style.keep_alive(limits::KEEP_ALIVE_COMMENT));
                return Poll::Ready(Some(Ok(Frame::data(text))));
            }
        }
        Poll::Pending
    }
}
