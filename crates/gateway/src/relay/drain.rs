//! A provider's stream, and what becomes of it when nobody reads it any more.

use bytes::Bytes;
use signalbox_core::limits;
use signalbox_dialect::AnswerStream;
use signalbox_upstream::{Answer, CallError};

use super::checkpoint::Checkpoints;
use super::cut::{Cut, Fault};
use crate::generation::Generation;

/// A provider's stream on its way.
pub(super) struct Streaming {
    pub relay: Box<AnswerStream>,
    pub rest: Answer,
    /// Whether the provider's body has ended.
    pub ended: bool,
}

impl Streaming {
    /// Whether nothing of it is still to come.
    pub(super) fn is_complete(&self) -> bool {
        self.ended || self.relay.facts().done
    }

    /// Whether nothing is still to come that the bill would be another with.
    fn is_counted(&self) -> bool {
        let facts = self.relay.facts();
        self.is_complete() || facts.finish.is_some() && facts.usage.is_some()
    }
}

/// Takes one read into the relay.
pub(super) fn take(
    stream: &mut Streaming,
    chunk: Result<Option<Bytes>, CallError>,
    out: &mut Vec<u8>,
) -> Result<(), Fault> {
    match chunk.map_err(Fault::Call)? {
        Some(bytes) => stream.relay.push(&bytes, out).map_err(Fault::Stream),
        None => {
            stream.ended = true;
            stream.relay.end(out).map_err(Fault::Stream)
        }
    }
}

/// The client is gone. A provider that can be told to stop is told; but an answer that is complete
/// is read up to its counts, and one that will be billed in full is read to the end, within bounds.
/// What is not read to its counts is billed by what there was of it, as an estimate.
pub(super) async fn drain(
    generation: &mut Generation,
    index: usize,
    stream: &mut Streaming,
    checkpoints: &mut Checkpoints,
) -> Option<Cut> {
    let candidate = generation.given.plan.candidates.get(index);
    let abortable = candidate.is_some_and(|one| one.endpoint.can_abort);
    let finished = stream.relay.facts().finish.is_some();
    let time = match (finished, abortable) {
        (true, _) => limits::USAGE_WAIT,
        (false, true) => return Some(Cut::Left),
        (false, false) => generation.gateway.draining.longest,
    };
    let Ok(_permit) = generation.gateway.drains.clone().try_acquire_owned() else {
        tracing::warn!(id = %generation.given.id, "too many answers are read on for nobody");
        return Some(Cut::Left);
    };
    let stopping = generation.gateway.stopping.clone();
    let mut unread = Vec::new();
    let read = async {
        while !stream.is_counted() {
            let chunk = stream.rest.chunk().await;
            if take(stream, chunk, &mut unread).is_err() {
                return Some(Cut::Left);
            }
            unread.clear();
            let age = generation.age();
            checkpoints.look(generation, index, stream.relay.facts(), age);
        }
        None
    };
    tokio::select! {
        outcome = tokio::time::timeout(time, read) => outcome.unwrap_or(Some(Cut::Left)),
        () = stopping.cancelled() => Some(Cut::Left),
    }
}
