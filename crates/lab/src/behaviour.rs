//! How an endpoint behaves when nothing special is going on.

use serde::Deserialize;
use signalbox_catalog::{Endpoint, Percentiles};

use crate::curve::Curve;

/// Shares of requests, 0 to 1, that go wrong on an ordinary day.
#[derive(Debug, Clone, Copy, PartialEq, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(crate) struct Rates {
    /// Refused with a server error before any content.
    pub error_rate: f64,
    /// Never answered.
    pub hang_rate: f64,
    /// Broken off after the first content.
    pub break_rate: f64,
    /// Answers that call tools and get it wrong.
    pub bad_tool_calls: f64,
}

impl Rates {
    /// Whether all of them are shares, and together no more than everything.
    pub(crate) fn are_shares(&self) -> bool {
        let all = [self.error_rate, self.hang_rate, self.break_rate];
        let share = |rate: &f64| (0.0..=1.0).contains(rate);
        all.iter().all(share) && share(&self.bad_tool_calls) && all.iter().sum::<f64>() <= 1.0
    }
}

/// Everything about one endpoint that does not change with time.
#[derive(Debug, Clone)]
pub(crate) struct Behaviour {
    /// Milliseconds to the first token.
    pub latency: Curve,
    /// Output tokens per second once it speaks.
    pub throughput: Curve,
    /// What goes wrong.
    pub rates: Rates,
    /// Requests per minute beyond which it answers 429.
    pub per_minute: Option<u64>,
    /// Tokens per minute beyond which it does.
    pub tokens_per_minute: Option<u64>,
}

/// Speeds of an endpoint without published figures: near the median of all published ones.
const USUAL_LATENCY: Percentiles =
    Percentiles { p50: 1_200.0, p75: 1_900.0, p90: 3_600.0, p99: 11_000.0 };
const USUAL_THROUGHPUT: Percentiles = Percentiles { p50: 45.0, p75: 60.0, p90: 80.0, p99: 110.0 };
/// Share of answers with tool calls of which one is bad, where nothing is recorded.
const BAD_TOOL_CALLS: f64 = 0.01;

impl Behaviour {
    /// As published, with or without the ordinary failures that no figure is published for, and the
    /// published limits on load.
    pub(crate) fn published(endpoint: &Endpoint, fails: bool, limited: bool) -> Self {
        let perf = endpoint.perf_30m;
        Self {
            latency: Curve::new(&perf.map_or(USUAL_LATENCY, |perf| perf.latency)),
            throughput: Curve::new(&perf.map_or(USUAL_THROUGHPUT, |perf| perf.throughput)),
            rates: if fails { ordinary(endpoint) } else { Rates::default() },
            per_minute: endpoint.limit_rpm.filter(|_| limited),
            tokens_per_minute: endpoint.capacity_tpm.filter(|_| limited),
        }
    }
}

/// The failures of an ordinary day. Published is only a status: 0, or a negative number for a
/// degraded endpoint. What stands behind it is assumed: 0.3 % of requests fail at a healthy endpoint,
/// 3 % at one with status −1 or −2, 10 % below. Six in ten failures are server errors, one is
/// silence, three break off. All healthy endpoints are equally good, so that no strategy wins by
/// sitting on a lucky one.
fn ordinary(endpoint: &Endpoint) -> Rates {
    let rate = match endpoint.status {
        0.. => 0.003,
        -2..=-1 => 0.03,
        _ => 0.1,
    };
    Rates {
        error_rate: rate * 0.6,
        hang_rate: rate * 0.1,
        break_rate: rate * 0.3,
        bad_tool_calls: BAD_TOOL_CALLS,
    }
}
