//! A Responses stream for a Responses client: spliced, never re-typed.
//!
//! Every event goes through the same reading as for other clients, which counts and judges; what is
//! sent on is the provider's own text. Only response objects get our members. The last event is held
//! back: it tells the price, which is known when the answer is paid.

mod events;

use std::sync::Arc;

use signalbox_core::ApiError;

use self::events::Client;
use super::read_stream::Answer;
use super::response::Asked;
use crate::calls::Calls;
use crate::document::Raw;
use crate::event::Event;
use crate::frame::sse::{Frame, SseDecoder};
use crate::identity::{Extras, Facts, Identity, RelayOptions, StreamFault, UsageReport};

pub(super) use self::events::Own;

/// Turns a provider's Responses stream into ours.
#[derive(Debug)]
pub struct ResponsesRelay {
    decoder: SseDecoder,
    relay: Relay,
}

#[derive(Debug)]
struct Relay {
    answer: Answer,
    /// What the reading gives: nobody needs it here but for its tool calls.
    events: Vec<Event>,
    /// The tool calls, when somebody wants them.
    calls: Option<Box<Calls>>,
    client: Client,
}

impl ResponsesRelay {
    /// A relay for one answer to a request.
    #[must_use]
    pub fn new(identity: &Identity, options: RelayOptions, asked: Arc<Asked>) -> Self {
        let client = Client::new(identity, options, asked);
        let relay = Relay { answer: Answer::default(), events: Vec::new(), calls: None, client };
        Self { decoder: SseDecoder::default(), relay }
    }

    /// Reads bytes of the provider and appends what the client is to get: whole events, without
    /// comments and without the last one. Nothing comes before `response.created`.
    ///
    /// # Errors
    /// When the answer cannot go on. What came before the fault is in `out`.
    pub fn push(&mut self, bytes: &[u8], out: &mut Vec<u8>) -> Result<(), StreamFault> {
        let relay = &mut self.relay;
        self.decoder.push(bytes, |frame| relay.frame(frame, out))
    }

    /// A body that was sent to a provider, for a client that wants to see it (inference spec 3.5).
    pub fn echo(&mut self, body: &str, out: &mut Vec<u8>) {
        self.relay.client.echo(body, out);
    }

    /// The provider closed the stream.
    ///
    /// # Errors
    /// `Truncated` when no event said that the answer is complete.
    pub fn end(&mut self, out: &mut Vec<u8>) -> Result<(), StreamFault> {
        let relay = &mut self.relay;
        self.decoder.end(|frame| relay.frame(frame, out))?;
        if relay.answer.over { Ok(()) } else { Err(StreamFault::Truncated) }
    }

    /// From now on gathers the tool calls.
    pub(crate) fn gather_calls(&mut self) {
        self.relay.calls = Some(Box::default());
    }

    /// The tool calls, if they are gathered.
    pub(crate) fn calls(&self) -> Option<&Calls> {
        self.relay.calls.as_deref()
    }

    /// What was seen so far.
    #[must_use]
    pub const fn facts(&self) -> &Facts {
        &self.relay.answer.facts
    }

    /// The last event of an answer: the whole response and what it took.
    #[must_use]
    pub fn closing(&self, report: &UsageReport, extras: &Extras<'_>) -> Vec<u8> {
        self.relay.client.closing(report, extras)
    }

    /// The last event of an answer that failed after it began. An error about a length is no
    /// failure: the answer is incomplete (inference spec 4.8).
    #[must_use]
    pub fn failing(
        &self,
        error: &ApiError,
        report: Option<&UsageReport>,
        extras: &Extras<'_>,
    ) -> Vec<u8> {
        self.relay.client.failing(error, report, extras)
    }
}

impl Relay {
    fn frame(&mut self, frame: Frame<'_>, out: &mut Vec<u8>) -> Result<(), StreamFault> {
        let Self { answer, events, calls, client } = self;
        answer.frame_with(frame, |answer, raw| {
            answer.event(raw, events)?;
            if let Some(calls) = calls {
                events.iter().for_each(|event| calls.event(event));
            }
            events.clear();
            let kind = raw.get("type").and_then(Raw::string).unwrap_or_default();
            client.write(&kind, raw, out);
            Ok(())
        })
    }
}
