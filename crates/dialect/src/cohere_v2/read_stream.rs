//! A stream of `/v2/chat` as events. Its last message is `message-end`, which has the reason and the
//! usage; sources are told then, all at once.

use super::answer::{Answer, Said};
use super::error::fault;
use crate::document::{Kind, Raw};
use crate::event::Event;
use crate::frame::sse::{Frame, SseDecoder};
use crate::identity::{Facts, StreamFault};
use crate::openai_chat::stream_relay::line_of;
use crate::scan::is_json;

/// Reads a provider's stream.
#[derive(Debug, Default)]
pub struct CohereReader {
    decoder: SseDecoder,
    answer: Answer,
    over: bool,
}

impl CohereReader {
    /// Reads bytes and appends their events.
    ///
    /// # Errors
    /// When the answer cannot go on; then the last event is an `Error` that says the same.
    pub fn push(&mut self, bytes: &[u8], events: &mut Vec<Event>) -> Result<(), StreamFault> {
        if self.over {
            return Ok(());
        }
        let answer = &mut self.answer;
        let result = self.decoder.push(bytes, |frame| read(answer, frame, events));
        self.conclude(result, events)
    }

    /// The provider closed the stream.
    ///
    /// # Errors
    /// As [`Self::push`]; `Truncated` when the last message is missing.
    pub fn end(&mut self, events: &mut Vec<Event>) -> Result<(), StreamFault> {
        if self.over {
            return Ok(());
        }
        let answer = &mut self.answer;
        let mut result = self.decoder.end(|frame| read(answer, frame, events));
        if result.is_ok() && !answer.facts.done {
            result = Err(StreamFault::Truncated);
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

    fn conclude(
        &mut self,
        result: Result<(), StreamFault>,
        events: &mut Vec<Event>,
    ) -> Result<(), StreamFault> {
        if let Err(fault) = &result {
            self.over = true;
            self.answer.begin(None, events);
            self.answer.close_all(events);
            events.push(Event::Error(fault.as_error()));
        }
        result
    }
}

fn read(answer: &mut Answer, frame: Frame<'_>, events: &mut Vec<Event>) -> Result<(), StreamFault> {
    if answer.facts.done {
        return Ok(());
    }
    let (event, data) = match frame {
        Frame::Data { event, data } => (event, data.trim_ascii()),
        Frame::Comment(_) => return Ok(()),
        // A bare body instead of a stream.
        Frame::Stray(line) => {
            let text = std::str::from_utf8(line).ok().filter(|text| is_json(text));
            return text.and_then(|text| fault(Raw::new(text))).map_or(Ok(()), Err);
        }
    };
    if data.is_empty() || data == b"[DONE]" {
        return Ok(());
    }
    let text = line_of(data);
    if !is_json(&text) {
        return Err(StreamFault::Malformed("a message is no JSON".to_owned()));
    }
    let raw = Raw::new(&text);
    if raw.kind() != Kind::Object {
        return Err(StreamFault::Malformed("a message is no object".to_owned()));
    }
    answer.facts.chunks = answer.facts.chunks.saturating_add(1);
    let kind = raw.get("type").and_then(Raw::string);
    let kind = kind.unwrap_or_else(|| String::from_utf8_lossy(event));
    message(answer, &kind, raw, events)
}

fn message(
    answer: &mut Answer,
    kind: &str,
    raw: Raw<'_>,
    events: &mut Vec<Event>,
) -> Result<(), StreamFault> {
    let number = raw.get("index").and_then(Raw::integer);
    let number = number.and_then(|number| u64::try_from(number).ok()).unwrap_or(0);
    let delta = raw.get("delta");
    let inside = |name: &str| delta?.get("message")?.get(name).filter(|value| !value.is_null());
    match kind {
        "message-start" | "content-start" | "content-delta" | "content-end" | "tool-plan-delta"
        | "tool-call-start" | "tool-call-delta" | "tool-call-end" | "citation-start"
        | "message-end" => answer.begin(raw.get("id"), events),
        _ => return fault(raw).map_or(Ok(()), Err),
    }
    match kind {
        "content-start" | "content-delta" => {
            if kind == "content-start" {
                answer.close(events);
            }
            if let Some(content) = inside("content") {
                answer.content(number, content, events);
            }
            if let Some(logprobs) = raw.get("logprobs").filter(|value| !value.is_null()) {
                answer.logprobs(logprobs, events);
            }
        }
        "content-end" => answer.close(events),
        "tool-plan-delta" => {
            if let Some(text) = inside("tool_plan").and_then(Raw::string) {
                answer.say(Said::Plan, &text, events);
            }
        }
        "tool-call-start" => match inside("tool_calls") {
            Some(calls) => answer.call(number, one(calls), events)?,
            None => return Err(StreamFault::Malformed("a call without content".to_owned())),
        },
        "tool-call-delta" => {
            if let Some(calls) = inside("tool_calls") {
                answer.arguments(number, one(calls), events);
            }
        }
        "tool-call-end" => answer.end_call(number, events),
        "citation-start" => {
            if let Some(citations) = inside("citations") {
                answer.cite(citations);
            }
        }
        "message-end" => return answer.end(delta.unwrap_or(raw), events),
        _ => {}
    }
    Ok(())
}

/// The one call: an object, or a list of one.
fn one(calls: Raw<'_>) -> Raw<'_> {
    calls.elements().next().map_or(calls, |(_, first)| first)
}
