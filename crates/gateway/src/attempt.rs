//! Stage 7: one try at one endpoint, up to its first content.

use std::time::Duration;

use bytes::Bytes;
use signalbox_core::limits;
use signalbox_dialect::answer::read_watching;
use signalbox_dialect::outbound::read_error;
use signalbox_dialect::{AnswerStream, Identity, StreamFault, WholeAnswer, WireDialect};
use signalbox_policy::{Candidate, Failure};
use signalbox_upstream::{Answer, Call, CallError};

use crate::cache;
use crate::generation::Generation;
use crate::prepare::{self, Prepared};
use crate::retrieval::{self, Retrieved};
use crate::world::Road;

/// An attempt that did not fail.
#[derive(Debug)]
pub(crate) enum Started {
    /// There is content, or a complete answer.
    Answer(Box<Answering>),
    /// The client left while waiting for content, and the provider was told to stop.
    ClientLeft,
}

/// A provider that is answering.
#[derive(Debug)]
pub(crate) struct Answering {
    /// The candidate's place in the plan.
    pub index: usize,
    /// What the answer says about itself.
    pub identity: Identity,
    /// The answer so far.
    pub kind: AnswerKind,
    /// What the provider sent, when it came in one piece and is to be kept.
    pub copy: Option<Bytes>,
}

/// How it is answering.
#[derive(Debug)]
pub(crate) enum AnswerKind {
    /// All at once.
    Whole(WholeAnswer),
    /// All at once, to a request that is no conversation.
    Retrieved(Retrieved),
    /// In pieces: what is ready for the client, and where the rest comes from.
    Stream {
        relay: Box<AnswerStream>,
        ready: Vec<u8>,
        rest: Answer,
        /// Whether the provider's body has already ended.
        ended: bool,
        /// What went wrong right after the first content.
        fault: Option<StreamFault>,
    },
}

/// Time to first content for models that think first.
const REASONING_FACTOR: u32 = 6;

pub(crate) async fn attempt(
    generation: &mut Generation,
    index: usize,
    candidate: &Candidate,
) -> Result<Started, Failure> {
    if let Some(retrieval) = generation.given.resolved.retrieval.clone() {
        return retrieval::attempt(generation, &retrieval, index, candidate).await;
    }
    let given = &generation.given;
    let road = given.world.road(&candidate.endpoint);
    let road = road.ok_or_else(|| Failure::unavailable("the provider is not set up"))?;
    let bound = generation.bounds.get(index);
    let bound = bound.ok_or_else(|| Failure::unavailable("the candidate has no bound"))?;
    let Prepared { body, headers, losses } = prepare::body(given.said(), candidate, bound, road)?;
    generation.trace.losses = losses;
    if given.resolved.survey.echo_upstream_body {
        generation.trace.echoes.push(body.clone());
    }
    let streamed = given.resolved.survey.stream;
    let left = limits::TOTAL_TIMEOUT.saturating_sub(generation.age());
    if left.is_zero() {
        return Err(Failure::timeout("the request took too long"));
    }
    let patience = patience(candidate, streamed).min(left);
    let began = generation.gateway.clock.monotonic();
    generation.trace.sent = generation.gateway.clock.now();
    let call = Call {
        model: &candidate.endpoint.provider_model_id,
        region: candidate.endpoint.region.as_deref(),
        stream: streamed,
        headers: &headers,
        body,
        now: generation.trace.sent,
    };
    let call = generation.gateway.client.post(&road.target, call, patience);
    let abortable = candidate.endpoint.can_abort;
    let answer = tokio::select! {
        biased;
        answer = call => answer.map_err(failed_call)?,
        () = generation.sink.left(), if abortable => return Ok(Started::ClientLeft),
    };
    if !answer.status.is_success() {
        return Err(refused(generation, road.errors(), answer).await);
    }
    let created = generation.trace.received.seconds();
    let identity = given.identity(Some(index), created);
    let spent = generation.gateway.clock.monotonic().saturating_sub(began);
    let left = patience.saturating_sub(spent);
    let mut copy = None;
    let kind = if streamed {
        let skin = given.skin().clone();
        let relay =
            AnswerStream::watching(skin, road.dialect, identity.clone(), road.watch.clone());
        let relay = if road.is_invoke { relay.in_envelope() } else { relay };
        let relay = Box::new(cache::recorded(given, relay));
        let content = first_content(generation, relay, answer, abortable);
        match tokio::time::timeout(left, content).await {
            Err(_) => return Err(Failure::timeout(format!("no content within {patience:?}"))),
            Ok(Err(failure)) => return Err(failure),
            Ok(Ok(None)) => return Ok(Started::ClientLeft),
            Ok(Ok(Some(kind))) => kind,
        }
    } else {
        let body = answer.collect(limits::MAX_ANSWER_BYTES, left).await.map_err(failed_call)?;
        copy = cache::copy(given, &body);
        AnswerKind::Whole(whole(road, body)?)
    };
    generation.trace.content(generation.gateway.clock.now());
    Ok(Started::Answer(Box::new(Answering { index, identity, kind, copy })))
}

/// How long to wait for the first content; for an answer in one piece, for all of it.
fn patience(candidate: &Candidate, streamed: bool) -> Duration {
    if !streamed {
        return limits::TOTAL_TIMEOUT;
    }
    let thinks = candidate.model.reasoning.is_some();
    limits::FIRST_CONTENT_TIMEOUT * if thinks { REASONING_FACTOR } else { 1 }
}

pub(crate) fn failed_call(error: CallError) -> Failure {
    match error {
        CallError::Timeout(_) => Failure::timeout(error.to_string()),
        other => Failure::unavailable(other.to_string()),
    }
}

async fn refused(generation: &Generation, dialect: WireDialect, answer: Answer) -> Failure {
    let status = answer.status.as_u16();
    let retry_after = answer.retry_after(generation.gateway.clock.now());
    let text = answer.excerpt(limits::MAX_ERROR_BYTES, Duration::from_secs(5)).await;
    let mut error = read_error(dialect, status, &text);
    error.retry_after = retry_after;
    Failure::reported(&error)
}

/// Reads until there is content for the client. `None`: the client left first.
async fn first_content(
    generation: &Generation,
    mut relay: Box<AnswerStream>,
    mut answer: Answer,
    abortable: bool,
) -> Result<Option<AnswerKind>, Failure> {
    let mut ready = Vec::with_capacity(1024);
    for sent in &generation.trace.echoes {
        relay.echo(sent, &mut ready);
    }
    let mut left = std::pin::pin!(generation.sink.left());
    loop {
        let chunk = tokio::select! {
            biased;
            chunk = answer.chunk() => chunk.map_err(failed_call)?,
            () = &mut left, if abortable => return Ok(None),
        };
        let ended = chunk.is_none();
        let pushed = match chunk {
            Some(bytes) => relay.push(&bytes, &mut ready),
            None => relay.end(&mut ready),
        };
        let facts = relay.facts();
        let fault = match pushed {
            Err(fault) if !facts.content_seen => return Err(failed(&fault)),
            other => other.err(),
        };
        if facts.content_seen || facts.done || ended {
            if !facts.content_seen && facts.finish.is_none() {
                return Err(Failure::unavailable("the answer was empty"));
            }
            return Ok(Some(AnswerKind::Stream { relay, ready, rest: answer, ended, fault }));
        }
        if ready.len() > limits::MAX_READY_BYTES {
            return Err(Failure::unavailable("the answer has no content"));
        }
    }
}

fn whole(road: &Road, body: Bytes) -> Result<WholeAnswer, Failure> {
    let answer =
        read_watching(road.dialect, body, road.watch.clone()).map_err(|fault| failed(&fault))?;
    if !answer.facts.content_seen && answer.facts.finish.is_none() {
        return Err(Failure::unavailable("the answer was empty"));
    }
    Ok(answer)
}

/// A fault in an answer, before any content.
pub(crate) fn failed(fault: &StreamFault) -> Failure {
    match fault {
        StreamFault::InBand(error) => Failure::reported(error),
        other => Failure::unavailable(other.to_string()),
    }
}
