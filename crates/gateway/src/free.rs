//! Requests to free models: so many a minute and so many a day for an account, whatever its keys
//! (platform spec 6.2, inference spec 17.2). An attempt that fails counts, too.

use signalbox_core::error::RateLimit;
use signalbox_core::{ApiError, ErrorKind, FreeLimits, Timestamp};
use signalbox_policy::{Candidate, Plan};

use crate::account::Account;

/// Seconds of a day.
const DAY: i64 = 86_400;

/// Whether a candidate is one of the free models that are limited. A model without a price that an
/// operator serves under a name of its own is not.
pub(crate) fn is_free(candidate: &Candidate) -> bool {
    candidate.model.id.ends_with(":free")
}

/// Counts a request that may be answered by a free model. Without a place for it in this minute, only
/// the others stay in the plan.
///
/// # Errors
/// 429 when there are no others.
pub(crate) fn admit(account: &Account, plan: &mut Plan, now: Timestamp) -> Result<(), ApiError> {
    if !plan.candidates.iter().any(is_free) {
        return Ok(());
    }
    let limits = account.terms().free_limits();
    match account.free.take(limits.per_minute, now) {
        Ok(()) => Ok(()),
        Err(limit) => without(plan, refused("free-models-per-min", limit, now)),
    }
}

/// The plan without its free models, or the reason why nothing is left.
pub(crate) fn without(plan: &mut Plan, error: ApiError) -> Result<(), ApiError> {
    plan.candidates.retain(|one| !is_free(one));
    if plan.candidates.is_empty() { Err(error) } else { Ok(()) }
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
