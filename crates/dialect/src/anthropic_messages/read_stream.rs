//! A Messages answer as events, streamed or whole.
//!
//! Beside the blocks of the event vocabulary there may be blocks `Opaque` under the names
//! `citations`, `stop_sequence`, `stop_details`, and under the type of any block that this
//! vocabulary has no word for (server tools and their results).

mod blocks;

use serde::de::IgnoredAny;

use self::blocks::Blocks;
use super::read_error::read_inband;
use super::read_usage::Counts;
use crate::document::{Kind, Raw};
use crate::event::{Event, FinishReason};
use crate::frame::sse::{Frame, SseDecoder};
use crate::identity::{Facts, StreamFault};
use crate::openai_chat::stream_relay::line_of;

/// Reads a provider's Messages stream.
#[derive(Debug, Default)]
pub struct MessagesReader {
    decoder: SseDecoder,
    answer: Answer,
    over: bool,
}

/// What is known of an answer so far.
#[derive(Debug, Default)]
pub(super) struct Answer {
    pub(super) facts: Facts,
    blocks: Blocks,
    counts: Counts,
    begun: bool,
    /// The reason to stop was told.
    pub(super) ended: bool,
}

impl MessagesReader {
    /// Reads bytes and appends their events.
    ///
    /// # Errors
    /// When the answer cannot go on; then the last event is an `Error` that says the same.
    pub fn push(&mut self, bytes: &[u8], events: &mut Vec<Event>) -> Result<(), StreamFault> {
        let answer = &mut self.answer;
        let result = self.decoder.push(bytes, |frame| answer.frame(frame, events));
        self.conclude(result, events)
    }

    /// The provider closed the stream: the rest, usage and the finish.
    ///
    /// # Errors
    /// As [`Self::push`], and `Truncated` when the answer was not complete.
    pub fn end(&mut self, events: &mut Vec<Event>) -> Result<(), StreamFault> {
        let answer = &mut self.answer;
        let mut result = self.decoder.end(|frame| answer.frame(frame, events));
        if result.is_ok() && !answer.facts.done && !answer.ended {
            result = Err(StreamFault::Truncated);
        }
        let result = self.conclude(result, events);
        if result.is_ok() && !std::mem::replace(&mut self.over, true) {
            self.answer.finish(events);
        }
        result
    }

    /// What was seen so far.
    #[must_use]
    pub const fn facts(&self) -> &Facts {
        &self.answer.facts
    }

    fn conclude(
        &mut self,
        result: Result<(), StreamFault>,
        events: &mut Vec<Event>,
    ) -> Result<(), StreamFault> {
        if let Err(fault) = &result
            && !std::mem::replace(&mut self.over, true)
        {
            self.answer.begin(None, events);
            self.answer.blocks.break_off(events);
            events.push(Event::Error(fault.as_error()));
        }
        result
    }
}

/// Reads a whole answer that came with a success status: its events and what was seen.
///
/// # Errors
/// `InBand` when it is an error after all, `Malformed` when it is no message.
pub fn read_unary_events(body: &[u8]) -> Result<(Vec<Event>, Facts), StreamFault> {
    let body = body.strip_prefix(b"\xef\xbb\xbf").unwrap_or(body);
    let text = std::str::from_utf8(body).map_err(|e| StreamFault::Malformed(e.to_string()))?;
    let raw = valid(text)?;
    if let Some(error) = error_of(raw) {
        return Err(error);
    }
    let content = raw.get("content").filter(|content| content.kind() == Kind::Array);
    let content = content.ok_or_else(|| fault("a message without content"))?;
    let mut answer = Answer::default();
    let mut events = Vec::new();
    answer.begin(Some(raw), &mut events);
    for (number, (_, block)) in (0_u64..).zip(content.elements()) {
        answer.blocks.start(number, block, &mut answer.facts, &mut events)?;
        answer.blocks.stop(number, &mut answer.facts, &mut events);
    }
    answer.stop(raw, &mut events);
    answer.facts.chunks = 1;
    answer.facts.done = true;
    answer.finish(&mut events);
    Ok((events, answer.facts))
}

fn fault(what: &str) -> StreamFault {
    StreamFault::Malformed(what.to_owned())
}

fn valid(text: &str) -> Result<Raw<'_>, StreamFault> {
    serde_json::from_str::<IgnoredAny>(text)
        .map_err(|error| StreamFault::Malformed(error.to_string()))?;
    let raw = Raw::new(text);
    if raw.kind() == Kind::Object { Ok(raw) } else { Err(fault("a message that is no object")) }
}

/// The error that an object is: one of type `error`, or one with an `error` and no message.
fn error_of(raw: Raw<'_>) -> Option<StreamFault> {
    let kind = raw.get("type").and_then(Raw::string).unwrap_or_default();
    let error = raw.get("error").filter(|error| !error.is_null());
    match error {
        Some(error) if kind == "error" || raw.get("content").is_none() => {
            Some(StreamFault::InBand(read_inband(error.text())))
        }
        None if kind == "error" => Some(StreamFault::InBand(read_inband(raw.text()))),
        _ => None,
    }
}

impl Answer {
    fn frame(&mut self, frame: Frame<'_>, events: &mut Vec<Event>) -> Result<(), StreamFault> {
        self.frame_with(frame, |answer, kind, raw| answer.message(kind, raw, events))
    }

    /// Gives the message of a frame, if it is one, with its type.
    pub(super) fn frame_with(
        &mut self,
        frame: Frame<'_>,
        each: impl FnOnce(&mut Self, &str, Raw<'_>) -> Result<(), StreamFault>,
    ) -> Result<(), StreamFault> {
        if self.facts.done {
            return Ok(());
        }
        let (event, data) = match frame {
            Frame::Data { event, data } => (event, data.trim_ascii()),
            Frame::Comment(_) => return Ok(()),
            // A bare body instead of a stream.
            Frame::Stray(line) => {
                let text = std::str::from_utf8(line).unwrap_or_default();
                let error = valid(text).ok().and_then(error_of);
                return error.map_or(Ok(()), Err);
            }
        };
        if data.is_empty() {
            return Ok(());
        }
        if data == b"[DONE]" {
            self.facts.done = true;
            return Ok(());
        }
        self.facts.chunks = self.facts.chunks.saturating_add(1);
        let text = line_of(data);
        let raw = valid(&text)?;
        let named = String::from_utf8_lossy(event);
        let kind = raw.get("type").and_then(Raw::string).unwrap_or(named);
        if event == b"error" && kind != "error" {
            let error = raw.get("error").filter(|error| !error.is_null()).unwrap_or(raw);
            return Err(StreamFault::InBand(read_inband(error.text())));
        }
        each(self, &kind, raw)
    }

    /// Reads a message of this type.
    pub(super) fn message(
        &mut self,
        kind: &str,
        raw: Raw<'_>,
        events: &mut Vec<Event>,
    ) -> Result<(), StreamFault> {
        match kind {
            "message_start" => self.begin(raw.get("message"), events),
            "content_block_start" | "content_block_delta" | "content_block_stop" => {
                self.begin(None, events);
                return self.block(kind, raw, events);
            }
            "message_delta" => {
                self.begin(None, events);
                if let Some(usage) = raw.get("usage") {
                    self.counts.read(usage);
                    self.counted();
                }
                if let Some(delta) = raw.get("delta") {
                    self.stop(delta, events);
                }
                // An answer that ends without a count of its output leaves the placeholder of its
                // beginning, which is no count.
                if self.ended && self.facts.usage.is_some() && !self.counts.is_final() {
                    self.facts.usage_plausible = false;
                }
            }
            "message_stop" => self.facts.done = true,
            _ => return error_of(raw).map_or(Ok(()), Err),
        }
        Ok(())
    }

    fn block(
        &mut self,
        kind: &str,
        raw: Raw<'_>,
        events: &mut Vec<Event>,
    ) -> Result<(), StreamFault> {
        let (blocks, facts) = (&mut self.blocks, &mut self.facts);
        let number = raw.get("index").and_then(Raw::integer).unwrap_or(0);
        let number = u64::try_from(number).map_err(|_| fault("a negative index"))?;
        if kind == "content_block_stop" {
            blocks.stop(number, facts, events);
            return Ok(());
        }
        if self.ended {
            return Err(fault("content after the end"));
        }
        match (raw.get("content_block"), raw.get("delta")) {
            (Some(block), _) if kind == "content_block_start" => {
                blocks.start(number, block, facts, events)
            }
            (_, Some(delta)) if kind == "content_block_delta" => {
                blocks.delta(number, delta, facts, events)
            }
            _ => Err(fault("a block without content")),
        }
    }

    /// The answer begins, with a message or without one.
    fn begin(&mut self, message: Option<Raw<'_>>, events: &mut Vec<Event>) {
        if let Some(usage) = message.and_then(|message| message.get("usage")) {
            self.counts.begin(usage);
            self.counted();
        }
        if std::mem::replace(&mut self.begun, true) {
            return;
        }
        let id = message.and_then(|message| message.get("id")?.string());
        self.facts.upstream_id = id.map(|id| id.into_owned());
        events.push(Event::Begin { upstream_id: self.facts.upstream_id.clone() });
    }

    fn counted(&mut self) {
        if let Some((usage, plausible)) = self.counts.settle() {
            self.facts.usage = Some(usage);
            self.facts.usage_plausible = plausible;
        }
        self.facts.service_tier = self.counts.tier();
    }

    /// The reason to stop, once: it ends the one choice.
    fn stop(&mut self, raw: Raw<'_>, events: &mut Vec<Event>) {
        let Some(native) = raw.get("stop_reason").and_then(Raw::string) else { return };
        if std::mem::replace(&mut self.ended, true) {
            return;
        }
        self.blocks.stop_all(&mut self.facts, events);
        for name in ["stop_sequence", "stop_details"] {
            if let Some(value) = raw.get(name).filter(|value| !value.is_null()) {
                self.blocks.aside(name, value, events);
            }
        }
        self.end_choice(FinishReason::normalise(&native), Some(native.into_owned()), events);
    }

    fn end_choice(
        &mut self,
        reason: FinishReason,
        native: Option<String>,
        events: &mut Vec<Event>,
    ) {
        self.facts.finish = Some(reason);
        self.facts.native_finish.clone_from(&native);
        events.push(Event::ChoiceEnd { choice: 0, reason, native });
    }

    /// Usage and the finish. An answer whose end is marked without a reason was done.
    pub(super) fn finish(&mut self, events: &mut Vec<Event>) {
        self.begin(None, events);
        self.blocks.stop_all(&mut self.facts, events);
        if !self.ended && self.facts.content_seen {
            let called = self.facts.tool_calls > 0;
            let reason = if called { FinishReason::ToolCalls } else { FinishReason::Stop };
            self.end_choice(reason, None, events);
        }
        events.extend(self.facts.usage.map(Event::Usage));
        events.push(Event::Finish {
            reason: self.facts.finish.unwrap_or(FinishReason::Stop),
            native: self.facts.native_finish.clone(),
        });
    }
}
