//! The clock as a value.

use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use signalbox_core::Timestamp;

/// Tells the time: the system's, or one that a test moves by hand. Clones share one clock.
#[derive(Debug, Clone)]
pub struct Clock(Source);

#[derive(Debug, Clone)]
enum Source {
    System { started: Instant },
    Manual { micros: Arc<AtomicI64>, stepped: Arc<AtomicI64>, started: i64 },
}

impl Clock {
    /// The system's clock.
    #[must_use]
    #[expect(clippy::disallowed_methods, reason = "the one place that reads the monotonic clock")]
    pub fn system() -> Self {
        Self(Source::System { started: Instant::now() })
    }

    /// A clock that stands still until [`Clock::advance`] moves it.
    #[must_use]
    pub fn manual(at: Timestamp) -> Self {
        let started = at.micros();
        let (micros, stepped) = (Arc::new(AtomicI64::new(started)), Arc::default());
        Self(Source::Manual { micros, stepped, started })
    }

    /// The time of day.
    #[must_use]
    #[expect(clippy::disallowed_methods, reason = "the one place that reads the time of day")]
    pub fn now(&self) -> Timestamp {
        match &self.0 {
            Source::System { .. } => {
                let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
                Timestamp::from_micros(i64::try_from(since.as_micros()).unwrap_or(i64::MAX))
            }
            Source::Manual { micros, stepped, .. } => {
                let stepped = stepped.load(Ordering::SeqCst);
                Timestamp::from_micros(micros.load(Ordering::SeqCst).saturating_add(stepped))
            }
        }
    }

    /// Time since this clock was made; it never goes backwards.
    #[must_use]
    pub fn monotonic(&self) -> Duration {
        match &self.0 {
            Source::System { started } => started.elapsed(),
            Source::Manual { micros, started, .. } => {
                let passed = micros.load(Ordering::SeqCst).saturating_sub(*started);
                Duration::from_micros(u64::try_from(passed).unwrap_or(0))
            }
        }
    }

    /// Moves a manual clock forward; the system's clock does not listen.
    pub fn advance(&self, by: Duration) {
        if let Source::Manual { micros, .. } = &self.0 {
            let by = i64::try_from(by.as_micros()).unwrap_or(i64::MAX);
            micros.fetch_add(by, Ordering::SeqCst);
        }
    }

    /// Corrects the time of day of a manual clock, forward or back, as an operator does; no time passes.
    pub fn step(&self, millis: i64) {
        if let Source::Manual { stepped, .. } = &self.0 {
            stepped.fetch_add(millis.saturating_mul(1000), Ordering::SeqCst);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_manual_clock_moves_only_by_hand() {
        let clock = Clock::manual(Timestamp::from_seconds(10));
        clock.clone().advance(Duration::from_secs(5));
        assert_eq!(clock.now(), Timestamp::from_seconds(15));
        assert_eq!(clock.monotonic(), Duration::from_secs(5));
        clock.step(-7_000);
        assert_eq!(clock.now(), Timestamp::from_seconds(8));
        assert_eq!(clock.monotonic(), Duration::from_secs(5), "no time passes");
    }
}
