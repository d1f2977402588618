//! Stage 8: content goes to the client as it comes; the end waits for the settlement.

use std::time::Duration;

use bytes::Bytes;
use signalbox_core::{ApiError, ErrorKind, Timeouts, limits};
use signalbox_dialect::answer::write_unary;
use signalbox_dialect::{AnswerStream, Facts, StreamFault};
use signalbox_runtime::{Timer, task};
use signalbox_upstream::{Answer, CallError};

use crate::attempt::{AnswerKind, Answering};
use crate::ending::Ending;
use crate::generation::Generation;
use crate::sink::Sink;
use crate::{cache, metadata, record, release, retrieval, settle, sticky, tool_calls};

/// Sees an answer through to its settlement.
pub(crate) async fn deliver(mut generation: Box<Generation>, answering: Answering) {
    let Answering { index, identity, kind, copy } = answering;
    match kind {
        AnswerKind::Whole(answer) => {
            let ending = Ending { index, facts: &answer.facts, cancelled: false, error: None };
            let settled = settle::settle(&mut generation, &ending).await;
            let output = settled.as_ref().map_or(0, |report| report.usage.output);
            let seen = record::success(&generation, &answer.facts, output);
            let judged = tool_calls::are_judged(&generation.given, &answer.facts);
            if !judged {
                record::observe(&generation, seen);
            }
            let style = generation.given.skin().style;
            metadata::note(&mut generation, || answer.losses(style));
            let metadata = metadata::metadata(&generation, Some(index));
            match settled {
                Ok(report) => {
                    let extras =
                        metadata::extras(&generation, index, &answer.facts, metadata.as_deref());
                    let skin = generation.given.skin();
                    let body = write_unary(skin, &answer, &identity, &report, &extras);
                    cache::keep(&generation, index, &answer.facts, copy);
                    sticky::note(&generation, index, &answer.facts);
                    generation.sink.finish(body);
                    if judged {
                        let verdict = tool_calls::verdict(&generation.given, &answer.calls());
                        record::observe(&generation, record::with_tools(seen, verdict));
                    }
                }
                Err(error) => release::fail(generation, error).await,
            }
        }
        AnswerKind::Retrieved(answer) => {
            retrieval::deliver(generation, index, &identity, &answer, copy).await;
        }
        AnswerKind::Stream { relay, ready, rest, ended, fault } => {
            let mut stream = Streaming { relay, rest, ended };
            let cut = match fault {
                None => flow(&mut generation, index, &mut stream, ready).await,
                Some(fault) => {
                    generation.sink.send(Bytes::from(ready)).await;
                    Some(Cut::Fault(reported(fault)))
                }
            };
            finish(generation, index, stream, cut).await;
        }
    }
}

/// A provider's stream on its way.
struct Streaming {
    relay: Box<AnswerStream>,
    rest: Answer,
    /// Whether the provider's body has ended.
    ended: bool,
}

impl Streaming {
    /// Whether nothing of it is still to come.
    fn is_complete(&self) -> bool {
        self.ended || self.relay.facts().done
    }
}

/// Why a stream stopped before its end.
#[derive(Debug)]
enum Cut {
    /// The provider failed: the client is told, and pays nothing.
    Fault(ApiError),
    /// The process stops: the client is told, and pays nothing.
    Stopping,
    /// Nobody reads on: what was delivered is paid.
    Left,
}

/// Passes pieces on until the provider is done, or there is nobody to pass them to.
async fn flow(
    generation: &mut Generation,
    index: usize,
    stream: &mut Streaming,
    mut out: Vec<u8>,
) -> Option<Cut> {
    let mut spent = Spent::begin(generation, index);
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
                return drain(generation, index, stream).await;
            }
            let (longest, why) = spent.patience(generation.age(), stream.relay.facts());
            patience.set(longest);
            tokio::select! {
                biased;
                chunk = stream.rest.chunk() => chunk,
                () = &mut left => { generation.sink = Sink::Gone; continue; }
                () = &mut patience => return Some(Cut::Fault(timed_out(why))),
                () = &mut stop => return Some(Cut::Stopping),
            }
        };
        if let Err(fault) = take(stream, chunk, &mut out) {
            if !out.is_empty() {
                generation.sink.send(Bytes::from(out)).await;
            }
            let impatient = spent.held_up > limits::HOLD_UP && !matches!(fault, Fault::Stream(_));
            return Some(if impatient { Cut::Left } else { Cut::Fault(fault.into()) });
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

/// What one read can go wrong with.
enum Fault {
    Call(CallError),
    Stream(StreamFault),
}

impl From<Fault> for ApiError {
    fn from(fault: Fault) -> Self {
        match fault {
            Fault::Call(error) => ApiError::new(
                ErrorKind::ProviderUnavailable,
                format!("The provider's answer broke off: {error}"),
            ),
            Fault::Stream(fault) => reported(fault),
        }
    }
}

/// Takes one read into the relay.
fn take(
    stream: &mut Streaming,
    chunk: Result<Option<Bytes>, CallError>,
    out: &mut Vec<u8>,
) -> Result<(), Fault> {
    match chunk.map_err(Fault::Call)? {
        Some(bytes) => stream.relay.push(&bytes, out).map_err(Fault::Stream),
        None => {
            stream.ended = true;
            stream.relay.end(out).map_err(Fault::Stream)
        }
    }
}

/// The client is gone. A provider that can be told to stop is told; but an answer that is complete
/// is read up to its counts, and one that will be billed in full is read to the end, within bounds.
async fn drain(generation: &Generation, index: usize, stream: &mut Streaming) -> Option<Cut> {
    let candidate = generation.given.plan.candidates.get(index);
    let abortable = candidate.is_some_and(|one| one.endpoint.can_abort);
    let complete = stream.relay.facts().finish.is_some();
    let time = match (complete, abortable) {
        (true, _) => limits::USAGE_WAIT,
        (false, true) => return Some(Cut::Left),
        (false, false) => limits::DRAIN_TIMEOUT,
    };
    let Ok(_permit) = generation.gateway.drains.clone().try_acquire_owned() else {
        return Some(Cut::Left);
    };
    let mut unread = Vec::new();
    let read = async {
        while !stream.is_complete() {
            let chunk = stream.rest.chunk().await;
            if take(stream, chunk, &mut unread).is_err() {
                return Some(Cut::Left);
            }
            unread.clear();
        }
        None
    };
    tokio::select! {
        outcome = tokio::time::timeout(time, read) => outcome.unwrap_or(Some(Cut::Left)),
        () = generation.gateway.stopping.cancelled() => Some(Cut::Left),
    }
}

/// Settles a stream, then lets the client see its end.
async fn finish(
    mut generation: Box<Generation>,
    index: usize,
    stream: Streaming,
    cut: Option<Cut>,
) {
    let Streaming { mut relay, rest, .. } = stream;
    // Closing the connection is what tells the provider to stop, so it comes before the books.
    let rest = if cut.is_none() {
        Some(rest)
    } else {
        drop(rest);
        None
    };
    let cancelled = matches!(cut, Some(Cut::Left)) || generation.sink.is_gone();
    if matches!(cut, Some(Cut::Fault(_))) {
        record::fault(&generation);
    }
    let error = match cut {
        Some(Cut::Fault(error)) => Some(error),
        Some(Cut::Stopping) => Some(stopping()),
        Some(Cut::Left) | None => None,
    };
    let recording = relay.recording();
    let facts = relay.facts();
    let ending = Ending { index, facts, cancelled, error: error.as_ref() };
    let settled = settle::settle(&mut generation, &ending).await;
    let mut seen = None;
    let mut last = match (settled, error) {
        (Ok(report), None) => {
            if !cancelled {
                seen = Some(record::success(&generation, facts, report.usage.output));
                cache::keep(&generation, index, facts, recording);
                sticky::note(&generation, index, facts);
            }
            metadata::note(&mut generation, || relay.losses());
            let metadata = metadata::metadata(&generation, Some(index));
            let extras = metadata::extras(&generation, index, facts, metadata.as_deref());
            relay.usage_chunk(&report, &extras)
        }
        (Ok(_), Some(error)) | (Err(error), _) => relay.error_chunk(&error),
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

/// Reads the end of the body, which is usually there already, so that the connection can be used
/// again.
async fn settle_connection(mut rest: Answer) {
    let read = async { while let Ok(Some(_)) = rest.chunk().await {} };
    drop(tokio::time::timeout(Duration::from_millis(250), read).await);
}

fn timed_out(why: &str) -> ApiError {
    ApiError::new(ErrorKind::Timeout, why)
}

fn stopping() -> ApiError {
    ApiError::new(ErrorKind::ProviderOverloaded, "The gateway is restarting. Please try again.")
}

/// A provider's failure as the client may see it; what concerns the operator's credential is told
/// to nobody.
fn reported(fault: StreamFault) -> ApiError {
    match fault {
        StreamFault::InBand(said) => said.for_client(false),
        other => ApiError::new(ErrorKind::ProviderUnavailable, other.to_string()),
    }
}
