//! `streamGenerateContent?alt=sse` as events. There is no end marker: the answer is whole when every
//! candidate has a finish reason.

use super::answer::Answer;
use super::error::{is_json, member, read_inband};
use crate::document::Raw;
use crate::event::Event;
use crate::frame::sse::{Frame, SseDecoder};
use crate::identity::{Facts, StreamFault};
use crate::loss::Loss;

/// Most bytes of lines outside of events that are kept: a bare error is short.
const MAX_STRAY_BYTES: usize = 64 * 1024;

/// Reads a provider's stream.
#[derive(Debug, Default)]
pub struct GeminiReader {
    decoder: SseDecoder,
    answer: Answer,
    /// Lines outside of events: maybe an error over several lines.
    stray: Vec<u8>,
    over: bool,
}

impl GeminiReader {
    /// Reads bytes and appends their events.
    ///
    /// # Errors
    /// When the answer cannot go on; then the last event is an `Error` that says the same.
    pub fn push(&mut self, bytes: &[u8], events: &mut Vec<Event>) -> Result<(), StreamFault> {
        if self.over {
            return Ok(());
        }
        let (answer, stray) = (&mut self.answer, &mut self.stray);
        let result = self.decoder.push(bytes, |frame| read(answer, stray, frame, events));
        self.conclude(result, events)
    }

    /// The provider closed the stream: the rest, usage and the finish.
    ///
    /// # Errors
    /// As [`Self::push`]; `Truncated` when a candidate has not ended.
    pub fn end(&mut self, events: &mut Vec<Event>) -> Result<(), StreamFault> {
        if self.over {
            return Ok(());
        }
        let (answer, stray) = (&mut self.answer, &mut self.stray);
        let mut result = self.decoder.end(|frame| read(answer, stray, frame, events));
        if result.is_ok() {
            result = match bare_error(stray) {
                Some(fault) => Err(fault),
                None => answer.finish(events),
            };
        }
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
            self.answer.begin(events);
            self.answer.close_all(events);
            events.push(Event::Error(fault.as_error()));
        }
        result
    }
}

fn read(
    answer: &mut Answer,
    stray: &mut Vec<u8>,
    frame: Frame<'_>,
    events: &mut Vec<Event>,
) -> Result<(), StreamFault> {
    match frame {
        Frame::Data { data, .. } if data.iter().all(u8::is_ascii_whitespace) => Ok(()),
        // Proxies add the marker of another dialect.
        Frame::Data { data: b"[DONE]", .. } | Frame::Comment(_) => Ok(()),
        Frame::Data { data, .. } => {
            let text = std::str::from_utf8(data)
                .map_err(|error| StreamFault::Malformed(error.to_string()))?;
            answer.read(text, events)
        }
        Frame::Stray(line) => {
            if stray.len().saturating_add(line.len()) < MAX_STRAY_BYTES {
                stray.extend_from_slice(line);
                stray.push(b'\n');
            }
            Ok(())
        }
    }
}

/// An error that came as a plain body.
fn bare_error(stray: &[u8]) -> Option<StreamFault> {
    let text = std::str::from_utf8(stray).ok().filter(|text| is_json(text))?;
    member(Raw::new(text)).map(|error| StreamFault::InBand(read_inband(error)))
}
