//! Which blocks are open, and what a chat message adds to them.

use std::borrow::Cow;

use crate::event::{Block, Event, FinishReason, Piece, ReasoningForm};
use crate::scan;

/// What makes two pieces part of the same block.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Key {
    Text,
    /// The form and the provider's number of the block.
    Reasoning(ReasoningForm, u64),
    Refusal,
    Tool(u64),
    Aside(Block),
}

impl Key {
    /// Tool calls and asides stay open beside other blocks until their choice ends: fragments of
    /// parallel calls may alternate, and asides come with any chunk.
    fn stays(&self) -> bool {
        matches!(self, Self::Tool(_) | Self::Aside(_))
    }
}

#[derive(Debug)]
struct Open {
    index: u32,
    choice: u32,
    key: Key,
}

/// The format of reasoning whose provider names none.
fn unknown() -> Option<String> {
    Some("unknown".to_owned())
}

/// The open blocks of an answer.
#[derive(Debug, Default)]
pub(super) struct Blocks {
    open: Vec<Open>,
    next: u32,
}

impl Blocks {
    /// Reads a message that the relay wrote. `body` is the name of the member with the content.
    pub(super) fn read(&mut self, text: &str, body: &str, events: &mut Vec<Event>) {
        for (name, value) in scan::members(text) {
            if name == "choices" {
                for choice in scan::items(value) {
                    self.read_choice(choice, body, events);
                }
            }
        }
    }

    fn read_choice(&mut self, raw: &str, body: &str, events: &mut Vec<Event>) {
        let members = scan::members(raw);
        let member =
            |wanted: &str| members.iter().find(|(name, _)| name == wanted).map(|&(_, value)| value);
        let index = member("index").and_then(|raw| raw.parse().ok()).unwrap_or(0);
        if let Some(raw) = member(body) {
            self.read_body(raw, index, events);
        }
        for (name, value) in &members {
            // Names that mean something inside the message mean nothing beside it.
            let known = ["index", "finish_reason", "native_finish_reason", body];
            let inner = ["content", "refusal", "role", "reasoning", "tool_calls"];
            let is_known = known.contains(&&**name) || inner.contains(&&**name);
            if !is_known && !name.starts_with("reasoning_") && *value != "null" {
                self.aside(index, name, value, events);
            }
        }
        if let Some(reason) = member("finish_reason").and_then(scan::text) {
            self.close(events, |open| open.choice == index);
            events.push(Event::ChoiceEnd {
                choice: index,
                reason: FinishReason::normalise(&reason),
                native: member("native_finish_reason").and_then(scan::text).map(Cow::into_owned),
            });
        }
    }

    fn read_body(&mut self, raw: &str, choice: u32, events: &mut Vec<Event>) {
        let members = scan::members(raw);
        let member =
            |wanted: &str| members.iter().find(|(name, _)| name == wanted).map(|&(_, value)| value);
        // Reasoning comes before what it led to, wherever it stands in the message.
        let mut has_text = false;
        for detail in member("reasoning_details").map(scan::items).unwrap_or_default() {
            has_text |= self.read_detail(detail, choice, events);
        }
        if let Some(text) = member("reasoning").filter(|raw| scan::is_text(raw) && !has_text) {
            let block = Block::Reasoning { form: ReasoningForm::Text, id: None, format: unknown() };
            let key = Key::Reasoning(ReasoningForm::Text, 0);
            let index = self.block(choice, key, block, events);
            let piece = Piece::Reasoning(scan::unescape(text).into_owned());
            events.push(Event::Delta { index, piece });
        }
        for (name, value) in &members {
            match &**name {
                "role" | "reasoning" | "reasoning_details" => {}
                "content" => self.text(choice, Key::Text, Block::Text, value, events),
                "refusal" => self.text(choice, Key::Refusal, Block::Refusal, value, events),
                "tool_calls" => {
                    for (position, call) in (0u64..).zip(scan::items(value)) {
                        self.read_call(call, position, choice, events);
                    }
                }
                _ if *value != "null" => self.aside(choice, name, value, events),
                _ => {}
            }
        }
    }

    /// The number of the open block with this key; opens one when there is none.
    fn block(&mut self, choice: u32, key: Key, block: Block, events: &mut Vec<Event>) -> u32 {
        let known = self.open.iter().find(|open| open.choice == choice && open.key == key);
        if let Some(open) = known {
            return open.index;
        }
        if !matches!(key, Key::Aside(_)) {
            self.close(events, |open| open.choice == choice && !open.key.stays());
        }
        let index = self.next;
        self.next = self.next.saturating_add(1);
        self.open.push(Open { index, choice, key });
        events.push(Event::Open { index, choice, block });
        index
    }

    fn close(&mut self, events: &mut Vec<Event>, which: impl Fn(&Open) -> bool) {
        self.open.retain(|open| {
            if which(open) {
                events.push(Event::Close { index: open.index });
                return false;
            }
            true
        });
    }

    pub(super) fn close_all(&mut self, events: &mut Vec<Event>) {
        self.close(events, |_| true);
    }

    fn text(&mut self, choice: u32, key: Key, block: Block, raw: &str, events: &mut Vec<Event>) {
        if raw.starts_with('[') && key == Key::Text {
            return self.aside(choice, "content", raw, events);
        }
        if scan::is_text(raw) {
            let index = self.block(choice, key, block, events);
            let piece = Piece::Text(scan::unescape(raw).into_owned());
            events.push(Event::Delta { index, piece });
        }
    }

    /// A member that is passed on as it stands; arrays give one piece per item.
    fn aside(&mut self, choice: u32, name: &str, raw: &str, events: &mut Vec<Event>) {
        let (block, pieces) = match name {
            "images" if raw.starts_with('[') => (Block::Image, scan::items(raw)),
            "audio" => (Block::Audio, vec![raw]),
            _ => (Block::Opaque { name: name.to_owned() }, vec![raw]),
        };
        if pieces.is_empty() {
            return;
        }
        let index = self.block(choice, Key::Aside(block.clone()), block, events);
        for piece in pieces {
            events.push(Event::Delta { index, piece: Piece::Opaque(piece.to_owned()) });
        }
    }

    fn read_call(&mut self, raw: &str, position: u64, choice: u32, events: &mut Vec<Event>) {
        let (mut number, mut id, mut name, mut arguments) = (position, None, None, None);
        for (key, value) in scan::members(raw) {
            match &*key {
                "index" => number = scan::whole(value).unwrap_or(position),
                "id" => id = scan::text(value),
                "function" | "custom" => {
                    for (key, value) in scan::members(value) {
                        match &*key {
                            "name" => name = scan::text(value),
                            "arguments" | "input" => arguments = scan::text(value),
                            _ => {}
                        }
                    }
                }
                _ => {}
            }
        }
        let block = Block::ToolCall {
            id: id.map(Cow::into_owned).unwrap_or_default(),
            name: name.map(Cow::into_owned).unwrap_or_default(),
        };
        let index = self.block(choice, Key::Tool(number), block, events);
        if let Some(text) = arguments.filter(|text| !text.is_empty()) {
            events.push(Event::Delta { index, piece: Piece::Arguments(text.into_owned()) });
        }
    }

    /// Reads one item of `reasoning_details`; `true` when it has readable text.
    fn read_detail(&mut self, raw: &str, choice: u32, events: &mut Vec<Event>) -> bool {
        let members = scan::members(raw);
        let text = |wanted: &str| {
            let (_, value) = members.iter().find(|(name, _)| name == wanted)?;
            scan::text(value).map(Cow::into_owned)
        };
        let (form, content) = match text("type").as_deref() {
            Some("reasoning.text") => (ReasoningForm::Text, text("text")),
            Some("reasoning.summary") => (ReasoningForm::Summary, text("summary")),
            Some("reasoning.encrypted") => (ReasoningForm::Encrypted, text("data")),
            _ => {
                self.aside(choice, "reasoning_details", raw, events);
                return false;
            }
        };
        let content = content.filter(|content| !content.is_empty());
        let signature = text("signature").filter(|text| !text.is_empty());
        if content.is_none() && signature.is_none() {
            return false;
        }
        let index = members.iter().find(|(name, _)| name == "index");
        let number = index.and_then(|(_, raw)| scan::whole(raw)).unwrap_or(0);
        let block =
            Block::Reasoning { form, id: text("id"), format: text("format").or_else(unknown) };
        let index = self.block(choice, Key::Reasoning(form, number), block, events);
        let readable = form != ReasoningForm::Encrypted && content.is_some();
        if let Some(content) = content {
            let piece = match form {
                ReasoningForm::Encrypted => Piece::Opaque(content),
                ReasoningForm::Text | ReasoningForm::Summary => Piece::Reasoning(content),
            };
            events.push(Event::Delta { index, piece });
        }
        if let Some(signature) = signature {
            events.push(Event::Delta { index, piece: Piece::Signature(signature) });
        }
        readable
    }
}
