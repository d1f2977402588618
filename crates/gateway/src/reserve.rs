//! Stage 6: hold an upper bound of the cost before the first byte goes to a provider.

use signalbox_core::id::GenerationId;
use signalbox_core::{ApiError, ErrorKind, Timestamp, Usd};
use signalbox_ledger::{Estimate, Offer, Refusal, Reserve, affordable_output};
use signalbox_policy::{Candidate, Plan};
use signalbox_store::{Hold, Ledger};

use crate::authenticate::{Admitted, Principal, out_of_reach};
use crate::gateway::Gateway;
use crate::resolve::Resolved;
use crate::{estimate, retrieval};

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
}

/// Loads the account into memory, if it is not there.
pub(crate) async fn warm(ledger: &Ledger, principal: &Principal) -> Result<(), ApiError> {
    ledger.warm(&principal.key.account, &principal.key).await.map_err(|error| {
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
        .spendable(&principal.key.account, &principal.key.hash, now)
        .map_err(|refusal| refused(&refusal, principal, public_url))
}

/// Holds the dearest candidate's bound, among those that `budget` affords.
pub(crate) async fn reserve(
    gateway: &Gateway,
    id: &GenerationId,
    admitted: &Admitted,
    resolved: &Resolved,
    mut plan: Plan,
    now: Timestamp,
) -> Result<Held, ApiError> {
    let principal = &admitted.principal;
    let wish = |amount| Reserve {
        generation: id.clone(),
        account: principal.key.account.clone(),
        key: principal.key.hash.clone(),
        amount,
        now,
    };
    let mut budget = admitted.budget;
    let mut refusal = None;
    for _ in 0..TRIES {
        let fitting = fit(resolved, &plan, budget);
        let outcome = match fitting.dearest {
            Some(amount) => gateway.ledger.reserve(wish(amount)),
            // Nothing fits here: another process may hold the rest of the balance.
            None if refusal.is_none() => match fit(resolved, &plan, Usd::MAX).dearest {
                Some(amount) => gateway.ledger.reserve_or_refill(wish(amount)).await,
                None => return Err(ApiError::internal("no candidate has a price")),
            },
            None => break,
        };
        match outcome {
            Ok(hold) => {
                let fitting = if fitting.dearest.is_some() {
                    fitting
                } else {
                    fit(resolved, &plan, Usd::MAX)
                };
                let mut bounds = fitting.bounds.into_iter();
                let mut kept = Vec::with_capacity(plan.candidates.len());
                plan.candidates.retain(|_| match bounds.next().flatten() {
                    Some(bound) => {
                        kept.push(bound);
                        true
                    }
                    None => false,
                });
                return Ok(Held { hold, plan, bounds: kept });
            }
            Err(Refusal::InsufficientCredit { available }) => {
                budget = available;
                refusal = Some(Refusal::InsufficientCredit { available });
            }
            Err(Refusal::KeyLimitTooLow { remaining }) => {
                budget = remaining;
                refusal = Some(Refusal::KeyLimitTooLow { remaining });
            }
            Err(other) => return Err(refused(&other, principal, &gateway.public_url)),
        }
    }
    let refusal = refusal.unwrap_or(Refusal::InsufficientCredit { available: budget });
    let error = refused(&refusal, principal, &gateway.public_url);
    Err(unaffordable(error, resolved, &plan, budget))
}

/// What a budget affords.
struct Fitting {
    /// For each candidate its bound, if it is affordable.
    bounds: Vec<Option<Bound>>,
    /// The dearest of them; `None` when there is none.
    dearest: Option<Usd>,
}

fn fit(resolved: &Resolved, plan: &Plan, budget: Usd) -> Fitting {
    let mut fitting = Fitting { bounds: Vec::with_capacity(plan.candidates.len()), dearest: None };
    for candidate in &plan.candidates {
        let bound = bound(resolved, candidate, budget);
        fitting.dearest = fitting.dearest.max(bound.map(|(_, amount)| amount));
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

fn bound(resolved: &Resolved, candidate: &Candidate, budget: Usd) -> Option<(Bound, Usd)> {
    let offer = Offer {
        estimate: most(resolved, candidate),
        prices: &candidate.endpoint.prices,
        open_ended: resolved.survey.max_output.is_none(),
        own_key: None,
    };
    let fit = signalbox_ledger::fit(&offer, budget)?;
    Some((Bound { estimate: fit.estimate, clamped: fit.clamped }, fit.amount))
}

/// A refusal as the client is told (platform spec 2.5, 2.6).
fn refused(refusal: &Refusal, principal: &Principal, public_url: &str) -> ApiError {
    let credits = || {
        let text = format!("Insufficient credits. Add more using {public_url}/settings/credits");
        ApiError::new(ErrorKind::PaymentRequired, text)
            .with_metadata("limit_source", "openrouter_credits")
            .with_metadata("remedy_hint", "add credits")
    };
    match refusal {
        Refusal::InsufficientCredit { .. } | Refusal::NegativeBalance => credits(),
        Refusal::KeyLimitExceeded { .. } => {
            let window = principal.key.limit_reset.map_or("total", |reset| reset.name());
            ApiError::new(
                ErrorKind::PermissionDenied,
                format!(
                    "Key limit exceeded ({window} limit). Manage it using {public_url}/settings/keys"
                ),
            )
        }
        Refusal::KeyLimitTooLow { .. } => {
            let text = format!(
                "This request costs more than the key's limit allows. Manage it using \
                 {public_url}/settings/keys"
            );
            ApiError::new(ErrorKind::PaymentRequired, text)
                .with_metadata("limit_source", "key_limit")
                .with_metadata("remedy_hint", "create a key with a higher limit")
        }
        other => ApiError::internal(format!("reservation refused: {other:?}")),
    }
}

/// Adds the figures: how much was asked and how much the budget affords at the cheapest candidate.
fn unaffordable(mut error: ApiError, resolved: &Resolved, plan: &Plan, budget: Usd) -> ApiError {
    if error.kind != ErrorKind::PaymentRequired || budget <= Usd::ZERO {
        return error;
    }
    let each = plan.candidates.iter().map(|one| {
        let estimate = most(resolved, one);
        (estimate, affordable_output(&estimate, &one.endpoint.prices, budget))
    });
    let Some((estimate, most)) = each.max_by_key(|(_, most)| *most) else { return error };
    let remedy = error.message.rsplit_once(". ").map_or("", |(_, tail)| tail).to_owned();
    error.message = match most {
        Some(most) => format!(
            "This request requires more credits, or fewer max_tokens. You requested up to {} \
             tokens, but can only afford {most}. {remedy}",
            estimate.max_output
        ),
        None => format!(
            "Insufficient credits: the prompt alone may cost more than the ${budget} left. {remedy}"
        ),
    };
    error
}
