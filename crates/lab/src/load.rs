//! Limits on load, as far as endpoints have any: counted by the minute, for each strategy apart.

use signalbox_core::Timestamp;

use crate::behaviour::Behaviour;
use crate::workload::Ask;

#[derive(Debug, Clone, Copy, Default)]
struct Minute {
    number: i64,
    requests: u64,
    tokens: u64,
}

/// What each endpoint was asked in its current minute.
#[derive(Debug, Clone)]
pub(crate) struct Load(Vec<Minute>);

impl Load {
    /// Nothing was asked of any of so many endpoints.
    pub(crate) fn new(endpoints: usize) -> Self {
        Self(vec![Minute::default(); endpoints])
    }

    /// Counts a call; `Some` is the seconds until there is room again, and the call isn't counted.
    pub(crate) fn note(
        &mut self,
        place: usize,
        behaviour: &Behaviour,
        ask: &Ask,
        now: Timestamp,
    ) -> Option<u64> {
        if behaviour.per_minute.is_none() && behaviour.tokens_per_minute.is_none() {
            return None;
        }
        let minute = self.0.get_mut(place)?;
        let number = now.seconds().div_euclid(60);
        if minute.number != number {
            *minute = Minute { number, ..Minute::default() };
        }
        let requests = minute.requests.saturating_add(1);
        let tokens = minute.tokens.saturating_add(ask.prompt).saturating_add(ask.completion);
        let over = |limit: Option<u64>, count: u64| limit.is_some_and(|limit| count > limit);
        if over(behaviour.per_minute, requests) || over(behaviour.tokens_per_minute, tokens) {
            let left = 60_i64.saturating_sub(now.seconds().rem_euclid(60));
            return Some(left.max(1).unsigned_abs());
        }
        *minute = Minute { number, requests, tokens };
        None
    }
}
