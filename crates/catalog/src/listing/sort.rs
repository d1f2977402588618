//! The orders of `GET /models`.

use std::cmp::Reverse;
use std::sync::Arc;

use signalbox_core::PriceKind;

use crate::{Endpoint, Model, Snapshot};

/// An order of `GET /models`. Rows that lack the figure come last.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[expect(missing_docs, reason = "each variant is its own name on the wire")]
pub enum Sort {
    MostPopular,
    Newest,
    PricingLowToHigh,
    PricingHighToLow,
    ContextHighToLow,
    ThroughputHighToLow,
    LatencyLowToHigh,
    IntelligenceHighToLow,
    CodingHighToLow,
    AgenticHighToLow,
    DesignArenaEloHighToLow,
}

impl Sort {
    /// The order with this wire name; `top-weekly` is another name of `most-popular`.
    #[must_use]
    pub fn from_name(name: &str) -> Option<Self> {
        Some(match name {
            "most-popular" | "top-weekly" => Self::MostPopular,
            "newest" => Self::Newest,
            "pricing-low-to-high" => Self::PricingLowToHigh,
            "pricing-high-to-low" => Self::PricingHighToLow,
            "context-high-to-low" => Self::ContextHighToLow,
            "throughput-high-to-low" => Self::ThroughputHighToLow,
            "latency-low-to-high" => Self::LatencyLowToHigh,
            "intelligence-high-to-low" => Self::IntelligenceHighToLow,
            "coding-high-to-low" => Self::CodingHighToLow,
            "agentic-high-to-low" => Self::AgenticHighToLow,
            "design-arena-elo-high-to-low" => Self::DesignArenaEloHighToLow,
            _ => return None,
        })
    }
}

/// A figure in a form that has a total order; `None` when the row lacks it.
type Figure = Option<i128>;

/// Sorts rows. Without an order the newest come first; equal rows stay in the order of their ids.
pub(super) fn sort(snapshot: &Snapshot, rows: &mut [&Arc<Model>], by: Option<Sort>) {
    rows.sort_by(|a, b| a.id.cmp(&b.id));
    let by = by.unwrap_or(Sort::Newest);
    let rising = matches!(by, Sort::PricingLowToHigh | Sort::LatencyLowToHigh);
    rows.sort_by_cached_key(|model| match (figure(snapshot, model, by), rising) {
        (None, _) => (true, Reverse(0)),
        (Some(figure), true) => (false, Reverse(figure.saturating_neg())),
        (Some(figure), false) => (false, Reverse(figure)),
    });
}

fn figure(snapshot: &Snapshot, model: &Model, by: Sort) -> Figure {
    let scores = model.benchmarks.as_ref();
    match by {
        Sort::MostPopular => model.usage.and_then(|usage| usage.tokens_7d).map(i128::from),
        Sort::Newest => Some(i128::from(model.created)),
        Sort::PricingLowToHigh | Sort::PricingHighToLow => typical_price(model),
        Sort::ContextHighToLow => {
            (model.context_length > 0).then_some(i128::from(model.context_length))
        }
        Sort::ThroughputHighToLow => {
            let speeds = median(snapshot, model, |perf| perf.throughput.p50);
            speeds.into_iter().max()
        }
        Sort::LatencyLowToHigh => {
            median(snapshot, model, |perf| perf.latency.p50).into_iter().min()
        }
        Sort::IntelligenceHighToLow => scores.and_then(|one| one.intelligence).and_then(micros),
        Sort::CodingHighToLow => scores.and_then(|one| one.coding).and_then(micros),
        Sort::AgenticHighToLow => scores.and_then(|one| one.agentic).and_then(micros),
        Sort::DesignArenaEloHighToLow => {
            scores.and_then(|one| one.arenas.iter().filter_map(|arena| micros(arena.elo)).max())
        }
    }
}

/// What a mix of requests costs that comes to a million tokens: three prompt tokens for each output
/// token, 250 requests, two of them with a web search. The weights are ours; none are published.
fn typical_price(model: &Model) -> Figure {
    const MIX: [(PriceKind, u64); 4] = [
        (PriceKind::Prompt, 750_000),
        (PriceKind::Completion, 250_000),
        (PriceKind::Request, 250),
        (PriceKind::WebSearch, 2),
    ];
    if !model.pricing.prices_tokens() {
        return None;
    }
    let mut sum: i128 = 0;
    for (kind, quantity) in MIX {
        if let Some(rate) = model.pricing.rates.get(kind) {
            sum = sum.checked_add(rate.times(quantity)?)?;
        }
    }
    Some(sum)
}

fn median(snapshot: &Snapshot, model: &Model, of: fn(&crate::Perf) -> f64) -> Vec<i128> {
    let measured = |endpoint: &Arc<Endpoint>| endpoint.perf_30m.as_ref().map(of).and_then(micros);
    let endpoints = snapshot.endpoints(&model.id).iter();
    endpoints.filter_map(measured).filter(|figure| *figure > 0).collect()
}

/// A score as whole millionths.
fn micros(score: f64) -> Figure {
    score.is_finite().then(|| (score * 1e6).round() as i128)
}
