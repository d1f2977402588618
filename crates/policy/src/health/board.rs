//! What was seen of each endpoint. Pure: every call brings the time along.

use std::collections::HashMap;
use std::sync::atomic::{AtomicI64, Ordering};
use std::sync::{Arc, PoisonError, RwLock};
use std::time::Duration;

use signalbox_catalog::Endpoint;
use signalbox_core::Timestamp;

use super::{Admission, EndpointHealth, Health, Observation, Seat, Sending};

/// Seconds for which a failure counts as an outage (inference spec 5.3).
const OUTAGE_SECONDS: i64 = 30;

/// How long an endpoint rests after a 429 that names no time.
const REST_MILLIS: i64 = 5_000;

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
    /// Asks to make an attempt at `now`, which is what the other calls know it by.
    pub fn enter(&self, _sending: &Sending<'_>, _now: Timestamp) -> Admission {
        Admission::Go
    }

    /// Notes that the attempt sent at `sent` has content: its endpoint is alive.
    pub fn answering(&self, _seat: Seat<'_>, _sent: Timestamp, _now: Timestamp) {}

    /// Whether the attempt sent at `sent`, which has no content yet, should go elsewhere because
    /// its endpoint answers nobody (reliability design 5.4).
    #[must_use]
    pub fn hanging(&self, _seat: Seat<'_>, _sent: Timestamp, _now: Timestamp) -> bool {
        false
    }

    /// How long after sending an attempt without content is worth asking about: streams and answers
    /// in one piece differ.
    #[must_use]
    pub fn hang_check_after(&self, _seat: Seat<'_>, _whole: bool) -> Duration {
        Duration::from_secs(2)
    }

    /// Notes how an attempt that was let in, and sent at `sent`, went.
    pub fn record(&self, seat: Seat<'_>, _sent: Timestamp, now: Timestamp, seen: Observation) {
        let entry = self.entry(seat);
        match seen {
            Observation::Success { .. } => {
                entry.last_success.store(now.micros(), Ordering::Relaxed);
            }
            Observation::Fault | Observation::Broke => {
                entry.last_fault.store(now.micros(), Ordering::Relaxed);
            }
            Observation::RateLimited { until } => {
                let until = until.unwrap_or(now.plus_millis(REST_MILLIS));
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
            first_content_ms: Some(1),
            total_ms: 2,
            output_tokens: 3,
            tools: None,
        };
        board.record(SEAT, at(100), at(101), answered);
        assert!(!out(102));
        board.record(SEAT, at(6), at(6), Observation::RateLimited { until: Some(at(60)) });
        board.record(SEAT, at(7), at(7), Observation::RateLimited { until: Some(at(10)) });
        let entry = board.find(SEAT).unwrap();
        assert_eq!(entry.cooling_until.load(Ordering::Relaxed), 60_000_000, "the longer one stays");
    }
}
