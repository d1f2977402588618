//! One answer, put together from the messages of a stream or from the one body.

use super::TOOL_PLAN;
use super::citation::Citations;
use super::finish::finish_reason;
use super::logprobs;
use super::usage::read_usage;
use crate::document::{Kind, Raw};
use crate::event::{Block, Event, FinishReason, Piece, ReasoningForm};
use crate::identity::{Facts, StreamFault};

/// More calls in one answer are no answer.
const MOST_CALLS: usize = 1024;

/// What a block of text is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Said {
    /// Text of the answer, with the number of its block in the content.
    Text(u64),
    /// Thinking, likewise.
    Thinking(u64),
    /// The plan before tools are called.
    Plan,
}

/// The answer so far.
#[derive(Debug, Default)]
pub(super) struct Answer {
    pub(super) facts: Facts,
    /// The open block of text, and its number among the events.
    open: Option<(Said, u32)>,
    /// Open calls: the provider's number and ours.
    calls: Vec<(u64, u32)>,
    /// The open block of log probabilities.
    logprobs: Option<u32>,
    citations: Citations,
    /// Number of the next block.
    next: u32,
    begun: bool,
}

fn malformed(what: &str) -> StreamFault {
    StreamFault::Malformed(what.to_owned())
}

impl Answer {
    /// The answer begins, if it has not.
    pub(super) fn begin(&mut self, id: Option<Raw<'_>>, events: &mut Vec<Event>) {
        if !std::mem::replace(&mut self.begun, true) {
            self.facts.upstream_id = id.and_then(Raw::string).map(|id| id.into_owned());
            events.push(Event::Begin { upstream_id: self.facts.upstream_id.clone() });
        }
    }

    fn block(&mut self, block: Block, events: &mut Vec<Event>) -> u32 {
        let index = self.next;
        self.next = self.next.saturating_add(1);
        events.push(Event::Open { index, choice: 0, block });
        index
    }

    fn count(&mut self, bytes: usize) {
        self.facts.content_seen |= bytes > 0;
        let bytes = u64::try_from(bytes).unwrap_or(u64::MAX);
        self.facts.output_bytes = self.facts.output_bytes.saturating_add(bytes);
    }

    /// Ends the open block of text.
    pub(super) fn close(&mut self, events: &mut Vec<Event>) {
        if let Some((_, index)) = self.open.take() {
            events.push(Event::Close { index });
        }
    }

    /// Text, thinking or a plan; opens its block when another is open, or none.
    pub(super) fn say(&mut self, said: Said, text: &str, events: &mut Vec<Event>) {
        if text.is_empty() {
            return;
        }
        self.count(text.len());
        let index = match self.open {
            Some((open, index)) if open == said => index,
            _ => {
                self.close(events);
                let thought = |id: Option<&str>| Block::Reasoning {
                    form: ReasoningForm::Text,
                    id: id.map(str::to_owned),
                    format: Some("unknown".to_owned()),
                };
                let block = match said {
                    Said::Text(number) => {
                        self.citations.open(number);
                        Block::Text
                    }
                    Said::Thinking(_) => thought(None),
                    Said::Plan => thought(Some(TOOL_PLAN)),
                };
                let index = self.block(block, events);
                self.open = Some((said, index));
                index
            }
        };
        let piece = match said {
            Said::Text(_) => {
                self.citations.text(text);
                Piece::Text(text.to_owned())
            }
            Said::Thinking(_) | Said::Plan => Piece::Reasoning(text.to_owned()),
        };
        events.push(Event::Delta { index, piece });
    }

    /// What is said by one object of the content: `text` or `thinking`.
    pub(super) fn content(&mut self, number: u64, content: Raw<'_>, events: &mut Vec<Event>) {
        if let Some(text) = content.get("thinking").and_then(Raw::string) {
            self.say(Said::Thinking(number), &text, events);
        }
        if let Some(text) = content.get("text").and_then(Raw::string) {
            self.say(Said::Text(number), &text, events);
        }
    }

    /// A call begins, with as much of its arguments as is known.
    pub(super) fn call(
        &mut self,
        number: u64,
        call: Raw<'_>,
        events: &mut Vec<Event>,
    ) -> Result<(), StreamFault> {
        if usize::try_from(self.facts.tool_calls).unwrap_or(usize::MAX) >= MOST_CALLS {
            return Err(malformed("too many tool calls"));
        }
        self.close(events);
        self.end_call(number, events);
        let function = call.get("function");
        let name = function.and_then(|function| function.get("name")?.string());
        let id = call.get("id").and_then(Raw::string).filter(|id| !id.is_empty());
        let id = id.map_or_else(|| format!("call_{}", self.facts.tool_calls), |id| id.into_owned());
        let name = name.unwrap_or_default().into_owned();
        self.facts.tool_calls = self.facts.tool_calls.saturating_add(1);
        self.facts.content_seen = true;
        let index = self.block(Block::ToolCall { id, name }, events);
        self.calls.push((number, index));
        self.arguments(number, call, events);
        Ok(())
    }

    /// More of a call's arguments. Those of a call that is not open are nobody's.
    pub(super) fn arguments(&mut self, number: u64, call: Raw<'_>, events: &mut Vec<Event>) {
        let text = call.get("function").and_then(|function| function.get("arguments")?.string());
        let Some(text) = text.filter(|text| !text.is_empty()) else { return };
        if let Some((_, index)) = self.calls.iter().find(|(open, _)| *open == number).copied() {
            self.count(text.len());
            events.push(Event::Delta { index, piece: Piece::Arguments(text.into_owned()) });
        }
    }

    pub(super) fn end_call(&mut self, number: u64, events: &mut Vec<Event>) {
        if let Some(at) = self.calls.iter().position(|(open, _)| *open == number) {
            let (_, index) = self.calls.remove(at);
            events.push(Event::Close { index });
        }
    }

    pub(super) fn cite(&mut self, citation: Raw<'_>) {
        match citation.kind() {
            Kind::Array => citation.elements().for_each(|(_, one)| self.citations.add(one)),
            _ => self.citations.add(citation),
        }
    }

    /// Log probabilities: one item, or a list of them.
    pub(super) fn logprobs(&mut self, value: Raw<'_>, events: &mut Vec<Event>) {
        let member = match value.kind() {
            Kind::Object => logprobs::member(std::iter::once(value)),
            _ => logprobs::member(value.elements().map(|(_, item)| item)),
        };
        let Some(member) = member else { return };
        let index = match self.logprobs {
            Some(index) => index,
            None => self.block(Block::Opaque { name: "logprobs".to_owned() }, events),
        };
        self.logprobs = Some(index);
        events.push(Event::Delta { index, piece: Piece::Opaque(member) });
    }

    pub(super) fn close_all(&mut self, events: &mut Vec<Event>) {
        self.close(events);
        let calls = std::mem::take(&mut self.calls);
        let calls = calls.into_iter().map(|(_, index)| index);
        for index in calls.chain(self.logprobs.take()) {
            events.push(Event::Close { index });
        }
    }

    /// The end, as a body or the last message of a stream has it: `finish_reason`, `usage` and
    /// `error`.
    ///
    /// # Errors
    /// `InBand` when the answer failed, `Truncated` when it does not say how it ended.
    pub(super) fn end(&mut self, end: Raw<'_>, events: &mut Vec<Event>) -> Result<(), StreamFault> {
        if let Some(read) = end.get("usage").and_then(read_usage) {
            self.facts.usage = Some(read.usage);
            self.facts.usage_plausible &= read.plausible;
        }
        let error = end.get("error").and_then(Raw::string);
        let native = end.get("finish_reason").and_then(Raw::string);
        let native = native.or_else(|| error.is_some().then(|| "ERROR".into()));
        let native = native.ok_or(StreamFault::Truncated)?;
        self.facts.native_finish = Some(native.clone().into_owned());
        let reason = finish_reason(&native, error.as_deref()).map_err(|error| {
            self.facts.finish = Some(FinishReason::Error);
            StreamFault::InBand(super::error::refined(error))
        })?;
        self.facts.finish = Some(reason);
        self.facts.done = true;
        self.close_all(events);
        if let Some(annotations) = self.citations.take() {
            let index = self.block(Block::Opaque { name: "annotations".to_owned() }, events);
            events.push(Event::Delta { index, piece: Piece::Opaque(annotations) });
            events.push(Event::Close { index });
        }
        let native = self.facts.native_finish.clone();
        events.push(Event::ChoiceEnd { choice: 0, reason, native: native.clone() });
        events.extend(self.facts.usage.map(Event::Usage));
        events.push(Event::Finish { reason, native });
        Ok(())
    }
}
