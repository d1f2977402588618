//! Stage 8: content goes to the client as it comes; the end waits for the settlement.

mod checkpoint;
mod cut;
mod drain;

use std::time::Duration;

use bytes::Bytes;
use signalbox_core::{ApiError, Timeouts, limits};
use signalbox_dialect::answer::write_unary;
use signalbox_dialect::{AnswerStream, Facts, Identity, UsageReport, WholeAnswer};
use signalbox_runtime::{Timer, task};
use signalbox_upstream::{Answer, CallError};

use self::checkpoint::Checkpoints;
use self::cut::{Cut, Fault};
use self::drain::{Streaming, take};
use crate::attempt::{AnswerKind, Answering};
use crate::ending::Ending;
use crate::exit::Exit;
use crate::failpoint::{self, Failpoint};
use crate::generation::Generation;
use crate::sink::Sink;
use crate::{cache, metadata, record, release, retrieval, settle, sticky, tool_calls};

/// Sees an answer through to its settlement.
pub(crate) async fn deliver(mut generation: Box<Generation>, answering: Answering) {
    let Answering { index, identity, kind, copy } = answering;
    match kind {
        AnswerKind::Whole(answer) => whole(generation, index, &identity, answer, copy).await,
        AnswerKind::Retrieved(answer) => {
            retrieval::deliver(generation, index, &identity, &answer, copy).await;
        }
        AnswerKind::Stream { relay, ready, rest, ended, fault } => {
            let mut stream = Streaming { relay, rest, ended };
            let cut = match fault {
                None => flow(&mut generation, index, &mut stream, ready).await,
                Some(fault) => {
                    generation.sink.send(Bytes::from(ready)).await;
                    Some(Cut::of(fault))
                }
            };
            finish(generation, index, stream, cut).await;
        }
    }
}

/// Settles an answer in one piece, then lets the client see it. It is written before it is paid, so
/// that what can't be written is not charged.
async fn whole(
    mut generation: Box<Generation>,
    index: usize,
    identity: &Identity,
    answer: WholeAnswer,
    copy: Option<Bytes>,
) {
    let ending = Ending { index, facts: &answer.facts, cancelled: false, error: None };
    let priced = settle::priced(&mut generation, &ending);
    let output = priced.as_ref().map_or(0, |one| one.report.usage.output);
    let seen = record::success(&generation, &answer.facts, output);
    let judged = tool_calls::are_judged(&generation.given, &answer.facts);
    if !judged {
        record::observe(&generation, seen);
    }
    let style = generation.given.skin().style;
    metadata::note(&mut generation, || answer.losses(style));
    let metadata = metadata::metadata(&generation, Some(index));
    let settled = match priced {
        Ok(priced) => {
            failpoint::reached(Failpoint::Encode, &generation.given);
            let extras = metadata::extras(&generation, index, &answer.facts, metadata.as_deref());
            let skin = generation.given.skin();
            let body = write_unary(skin, &answer, identity, &priced.report, &extras);
            settle::post(&mut generation, priced).await.map(|()| body)
        }
        Err(error) => Err(error),
    };
    match settled {
        Ok(body) => {
            generation.gateway.exits.note(Exit::Answered);
            cache::keep(&generation, index, &answer.facts, copy);
            sticky::note(&generation, index, &answer.facts);
            generation.sink.finish(body);
            if judged {
                let verdict = tool_calls::verdict(&generation.given, &answer.calls());
                record::observe(&generation, record::with_tools(seen, verdict));
            }
        }
        Err(error) => release::fail(generation, error, Exit::Unsettled).await,
    }
}

/// Passes pieces on until the provider is done, or there is nobody to pass them to.
async fn flow(
    generation: &mut Generation,
    index: usize,
    stream: &mut Streaming,
    mut out: Vec<u8>,
) -> Option<Cut> {
    let mut spent = Spent::begin(generation, index);
    let mut checkpoints = Checkpoints::begin(generation);
    let mut patience = Timer::new(spent.timeouts.idle);
    let client = generation.sink.client();
    let mut left = Box::pin(client.left());
    let stopping = generation.gateway.stopping.clone();
    let mut stop = Box::pin(stopping.cancelled());
    loop {
        let chunk = if let Some(chunk) = more(stream, &out).await {
            chunk
        } else {
            if !out.is_empty() {
                let size = out.len();
                let held_up = pass_on(generation, &mut out).await;
                spent.held_up = spent.held_up.saturating_add(held_up);
                generation.trace.held_up = spent.held_up;
                out.reserve(size);
            }
            if stream.is_complete() {
                return None;
            }
            if generation.sink.is_gone() {
                return drain::drain(generation, index, stream, &mut checkpoints).await;
            }
            let age = generation.age();
            checkpoints.look(generation, index, stream.relay.facts(), age);
            let (longest, why) = spent.patience(age, stream.relay.facts());
            patience.set(longest);
            tokio::select! {
                biased;
                chunk = stream.rest.chunk() => chunk,
                () = &mut left => { generation.sink = Sink::Gone; continue; }
                () = &mut patience => return Some(Cut::timed_out(why)),
                () = &mut stop => return Some(Cut::Stopping),
            }
        };
        failpoint::reached(Failpoint::Relay, &generation.given);
        if let Err(fault) = take(stream, chunk, &mut out) {
            if !out.is_empty() {
                generation.sink.send(Bytes::from(out)).await;
            }
            let impatient = spent.held_up > limits::HOLD_UP && !matches!(fault, Fault::Stream(_));
            return Some(if impatient { Cut::Left } else { fault.into() });
        }
    }
}

/// What has arrived already, so that a burst is passed on as one piece.
async fn more(stream: &mut Streaming, out: &[u8]) -> Option<Result<Option<Bytes>, CallError>> {
    let room = !out.is_empty() && out.len() < limits::BURST_BYTES;
    if !room || stream.is_complete() {
        return None;
    }
    task::soon(stream.rest.chunk()).await
}

/// Hands a piece to the client's side and gives the time that the client let it wait.
async fn pass_on(generation: &mut Generation, out: &mut Vec<u8>) -> Duration {
    let Some(piece) = generation.sink.offer(Bytes::from(std::mem::take(out))) else {
        return Duration::ZERO;
    };
    let began = generation.gateway.clock.monotonic();
    generation.sink.send(piece).await;
    generation.gateway.clock.monotonic().saturating_sub(began)
}

/// Where a stream's time went.
struct Spent {
    timeouts: Timeouts,
    /// In waiting for the client: that is not the provider's.
    held_up: Duration,
    /// What of the answer there was, and when it last became more.
    seen: (u64, u32, bool),
    progress_at: Duration,
}

impl Spent {
    fn begin(generation: &Generation, index: usize) -> Self {
        let candidate = generation.given.plan.candidates.get(index);
        let timeouts = generation.gateway.timeouts(candidate);
        let (held_up, progress_at) = (Duration::ZERO, generation.age());
        Self { timeouts, held_up, seen: (0, 0, false), progress_at }
    }

    /// How long the provider may be silent now, and what it has failed at when it is.
    fn patience(&mut self, age: Duration, facts: &Facts) -> (Duration, &'static str) {
        let own = age.saturating_sub(self.held_up);
        let seen = (facts.output_bytes, facts.tool_calls, facts.finish.is_some());
        if seen != self.seen {
            (self.seen, self.progress_at) = (seen, own);
        }
        let Timeouts { idle, progress, stream_total, .. } = self.timeouts;
        let progress = progress.saturating_sub(own.saturating_sub(self.progress_at));
        let total = stream_total.saturating_sub(own);
        if total <= idle && total <= progress {
            (total, "The answer took too long")
        } else if progress <= idle {
            (progress, "The provider sent nothing new for too long")
        } else {
            (idle, "The provider stopped sending")
        }
    }
}

/// Settles a stream, then lets the client see its end. The end is written before it is paid, so that
/// what can't be written is not charged.
async fn finish(
    mut generation: Box<Generation>,
    index: usize,
    stream: Streaming,
    cut: Option<Cut>,
) {
    let Streaming { mut relay, rest, .. } = stream;
    let gone = generation.sink.is_gone();
    // Closing the connection is what tells the provider to stop, so it comes before the books. It is
    // worth keeping after an answer that came to its end.
    let rest = if cut.is_none() && !gone { Some(rest) } else { close(rest) };
    if matches!(cut, Some(Cut::Fault(..))) {
        record::fault(&generation);
    }
    let exit = cut.as_ref().map_or(Exit::Answered, Cut::exit);
    let cancelled = gone || matches!(cut, Some(Cut::Left));
    let error = cut.and_then(Cut::error);
    let recording = relay.recording();
    let facts = relay.facts();
    let ending = Ending { index, facts, cancelled, error: error.as_ref() };
    let priced = settle::priced(&mut generation, &ending);
    let output = priced.as_ref().map_or(0, |one| one.report.usage.output);
    let complete = error.is_none() && !cancelled;
    let mut seen = complete.then(|| record::success(&generation, facts, output));
    let settled = match priced {
        Ok(priced) => {
            let last = last(&mut generation, index, &relay, &priced.report, error.as_ref());
            settle::post(&mut generation, priced).await.map(|()| last)
        }
        Err(error) => Err(error),
    };
    let mut last = match settled {
        Ok(last) => {
            generation.gateway.exits.note(exit);
            if seen.is_some() {
                cache::keep(&generation, index, facts, recording);
                sticky::note(&generation, index, facts);
            }
            last
        }
        Err(error) => {
            seen = None;
            release::unsettled(&mut generation, &error).await;
            relay.error_chunk(&error)
        }
    };
    last.extend_from_slice(generation.given.skin().style.end_marker());
    let judged = tool_calls::are_judged(&generation.given, facts);
    if let Some(seen) = seen.filter(|_| !judged) {
        record::observe(&generation, seen);
    }
    generation.sink.end(Bytes::from(last)).await;
    if let Some(seen) = seen.filter(|_| judged) {
        let verdict = relay.calls().and_then(|calls| tool_calls::verdict(&generation.given, calls));
        record::observe(&generation, record::with_tools(seen, verdict));
    }
    drop(generation);
    if let Some(rest) = rest {
        settle_connection(rest).await;
    }
}

/// Closes a provider's connection.
fn close(rest: Answer) -> Option<Answer> {
    drop(rest);
    None
}

/// The events that end a stream: its usage, or its error.
fn last(
    generation: &mut Generation,
    index: usize,
    relay: &AnswerStream,
    report: &UsageReport,
    error: Option<&ApiError>,
) -> Vec<u8> {
    failpoint::reached(Failpoint::Encode, &generation.given);
    if let Some(error) = error {
        return relay.error_chunk(error);
    }
    metadata::note(generation, || relay.losses());
    let metadata = metadata::metadata(generation, Some(index));
    let extras = metadata::extras(generation, index, relay.facts(), metadata.as_deref());
    relay.usage_chunk(report, &extras)
}

/// How long the end of a body may take after the end of its answer.
const LINGER: Duration = Duration::from_millis(100);

/// Reads the end of the body, which is usually there already, so that the connection can be used
/// again.
async fn settle_connection(mut rest: Answer) {
    let read = async { while let Ok(Some(_)) = rest.chunk().await {} };
    drop(tokio::time::timeout(LINGER, read).await);
}
