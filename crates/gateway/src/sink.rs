//! The owner task's side of the answer: the client may go at any moment, the task goes on.

use bytes::Bytes;
use signalbox_core::limits;
use tokio::sync::mpsc::error::TrySendError;
use tokio::sync::{mpsc, oneshot};

use crate::reply::{Failed, Piece};

/// Pieces in flight to a client before the provider has to wait.
pub(crate) const PIECES: usize = 32;

/// Where an answer goes.
#[derive(Debug)]
pub(crate) enum Sink {
    /// One document.
    Whole(oneshot::Sender<Result<Bytes, Failed>>),
    /// Events.
    Stream(mpsc::Sender<Piece>),
    /// Nowhere any more.
    Gone,
}

/// The client, as somebody sees it who waits for a provider.
#[derive(Debug)]
pub(crate) struct Client(Option<mpsc::Sender<Piece>>);

impl Client {
    /// Ends when a streaming client leaves. Others are never cancelled (inference spec 3.3).
    pub(crate) async fn left(&self) {
        match &self.0 {
            Some(sender) => sender.closed().await,
            None => std::future::pending().await,
        }
    }
}

impl Sink {
    pub(crate) const fn is_gone(&self) -> bool {
        matches!(self, Self::Gone)
    }

    /// Whether the client is known to have left.
    pub(crate) fn has_left(&self) -> bool {
        match self {
            Self::Stream(sender) => sender.is_closed(),
            Self::Whole(sender) => sender.is_closed(),
            Self::Gone => true,
        }
    }

    /// Sends events without waiting, and gives them back when there is no room for them.
    pub(crate) fn offer(&mut self, bytes: Bytes) -> Option<Bytes> {
        let Self::Stream(sender) = self else { return None };
        match sender.try_send(Piece::Bytes(bytes)) {
            Ok(()) => None,
            Err(TrySendError::Full(Piece::Bytes(bytes))) => Some(bytes),
            Err(_) => {
                *self = Self::Gone;
                None
            }
        }
    }

    /// Sends events. A client that left, or that takes nothing for too long, turns the sink off.
    pub(crate) async fn send(&mut self, bytes: Bytes) {
        let Some(bytes) = self.offer(bytes) else { return };
        let Self::Stream(sender) = self else { return };
        let send = tokio::time::timeout(limits::STALL_TIMEOUT, sender.send(Piece::Bytes(bytes)));
        if !matches!(send.await, Ok(Ok(()))) {
            *self = Self::Gone;
        }
    }

    /// Sends the whole document.
    pub(crate) fn finish(&mut self, document: Bytes) {
        if let Self::Whole(sender) = std::mem::replace(self, Self::Gone) {
            // A client that left does not get it; it is settled all the same.
            drop(sender.send(Ok(document)));
        }
    }

    /// Reports that nothing could answer.
    pub(crate) async fn fail(&mut self, failed: Failed) {
        match std::mem::replace(self, Self::Gone) {
            Self::Whole(sender) => drop(sender.send(Err(failed))),
            Self::Stream(sender) => drop(sender.send(Piece::Failed(failed)).await),
            Self::Gone => {}
        }
    }

    pub(crate) fn client(&self) -> Client {
        match self {
            Self::Stream(sender) => Client(Some(sender.clone())),
            Self::Whole(_) | Self::Gone => Client(None),
        }
    }

    /// Sends the last events.
    pub(crate) async fn end(&mut self, bytes: Bytes) {
        if let Self::Stream(sender) = std::mem::replace(self, Self::Gone) {
            let send = sender.send(Piece::Last(bytes));
            // A client that left does not see the end; it is settled all the same.
            drop(tokio::time::timeout(limits::STALL_TIMEOUT, send).await);
        }
    }
}
