//! What a strategy remembers between requests, and what stands between a request and its next
//! attempt. Ours meets what a served request meets; the plain ones meet nothing and remember
//! nothing, so that no attempt is denied to them.

use std::time::Duration;

use signalbox_core::Timestamp;
use signalbox_policy::attempt::{Gate, Purse, Refusal, Refusals, RetryBudget, admit};
use signalbox_policy::health::Observation;
use signalbox_policy::{Candidate, Failure, HealthBoard};

use crate::workload::START;

/// See the module.
#[derive(Debug, Default)]
pub(crate) struct Memory {
    pub board: HealthBoard,
    refusals: Refusals,
    retries: RetryBudget,
    /// Whether anything is remembered at all.
    works: bool,
}

impl Memory {
    pub(crate) fn new(works: bool) -> Self {
        Self { works, ..Self::default() }
    }

    /// A request arrives.
    pub(crate) fn request(&self, now: Timestamp) {
        self.retries.request(Duration::from_millis(now.millis_since(START)));
    }

    /// What a request meets now.
    pub(crate) const fn door(&self, streamed: bool, now: Timestamp) -> Door<'_> {
        Door { memory: self, streamed, now }
    }

    /// An attempt failed before any content.
    pub(crate) fn failed(
        &self,
        candidate: &Candidate,
        failure: &Failure,
        sent: Timestamp,
        now: Timestamp,
    ) {
        if self.works {
            self.refusals.failed(candidate, failure, now);
        }
        self.ended(candidate, failure.observed(now), sent, now);
    }

    /// An attempt came to its end.
    pub(crate) fn ended(
        &self,
        candidate: &Candidate,
        seen: Observation,
        sent: Timestamp,
        now: Timestamp,
    ) {
        if !self.works {
            return;
        }
        if matches!(seen, Observation::Success { .. }) {
            self.refusals.accepted(candidate);
        }
        self.board.record(candidate.seat(), sent, now, seen);
    }

    /// An attempt has content.
    pub(crate) fn answering(&self, candidate: &Candidate, sent: Timestamp, now: Timestamp) {
        if self.works {
            self.board.answering(candidate.seat(), sent, now);
        }
    }

    /// How long after sending it is worth asking whether the endpoint answers nobody; `None` where
    /// nobody would know.
    pub(crate) fn look_after(&self, candidate: &Candidate, streamed: bool) -> Option<Duration> {
        self.works.then(|| self.board.hang_check_after(candidate.seat(), !streamed))
    }

    /// Whether the endpoint answers nobody, so that waiting is in vain.
    pub(crate) fn hangs(&self, candidate: &Candidate, sent: Timestamp, now: Timestamp) -> bool {
        self.works && self.board.hanging(candidate.seat(), sent, now)
    }
}

/// See [`Memory::door`].
#[derive(Debug)]
pub(crate) struct Door<'a> {
    memory: &'a Memory,
    streamed: bool,
    now: Timestamp,
}

impl Gate for Door<'_> {
    fn enter(&self, candidate: &Candidate, last_resort: bool) -> Result<(), Refusal> {
        if !self.memory.works {
            return Ok(());
        }
        let (board, refusals) = (&self.memory.board, &self.memory.refusals);
        admit(board, refusals, candidate, (self.streamed, last_resort), self.now)
    }

    fn affords(&self, purse: Purse) -> bool {
        match purse {
            _ if !self.memory.works => true,
            Purse::Retry { made } => self.memory.retries.affords(made),
            Purse::Hedge => false,
        }
    }

    fn spend(&self, purse: Purse) {
        if self.memory.works && matches!(purse, Purse::Retry { .. }) {
            self.memory.retries.spend();
        }
    }
}
