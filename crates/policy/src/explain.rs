//! Turning verdicts into the error that a client sees when nothing is left to try.

use signalbox_core::{ApiError, Availability, AvailabilityCode, Constraint};

use crate::plan::{Plan, Verdict};
use crate::requirements::Requirements;
use crate::rule::RULES;

/// An empty availability object for these models.
#[must_use]
pub fn availability(code: AvailabilityCode, requested: Vec<String>) -> Availability {
    Availability {
        code,
        retryable: code.retryable(),
        retry_after: None,
        requested_models: requested,
        affected_providers: Vec::new(),
        excluded_by: Vec::new(),
        fallback_models: Vec::new(),
        constraint: None,
    }
}

/// Why the plan has no candidate (inference spec 4.7). The rule that the endpoints which got
/// furthest failed at is the one to blame.
#[must_use]
pub fn nothing_left(request: &Requirements, plan: &Plan) -> ApiError {
    let models = request.requested();
    let named = models.join(", ");
    let place = |verdict: &Verdict| RULES.iter().position(|rule| rule.name == verdict.rule);
    let Some(furthest) = plan.excluded.iter().max_by_key(|verdict| place(verdict)) else {
        let availability = availability(AvailabilityCode::NoEndpoints, models);
        return ApiError::unavailable(availability, format!("No endpoints found for {named}."));
    };
    let code = code_of(furthest.rule);
    let mut answer = availability(code, models);
    answer.affected_providers = unique(plan.excluded.iter().map(|v| v.endpoint.provider.as_str()));
    answer.excluded_by = unique(plan.excluded.iter().map(|v| v.reason.excluded_by));
    if let Some(field) = furthest.reason.field {
        let detail = furthest.reason.detail.clone();
        answer.constraint = Some(Constraint { field: field.to_owned(), detail });
    }
    let serving = answer.affected_providers.join(", ");
    let message = match furthest.rule {
        "only" | "ignore" | "order" => format!(
            "No allowed providers are available for the selected model. Providers serving \
             {named}: {serving}, but your request's {}.",
            preference(&furthest.reason.detail)
        ),
        "routable" => format!(
            "No endpoints found for {named}: none of its providers ({serving}) is set up here."
        ),
        _ => format!("No endpoints found for {named} that fit: {}.", furthest.reason.detail),
    };
    ApiError::unavailable(answer, message)
}

/// `provider.only permits only: x` reads as `provider.only preference permits only: x`.
fn preference(detail: &str) -> String {
    match detail.split_once(' ') {
        Some((field, rest)) => format!("{field} preference {rest}"),
        None => detail.to_owned(),
    }
}

fn code_of(rule: &str) -> AvailabilityCode {
    match rule {
        "zdr" | "data_collection" => AvailabilityCode::PrivacyRestricted,
        "distillable" | "max_price" | "quantization" | "context" | "max_output" | "parameters" => {
            AvailabilityCode::ConstraintFiltered
        }
        _ => AvailabilityCode::NoEndpoints,
    }
}

pub(crate) fn unique<'a>(texts: impl Iterator<Item = &'a str>) -> Vec<String> {
    let mut seen: Vec<String> = Vec::new();
    for text in texts {
        if !seen.iter().any(|one| one == text) {
            seen.push(text.to_owned());
        }
    }
    seen
}
