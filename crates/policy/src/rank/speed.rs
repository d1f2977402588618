//! Published speed of an endpoint: medians and percentiles of the last half hour.

use signalbox_catalog::{Endpoint, Percentiles, Perf};

use crate::preferences::Cutoffs;

/// Median output tokens per second.
pub(super) fn throughput(endpoint: &Endpoint) -> Option<f64> {
    Some(endpoint.perf_30m?.throughput.p50)
}

/// Median milliseconds to the first token.
pub(super) fn latency(endpoint: &Endpoint) -> Option<f64> {
    Some(endpoint.perf_30m?.latency.p50)
}

/// Whether every given cutoff holds. An endpoint without figures meets none.
pub(super) fn meets(endpoint: &Endpoint, least: &Cutoffs, most_seconds: &Cutoffs) -> bool {
    let perf = endpoint.perf_30m.unwrap_or(Perf {
        latency: all(f64::INFINITY),
        throughput: all(0.0),
        requests: 0,
    });
    let (speed, wait) = (&perf.throughput, &perf.latency);
    let enough = |cutoff: Option<f64>, value: f64| cutoff.is_none_or(|least| value >= least);
    let soon = |cutoff: Option<f64>, value: f64| cutoff.is_none_or(|most| value <= most * 1000.0);
    enough(least.p50, speed.p50)
        && enough(least.p75, speed.p75)
        && enough(least.p90, speed.p90)
        && enough(least.p99, speed.p99)
        && soon(most_seconds.p50, wait.p50)
        && soon(most_seconds.p75, wait.p75)
        && soon(most_seconds.p90, wait.p90)
        && soon(most_seconds.p99, wait.p99)
}

const fn all(value: f64) -> Percentiles {
    Percentiles { p50: value, p75: value, p90: value, p99: value }
}
