//! The plan: which endpoints will be tried, in which order, and why each other one will not.

use std::sync::Arc;

use signalbox_catalog::{Endpoint, Model, Provider, Snapshot};
use signalbox_core::{Parameter, Timestamp, limits};

use crate::health::Health;
use crate::preferences::SortBy;
use crate::rank::{self, Dice};
use crate::requirements::{Requirements, Wanted};
use crate::rule::{self, Ctx, Reason};
use crate::slug;

/// An endpoint that may be tried.
#[derive(Debug, Clone)]
pub struct Candidate {
    /// The endpoint.
    pub endpoint: Arc<Endpoint>,
    /// The model that it serves.
    pub model: Arc<Model>,
    /// Who serves it.
    pub provider: Arc<Provider>,
    /// The place of that model in the request's list.
    pub model_index: usize,
}

/// An endpoint that will not be tried, and why.
#[derive(Debug, Clone)]
pub struct Verdict {
    /// The endpoint.
    pub endpoint: Arc<Endpoint>,
    /// The rule that ruled it out.
    pub rule: &'static str,
    /// Its reason.
    pub reason: Reason,
}

/// The ranked candidates, and the verdict on every other endpoint of the requested models.
#[derive(Debug, Clone, Default)]
pub struct Plan {
    /// In the order in which they are tried.
    pub candidates: Vec<Candidate>,
    /// What was ruled out.
    pub excluded: Vec<Verdict>,
}

/// Plans a request. Pure: the same arguments give the same plan.
#[must_use]
pub fn plan(
    request: &Requirements,
    catalog: &Snapshot,
    health: &dyn Health,
    now: Timestamp,
    dice: u64,
) -> Plan {
    let mut dice = Dice::new(dice);
    let mut excluded = Vec::new();
    let mut groups: Vec<Vec<Candidate>> = Vec::new();
    for (index, wanted) in request.models.iter().enumerate() {
        let mut passed = pass_rules(request, catalog, wanted, index, &mut excluded);
        prefer_parameters(request, &mut passed, &mut excluded);
        groups.push(passed);
    }
    if request.provider.across_models {
        groups = vec![groups.into_iter().flatten().collect()];
    }
    let mut candidates = Vec::new();
    for group in groups {
        let mut ranked = order(request, group, &mut dice);
        // Stable: those in trouble, and those too slow, keep their order behind the others.
        ranked.sort_by_key(|one| {
            let slow = !rank::meets_thresholds(&one.endpoint, &request.provider);
            (health.of(&one.endpoint.id).is_out(now), slow)
        });
        if !request.provider.allow_fallbacks && request.provider.order.is_empty() {
            ranked.truncate(1);
        }
        candidates.extend(ranked);
    }
    candidates.truncate(limits::MAX_ATTEMPTS);
    Plan { candidates, excluded }
}

fn pass_rules(
    request: &Requirements,
    catalog: &Snapshot,
    wanted: &Wanted,
    model_index: usize,
    excluded: &mut Vec<Verdict>,
) -> Vec<Candidate> {
    let ctx = Ctx { catalog, request, wanted };
    let mut passed = Vec::new();
    for endpoint in catalog.endpoints(&wanted.model.id) {
        let Some(provider) = catalog.provider(&endpoint.provider) else { continue };
        match rule::judge(&ctx, endpoint) {
            None => passed.push(Candidate {
                endpoint: Arc::clone(endpoint),
                model: Arc::clone(&wanted.model),
                provider: Arc::clone(provider),
                model_index,
            }),
            Some((rule, reason)) => {
                excluded.push(Verdict { endpoint: Arc::clone(endpoint), rule, reason });
            }
        }
    }
    passed
}

/// Three parameters narrow the choice when somebody supports them, and are dropped when nobody does
/// (inference spec 5.6).
fn prefer_parameters(
    request: &Requirements,
    passed: &mut Vec<Candidate>,
    excluded: &mut Vec<Verdict>,
) {
    let soft = [
        Parameter::Tools,
        Parameter::ResponseFormat,
        Parameter::StructuredOutputs,
        Parameter::Verbosity,
    ];
    for parameter in soft {
        let supports = |one: &Candidate| one.endpoint.supported_parameters.contains(parameter);
        if !request.content.parameters.contains(parameter) || !passed.iter().any(supports) {
            continue;
        }
        let all = std::mem::take(passed);
        let (kept, out): (Vec<_>, Vec<_>) = all.into_iter().partition(supports);
        *passed = kept;
        excluded.extend(out.into_iter().map(|one| Verdict {
            endpoint: one.endpoint,
            rule: "soft_parameters",
            reason: Reason {
                excluded_by: "require_parameters",
                field: Some(parameter.name()),
                detail: format!("others support {}", parameter.name()),
            },
        }));
    }
}

fn order(request: &Requirements, group: Vec<Candidate>, dice: &mut Dice) -> Vec<Candidate> {
    let sort = request.provider.sort.or_else(|| {
        let first = group.first()?;
        request.models.get(first.model_index)?.sort
    });
    let mut ranked = match sort {
        Some(sort @ (SortBy::Price | SortBy::Throughput | SortBy::Latency)) => {
            let mut ranked = group;
            rank::by_metric(&mut ranked, |one| &one.endpoint, sort, &request.content);
            ranked
        }
        _ => rank::price::draw(group, |one| &one.endpoint, &request.content, dice),
    };
    let listed = &request.provider.order;
    if !listed.is_empty() {
        ranked.sort_by_key(|one| slug::position(listed, &one.endpoint).unwrap_or(usize::MAX));
    }
    ranked
}
