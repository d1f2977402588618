//! What a strategy remembers between requests, and what stands between a request and its next
//! attempt. Ours meets what a served request meets; the plain ones meet nothing and remember
//! nothing, so that no attempt is denied to them.

use std::time::Duration;

use signalbox_core::Timestamp;
use signalbox_policy::attempt::{Gate, Purse, Refusal, Refusals, RetryBudget};
use signalbox_policy::health::{Admission, Observation, Standing};
use signalbox_policy::{Candidate, Failure, Health, HealthBoard};

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
        self.ended(candidate, seen(failure, now), sent, now);
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

/// What the board learns of a failure.
fn seen(failure: &Failure, now: Timestamp) -> Observation {
    if failure.is_rate_limited() {
        let wait = failure.retry_after.map(|seconds| seconds.saturating_mul(1000));
        let wait = wait.and_then(|millis| i64::try_from(millis).ok());
        Observation::RateLimited { until: wait.map(|millis| now.plus_millis(millis)) }
    } else if failure.counts {
        Observation::Fault
    } else {
        Observation::Neutral
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
        let (board, now) = (&self.memory.board, self.now);
        let past = board.of(&candidate.endpoint, candidate.seat().credential, now);
        if let Some(seconds) = past.cooling(now) {
            return Err(Refusal::Cooling { seconds });
        }
        let rests = self.memory.refusals.enter(candidate, now);
        rests.map_err(|seconds| Refusal::Down { seconds: Some(seconds) })?;
        match board.enter(&candidate.sending(self.streamed, last_resort), now) {
            Admission::Go => Ok(()),
            Admission::Refused => {
                let seconds = match past.standing {
                    Standing::Ejected { until } => Some(until.millis_since(now).div_ceil(1_000)),
                    Standing::Fit | Standing::HalfOpen => None,
                };
                Err(Refusal::Down { seconds })
            }
        }
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
