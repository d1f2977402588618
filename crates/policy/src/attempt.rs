//! What follows from a failed attempt: the next endpoint, the next model, or an error. Pure: it
//! knows the plan and the failures so far, nothing else.

use serde_json::{Value, json};
use signalbox_core::{ApiError, AvailabilityCode, Constraint, ErrorKind, limits};
use signalbox_dialect::ProviderError;

use crate::explain;
use crate::plan::{Candidate, Plan};

/// What may be tried after a failure (reliability design 5.2, inference spec appendix B).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Next {
    /// Another endpoint of the same model may do better.
    Endpoint,
    /// Every endpoint of this model would say the same; another model may not.
    Model,
}

/// One failed attempt, before any content reached the client.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Failure {
    /// What kind of failure it is.
    pub kind: ErrorKind,
    /// The provider's HTTP status, if it answered.
    pub status: Option<u16>,
    /// The provider's own code.
    pub code: Option<String>,
    /// What a client may be told.
    pub message: String,
    /// Seconds that the provider asked for.
    pub retry_after: Option<u64>,
    /// What may be tried next.
    pub next: Next,
    /// Whether it counts against the endpoint's uptime: neither the caller's faults nor limits on
    /// requests nor refusals by region do (inference spec 5.3).
    pub counts: bool,
    /// Whether nothing was sent, because the request could not be said in the provider's language.
    pub unfit: bool,
}

impl Failure {
    /// The provider answered with an error, as a status or inside a 200.
    #[must_use]
    pub fn reported(error: &ProviderError) -> Self {
        let status = error.status.unwrap_or_else(|| error.kind.status());
        let refused = matches!(
            error.kind,
            ErrorKind::Authentication | ErrorKind::PaymentRequired | ErrorKind::PermissionDenied
        );
        let next = match error.kind {
            _ if refused => Next::Endpoint,
            ErrorKind::ContextLengthExceeded
            | ErrorKind::MaxTokensExceeded
            | ErrorKind::ContentPolicyViolation
            | ErrorKind::Refusal => Next::Model,
            _ if matches!(status, 400 | 405..=407 | 410..=424 | 426..=428) => Next::Model,
            _ => Next::Endpoint,
        };
        // What a provider says to a credential may repeat the credential.
        let message = if refused {
            "the provider refused the operator's credential".to_owned()
        } else {
            error.message.clone()
        };
        Self {
            kind: error.kind,
            status: error.status,
            code: if refused { None } else { error.code.clone() },
            message,
            retry_after: error.retry_after,
            next,
            counts: next == Next::Endpoint
                && !matches!(
                    error.kind,
                    ErrorKind::RateLimitExceeded | ErrorKind::PermissionDenied
                ),
            unfit: false,
        }
    }

    /// The provider could not be reached, broke off, or sent what is not its dialect.
    #[must_use]
    pub fn unavailable(message: impl Into<String>) -> Self {
        Self::without_answer(ErrorKind::ProviderUnavailable, message)
    }

    /// The provider was too slow.
    #[must_use]
    pub fn timeout(message: impl Into<String>) -> Self {
        Self::without_answer(ErrorKind::Timeout, message)
    }

    /// The provider's language can't carry what the request insists on; nothing was sent.
    #[must_use]
    pub fn unfit(message: impl Into<String>) -> Self {
        Self { counts: false, unfit: true, ..Self::without_answer(ErrorKind::NotFound, message) }
    }

    fn without_answer(kind: ErrorKind, message: impl Into<String>) -> Self {
        Self {
            kind,
            status: None,
            code: None,
            message: message.into(),
            retry_after: None,
            next: Next::Endpoint,
            counts: true,
            unfit: false,
        }
    }

    /// Whether the provider asks for patience. It may say so with a status or inside a 200.
    #[must_use]
    pub fn is_rate_limited(&self) -> bool {
        self.kind == ErrorKind::RateLimitExceeded
    }

    fn is_not_found(&self) -> bool {
        self.status == Some(404)
    }

    /// The status that a list of attempts shows.
    #[must_use]
    pub fn shown_status(&self) -> u16 {
        self.status.unwrap_or_else(|| self.kind.status())
    }
}

/// The attempts of one request.
#[derive(Debug, Default)]
pub struct Attempts {
    next: usize,
    tried: usize,
    failures: Vec<(usize, Failure)>,
    skipped_models: Vec<usize>,
}

impl Attempts {
    /// The next candidate to try, and its place in the plan. Each is tried at most once, and no
    /// more than [`limits::MAX_ATTEMPTS`] of them.
    pub fn next<'p>(&mut self, plan: &'p Plan) -> Option<(usize, &'p Candidate)> {
        if self.tried >= limits::MAX_ATTEMPTS {
            return None;
        }
        loop {
            let index = self.next;
            let candidate = plan.candidates.get(index)?;
            self.next = index.saturating_add(1);
            if !self.skipped_models.contains(&candidate.model_index) {
                self.tried = self.tried.saturating_add(1);
                return Some((index, candidate));
            }
        }
    }

    /// Notes that the candidate at this place failed.
    pub fn failed(&mut self, index: usize, candidate: &Candidate, failure: Failure) {
        if failure.next == Next::Model {
            self.skipped_models.push(candidate.model_index);
        }
        self.failures.push((index, failure));
    }

    /// The failures so far, with the place of their candidate in the plan.
    #[must_use]
    pub fn failures(&self) -> &[(usize, Failure)] {
        &self.failures
    }

    /// What the client is told when nothing is left to try (inference spec 4.7, 6: the last
    /// model's error).
    #[must_use]
    pub fn error(&self, plan: &Plan, requested: Vec<String>) -> ApiError {
        let Some((last_index, last)) = self.failures.last() else {
            return ApiError::internal("no attempt was made");
        };
        let provider =
            |index: usize| plan.candidates.get(index).map_or("", |one| one.provider.name.as_str());
        let mut error = if last.next == Next::Model {
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
        let code = if all(Failure::is_rate_limited) {
            AvailabilityCode::CapacityExhausted
        } else if all(Failure::is_not_found) {
            AvailabilityCode::ModelUnavailableUpstream
        } else {
            AvailabilityCode::TemporarilyUnavailable
        };
        let mut answer = explain::availability(code, requested);
        answer.retry_after = self.failures.iter().filter_map(|(_, one)| one.retry_after).min();
        let tried = self.failures.iter().filter_map(|(index, _)| plan.candidates.get(*index));
        answer.affected_providers =
            explain::unique(tried.map(|one| one.endpoint.provider.as_str()));
        let said = &last.message;
        let message = match self.failures.len() {
            1 => format!("Provider returned error: {provider}: {said}"),
            count => format!("All {count} attempts failed; the last, {provider}: {said}"),
        };
        ApiError::unavailable(answer, message)
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
