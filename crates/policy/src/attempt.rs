//! The attempts of one request as a state machine: which candidate is tried next, when a request may
//! leave one that is slow, and what the client is told when nothing is left. Pure: it knows the plan
//! and the failures so far, and asks a [`Gate`] for everything that other requests change.

use std::time::Duration;

use signalbox_core::limits;

use crate::plan::{Candidate, Plan};

mod admission;
mod budget;
mod failure;
mod refusals;
mod told;

pub use admission::admit;
pub use budget::{RetryBudget, Share};
pub use failure::{Failure, Next};
pub use refusals::Refusals;

/// Shortest pause before the only candidate is tried a second time, in milliseconds, and how much
/// longer it may be (reliability design 5.2: 100 to 400 ms).
const PAUSE_MS: (u64, u64) = (100, 300);

/// Why a candidate may not be called now.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Refusal {
    /// Its provider asked for patience, for so many seconds.
    Cooling {
        /// At least one.
        seconds: u64,
    },
    /// It failed too often.
    Down {
        /// Until it may be tried again, when that is known.
        seconds: Option<u64>,
    },
}

/// What a further attempt is paid from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Purse {
    /// The retry budget; the request has had so many attempts.
    Retry {
        /// Those that were sent.
        made: usize,
    },
    /// The share for hedges.
    Hedge,
}

/// What stands between a request and its next attempt.
pub trait Gate {
    /// Asks to call a candidate now. When it may, the attempt counts as sent and its end has to be
    /// recorded. `last_resort` says that the request has nobody else to ask.
    ///
    /// # Errors
    /// Why it may not.
    fn enter(&self, candidate: &Candidate, last_resort: bool) -> Result<(), Refusal>;

    /// Whether there is enough for one more attempt.
    fn affords(&self, purse: Purse) -> bool;

    /// Takes one.
    fn spend(&self, purse: Purse);
}

/// What to do next.
#[derive(Debug, Clone, Copy)]
pub enum Step<'p> {
    /// Try this candidate; the gate has let it in.
    Try(Choice<'p>),
    /// Wait, and ask again: there is only one candidate, and it may do better in a moment.
    Pause(Duration),
    /// Nothing is left: [`Attempts::error`] says why.
    Stop,
}

/// A candidate and its place in the plan.
#[derive(Debug, Clone, Copy)]
pub struct Choice<'p> {
    /// The place.
    pub index: usize,
    /// The candidate.
    pub candidate: &'p Candidate,
}

/// The attempts of one request.
#[derive(Debug, Default)]
pub struct Attempts {
    /// The first candidate that was not looked at yet.
    next: usize,
    made: usize,
    /// Those that were looked at and not let in.
    refused: Vec<(usize, Refusal)>,
    failures: Vec<(usize, Failure)>,
    skipped_models: Vec<usize>,
    /// The only candidate, after a failure that may pass.
    again: Again,
    /// Whether a candidate was tried although it is down.
    was_desperate: bool,
}

/// Whether the only candidate is tried once more.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
enum Again {
    #[default]
    No,
    AfterAPause,
    Now,
    Done,
}

impl Attempts {
    /// The next step. Each candidate is tried at most once, in the plan's order, but for an only one
    /// whose failure may pass; no more than [`limits::MAX_ATTEMPTS`] in all. Those that are not let
    /// in are passed over; when nobody is, the first that is down is asked as the last resort.
    pub fn next<'p>(&mut self, plan: &'p Plan, gate: &dyn Gate) -> Step<'p> {
        let purse = Purse::Retry { made: self.made };
        if self.made >= limits::MAX_ATTEMPTS || !(self.is_free(plan) || gate.affords(purse)) {
            return Step::Stop;
        }
        if self.again == Again::AfterAPause {
            self.again = Again::Now;
            let (least, more) = PAUSE_MS;
            let drawn = plan.dice.rotate_left(17) % more.saturating_add(1);
            return Step::Pause(Duration::from_millis(least.saturating_add(drawn)));
        }
        let choice = match self.again {
            Again::Now => {
                self.again = Again::Done;
                self.let_in(plan, gate, 0, true)
            }
            _ => self.walk(plan, gate).or_else(|| self.desperate(plan, gate)),
        };
        match choice {
            None => Step::Stop,
            Some(choice) => {
                if !self.is_free(plan) {
                    gate.spend(purse);
                }
                self.made = self.made.saturating_add(1);
                Step::Try(choice)
            }
        }
    }

    /// Somebody else to ask while an attempt is still waiting for content: to leave it, or to let
    /// both run. `None` changes nothing: it is still the best there is.
    pub fn elsewhere<'p>(
        &mut self,
        plan: &'p Plan,
        gate: &dyn Gate,
        purse: Purse,
    ) -> Option<Choice<'p>> {
        if self.made >= limits::MAX_ATTEMPTS || !gate.affords(purse) {
            return None;
        }
        let choice = self.walk(plan, gate).or_else(|| self.reconsider(plan, gate))?;
        gate.spend(purse);
        self.made = self.made.saturating_add(1);
        Some(choice)
    }

    /// How many attempts were made.
    #[must_use]
    pub const fn made(&self) -> usize {
        self.made
    }

    /// A first attempt is free, and so is one after the request itself was refused or could not be
    /// said: nobody is in trouble. After one with an own key it is free too: that was no load on what
    /// all share, and nobody's keys may use up the budget of all.
    fn is_free(&self, plan: &Plan) -> bool {
        let own = |index: usize| plan.candidates.get(index).is_some_and(|one| one.byok.is_some());
        let harmless = |failure: &Failure| failure.next == Next::Model || failure.unfit;
        self.failures.last().is_none_or(|(index, failure)| harmless(failure) || own(*index))
    }

    /// The next candidate that is let in, of those that were not looked at.
    fn walk<'p>(&mut self, plan: &'p Plan, gate: &dyn Gate) -> Option<Choice<'p>> {
        while let Some(candidate) = plan.candidates.get(self.next) {
            let index = self.next;
            self.next = index.saturating_add(1);
            if self.skipped_models.contains(&candidate.model_index) {
                continue;
            }
            let alone = self.refused.is_empty() && !self.has_more(plan);
            if let Some(choice) = self.let_in(plan, gate, index, alone) {
                return Some(choice);
            }
        }
        None
    }

    /// One of those that were refused, when it is back by now.
    fn reconsider<'p>(&mut self, plan: &'p Plan, gate: &dyn Gate) -> Option<Choice<'p>> {
        for place in 0..self.refused.len() {
            let (index, _) = *self.refused.get(place)?;
            let candidate = plan.candidates.get(index)?;
            if !self.skipped_models.contains(&candidate.model_index)
                && gate.enter(candidate, false).is_ok()
            {
                self.refused.remove(place);
                return Some(Choice { index, candidate });
            }
        }
        None
    }

    fn has_more(&self, plan: &Plan) -> bool {
        let mut later = plan.candidates.iter().skip(self.next);
        later.any(|one| !self.skipped_models.contains(&one.model_index))
    }

    fn let_in<'p>(
        &mut self,
        plan: &'p Plan,
        gate: &dyn Gate,
        index: usize,
        last_resort: bool,
    ) -> Option<Choice<'p>> {
        let candidate = plan.candidates.get(index)?;
        match gate.enter(candidate, last_resort) {
            Ok(()) => Some(Choice { index, candidate }),
            Err(refusal) => {
                self.refused.push((index, refusal));
                self.was_desperate |= last_resort;
                None
            }
        }
    }

    /// One of those that are down, when there is nobody else. The gate lets few in.
    fn desperate<'p>(&mut self, plan: &'p Plan, gate: &dyn Gate) -> Option<Choice<'p>> {
        if self.was_desperate {
            return None;
        }
        let skipped = |index: usize| {
            let candidate = plan.candidates.get(index);
            candidate.is_none_or(|one| self.skipped_models.contains(&one.model_index))
        };
        let down = |(index, refusal): &&(usize, Refusal)| {
            matches!(refusal, Refusal::Down { .. }) && !skipped(*index)
        };
        let (index, _) = self.refused.iter().find(down).copied()?;
        self.was_desperate = true;
        let candidate = plan.candidates.get(index)?;
        gate.enter(candidate, true).ok()?;
        self.refused.retain(|(other, _)| *other != index);
        Some(Choice { index, candidate })
    }

    /// Notes that the candidate at this place failed.
    pub fn failed(&mut self, plan: &Plan, index: usize, failure: Failure) {
        let candidate = plan.candidates.get(index);
        if failure.next == Next::Model
            && let Some(candidate) = candidate
        {
            self.skipped_models.push(candidate.model_index);
        }
        if failure.passing && plan.candidates.len() == 1 && self.again == Again::No {
            self.again = Again::AfterAPause;
        }
        self.failures.push((index, failure));
    }

    /// The failures so far, with the place of their candidate in the plan.
    #[must_use]
    pub fn failures(&self) -> &[(usize, Failure)] {
        &self.failures
    }
}
