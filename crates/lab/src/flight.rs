//! One request under way, and how the call that it makes will end.

use std::cmp::Ordering;
use std::time::Duration;

use signalbox_core::{Timeouts, Timestamp};
use signalbox_dialect::ProviderError;
use signalbox_policy::{Attempts, Candidate, Failure, Plan};

use crate::field::Outcome;
use crate::tally::Lost;
use crate::workload::{Ask, after};

/// A request that is not over.
#[derive(Debug)]
pub(crate) struct Flight {
    /// The request's place in the workload.
    pub index: usize,
    pub plan: Plan,
    pub attempts: Attempts,
    /// The call that is being made; `None` during a pause.
    pub call: Option<Call>,
}

/// One call to an endpoint.
#[derive(Debug)]
pub(crate) struct Call {
    /// The candidate's place in the plan.
    pub place: usize,
    pub sent: Timestamp,
    /// When the first content of a stream comes, unless it was there already.
    pub content: Option<Timestamp>,
    /// When to ask whether waiting is in vain.
    pub look: Option<Timestamp>,
    pub ends: Timestamp,
    pub ending: Ending,
}

/// How a call ends.
#[derive(Debug)]
pub(crate) enum Ending {
    /// Without content: something else may be tried.
    Fails(Failure),
    /// After content, or with the request's time: nothing can be tried any more.
    Breaks(Lost),
    /// With a complete answer.
    Answers { first: f64, total: f64, tools: Option<bool> },
}

impl Call {
    /// What happens next to it, and when.
    pub(crate) fn next(&self) -> (Timestamp, What) {
        let soonest = [(self.content, What::Content), (self.look, What::Look)];
        let mut next = (self.ends, What::End);
        for (at, what) in soonest {
            if let Some(at) = at
                && at < next.0
            {
                next = (at, what);
            }
        }
        next
    }

    /// Foresees a call that begins now.
    pub(crate) fn new(
        place: usize,
        candidate: &Candidate,
        ask: &Ask,
        outcome: Outcome,
        now: Timestamp,
    ) -> Self {
        let left = total(ask.streamed).saturating_sub(age(ask, now));
        let patience = patience(candidate, ask.streamed).min(left);
        let (lasts, ending) = foresee(outcome, ask, patience, left);
        let content = match outcome {
            Outcome::Answers { first, .. } | Outcome::Breaks { first, .. } if ask.streamed => {
                Some(after(now, first))
            }
            _ => None,
        };
        Self { place, sent: now, content, look: None, ends: after(now, lasts), ending }
    }
}

/// What happens to a request.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum What {
    /// A pause is over.
    Resume,
    /// The first content comes.
    Content,
    /// It is time to look whether waiting is in vain.
    Look,
    /// The call ends.
    End,
}

/// Something that will happen to a request.
#[derive(Debug)]
pub(crate) struct Event {
    pub at: Timestamp,
    /// Events of one moment happen in the order in which they were foreseen.
    pub number: u64,
    pub what: What,
    pub flight: Box<Flight>,
}

impl Ord for Event {
    fn cmp(&self, other: &Self) -> Ordering {
        (self.at, self.number).cmp(&(other.at, other.number))
    }
}

impl PartialOrd for Event {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl PartialEq for Event {
    fn eq(&self, other: &Self) -> bool {
        self.cmp(other) == Ordering::Equal
    }
}

impl Eq for Event {}

/// How old a request is.
pub(crate) fn age(ask: &Ask, now: Timestamp) -> Duration {
    Duration::from_millis(now.millis_since(ask.at))
}

/// How long a request may take in all.
pub(crate) fn total(streamed: bool) -> Duration {
    let times = Timeouts::default();
    if streamed { times.stream_total } else { times.whole_total }
}

/// How long the first content may take; for an answer in one piece, all of it.
fn patience(candidate: &Candidate, streamed: bool) -> Duration {
    let times = Timeouts::default();
    match streamed {
        false => times.whole_total,
        true if candidate.model.reasoning.is_some() => times.first_content_thinking,
        // The headers come no earlier than the first content does: nothing is known of them.
        true => times.first_content,
    }
}

/// When and how a call ends for the caller, who waits so long and no longer.
fn foresee(outcome: Outcome, ask: &Ask, patience: Duration, left: Duration) -> (f64, Ending) {
    let millis = |time: Duration| time.as_secs_f64() * 1000.0;
    let (patience, left) = (millis(patience), millis(left));
    let gave_up = (patience, Ending::Fails(Failure::timeout("no content in time")));
    match outcome {
        Outcome::Silent => gave_up,
        Outcome::Refuses { after, .. } if after > patience => gave_up,
        Outcome::Refuses { after, status, retry_after } => {
            let mut error = ProviderError::new(Some(status), None, "");
            error.retry_after = retry_after;
            (after, Ending::Fails(Failure::reported(&error)))
        }
        Outcome::Answers { first, total, .. } | Outcome::Breaks { first, broken: total }
            if (if ask.streamed { first } else { total }) > patience =>
        {
            gave_up
        }
        Outcome::Answers { total, .. } | Outcome::Breaks { broken: total, .. } if total > left => {
            (left, Ending::Breaks(Lost::TooLong))
        }
        Outcome::Breaks { broken, .. } if ask.streamed => (broken, Ending::Breaks(Lost::Broken)),
        Outcome::Breaks { broken, .. } => {
            (broken, Ending::Fails(Failure::unavailable("the answer broke off")))
        }
        Outcome::Answers { first, total, bad_tool_call } => {
            let tools = ask.tools.then_some(!bad_tool_call);
            (total, Ending::Answers { first, total, tools })
        }
    }
}
