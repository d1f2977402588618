//! Stage 6: hold an upper bound of the cost before the first byte goes to a provider.

use std::sync::Arc;

use signalbox_core::id::GenerationId;
use signalbox_core::{ApiError, PriceTable, Timestamp, Usd};
use signalbox_ledger::{
    Draw, Estimate, Offer, OwnKey, Refusal, Reserve, Source, Spender, affordable_output,
    upper_bound,
};
use signalbox_policy::{Candidate, Plan};
use signalbox_store::{Hold, Ledger, LedgerError};

use crate::authenticate::{Admitted, Principal, out_of_reach};
use crate::gateway::Gateway;
use crate::own_keys::OwnUse;
use crate::refusal::{self, Pot, Short};
use crate::resolve::Resolved;
use crate::{estimate, free, retrieval};

/// Tries to take a hold whose size fits the balance while others spend from it.
const TRIES: usize = 8;

/// A reservation, and for each candidate what it may consume under it.
#[derive(Debug)]
pub(crate) struct Held {
    pub hold: Hold,
    /// The plan, with only the candidates that the balance affords.
    pub plan: Plan,
    /// The bound of each of them, in the plan's order.
    pub bounds: Vec<Bound>,
}

/// The most that one candidate may consume.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Bound {
    pub estimate: Estimate,
    /// Whether the output is limited by the money and the provider has to be told.
    pub clamped: bool,
    /// The fee in hundredths of a percent, where the caller's own key is used.
    pub fee_bps: Option<u32>,
}

/// Loads the account into memory, if it is not there.
pub(crate) async fn warm(
    ledger: &Ledger,
    principal: &Principal,
    spender: &Spender,
    now: Timestamp,
) -> Result<(), ApiError> {
    let ready = ledger.warm(&principal.key.account, spender, now).await;
    ready.map_err(|error| {
        tracing::error!(%error, "an account could not be loaded");
        out_of_reach()
    })
}

/// What the key may spend now, or why nothing (platform spec 2.5, steps 3 and 4).
pub(crate) fn spendable(
    ledger: &Ledger,
    principal: &Principal,
    now: Timestamp,
    public_url: &str,
) -> Result<Usd, ApiError> {
    ledger
        .spendable(&principal.key.account, &principal.spender, now)
        .map_err(|refusal| refused(&refusal, principal, public_url))
}

/// Holds the dearest candidate's bound, among those that `budget` affords.
pub(crate) async fn reserve(
    gateway: &Gateway,
    id: &GenerationId,
    admitted: &Admitted,
    resolved: &Resolved,
    mut plan: Plan,
    spender: &Arc<Spender>,
) -> Result<Held, ApiError> {
    let (principal, now) = (&admitted.principal, admitted.received);
    // What counts its requests may have to ask another process for some of them.
    let counts = !Arc::ptr_eq(spender, &principal.spender);
    let ledger = &gateway.ledger;
    let together = || ledger.spendable_together(&principal.key.account, spender, now);
    let together = || together().unwrap_or(Usd::MAX);
    let mut own = OwnUse::of(principal, &plan, spender, together);
    if let Some(own) = &own {
        warm(ledger, principal, own.spender(), now).await?;
    }
    let wish = |stake: Stake, own: Option<&OwnUse>| asked((id, admitted, spender), stake, own);
    let mut budget = admitted.budget;
    let mut refusal = None;
    for _ in 0..TRIES {
        let terms = own.as_ref().map(OwnUse::terms);
        let fitting = fit(resolved, &plan, budget, terms);
        let anyhow = || fit(resolved, &plan, Usd::MAX, own.as_ref().map(OwnUse::at_any_cost));
        let waits = counts || own.as_ref().is_some_and(|own| own.may_wait(principal, now));
        let outcome = match fitting.dearest {
            Some(stake) if waits => ledger.reserve_or_refill(&wish(stake, own.as_ref())).await,
            Some(stake) => ledger.reserve(&wish(stake, own.as_ref())).map_err(LedgerError::Refused),
            // Nothing fits here: another process may hold the rest of the balance.
            None if refusal.is_none() => match anyhow().dearest {
                Some(stake) => ledger.reserve_or_refill(&wish(stake, own.as_ref())).await,
                None => return Err(ApiError::internal("no candidate has a price")),
            },
            None => break,
        };
        match outcome {
            Ok(hold) => {
                let fitting = if fitting.dearest.is_some() { fitting } else { anyhow() };
                let bounds = fitting.keep(&mut plan);
                return Ok(Held { hold, plan, bounds });
            }
            Err(LedgerError::Refused(refusal)) if free::is_of_the_day(&refusal) => {
                return Err(free::day_is_over(principal.account.terms().free_limits(), now));
            }
            Err(LedgerError::Refused(refused))
                if own.as_mut().is_some_and(|own| own.learn(&refused, principal, spender, now)) => {
            }
            Err(LedgerError::Refused(Refusal::Short { purse, available })) => {
                budget = available;
                refusal = Some(Refusal::Short { purse, available });
            }
            Err(LedgerError::Refused(other)) => {
                return Err(refused(&other, principal, &gateway.public_url));
            }
            Err(error) => {
                tracing::error!(%error, "an amount could not be held");
                return Err(out_of_reach());
            }
        }
    }
    let credit =
        || Refusal::Short { purse: Draw::credit(&principal.key.account).purse, available: budget };
    let refusal = refusal.unwrap_or_else(credit);
    let means = (budget, own.as_ref().map(OwnUse::terms));
    Err(unaffordable(&refusal, principal, &gateway.public_url, (resolved, &plan, means)))
}

/// The reservation of a stake, with what the allowance may cover of it.
fn asked(
    (id, admitted, spender): (&GenerationId, &Admitted, &Arc<Spender>),
    stake: Stake,
    own: Option<&OwnUse>,
) -> Reserve {
    let key = &admitted.principal.key;
    Reserve {
        generation: id.clone(),
        account: key.account.clone(),
        key: key.hash.clone(),
        amount: stake.amount,
        byok: stake.byok,
        together: Some(stake.together),
        free: own.and_then(|own| own.free_of(stake.byok)),
        spender: Arc::clone(own.map_or(spender, OwnUse::spender)),
        now: admitted.received,
    }
}

/// What a budget affords.
struct Fitting {
    /// For each candidate its bound, if it is affordable.
    bounds: Vec<Option<Bound>>,
    /// The most of each that one of them may come to; `None` when there is none.
    dearest: Option<Stake>,
}

/// What is to be held.
#[derive(Debug, Clone, Copy, Default)]
struct Stake {
    amount: Usd,
    /// The list price of own keys.
    byok: Usd,
    /// Both, of one candidate.
    together: Usd,
}

impl Stake {
    fn or(self, other: Self) -> Self {
        Self {
            amount: self.amount.max(other.amount),
            byok: self.byok.max(other.byok),
            together: self.together.max(other.together),
        }
    }
}

impl Fitting {
    /// Takes those that are not affordable out of the plan, and answers the bounds of the others.
    fn keep(self, plan: &mut Plan) -> Vec<Bound> {
        let mut bounds = self.bounds.into_iter();
        let mut kept = Vec::with_capacity(plan.candidates.len());
        plan.candidates.retain(|_| match bounds.next().flatten() {
            Some(bound) => {
                kept.push(bound);
                true
            }
            None => false,
        });
        kept
    }
}

fn fit(resolved: &Resolved, plan: &Plan, budget: Usd, own: Option<OwnKey>) -> Fitting {
    let mut fitting = Fitting { bounds: Vec::with_capacity(plan.candidates.len()), dearest: None };
    for candidate in &plan.candidates {
        let bound = bound(resolved, candidate, budget, own);
        if let Some((_, stake)) = bound {
            fitting.dearest = Some(fitting.dearest.unwrap_or_default().or(stake));
        }
        fitting.bounds.push(bound.map(|(bound, _)| bound));
    }
    fitting
}

/// The most that a candidate can consume, whatever it costs.
fn most(resolved: &Resolved, candidate: &Candidate) -> Estimate {
    if let Some(retrieval) = &resolved.retrieval {
        return retrieval::bound(retrieval, &candidate.endpoint);
    }
    let bytes = resolved.document.bytes().len();
    let inputs = &resolved.requirements.content.inputs;
    estimate::bound(&resolved.survey, bytes, inputs, &candidate.endpoint)
}

fn bound(
    resolved: &Resolved,
    candidate: &Candidate,
    budget: Usd,
    own: Option<OwnKey>,
) -> Option<(Bound, Stake)> {
    let own_key = own.filter(|_| candidate.byok.is_some());
    let offer = Offer {
        estimate: most(resolved, candidate),
        prices: &candidate.endpoint.prices,
        open_ended: resolved.survey.max_output.is_none(),
        own_key,
    };
    let fit = signalbox_ledger::fit(&offer, budget)?;
    let byok = if own_key.is_some() { fit.list_price } else { Usd::ZERO };
    let together = fit.amount.saturating_add(byok);
    let fee_bps = own_key.map(|own| own.basis_points);
    let bound = Bound { estimate: fit.estimate, clamped: fit.clamped, fee_bps };
    Some((bound, Stake { amount: fit.amount, byok, together }))
}

/// A refusal as the client is told, when nothing is left to speak of.
fn refused(refusal: &Refusal, principal: &Principal, public_url: &str) -> ApiError {
    match pot(refusal, principal) {
        Some(pot) => refusal::exhausted(pot, public_url),
        None => ApiError::internal(format!("reservation refused: {refusal:?}")),
    }
}

/// The pot that refused.
fn pot(refusal: &Refusal, principal: &Principal) -> Option<Pot> {
    let credits = Pot::Credits { purchased: principal.account.terms().purchased > Usd::ZERO };
    let purse = match refusal {
        Refusal::Blocked => return Some(credits),
        Refusal::Exhausted { purse } | Refusal::Short { purse, .. } => purse,
        Refusal::Unloaded { .. } | Refusal::AlreadyReserved => return None,
    };
    match &principal.spender.draw(purse)?.source {
        Source::Credit(_) => Some(credits),
        Source::Limit { scope, interval, limit } => match scope.split(':').next()? {
            "key" => Some(Pot::Key(*interval)),
            "workspace" => Some(Pot::Workspace(*interval, *limit)),
            "guardrail" => Some(Pot::Guardrail(*interval, *limit)),
            _ => None,
        },
    }
}

/// The same with figures: how much was asked and how much the budget affords at the cheapest
/// candidate.
fn unaffordable(
    refusal: &Refusal,
    principal: &Principal,
    public_url: &str,
    (resolved, plan, (budget, own)): (&Resolved, &Plan, (Usd, Option<OwnKey>)),
) -> ApiError {
    let by = shortfall(resolved, plan, budget, own);
    match (pot(refusal, principal), by) {
        (Some(pot), Some(by)) if budget > Usd::ZERO => refusal::short(pot, by, public_url),
        _ => refused(refusal, principal, public_url),
    }
}

/// What the budget affords of the request at the candidate at which it affords most.
fn shortfall(resolved: &Resolved, plan: &Plan, budget: Usd, own: Option<OwnKey>) -> Option<Short> {
    let each = plan.candidates.iter().map(|one| {
        let own = own.filter(|_| one.byok.is_some());
        let budget = own.map_or(budget, |own| own.list_within(budget));
        (most(resolved, one), &one.endpoint.prices, budget)
    });
    let outputs = each.clone().filter_map(|(estimate, prices, budget)| {
        affordable_output(&estimate, prices, budget).map(|most| (most, estimate.max_output))
    });
    if let Some((affordable, requested)) = outputs.max_by_key(|(most, _)| *most) {
        return Some(Short::Output { requested, affordable });
    }
    let prompts = each.map(|(estimate, prices, budget)| Short::Prompt {
        tokens: estimate.prompt_tokens,
        affordable: affordable_prompt(estimate, prices, budget),
    });
    prompts.max_by_key(|one| match one {
        Short::Prompt { affordable, .. } | Short::Output { affordable, .. } => *affordable,
    })
}

/// The longest prompt for which the budget still affords a token of output. A dearer prompt is never
/// a shorter one, so that halving finds it.
fn affordable_prompt(mut estimate: Estimate, prices: &PriceTable, budget: Usd) -> u64 {
    estimate.max_output = 1;
    let (mut least, mut most) = (0, estimate.prompt_tokens);
    while least < most {
        let middle = most - (most - least) / 2;
        estimate.prompt_tokens = middle;
        if upper_bound(&estimate, prices).is_ok_and(|amount| amount <= budget) {
            least = middle;
        } else {
            most = middle.saturating_sub(1);
        }
    }
    least
}
