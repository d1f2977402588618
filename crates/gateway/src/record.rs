//! Stage 10: the generation row, and what the planner learns.

use serde_json::{Value, json};
use signalbox_core::{Timestamp, Usage, Usd};
use signalbox_ledger::Cost;
use signalbox_policy::health::Observation;
use signalbox_policy::{Candidate, Failure};
use signalbox_store::GenerationRow;

use crate::ending::Ending;
use crate::generation::Generation;
use crate::metadata;
use crate::tier;
use crate::trace::AttemptNote;
use crate::waste::Waste;

/// Notes a failed attempt.
pub(crate) fn failure(
    generation: &mut Generation,
    index: usize,
    candidate: &Candidate,
    failure: &Failure,
) {
    let now = generation.gateway.clock.now();
    generation.trace.attempts.push(AttemptNote {
        candidate: index,
        status: failure.status.unwrap_or(0),
        latency_ms: now.millis_since(generation.trace.sent),
        upstream_id: None,
        waste: None,
    });
    log(generation, candidate, failure);
    let seen = if failure.is_rate_limited() {
        let wait = failure.retry_after.map(|seconds| seconds.saturating_mul(1000));
        let wait = wait.and_then(|millis| i64::try_from(millis).ok());
        Observation::RateLimited { until: wait.map(|millis| now.plus_millis(millis)) }
    } else if failure.counts {
        Observation::Fault
    } else {
        Observation::Neutral
    };
    observe(generation, seen);
}

/// Notes an attempt that another one was faster than.
pub(crate) fn overtaken(generation: &mut Generation, index: usize) {
    let now = generation.gateway.clock.now();
    generation.trace.attempts.push(AttemptNote {
        candidate: index,
        status: 0,
        latency_ms: now.millis_since(generation.trace.sent),
        upstream_id: None,
        waste: None,
    });
}

/// Notes what the last attempt may have cost without anybody getting its answer.
pub(crate) fn wasted(
    generation: &mut Generation,
    upstream_id: Option<String>,
    waste: Option<Waste>,
) {
    if let Some(note) = generation.trace.attempts.last_mut() {
        (note.upstream_id, note.waste) = (upstream_id, waste);
    }
}

/// For the operator: what failed, without the provider's words. A refused credential needs a hand.
fn log(generation: &Generation, candidate: &Candidate, failure: &Failure) {
    let (id, endpoint) = (&generation.given.id, candidate.endpoint.id.as_str());
    let (kind, status) = (failure.kind.name(), failure.status);
    if matches!(failure.status, Some(401..=403)) {
        tracing::error!(%id, endpoint, kind, status, "a provider refused its credential");
    } else {
        tracing::warn!(%id, endpoint, kind, status, "an attempt failed");
    }
}

/// Notes that an endpoint answered to the end.
pub(crate) fn success(generation: &Generation) {
    let sent = generation.trace.sent;
    let first = generation.trace.first_content.filter(|_| generation.given.resolved.survey.stream);
    let seen = Observation::Success {
        first_content_ms: first.map(|at| at.millis_since(sent)),
        total_ms: generation.gateway.clock.now().millis_since(sent),
        output_tokens: 0,
        tools: None,
    };
    observe(generation, seen);
}

/// Notes that an endpoint failed after its first content.
pub(crate) fn fault(generation: &Generation) {
    observe(generation, Observation::Broke);
}

fn observe(generation: &Generation, seen: Observation) {
    if let Some(turn) = &generation.turn {
        turn.end(seen);
    }
}

/// The row of a generation that somebody answered.
pub(crate) fn answered(
    generation: &mut Generation,
    ending: &Ending<'_>,
    usage: &Usage,
    cost: &Cost,
    now: Timestamp,
) -> GenerationRow {
    let since = generation.trace.received;
    let first = generation.trace.first_content.unwrap_or(now);
    generation.trace.attempts.push(AttemptNote {
        candidate: ending.index,
        status: 200,
        latency_ms: first.millis_since(generation.trace.sent),
        upstream_id: ending.facts.upstream_id.clone(),
        waste: None,
    });
    let mut row = row(generation);
    if let Some(candidate) = generation.given.plan.candidates.get(ending.index) {
        let request = &generation.given.resolved.requirements;
        let router = request.router_of(candidate.model_index);
        row.router = router.map(|one| one.router.id().to_owned());
        row.model = candidate.model.id.clone();
        row.provider = Some(candidate.endpoint.provider.clone());
        row.provider_name = Some(candidate.provider.name.clone());
        row.endpoint_id = Some(candidate.endpoint.id.clone());
        let catalog = &generation.given.world.catalog;
        row.prices = Some(tier::prices(catalog, &candidate.endpoint, ending.facts).clone());
        row.service_tier = tier::served(Some(&candidate.endpoint), ending.facts).map(str::to_owned);
    }
    row.upstream_id = ending.facts.upstream_id.clone();
    row.cancelled = ending.cancelled;
    row.finish_reason = ending.finish_reason().map(str::to_owned);
    row.native_finish_reason = ending.facts.native_finish.clone();
    row.error_type = ending.error.map(|error| error.kind.name().to_owned());
    row.latency_ms = Some(first.millis_since(since));
    row.generation_ms = Some(now.millis_since(first));
    row.usage = *usage;
    row.tokens_prompt = usage.prompt();
    row.tokens_completion = usage.output;
    row.cost = cost.total;
    row
}

/// The row of a generation that nobody answered, or that nobody waited for.
pub(crate) fn unanswered(
    generation: &Generation,
    error_type: Option<&'static str>,
    cancelled: bool,
) -> GenerationRow {
    let mut row = row(generation);
    row.cancelled = cancelled;
    row.error_type = error_type.map(str::to_owned);
    row
}

fn row(generation: &Generation) -> GenerationRow {
    let given = &generation.given;
    let (survey, head) = (&given.resolved.survey, &given.head);
    GenerationRow {
        id: given.id.clone(),
        request_id: given.request_id.clone(),
        account: given.principal.key.account.clone(),
        key: given.principal.key.hash.clone(),
        requested_model: given.requested().to_owned(),
        model: given.requested().to_owned(),
        provider: None,
        provider_name: None,
        endpoint_id: None,
        upstream_id: None,
        api_type: given.resolved.api_type().to_owned(),
        router: None,
        streamed: survey.stream,
        cancelled: false,
        finish_reason: None,
        native_finish_reason: None,
        error_type: None,
        created_at: generation.trace.received,
        latency_ms: None,
        generation_ms: None,
        usage: Usage::default(),
        tokens_prompt: 0,
        tokens_completion: 0,
        cost: Usd::ZERO,
        upstream_cost: None,
        prices: None,
        service_tier: None,
        session_id: given.resolved.session_id.clone(),
        external_user: survey.user.clone(),
        http_referer: head.referer.clone(),
        origin: head.origin.clone(),
        user_agent: head.user_agent.clone(),
        app_title: head.title.clone(),
        num_media_prompt: Some(survey.images),
        provider_responses: responses(generation),
        routing: metadata::routing(&given.plan),
        response_cache_source_id: None,
    }
}

/// One entry for each attempt (inference spec 2.4).
fn responses(generation: &Generation) -> Value {
    let entry = |note: &AttemptNote| {
        let candidate = generation.given.plan.candidates.get(note.candidate);
        json!({
            "id": note.upstream_id,
            "endpoint_id": candidate.map(|one| &one.endpoint.id),
            "model_permaslug": candidate.map(|one| &one.model.canonical_slug),
            "provider_name": candidate.map(|one| &one.provider.name),
            "status": if note.status == 0 { None } else { Some(note.status) },
            "latency": note.latency_ms,
            "is_byok": false,
            "wasted": note.waste.as_ref().map(wasted_json),
        })
    };
    generation.trace.attempts.iter().map(entry).collect()
}

/// What an attempt cost the platform in vain: figures of the row alone, which no client is told.
fn wasted_json(waste: &Waste) -> Value {
    json!({
        "tokens_prompt": waste.usage.prompt(),
        "tokens_completion": waste.usage.output,
        "estimated": waste.usage.estimated,
        "cost_nanos": waste.cost.nanos(),
    })
}
