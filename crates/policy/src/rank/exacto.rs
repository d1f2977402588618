//! Auto Exacto: quality before price (inference spec 5.7, platform spec 15.8).
//!
//! Endpoints of a model are compared with each other. Three signals count: throughput, tool-call
//! success, benchmark scores. One that lies far below the median makes an endpoint poor; without
//! enough traffic it is neither proven nor poor. A signal for which fewer than four can be compared is
//! skipped.

use signalbox_catalog::Endpoint;

use super::statistics::cutoff;
use crate::health::EndpointHealth;
use crate::place::{Proof, Signal};

/// Requests in 30 minutes below which nothing is said.
pub const LEAST_REQUESTS: u32 = 100;
/// Tool requests in two hours below which nothing is said.
pub const LEAST_TOOL_REQUESTS: u32 = 200;
/// Providers, or endpoints for benchmarks, without which a signal is skipped.
const LEAST_COMPARED: usize = 4;
/// Deviations below the median at which throughput is poor.
const THROUGHPUT_SIGMAS: f64 = 1.5;
/// The same for tool-call success and benchmarks.
const SUCCESS_SIGMAS: f64 = 2.0;
/// Least deviation of throughput, as a share of the median. Chosen: see [`cutoff`].
const THROUGHPUT_SPREAD: f64 = 0.02;
/// Least deviation of shares and scores of 0 to 1. Chosen: see [`cutoff`].
const SHARE_SPREAD: f64 = 0.01;

/// An endpoint that is compared, and its recent past with the operator's credential.
#[derive(Debug, Clone, Copy)]
pub struct Sample<'a, 'h> {
    /// The endpoint.
    pub endpoint: &'a Endpoint,
    /// Its past.
    pub health: &'h EndpointHealth,
}

/// The values below which an endpoint of one model is poor; `None` skips the signal.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Bars<'a> {
    /// Tokens per second.
    pub throughput: Option<f64>,
    /// Whether the figures for it are live; else they are the catalogue's.
    pub live: bool,
    /// The share of tool requests without a bad call, 0 to 1.
    pub tools: Option<f64>,
    /// By benchmark.
    pub benchmarks: Vec<(&'a str, f64)>,
}

impl<'a> Bars<'a> {
    /// The bars of one model. `samples` are its endpoints that can be called; `published` are all of
    /// them, for figures of the catalogue where too few are live.
    #[must_use]
    pub fn of(samples: &[Sample<'a, '_>], published: impl Iterator<Item = &'a Endpoint>) -> Self {
        let live = samples
            .iter()
            .filter_map(|one| Some((one.endpoint.provider.as_str(), live_throughput(one.health)?)));
        let live = bar(live, THROUGHPUT_SIGMAS, |median| median * THROUGHPUT_SPREAD);
        let tools = samples
            .iter()
            .filter_map(|one| Some((one.endpoint.provider.as_str(), tool_success(one.health)?)));
        let tools = bar(tools, SUCCESS_SIGMAS, |_| SHARE_SPREAD);
        let listed = || {
            let rows = published.filter(|one| one.tier.is_none());
            let rows =
                rows.filter_map(|one| Some((one.provider.as_str(), published_throughput(one)?)));
            bar(rows, THROUGHPUT_SIGMAS, |median| median * THROUGHPUT_SPREAD)
        };
        Self {
            live: live.is_some(),
            throughput: live.or_else(listed),
            tools,
            benchmarks: benchmarks(samples),
        }
    }

    /// What is known of one endpoint's quality. The first signal that speaks against it is named.
    #[must_use]
    pub fn judge(&self, endpoint: &Endpoint, health: &EndpointHealth) -> Proof {
        let below = |bar: Option<f64>, value: Option<f64>| {
            bar.zip(value).is_some_and(|(bar, value)| value < bar)
        };
        let throughput =
            if self.live { live_throughput(health) } else { published_throughput(endpoint) };
        if below(self.throughput, throughput) {
            return Proof::Poor(Signal::Throughput);
        }
        if below(self.tools, tool_success(health)) {
            return Proof::Poor(Signal::ToolCalls);
        }
        // Where others have a score, none is as bad as a poor one.
        let score = |name: &str| {
            endpoint.scores.iter().find(|one| one.benchmark == name).map(|one| one.score)
        };
        if self.benchmarks.iter().any(|(name, bar)| score(name).is_none_or(|score| score < *bar)) {
            return Proof::Poor(Signal::Benchmark);
        }
        let (requests, tool_requests) = (health.requests_30m, health.tool_requests_2h);
        if requests < LEAST_REQUESTS || tool_requests < LEAST_TOOL_REQUESTS {
            return Proof::Thin { requests, tool_requests };
        }
        Proof::Proven
    }
}

fn live_throughput(health: &EndpointHealth) -> Option<f64> {
    let enough = health.requests_30m >= LEAST_REQUESTS;
    health.throughput.filter(|_| enough).map(|values| values.p50).filter(|one| one.is_finite())
}

fn published_throughput(endpoint: &Endpoint) -> Option<f64> {
    let perf = endpoint.perf_30m.filter(|perf| perf.requests >= u64::from(LEAST_REQUESTS))?;
    Some(perf.throughput.p50).filter(|one| one.is_finite())
}

fn tool_success(health: &EndpointHealth) -> Option<f64> {
    let all = health.tool_requests_2h;
    (all >= LEAST_TOOL_REQUESTS)
        .then(|| 1.0 - f64::from(health.tool_faults_2h.min(all)) / f64::from(all))
}

/// The bar among the values of different providers, if there are enough.
fn bar<'a>(
    values: impl Iterator<Item = (&'a str, f64)>,
    sigmas: f64,
    least: impl Fn(f64) -> f64,
) -> Option<f64> {
    let mut providers: [&str; LEAST_COMPARED] = Default::default();
    let mut different = 0;
    let mut figures = Vec::new();
    for (provider, value) in values {
        if !providers.contains(&provider)
            && let Some(slot) = providers.get_mut(different)
        {
            *slot = provider;
            different = different.saturating_add(1);
        }
        figures.push(value);
    }
    if different < LEAST_COMPARED {
        return None;
    }
    cutoff(&mut figures, sigmas, least)
}

/// The bar of each benchmark for which enough endpoints have a score.
fn benchmarks<'a>(samples: &[Sample<'a, '_>]) -> Vec<(&'a str, f64)> {
    let mut names: Vec<&str> = Vec::new();
    for score in samples.iter().flat_map(|one| &one.endpoint.scores) {
        if !names.contains(&score.benchmark.as_str()) {
            names.push(&score.benchmark);
        }
    }
    let bar = |name: &'a str| {
        let scores = samples.iter().flat_map(|one| &one.endpoint.scores);
        let mut scores: Vec<f64> =
            scores.filter(|one| one.benchmark == name).map(|one| one.score).collect();
        let enough = scores.len() >= LEAST_COMPARED;
        enough.then(|| cutoff(&mut scores, SUCCESS_SIGMAS, |_| SHARE_SPREAD)).flatten()
    };
    names.into_iter().filter_map(|name| Some((name, bar(name)?))).collect()
}
