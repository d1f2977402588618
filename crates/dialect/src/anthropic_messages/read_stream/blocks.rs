//! The blocks of an answer: which are open, and what is added to them.

use crate::anthropic_messages::CLAUDE;
use crate::citation::{Place, Sources};
use crate::compose::ArrayText;
use crate::document::{Kind, Raw};
use crate::event::{Block, Event, Piece, ReasoningForm};
use crate::identity::{Facts, StreamFault};

/// More blocks open at once than any answer has.
const MOST_OPEN: usize = 256;

/// More sources of one text are told in this dialect's own form.
const MOST_CITED: usize = 256;

/// What the pieces of a block are.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Sort {
    Text,
    Thinking,
    Redacted,
    Call,
    /// Passed on as JSON.
    Aside,
}

#[derive(Debug)]
struct Open {
    /// The provider's number of the block.
    number: u64,
    /// Ours.
    index: u32,
    sort: Sort,
    /// The input of a call that stood in its first event: it counts when no fragments follow.
    input: Option<String>,
    fragments: bool,
    /// Characters of the answer's text before it.
    before: u64,
    /// Sources of it that have an address, with their titles.
    cited: Vec<(String, String)>,
}

/// The open blocks.
#[derive(Debug, Default)]
pub(super) struct Blocks {
    open: Vec<Open>,
    next: u32,
    /// Characters of text so far.
    chars: u64,
    sources: Sources,
}

fn text(object: Raw<'_>, key: &str) -> Option<String> {
    object.get(key)?.string().map(|text| text.into_owned())
}

fn malformed(what: &str) -> StreamFault {
    StreamFault::Malformed(what.to_owned())
}

impl Blocks {
    /// A block begins. What already stands in it is its first piece.
    pub(super) fn start(
        &mut self,
        number: u64,
        raw: Raw<'_>,
        facts: &mut Facts,
        events: &mut Vec<Event>,
    ) -> Result<(), StreamFault> {
        self.stop(number, facts, events);
        let kind = text(raw, "type").ok_or_else(|| malformed("a block without a type"))?;
        let reasoning = |form| Block::Reasoning { form, id: None, format: Some(CLAUDE.to_owned()) };
        let (sort, block) = match kind.as_str() {
            "text" => (Sort::Text, Block::Text),
            "thinking" => (Sort::Thinking, reasoning(ReasoningForm::Text)),
            "redacted_thinking" => (Sort::Redacted, reasoning(ReasoningForm::Encrypted)),
            "tool_use" => {
                let id = text(raw, "id").unwrap_or_default();
                let name = text(raw, "name").unwrap_or_default();
                facts.tool_calls = facts.tool_calls.saturating_add(1);
                facts.content_seen = true;
                (Sort::Call, Block::ToolCall { id, name })
            }
            _ => (Sort::Aside, Block::Opaque { name: kind }),
        };
        let at = self.open(number, sort, block, events)?;
        match sort {
            Sort::Text => {
                self.piece(at, Sort::Text, text(raw, "text"), facts, events)?;
                for (_, citation) in raw.get("citations").into_iter().flat_map(Raw::elements) {
                    self.cite(at, citation, events);
                }
            }
            Sort::Thinking => {
                self.piece(at, Sort::Thinking, text(raw, "thinking"), facts, events)?;
                self.sign(at, text(raw, "signature"), events)?;
            }
            Sort::Redacted => self.piece(at, sort, text(raw, "data"), facts, events)?,
            Sort::Call => {
                let input = raw.get("input").filter(|input| input.kind() == Kind::Object);
                if let Some(open) = self.open.get_mut(at) {
                    open.input = input.map(|input| input.text().to_owned());
                }
            }
            Sort::Aside => {
                self.piece(at, sort, Some(raw.text().to_owned()), facts, events)?;
            }
        }
        Ok(())
    }

    /// Something is added to a block. One that was never begun is opened for text and thinking.
    pub(super) fn delta(
        &mut self,
        number: u64,
        delta: Raw<'_>,
        facts: &mut Facts,
        events: &mut Vec<Event>,
    ) -> Result<(), StreamFault> {
        let kind = text(delta, "type").unwrap_or_default();
        let known = self.open.iter().position(|open| open.number == number);
        let at = match (known, kind.as_str()) {
            (Some(at), _) => at,
            (None, "text_delta") => self.open(number, Sort::Text, Block::Text, events)?,
            (None, "thinking_delta") => {
                let format = Some(CLAUDE.to_owned());
                let block = Block::Reasoning { form: ReasoningForm::Text, id: None, format };
                self.open(number, Sort::Thinking, block, events)?
            }
            (None, _) => return Err(malformed("a delta of no block")),
        };
        let is_aside = self.open.get(at).is_some_and(|open| open.sort == Sort::Aside);
        match kind.as_str() {
            _ if is_aside => {
                self.piece(at, Sort::Aside, Some(delta.text().to_owned()), facts, events)
            }
            "text_delta" => self.piece(at, Sort::Text, text(delta, "text"), facts, events),
            "thinking_delta" => {
                self.piece(at, Sort::Thinking, text(delta, "thinking"), facts, events)
            }
            "signature_delta" => self.sign(at, text(delta, "signature"), events),
            "input_json_delta" => {
                self.piece(at, Sort::Call, text(delta, "partial_json"), facts, events)
            }
            "citations_delta" => {
                if let Some(citation) = delta.get("citation") {
                    self.cite(at, citation, events);
                }
                Ok(())
            }
            // More kinds may come; what they add can't be told.
            _ => Ok(()),
        }
    }

    /// A block is complete. A call without arguments has empty ones.
    pub(super) fn stop(&mut self, number: u64, facts: &mut Facts, events: &mut Vec<Event>) {
        if let Some(at) = self.open.iter().position(|open| open.number == number) {
            let open = self.open.remove(at);
            self.close(open, facts, events);
        }
    }

    /// No more blocks follow.
    pub(super) fn stop_all(&mut self, facts: &mut Facts, events: &mut Vec<Event>) {
        for open in std::mem::take(&mut self.open) {
            self.close(open, facts, events);
        }
    }

    /// A source of a text. One with an address is told when the text is whole; a place in a document of
    /// the request means something in this dialect alone.
    fn cite(&mut self, at: usize, citation: Raw<'_>, events: &mut Vec<Event>) {
        let address = ["url", "source"].iter().find_map(|key| text(citation, key));
        let address =
            address.filter(|url| url.starts_with("https://") || url.starts_with("http://"));
        match (address, self.open.get_mut(at)) {
            (Some(url), Some(open)) if open.cited.len() < MOST_CITED => {
                open.cited.push((url, text(citation, "title").unwrap_or_default()));
            }
            _ => self.aside("citations", citation, events),
        }
    }

    fn close(&mut self, open: Open, facts: &mut Facts, events: &mut Vec<Event>) {
        let place = Place { start: open.before, end: self.chars };
        let mut list = ArrayText::new();
        for (url, title) in &open.cited {
            self.sources.tell(url, title, place, &mut list);
        }
        close(open, facts, events);
        if !list.is_empty() {
            self.aside("annotations", Raw::new(&list.finish()), events);
        }
    }

    /// The answer broke off: what is open is closed as it is.
    pub(super) fn break_off(&mut self, events: &mut Vec<Event>) {
        events.extend(self.open.drain(..).map(|open| Event::Close { index: open.index }));
    }

    /// A block of one piece of JSON beside the others.
    pub(super) fn aside(&mut self, name: &str, raw: Raw<'_>, events: &mut Vec<Event>) {
        let index = self.number();
        let block = Block::Opaque { name: name.to_owned() };
        let piece = Piece::Opaque(raw.text().to_owned());
        events.push(Event::Open { index, choice: 0, block });
        events.push(Event::Delta { index, piece });
        events.push(Event::Close { index });
    }

    fn number(&mut self) -> u32 {
        let index = self.next;
        self.next = self.next.saturating_add(1);
        index
    }

    fn open(
        &mut self,
        number: u64,
        sort: Sort,
        block: Block,
        events: &mut Vec<Event>,
    ) -> Result<usize, StreamFault> {
        if self.open.len() >= MOST_OPEN {
            return Err(malformed("too many open blocks"));
        }
        let index = self.number();
        events.push(Event::Open { index, choice: 0, block });
        self.open.push(Open {
            number,
            index,
            sort,
            input: None,
            fragments: false,
            before: self.chars,
            cited: Vec::new(),
        });
        Ok(self.open.len() - 1)
    }

    fn piece(
        &mut self,
        at: usize,
        sort: Sort,
        text: Option<String>,
        facts: &mut Facts,
        events: &mut Vec<Event>,
    ) -> Result<(), StreamFault> {
        let Some(open) = self.open.get_mut(at).filter(|open| open.sort == sort) else {
            return Err(malformed("a delta of another kind than its block"));
        };
        let Some(text) = text.filter(|text| !text.is_empty()) else { return Ok(()) };
        open.fragments = true;
        let counted = u64::try_from(text.len()).unwrap_or(u64::MAX);
        let piece = match sort {
            Sort::Text => {
                let chars = u64::try_from(text.chars().count()).unwrap_or(u64::MAX);
                self.chars = self.chars.saturating_add(chars);
                Piece::Text(text)
            }
            Sort::Thinking => Piece::Reasoning(text),
            Sort::Call => Piece::Arguments(text),
            Sort::Redacted | Sort::Aside => Piece::Opaque(text),
        };
        if sort != Sort::Aside {
            facts.content_seen = true;
        }
        if !matches!(sort, Sort::Aside | Sort::Redacted) {
            facts.output_bytes = facts.output_bytes.saturating_add(counted);
        }
        events.push(Event::Delta { index: open.index, piece });
        Ok(())
    }

    fn sign(
        &mut self,
        at: usize,
        signature: Option<String>,
        events: &mut Vec<Event>,
    ) -> Result<(), StreamFault> {
        let Some(open) = self.open.get(at).filter(|open| open.sort == Sort::Thinking) else {
            return Err(malformed("a signature of a block that does not think"));
        };
        let signature = signature.filter(|signature| !signature.is_empty());
        events.extend(
            signature.map(|text| Event::Delta { index: open.index, piece: Piece::Signature(text) }),
        );
        Ok(())
    }
}

fn close(open: Open, facts: &mut Facts, events: &mut Vec<Event>) {
    if open.sort == Sort::Call && !open.fragments {
        let arguments = open.input.unwrap_or_else(|| "{}".to_owned());
        let bytes = u64::try_from(arguments.len()).unwrap_or(u64::MAX);
        facts.output_bytes = facts.output_bytes.saturating_add(bytes);
        let piece = Piece::Arguments(arguments);
        events.push(Event::Delta { index: open.index, piece });
    }
    events.push(Event::Close { index: open.index });
}
