//! Which blocks are open, and what a Responses event adds to them.

use crate::document::{Raw, quoted};
use crate::event::{Block, Event, Piece, ReasoningForm};
use crate::identity::{Facts, StreamFault};

/// The format of reasoning that names none: this dialect's own.
const FORMAT: &str = "openai-responses-v1";

/// More blocks than any answer has open at once.
const MOST_OPEN: usize = 1024;

/// What a block is of its item, with the number of its part.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Part {
    Text(u64),
    Refusal(u64),
    Summary(u64),
    Thought(u64),
    Call,
}

#[derive(Debug)]
struct Open {
    index: u32,
    /// Place of its item in the output.
    item: u64,
    part: Part,
    /// Whether anything was added.
    is_filled: bool,
}

/// The open blocks of an answer.
#[derive(Debug, Default)]
pub(super) struct Blocks {
    open: Vec<Open>,
    next: u32,
    /// Probabilities of tokens, each as JSON.
    logprobs: Vec<String>,
}

fn text(raw: Raw<'_>, key: &str) -> Option<String> {
    raw.get(key)?.string().map(|text| text.into_owned())
}

fn number(raw: Raw<'_>, key: &str) -> u64 {
    raw.get(key).and_then(Raw::integer).and_then(|one| u64::try_from(one).ok()).unwrap_or(0)
}

impl Blocks {
    /// Reads one event of the stream; those of no concern add nothing.
    pub(super) fn event(
        &mut self,
        kind: &str,
        raw: Raw<'_>,
        facts: &mut Facts,
        events: &mut Vec<Event>,
    ) -> Result<(), StreamFault> {
        let item = number(raw, "output_index");
        let (content, summary) = (number(raw, "content_index"), number(raw, "summary_index"));
        let part = match kind {
            "response.output_text.delta" => Part::Text(content),
            "response.refusal.delta" => Part::Refusal(content),
            "response.reasoning_summary_text.delta" => Part::Summary(summary),
            "response.reasoning_text.delta" => Part::Thought(content),
            "response.function_call_arguments.delta" => Part::Call,
            "response.output_item.added" => {
                let added = raw.get("item").unwrap_or(raw);
                if text(added, "type").as_deref() == Some("function_call") {
                    let block = call(added);
                    self.block(item, Part::Call, |_| block, facts, events)?;
                }
                return Ok(());
            }
            "response.output_item.done" => {
                return self.item(item, raw.get("item").unwrap_or(raw), facts, events);
            }
            _ => return Ok(()),
        };
        let Some(delta) = text(raw, "delta").filter(|delta| !delta.is_empty()) else {
            return Ok(());
        };
        let id = text(raw, "item_id");
        self.add(item, part, (id, None), delta, facts, events)
    }

    /// Reads an item that is done, and closes what is open of it.
    pub(super) fn item(
        &mut self,
        item: u64,
        raw: Raw<'_>,
        facts: &mut Facts,
        events: &mut Vec<Event>,
    ) -> Result<(), StreamFault> {
        match text(raw, "type").unwrap_or_default().as_str() {
            "message" => self.message(item, raw, facts, events)?,
            "reasoning" => self.reasoning(item, raw, facts, events)?,
            "function_call" => {
                let block = call(raw);
                let at = self.block(item, Part::Call, |_| block, facts, events)?;
                let arguments = text(raw, "arguments").filter(|text| !text.is_empty());
                if let Some(arguments) = arguments.filter(|_| !self.is_filled(item, Part::Call)) {
                    self.push(at, Piece::Arguments(arguments), facts, events);
                }
            }
            "custom_tool_call" => {
                let block = call(raw);
                let input = quoted(&text(raw, "input").unwrap_or_default());
                let at = self.block(item, Part::Call, |_| block, facts, events)?;
                self.push(at, Piece::Arguments(format!("{{\"input\":{input}}}")), facts, events);
            }
            "image_generation_call" => {
                if let Some(result) = text(raw, "result").filter(|result| !result.is_empty()) {
                    let kind = text(raw, "output_format").unwrap_or_else(|| "png".to_owned());
                    let url = quoted(&format!("data:image/{kind};base64,{result}"));
                    let json =
                        format!("{{\"type\":\"image_url\",\"image_url\":{{\"url\":{url}}}}}");
                    self.whole(Block::Image, Piece::Opaque(json), facts, events);
                }
            }
            _ => {}
        }
        self.close(events, |open| open.item == item);
        Ok(())
    }

    fn message(
        &mut self,
        item: u64,
        raw: Raw<'_>,
        facts: &mut Facts,
        events: &mut Vec<Event>,
    ) -> Result<(), StreamFault> {
        let mut cited = Vec::new();
        for (at, (_, content)) in
            (0_u64..).zip(raw.get("content").into_iter().flat_map(Raw::elements))
        {
            let (part, key) = match text(content, "type").unwrap_or_default().as_str() {
                "output_text" => (Part::Text(at), "text"),
                "refusal" => (Part::Refusal(at), "refusal"),
                _ => continue,
            };
            let whole = text(content, key).filter(|text| !text.is_empty());
            if let Some(whole) = whole.filter(|_| !self.is_filled(item, part)) {
                self.add(item, part, (None, None), whole, facts, events)?;
            }
            let logprobs = content.get("logprobs").into_iter().flat_map(Raw::elements);
            self.logprobs.extend(logprobs.map(|(_, one)| one.text().to_owned()));
            let annotations = content.get("annotations").into_iter().flat_map(Raw::elements);
            cited.extend(annotations.filter_map(|(_, annotation)| nested(annotation)));
        }
        if !cited.is_empty() {
            let block = Block::Opaque { name: "annotations".to_owned() };
            let piece = Piece::Opaque(format!("[{}]", cited.join(",")));
            self.whole(block, piece, facts, events);
        }
        Ok(())
    }

    fn reasoning(
        &mut self,
        item: u64,
        raw: Raw<'_>,
        facts: &mut Facts,
        events: &mut Vec<Event>,
    ) -> Result<(), StreamFault> {
        let (id, format) = (text(raw, "id"), text(raw, "format"));
        let mut last = None;
        for key in ["summary", "content"] {
            let parts = raw.get(key).into_iter().flat_map(Raw::elements);
            for (at, (_, one)) in (0_u64..).zip(parts) {
                let part = if key == "summary" { Part::Summary(at) } else { Part::Thought(at) };
                last = Some(part);
                let whole = text(one, "text").filter(|text| !text.is_empty());
                if let Some(whole) = whole.filter(|_| !self.is_filled(item, part)) {
                    let named = (id.clone(), format.clone());
                    self.add(item, part, named, whole, facts, events)?;
                }
            }
        }
        if let Some(signature) = text(raw, "signature").filter(|text| !text.is_empty()) {
            let part = last.unwrap_or(Part::Thought(0));
            let block = |part| block_of(part, id.clone(), format.clone());
            let at = self.block(item, part, block, facts, events)?;
            self.push(at, Piece::Signature(signature), facts, events);
        }
        if let Some(data) = text(raw, "encrypted_content").filter(|data| !data.is_empty()) {
            let format = Some(format.unwrap_or_else(|| FORMAT.to_owned()));
            let block = Block::Reasoning { form: ReasoningForm::Encrypted, id, format };
            self.close(events, |open| open.item == item);
            self.whole(block, Piece::Opaque(data), facts, events);
        }
        Ok(())
    }

    /// Adds text to a part, which opens when it is not open. A part of an item begins after the one
    /// before it ended.
    fn add(
        &mut self,
        item: u64,
        part: Part,
        (id, format): (Option<String>, Option<String>),
        text: String,
        facts: &mut Facts,
        events: &mut Vec<Event>,
    ) -> Result<(), StreamFault> {
        let at = self.block(item, part, |part| block_of(part, id, format), facts, events)?;
        let piece = match part {
            Part::Text(_) | Part::Refusal(_) => Piece::Text(text),
            Part::Summary(_) | Part::Thought(_) => Piece::Reasoning(text),
            Part::Call => Piece::Arguments(text),
        };
        self.push(at, piece, facts, events);
        Ok(())
    }

    /// The number of the block of a part; opens one when there is none.
    fn block(
        &mut self,
        item: u64,
        part: Part,
        block: impl FnOnce(Part) -> Block,
        facts: &mut Facts,
        events: &mut Vec<Event>,
    ) -> Result<u32, StreamFault> {
        if let Some(open) = self.find(item, part) {
            return Ok(open.index);
        }
        if self.open.len() >= MOST_OPEN {
            return Err(StreamFault::Malformed("too many open items".to_owned()));
        }
        let block = block(part);
        if matches!(block, Block::ToolCall { .. }) {
            facts.tool_calls = facts.tool_calls.saturating_add(1);
            facts.content_seen = true;
        }
        let index = self.start(block, events);
        self.open.push(Open { index, item, part, is_filled: false });
        Ok(index)
    }

    fn start(&mut self, block: Block, events: &mut Vec<Event>) -> u32 {
        let index = self.next;
        self.next = self.next.saturating_add(1);
        events.push(Event::Open { index, choice: 0, block });
        index
    }

    /// A block of one piece.
    fn whole(&mut self, block: Block, piece: Piece, facts: &mut Facts, events: &mut Vec<Event>) {
        facts.content_seen |= matches!(block, Block::Image | Block::Reasoning { .. });
        let index = self.start(block, events);
        events.push(Event::Delta { index, piece });
        events.push(Event::Close { index });
    }

    fn push(&mut self, index: u32, piece: Piece, facts: &mut Facts, events: &mut Vec<Event>) {
        let bytes = match &piece {
            Piece::Text(text) | Piece::Reasoning(text) | Piece::Arguments(text) => text.len(),
            Piece::Signature(_) | Piece::Opaque(_) => 0,
        };
        let bytes = u64::try_from(bytes).unwrap_or(u64::MAX);
        facts.content_seen |= bytes > 0;
        facts.output_bytes = facts.output_bytes.saturating_add(bytes);
        if let Some(open) = self.open.iter_mut().find(|open| open.index == index) {
            open.is_filled = true;
        }
        events.push(Event::Delta { index, piece });
    }

    fn find(&self, item: u64, part: Part) -> Option<&Open> {
        self.open.iter().find(|open| open.item == item && open.part == part)
    }

    fn is_filled(&self, item: u64, part: Part) -> bool {
        self.find(item, part).is_some_and(|open| open.is_filled)
    }

    fn close(&mut self, events: &mut Vec<Event>, which: impl Fn(&Open) -> bool) {
        self.open.retain(|open| {
            let is_closed = which(open);
            if is_closed {
                events.push(Event::Close { index: open.index });
            }
            !is_closed
        });
    }

    /// Tells of the probabilities in the chat dialect's form; nothing follows.
    pub(super) fn tell_logprobs(&mut self, facts: &mut Facts, events: &mut Vec<Event>) {
        if self.logprobs.is_empty() {
            return;
        }
        let list = std::mem::take(&mut self.logprobs).join(",");
        let piece = Piece::Opaque(format!("{{\"content\":[{list}],\"refusal\":null}}"));
        self.whole(Block::Opaque { name: "logprobs".to_owned() }, piece, facts, events);
    }

    /// Closes everything that is open.
    pub(super) fn close_all(&mut self, events: &mut Vec<Event>) {
        self.close(events, |_| true);
    }
}

fn block_of(part: Part, id: Option<String>, format: Option<String>) -> Block {
    let form = match part {
        Part::Text(_) => return Block::Text,
        Part::Refusal(_) => return Block::Refusal,
        // Arguments without a call: its item was never added.
        Part::Call => {
            return Block::ToolCall { id: id.unwrap_or_default(), name: String::new() };
        }
        Part::Summary(_) => ReasoningForm::Summary,
        Part::Thought(_) => ReasoningForm::Text,
    };
    let format = Some(format.unwrap_or_else(|| FORMAT.to_owned()));
    Block::Reasoning { form, id: id.filter(|id| !id.is_empty()), format }
}

fn call(item: Raw<'_>) -> Block {
    Block::ToolCall {
        id: text(item, "call_id").or_else(|| text(item, "id")).unwrap_or_default(),
        name: text(item, "name").unwrap_or_default(),
    }
}

/// A citation as the chat dialect nests it.
fn nested(annotation: Raw<'_>) -> Option<String> {
    if annotation.get("type")?.string()? != "url_citation" {
        return None;
    }
    let members = annotation.members().filter(|member| member.key != "type");
    let members: Vec<String> =
        members.map(|member| format!("{}:{}", quoted(&member.key), member.value.text())).collect();
    let inner = members.join(",");
    Some(format!("{{\"type\":\"url_citation\",\"url_citation\":{{{inner}}}}}"))
}
