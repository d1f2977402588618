//! One attempt on the health board: let in once, and its end told once, whatever happens.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use signalbox_core::Timestamp;
use signalbox_policy::attempt::{Gate, Purse, Refusal, admit};
use signalbox_policy::health::{Observation, Standing};
use signalbox_policy::{Candidate, Health};

use crate::gateway::Gateway;
use crate::generation::Given;

/// An attempt that the board let in. Dropped without an end, it says nothing of the endpoint.
#[derive(Debug)]
pub(crate) struct Turn {
    gateway: Arc<Gateway>,
    given: Arc<Given>,
    /// The candidate's place in the plan.
    pub index: usize,
    /// When it was let in, by which the board knows it.
    pub sent: Timestamp,
    /// Whether it finds out if an endpoint that was ejected is back.
    pub probing: bool,
    ended: AtomicBool,
}

impl Turn {
    pub(crate) fn new(
        gateway: &Arc<Gateway>,
        given: &Arc<Given>,
        index: usize,
        sent: Timestamp,
    ) -> Self {
        let (gateway, given) = (Arc::clone(gateway), Arc::clone(given));
        let probing = given.plan.candidates.get(index).is_some_and(|one| {
            let past = gateway.health.of(&one.endpoint, one.seat().credential, sent);
            past.standing != Standing::Fit
        });
        Self { gateway, given, index, sent, probing, ended: AtomicBool::new(false) }
    }

    pub(crate) fn candidate(&self) -> Option<&Candidate> {
        self.given.plan.candidates.get(self.index)
    }

    /// There is content.
    pub(crate) fn answering(&self) {
        if let Some(candidate) = self.candidate() {
            let now = self.gateway.clock.now();
            self.gateway.health.answering(candidate.seat(), self.sent, now);
        }
    }

    /// Whether waiting is in vain once it takes this long: the endpoint answers nobody, or has not
    /// come back.
    pub(crate) fn hangs(&self) -> bool {
        let now = self.gateway.clock.now();
        let hanging = |one: &Candidate| self.gateway.health.hanging(one.seat(), self.sent, now);
        self.is_late(now) && self.probing || self.candidate().is_some_and(hanging)
    }

    /// Whether it takes longer than answers of this endpoint usually do.
    fn is_late(&self, now: Timestamp) -> bool {
        let whole = !self.given.resolved.survey.stream;
        let waited = u128::from(now.millis_since(self.sent));
        self.candidate().is_some_and(|one| {
            waited > self.gateway.health.hang_check_after(one.seat(), whole).as_millis()
        })
    }

    /// Its end. Only the first one counts.
    pub(crate) fn end(&self, seen: Observation) {
        if self.ended.swap(true, Ordering::Relaxed) {
            return;
        }
        if let Some(candidate) = self.candidate() {
            if matches!(seen, Observation::Success { .. }) {
                self.gateway.refusals.accepted(candidate);
            }
            let now = self.gateway.clock.now();
            self.gateway.health.record(candidate.seat(), self.sent, now, seen);
        }
    }
}

impl Drop for Turn {
    fn drop(&mut self) {
        self.end(Observation::Neutral);
    }
}

/// What a request meets on its way to a provider: cool-downs, credentials that rest, the board, and
/// the process's budgets.
#[derive(Debug)]
pub(crate) struct Door<'a> {
    pub gateway: &'a Gateway,
    pub streamed: bool,
    pub now: Timestamp,
}

impl Gate for Door<'_> {
    fn enter(&self, candidate: &Candidate, last_resort: bool) -> Result<(), Refusal> {
        let (health, refusals) = (&self.gateway.health, &self.gateway.refusals);
        admit(health, refusals, candidate, (self.streamed, last_resort), self.now)
    }

    fn affords(&self, purse: Purse) -> bool {
        match purse {
            Purse::Retry { made } => self.gateway.retries.affords(made),
            Purse::Hedge => self.gateway.hedges.affords(),
        }
    }

    fn spend(&self, purse: Purse) {
        match purse {
            Purse::Retry { .. } => self.gateway.retries.spend(),
            Purse::Hedge => self.gateway.hedges.spend(),
        }
    }
}
