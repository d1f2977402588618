//! Requests to free models: so many a minute and so many a day for an account, whatever its keys
//! (platform spec 6.2, inference spec 17.2). An attempt that fails counts, too.

use signalbox_core::error::RateLimit;
use signalbox_core::id::{AccountId, GenerationId};
use signalbox_core::time::ResetInterval;
use signalbox_core::{ApiError, ErrorKind, FreeLimits, Timestamp, Usd};
use signalbox_ledger::{Counts, Draw, Refusal, Spender};
use signalbox_policy::{Candidate, Plan};

use crate::authenticate::Admitted;
use crate::gateway::Gateway;
use crate::reserve::{self, Held, warm};
use crate::resolve::Resolved;

/// Seconds of a day.
const DAY: i64 = 86_400;

/// Whether a candidate is one of the free models that are limited. A model without a price that an
/// operator serves under a name of its own is not.
pub(crate) fn is_free(candidate: &Candidate) -> bool {
    candidate.model.id.ends_with(":free")
}

/// The scope whose requests of a day are counted.
fn scope(account: &AccountId) -> String {
    format!("free:{account}")
}

/// What requests draw on that a free model may answer: what others draw on, and a day's requests.
/// `version` is when the limits were read.
pub(crate) fn spender(
    account: &AccountId,
    spender: &Spender,
    limits: FreeLimits,
    version: Timestamp,
) -> Spender {
    let limit = Usd::from_nanos(i64::from(limits.per_day));
    let day = Some(ResetInterval::Daily);
    let draw = Draw::limit(&scope(account), day, limit, Counts::Requests, version);
    spender.clone().limited(draw, false)
}

/// Whether what refused is the day.
pub(crate) fn is_of_the_day(refusal: &Refusal) -> bool {
    match refusal {
        Refusal::Exhausted { purse } | Refusal::Short { purse, .. } => {
            purse.as_str().starts_with("free:")
        }
        _ => false,
    }
}

/// Stage 6 of any request: one that a free model may answer is counted in its minute and in its day.
/// Where either is over, only the other candidates stay.
///
/// # Errors
/// 429 when there are no others; else as [`reserve::reserve`].
pub(crate) async fn reserve(
    gateway: &Gateway,
    id: &GenerationId,
    admitted: &Admitted,
    resolved: &Resolved,
    mut plan: Plan,
) -> Result<Held, ApiError> {
    let (principal, now) = (&admitted.principal, admitted.received);
    if plan.candidates.iter().any(is_free) {
        let limits = principal.account.terms().free_limits();
        let minute = principal.account.free.take(limits.per_minute, now);
        let counted = match minute {
            Ok(()) => {
                let day = &principal.free_spender;
                warm(&gateway.ledger, principal, day, now).await?;
                reserve::reserve(gateway, id, admitted, resolved, plan.clone(), day).await
            }
            Err(limit) => Err(refused("free-models-per-min", limit, now)),
        };
        match counted {
            Err(error) if error.kind == ErrorKind::RateLimitExceeded => {
                plan.candidates.retain(|one| !is_free(one));
                if plan.candidates.is_empty() {
                    return Err(error);
                }
            }
            counted => return counted,
        }
    }
    reserve::reserve(gateway, id, admitted, resolved, plan, &principal.spender).await
}

/// The refusal of a day that is used up.
pub(crate) fn day_is_over(limits: FreeLimits, now: Timestamp) -> ApiError {
    let end = now.seconds().div_euclid(DAY).saturating_add(1).saturating_mul(DAY);
    let limit =
        RateLimit { limit: limits.per_day, remaining: 0, reset_millis: end.saturating_mul(1_000) };
    if limits.purchased_enough {
        return refused("free-models-per-day-high-balance", limit, now);
    }
    let mut error = refused("free-models-per-day", limit, now);
    error.message.push_str(". Add 10 credits to unlock 1000 free model requests per day");
    error
}

fn refused(which: &str, limit: RateLimit, now: Timestamp) -> ApiError {
    let text = format!("Rate limit exceeded: {which}");
    let headers = serde_json::json!({
        "X-RateLimit-Limit": limit.limit.to_string(),
        "X-RateLimit-Remaining": limit.remaining.to_string(),
        "X-RateLimit-Reset": limit.reset_millis.to_string(),
    });
    let mut error =
        ApiError::new(ErrorKind::RateLimitExceeded, text).with_metadata("headers", headers);
    let wait = limit.reset_millis.div_euclid(1_000).saturating_sub(now.seconds());
    error.retry_after = u64::try_from(wait).ok();
    error.rate_limit = Some(limit);
    error
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_day_that_is_used_up_says_how_to_get_more_and_when_it_ends() {
        let now = Timestamp::from_seconds(1_800_000_000);
        let few = FreeLimits { per_minute: 20, per_day: 50, purchased_enough: false };
        let error = day_is_over(few, now);
        let text = "Rate limit exceeded: free-models-per-day. Add 10 credits to unlock 1000 free \
                    model requests per day";
        assert_eq!((error.status(), error.message.as_str()), (429, text));
        let headers = &error.metadata["headers"];
        assert_eq!(headers["X-RateLimit-Limit"], "50");
        assert_eq!(headers["X-RateLimit-Remaining"], "0");
        assert_eq!(headers["X-RateLimit-Reset"], "1800057600000");
        assert_eq!(error.rate_limit.unwrap().reset_millis, 1_800_057_600_000);
        assert_eq!(error.retry_after, Some(57_600), "at midnight in UTC");
        let many = FreeLimits { per_minute: 20, per_day: 1000, purchased_enough: true };
        let text = "Rate limit exceeded: free-models-per-day-high-balance";
        assert_eq!(day_is_over(many, now).message, text);
    }
}
