//! What an attempt that nobody gets may cost the platform: a provider that failed or was left may
//! have worked, and charges for it. The client never pays for it.

use signalbox_core::{PriceTable, Timestamp, Usage, Usd};
use signalbox_ledger::price;
use signalbox_policy::Candidate;

use crate::estimate;
use crate::generation::Generation;

/// What was consumed in vain.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Waste {
    /// The provider's counts; else the prompt as it is estimated, flagged as such.
    pub usage: Usage,
    /// At the endpoint's prices.
    pub cost: Usd,
}

/// What the attempt at the candidate at this place may have cost; `None` with the caller's own key,
/// and without usable prices.
pub(crate) fn of(generation: &Generation, index: usize, counted: Option<Usage>) -> Option<Waste> {
    let candidate = generation.given.plan.candidates.get(index)?;
    if candidate.byok.is_some() {
        return None;
    }
    let bound = generation.bounds.get(index)?.estimate;
    let usage = match counted {
        Some(usage) => estimate::within(&usage, &bound),
        None => {
            let family = candidate.model.tokenizer.as_str();
            let tokens = |bytes| generation.gateway.ratios.tokens(family, bytes);
            estimate::usage(&generation.given.resolved.survey, 0, &bound, tokens)
        }
    };
    let prices = &candidate.endpoint.prices;
    let cost = price(&usage, prices, generation.trace.received, 1).ok()?.total;
    Some(Waste { usage, cost })
}

/// What the attempts of a generation that nobody got may have cost, one amount each.
pub(crate) fn posted(generation: &Generation) -> Vec<Usd> {
    let wasted = generation.trace.attempts.iter().filter_map(|note| note.waste.as_ref());
    wasted.map(|waste| waste.cost).collect()
}

/// What an answer cost the platform that is free by the insurance (inference spec 18.2). Its searches
/// are billed, and so no waste.
pub(crate) fn insured(
    candidate: &Candidate,
    usage: &Usage,
    prices: &PriceTable,
    at: Timestamp,
) -> Option<Waste> {
    let usage = Usage { searches: 0, ..*usage };
    if candidate.byok.is_some() || usage.total() == 0 {
        return None;
    }
    let cost = price(&usage, prices, at, 1).ok()?.total;
    Some(Waste { usage, cost })
}
