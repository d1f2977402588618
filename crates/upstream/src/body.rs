//! A request body in pieces that are already there.

use std::convert::Infallible;
use std::pin::Pin;
use std::task::{Context, Poll};

use bytes::Bytes;
use http_body::{Frame, SizeHint};

/// The pieces that are still to be sent.
#[derive(Debug)]
pub struct Ready(std::vec::IntoIter<Bytes>);

impl Ready {
    pub(crate) fn new(pieces: Vec<Bytes>) -> Self {
        Self(pieces.into_iter())
    }
}

impl http_body::Body for Ready {
    type Data = Bytes;
    type Error = Infallible;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        _: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Infallible>>> {
        Poll::Ready(self.0.next().map(|piece| Ok(Frame::data(piece))))
    }

    fn is_end_stream(&self) -> bool {
        self.0.as_slice().is_empty()
    }

    fn size_hint(&self) -> SizeHint {
        let sizes = self.0.as_slice().iter().map(|piece| u64::try_from(piece.len()));
        SizeHint::with_exact(
            sizes.fold(0, |sum, size| sum.saturating_add(size.unwrap_or(u64::MAX))),
        )
    }
}
