//! A kept answer, given again: a new generation that asks nobody, holds nothing and costs nothing.

use std::sync::Arc;

use bytes::Bytes;
use signalbox_core::{ApiError, Timestamp, Usage, Usd, limits};
use signalbox_dialect::answer::{read_watching, write_unary};
use signalbox_dialect::{AnswerStream, Facts, Identity, StreamFault, UsageReport};
use signalbox_runtime::task;
use signalbox_store::GenerationRow;

use super::{Kept, Language};
use crate::ending::Ending;
use crate::exit::Exit;
use crate::gateway::Gateway;
use crate::generation::{Generation, Given};
use crate::reply::Reply;
use crate::trace::Trace;
use crate::{metadata, record, release};

/// What a replay took and cost.
fn nothing() -> UsageReport {
    UsageReport {
        usage: Usage::default(),
        cost: Usd::ZERO,
        is_byok: false,
        upstream_cost: None,
        prompt_cost: Usd::ZERO,
        completion_cost: Usd::ZERO,
    }
}

/// How much of a kept stream is read at a time.
const PIECE: usize = 16 * 1024;

/// Answers a request with what is kept for it.
pub(crate) fn replay(
    gateway: &Arc<Gateway>,
    mut given: Given,
    kept: Arc<Kept>,
    now: Timestamp,
) -> Reply {
    given.resolved.skin.options.replayed = true;
    let (generation, mut reply) =
        Generation::begin(Arc::clone(gateway), given, Vec::new(), None, Trace::begin(now));
    reply.cache = Some(kept.hit(now));
    let run = Box::pin(run(generation, kept));
    drop(task::spawn("replay", gateway.running.track_future(run)));
    reply
}

async fn run(mut generation: Box<Generation>, kept: Arc<Kept>) {
    let identity = generation.given.identity(Some(0), generation.trace.received.seconds());
    let done = if generation.given.resolved.survey.stream {
        stream(&mut generation, &kept, &identity).await
    } else {
        whole(&mut generation, &kept, &identity).await
    };
    if let Err(fault) = done {
        // It was read when it was kept.
        let error = ApiError::internal(format!("a kept answer can't be read: {fault}"));
        release::fail(generation, error, Exit::Replayed).await;
    } else {
        generation.gateway.exits.note(Exit::Replayed);
    }
}

async fn whole(
    generation: &mut Generation,
    kept: &Kept,
    identity: &Identity,
) -> Result<(), StreamFault> {
    let (facts, document) = match &kept.language {
        Language::Conversation { dialect, watch, .. } => {
            let answer = read_watching(*dialect, kept.body.clone(), watch.clone())?;
            let extras = metadata::extras(generation, 0, &answer.facts, None);
            let skin = generation.given.skin();
            let document = write_unary(skin, &answer, identity, &nothing(), &extras);
            (answer.facts, document)
        }
        Language::Retrieval(form) => {
            let asked = generation.given.resolved.retrieval.as_deref();
            let written = asked.map(|asked| asked.replay(*form, &kept.body, identity, &nothing()));
            written.unwrap_or_else(|| Err(another_task()))?
        }
    };
    note(generation, kept, &facts).await;
    generation.sink.finish(document);
    Ok(())
}

fn another_task() -> StreamFault {
    StreamFault::Malformed("an answer of another task".to_owned())
}

async fn stream(
    generation: &mut Generation,
    kept: &Kept,
    identity: &Identity,
) -> Result<(), StreamFault> {
    let Language::Conversation { dialect, watch, is_invoke } = &kept.language else {
        return Err(another_task());
    };
    let skin = generation.given.skin().clone();
    let style = skin.style;
    let relay = AnswerStream::watching(skin, *dialect, identity.clone(), watch.clone());
    let mut relay = Box::new(if *is_invoke { relay.in_envelope() } else { relay });
    let mut out = Vec::new();
    for piece in kept.body.chunks(PIECE) {
        relay.push(piece, &mut out)?;
        if !out.is_empty() {
            generation.sink.send(Bytes::from(std::mem::take(&mut out))).await;
        }
        if generation.sink.is_gone() {
            break;
        }
    }
    if !relay.facts().done && !generation.sink.is_gone() {
        relay.end(&mut out)?;
        generation.sink.send(Bytes::from(std::mem::take(&mut out))).await;
    }
    note(generation, kept, relay.facts()).await;
    let extras = metadata::extras(generation, 0, relay.facts(), None);
    let mut last = relay.usage_chunk(&nothing(), &extras);
    last.extend_from_slice(style.end_marker());
    generation.sink.end(Bytes::from(last)).await;
    Ok(())
}

/// Records the generation. It is free, so that a database that is away does not keep the answer from
/// the client.
async fn note(generation: &mut Generation, kept: &Kept, facts: &Facts) {
    let row = row(generation, kept, facts);
    let written = generation.gateway.ledger.record(row);
    let id = &generation.given.id;
    match tokio::time::timeout(limits::USAGE_WAIT, written).await {
        Ok(Ok(())) => {}
        Ok(Err(error)) => tracing::error!(%error, %id, "a replay could not be recorded"),
        Err(_) => tracing::warn!(%id, "the record of a replay waits for the database"),
    }
}

fn row(generation: &Generation, kept: &Kept, facts: &Facts) -> GenerationRow {
    let cancelled = generation.sink.has_left();
    let ending = Ending { index: 0, facts, cancelled, error: None };
    let now = generation.gateway.clock.now();
    let Kept { candidate, source, .. } = kept;
    GenerationRow {
        model: candidate.model.id.clone(),
        provider: Some(candidate.endpoint.provider.clone()),
        provider_name: Some(candidate.provider.name.clone()),
        endpoint_id: Some(candidate.endpoint.id.clone()),
        finish_reason: ending.finish_reason().map(str::to_owned),
        native_finish_reason: facts.native_finish.clone(),
        latency_ms: Some(now.millis_since(generation.trace.received)),
        generation_ms: Some(0),
        routing: None,
        response_cache_source_id: Some(source.clone()),
        ..record::unanswered(generation, None, cancelled)
    }
}
