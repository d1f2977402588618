//! `openrouter_metadata`: how the request was routed, for callers that ask (inference spec 2.5).

use std::collections::BTreeMap;

use serde::Serialize;
use serde_json::{Value, json};
use signalbox_dialect::loss::Loss;
use signalbox_dialect::{Extras, Facts};
use signalbox_policy::place::{Basis, Demotion};
use signalbox_policy::router::RouterChoice;
use signalbox_policy::rule::ROUTABLE;
use signalbox_policy::{Candidate, Plan};

use crate::generation::Generation;
use crate::tier;

/// The object as raw JSON, when the caller asked for it. `winner` is the candidate that answered.
pub(crate) fn metadata(generation: &Generation, winner: Option<usize>) -> Option<String> {
    let given = &generation.given;
    if !given.head.wants_metadata {
        return None;
    }
    let plan = &given.plan;
    let available: Vec<Value> = plan
        .candidates
        .iter()
        .enumerate()
        .map(|(index, one)| {
            json!({
                "provider": one.provider.name,
                "model": one.model.id,
                "selected": winner == Some(index),
                "reason": one.place.text(),
            })
        })
        .collect();
    let request = &given.resolved.requirements;
    let excluded: Vec<Value> = plan
        .excluded
        .iter()
        .map(|one| {
            json!({
                "provider": one.endpoint.provider,
                "model": one.endpoint.model,
                "tag": one.endpoint.tag,
                "rule": one.rule,
                "reason": one.detail(request),
            })
        })
        .collect();
    let attempts: Vec<Value> = generation
        .trace
        .attempts
        .iter()
        .filter_map(|note| plan.candidates.get(note.candidate).map(|one| (note, one)))
        .map(|(note, one)| {
            json!({
                "provider": one.provider.name,
                "model": one.model.id,
                "status": note.status,
            })
        })
        .collect();
    let answered = winner.and_then(|index| plan.candidates.get(index));
    let index = answered.map(|one| one.model_index);
    let strategy = request.strategy(index);
    let total = plan.candidates.len().saturating_add(plan.excluded.len());
    let losses = generation.trace.losses.iter();
    let losses: Vec<Value> =
        losses.map(|loss| json!({"kind": loss.what.name(), "detail": loss.detail})).collect();
    let mut object = json!({
        "requested": given.requested(),
        "strategy": strategy,
        "region": null,
        "summary": format!("{} of {total} endpoints available", plan.candidates.len()),
        "attempt": generation.trace.attempts.len(),
        "is_byok": answered.is_some_and(|one| one.byok.is_some()),
        "endpoints": { "total": total, "available": available, "excluded": excluded },
        "attempts": attempts,
    });
    router(&mut object, request.router_of(index.unwrap_or_default()));
    if let (false, Some(members)) = (losses.is_empty(), object.as_object_mut()) {
        members.insert("losses".to_owned(), losses.into());
    }
    Some(object.to_string())
}

/// What a router went by: the least quality that was asked for, and the kind of task.
fn router(object: &mut Value, choice: Option<&RouterChoice>) {
    let (Some(choice), Some(members)) = (choice, object.as_object_mut()) else { return };
    if let Some(floor) = choice.quality_floor {
        members.insert("params".to_owned(), json!({"quality_floor": floor}));
    }
    if let (Some(task), Some(name)) = (choice.task, choice.router.plugin()) {
        let stage = json!({"type": "plugin", "name": name, "data": {"task_type": task}});
        members.insert("pipeline".to_owned(), json!([stage]));
    }
}

/// How the request was routed, for the generation row: the dice that repeat its draws, the ranked
/// candidates, and by rule the tags of those that were ruled out. Endpoints that nobody here can call
/// are left out: they say nothing of the request.
#[derive(Serialize)]
struct Routing<'a> {
    dice: String,
    candidates: Vec<Ranked<'a>>,
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    excluded: BTreeMap<&'static str, Vec<&'a str>>,
}

/// A candidate and why it stood there, in members that cost little to write: every request has them.
#[derive(Serialize)]
struct Ranked<'a> {
    endpoint_id: &'a str,
    tag: &'a str,
    /// What it was ordered by: `drawn`, a metric, or its tier of quality.
    #[serde(skip_serializing_if = "Option::is_none")]
    by: Option<&'static str>,
    /// Its chance to be drawn first, 0 to 1.
    #[serde(skip_serializing_if = "Option::is_none")]
    share: Option<f64>,
    /// Its number in `provider.order`.
    #[serde(skip_serializing_if = "Option::is_none")]
    listed: Option<usize>,
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    sticky: bool,
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    byok: bool,
    /// What put it behind the others.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    behind: Vec<&'static str>,
}

impl<'a> Ranked<'a> {
    fn of(one: &'a Candidate) -> Self {
        let place = &one.place;
        let (by, share) = match place.basis {
            Basis::Named => (None, None),
            Basis::Drawn { share } => (Some("drawn"), Some(share)),
            Basis::Sorted { by, .. } => (Some(by.name()), None),
            Basis::Exacto { tier, share } => (Some(tier.name()), Some(share)),
        };
        Self {
            endpoint_id: &one.endpoint.id,
            tag: &one.endpoint.tag,
            by,
            share,
            listed: place.listed,
            sticky: place.sticky,
            byok: one.byok.is_some(),
            behind: place.demotions.iter().map(Demotion::name).collect(),
        }
    }
}

/// The JSON of a plan for the generation row.
pub(crate) fn routing(plan: &Plan) -> Option<String> {
    let mut excluded: BTreeMap<&'static str, Vec<&str>> = BTreeMap::new();
    for verdict in plan.excluded.iter().filter(|one| one.rule != ROUTABLE) {
        excluded.entry(verdict.rule).or_default().push(&verdict.endpoint.tag);
    }
    let candidates = plan.candidates.iter().map(Ranked::of).collect();
    serde_json::to_string(&Routing { dice: plan.dice.to_string(), candidates, excluded }).ok()
}

/// Notes what of an answer its client can't be shown, when the client wants to know.
pub(crate) fn note(generation: &mut Generation, losses: impl FnOnce() -> Vec<Loss>) {
    if generation.given.head.wants_metadata {
        generation.trace.losses.extend(losses());
    }
}

/// The members of the last chunk or the whole answer that only the gateway knows.
pub(crate) fn extras<'a>(
    generation: &'a Generation,
    candidate: usize,
    facts: &'a Facts,
    metadata: Option<&'a str>,
) -> Extras<'a> {
    let endpoint = generation.given.plan.candidates.get(candidate);
    Extras {
        service_tier: tier::served(endpoint.map(|one| one.endpoint.as_ref()), facts),
        router_metadata: metadata,
        completed_at: generation.gateway.clock.now().seconds(),
    }
}
