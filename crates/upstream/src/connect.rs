//! Opening connections within a time limit that covers all of it: name, TCP and TLS.

use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Duration;

use http::Uri;
use tower::Service;

type Problem = Box<dyn std::error::Error + Send + Sync>;

/// The connection was not open in time.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("no connection within {0:?}")]
pub struct TooSlow(pub Duration);

/// A connector that gives up after a limit. An idle connection in the pool never comes by here.
#[derive(Debug, Clone)]
pub struct InTime<C> {
    inner: C,
    limit: Duration,
}

impl<C> InTime<C> {
    /// The connector with a limit on everything that it does.
    pub const fn new(inner: C, limit: Duration) -> Self {
        Self { inner, limit }
    }
}

impl<C> Service<Uri> for InTime<C>
where
    C: Service<Uri>,
    C::Future: Send + 'static,
    C::Error: Into<Problem>,
{
    type Response = C::Response;
    type Error = Problem;
    type Future = Pin<Box<dyn Future<Output = Result<C::Response, Problem>> + Send>>;

    fn poll_ready(&mut self, context: &mut Context<'_>) -> Poll<Result<(), Problem>> {
        self.inner.poll_ready(context).map_err(Into::into)
    }

    fn call(&mut self, address: Uri) -> Self::Future {
        let (opening, limit) = (self.inner.call(address), self.limit);
        Box::pin(async move {
            match tokio::time::timeout(limit, opening).await {
                Ok(opened) => opened.map_err(Into::into),
                Err(_) => Err(TooSlow(limit).into()),
            }
        })
    }
}

/// Whether a failed call failed because a connection was not open in time.
pub(crate) fn was_too_slow(error: &(dyn std::error::Error + 'static)) -> bool {
    std::iter::successors(Some(error), |error| error.source()).any(|error| error.is::<TooSlow>())
}
