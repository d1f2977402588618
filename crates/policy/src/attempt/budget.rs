//! How many further attempts the whole process affords, so that an outage does not become a storm.

use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

/// Fewest further attempts that a full budget has (reliability design 5.2). It has to cover what a
/// dead provider gets before it is found out: its share of the requests, times the time that takes.
const LEAST_BURST: u64 = 200;
/// What each request adds, in thousandths of a further attempt: ten percent.
const PER_REQUEST: u64 = 100;
/// What each second adds: a gateway with few requests recovers, too.
const PER_SECOND: u64 = 1_000;
/// One further attempt.
const ONE: u64 = 1_000;
/// Attempts of a request beyond which the budget has to be more than half full (see
/// `docs/decisions/0007-retries.md`).
const USUAL_ATTEMPTS: usize = 3;
/// Seconds for which the busiest second is remembered, at least; at most twice as long.
const REMEMBERED: u64 = 60;

/// The budget of further attempts. A request's first attempt is free and adds to it.
#[derive(Debug)]
pub struct RetryBudget {
    state: Mutex<State>,
}

#[derive(Debug)]
struct State {
    /// Thousandths of an attempt that are left.
    left: u64,
    /// The second that is being counted, since the process began.
    second: u64,
    /// Requests in it.
    count: u64,
    /// Most requests of a second, in this stretch of time and the one before.
    peaks: [u64; 2],
}

impl Default for RetryBudget {
    fn default() -> Self {
        let state = State { left: LEAST_BURST * ONE, second: 0, count: 0, peaks: [0; 2] };
        Self { state: Mutex::new(state) }
    }
}

impl State {
    /// What a full budget has.
    fn burst(&self) -> u64 {
        let peak = self.peaks.iter().copied().max().unwrap_or(0).max(self.count);
        peak.max(LEAST_BURST).saturating_mul(ONE)
    }

    fn turn_to(&mut self, second: u64) {
        if second <= self.second {
            return;
        }
        let passed = second.saturating_sub(self.second);
        let [this, _] = &mut self.peaks;
        *this = (*this).max(self.count);
        let stretch = |at: u64| at / REMEMBERED;
        match stretch(second).saturating_sub(stretch(self.second)) {
            0 => {}
            1 => self.peaks = [0, self.peaks.first().copied().unwrap_or(0)],
            _ => self.peaks = [0; 2],
        }
        (self.second, self.count) = (second, 0);
        self.add(passed.saturating_mul(PER_SECOND));
    }

    fn add(&mut self, thousandths: u64) {
        self.left = self.left.saturating_add(thousandths).min(self.burst());
    }
}

impl RetryBudget {
    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// A request begins, at this time since the process began.
    pub fn request(&self, now: Duration) {
        let mut state = self.state();
        state.turn_to(now.as_secs());
        state.count = state.count.saturating_add(1);
        state.add(PER_REQUEST);
    }

    /// Whether a request that has had `made` attempts may have another one. Its first is free; from
    /// the fourth on it may only while there is plenty.
    #[must_use]
    pub fn affords(&self, made: usize) -> bool {
        let state = self.state();
        match made {
            0 => true,
            made if made < USUAL_ATTEMPTS => state.left >= ONE,
            _ => state.left >= ONE && state.left > state.burst() / 2,
        }
    }

    /// Takes one further attempt.
    pub fn spend(&self) {
        let mut state = self.state();
        state.left = state.left.saturating_sub(ONE);
    }

    /// Whole further attempts that are left.
    #[must_use]
    pub fn left(&self) -> u64 {
        self.state().left / ONE
    }
}

/// A share of the requests: for hedges, which are never more than so many percent of all.
#[derive(Debug)]
pub struct Share {
    percent: u64,
    hundredths: Mutex<u64>,
}

/// Most that a share saves up.
const SAVED: u64 = 1_000;

impl Share {
    /// A share of so many percent. It begins with nothing.
    #[must_use]
    pub fn new(percent: u8) -> Self {
        Self { percent: u64::from(percent), hundredths: Mutex::new(0) }
    }

    /// Whether there is a share at all.
    #[must_use]
    pub const fn is_none(&self) -> bool {
        self.percent == 0
    }

    /// A request begins.
    pub fn request(&self) {
        if self.percent > 0 {
            let mut saved = self.hundredths.lock().unwrap_or_else(PoisonError::into_inner);
            *saved = saved.saturating_add(self.percent).min(SAVED);
        }
    }

    /// Whether the share has one left.
    #[must_use]
    pub fn affords(&self) -> bool {
        *self.hundredths.lock().unwrap_or_else(PoisonError::into_inner) >= 100
    }

    /// Takes one.
    pub fn spend(&self) {
        let mut saved = self.hundredths.lock().unwrap_or_else(PoisonError::into_inner);
        *saved = saved.saturating_sub(100);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn drained() -> RetryBudget {
        let budget = RetryBudget::default();
        while budget.affords(1) {
            budget.spend();
        }
        budget
    }

    #[test]
    fn a_first_attempt_is_free_and_ten_of_them_pay_for_another() {
        let budget = drained();
        assert!(budget.affords(0) && !budget.affords(1));
        for request in 1..=10 {
            budget.request(Duration::ZERO);
            assert_eq!(budget.affords(1), request == 10, "after {request}");
        }
        budget.spend();
        assert_eq!(budget.left(), 0);
        budget.spend();
        assert_eq!(budget.left(), 0, "never below nothing");
    }

    #[test]
    fn a_storm_of_failures_gets_a_tenth_and_the_burst() {
        let budget = RetryBudget::default();
        let mut further = 0_u64;
        // Twelve thousand requests in a minute, each of which wants two more attempts.
        for request in 0..12_000_u64 {
            budget.request(Duration::from_millis(request * 5));
            for made in 1..=2 {
                if budget.affords(made) {
                    budget.spend();
                    further += 1;
                }
            }
        }
        assert!((1_400..=1_200 + 200 + 61).contains(&further), "{further}");
    }

    #[test]
    fn the_burst_follows_the_busiest_second_and_forgets_it() {
        let budget = RetryBudget::default();
        for second in 0..10 {
            for _ in 0..1_000 {
                budget.request(Duration::from_secs(second));
            }
        }
        assert_eq!(budget.left(), 1_000, "as much as a second has");
        for second in [70, 140, 400] {
            budget.request(Duration::from_secs(second));
        }
        assert_eq!(budget.left(), LEAST_BURST, "two minutes later");
    }

    #[test]
    fn a_fourth_attempt_is_for_good_times() {
        let budget = RetryBudget::default();
        assert!(budget.affords(3) && budget.affords(15));
        while budget.left() > LEAST_BURST / 2 {
            budget.spend();
        }
        assert!(!budget.affords(3) && budget.affords(2));
    }

    #[test]
    fn time_alone_brings_one_each_second_back() {
        let budget = drained();
        budget.request(Duration::from_secs(5));
        assert_eq!(budget.left(), 5);
        budget.request(Duration::from_secs(3));
        assert_eq!(budget.left(), 5, "time does not go back");
    }

    #[test]
    fn a_share_is_never_exceeded() {
        let share = Share::new(5);
        let mut taken = 0;
        for request in 1..=1_000 {
            share.request();
            if share.affords() {
                share.spend();
                taken += 1;
            }
            assert!(taken * 100 <= request * 5, "{taken} of {request}");
        }
        assert_eq!(taken, 50);
        let none = Share::new(0);
        none.request();
        assert!(none.is_none() && !none.affords());
    }
}
