//! What the planner knows of an endpoint's recent past.

use signalbox_core::Timestamp;

/// The recent past of one endpoint, as this process saw it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct EndpointHealth {
    /// The last failure that counts against the endpoint.
    pub last_fault: Option<Timestamp>,
    /// The last complete answer.
    pub last_success: Option<Timestamp>,
    /// Until when the provider asked not to be called.
    pub cooling_until: Option<Timestamp>,
}

/// Seconds for which a failure counts as an outage (inference spec 5.3).
const OUTAGE_SECONDS: i64 = 30;

impl EndpointHealth {
    /// Whether the endpoint should wait behind the others: it failed within the last 30 s and did
    /// not answer since.
    #[must_use]
    pub fn is_out(&self, now: Timestamp) -> bool {
        self.last_fault.is_some_and(|fault| {
            let failing = self.last_success.is_none_or(|success| success < fault);
            failing && now < fault.plus_millis(OUTAGE_SECONDS * 1000)
        })
    }

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
    /// The recent past of the endpoint with this id; the default when nothing is known.
    fn of(&self, endpoint: &str) -> EndpointHealth;
}

/// Nothing is known of anything: for dry runs and tests.
#[derive(Debug, Clone, Copy, Default)]
pub struct Unknown;

impl Health for Unknown {
    fn of(&self, _: &str) -> EndpointHealth {
        EndpointHealth::default()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_outage_lasts_thirty_seconds_or_until_the_next_success() {
        let at = Timestamp::from_seconds;
        let failed = EndpointHealth { last_fault: Some(at(100)), ..EndpointHealth::default() };
        assert!(failed.is_out(at(129)));
        assert!(!failed.is_out(at(130)));
        let back = EndpointHealth { last_success: Some(at(101)), ..failed };
        assert!(!back.is_out(at(102)));
        let cooling = EndpointHealth { cooling_until: Some(at(500)), ..EndpointHealth::default() };
        assert!(!cooling.is_out(at(499)), "asking for patience is no outage");
        assert_eq!(cooling.cooling(at(490)), Some(10));
        assert_eq!(cooling.cooling(Timestamp::from_micros(499_999_999)), Some(1));
        assert_eq!(cooling.cooling(at(500)), None);
    }
}
