//! Stage 7: one try at one endpoint, up to its first content. It depends on nobody who waits for it:
//! dropped, it closes its connection.

use std::pin::Pin;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use signalbox_core::{Timeouts, Timestamp, Usage, limits};
use signalbox_dialect::answer::read_watching;
use signalbox_dialect::loss::Loss;
use signalbox_dialect::outbound::read_error;
use signalbox_dialect::{AnswerStream, Facts, Identity, StreamFault, WholeAnswer, WireDialect};
use signalbox_policy::{Candidate, Failure};
use signalbox_upstream::{Answer, Call, CallError, Limits};

use crate::failpoint::{self, Failpoint};
use crate::gateway::Gateway;
use crate::generation::Given;
use crate::prepare::{self, Prepared};
use crate::reserve::Bound;
use crate::retrieval::{self, Retrieved};
use crate::sink::Client;
use crate::world::Road;
use crate::{cache, tool_calls};

/// All that one try needs.
pub(crate) struct Job {
    pub gateway: Arc<Gateway>,
    pub given: Arc<Given>,
    /// The candidate's place in the plan.
    pub index: usize,
    /// The most that it may consume.
    pub bound: Option<Bound>,
    /// When it was let in.
    pub sent: Timestamp,
    /// The time that the whole request has left.
    pub left: Duration,
    /// The bodies of earlier attempts, when the client wants to see them.
    pub echoes: Vec<Bytes>,
    pub client: Client,
}

/// What came of a try.
pub(crate) struct Tried {
    pub result: Result<Started, Box<Lost>>,
    /// What of the request the body could not carry.
    pub losses: Vec<Loss>,
    /// The body, when the client wants to see it.
    pub echo: Option<Bytes>,
}

/// A failed try, and what the provider said that it consumed.
#[derive(Debug)]
pub(crate) struct Lost {
    pub failure: Failure,
    pub usage: Option<Usage>,
    pub upstream_id: Option<String>,
}

impl From<Failure> for Lost {
    fn from(failure: Failure) -> Self {
        Self { failure, usage: None, upstream_id: None }
    }
}

impl From<Failure> for Box<Lost> {
    fn from(failure: Failure) -> Self {
        Self::new(failure.into())
    }
}

impl Lost {
    /// After part of an answer.
    fn after(facts: &Facts, failure: Failure) -> Box<Self> {
        let usage = facts.usage.filter(|_| facts.usage_plausible);
        Box::new(Self { failure, usage, upstream_id: facts.upstream_id.clone() })
    }
}

/// A try that did not fail.
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

/// How long this try may take for what.
#[derive(Debug, Clone, Copy)]
struct Patience {
    limits: Limits,
    /// For the head of the answer.
    head: Duration,
    /// For the first content, or the whole answer in one piece.
    content: Duration,
    /// For silence in between.
    idle: Duration,
}

/// Widens the limit for headers where answers usually come late, as published.
const USUALLY: f64 = 3.0;

impl Patience {
    fn of(timeouts: &Timeouts, candidate: &Candidate, streamed: bool, left: Duration) -> Self {
        let limits = Limits::of(timeouts);
        if !streamed {
            return Self { limits, head: left, content: left, idle: timeouts.idle };
        }
        if candidate.model.reasoning.is_some() {
            // Nobody says anything while thinking.
            let content = timeouts.first_content_thinking.min(left);
            return Self { limits, head: content, content, idle: content };
        }
        let content = timeouts.first_content.min(left);
        let published = candidate.endpoint.perf_30m.map_or(0.0, |perf| perf.latency.p99);
        let usual = Duration::try_from_secs_f64(published.max(0.0) * USUALLY / 1_000.0);
        let head = timeouts.headers.max(usual.unwrap_or_default()).min(content);
        Self { limits, head, content, idle: timeouts.idle }
    }
}

pub(crate) async fn attempt(job: Job) -> Tried {
    let mut tried = Tried { result: Ok(Started::ClientLeft), losses: Vec::new(), echo: None };
    tried.result = match job.given.resolved.retrieval.clone() {
        Some(retrieval) => retrieval::attempt(&job, &retrieval, &mut tried.losses).await,
        None => converse(&job, &mut tried).await,
    };
    tried
}

impl Job {
    pub(crate) fn candidate(&self) -> Result<&Candidate, Failure> {
        let candidate = self.given.plan.candidates.get(self.index);
        candidate.ok_or_else(|| Failure::unsent("no such candidate"))
    }

    pub(crate) fn timeouts(&self) -> Timeouts {
        self.gateway.timeouts(self.given.plan.candidates.get(self.index))
    }
}

async fn converse(job: &Job, tried: &mut Tried) -> Result<Started, Box<Lost>> {
    let (given, candidate) = (&job.given, job.candidate()?);
    let road = &*given.road(candidate)?;
    let bound = job.bound.as_ref();
    let bound = bound.ok_or_else(|| Failure::unsent("the candidate has no bound"))?;
    failpoint::reached(Failpoint::Prepare, given);
    let Prepared { body, headers, losses } = prepare::body(given.said(), candidate, bound, road)?;
    tried.losses = losses;
    if given.resolved.survey.echo_upstream_body {
        tried.echo = Some(body.clone().whole());
    }
    let streamed = given.resolved.survey.stream;
    let patience = Patience::of(&job.timeouts(), candidate, streamed, job.left);
    let clock = &job.gateway.clock;
    let began = clock.monotonic();
    let call = Call {
        model: road.target.model(&candidate.endpoint.provider_model_id),
        region: candidate.endpoint.region.as_deref(),
        stream: streamed,
        headers: &headers,
        body: body.into_vec(),
        now: job.sent,
    };
    let call = job.gateway.client.post(&road.target, call, patience.limits, patience.head);
    let mut given_up = std::pin::pin!(given_up(job, candidate.endpoint.can_abort));
    let answer = tokio::select! {
        biased;
        answer = call => answer.map_err(failed_call)?,
        () = &mut given_up => return Ok(Started::ClientLeft),
    };
    if !answer.status.is_success() {
        return Err(refused(job, road.errors(), answer).await.into());
    }
    let left = patience.content.saturating_sub(clock.monotonic().saturating_sub(began));
    let identity = given.identity(Some(job.index), given.received.seconds());
    let mut copy = None;
    let kind = if streamed {
        let skin = given.skin().clone();
        let relay =
            AnswerStream::watching(skin, road.dialect, identity.clone(), road.watch.clone());
        let gathers = tool_calls::are_possible(given);
        let relay = if gathers { relay.gathering_calls() } else { relay };
        let relay = if road.is_invoke { relay.in_envelope() } else { relay };
        let relay = Box::new(cache::recorded(given, relay));
        let mut reading = Reading { relay, answer, ready: Vec::with_capacity(1024) };
        for sent in job.echoes.iter().chain(&tried.echo) {
            reading.relay.echo(sent, &mut reading.ready);
        }
        match first_content(job, reading, patience, left, given_up).await? {
            None => return Ok(Started::ClientLeft),
            Some(kind) => kind,
        }
    } else {
        let body = answer.collect(limits::MAX_ANSWER_BYTES, left, patience.idle).await;
        let body = body.map_err(failed_call)?;
        copy = cache::copy(given, &body);
        failpoint::reached(Failpoint::Translate, given);
        AnswerKind::Whole(whole(road, body)?)
    };
    Ok(Started::Answer(Box::new(Answering { index: job.index, identity, kind, copy })))
}

pub(crate) fn failed_call(error: CallError) -> Failure {
    let said = error.to_string();
    match error {
        CallError::Timeout(_) | CallError::Stalled(_) | CallError::Silent(_) => {
            Failure::timeout(said)
        }
        CallError::Connect => Failure::unreachable(said),
        CallError::Address(_) | CallError::Credential(_) | CallError::OutOfReach => {
            Failure::unsent(said)
        }
        CallError::Broken | CallError::TooLarge(_) => Failure::unavailable(said),
    }
}

async fn refused(job: &Job, dialect: WireDialect, answer: Answer) -> Failure {
    let status = answer.status.as_u16();
    let retry_after = answer.retry_after(job.gateway.clock.now());
    let text = answer.excerpt(limits::MAX_ERROR_BYTES, Duration::from_secs(5)).await;
    let mut error = read_error(dialect, status, &text);
    error.retry_after = retry_after;
    Failure::reported(&error)
}

/// A stream that has no content yet.
struct Reading {
    relay: Box<AnswerStream>,
    answer: Answer,
    ready: Vec<u8>,
}

/// Ends when the client has left and the answer is not read on for the bill: its provider can be told
/// to stop, or too many are read on already.
async fn given_up(job: &Job, abortable: bool) {
    job.client.left().await;
    if !abortable && let Ok(_permit) = job.gateway.drains.clone().try_acquire_owned() {
        // Held until there is content, or a failure.
        std::future::pending::<()>().await;
    }
}

/// Reads until there is content for the client. `None`: it was given up first.
async fn first_content(
    job: &Job,
    mut reading: Reading,
    patience: Patience,
    left: Duration,
    mut given_up: Pin<&mut impl Future<Output = ()>>,
) -> Result<Option<AnswerKind>, Box<Lost>> {
    let mut deadline = std::pin::pin!(tokio::time::sleep(left));
    loop {
        let late = |facts: &Facts| {
            let failure = Failure::timeout(format!("no content within {:?}", patience.content));
            Lost::after(facts, failure)
        };
        let chunk = tokio::select! {
            biased;
            chunk = reading.answer.chunk_within(patience.idle) => chunk,
            () = &mut deadline => return Err(late(reading.relay.facts())),
            () = &mut given_up => return Ok(None),
        };
        let chunk =
            chunk.map_err(|error| Lost::after(reading.relay.facts(), failed_call(error)))?;
        failpoint::reached(Failpoint::Translate, &job.given);
        let Reading { relay, ready, .. } = &mut reading;
        let ended = chunk.is_none();
        let pushed = match chunk {
            Some(bytes) => relay.push(&bytes, ready),
            None => relay.end(ready),
        };
        let facts = relay.facts();
        let fault = match pushed {
            Err(fault) if !facts.content_seen => return Err(Lost::after(facts, failed(&fault))),
            other => other.err(),
        };
        if facts.content_seen || facts.done || ended {
            if !facts.content_seen && facts.finish.is_none() {
                return Err(Lost::after(facts, Failure::unavailable("the answer was empty")));
            }
            let Reading { relay, answer, ready } = reading;
            return Ok(Some(AnswerKind::Stream { relay, ready, rest: answer, ended, fault }));
        }
        if ready.len() > limits::MAX_READY_BYTES {
            return Err(Lost::after(facts, Failure::unavailable("the answer has no content")));
        }
    }
}

fn whole(road: &Road, body: Bytes) -> Result<WholeAnswer, Box<Lost>> {
    let answer =
        read_watching(road.dialect, body, road.watch.clone()).map_err(|fault| failed(&fault))?;
    if !answer.facts.content_seen && answer.facts.finish.is_none() {
        return Err(Lost::after(&answer.facts, Failure::unavailable("the answer was empty")));
    }
    Ok(answer)
}

/// A fault in an answer, before any content.
pub(crate) fn failed(fault: &StreamFault) -> Failure {
    match fault {
        StreamFault::InBand(error) => Failure::inside(error),
        other => Failure::unavailable(other.to_string()),
    }
}
