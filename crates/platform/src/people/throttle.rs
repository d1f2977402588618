//! How often something may be tried: by one address, at one account. Memory is bounded.
//!
//! What somebody gains by trying more (guesses, letters) is counted in the database too, for all processes
//! together. Memory comes first: a flood from one network writes nothing.

use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use sha2::{Digest, Sha256};
use signalbox_runtime::Clock;
use signalbox_store::tries::{Pace, Tried};

use super::{People, digest};
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
    /// Provider keys that one account has tried.
    ProbeFor,
}

impl Limit {
    /// How many at once, and how long until there is another one.
    const fn pace(self) -> Pace {
        let (burst, every) = match self {
            Self::TriesFrom => (60, Duration::from_secs(2)),
            Self::TriesAt => (10, Duration::from_secs(180)),
            Self::MailFrom => (20, Duration::from_secs(30)),
            Self::MailTo => (5, Duration::from_secs(600)),
            Self::ExchangeFrom | Self::ReportFrom => (60, Duration::from_secs(1)),
            Self::DepartFrom => (60, Duration::from_secs(2)),
            Self::VerifyFor | Self::ProbeFor => (20, Duration::from_secs(10)),
        };
        Pace { burst, every }
    }

    /// What it is called where all processes count; `None` for what only spares this one.
    const fn shared(self) -> Option<&'static str> {
        match self {
            Self::TriesFrom => Some("tries_from"),
            Self::TriesAt => Some("tries_at"),
            Self::MailFrom => Some("mail_from"),
            Self::MailTo => Some("mail_to"),
            Self::ProbeFor => Some("probe_for"),
            Self::ExchangeFrom | Self::DepartFrom | Self::VerifyFor | Self::ReportFrom => None,
        }
    }

    /// Whether tries are given back: then what other processes know counts, and memory does not.
    const fn is_forgiven(self) -> bool {
        matches!(self, Self::TriesAt)
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
        let Pace { burst, every } = limit.pace();
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
        let over =
            rested.saturating_sub(now).saturating_sub(every.saturating_mul(i64::from(burst)));
        if over > 0 {
            let over = Duration::from_micros(u64::try_from(over).unwrap_or(0));
            return Err(too_often(over));
        }
        seats.insert(seat, rested);
        Ok(())
    }
}

fn too_often(wait: Duration) -> PlatformError {
    PlatformError::TooOften(u64::try_from(wait.as_micros().div_ceil(1_000_000)).unwrap_or(u64::MAX))
}

fn tried(kind: &'static str, subject: &str) -> Tried {
    Tried { kind, subject: digest(subject) }
}

impl People {
    /// Takes one try.
    ///
    /// # Errors
    /// [`PlatformError::TooOften`] with the seconds until there is one.
    pub(crate) async fn may(&self, limit: Limit, subject: &str) -> Result<(), PlatformError> {
        if !limit.is_forgiven() {
            self.throttle().take(limit, subject)?;
        }
        let Some(kind) = limit.shared() else { return Ok(()) };
        let store = self.platform().store();
        match store.take_try(tried(kind, subject), limit.pace()).await? {
            None => Ok(()),
            Some(wait) => Err(too_often(wait)),
        }
    }

    /// Gives an account all of its tries of passwords and codes back.
    pub(crate) async fn forgive(&self, email: &str) -> Result<(), PlatformError> {
        let Some(kind) = Limit::TriesAt.shared() else { return Ok(()) };
        Ok(self.platform().store().forgive_tries(tried(kind, email)).await?)
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
