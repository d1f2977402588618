//! Stage 9: what was consumed becomes a charge, durable before the client sees the end.

use signalbox_core::{ApiError, Discount, Usage, Usd};
use signalbox_dialect::{Facts, UsageReport};
use signalbox_ledger::{Charge, billable, byok_fee, price};
use signalbox_store::{GenerationRow, Settlement};

use crate::authenticate::out_of_reach;
use crate::ending::Ending;
use crate::estimate;
use crate::failpoint::{self, Failpoint};
use crate::generation::Generation;
use crate::{record, tier, waste};

/// An answer with its price: everything about it is known, and nothing is posted.
#[derive(Debug)]
pub(crate) struct Priced {
    /// What the client is told, once the charge is durable.
    pub report: UsageReport,
    charge: Charge,
    row: GenerationRow,
}

/// Prices an answer and writes its row, by the prices of the moment in which the request arrived.
///
/// # Errors
/// Ours: the endpoint has no usable price.
pub(crate) fn priced(generation: &mut Generation, ending: &Ending<'_>) -> Result<Priced, ApiError> {
    let now = generation.gateway.clock.now();
    let candidate = generation.given.plan.candidates.get(ending.index);
    let candidate = candidate.ok_or_else(|| ApiError::internal("no such candidate"))?;
    let hold = generation.hold.as_ref().ok_or_else(|| ApiError::internal("settled twice"))?;
    let usage = observed(generation, ending);
    let (billed, requests) = billable(&usage, ending.finish_reason());
    let catalog = &generation.given.world.catalog;
    let listed = tier::prices(catalog, &candidate.endpoint, ending.facts);
    let discount = generation.given.principal.discount();
    // The fee on an own key is a share of the list price.
    let fee_bps = generation.bounds.get(ending.index).and_then(|bound| bound.fee_bps);
    let discounts = fee_bps.is_none() && discount != Discount::NONE;
    let discounted = discounts.then(|| listed.discounted(discount)).flatten();
    let prices = discounted.as_ref().unwrap_or(listed);
    let at = generation.trace.received;
    let priced = |usage: &Usage, requests| {
        price(usage, prices, at, requests)
            .map_err(|error| ApiError::internal(format!("{}: {error}", candidate.endpoint.id)))
    };
    let cost = priced(&billed, requests)?;
    // What is free by the insurance may have cost the platform all the same.
    let waste = if billed == usage { None } else { waste::insured(candidate, &usage, listed, at) };
    let charge = match fee_bps {
        Some(bps) => of_own_key(cost.total, hold.free(), bps),
        None => Charge::credits(cost.total),
    };
    // Never more than is held: the ledger takes the smaller one, too.
    let charged = charge.credits.min(hold.amount());
    let prices = prices.clone();
    let mut row = record::answered(generation, ending, &usage, &cost, waste, now);
    row.prices = Some(prices);
    row.cost = charged;
    row.byok = fee_bps.map(|_| charge.byok);
    (row.fee_bps, row.byok_free) = (fee_bps, charge.free);
    let report = UsageReport {
        usage,
        cost: charged,
        is_byok: row.byok.is_some(),
        upstream_cost: row.byok,
        prompt_cost: cost.prompt,
        completion_cost: cost.completion,
    };
    Ok(Priced { report, charge, row })
}

/// The fee on what the caller's own key paid for. What costs nothing takes nothing of the allowance.
fn of_own_key(list: Usd, free: Option<Usd>, basis_points: u32) -> Charge {
    let free = free.filter(|_| list > Usd::ZERO).map(|free| free.min(list));
    let credits = byok_fee(list, free.unwrap_or(Usd::ZERO), basis_points);
    Charge { credits, byok: list, free }
}

/// Posts the charge and the generation row in one commit, and gives the rest of the reservation
/// back. Only after it may the client see the end.
///
/// # Errors
/// Ours: the ledger could not be written.
pub(crate) async fn post(generation: &mut Generation, priced: Priced) -> Result<(), ApiError> {
    failpoint::reached(Failpoint::BeforeSettle, &generation.given);
    let hold = generation.hold.take().ok_or_else(|| ApiError::internal("settled twice"))?;
    let settlement = Settlement { charge: priced.charge, waste: waste::posted(generation) };
    let settled = generation.gateway.ledger.settle(hold, settlement, priced.row).await;
    settled.map_err(|error| {
        tracing::error!(%error, id = %generation.given.id, "a settlement failed");
        out_of_reach()
    })?;
    failpoint::reached(Failpoint::AfterSettle, &generation.given);
    Ok(())
}

/// Notes what the answer would be billed if it ended here, without waiting. Nothing of it counts once
/// the generation ends in any way.
pub(crate) fn checkpoint(generation: &mut Generation, index: usize, facts: &Facts) {
    let ending = Ending { index, facts, cancelled: true, error: None };
    let Ok(priced) = priced(generation, &ending) else { return };
    // The attempt goes on.
    generation.trace.attempts.pop();
    if let Some(hold) = &generation.hold {
        let row = GenerationRow { cancelled: false, ..priced.row };
        hold.checkpoint(priced.charge, row);
    }
}

/// The provider's own counts when they can be true, else an estimate that is flagged as one.
fn observed(generation: &Generation, ending: &Ending<'_>) -> Usage {
    let survey = &generation.given.resolved.survey;
    let bound = generation.bounds.get(ending.index).map(|one| one.estimate).unwrap_or_default();
    let candidate = generation.given.plan.candidates.get(ending.index);
    let family = candidate.map_or("", |one| one.model.tokenizer.as_str());
    let tokens = |bytes| generation.gateway.ratios.tokens(family, bytes);
    match ending.facts.usage {
        // Counts of an answer that did not come to its end are those of its beginning.
        Some(usage) if ending.facts.usage_plausible && ending.is_cut() => {
            let seen = tokens(ending.facts.output_bytes);
            let estimated = usage.output < seen;
            let usage = Usage { output: usage.output.max(seen), ..usage };
            Usage { estimated, ..estimate::within(&usage, &bound) }
        }
        Some(usage) if ending.facts.usage_plausible => {
            let cut = estimate::within(&usage, &bound);
            let owned = candidate.is_some_and(|one| one.byok.is_some());
            if cut == usage && owned {
                // What a tenant's key leads to teaches nothing.
            } else if cut == usage {
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
            estimate::usage(survey, ending.facts.output_bytes, &bound, tokens)
        }
    }
}

fn warn(generation: &Generation, ending: &Ending<'_>, what: &str) {
    let candidate = generation.given.plan.candidates.get(ending.index);
    let endpoint = candidate.map_or("", |one| one.endpoint.id.as_str());
    tracing::warn!(id = %generation.given.id, endpoint, "{what}");
}
