//! Opening connections within a time limit that covers all of it: name, TCP and TLS; and noticing a
//! provider that does not take what is sent.

use std::io;
use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Duration;

use http::Uri;
use hyper::rt::{Read, ReadBufCursor, Write};
use hyper_util::client::legacy::connect::{Connected, Connection};
use signalbox_core::Timeouts;
use tokio::time::Sleep;
use tower::Service;

type Problem = Box<dyn std::error::Error + Send + Sync>;

/// How long a connection may take.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limits {
    /// To open: name, TCP and TLS together.
    pub connect: Duration,
    /// To take the next bytes of a request.
    pub write_idle: Duration,
}

impl Limits {
    /// Those of the ladder.
    #[must_use]
    pub const fn of(timeouts: &Timeouts) -> Self {
        Self { connect: timeouts.connect, write_idle: timeouts.write_idle }
    }
}

/// The connection was not open in time.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("no connection within {0:?}")]
pub struct TooSlow(pub Duration);

/// A connector that gives up after a limit. An idle connection in the pool never comes by here.
#[derive(Debug, Clone)]
pub struct InTime<C> {
    inner: C,
    limits: Limits,
}

impl<C> InTime<C> {
    /// The connector with a limit on everything that it does, and connections with one on writing.
    pub const fn new(inner: C, limits: Limits) -> Self {
        Self { inner, limits }
    }
}

impl<C> Service<Uri> for InTime<C>
where
    C: Service<Uri>,
    C::Future: Send + 'static,
    C::Error: Into<Problem>,
{
    type Response = Taking<C::Response>;
    type Error = Problem;
    type Future = Pin<Box<dyn Future<Output = Result<Self::Response, Problem>> + Send>>;

    fn poll_ready(&mut self, context: &mut Context<'_>) -> Poll<Result<(), Problem>> {
        self.inner.poll_ready(context).map_err(Into::into)
    }

    fn call(&mut self, address: Uri) -> Self::Future {
        let (opening, limits) = (self.inner.call(address), self.limits);
        Box::pin(async move {
            match tokio::time::timeout(limits.connect, opening).await {
                Ok(opened) => opened
                    .map(|inner| Taking { inner, limit: limits.write_idle, stuck: None })
                    .map_err(Into::into),
                Err(_) => Err(TooSlow(limits.connect).into()),
            }
        })
    }
}

/// Whether a failed call failed because a connection was not open in time: one of the addresses, or
/// all of it.
pub(crate) fn was_too_slow(error: &(dyn std::error::Error + 'static)) -> bool {
    timed_out(error) || causes(error).any(|error| error.is::<TooSlow>())
}

/// Whether a time limit of the connection was reached.
pub(crate) fn timed_out(error: &(dyn std::error::Error + 'static)) -> bool {
    let io = |error: &'_ (dyn std::error::Error + 'static)| {
        error.downcast_ref::<io::Error>().is_some_and(|one| one.kind() == io::ErrorKind::TimedOut)
    };
    causes(error).any(io)
}

fn causes<'a>(
    error: &'a (dyn std::error::Error + 'static),
) -> impl Iterator<Item = &'a (dyn std::error::Error + 'static)> {
    std::iter::successors(Some(error), |error| error.source())
}

/// A connection that fails with [`io::ErrorKind::TimedOut`] once its other end has taken nothing
/// for too long.
#[derive(Debug)]
pub struct Taking<T> {
    inner: T,
    limit: Duration,
    /// Runs while something could not be written.
    stuck: Option<Pin<Box<Sleep>>>,
}

impl<T> Taking<T> {
    /// Passes on what a write came to, unless it has come to nothing for too long.
    fn watched<R>(
        &mut self,
        context: &mut Context<'_>,
        written: Poll<io::Result<R>>,
    ) -> Poll<io::Result<R>> {
        if written.is_ready() {
            self.stuck = None;
            return written;
        }
        let limit = self.limit;
        let stuck = self.stuck.get_or_insert_with(|| Box::pin(tokio::time::sleep(limit)));
        match stuck.as_mut().poll(context) {
            Poll::Ready(()) => Poll::Ready(Err(io::ErrorKind::TimedOut.into())),
            Poll::Pending => Poll::Pending,
        }
    }
}

impl<T: Read + Unpin> Read for Taking<T> {
    fn poll_read(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        into: ReadBufCursor<'_>,
    ) -> Poll<io::Result<()>> {
        Pin::new(&mut self.inner).poll_read(context, into)
    }
}

impl<T: Write + Unpin> Write for Taking<T> {
    fn poll_write(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        let written = Pin::new(&mut self.inner).poll_write(context, bytes);
        self.watched(context, written)
    }

    fn poll_flush(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        let flushed = Pin::new(&mut self.inner).poll_flush(context);
        self.watched(context, flushed)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.inner).poll_shutdown(context)
    }

    fn is_write_vectored(&self) -> bool {
        self.inner.is_write_vectored()
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        pieces: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        let written = Pin::new(&mut self.inner).poll_write_vectored(context, pieces);
        self.watched(context, written)
    }
}

impl<T: Connection> Connection for Taking<T> {
    fn connected(&self) -> Connected {
        self.inner.connected()
    }
}
