//! One block on its way: what it is on the wire, and what waits until its turn comes.

use super::push_event;
use crate::anthropic_messages::carried;
use crate::anthropic_messages::write_citation::citations;
use crate::event::{Block, Piece, ReasoningForm};
use crate::scan::push_string;

/// What a block is on the wire.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Shape {
    Text,
    Thinking,
    /// Written in one piece when it is whole: there is no delta for it.
    Redacted,
    ToolUse {
        id: String,
        name: String,
    },
}

/// Where a block stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum State {
    /// It has no place in this dialect, or nobody wants it.
    Dropped,
    /// Its turn has not come.
    Waiting,
    /// It is being written, under this index.
    Written(u32),
    /// It is complete on the wire.
    Stopped,
}

/// One block.
#[derive(Debug, Clone)]
pub(super) struct Slot {
    pub(super) state: State,
    /// Whether the event for its end came.
    pub(super) closed: bool,
    /// The block itself, when it is an aside that tells of the end.
    pub(super) aside: Option<Block>,
    shape: Option<Shape>,
    /// Pieces that came before its turn.
    held: Vec<Piece>,
    /// The text of encrypted reasoning.
    data: String,
    /// What stands before a signature or encrypted text of another format.
    prefix: String,
    /// What stands for a signature when none comes.
    unsigned: String,
    arguments: Arguments,
}

impl Slot {
    /// A block that nobody gets.
    pub(super) fn dropped() -> Self {
        Self {
            state: State::Dropped,
            closed: false,
            aside: None,
            shape: None,
            held: Vec::new(),
            data: String::new(),
            prefix: String::new(),
            unsigned: String::new(),
            arguments: Arguments::default(),
        }
    }

    /// A block that has just opened.
    pub(super) fn new(block: &Block, exclude_reasoning: bool) -> Self {
        let waiting = |shape| Self { state: State::Waiting, shape: Some(shape), ..Self::dropped() };
        match block {
            Block::Text | Block::Refusal => waiting(Shape::Text),
            Block::Reasoning { .. } if exclude_reasoning => Self::dropped(),
            Block::Reasoning { form, id, format } => {
                let shape = match form {
                    ReasoningForm::Text | ReasoningForm::Summary => Shape::Thinking,
                    ReasoningForm::Encrypted => Shape::Redacted,
                };
                let prefix = carried::prefix(format.as_deref(), id.as_deref());
                let unsigned = carried::unsigned(format.as_deref(), id.as_deref());
                Self { prefix, unsigned, ..waiting(shape) }
            }
            Block::ToolCall { id, name } => {
                waiting(Shape::ToolUse { id: id.clone(), name: name.clone() })
            }
            Block::Opaque { .. } => Self { aside: Some(block.clone()), ..Self::dropped() },
            Block::Image | Block::Audio => Self::dropped(),
        }
    }

    /// Whether it is text.
    pub(super) fn is_text(&self) -> bool {
        self.shape == Some(Shape::Text)
    }

    /// Whether it is reasoning of another format that only its provider can read.
    pub(super) fn is_sealed_elsewhere(&self) -> bool {
        self.shape == Some(Shape::Redacted) && !self.prefix.is_empty()
    }

    /// Adds the sources of a list of annotations, when this is a text that is being written.
    pub(super) fn cite(&self, annotations: &str, out: &mut Vec<u8>) {
        let State::Written(index) = self.state else { return };
        if !self.is_text() {
            return;
        }
        for citation in citations(annotations) {
            push_event(out, "content_block_delta");
            out.extend_from_slice(
                format!(
                    ",\"index\":{index},\"delta\":{{\"type\":\"citations_delta\",\"citation\":{citation}}}}}\n\n"
                )
                .as_bytes(),
            );
        }
    }

    /// Whether it can end before its event does: a call with whole arguments.
    pub(super) fn makes_way(&self) -> bool {
        matches!(self.shape, Some(Shape::ToolUse { .. })) && self.arguments.are_whole()
    }

    /// Takes a piece: writes it when it is this block's turn, else keeps it.
    pub(super) fn add(&mut self, piece: &Piece, out: &mut Vec<u8>) {
        match self.state {
            State::Dropped | State::Stopped => {}
            State::Waiting => {
                if let Piece::Arguments(text) = piece {
                    self.arguments.read(text);
                }
                self.held.push(piece.clone());
            }
            State::Written(index) => {
                if let Piece::Arguments(text) = piece {
                    self.arguments.read(text);
                }
                self.write(index, piece, out);
            }
        }
    }

    /// Its turn has come.
    pub(super) fn start(&mut self, index: u32, out: &mut Vec<u8>) {
        self.state = State::Written(index);
        match &self.shape {
            Some(Shape::Text) => push_start(out, index, b"{\"type\":\"text\",\"text\":\"\"}"),
            Some(Shape::Thinking) => {
                push_start(
                    out,
                    index,
                    b"{\"type\":\"thinking\",\"thinking\":\"\",\"signature\":\"\"}",
                );
            }
            Some(Shape::ToolUse { id, name }) => {
                let mut block = b"{\"type\":\"tool_use\",\"id\":".to_vec();
                push_string(&mut block, id);
                block.extend_from_slice(b",\"name\":");
                push_string(&mut block, name);
                block.extend_from_slice(b",\"input\":{}}");
                push_start(out, index, &block);
            }
            Some(Shape::Redacted) | None => {}
        }
        for piece in std::mem::take(&mut self.held) {
            self.write(index, &piece, out);
        }
    }

    /// Ends it on the wire; `false` when nothing of it was written.
    pub(super) fn stop(&mut self, index: u32, out: &mut Vec<u8>) -> bool {
        self.state = State::Stopped;
        if self.shape == Some(Shape::Redacted) {
            if self.data.is_empty() {
                return false;
            }
            let mut block = b"{\"type\":\"redacted_thinking\",\"data\":".to_vec();
            push_string(&mut block, &format!("{}{}", self.prefix, self.data));
            block.push(b'}');
            push_start(out, index, &block);
            self.data = String::new();
        }
        if self.shape == Some(Shape::Thinking) && !self.unsigned.is_empty() {
            push_delta(out, index, "signature_delta", "signature", &self.unsigned);
        }
        push_event(out, "content_block_stop");
        out.extend_from_slice(format!(",\"index\":{index}}}\n\n").as_bytes());
        true
    }

    fn write(&mut self, index: u32, piece: &Piece, out: &mut Vec<u8>) {
        let (kind, member, text) = match (&self.shape, piece) {
            (Some(Shape::Text), Piece::Text(text)) => ("text_delta", "text", text),
            (Some(Shape::Thinking), Piece::Reasoning(text)) => ("thinking_delta", "thinking", text),
            (Some(Shape::Thinking), Piece::Signature(text)) => {
                // The first fragment carries what stands before the whole.
                let text = format!("{}{text}", std::mem::take(&mut self.prefix));
                self.unsigned = String::new();
                return push_delta(out, index, "signature_delta", "signature", &text);
            }
            (Some(Shape::ToolUse { .. }), Piece::Arguments(text)) => {
                ("input_json_delta", "partial_json", text)
            }
            (Some(Shape::Redacted), Piece::Opaque(data)) => {
                self.data.push_str(data);
                return;
            }
            _ => return,
        };
        push_delta(out, index, kind, member, text);
    }
}

fn push_start(out: &mut Vec<u8>, index: u32, block: &[u8]) {
    push_event(out, "content_block_start");
    out.extend_from_slice(format!(",\"index\":{index},\"content_block\":").as_bytes());
    out.extend_from_slice(block);
    out.extend_from_slice(b"}\n\n");
}

fn push_delta(out: &mut Vec<u8>, index: u32, kind: &str, member: &str, text: &str) {
    push_event(out, "content_block_delta");
    out.extend_from_slice(
        format!(",\"index\":{index},\"delta\":{{\"type\":\"{kind}\",\"{member}\":").as_bytes(),
    );
    push_string(out, text);
    out.extend_from_slice(b"}}\n\n");
}

/// Follows JSON in fragments far enough to see its end.
#[derive(Debug, Clone, Copy, Default)]
struct Arguments {
    depth: u64,
    in_string: bool,
    escaped: bool,
    whole: bool,
    /// It ended something that had not begun: nobody knows where it will end.
    broken: bool,
}

impl Arguments {
    fn read(&mut self, text: &str) {
        for byte in text.bytes() {
            if self.in_string {
                match byte {
                    _ if self.escaped => self.escaped = false,
                    b'\\' => self.escaped = true,
                    b'"' => self.in_string = false,
                    _ => {}
                }
                continue;
            }
            match byte {
                b'"' => self.in_string = true,
                b'{' | b'[' => self.depth = self.depth.saturating_add(1),
                b'}' | b']' => {
                    self.broken |= self.depth == 0;
                    self.depth = self.depth.saturating_sub(1);
                    self.whole |= self.depth == 0;
                }
                _ => {}
            }
        }
    }

    /// Whether an object or list has come to its end and nothing was begun after it.
    const fn are_whole(&self) -> bool {
        self.whole && self.depth == 0 && !self.in_string && !self.broken
    }
}
