//! One message of a chat answer, rewritten in a single pass: a streamed chunk or a whole body.
//!
//! Members that are ours (`id`, `object`, `created`, `model`, `provider`, `usage`) are replaced,
//! members we understand are watched, everything else is copied byte for byte.

use std::ops::Range;
use std::sync::Arc;

use signalbox_core::limits;

use super::error::read_inband;
use super::preamble::{Preamble, Top};
use super::sources::Listed;
use super::template::{Hole, Template};
use super::usage::read_usage;
use crate::calls::Calls;
use crate::identity::{Facts, Identity, StreamFault};
use crate::scan::{self, Malformed, Scanner};
use crate::watch::{Seen, Watch};

/// Longest foreign id, finish word or tier that is remembered.
const MAX_WORD_CHARS: usize = 256;

impl From<Malformed> for StreamFault {
    fn from(malformed: Malformed) -> Self {
        Self::Malformed(malformed.to_string())
    }
}

/// What a message is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Shape {
    /// `chat.completion.chunk`: choices have a `delta`.
    Chunk,
    /// `chat.completion`: choices have a `message`.
    Whole,
}

/// Members that depend on what the gateway and the client want.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Member {
    /// Reasoning in all its forms.
    Reasoning,
    /// The provider's tier.
    Tier,
}

/// Where such a member stands in the output, comma included.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Optional {
    pub(super) member: Member,
    pub(super) at: Range<usize>,
}

/// What is remembered of a choice.
#[derive(Debug, Default)]
pub(super) struct ChoiceState {
    pub(super) index: u32,
    pub(super) ended: bool,
    /// One more than the highest tool index seen.
    pub(super) next_tool: u64,
    /// Id of the last call, for providers that leave out the index.
    pub(super) last_tool_id: String,
}

/// Rewrites the messages of one answer and gathers its facts.
#[derive(Debug)]
pub(super) struct Rewriter {
    pub(super) shape: Shape,
    pub(super) exclude_reasoning: bool,
    /// Members of a whole answer that its writer may leave out.
    pub(super) optional: Vec<Optional>,
    pub(super) facts: Facts,
    pub(super) choices: Vec<ChoiceState>,
    /// The text of this chunk, while it is the only thing that counts in it.
    pub(super) hole: Option<Hole>,
    /// Something else in this chunk counts anew, or there is more than one choice.
    pub(super) spoiled: bool,
    /// What the provider's row says of its answers.
    pub(super) watch: Option<Arc<Watch>>,
    /// The tool calls, when somebody wants them.
    pub(super) calls: Option<Box<Calls>>,
    pub(super) listed: Listed,
    head: Vec<u8>,
    preamble: Preamble,
    template: Template,
}

/// The beginning of every message: everything up to and including `created`.
pub(super) fn head(identity: &Identity, shape: Shape) -> Vec<u8> {
    let mut head = Vec::with_capacity(256);
    let object = match shape {
        Shape::Chunk => {
            head.extend_from_slice(b"data: ");
            "chat.completion.chunk"
        }
        Shape::Whole => "chat.completion",
    };
    head.extend_from_slice(b"{\"id\":");
    scan::push_string(&mut head, identity.id.as_str());
    head.extend_from_slice(b",\"provider\":");
    scan::push_string(&mut head, &identity.provider);
    head.extend_from_slice(b",\"model\":");
    scan::push_string(&mut head, &identity.model);
    head.extend_from_slice(b",\"object\":\"");
    head.extend_from_slice(object.as_bytes());
    head.extend_from_slice(b"\",\"created\":");
    head.extend_from_slice(identity.created.to_string().as_bytes());
    head
}

/// A foreign word, cut to a bounded length.
pub(super) fn word(raw: &str) -> Option<String> {
    scan::text(raw).map(|text| text.chars().take(MAX_WORD_CHARS).collect())
}

/// Starts a member: a comma unless the object has just begun.
pub(super) fn comma(out: &mut Vec<u8>) {
    if !matches!(out.last(), Some(b'{' | b'[')) {
        out.push(b',');
    }
}

/// The `error` member of an object, unless it is absent or null.
pub(super) fn error_member(text: &str) -> Result<Option<&str>, Malformed> {
    let mut scanner = Scanner::new(text);
    scanner.enter_object()?;
    let (mut first, mut found) = (true, None);
    while let Some(key) = scanner.next_key(&mut first)? {
        let raw = scanner.value()?;
        if key.name == "error" && raw != "null" {
            found = Some(raw);
        }
    }
    Ok(found)
}

impl Rewriter {
    pub(super) fn new(identity: &Identity, shape: Shape, exclude_reasoning: bool) -> Self {
        Self {
            shape,
            exclude_reasoning,
            optional: Vec::new(),
            facts: Facts::default(),
            choices: Vec::new(),
            head: head(identity, shape),
            watch: None,
            calls: None,
            listed: Listed::default(),
            preamble: Preamble::default(),
            hole: None,
            spoiled: false,
            template: Template::default(),
        }
    }

    /// A rewriter that only gathers facts: nobody is to see what it writes.
    pub(super) fn surveyor(shape: Shape) -> Self {
        Self {
            shape,
            exclude_reasoning: false,
            optional: Vec::new(),
            facts: Facts::default(),
            choices: Vec::new(),
            head: b"{\"object\":\"chat\"".to_vec(),
            watch: None,
            calls: None,
            listed: Listed::default(),
            preamble: Preamble::default(),
            hole: None,
            spoiled: false,
            template: Template::default(),
        }
    }

    /// The beginning of every message of this answer, with `data: ` when it is a chunk.
    pub(super) fn head(&self) -> &[u8] {
        &self.head
    }

    /// Appends the rewritten message without its closing brace. `false` when nothing is worth
    /// sending; then, as after a fault, `out` is as it was.
    pub(super) fn rewrite(&mut self, text: &str, out: &mut Vec<u8>) -> Result<bool, StreamFault> {
        let before = out.len();
        let bytes_before = self.facts.output_bytes;
        self.template.forget();
        self.hole = None;
        self.spoiled = false;
        let result = self.members(text, out);
        if !matches!(result, Ok(true)) {
            out.truncate(before);
            return result;
        }
        if let Some(hole) = self.hole.filter(|_| !self.spoiled && self.shape == Shape::Chunk) {
            let raw = text.get(hole.from..hole.from + hole.length).unwrap_or_default();
            let counted = self.facts.output_bytes.saturating_sub(bytes_before);
            if counted == scan::text_bytes(raw) {
                let out_end = hole.out_end.saturating_sub(before);
                let written = out.get(before..).unwrap_or_default();
                self.template.remember(text, Hole { out_end, ..hole }, written);
            }
        }
        result
    }

    /// Appends a chunk that differs from the one before in its text alone, without its closing
    /// brace. `false` when it differs in more, and nothing was done.
    #[inline]
    pub(super) fn repeat(&mut self, chunk: &[u8], out: &mut Vec<u8>) -> bool {
        let Some(raw) = self.template.text(chunk) else { return false };
        let facts = &mut self.facts;
        facts.content_seen = true;
        facts.output_bytes = facts.output_bytes.saturating_add(scan::text_bytes(raw));
        self.template.write(raw, out);
        true
    }

    fn members(&mut self, text: &str, out: &mut Vec<u8>) -> Result<bool, StreamFault> {
        let before = out.len();
        let mut top = Top::default();
        let recalled = self.preamble.begins(text);
        let mut scanner = if recalled {
            top.unknown = self.preamble.unknown;
            top.fingerprint = self.preamble.fingerprint;
            out.extend_from_slice(&self.preamble.output);
            Scanner::inside(text, self.preamble.input.len())
        } else {
            out.extend_from_slice(&self.head);
            let mut scanner = Scanner::new(text);
            scanner.enter_object()?;
            scanner
        };
        let mut first = !recalled;
        let mut end = scanner.at();
        while let Some(key) = scanner.next_key(&mut first)? {
            if key.name == "choices" && top.choices.is_none() && scanner.peek() == Some(b'[') {
                if !recalled {
                    let written = out.get(before..).unwrap_or(&[]);
                    self.preamble.remember(scanner.slice(0, end), written, &top);
                }
                self.write_choices(&mut scanner, &mut top, out)?;
                continue;
            }
            let raw = scanner.value()?;
            if self.keeps(&key.name, raw, &mut top)? {
                let from = out.len();
                out.push(b',');
                out.extend_from_slice(scanner.slice(key.at, scanner.at()).as_bytes());
                if key.name == "service_tier" {
                    self.may_leave_out(Member::Tier, from..out.len());
                }
            }
            end = scanner.at();
        }
        scanner.end()?;
        self.spoiled |= top.counted || top.choices != Some(1);
        self.conclude(text, &top, out)
    }

    pub(super) fn may_leave_out(&mut self, member: Member, at: Range<usize>) {
        if self.shape == Shape::Whole && !at.is_empty() {
            self.optional.push(Optional { member, at });
        }
    }

    /// Looks at a member beside `choices` and says whether it is copied.
    fn keeps<'a>(
        &mut self,
        name: &str,
        raw: &'a str,
        top: &mut Top<'a>,
    ) -> Result<bool, StreamFault> {
        match name {
            "id" => {
                if self.facts.upstream_id.is_none() {
                    self.facts.upstream_id = word(raw).filter(|id| !id.is_empty());
                }
                return Ok(false);
            }
            "object" => {
                top.complains |= raw == r#""error""#;
                top.counted |= top.complains;
                return Ok(false);
            }
            // Where there is no answer yet, another provider's is better than an odd one.
            "choices" if !self.facts.content_seen && raw != "null" && !raw.starts_with('[') => {
                return Err(StreamFault::Malformed("`choices` is no list".to_owned()));
            }
            "choices" | "created" | "model" | "provider" | "openrouter_metadata" => {
                return Ok(false);
            }
            "usage" => {
                top.counted |= raw != "null";
                self.watch_usage(raw);
                return Ok(false);
            }
            "error" => {
                if raw != "null" {
                    top.error = Some(raw);
                }
                return Ok(false);
            }
            "service_tier" => {
                let inner = raw.get(1..raw.len().saturating_sub(1));
                if scan::is_text(raw) && self.facts.service_tier.as_deref() != inner {
                    self.facts.service_tier = word(raw);
                }
                return Ok(true);
            }
            "system_fingerprint" => {
                // Twice would be two members of one name.
                return Ok(!std::mem::replace(&mut top.fingerprint, true));
            }
            "message" | "detail" => {
                top.complains = true;
                top.counted = true;
            }
            _ if self.watched(name, raw, top).is_some() => return Ok(false),
            _ => {}
        }
        top.unknown = true;
        Ok(true)
    }

    fn write_choices(
        &mut self,
        scanner: &mut Scanner<'_>,
        top: &mut Top<'_>,
        out: &mut Vec<u8>,
    ) -> Result<(), StreamFault> {
        out.extend_from_slice(b",\"choices\":[");
        scanner.enter_array()?;
        let mut count = 0;
        let mut first = true;
        while scanner.next_item(&mut first)? {
            comma(out);
            let position = u32::try_from(count).unwrap_or(u32::MAX);
            top.hollow += usize::from(self.write_choice(scanner, position, out)?);
            count += 1;
        }
        out.push(b']');
        top.choices = Some(count);
        Ok(())
    }

    /// Judges the message as a whole.
    fn conclude(
        &mut self,
        text: &str,
        top: &Top<'_>,
        out: &mut Vec<u8>,
    ) -> Result<bool, StreamFault> {
        if let Some(error) = top.error {
            return Err(StreamFault::InBand(read_inband(error)));
        }
        let count = top.choices.unwrap_or(0);
        if count == 0 && top.complains {
            return Err(StreamFault::InBand(read_inband(text)));
        }
        if top.choices.is_none() {
            out.extend_from_slice(b",\"choices\":[]");
        }
        match self.shape {
            Shape::Chunk => Ok(count > top.hollow || top.unknown),
            Shape::Whole if count == 0 => {
                Err(StreamFault::Malformed("the answer has no choices".to_owned()))
            }
            Shape::Whole => {
                if !top.fingerprint {
                    out.extend_from_slice(b",\"system_fingerprint\":null");
                }
                Ok(true)
            }
        }
    }

    /// Usage may come more than once, growing; the largest is the last word.
    pub(super) fn watch_usage(&mut self, raw: &str) {
        if raw == "null" {
            return;
        }
        let Some(read) = read_usage(raw) else {
            // An empty object is a placeholder; anything else is wrong.
            self.facts.usage_plausible &= raw.starts_with('{') && raw.len() <= 4;
            return;
        };
        self.facts.usage_plausible &= read.plausible;
        if self.facts.usage.is_none_or(|known| read.usage.total() >= known.total()) {
            self.facts.usage = Some(read.usage);
        }
    }

    /// Looks at a member that the provider's row is about; `None` when it is about none such.
    fn watched<'a>(&mut self, name: &str, raw: &'a str, top: &mut Top<'a>) -> Option<()> {
        match self.watch.as_ref()?.member(name, raw)? {
            Seen::Usage(usage) => self.watch_usage(usage),
            Seen::Error(error) => top.error = Some(error),
            Seen::Sources(sources) => self.listed.take(sources),
            Seen::Nothing => {}
        }
        top.counted = true;
        Some(())
    }

    /// The slot of a choice; a new one when it was not seen before.
    pub(super) fn slot(&mut self, index: u32) -> Result<&mut ChoiceState, StreamFault> {
        let known = self.choices.iter().position(|choice| choice.index == index);
        let at = match known {
            Some(at) => at,
            None if self.choices.len() as u64 >= limits::MAX_CHOICES => {
                return Err(StreamFault::Malformed("too many choices".to_owned()));
            }
            None => {
                self.choices.push(ChoiceState { index, ..ChoiceState::default() });
                self.choices.len() - 1
            }
        };
        self.choices.get_mut(at).ok_or_else(|| StreamFault::Malformed("no such choice".to_owned()))
    }

    /// Whether some choice has not ended, or none was seen at all.
    pub(super) fn unfinished(&self) -> bool {
        self.choices.is_empty() || self.choices.iter().any(|choice| !choice.ended)
    }
}
