//! What is let into an ejected endpoint while nothing else is left.

use signalbox_core::Timestamp;

/// At least this many attempts per second, so that a quiet server never fails fast.
const LEAST_PER_SECOND: f64 = 1.0;
/// The share of the normal rate (reliability design 5.4).
const SHARE: f64 = 0.1;
/// Attempts that may come at once, at least: a client that asks again at once is one of them.
const LEAST_BURST: f64 = 2.0;

/// A token bucket.
#[derive(Debug, Clone, Copy)]
pub(super) struct Bucket {
    per_second: f64,
    tokens: f64,
    filled: Timestamp,
}

impl Bucket {
    /// A tenth of this many attempts per second.
    pub(super) fn tenth_of(rate: f64, now: Timestamp) -> Self {
        let per_second = (rate * SHARE).max(LEAST_PER_SECOND);
        Self { per_second, tokens: LEAST_BURST, filled: now }
    }

    /// Takes a token if there is one.
    pub(super) fn take(&mut self, now: Timestamp) -> bool {
        let passed = now.micros().saturating_sub(self.filled.micros()) as f64 / 1e6;
        if passed > 0.0 {
            let most = self.per_second.max(LEAST_BURST);
            self.tokens = (self.tokens + passed * self.per_second).min(most);
            self.filled = now;
        }
        let is_there = self.tokens >= 1.0;
        if is_there {
            self.tokens -= 1.0;
        }
        is_there
    }

    /// Counts from this moment on.
    pub(super) fn restart(&mut self, now: Timestamp) {
        self.filled = now;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn taken(rate: f64, asked_each_second: i64, seconds: i64) -> usize {
        let mut bucket = Bucket::tenth_of(rate, Timestamp::from_seconds(1000));
        let moments = (0..seconds * asked_each_second)
            .map(|one| Timestamp::from_micros(1_000_000_000 + one * 1_000_000 / asked_each_second));
        moments.filter(|now| bucket.take(*now)).count()
    }

    #[test]
    fn a_tenth_of_the_normal_rate_passes_and_never_less_than_one_a_second() {
        assert!((600..=610).contains(&taken(100.0, 300, 60)));
        assert!((60..=62).contains(&taken(0.5, 300, 60)));
        assert_eq!(taken(0.0, 1, 60), 60);
    }
}
