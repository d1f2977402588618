//! Stage 10: the generation row, and what the planner learns.

use serde::Serialize;
use signalbox_core::attribution::origin;
use signalbox_core::{Timestamp, Usage, Usd, limits};
use signalbox_dialect::Facts;
use signalbox_dialect::openai_chat::finish::FinishReason;
use signalbox_ledger::Cost;
use signalbox_policy::health::Observation;
use signalbox_policy::{Candidate, Failure};
use signalbox_store::GenerationRow;

use crate::ending::Ending;
use crate::generation::Generation;
use crate::metadata;
use crate::tier;
use crate::trace::AttemptNote;
use crate::waste::{self, Waste};

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
    observe(generation, failure.observed(now));
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

/// Notes the attempt of a generation whose task did not see its end.
pub(crate) fn unfinished(generation: &mut Generation) {
    if let Some(turn) = generation.turn.take() {
        overtaken(generation, turn.index);
        let waste = waste::of(generation, turn.index, None);
        wasted(generation, None, waste);
    }
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

/// For the operator: what failed, without the provider's words. A refused credential needs a hand, but
/// for a caller's own, of which the operator has no need to know.
fn log(generation: &Generation, candidate: &Candidate, failure: &Failure) {
    let (id, endpoint) = (&generation.given.id, candidate.endpoint.id.as_str());
    let (kind, status) = (failure.kind.name(), failure.status);
    if candidate.byok.is_some() {
        tracing::info!(%id, endpoint, kind, status, "an attempt with an own key failed");
    } else if matches!(failure.status, Some(401..=403)) {
        tracing::error!(%id, endpoint, kind, status, "a provider refused its credential");
    } else {
        tracing::warn!(%id, endpoint, kind, status, "an attempt failed");
    }
}

/// What an answer that came to its end says of its endpoint. One that ends with an error is a
/// failure, whatever its status was. Throughput is that of the whole attempt, queues included
/// (inference spec 5.4), but for the time in which the client held it up.
pub(crate) fn success(generation: &Generation, facts: &Facts, output_tokens: u64) -> Observation {
    if facts.finish == Some(FinishReason::Error) {
        return Observation::Broke;
    }
    let sent = generation.trace.sent;
    let first = generation.trace.first_content.filter(|_| generation.given.resolved.survey.stream);
    let total_ms = generation.gateway.clock.now().millis_since(sent);
    let held_up = u64::try_from(generation.trace.held_up.as_millis()).unwrap_or(u64::MAX);
    Observation::Success {
        first_content_ms: first.map(|at| at.millis_since(sent)),
        total_ms: total_ms.saturating_sub(held_up),
        output_tokens,
        tools: None,
    }
}

/// The same with a verdict on its tool calls.
pub(crate) fn with_tools(seen: Observation, verdict: Option<bool>) -> Observation {
    match seen {
        Observation::Success { first_content_ms, total_ms, output_tokens, .. } => {
            Observation::Success { first_content_ms, total_ms, output_tokens, tools: verdict }
        }
        other => other,
    }
}

/// Notes that an endpoint failed after its first content.
pub(crate) fn fault(generation: &Generation) {
    observe(generation, Observation::Broke);
}

/// Tells the board how the attempt ended. Only the first end of an attempt counts.
pub(crate) fn observe(generation: &Generation, seen: Observation) {
    if let Some(turn) = &generation.turn {
        turn.end(seen);
    }
}

/// The row of a generation that somebody answered, without the prices that it was billed by.
pub(crate) fn answered(
    generation: &mut Generation,
    ending: &Ending<'_>,
    usage: &Usage,
    cost: &Cost,
    waste: Option<Waste>,
    now: Timestamp,
) -> GenerationRow {
    let since = generation.trace.received;
    let first = generation.trace.first_content.unwrap_or(now);
    generation.trace.attempts.push(AttemptNote {
        candidate: ending.index,
        status: 200,
        latency_ms: first.millis_since(generation.trace.sent),
        upstream_id: ending.facts.upstream_id.clone(),
        waste,
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
        origin: head.origin.clone().or_else(|| head.referer.as_deref().and_then(origin)),
        user_agent: head.user_agent.clone(),
        app_title: head.title.clone(),
        num_media_prompt: Some(survey.images),
        provider_responses: responses(generation),
        routing: metadata::routing(&given.plan, &given.resolved),
        response_cache_source_id: None,
        preset_id: given.resolved.preset.as_ref().map(|used| used.id.to_string()),
        byok: None,
        fee_bps: None,
        byok_free: None,
        trace: survey.trace.clone().filter(|trace| trace.len() <= limits::MAX_TRACE_BYTES),
        recovered: false,
    }
}

/// One attempt as the row tells of it (inference spec 2.4).
#[derive(Serialize)]
struct Response<'a> {
    id: Option<&'a str>,
    endpoint_id: Option<&'a str>,
    model_permaslug: Option<&'a str>,
    provider_name: Option<&'a str>,
    status: Option<u16>,
    latency: u64,
    is_byok: bool,
    wasted: Option<Wasted>,
}

/// What an attempt cost the platform in vain: figures of the row alone, which no client is told.
#[derive(Serialize)]
struct Wasted {
    tokens_prompt: u64,
    tokens_completion: u64,
    estimated: bool,
    cost_nanos: i64,
}

impl Wasted {
    fn of(waste: &Waste) -> Self {
        Self {
            tokens_prompt: waste.usage.prompt(),
            tokens_completion: waste.usage.output,
            estimated: waste.usage.estimated,
            cost_nanos: waste.cost.nanos(),
        }
    }
}

fn responses(generation: &Generation) -> String {
    let notes = generation.trace.attempts.iter();
    let entries = notes.map(|note| {
        let candidate = generation.given.plan.candidates.get(note.candidate);
        Response {
            id: note.upstream_id.as_deref(),
            endpoint_id: candidate.map(|one| one.endpoint.id.as_str()),
            model_permaslug: candidate.map(|one| one.model.canonical_slug.as_str()),
            provider_name: candidate.map(|one| one.provider.name.as_str()),
            status: (note.status != 0).then_some(note.status),
            latency: note.latency_ms,
            is_byok: candidate.is_some_and(|one| one.byok.is_some()),
            wasted: note.waste.as_ref().map(Wasted::of),
        }
    });
    let entries: Vec<Response<'_>> = entries.collect();
    serde_json::to_string(&entries).unwrap_or_default()
}
