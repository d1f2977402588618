//! Chat answers as events: the hub's road in.
//!
//! The relay first brings every provider's habits to one form (names of reasoning, finish reasons,
//! tool indexes, errors); what it wrote is then read as events. So both roads see the same facts
//! and fail alike.

mod blocks;

use std::sync::Arc;

use signalbox_core::ErrorKind;

use self::blocks::Blocks;
use super::stream_relay::StreamRelay;
use super::unary::UnaryAnswer;
use crate::ProviderError;
use crate::event::{Event, FinishReason};
use crate::identity::{Facts, StreamFault};
use crate::watch::Watch;

/// Reads a provider's chat stream.
#[derive(Debug)]
pub struct ChatReader {
    relay: StreamRelay,
    blocks: Blocks,
    begun: bool,
    over: bool,
    lines: Vec<u8>,
}

impl Default for ChatReader {
    fn default() -> Self {
        Self {
            relay: StreamRelay::surveyor(),
            blocks: Blocks::default(),
            begun: false,
            over: false,
            lines: Vec::new(),
        }
    }
}

impl ChatReader {
    /// The same reader, which also looks where the provider's row says.
    #[must_use]
    pub fn watching(mut self, watch: Option<Arc<Watch>>) -> Self {
        self.relay = self.relay.watching(watch);
        self
    }

    /// Reads bytes and appends their events.
    ///
    /// # Errors
    /// When the answer cannot go on; then the last event is an `Error` that says the same.
    pub fn push(&mut self, bytes: &[u8], events: &mut Vec<Event>) -> Result<(), StreamFault> {
        self.lines.clear();
        let result = self.relay.push(bytes, &mut self.lines);
        self.read_lines(events);
        self.conclude(result, events)
    }

    /// The provider closed the stream: the rest, usage and the finish.
    ///
    /// # Errors
    /// As [`Self::push`].
    pub fn end(&mut self, events: &mut Vec<Event>) -> Result<(), StreamFault> {
        self.lines.clear();
        let result = self.relay.end(&mut self.lines);
        self.read_lines(events);
        let result = self.conclude(result, events);
        if result.is_ok() && !self.over {
            self.over = true;
            self.begin(events);
            finish(&mut self.blocks, self.relay.facts(), events);
        }
        result
    }

    /// What was seen so far.
    #[must_use]
    pub fn facts(&self) -> &Facts {
        self.relay.facts()
    }

    /// Ends the answer for a reason that lies outside of this dialect.
    pub(crate) fn fail(
        &mut self,
        fault: StreamFault,
        events: &mut Vec<Event>,
    ) -> Result<(), StreamFault> {
        self.conclude(Err(fault), events)
    }

    fn begin(&mut self, events: &mut Vec<Event>) {
        if !std::mem::replace(&mut self.begun, true) {
            events.push(Event::Begin { upstream_id: self.relay.facts().upstream_id.clone() });
        }
    }

    fn read_lines(&mut self, events: &mut Vec<Event>) {
        let lines = std::mem::take(&mut self.lines);
        // What the relay writes is UTF-8 and has LF only between events.
        for line in std::str::from_utf8(&lines).unwrap_or_default().split_terminator("\n\n") {
            self.begin(events);
            self.blocks.read(line.strip_prefix("data: ").unwrap_or(line), "delta", events);
        }
        self.lines = lines;
    }

    fn conclude(
        &mut self,
        result: Result<(), StreamFault>,
        events: &mut Vec<Event>,
    ) -> Result<(), StreamFault> {
        if let Err(fault) = &result
            && !std::mem::replace(&mut self.over, true)
        {
            self.begin(events);
            self.blocks.close_all(events);
            events.push(Event::Error(fault.as_error()));
        }
        result
    }
}

impl StreamFault {
    /// The fault as a provider's error.
    #[must_use]
    pub fn as_error(&self) -> ProviderError {
        if let Self::InBand(error) = self {
            return error.clone();
        }
        let error = ProviderError::new(None, None, &self.to_string());
        ProviderError { kind: ErrorKind::ProviderUnavailable, ..error }
    }
}

fn finish(blocks: &mut Blocks, facts: &Facts, events: &mut Vec<Event>) {
    blocks.close_all(events);
    events.extend(facts.usage.map(Event::Usage));
    events.push(Event::Finish {
        reason: facts.finish.unwrap_or(FinishReason::Stop),
        native: facts.native_finish.clone(),
    });
}

/// Reads a whole chat answer as events.
#[must_use]
pub fn read_unary_events(answer: &UnaryAnswer) -> Vec<Event> {
    let mut events = vec![Event::Begin { upstream_id: answer.facts.upstream_id.clone() }];
    let mut blocks = Blocks::default();
    blocks.read(&answer.normal(), "message", &mut events);
    finish(&mut blocks, &answer.facts, &mut events);
    events
}
