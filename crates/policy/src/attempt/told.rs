//! What a client is told when nothing is left to try (inference spec 4.7).

use serde_json::{Value, json};
use signalbox_core::{ApiError, Availability, AvailabilityCode, Constraint};

use super::{Attempts, Failure, Next, Refusal};
use crate::explain;
use crate::plan::Plan;

/// Seconds after which to ask again when no provider says so: shortly after a failure, and at most
/// so long while everybody is down, because some requests find out all the time who is back.
const ASK_AGAIN: u64 = 1;
const ASK_AGAIN_AT_MOST: u64 = 10;

impl Attempts {
    /// One typed error for all that failed; the last model's error, when it refused the request
    /// itself (inference spec 6).
    #[must_use]
    pub fn error(&self, plan: &Plan, requested: Vec<String>) -> ApiError {
        let Some((last_index, last)) = self.failures.last() else {
            return self.nobody_let_in(plan, requested);
        };
        let provider =
            |index: usize| plan.candidates.get(index).map_or("", |one| one.provider.name.as_str());
        // The caller's own keys alone were refused: that is the caller's to mend (reliability design,
        // failure "own key invalid").
        let own = |index: usize| plan.candidates.get(index).is_some_and(|one| one.byok.is_some());
        let refused = self.refused.is_empty()
            && self.failures.iter().all(|(index, one)| own(*index) && one.refuses_credential());
        let slug = || plan.candidates.get(*last_index).map_or("", |one| one.model.id.as_str());
        let mut error = if let Some(flagged) = &last.flagged {
            flagged.refusal(provider(*last_index), slug())
        } else if last.next == Next::Model || refused {
            ApiError::new(last.kind, last.message.clone())
        } else {
            self.exhausted(plan, requested, provider(*last_index), last)
        };
        error.provider_code = last.code.clone();
        error.metadata.insert("provider_name".into(), provider(*last_index).into());
        let previous: Vec<Value> = self.failures.iter().map(|(index, failure)| {
            json!({"provider": provider(*index), "code": failure.code, "status": failure.shown_status()})
        }).collect();
        error.metadata.insert("previous_errors".into(), previous.into());
        error
    }

    fn exhausted(
        &self,
        plan: &Plan,
        requested: Vec<String>,
        provider: &str,
        last: &Failure,
    ) -> ApiError {
        let all = |test: fn(&Failure) -> bool| self.failures.iter().all(|(_, one)| test(one));
        if all(|one| one.unfit) {
            return unfit(requested, last);
        }
        let waiting = self.refused.iter().all(|(_, one)| matches!(one, Refusal::Cooling { .. }));
        let code = if all(Failure::is_rate_limited) && waiting {
            AvailabilityCode::CapacityExhausted
        } else if all(Failure::is_not_found) && self.refused.is_empty() {
            AvailabilityCode::ModelUnavailableUpstream
        } else {
            AvailabilityCode::TemporarilyUnavailable
        };
        let tried = self.failures.iter().map(|(index, _)| *index);
        let answer = self.shortage(code, plan, requested, tried);
        let said = &last.message;
        let message = match self.failures.len() {
            1 => format!("Provider returned error: {provider}: {said}"),
            count => format!("All {count} attempts failed; the last, {provider}: {said}"),
        };
        ApiError::unavailable(answer, message)
    }

    /// Not one candidate could be called: they asked for patience, or failed too often lately.
    fn nobody_let_in(&self, plan: &Plan, requested: Vec<String>) -> ApiError {
        if self.refused.is_empty() {
            return ApiError::internal("no attempt was made");
        }
        let named = requested.join(", ");
        let cooling = self.refused.iter().all(|(_, one)| matches!(one, Refusal::Cooling { .. }));
        let (code, why) = if cooling {
            (AvailabilityCode::CapacityExhausted, "rate-limited upstream")
        } else {
            (AvailabilityCode::TemporarilyUnavailable, "failing at the moment")
        };
        let asked = self.refused.iter().map(|(index, _)| *index);
        let answer = self.shortage(code, plan, requested, asked);
        let wait = answer.retry_after.unwrap_or(ASK_AGAIN);
        let message = format!("All endpoints for {named} are {why}. Please try again in {wait} s.");
        ApiError::unavailable(answer, message)
    }

    /// The shortest wait of those that named one; a shortage that passes always has one.
    fn shortage(
        &self,
        code: AvailabilityCode,
        plan: &Plan,
        requested: Vec<String>,
        concerned: impl Iterator<Item = usize>,
    ) -> Availability {
        let mut answer = explain::availability(code, requested);
        let asked = self.failures.iter().filter_map(|(_, one)| one.retry_after);
        let cooling = self.refused.iter().filter_map(|(_, one)| match one {
            Refusal::Cooling { seconds } => Some(*seconds),
            Refusal::Down { .. } => None,
        });
        let left_out = plan.excluded.iter().filter_map(explain::wait);
        let hint = asked.chain(cooling).chain(left_out).min();
        answer.retry_after = match code {
            AvailabilityCode::TemporarilyUnavailable => Some(hint.unwrap_or_else(|| self.soon())),
            _ => hint,
        };
        let concerned = concerned.filter_map(|index| plan.candidates.get(index));
        answer.affected_providers =
            explain::unique(concerned.map(|one| one.endpoint.provider.as_str()));
        answer
    }

    /// When somebody who is down may be back.
    fn soon(&self) -> u64 {
        let known = self.refused.iter().filter_map(|(_, one)| match one {
            Refusal::Down { seconds } => *seconds,
            Refusal::Cooling { .. } => None,
        });
        match known.min() {
            Some(seconds) if self.failures.is_empty() => {
                seconds.clamp(ASK_AGAIN, ASK_AGAIN_AT_MOST)
            }
            _ => ASK_AGAIN,
        }
    }
}

/// Every endpoint was left out because of what the request requires (inference spec 5.6).
fn unfit(requested: Vec<String>, last: &Failure) -> ApiError {
    let named = requested.join(", ");
    let mut answer = explain::availability(AvailabilityCode::NoEndpoints, requested);
    answer.excluded_by = vec!["require_parameters".into()];
    answer.constraint = Some(Constraint {
        field: "provider.require_parameters".into(),
        detail: last.message.clone(),
    });
    let message = format!("No endpoints found for {named} that fit: {}.", last.message);
    ApiError::unavailable(answer, message)
}
