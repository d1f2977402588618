//! `converse-stream` as events.

use super::answer::Answer;
use super::error::read_fault;
use crate::document::{Kind, Raw};
use crate::event::Event;
use crate::frame::event_stream::{EventStreamDecoder, Message, MessageKind};
use crate::identity::{Facts, StreamFault};
use crate::loss::Loss;
use crate::scan::is_json;

/// Reads a provider's stream.
#[derive(Debug, Default)]
pub struct ConverseReader {
    decoder: EventStreamDecoder,
    answer: Answer,
    over: bool,
}

impl ConverseReader {
    /// Reads bytes of the binary stream and appends their events.
    ///
    /// # Errors
    /// When the answer cannot go on; then the last event is an `Error` that says the same.
    pub fn push(&mut self, bytes: &[u8], events: &mut Vec<Event>) -> Result<(), StreamFault> {
        if self.over {
            return Ok(());
        }
        let answer = &mut self.answer;
        let result = self.decoder.push(bytes, |message| read(answer, &message, events));
        self.conclude(result, events)
    }

    /// The provider closed the stream: usage and the finish.
    ///
    /// # Errors
    /// As [`Self::push`]; `Truncated` when the answer has not ended.
    pub fn end(&mut self, events: &mut Vec<Event>) -> Result<(), StreamFault> {
        if self.over {
            return Ok(());
        }
        let mut result = Ok(());
        // After the counts nothing matters, not even half a message.
        if !self.answer.facts.done {
            result = self.decoder.end().map_err(StreamFault::from);
        }
        let result = result.and_then(|()| self.answer.finish(events));
        let result = self.conclude(result, events);
        self.over = true;
        result
    }

    /// What was seen so far.
    #[must_use]
    pub const fn facts(&self) -> &Facts {
        &self.answer.facts
    }

    /// What of the answer has no place in events.
    #[must_use]
    pub fn losses(&self) -> &[Loss] {
        &self.answer.losses
    }

    fn conclude(
        &mut self,
        result: Result<(), StreamFault>,
        events: &mut Vec<Event>,
    ) -> Result<(), StreamFault> {
        if let Err(fault) = &result {
            self.over = true;
            self.answer.break_off(events);
            events.push(Event::Error(fault.as_error()));
        }
        result
    }
}

fn read(
    answer: &mut Answer,
    message: &Message<'_>,
    events: &mut Vec<Event>,
) -> Result<(), StreamFault> {
    if answer.facts.done {
        return Ok(());
    }
    let name = match message.kind() {
        MessageKind::Event(name) => name,
        MessageKind::Exception(_) | MessageKind::Error { .. } => return Err(read_fault(message)),
        MessageKind::Other => return Ok(()),
    };
    let text = std::str::from_utf8(message.payload).ok().filter(|text| is_json(text));
    let raw = text.map(Raw::new).filter(|raw| raw.kind() == Kind::Object);
    let raw = raw.ok_or_else(|| StreamFault::Malformed("an event is no object".to_owned()))?;
    answer.facts.chunks = answer.facts.chunks.saturating_add(1);
    answer.event(name, raw, events)
}
