//! What the planner knows of an endpoint's recent past: the values. [`HealthBoard`] makes them from
//! what is observed.

use signalbox_catalog::{Endpoint, Percentiles};
use signalbox_core::Timestamp;

mod board;
mod bucket;
mod control;
mod cooling;
mod entry;
mod histogram;
mod key;
mod observation;
mod ring;
mod saved;
mod tally;

pub use board::HealthBoard;
pub use observation::{Admission, Observation, Seat, Sending, Usual};
pub use saved::{Saved, Unreadable};
pub use tally::Figures;

/// Whether an endpoint may be called as usual (reliability design 5.4).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Standing {
    /// Yes.
    #[default]
    Fit,
    /// It failed too often; nobody calls it before this moment but as the last resort.
    Ejected {
        /// When it may be tried again.
        until: Timestamp,
    },
    /// Its time is over: one request at a time may find out whether it is back.
    HalfOpen,
}

/// The recent past of one endpoint with one credential, as this process saw it.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct EndpointHealth {
    /// Whether it had a significant outage within the last 30 s (inference spec 5.3).
    pub outage: bool,
    /// Whether it may be called as usual.
    pub standing: Standing,
    /// Until when the provider asked not to be called.
    pub cooling_until: Option<Timestamp>,
    /// The share of its usual weight that it has, 0 to 1; below 1 after a recovery.
    pub ramp: f32,
    /// Percent of the last five minutes' requests that it answered; `None` under 100 requests.
    pub uptime_5m: Option<f32>,
    /// The same of half an hour.
    pub uptime_30m: Option<f32>,
    /// The same of a day.
    pub uptime_1d: Option<f32>,
    /// Requests of the last five minutes that it answered.
    pub answered_5m: u32,
    /// Requests of the last five minutes that count against it.
    pub failed_5m: u32,
    /// Milliseconds to the first token over five minutes; `None` with too little data.
    pub latency_ms: Option<Percentiles>,
    /// Output tokens per second over five minutes. Percentiles run downwards: p90 ≤ p50.
    pub throughput: Option<Percentiles>,
    /// Requests in half an hour.
    pub requests_30m: u32,
    /// Requests in two hours whose finish reason was a tool call.
    pub tool_requests_2h: u32,
    /// Those of them with at least one bad call.
    pub tool_faults_2h: u32,
}

impl Default for EndpointHealth {
    fn default() -> Self {
        Self {
            outage: false,
            standing: Standing::Fit,
            cooling_until: None,
            ramp: 1.0,
            uptime_5m: None,
            uptime_30m: None,
            uptime_1d: None,
            answered_5m: 0,
            failed_5m: 0,
            latency_ms: None,
            throughput: None,
            requests_30m: 0,
            tool_requests_2h: 0,
            tool_faults_2h: 0,
        }
    }
}

impl EndpointHealth {
    /// Whole seconds, at least one, for which the provider still asks not to be called; `None` when
    /// it may be called. It is never called before (reliability design 2.22).
    #[must_use]
    pub fn cooling(&self, now: Timestamp) -> Option<u64> {
        let left = self.cooling_until?.micros().saturating_sub(now.micros());
        u64::try_from(left).ok().filter(|left| *left > 0).map(|left| left.div_ceil(1_000_000))
    }
}

/// Where the planner reads the recent past from.
pub trait Health {
    /// The recent past of the endpoint with this credential, `None` being the operator's own; the
    /// default when nothing is known.
    fn of(&self, endpoint: &Endpoint, credential: Option<&str>, now: Timestamp) -> EndpointHealth;
}

/// Nothing is known of anything: for dry runs and tests.
#[derive(Debug, Clone, Copy, Default)]
pub struct Unknown;

impl Health for Unknown {
    fn of(&self, _: &Endpoint, _: Option<&str>, _: Timestamp) -> EndpointHealth {
        EndpointHealth::default()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_provider_that_asked_for_patience_is_never_called_early() {
        let at = Timestamp::from_seconds;
        let cooling = EndpointHealth { cooling_until: Some(at(500)), ..EndpointHealth::default() };
        assert_eq!(cooling.cooling(at(490)), Some(10));
        assert_eq!(cooling.cooling(Timestamp::from_micros(499_999_999)), Some(1));
        assert_eq!(cooling.cooling(at(500)), None);
    }
}
