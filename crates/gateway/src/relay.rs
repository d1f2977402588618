//! Stage 8: content goes to the client as it comes; the end waits for the settlement.

use std::time::Duration;

use bytes::Bytes;
use signalbox_core::{ApiError, ErrorKind, limits};
use signalbox_dialect::answer::{DONE, write_unary};
use signalbox_dialect::openai_chat::finish::FinishReason;
use signalbox_dialect::{AnswerStream, Facts, StreamFault};
use signalbox_upstream::{Answer, CallError};

use crate::attempt::{AnswerKind, Answering, options};
use crate::generation::Generation;
use crate::settle::{self, Ending};
use crate::{metadata, record};

/// Sees an answer through to its settlement.
pub(crate) async fn deliver(mut generation: Generation, answering: Answering) {
    let Answering { index, identity, kind } = answering;
    match kind {
        AnswerKind::Whole(answer) => {
            let ending = Ending { index, facts: &answer.facts, cancelled: false, error: None };
            let settled = settle::settle(&mut generation, &ending).await;
            record::success(&generation, index);
            let metadata = metadata::metadata(&generation, Some(index));
            match settled {
                Ok(report) => {
                    let extras = metadata::extras(&answer.facts, metadata.as_deref());
                    let options = options(&generation);
                    let style = generation.given.style();
                    let body = write_unary(style, &answer, &identity, &report, options, &extras);
                    generation.sink.finish(body);
                }
                Err(error) => generation.fail(error).await,
            }
        }
        AnswerKind::Stream { mut relay, ready, mut rest, ended } => {
            let fault = flow(&mut generation, index, &mut relay, ready, &mut rest, ended).await;
            finish(generation, index, *relay, fault, rest).await;
        }
    }
}

/// Why a stream stopped before its end.
#[derive(Debug)]
enum Cut {
    /// The provider failed.
    Fault(ApiError),
    /// The client left and the provider can be told to stop.
    Cancelled,
}

/// Passes pieces on until the provider is done.
async fn flow(
    generation: &mut Generation,
    index: usize,
    relay: &mut AnswerStream,
    mut out: Vec<u8>,
    rest: &mut Answer,
    mut ended: bool,
) -> Option<Cut> {
    let candidate = generation.given.plan.candidates.get(index);
    let abortable = candidate.is_some_and(|one| one.endpoint.can_abort);
    let began = generation.gateway.clock.monotonic();
    let mut drain = None;
    loop {
        if !out.is_empty() {
            generation.sink.send(Bytes::from(std::mem::take(&mut out))).await;
            out.reserve(256);
        }
        if ended || relay.facts().done {
            return None;
        }
        if generation.sink.is_gone() && drain.is_none() {
            if abortable {
                return Some(Cut::Cancelled);
            }
            // The provider bills in full, so what it says is read to the end, within bounds.
            match generation.gateway.drains.clone().try_acquire_owned() {
                Ok(permit) => drain = Some(permit),
                Err(_) => return Some(Cut::Cancelled),
            }
        }
        let spent = generation.gateway.clock.monotonic().saturating_sub(began);
        let total = if drain.is_some() { limits::DRAIN_TIMEOUT } else { limits::TOTAL_TIMEOUT };
        let wait = limits::IDLE_TIMEOUT.min(total.saturating_sub(spent));
        let chunk = tokio::select! {
            biased;
            chunk = tokio::time::timeout(wait, rest.chunk()) => chunk,
            () = generation.sink.left() => { generation.sink = crate::sink::Sink::Gone; continue; }
        };
        let pushed = match chunk {
            Err(_) => return Some(Cut::Fault(timed_out(wait))),
            Ok(Err(error)) => return Some(Cut::Fault(broken(&error))),
            Ok(Ok(Some(bytes))) => relay.push(&bytes, &mut out),
            Ok(Ok(None)) => {
                ended = true;
                relay.end(&mut out)
            }
        };
        if let Err(fault) = pushed {
            if !out.is_empty() {
                generation.sink.send(Bytes::from(out)).await;
            }
            return Some(Cut::Fault(reported(&fault)));
        }
    }
}

/// Settles a stream, then lets the client see its end.
async fn finish(
    mut generation: Generation,
    index: usize,
    relay: AnswerStream,
    cut: Option<Cut>,
    rest: Answer,
) {
    let facts: &Facts = relay.facts();
    let (cancelled, error) = match cut {
        None if facts.finish == Some(FinishReason::Error) => (false, None),
        None => (false, None),
        Some(Cut::Cancelled) => (true, None),
        Some(Cut::Fault(error)) => (false, Some(error)),
    };
    if cancelled {
        // Closing the connection is what tells the provider to stop.
        drop(rest);
        let ending = Ending { index, facts, cancelled, error: None };
        if let Err(error) = settle::settle(&mut generation, &ending).await {
            tracing::error!(%error, id = %generation.given.id, "a settlement failed");
        }
        return;
    }
    let ending = Ending { index, facts, cancelled, error: error.as_ref() };
    let settled = settle::settle(&mut generation, &ending).await;
    let metadata = metadata::metadata(&generation, Some(index));
    let mut last = match (settled, error) {
        (Ok(report), None) => {
            record::success(&generation, index);
            let extras = metadata::extras(facts, metadata.as_deref());
            relay.usage_chunk(&report, &extras)
        }
        (Ok(_), Some(error)) => {
            record::fault(&generation, index);
            relay.error_chunk(&error)
        }
        (Err(error), _) => relay.error_chunk(&error),
    };
    last.extend_from_slice(DONE);
    generation.sink.send(Bytes::from(last)).await;
    drop(generation);
    settle_connection(rest).await;
}

/// Reads the end of the body, which is usually there already, so that the connection can be used
/// again.
async fn settle_connection(mut rest: Answer) {
    let read = async { while let Ok(Some(_)) = rest.chunk().await {} };
    drop(tokio::time::timeout(Duration::from_millis(250), read).await);
}

fn timed_out(wait: Duration) -> ApiError {
    ApiError::new(ErrorKind::Timeout, format!("The provider sent nothing for {wait:?}"))
}

fn broken(error: &CallError) -> ApiError {
    ApiError::new(
        ErrorKind::ProviderUnavailable,
        format!("The provider's answer broke off: {error}"),
    )
}

fn reported(fault: &StreamFault) -> ApiError {
    match fault {
        StreamFault::InBand(said) => {
            let failure = signalbox_policy::Failure::reported(said);
            let mut error = ApiError::new(failure.kind, failure.message);
            error.provider_code = failure.code;
            error
        }
        other => ApiError::new(ErrorKind::ProviderUnavailable, other.to_string()),
    }
}
