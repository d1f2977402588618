//! How often something may be tried: by one address, at one account. Memory is bounded.

use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use sha2::{Digest, Sha256};
use signalbox_runtime::Clock;

use crate::PlatformError;

/// Most subjects that are counted by themselves. The others share what is left.
const MOST: usize = 65_536;

/// What is limited.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) enum Limit {
    /// Passwords and codes tried from one network.
    TriesFrom,
    /// Passwords and codes tried at one account.
    TriesAt,
    /// Mails asked for from one network.
    MailFrom,
    /// Mails sent to one address.
    MailTo,
    /// Codes of apps exchanged from one network.
    ExchangeFrom,
    /// Sign-ins elsewhere begun from one network.
    DepartFrom,
    /// Looks at the domains of one organization.
    VerifyFor,
    /// Reports of leaked keys from one network.
    ReportFrom,
}

impl Limit {
    /// How many at once, and how long until there is another one.
    const fn rule(self) -> (i64, Duration) {
        match self {
            Self::TriesFrom => (60, Duration::from_secs(2)),
            Self::TriesAt => (10, Duration::from_secs(180)),
            Self::MailFrom => (20, Duration::from_secs(30)),
            Self::MailTo => (5, Duration::from_secs(600)),
            Self::ExchangeFrom | Self::ReportFrom => (60, Duration::from_secs(1)),
            Self::DepartFrom => (60, Duration::from_secs(2)),
            Self::VerifyFor => (20, Duration::from_secs(10)),
        }
    }
}

type Seat = (Limit, [u8; 16]);

/// Counts what was tried. A subject that has rested long enough takes no memory.
#[derive(Debug)]
pub(crate) struct Throttle {
    clock: Clock,
    /// When each subject will have all of its tries again, in microseconds.
    seats: Mutex<HashMap<Seat, i64>>,
    most: usize,
}

fn micros(duration: Duration) -> i64 {
    i64::try_from(duration.as_micros()).unwrap_or(i64::MAX)
}

fn seat(limit: Limit, subject: &str) -> Seat {
    let digest: [u8; 32] = Sha256::digest(subject.as_bytes()).into();
    let mut short = [0; 16];
    short.copy_from_slice(digest.get(..16).unwrap_or(&[0; 16]));
    (limit, short)
}

impl Throttle {
    pub fn new(clock: Clock) -> Self {
        Self { clock, seats: Mutex::default(), most: MOST }
    }

    /// Takes one try.
    ///
    /// # Errors
    /// [`PlatformError::TooOften`] with the seconds until there is one.
    pub fn take(&self, limit: Limit, subject: &str) -> Result<(), PlatformError> {
        let (burst, every) = limit.rule();
        let (now, every) = (micros(self.clock.monotonic()), micros(every));
        let mut seats = self.seats.lock().unwrap_or_else(PoisonError::into_inner);
        let mut seat = seat(limit, subject);
        if seats.len() >= self.most && !seats.contains_key(&seat) {
            seats.retain(|_, rested| *rested > now);
            if seats.len() >= self.most {
                seat = (limit, [0; 16]);
            }
        }
        let rested = seats.get(&seat).copied().unwrap_or(now).max(now).saturating_add(every);
        let over = rested.saturating_sub(now).saturating_sub(burst.saturating_mul(every));
        if over > 0 {
            let seconds = u64::try_from(over).unwrap_or(0).div_ceil(1_000_000);
            return Err(PlatformError::TooOften(seconds));
        }
        seats.insert(seat, rested);
        Ok(())
    }

    /// Gives a subject all of its tries back.
    pub fn forgive(&self, limit: Limit, subject: &str) {
        let mut seats = self.seats.lock().unwrap_or_else(PoisonError::into_inner);
        seats.remove(&seat(limit, subject));
    }
}

#[cfg(test)]
mod tests {
    use signalbox_core::Timestamp;

    use super::*;

    fn throttle(most: usize) -> Throttle {
        let clock = Clock::manual(Timestamp::from_seconds(1_000));
        Throttle { clock, seats: Mutex::default(), most }
    }

    #[test]
    fn tries_come_back_one_by_one() {
        let throttle = throttle(MOST);
        let take = || throttle.take(Limit::TriesAt, "ada");
        for _ in 0..10 {
            take().unwrap();
        }
        assert!(matches!(take(), Err(PlatformError::TooOften(180))));
        throttle.take(Limit::TriesAt, "bob").unwrap();
        throttle.take(Limit::TriesFrom, "ada").unwrap();
        throttle.clock.advance(Duration::from_secs(181));
        take().unwrap();
        assert!(matches!(take(), Err(PlatformError::TooOften(179))));
        throttle.forgive(Limit::TriesAt, "ada");
        take().unwrap();
    }

    #[test]
    fn memory_is_bounded_and_a_crowd_shares_what_is_left() {
        let throttle = throttle(100);
        let mut refused = 0;
        for index in 0..1_000 {
            refused += usize::from(throttle.take(Limit::TriesAt, &index.to_string()).is_err());
        }
        assert_eq!(throttle.seats.lock().unwrap().len(), 101);
        assert_eq!(refused, 890, "a hundred by themselves, ten together");
        throttle.clock.advance(Duration::from_secs(3_600));
        throttle.take(Limit::TriesAt, "late").unwrap();
        assert_eq!(throttle.seats.lock().unwrap().len(), 1);
    }
}
