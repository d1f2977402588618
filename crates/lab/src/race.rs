//! One strategy, one workload: the events of all its requests in the order of time.

use std::cmp::Reverse;
use std::collections::BinaryHeap;

use signalbox_core::{Parameter, Timestamp, Usage, Usd};
use signalbox_ledger::{billable, price};
use signalbox_policy::attempt::{Choice, Purse, Step};
use signalbox_policy::health::Observation;
use signalbox_policy::{Attempts, Candidate, Content, Failure, Requirements, Wanted};

use crate::chance::{Chance, For};
use crate::field::Field;
use crate::flight::{Call, Ending, Event, Flight, What, age, total};
use crate::load::Load;
use crate::memory::Memory;
use crate::strategy::{Given, Standing, Strategy};
use crate::tally::{Delivered, Lost, Tally};
use crate::workload::{Ask, Workload};

/// Milliseconds between two looks at a call that may be in vain, as in the gateway.
const LOOK_AGAIN: i64 = 250;

/// What all strategies share.
#[derive(Debug)]
pub(crate) struct Course<'a> {
    pub field: &'a Field,
    pub workload: &'a Workload,
    /// One for each model of the workload.
    pub standings: &'a [Standing],
    pub chance: Chance,
}

/// See the module.
#[derive(Debug)]
pub(crate) struct Race<'a> {
    course: &'a Course<'a>,
    strategy: &'a Strategy,
    memory: Memory,
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
            memory: Memory::new(strategy.remembers()),
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
        let Event { at, what, mut flight, .. } = event;
        let Some(ask) = self.course.workload.asks.get(flight.index) else { return };
        let Some(call) = flight.call.as_mut() else { return self.proceed(flight, ask, at) };
        let Some(candidate) = flight.plan.candidates.get(call.place) else { return };
        match what {
            What::Content => {
                self.memory.answering(candidate, call.sent, at);
                (call.content, call.look) = (None, None);
                self.foresee(flight);
            }
            What::Look if self.memory.hangs(candidate, call.sent, at) => {
                self.leave(flight, ask, at);
            }
            What::Look => {
                call.look = Some(at.plus_millis(LOOK_AGAIN));
                self.foresee(flight);
            }
            What::End | What::Resume => self.end(flight, ask, at),
        }
    }

    /// A call came to its end.
    fn end(&mut self, mut flight: Box<Flight>, ask: &Ask, now: Timestamp) {
        let Some(call) = flight.call.take() else { return };
        let Some(candidate) = flight.plan.candidates.get(call.place) else { return };
        match call.ending {
            Ending::Fails(failure) => {
                self.memory.failed(candidate, &failure, call.sent, now);
                flight.attempts.failed(&flight.plan, call.place, failure);
                self.proceed(flight, ask, now);
            }
            Ending::Breaks(lost) => {
                self.memory.ended(candidate, Observation::Broke, call.sent, now);
                self.tally.lose(lost);
            }
            Ending::Answers { first, total, tools } => {
                let seen = Observation::Success {
                    first_content_ms: ask.streamed.then(|| whole(first)),
                    total_ms: whole(total),
                    output_tokens: ask.completion,
                    tools,
                };
                self.memory.ended(candidate, seen, call.sent, now);
                let waited = call.sent.millis_since(ask.at).saturating_add(whole(first));
                self.deliver(candidate, ask, (waited, total), now);
            }
        }
    }

    /// Waiting is in vain: somebody else is asked, if there is somebody.
    fn leave(&mut self, mut flight: Box<Flight>, ask: &Ask, now: Timestamp) {
        let Flight { plan, attempts, call, index } = &mut *flight;
        let Some(call) = call.as_mut() else { return };
        let door = self.memory.door(ask.streamed, now);
        let purse = Purse::Retry { made: attempts.made() };
        let Some(choice) = attempts.elsewhere(plan, &door, purse) else {
            call.look = Some(now.plus_millis(LOOK_AGAIN));
            return self.foresee(flight);
        };
        if let Some(candidate) = plan.candidates.get(call.place) {
            let failure = Failure::timeout("the endpoint answers nobody");
            self.memory.failed(candidate, &failure, call.sent, now);
            attempts.failed(plan, call.place, failure);
        }
        let call = self.call((*index as u64, 0), choice, ask, now);
        flight.call = Some(call);
        self.foresee(flight);
    }

    fn arrive(&mut self, index: usize, ask: &Ask) {
        self.tally.request();
        self.memory.request(ask.at);
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
        let given = Given { catalog, board: &self.memory.board, standing, now: ask.at, dice };
        let plan = self.strategy.plan(wish, &given, *turn);
        *turn = turn.saturating_add(1);
        if plan.candidates.is_empty() {
            return self.tally.lose(Lost::NoCandidate);
        }
        let flight = Flight { index, plan, attempts: Attempts::default(), call: None };
        self.proceed(Box::new(flight), ask, ask.at);
    }

    /// Makes the next attempt, if there is one.
    fn proceed(&mut self, mut flight: Box<Flight>, ask: &Ask, now: Timestamp) {
        if age(ask, now) >= total(ask.streamed) {
            return self.tally.lose(Lost::TooLong);
        }
        let Flight { plan, attempts, index, .. } = &mut *flight;
        match attempts.next(plan, &self.memory.door(ask.streamed, now)) {
            Step::Stop => self.tally.lose(Lost::AllFailed),
            Step::Pause(pause) => {
                let pause = i64::try_from(pause.as_millis()).unwrap_or(i64::MAX);
                self.push(now.plus_millis(pause), What::Resume, flight);
            }
            Step::Try(choice) => {
                let again = attempts.failures().iter().filter(|(at, _)| *at == choice.index);
                let luck = (*index as u64, again.count() as u64);
                let call = self.call(luck, choice, ask, now);
                flight.call = Some(call);
                self.foresee(flight);
            }
        }
    }

    /// Calls an endpoint.
    fn call(&mut self, luck: (u64, u64), choice: Choice<'_>, ask: &Ask, now: Timestamp) -> Call {
        self.tally.attempt();
        let Choice { index: place, candidate } = choice;
        let endpoint = &candidate.endpoint;
        let outcome = self.course.field.call(endpoint, luck, ask, now, &mut self.load);
        let mut call = Call::new(place, candidate, ask, outcome, now);
        call.look = self.memory.look_after(candidate, ask.streamed).map(|after| {
            let after = i64::try_from(after.as_millis()).unwrap_or(i64::MAX);
            now.plus_millis(after.max(LOOK_AGAIN))
        });
        // Nobody would be told.
        call.content = call.content.filter(|_| call.look.is_some());
        call
    }

    fn foresee(&mut self, flight: Box<Flight>) {
        if let Some(call) = &flight.call {
            let (at, what) = call.next();
            self.push(at, what, flight);
        }
    }

    fn push(&mut self, at: Timestamp, what: What, flight: Box<Flight>) {
        self.foreseen = self.foreseen.saturating_add(1);
        self.queue.push(Reverse(Event { at, number: self.foreseen, what, flight }));
    }

    fn deliver(&mut self, candidate: &Candidate, ask: &Ask, times: (u64, f64), now: Timestamp) {
        let usage =
            Usage { input_uncached: ask.prompt, output: ask.completion, ..Usage::default() };
        let (billed, requests) = billable(&usage, Some("stop"));
        let cost = price(&billed, &candidate.endpoint.prices, ask.at, requests);
        let (waited, total) = times;
        self.tally.deliver(&Delivered {
            provider: &candidate.endpoint.provider,
            cost: cost.map_or(Usd::from_nanos(0), |cost| cost.total),
            tokens: ask.prompt.saturating_add(ask.completion),
            first_ms: ask.streamed.then_some(waited),
            total_ms: now.millis_since(ask.at),
            #[expect(clippy::cast_precision_loss, reason = "tokens are far below 2⁵³")]
            throughput: ask.completion as f64 * 1000.0 / total.max(1.0),
        });
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
