//! One answer, from the events of a stream or from a whole message: both add to the same blocks.

mod blob;
mod blocks;

use self::blocks::Blocks;
use super::usage::read_usage;
use crate::document::{Kind, Raw};
use crate::event::{Event, FinishReason};
use crate::identity::{Facts, StreamFault};
use crate::loss::Loss;

/// What is known of an answer so far.
#[derive(Debug, Default)]
pub(super) struct Answer {
    pub(super) facts: Facts,
    pub(super) losses: Vec<Loss>,
    blocks: Blocks,
    begun: bool,
    /// The reason to stop was told.
    ended: bool,
}

fn malformed(what: &str) -> StreamFault {
    StreamFault::Malformed(what.to_owned())
}

impl Answer {
    /// Reads one event of a stream.
    ///
    /// # Errors
    /// `Malformed` when it breaks the grammar, `FrameTooLong` when a picture does not end.
    pub(super) fn event(
        &mut self,
        name: &str,
        raw: Raw<'_>,
        events: &mut Vec<Event>,
    ) -> Result<(), StreamFault> {
        match name {
            "messageStart" => self.begin(events),
            "contentBlockStart" | "contentBlockDelta" | "contentBlockStop" => {
                self.begin(events);
                return self.block(name, raw, events);
            }
            "messageStop" => {
                self.begin(events);
                self.stop(raw, events);
            }
            "metadata" => {
                self.begin(events);
                self.metadata(raw);
                // Nothing follows the counts, and they follow the end.
                self.facts.done = self.ended;
            }
            _ => {}
        }
        Ok(())
    }

    /// Reads a whole answer.
    ///
    /// # Errors
    /// `Malformed` when there is no message, `Truncated` when it has not ended.
    pub(super) fn whole(
        &mut self,
        root: Raw<'_>,
        events: &mut Vec<Event>,
    ) -> Result<(), StreamFault> {
        let message = root.get("output").and_then(|output| output.get("message"));
        let content = message.and_then(|message| message.get("content"));
        let content = content.filter(|content| content.kind() == Kind::Array);
        let content = content.ok_or_else(|| malformed("an answer without a message"))?;
        self.begin(events);
        for (number, (_, block)) in (0_u64..).zip(content.elements()) {
            let Self { blocks, facts, losses, .. } = self;
            blocks.whole(number, block, &mut blocks::Out { facts, losses, events })?;
        }
        self.stop(root, events);
        self.metadata(root);
        self.facts.chunks = 1;
        self.finish(events)
    }

    fn block(
        &mut self,
        name: &str,
        raw: Raw<'_>,
        events: &mut Vec<Event>,
    ) -> Result<(), StreamFault> {
        let number = raw.get("contentBlockIndex").and_then(Raw::integer).unwrap_or(0);
        let number = u64::try_from(number).map_err(|_| malformed("a negative index"))?;
        let Self { blocks, facts, losses, .. } = self;
        let mut out = blocks::Out { facts, losses, events };
        if name == "contentBlockStop" {
            return blocks.stop(number, &mut out);
        }
        if self.ended {
            return Err(malformed("content after the end"));
        }
        match (raw.get("start"), raw.get("delta")) {
            (Some(start), _) if name == "contentBlockStart" => {
                blocks.start(number, start, &mut out)
            }
            (_, Some(delta)) if name == "contentBlockDelta" => {
                blocks.delta(number, delta, &mut out)
            }
            _ => Err(malformed("a block without content")),
        }
    }

    pub(super) fn begin(&mut self, events: &mut Vec<Event>) {
        if !std::mem::replace(&mut self.begun, true) {
            events.push(Event::Begin { upstream_id: None });
        }
    }

    /// Counts, and the tier that served the request.
    fn metadata(&mut self, raw: Raw<'_>) {
        if let Some(read) = raw.get("usage").and_then(read_usage) {
            self.facts.usage = Some(read.usage);
            self.facts.usage_plausible &= read.plausible;
        }
        let tier = raw.get("serviceTier").and_then(|tier| tier.get("type")).and_then(Raw::string);
        if let Some(tier) = tier {
            self.facts.service_tier = Some(tier.into_owned());
        }
    }

    /// The reason to stop, once: it ends the one choice.
    fn stop(&mut self, raw: Raw<'_>, events: &mut Vec<Event>) {
        let Some(native) = raw.get("stopReason").and_then(Raw::string) else { return };
        if std::mem::replace(&mut self.ended, true) {
            return;
        }
        let Self { blocks, facts, losses, .. } = self;
        blocks.stop_all(&mut blocks::Out { facts, losses, events });
        let more = raw.get("additionalModelResponseFields");
        let sequence = more.and_then(|more| more.get("stop_sequence"));
        if let Some(sequence) = sequence.filter(|sequence| !sequence.is_null()) {
            self.blocks.aside("stop_sequence", sequence.text().to_owned(), events);
        }
        let reason = match &*native {
            "malformed_model_output" | "malformed_tool_use" => FinishReason::Error,
            word => FinishReason::normalise(word),
        };
        let native = Some(native.into_owned());
        self.facts.finish = Some(reason);
        self.facts.native_finish.clone_from(&native);
        events.push(Event::ChoiceEnd { choice: 0, reason, native });
    }

    /// The answer broke off: what is open is closed as it is.
    pub(super) fn break_off(&mut self, events: &mut Vec<Event>) {
        self.begin(events);
        self.blocks.break_off(events);
    }

    /// The provider sent all it had: usage and the finish.
    ///
    /// # Errors
    /// `Truncated` when the answer has not ended.
    pub(super) fn finish(&mut self, events: &mut Vec<Event>) -> Result<(), StreamFault> {
        if !self.ended {
            return Err(StreamFault::Truncated);
        }
        self.facts.done = true;
        events.extend(self.facts.usage.map(Event::Usage));
        events.push(Event::Finish {
            reason: self.facts.finish.unwrap_or(FinishReason::Stop),
            native: self.facts.native_finish.clone(),
        });
        Ok(())
    }
}
