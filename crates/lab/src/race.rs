//! One strategy, one workload: the events of all its requests in the order of time.

use std::cmp::{Ordering, Reverse};
use std::collections::BinaryHeap;
use std::time::Duration;

use signalbox_core::{Parameter, Timestamp, limits};
use signalbox_dialect::ProviderError;
use signalbox_ledger::{billable, price};
use signalbox_policy::health::Observation;
use signalbox_policy::{Attempts, Candidate, Content, Failure, HealthBoard, Plan};
use signalbox_policy::{Requirements, Wanted};

use crate::chance::{Chance, For};
use crate::field::{Field, Outcome};
use crate::load::Load;
use crate::strategy::{Given, Standing, Strategy};
use crate::tally::{Delivered, Lost, Tally};
use crate::workload::{Ask, Workload, after};

/// What all strategies share.
#[derive(Debug)]
pub(crate) struct Course<'a> {
    pub field: &'a Field,
    pub workload: &'a Workload,
    /// One for each model of the workload.
    pub standings: &'a [Standing],
    pub chance: Chance,
}

/// A request that is being tried.
struct Flight {
    index: usize,
    plan: Plan,
    attempts: Attempts,
    /// The place of the candidate that is being called.
    candidate: usize,
    sent: Timestamp,
    ending: Ending,
}

/// How the call that is being made will end.
enum Ending {
    Fails(Failure),
    /// It breaks off after content, or takes longer than a request may.
    Breaks(Lost),
    Answers {
        first: f64,
        total: f64,
        tools: Option<bool>,
    },
}

struct Event {
    at: Timestamp,
    /// Events of one moment happen in the order in which they were foreseen.
    number: u64,
    flight: Box<Flight>,
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

pub(crate) struct Race<'a> {
    course: &'a Course<'a>,
    strategy: &'a Strategy,
    board: HealthBoard,
    load: Load,
    /// Requests so far, by model.
    turns: Vec<usize>,
    queue: BinaryHeap<Reverse<Event>>,
    foreseen: u64,
    tally: Tally,
}

impl<'a> Race<'a> {
    pub(crate) fn new(course: &'a Course<'a>, strategy: &'a Strategy) -> Self {
        Self {
            course,
            strategy,
            board: HealthBoard::default(),
            load: Load::new(course.field.size()),
            turns: vec![0; course.workload.models.len()],
            queue: BinaryHeap::new(),
            foreseen: 0,
            tally: Tally::default(),
        }
    }

    /// Plays the whole workload.
    pub(crate) fn run(mut self) -> Tally {
        for (index, ask) in self.course.workload.asks.iter().enumerate() {
            while self.queue.peek().is_some_and(|Reverse(event)| event.at < ask.at) {
                self.step();
            }
            self.arrive(index, ask);
        }
        while !self.queue.is_empty() {
            self.step();
        }
        self.tally
    }

    fn step(&mut self) {
        let Some(Reverse(event)) = self.queue.pop() else { return };
        let Event { at, mut flight, .. } = event;
        let Some(ask) = self.course.workload.asks.get(flight.index) else { return };
        let Some(candidate) = flight.plan.candidates.get(flight.candidate) else { return };
        match &flight.ending {
            Ending::Fails(failure) => {
                let failure = failure.clone();
                self.observe(candidate, &flight, at, failed(&failure, at));
                flight.attempts.failed(flight.candidate, candidate, failure);
                self.attempt(flight, ask, at);
            }
            Ending::Breaks(lost) => {
                self.observe(candidate, &flight, at, Observation::Broke);
                self.tally.lose(*lost);
            }
            Ending::Answers { first, total, tools } => {
                let seen = Observation::Success {
                    first_content_ms: ask.streamed.then(|| whole(*first)),
                    total_ms: whole(*total),
                    output_tokens: ask.completion,
                    tools: *tools,
                };
                self.observe(candidate, &flight, at, seen);
                self.deliver(candidate, &flight, ask, at);
            }
        }
    }

    fn observe(&self, candidate: &Candidate, flight: &Flight, now: Timestamp, seen: Observation) {
        if self.strategy.remembers() {
            self.board.record(candidate.seat(), flight.sent, now, seen);
        }
    }

    fn arrive(&mut self, index: usize, ask: &Ask) {
        self.tally.request();
        let place = (
            self.course.field.at(ask.at),
            self.course.workload.models.get(ask.model),
            self.course.standings.get(ask.model),
            self.turns.get_mut(ask.model),
        );
        let (Some(catalog), Some(model), Some(standing), Some(turn)) = place else {
            return self.tally.lose(Lost::NoCandidate);
        };
        let mut content = Content {
            prompt_tokens_at_least: ask.prompt,
            prompt_tokens_expected: ask.prompt,
            ..Content::default()
        };
        if ask.tools {
            content.parameters.insert(Parameter::Tools);
        }
        let wanted =
            Wanted { requested: model.id.clone(), model: model.clone(), sort: None, admits: None };
        let wish = Requirements {
            models: vec![wanted],
            provider: ask.provider.as_deref().cloned().unwrap_or_default(),
            content,
            ..Requirements::default()
        };
        let dice = self.course.chance.bits(For::Plan, index as u64, 0);
        let given = Given { catalog, board: &self.board, standing, now: ask.at, dice };
        let plan = self.strategy.plan(wish, &given, *turn);
        *turn = turn.saturating_add(1);
        if plan.candidates.is_empty() {
            return self.tally.lose(Lost::NoCandidate);
        }
        let flight = Flight {
            index,
            plan,
            attempts: Attempts::default(),
            candidate: 0,
            sent: ask.at,
            ending: Ending::Breaks(Lost::NoCandidate),
        };
        self.attempt(Box::new(flight), ask, ask.at);
    }

    /// Begins the next attempt, if there is one.
    fn attempt(&mut self, mut flight: Box<Flight>, ask: &Ask, now: Timestamp) {
        let age = Duration::from_millis(now.millis_since(ask.at));
        let left = limits::TOTAL_TIMEOUT.saturating_sub(age);
        if left.is_zero() {
            return self.tally.lose(Lost::TooLong);
        }
        let Some((place, candidate)) = flight.attempts.next(&flight.plan) else {
            return self.tally.lose(Lost::AllFailed);
        };
        self.tally.attempt();
        let index = flight.index as u64;
        let endpoint = &candidate.endpoint;
        let outcome = self.course.field.call(endpoint, index, ask, now, &mut self.load);
        let patience = patience(candidate, ask.streamed).min(left);
        let (lasts, ending) = foresee(outcome, ask, patience, left);
        (flight.candidate, flight.sent, flight.ending) = (place, now, ending);
        self.foreseen = self.foreseen.saturating_add(1);
        let event = Event { at: after(now, lasts), number: self.foreseen, flight };
        self.queue.push(Reverse(event));
    }

    fn deliver(&mut self, candidate: &Candidate, flight: &Flight, ask: &Ask, now: Timestamp) {
        let Ending::Answers { first, total, .. } = flight.ending else { return };
        let usage = signalbox_core::Usage {
            input_uncached: ask.prompt,
            output: ask.completion,
            ..Default::default()
        };
        let (billed, requests) = billable(&usage, Some("stop"));
        let cost = price(&billed, &candidate.endpoint.prices, ask.at, requests);
        let cost = cost.map_or(signalbox_core::Usd::from_nanos(0), |cost| cost.total);
        let waited = flight.sent.millis_since(ask.at).saturating_add(whole(first));
        self.tally.deliver(&Delivered {
            provider: &candidate.endpoint.provider,
            cost,
            tokens: ask.prompt.saturating_add(ask.completion),
            first_ms: ask.streamed.then_some(waited),
            total_ms: now.millis_since(ask.at),
            #[expect(clippy::cast_precision_loss, reason = "tokens are far below 2⁵³")]
            throughput: ask.completion as f64 * 1000.0 / total.max(1.0),
        });
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

/// How long the first content may take; for an answer in one piece, all of it.
fn patience(candidate: &Candidate, streamed: bool) -> Duration {
    if !streamed {
        return limits::TOTAL_TIMEOUT;
    }
    limits::FIRST_CONTENT_TIMEOUT * if candidate.model.reasoning.is_some() { 6 } else { 1 }
}

/// What the board learns of a failure.
fn failed(failure: &Failure, now: Timestamp) -> Observation {
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

fn whole(millis: f64) -> u64 {
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "a cast of a float saturates"
    )]
    let millis = millis.round() as u64;
    millis
}
