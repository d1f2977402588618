//! One answer, read from its responses: the one body, or the chunks of a stream, which have the
//! same shape.

mod part;

use super::citation::Citations;
use super::error::{blocked, is_json, read_inband};
use super::finish::finish_reason;
use super::usage::{read_usage, service_tier};
use crate::document::{Kind, Raw};
use crate::event::{Block, Event, FinishReason, Piece};
use crate::identity::{Facts, StreamFault};
use crate::loss::{Loss, Lost, report};

/// More candidates than any request can ask for.
const MOST_CHOICES: u32 = 128;

/// What the open block of a choice is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Open {
    Text,
    Thought,
}

/// One candidate.
#[derive(Debug)]
struct Choice {
    index: u32,
    /// The open block, and its number.
    open: Option<(Open, u32)>,
    /// Whether it called a function.
    called: bool,
    /// The last finish reason.
    native: Option<String>,
}

impl Choice {
    /// Why it ended; `None` when it has not.
    fn end(&self) -> Option<FinishReason> {
        finish_reason(self.native.as_deref()?, self.called)
    }
}

/// The answer so far.
#[derive(Debug, Default)]
pub(super) struct Answer {
    pub(super) facts: Facts,
    pub(super) losses: Vec<Loss>,
    choices: Vec<Choice>,
    citations: Citations,
    /// Number of the next block.
    next: u32,
    begun: bool,
}

impl Answer {
    /// Reads one response.
    ///
    /// # Errors
    /// `InBand` when it is an error or a refusal of the prompt, `Malformed` when it is no response.
    pub(super) fn read(&mut self, text: &str, events: &mut Vec<Event>) -> Result<(), StreamFault> {
        if !is_json(text) {
            return Err(StreamFault::Malformed("a chunk is no JSON".to_owned()));
        }
        self.read_value(Raw::new(text), events)
    }

    /// As [`Self::read`], for JSON that is known to be valid.
    pub(super) fn read_value(
        &mut self,
        root: Raw<'_>,
        events: &mut Vec<Event>,
    ) -> Result<(), StreamFault> {
        if root.kind() != Kind::Object {
            return Err(StreamFault::Malformed("a response is no object".to_owned()));
        }
        let (mut candidates, mut feedback) = (None, None);
        for entry in root.members().filter(|entry| !entry.value.is_null()) {
            match &*entry.key {
                "error" => return Err(StreamFault::InBand(read_inband(entry.value))),
                "candidates" => candidates = Some(entry.value),
                "promptFeedback" => feedback = Some(entry.value),
                "usageMetadata" => self.read_usage(entry.value),
                "responseId" if self.facts.upstream_id.is_none() => {
                    self.facts.upstream_id = entry.value.string().map(|id| id.into_owned());
                }
                _ => {}
            }
        }
        self.facts.chunks = self.facts.chunks.saturating_add(1);
        self.begin(events);
        for (_, candidate) in candidates.into_iter().flat_map(Raw::elements) {
            self.read_candidate(candidate, events)?;
        }
        match feedback.and_then(blocked) {
            Some(error) => Err(StreamFault::InBand(error)),
            None => Ok(()),
        }
    }

    fn read_usage(&mut self, raw: Raw<'_>) {
        // Counts of a later chunk replace those of an earlier one.
        if let Some(read) = read_usage(raw) {
            self.facts.usage = Some(read.usage);
            self.facts.usage_plausible &= read.plausible;
        }
        if let Some(tier) = service_tier(raw) {
            self.facts.service_tier = Some(tier);
        }
    }

    fn read_candidate(
        &mut self,
        candidate: Raw<'_>,
        events: &mut Vec<Event>,
    ) -> Result<(), StreamFault> {
        let index = candidate.get("index").and_then(Raw::integer).unwrap_or(0);
        let index = u32::try_from(index).ok().filter(|index| *index < MOST_CHOICES);
        let index = index.ok_or_else(|| StreamFault::Malformed("an odd index".to_owned()))?;
        let at = self.choice(index);
        for entry in candidate.members().filter(|entry| !entry.value.is_null()) {
            match &*entry.key {
                "content" => {
                    for (_, part) in entry.value.get("parts").into_iter().flat_map(Raw::elements) {
                        self.read_part(at, part, events);
                    }
                }
                "finishReason" => self.read_finish(at, entry.value),
                "groundingMetadata" | "citationMetadata" => self.cite(index, entry.value, events),
                "logprobsResult" => report(&mut self.losses, Lost::Answer, "logprobs"),
                "urlContextMetadata" => report(&mut self.losses, Lost::Answer, &entry.key),
                _ => {}
            }
        }
        Ok(())
    }

    fn read_finish(&mut self, at: usize, value: Raw<'_>) {
        let Some(choice) = self.choices.get_mut(at) else { return };
        choice.native = value.string().map(|word| word.into_owned());
        if choice.index == 0 {
            self.facts.finish = choice.end();
            self.facts.native_finish.clone_from(&choice.native);
        }
    }

    fn cite(&mut self, choice: u32, metadata: Raw<'_>, events: &mut Vec<Event>) {
        if let Some(annotations) = self.citations.add(metadata) {
            let block = Block::Opaque { name: "annotations".to_owned() };
            self.whole(choice, block, [Piece::Opaque(annotations)], events);
        }
    }

    /// Where the choice lies; makes it when it is new.
    fn choice(&mut self, index: u32) -> usize {
        self.choices.iter().position(|choice| choice.index == index).unwrap_or_else(|| {
            self.choices.push(Choice { index, open: None, called: false, native: None });
            self.choices.len() - 1
        })
    }

    pub(super) fn begin(&mut self, events: &mut Vec<Event>) {
        if !std::mem::replace(&mut self.begun, true) {
            events.push(Event::Begin { upstream_id: self.facts.upstream_id.clone() });
        }
    }

    /// Opens a block.
    fn open(&mut self, choice: u32, block: Block, events: &mut Vec<Event>) -> u32 {
        let index = self.next;
        self.next = self.next.saturating_add(1);
        events.push(Event::Open { index, choice, block });
        index
    }

    /// A block that is complete at once.
    fn whole(
        &mut self,
        choice: u32,
        block: Block,
        pieces: impl IntoIterator<Item = Piece>,
        events: &mut Vec<Event>,
    ) {
        let index = self.open(choice, block, events);
        events.extend(pieces.into_iter().map(|piece| Event::Delta { index, piece }));
        events.push(Event::Close { index });
    }

    /// Ends the open block of a choice.
    fn close(&mut self, at: usize, events: &mut Vec<Event>) {
        if let Some((_, index)) = self.choices.get_mut(at).and_then(|choice| choice.open.take()) {
            events.push(Event::Close { index });
        }
    }

    pub(super) fn close_all(&mut self, events: &mut Vec<Event>) {
        for at in 0..self.choices.len() {
            self.close(at, events);
        }
    }

    /// The provider sent all it had: the ends of the choices, usage and the finish. Words for the
    /// end may come with more than one chunk, so they count only now.
    ///
    /// # Errors
    /// `Truncated` when there is no choice, or one has not ended.
    pub(super) fn finish(&mut self, events: &mut Vec<Event>) -> Result<(), StreamFault> {
        if self.choices.is_empty() || self.choices.iter().any(|choice| choice.end().is_none()) {
            return Err(StreamFault::Truncated);
        }
        self.facts.done = true;
        self.close_all(events);
        self.choices.sort_by_key(|choice| choice.index);
        for choice in &self.choices {
            if let Some(reason) = choice.end() {
                let (choice, native) = (choice.index, choice.native.clone());
                events.push(Event::ChoiceEnd { choice, reason, native });
            }
        }
        let first = self.choices.first();
        self.facts.finish = first.and_then(Choice::end);
        self.facts.native_finish = first.and_then(|choice| choice.native.clone());
        events.extend(self.facts.usage.map(Event::Usage));
        events.push(Event::Finish {
            reason: self.facts.finish.unwrap_or(FinishReason::Stop),
            native: self.facts.native_finish.clone(),
        });
        Ok(())
    }
}
