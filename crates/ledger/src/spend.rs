//! What a key has spent, in every window that a limit may have.

use signalbox_core::time::ResetInterval;
use signalbox_core::{Timestamp, Usd};

/// Settled spending of one key: since its creation and in the day, week and month of `as_of`.
///
/// Windows start at midnight UTC; weeks on Monday, months on the first. All four are kept, so that
/// a limit can change its interval without asking storage.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Spend {
    /// Since the key was made.
    pub total: Usd,
    /// In the day of `as_of`.
    pub daily: Usd,
    /// In the week of `as_of`.
    pub weekly: Usd,
    /// In the month of `as_of`.
    pub monthly: Usd,
    /// The moment that decides which windows these are.
    pub as_of: Timestamp,
}

impl Spend {
    /// A key that has spent nothing by `now`.
    #[must_use]
    pub fn none(now: Timestamp) -> Self {
        Self { as_of: now, ..Self::default() }
    }

    /// The same spending seen at `now`: windows that have ended count nothing. A moment before
    /// `as_of` changes nothing, so a clock that steps back never reopens a window.
    #[must_use]
    pub fn seen_at(mut self, now: Timestamp) -> Self {
        if now <= self.as_of {
            return self;
        }
        let before = std::mem::replace(&mut self.as_of, now);
        if now.day_start() == before.day_start() {
            return self;
        }
        let ended = |interval| now.window_start(interval) > before.window_start(interval);
        self.daily = Usd::ZERO;
        if ended(ResetInterval::Weekly) {
            self.weekly = Usd::ZERO;
        }
        if ended(ResetInterval::Monthly) {
            self.monthly = Usd::ZERO;
        }
        self
    }

    /// The same spending with `amount` more, settled at `now`.
    #[must_use]
    pub fn plus(self, amount: Usd, now: Timestamp) -> Self {
        let seen = self.seen_at(now);
        Self {
            total: seen.total.saturating_add(amount),
            daily: seen.daily.saturating_add(amount),
            weekly: seen.weekly.saturating_add(amount),
            monthly: seen.monthly.saturating_add(amount),
            as_of: seen.as_of,
        }
    }

    /// What counts against a limit with this interval; without one, everything ever spent.
    #[must_use]
    pub const fn within(&self, reset: Option<ResetInterval>) -> Usd {
        match reset {
            None => self.total,
            Some(ResetInterval::Daily) => self.daily,
            Some(ResetInterval::Weekly) => self.weekly,
            Some(ResetInterval::Monthly) => self.monthly,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// 2026-08-31 23:59:59 UTC, a Monday.
    const LAST_SECOND: Timestamp = Timestamp::from_seconds(1_788_220_799);

    #[test]
    fn each_window_starts_again_at_its_own_midnight() {
        let spent = Spend::none(LAST_SECOND).plus(Usd::from_nanos(5), LAST_SECOND);
        let days = |days: i64| LAST_SECOND.plus_millis(1000 + days * 86_400_000);
        let row = |spend: Spend| [spend.daily, spend.weekly, spend.monthly, spend.total];
        let five = Usd::from_nanos(5);
        assert_eq!(row(spent), [five; 4]);
        assert_eq!(row(spent.seen_at(days(0))), [Usd::ZERO, five, Usd::ZERO, five]);
        assert_eq!(row(spent.seen_at(days(5))), [Usd::ZERO, five, Usd::ZERO, five]);
        assert_eq!(row(spent.seen_at(days(6))), [Usd::ZERO, Usd::ZERO, Usd::ZERO, five]);
    }

    #[test]
    fn a_clock_that_steps_back_does_not_reopen_a_window() {
        let next_day = LAST_SECOND.plus_millis(1000);
        let spent = Spend::none(LAST_SECOND)
            .plus(Usd::from_nanos(5), next_day)
            .plus(Usd::from_nanos(2), LAST_SECOND);
        assert_eq!(spent.daily, Usd::from_nanos(7));
        assert_eq!(spent.as_of, next_day);
    }
}
