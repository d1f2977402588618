//! Stage 9: what was consumed becomes a charge, durable before the client sees the end.

use signalbox_core::{ApiError, Usage, Usd};
use signalbox_dialect::UsageReport;
use signalbox_ledger::{Charge, Cost, billable, price};
use signalbox_store::Settlement;

use crate::authenticate::out_of_reach;
use crate::ending::Ending;
use crate::estimate;
use crate::generation::Generation;
use crate::{record, tier, waste};

/// Posts the charge and the generation row in one commit, and gives the rest of the reservation
/// back. Prices are those of the moment in which the request arrived.
///
/// # Errors
/// Ours: the endpoint has no usable price, or the ledger could not be written.
pub(crate) async fn settle(
    generation: &mut Generation,
    ending: &Ending<'_>,
) -> Result<UsageReport, ApiError> {
    let now = generation.gateway.clock.now();
    let candidate = generation.given.plan.candidates.get(ending.index);
    let candidate = candidate.ok_or_else(|| ApiError::internal("no such candidate"))?;
    let usage = observed(generation, ending);
    let (billed, requests) = billable(&usage, ending.finish_reason());
    let catalog = &generation.given.world.catalog;
    let prices = tier::prices(catalog, &candidate.endpoint, ending.facts);
    let cost = price(&billed, prices, generation.trace.received, requests)
        .map_err(|error| ApiError::internal(format!("{}: {error}", candidate.endpoint.id)))?;
    let row = record::answered(generation, ending, &usage, &cost, now);
    let hold = generation.hold.take().ok_or_else(|| ApiError::internal("settled twice"))?;
    let charge = Charge::credits(cost.total);
    let settlement = Settlement { charge, waste: waste::posted(generation) };
    let settled = generation.gateway.ledger.settle(hold, settlement, row).await;
    let settled = settled.map_err(|error| {
        tracing::error!(%error, id = %generation.given.id, "a settlement failed");
        out_of_reach()
    })?;
    Ok(report(usage, &cost, settled.charged))
}

fn report(usage: Usage, cost: &Cost, charged: Usd) -> UsageReport {
    UsageReport {
        usage,
        cost: charged,
        is_byok: false,
        upstream_cost: None,
        prompt_cost: cost.prompt,
        completion_cost: cost.completion,
    }
}

/// The provider's own counts when they can be true, else an estimate that is flagged as one.
fn observed(generation: &Generation, ending: &Ending<'_>) -> Usage {
    let survey = &generation.given.resolved.survey;
    let bound = generation.bounds.get(ending.index).map(|one| one.estimate).unwrap_or_default();
    let candidate = generation.given.plan.candidates.get(ending.index);
    let family = candidate.map_or("", |one| one.model.tokenizer.as_str());
    match ending.facts.usage {
        Some(usage) if ending.facts.usage_plausible => {
            let cut = estimate::within(&usage, &bound);
            if cut == usage {
                generation.gateway.ratios.learn(family, survey, ending.facts, &usage);
            } else {
                warn(generation, ending, "a provider counts more than the request can have");
            }
            cut
        }
        counted => {
            if counted.is_some() {
                warn(generation, ending, "a provider's counts can't be true");
            }
            if !ending.facts.content_seen && ending.facts.finish.is_none() {
                return Usage { estimated: true, ..Usage::default() };
            }
            let tokens = |bytes| generation.gateway.ratios.tokens(family, bytes);
            estimate::usage(survey, ending.facts.output_bytes, &bound, tokens)
        }
    }
}

fn warn(generation: &Generation, ending: &Ending<'_>, what: &str) {
    let candidate = generation.given.plan.candidates.get(ending.index);
    let endpoint = candidate.map_or("", |one| one.endpoint.id.as_str());
    tracing::warn!(id = %generation.given.id, endpoint, "{what}");
}
