//! A provider's Responses answers as events: the hub's road in.
//!
//! Deltas are read as they come. What a provider never sent as deltas is read from the items when
//! they are done, so that a whole answer and a stream are read by the same code.

mod blocks;

use serde::de::IgnoredAny;
use signalbox_core::ErrorKind;

use self::blocks::Blocks;
use crate::document::Raw;
use crate::event::{Event, FinishReason};
use crate::frame::sse::{Frame, SseDecoder};
use crate::identity::{Facts, StreamFault};
use crate::openai_chat::error::read_inband;
use crate::openai_chat::stream_relay::line_of;
use crate::openai_chat::usage::read_usage;

/// Reads a provider's Responses stream.
#[derive(Debug, Default)]
pub struct ResponsesReader {
    decoder: SseDecoder,
    answer: Answer,
}

/// What was read so far.
#[derive(Debug, Default)]
pub(super) struct Answer {
    begun: bool,
    pub(super) over: bool,
    /// Whether any item was done.
    has_items: bool,
    blocks: Blocks,
    pub(super) facts: Facts,
}

impl ResponsesReader {
    /// Reads bytes and appends their events.
    ///
    /// # Errors
    /// When the answer cannot go on; then the last event is an `Error` that says the same.
    pub fn push(&mut self, bytes: &[u8], events: &mut Vec<Event>) -> Result<(), StreamFault> {
        let answer = &mut self.answer;
        let result = self.decoder.push(bytes, |frame| answer.frame(frame, events));
        self.answer.conclude(result, events)
    }

    /// The provider closed the stream.
    ///
    /// # Errors
    /// As [`Self::push`], and `Truncated` when no event said that the answer is complete.
    pub fn end(&mut self, events: &mut Vec<Event>) -> Result<(), StreamFault> {
        let answer = &mut self.answer;
        let mut result = self.decoder.end(|frame| answer.frame(frame, events));
        if result.is_ok() && !self.answer.over {
            result = Err(StreamFault::Truncated);
        }
        self.answer.conclude(result, events)
    }

    /// What was seen so far.
    #[must_use]
    pub const fn facts(&self) -> &Facts {
        &self.answer.facts
    }
}

/// Reads a whole answer that came with a success status.
///
/// # Errors
/// `InBand` when the response failed, `Malformed` when it is no response.
pub fn read_unary(body: &[u8]) -> Result<(Vec<Event>, Facts), StreamFault> {
    let text = std::str::from_utf8(body.strip_prefix(b"\xef\xbb\xbf").unwrap_or(body))
        .map_err(|error| StreamFault::Malformed(error.to_string()))?;
    check(text)?;
    let (mut answer, mut events) = (Answer::default(), Vec::new());
    let response = Raw::new(text);
    if let Some(error) = response.get("error").filter(|error| !error.is_null()) {
        return Err(in_band(error));
    }
    if response.get("output").is_none() {
        return Err(StreamFault::Malformed("a response without output".to_owned()));
    }
    answer.facts.chunks = 1;
    answer.finish(response, &mut events)?;
    Ok((events, answer.facts))
}

fn check(text: &str) -> Result<(), StreamFault> {
    serde_json::from_str::<IgnoredAny>(text)
        .map(|_| ())
        .map_err(|error| StreamFault::Malformed(error.to_string()))
}

/// The error of an `error` object, or of an event whose members are the error's.
fn in_band(error: Raw<'_>) -> StreamFault {
    let mut read = read_inband(error.text());
    if read.status.is_none() && read.kind == ErrorKind::Unmapped {
        read.kind = ErrorKind::ProviderUnavailable;
    }
    StreamFault::InBand(read)
}

impl Answer {
    fn frame(&mut self, frame: Frame<'_>, events: &mut Vec<Event>) -> Result<(), StreamFault> {
        self.frame_with(frame, |answer, raw| answer.event(raw, events))
    }

    /// Gives the event of a frame, if it is one.
    pub(super) fn frame_with(
        &mut self,
        frame: Frame<'_>,
        each: impl FnOnce(&mut Self, Raw<'_>) -> Result<(), StreamFault>,
    ) -> Result<(), StreamFault> {
        let data = match frame {
            Frame::Data { data, .. } => data,
            Frame::Stray(line) if line.starts_with(b"{") => line,
            Frame::Stray(_) | Frame::Comment(_) => return Ok(()),
        };
        if self.over || data == b"[DONE]" {
            return Ok(());
        }
        let text = line_of(data);
        check(&text)?;
        self.facts.chunks = self.facts.chunks.saturating_add(1);
        each(self, Raw::new(&text))
    }

    /// Reads an event.
    pub(super) fn event(
        &mut self,
        raw: Raw<'_>,
        events: &mut Vec<Event>,
    ) -> Result<(), StreamFault> {
        let kind = raw.get("type").and_then(Raw::string).unwrap_or_default();
        match &*kind {
            "response.completed" | "response.incomplete" | "response.failed" => {
                let response = raw.get("response").unwrap_or(raw);
                let error = response.get("error").filter(|error| !error.is_null());
                if let Some(error) = error {
                    return Err(in_band(error));
                }
                if kind == "response.failed" {
                    return Err(in_band(Raw::new("{\"message\":\"The response failed.\"}")));
                }
                self.finish(response, events)
            }
            "error" | "response.error" => {
                let inner = raw.get("error").filter(|error| !error.is_null());
                Err(in_band(inner.unwrap_or(raw)))
            }
            "" => match raw.get("error").filter(|error| !error.is_null()) {
                Some(error) => Err(in_band(error)),
                None => Ok(()),
            },
            _ => {
                if let Some(response) = raw.get("response") {
                    self.notice(response);
                }
                self.begin(events);
                if kind == "response.output_item.done" {
                    self.has_items = true;
                }
                self.blocks.event(&kind, raw, &mut self.facts, events)
            }
        }
    }

    /// Notices what a response object says about itself.
    fn notice(&mut self, response: Raw<'_>) {
        let text = |key: &str| Some(response.get(key)?.string()?.into_owned());
        self.facts.upstream_id = text("id").or_else(|| self.facts.upstream_id.take());
        self.facts.service_tier = text("service_tier").or_else(|| self.facts.service_tier.take());
    }

    fn begin(&mut self, events: &mut Vec<Event>) {
        if !std::mem::replace(&mut self.begun, true) {
            events.push(Event::Begin { upstream_id: self.facts.upstream_id.clone() });
        }
    }

    /// Reads the response object at the end.
    fn finish(&mut self, response: Raw<'_>, events: &mut Vec<Event>) -> Result<(), StreamFault> {
        self.notice(response);
        self.begin(events);
        if !self.has_items {
            for (index, (_, item)) in
                (0_u64..).zip(response.get("output").into_iter().flat_map(Raw::elements))
            {
                self.blocks.item(index, item, &mut self.facts, events)?;
            }
        }
        self.blocks.close_all(events);
        self.blocks.tell_logprobs(&mut self.facts, events);
        let usage = response.get("usage").filter(|usage| !usage.is_null());
        if let Some(usage) = usage.and_then(|usage| read_usage(usage.text())) {
            self.facts.usage = Some(usage.usage);
            self.facts.usage_plausible &= usage.plausible;
        }
        let details = response.get("incomplete_details").and_then(|raw| raw.get("reason"));
        let status = response.get("status").and_then(Raw::string).unwrap_or_default();
        let (reason, native) = match details.and_then(Raw::string) {
            Some(word) => (FinishReason::normalise(&word), word.into_owned()),
            None if status == "incomplete" => (FinishReason::Length, status.into_owned()),
            None if status == "failed" || status == "cancelled" => {
                (FinishReason::Error, status.into_owned())
            }
            None if self.facts.tool_calls > 0 => (FinishReason::ToolCalls, "completed".to_owned()),
            None => (FinishReason::Stop, "completed".to_owned()),
        };
        self.facts.finish = Some(reason);
        self.facts.native_finish = Some(native.clone());
        self.facts.done = true;
        self.over = true;
        let native = Some(native);
        events.push(Event::ChoiceEnd { choice: 0, reason, native: native.clone() });
        events.extend(self.facts.usage.map(Event::Usage));
        events.push(Event::Finish { reason, native });
        Ok(())
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
