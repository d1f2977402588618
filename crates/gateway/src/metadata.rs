//! `openrouter_metadata`: how the request was routed, for callers that ask (inference spec 2.5).

use std::collections::BTreeMap;

use serde::Serialize;
use serde_json::{Value, json};
use signalbox_dialect::loss::Loss;
use signalbox_dialect::{Extras, Facts};
use signalbox_guard::Stage;
use signalbox_policy::place::{Basis, Demotion};
use signalbox_policy::router::RouterChoice;
use signalbox_policy::rule::ROUTABLE;
use signalbox_policy::{Candidate, Plan};

use crate::generation::Generation;
use crate::resolve::Resolved;
use crate::screen::Screened;
use crate::tier;

/// The object as raw JSON, when the caller asked for it. `winner` is the candidate that answered.
pub(crate) fn metadata(generation: &Generation, winner: Option<usize>) -> Option<String> {
    let given = &generation.given;
    if !given.head.wants_metadata {
        return None;
    }
    let plan = &given.plan;
    let available = available(plan, winner);
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
        "region": request.account.region,
        "summary": format!("{} of {total} endpoints available", plan.candidates.len()),
        "attempt": generation.trace.attempts.len(),
        "is_byok": answered.is_some_and(|one| one.byok.is_some()),
        "endpoints": { "total": total, "available": available, "excluded": excluded },
        "attempts": attempts,
    });
    let screened = given.resolved.screened.as_deref();
    router(&mut object, request.router_of(index.unwrap_or_default()), screened);
    if let (false, Some(members)) = (losses.is_empty(), object.as_object_mut()) {
        members.insert("losses".to_owned(), losses.into());
    }
    Some(object.to_string())
}

/// The endpoints that may be tried, in their order.
fn available(plan: &Plan, winner: Option<usize>) -> Vec<Value> {
    let candidates = plan.candidates.iter().enumerate();
    let shown = candidates.map(|(index, one)| {
        json!({
            "provider": one.provider.name,
            "model": one.model.id,
            "selected": winner == Some(index),
            "reason": one.place.text(),
        })
    });
    shown.collect()
}

/// The object of a request that a guardrail blocks: nobody was asked (platform spec 7.10).
pub(crate) fn refused(resolved: &Resolved, plan: &Plan) -> String {
    let request = &resolved.requirements;
    let total = plan.candidates.len().saturating_add(plan.excluded.len());
    let requested = request.models.first().map_or("", |one| one.requested.as_str());
    let mut object = json!({
        "requested": requested,
        "strategy": request.strategy(None),
        "region": request.account.region,
        "summary": format!("{} of {total} endpoints available", plan.candidates.len()),
        "attempt": 1,
        "is_byok": false,
        "endpoints": { "total": total, "available": available(plan, None) },
    });
    router(&mut object, None, resolved.screened.as_deref());
    object.to_string()
}

/// The pipeline: what guardrails did, and what a router went by, the least quality that was asked for
/// and the kind of task.
fn router(object: &mut Value, choice: Option<&RouterChoice>, screened: Option<&Screened>) {
    let Some(members) = object.as_object_mut() else { return };
    if let Some(floor) = choice.and_then(|choice| choice.quality_floor) {
        members.insert("params".to_owned(), json!({"quality_floor": floor}));
    }
    let stages = screened.map(|screened| screened.stages.as_slice()).unwrap_or_default();
    let mut pipeline: Vec<Value> =
        stages.iter().filter_map(|stage| serde_json::to_value(stage).ok()).collect();
    if let Some(choice) = choice
        && let (Some(task), Some(name)) = (choice.task, choice.router.plugin())
    {
        pipeline.push(json!({"type": "plugin", "name": name, "data": {"task_type": task}}));
    }
    if !pipeline.is_empty() {
        members.insert("pipeline".to_owned(), pipeline.into());
    }
}

/// How the request was routed, for the generation row: the dice that repeat its draws, the ranked
/// candidates, and by rule the tags of those that were ruled out. Endpoints that nobody here can call
/// are left out: they say nothing of the request.
#[derive(Serialize)]
struct Routing<'a> {
    dice: String,
    /// The region that the request was kept in.
    #[serde(skip_serializing_if = "Option::is_none")]
    region: Option<&'a str>,
    /// How long moderation took.
    #[serde(skip_serializing_if = "Option::is_none")]
    moderation_ms: Option<u64>,
    candidates: Vec<Ranked<'a>>,
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    excluded: BTreeMap<&'static str, Vec<&'a str>>,
    /// What guardrails found, without a word of the prompt: rows keep none.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    guardrails: Vec<Event<'a>>,
}

/// What one guardrail did.
#[derive(Serialize)]
struct Event<'a> {
    name: &'static str,
    guardrail_id: Option<&'a str>,
    guardrail_scope: &'static str,
    action: &'static str,
    /// The names of what was found, each once.
    found: &'a [&'static str],
}

impl<'a> Event<'a> {
    fn of(stage: &'a Stage) -> Self {
        Self {
            name: stage.name,
            guardrail_id: stage.guardrail_id.as_deref(),
            guardrail_scope: stage.guardrail_scope,
            action: stage.data.action,
            found: &stage.found,
        }
    }
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
pub(crate) fn routing(plan: &Plan, resolved: &Resolved) -> Option<String> {
    let mut excluded: BTreeMap<&'static str, Vec<&str>> = BTreeMap::new();
    for verdict in plan.excluded.iter().filter(|one| one.rule != ROUTABLE) {
        excluded.entry(verdict.rule).or_default().push(&verdict.endpoint.tag);
    }
    let candidates = plan.candidates.iter().map(Ranked::of).collect();
    let screened = resolved.screened.as_deref();
    let stages = screened.map(|screened| screened.stages.as_slice()).unwrap_or_default();
    let routing = Routing {
        dice: plan.dice.to_string(),
        region: resolved.requirements.account.region.as_deref(),
        moderation_ms: resolved.moderation_ms,
        candidates,
        excluded,
        guardrails: stages.iter().map(Event::of).collect(),
    };
    serde_json::to_string(&routing).ok()
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
