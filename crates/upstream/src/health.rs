//! What was seen of each endpoint, for the planner to read.

use std::collections::HashMap;
use std::sync::atomic::{AtomicI64, Ordering};
use std::sync::{Arc, PoisonError, RwLock};

use signalbox_core::Timestamp;
use signalbox_policy::health::{EndpointHealth, Health};

/// How an attempt at an endpoint went.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Observation {
    /// It answered to the end.
    Success,
    /// It failed in a way that counts against it (inference spec 5.3).
    Fault,
    /// It asked for patience until this moment: no fault, but no candidate before then.
    RateLimited {
        /// When the provider may be asked again.
        until: Timestamp,
    },
}

#[derive(Debug, Default)]
struct Entry {
    last_fault: AtomicI64,
    last_success: AtomicI64,
    cooling_until: AtomicI64,
}

/// Counters by endpoint id, bounded by the number of endpoints in the catalogue. Reads take a
/// shared lock and never wait for IO.
#[derive(Debug, Default)]
pub struct HealthBoard {
    entries: RwLock<HashMap<Arc<str>, Arc<Entry>>>,
}

impl HealthBoard {
    /// Notes how an attempt went.
    pub fn record(&self, endpoint: &str, now: Timestamp, seen: Observation) {
        let entry = self.entry(endpoint);
        match seen {
            Observation::Success => {
                entry.last_success.store(now.micros(), Ordering::Relaxed);
            }
            Observation::Fault => {
                entry.last_fault.store(now.micros(), Ordering::Relaxed);
            }
            Observation::RateLimited { until } => {
                entry.cooling_until.fetch_max(until.micros(), Ordering::Relaxed);
            }
        }
    }

    fn entry(&self, endpoint: &str) -> Arc<Entry> {
        if let Some(entry) = self.find(endpoint) {
            return entry;
        }
        let mut entries = self.entries.write().unwrap_or_else(PoisonError::into_inner);
        Arc::clone(entries.entry(Arc::from(endpoint)).or_default())
    }

    fn find(&self, endpoint: &str) -> Option<Arc<Entry>> {
        let entries = self.entries.read().unwrap_or_else(PoisonError::into_inner);
        entries.get(endpoint).map(Arc::clone)
    }
}

impl Health for HealthBoard {
    fn of(&self, endpoint: &str) -> EndpointHealth {
        let Some(entry) = self.find(endpoint) else { return EndpointHealth::default() };
        let moment = |cell: &AtomicI64| match cell.load(Ordering::Relaxed) {
            0 => None,
            micros => Some(Timestamp::from_micros(micros)),
        };
        EndpointHealth {
            last_fault: moment(&entry.last_fault),
            last_success: moment(&entry.last_success),
            cooling_until: moment(&entry.cooling_until),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_recorded_is_what_the_planner_reads() {
        let board = HealthBoard::default();
        let at = Timestamp::from_seconds;
        assert_eq!(board.of("a"), EndpointHealth::default());
        board.record("a", at(5), Observation::Fault);
        board.record("a", at(6), Observation::Success);
        board.record("a", at(6), Observation::RateLimited { until: at(60) });
        board.record("a", at(7), Observation::RateLimited { until: at(10) });
        let seen = board.of("a");
        assert_eq!(seen.last_fault, Some(at(5)));
        assert_eq!(seen.last_success, Some(at(6)));
        assert_eq!(seen.cooling_until, Some(at(60)), "the longer wait stays");
    }
}
