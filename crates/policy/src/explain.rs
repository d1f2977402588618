//! Turning verdicts into the error that a client sees when nothing is left to try.

use std::collections::HashSet;

use signalbox_catalog::{ModelStatus, Snapshot};
use signalbox_core::{ApiError, Availability, AvailabilityCode, Constraint};

mod shown;

pub use shown::{Shown, ShownCandidate, ShownVerdict, shown};

use crate::plan::{Plan, Verdict};
use crate::requirements::Requirements;
use crate::rule::{Detail, ROUTABLE, RULES, TIER};

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

/// Why the plan has no candidate (inference spec 4.7). Endpoints that asked for patience would
/// have answered, so they come first. Else the rule that the endpoints which got furthest failed at
/// is the one to blame; that none can be called at all is the answer only when that is true of all.
#[must_use]
pub fn nothing_left(request: &Requirements, plan: &Plan, catalog: &Snapshot) -> ApiError {
    let mut error = shortage(request, plan);
    if let Some(answer) = &mut error.availability {
        answer.fallback_models = hints(request, catalog);
    }
    error
}

fn shortage(request: &Requirements, plan: &Plan) -> ApiError {
    let models = request.requested();
    let named = models.join(", ");
    if let Some(wait) = plan.excluded.iter().filter_map(wait).min() {
        return all_cooling(models, plan, wait);
    }
    let Some(furthest) = plan.excluded.iter().max_by_key(|verdict| place(verdict)) else {
        let availability = availability(AvailabilityCode::NoEndpoints, models);
        return ApiError::unavailable(availability, format!("No endpoints found for {named}."));
    };
    let code = code_of(furthest.rule);
    let mut answer = availability(code, models);
    answer.affected_providers = unique(plan.excluded.iter().map(|v| v.endpoint.provider.as_str()));
    let callable = |verdict: &&Verdict| verdict.rule != ROUTABLE || furthest.rule == ROUTABLE;
    let to_blame = plan.excluded.iter().filter(callable);
    answer.excluded_by = unique(to_blame.map(|verdict| verdict.reason.excluded_by));
    if let Some(message) = forbidden(request, plan) {
        return ApiError::unavailable(answer, message);
    }
    let detail = furthest.detail(request);
    let serving = answer.affected_providers.join(", ");
    let message = match furthest.rule {
        "only" | "ignore" | "order" | "account_providers" => format!(
            "No allowed providers are available for the selected model. Providers serving \
             {named}: {serving}, but {}.",
            allowed(request, plan)
        ),
        ROUTABLE => format!(
            "No endpoints found for {named}: none of its providers ({serving}) is set up here."
        ),
        _ => format!("No endpoints found for {named} that fit: {detail}."),
    };
    if let Some(field) = furthest.reason.field {
        answer.constraint = Some(Constraint { field: field.to_owned(), detail });
    }
    ApiError::unavailable(answer, message)
}

/// Models that may do instead: the paid twin of a free one, then its relatives. Only those that can be
/// called at all.
fn hints(request: &Requirements, catalog: &Snapshot) -> Vec<String> {
    let mut found: Vec<String> = Vec::new();
    for wanted in &request.models {
        let model = &wanted.model;
        let twin = (model.id != model.base).then(|| model.base.clone());
        let alike = catalog.models_named_like(&model.id);
        for id in twin.into_iter().chain(alike) {
            let callable = catalog.endpoints(&id).iter().any(|one| one.blocked.is_none());
            let fits = catalog.model(&id).is_some_and(|other| {
                other.status == ModelStatus::Live && other.author == model.author
            });
            let asked = request.models.iter().any(|one| one.model.id == id);
            if callable && fits && !asked && !found.contains(&id) && found.len() < MOST_HINTS {
                found.push(id);
            }
        }
    }
    found
}

/// Most models that an error names instead.
const MOST_HINTS: usize = 3;

/// How far an endpoint got before it was ruled out: rules are asked in order, then the soft ones.
fn place(verdict: &Verdict) -> usize {
    RULES.iter().position(|rule| rule.name == verdict.rule).unwrap_or(RULES.len())
}

/// Seconds for which the endpoint asks not to be called.
pub(crate) fn wait(verdict: &Verdict) -> Option<u64> {
    match verdict.reason.detail {
        Detail::Cooling { seconds } => Some(seconds),
        _ => None,
    }
}

fn all_cooling(models: Vec<String>, plan: &Plan, seconds: u64) -> ApiError {
    let named = models.join(", ");
    let mut answer = availability(AvailabilityCode::CapacityExhausted, models);
    answer.retry_after = Some(seconds);
    let cooling = plan.excluded.iter().filter(|verdict| wait(verdict).is_some());
    answer.affected_providers = unique(cooling.map(|verdict| verdict.endpoint.provider.as_str()));
    answer.excluded_by = unique(
        plan.excluded
            .iter()
            .filter(|verdict| verdict.rule != ROUTABLE)
            .map(|verdict| verdict.reason.excluded_by),
    );
    let busy = answer.affected_providers.join(", ");
    let message = format!(
        "Every provider that may answer for {named} is rate limited ({busy}). Try again in \
         {seconds} s."
    );
    ApiError::unavailable(answer, message)
}

/// Which lists of providers leave nobody, each said once: the request's and the account's.
fn allowed(request: &Requirements, plan: &Plan) -> String {
    let lists = [
        Detail::NotInOnly,
        Detail::Ignored,
        Detail::NotInOrder,
        Detail::AccountAllows,
        Detail::AccountIgnores,
    ];
    let said = lists.into_iter().filter_map(|detail| {
        let out = || plan.excluded.iter().filter(|verdict| verdict.reason.detail == detail);
        let names = || unique(out().map(|verdict| verdict.endpoint.provider.as_str())).join(", ");
        let first = out().next()?;
        let text = match detail {
            Detail::Ignored => format!("provider.ignore names {}", names()),
            Detail::AccountIgnores => format!("the account ignores {}", names()),
            _ => first.detail(request),
        };
        Some(match text.split_once(' ') {
            Some((field, rest)) if field.starts_with("provider.") => {
                format!("your request's {field} preference {rest}")
            }
            _ => text,
        })
    });
    said.collect::<Vec<_>>().join(", and ")
}

/// What is said when the caller's own policy leaves nobody: its data policy alone (platform spec 9.3), or
/// lists of models and providers as well (7.10). A wish of the request in between is told on its own.
fn forbidden(request: &Requirements, plan: &Plan) -> Option<String> {
    let callable = plan.excluded.iter().filter(|one| one.rule != ROUTABLE && one.rule != TIER);
    let (mut data, mut lists) = (Vec::new(), false);
    for verdict in callable {
        match (verdict.rule, verdict.reason.detail) {
            ("account_models" | "account_providers", _) => lists = true,
            (_, Detail::AccountTraining { free: true }) => data.push("Free model training"),
            (_, Detail::AccountTraining { free: false }) => data.push("Paid model training"),
            (_, Detail::AccountPublication) => data.push("Free model publication"),
            (_, Detail::Retains { asked: false, video: false }) => data.push("Zero data retention"),
            _ => return None,
        }
    }
    let message = match (lists, data.is_empty()) {
        (true, _) => "No endpoints available matching your guardrail restrictions and data policy."
            .to_owned(),
        (false, false) => {
            let data = unique(data.into_iter()).join(", ");
            format!("No endpoints found matching your data policy ({data}).")
        }
        (false, true) => return None,
    };
    Some(match &request.account.page {
        Some(page) => format!("{message} Configure: {page}"),
        None => message,
    })
}

fn code_of(rule: &str) -> AvailabilityCode {
    match rule {
        "zdr" | "data_collection" | "account_training" | "account_publication" => {
            AvailabilityCode::PrivacyRestricted
        }
        "account_models" | "account_providers" | "account_region" | "allow_fallbacks"
        | "distillable" | "max_price" | "quantization" | "context" | "max_output"
        | "parameters" => AvailabilityCode::ConstraintFiltered,
        _ => AvailabilityCode::NoEndpoints,
    }
}

/// Each text once, in the order of their first places.
pub(crate) fn unique<'a>(texts: impl Iterator<Item = &'a str>) -> Vec<String> {
    let mut seen = HashSet::new();
    texts.filter(|text| seen.insert(*text)).map(str::to_owned).collect()
}
