//! Rests that a provider asked for with a 429.

use signalbox_core::Timestamp;

/// The longest rest in milliseconds, whatever was asked for (reliability design, test 22).
const LONGEST_MILLIS: i64 = 300_000;
/// The rest after a 429 that names no time, in milliseconds: each further one in a row is longer.
const RESTS_MILLIS: [i64; 4] = [5_000, 10_000, 20_000, 30_000];
/// The rest after one that names a moment already past.
const SHORTEST_MILLIS: i64 = 1_000;

/// One endpoint's rest with one credential.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Cooling {
    until: Option<Timestamp>,
    /// When the last rest was asked for.
    asked: Option<Timestamp>,
    /// How often in a row, without naming a time.
    strikes: usize,
}

impl Cooling {
    /// An attempt sent at `sent` was refused for its rate. The longer rest stays.
    pub(super) fn limited(&mut self, sent: Timestamp, now: Timestamp, until: Option<Timestamp>) {
        let rest = match until {
            Some(until) if until > now => {
                i64::try_from(until.millis_since(now)).unwrap_or(i64::MAX).saturating_add(1)
            }
            Some(_) => SHORTEST_MILLIS,
            None => {
                // Many may be refused at once; only one that was sent later is a further strike.
                if self.asked.is_none_or(|asked| sent > asked) {
                    self.strikes = self.strikes.saturating_add(1);
                }
                let place = self.strikes.saturating_sub(1).min(RESTS_MILLIS.len() - 1);
                RESTS_MILLIS.get(place).copied().unwrap_or(LONGEST_MILLIS)
            }
        };
        self.asked = Some(now);
        let exact = until.filter(|until| *until > now && rest <= LONGEST_MILLIS);
        let end = exact.unwrap_or_else(|| now.plus_millis(rest.min(LONGEST_MILLIS)));
        self.until = Some(self.until.map_or(end, |old| old.max(end)));
    }

    /// It answered: the next 429 is a first one.
    pub(super) fn ended(&mut self) {
        self.strikes = 0;
    }

    pub(super) const fn until(&self) -> Option<Timestamp> {
        self.until
    }

    /// The clock was set back by so many microseconds.
    pub(super) fn move_back(&mut self, micros: i64) {
        let moved = |at: Timestamp| Timestamp::from_micros(at.micros().saturating_sub(micros));
        self.until = self.until.map(moved);
        self.asked = self.asked.map(moved);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const fn at(seconds: i64) -> Timestamp {
        Timestamp::from_seconds(seconds)
    }

    #[test]
    fn the_longer_rest_stays_and_none_is_longer_than_five_minutes() {
        let mut cooling = Cooling::default();
        cooling.limited(at(99), at(100), Some(at(160)));
        cooling.limited(at(99), at(101), Some(at(110)));
        cooling.limited(at(99), at(102), None);
        assert_eq!(cooling.until(), Some(at(160)));
        cooling.limited(at(99), at(102), Some(Timestamp::from_micros(i64::MAX)));
        assert_eq!(cooling.until(), Some(at(402)));
        let mut hostile = Cooling::default();
        hostile.limited(at(99), at(100), Some(Timestamp::from_micros(i64::MIN)));
        assert_eq!(hostile.until(), Some(at(101)), "a moment that is past is a short rest");
    }

    #[test]
    fn rests_without_a_time_grow_with_each_strike_and_start_again_after_an_answer() {
        let mut cooling = Cooling::default();
        let mut now = at(1000);
        for rest in [5, 10, 20, 30, 30] {
            cooling.limited(now, now, None);
            // Two more that were sent before the first was refused.
            cooling.limited(now, now, None);
            cooling.limited(now, now, None);
            let end = now.plus_millis(rest * 1000);
            assert_eq!(cooling.until(), Some(end));
            now = end.plus_millis(1);
        }
        cooling.ended();
        cooling.limited(now, now, None);
        assert_eq!(cooling.until(), Some(now.plus_millis(5000)));
    }
}
