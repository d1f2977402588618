//! What was seen of each endpoint. Pure: every call brings the time along.

use std::collections::HashMap;
use std::sync::atomic::{AtomicI64, Ordering};
use std::sync::{Arc, PoisonError, RwLock};

use signalbox_catalog::Endpoint;
use signalbox_core::Timestamp;

use super::{EndpointHealth, Health};

/// Seconds for which a failure counts as an outage (inference spec 5.3).
const OUTAGE_SECONDS: i64 = 30;

/// Whose health it is: an endpoint, called with a credential.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Seat<'a> {
    /// The endpoint's id.
    pub endpoint: &'a str,
    /// The id of the tenant's key; `None` is the operator's own.
    pub credential: Option<&'a str>,
}

/// Whether an attempt may be made now.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Admission {
    /// It may, and counts as sent. Its end has to be recorded.
    Go,
    /// Not now: somebody else is finding out whether the endpoint is back, or nobody may.
    Refused,
}

/// How an attempt at an endpoint went.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Observation {
    /// It answered to the end.
    Success {
        /// Milliseconds from sending to the first content.
        first_content_ms: u64,
        /// Milliseconds from sending to the end.
        total_ms: u64,
        /// Output tokens.
        output_tokens: u64,
        /// When the finish reason was a tool call: whether every call was well-formed.
        tools: Option<bool>,
    },
    /// It failed in a way that counts against it (inference spec 5.3).
    Fault,
    /// It asked for patience until this moment: no fault, but no candidate before then.
    RateLimited {
        /// When the provider may be asked again.
        until: Timestamp,
    },
    /// It ended in a way that says nothing of the endpoint: the caller's fault, or the client left.
    Neutral,
}

#[derive(Debug, Default)]
struct Entry {
    last_fault: AtomicI64,
    last_success: AtomicI64,
    cooling_until: AtomicI64,
}

/// Observations by endpoint and credential.
#[derive(Debug, Default)]
pub struct HealthBoard {
    entries: RwLock<HashMap<String, Arc<Entry>>>,
}

impl HealthBoard {
    /// Asks to make an attempt. `last_resort` says that the request has no other candidate left.
    pub fn enter(&self, _seat: Seat<'_>, _now: Timestamp, _last_resort: bool) -> Admission {
        Admission::Go
    }

    /// Notes how an attempt that was let in, and sent at `sent`, went.
    pub fn record(&self, seat: Seat<'_>, _sent: Timestamp, now: Timestamp, seen: Observation) {
        let entry = self.entry(seat);
        match seen {
            Observation::Success { .. } => {
                entry.last_success.store(now.micros(), Ordering::Relaxed);
            }
            Observation::Fault => {
                entry.last_fault.store(now.micros(), Ordering::Relaxed);
            }
            Observation::RateLimited { until } => {
                entry.cooling_until.fetch_max(until.micros(), Ordering::Relaxed);
            }
            Observation::Neutral => {}
        }
    }

    fn entry(&self, seat: Seat<'_>) -> Arc<Entry> {
        if let Some(entry) = self.find(seat) {
            return entry;
        }
        let mut entries = self.entries.write().unwrap_or_else(PoisonError::into_inner);
        Arc::clone(entries.entry(key(seat)).or_default())
    }

    fn find(&self, seat: Seat<'_>) -> Option<Arc<Entry>> {
        let entries = self.entries.read().unwrap_or_else(PoisonError::into_inner);
        match seat.credential {
            None => entries.get(seat.endpoint).map(Arc::clone),
            Some(_) => entries.get(&key(seat)).map(Arc::clone),
        }
    }
}

fn key(seat: Seat<'_>) -> String {
    match seat.credential {
        None => seat.endpoint.to_owned(),
        Some(credential) => format!("{}\n{credential}", seat.endpoint),
    }
}

impl Health for HealthBoard {
    fn of(&self, endpoint: &Endpoint, credential: Option<&str>, now: Timestamp) -> EndpointHealth {
        let seat = Seat { endpoint: &endpoint.id, credential };
        let Some(entry) = self.find(seat) else { return EndpointHealth::default() };
        let moment = |cell: &AtomicI64| match cell.load(Ordering::Relaxed) {
            0 => None,
            micros => Some(Timestamp::from_micros(micros)),
        };
        let success = moment(&entry.last_success);
        let outage = moment(&entry.last_fault).is_some_and(|fault| {
            let failing = success.is_none_or(|success| success < fault);
            failing && now < fault.plus_millis(OUTAGE_SECONDS * 1000)
        });
        EndpointHealth {
            outage,
            cooling_until: moment(&entry.cooling_until),
            ..EndpointHealth::default()
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SEAT: Seat<'static> = Seat { endpoint: "a", credential: None };

    #[test]
    fn an_outage_lasts_thirty_seconds_or_until_the_next_success() {
        let at = Timestamp::from_seconds;
        let board = HealthBoard::default();
        let out = |now| {
            let entry = board.find(SEAT).unwrap();
            let fault = entry.last_fault.load(Ordering::Relaxed);
            let success = entry.last_success.load(Ordering::Relaxed);
            success < fault && at(now).micros() < fault + OUTAGE_SECONDS * 1_000_000
        };
        board.record(SEAT, at(99), at(100), Observation::Fault);
        assert!(out(129) && !out(130));
        let answered = Observation::Success {
            first_content_ms: 1,
            total_ms: 2,
            output_tokens: 3,
            tools: None,
        };
        board.record(SEAT, at(100), at(101), answered);
        assert!(!out(102));
        board.record(SEAT, at(6), at(6), Observation::RateLimited { until: at(60) });
        board.record(SEAT, at(7), at(7), Observation::RateLimited { until: at(10) });
        let entry = board.find(SEAT).unwrap();
        assert_eq!(entry.cooling_until.load(Ordering::Relaxed), 60_000_000, "the longer one stays");
    }
}
