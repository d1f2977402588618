//! Events as chat answers: the hub's road out.

use bytes::Bytes;

use super::chunk::{Shape, comma, head};
use super::stream_relay::push_closing;
use crate::event::{Block, Event, FinishReason, Folded, FoldedBlock, Piece, ReasoningForm};
use crate::identity::{Extras, Identity, RelayOptions, UsageReport};
use crate::scan::push_string;

/// Choice-level members; every other aside belongs to the message.
const OF_THE_CHOICE: &[&str] = &["logprobs", "content_filter_results"];

/// Writes a chat stream from events. Usage and the end marker are the gateway's, and so is the
/// event for an error.
#[derive(Debug)]
pub struct ChatWriter {
    head: Vec<u8>,
    exclude_reasoning: bool,
    /// By block number: its choice, what it is, and its number among the blocks of its kind.
    blocks: Vec<(u32, Block, u32)>,
    /// Choices that have begun: the first delta of each carries the role.
    begun: Vec<u32>,
}

impl ChatWriter {
    /// A writer for one answer.
    #[must_use]
    pub fn new(identity: &Identity, options: RelayOptions) -> Self {
        Self {
            head: head(identity, Shape::Chunk),
            exclude_reasoning: options.exclude_reasoning,
            blocks: Vec::new(),
            begun: Vec::new(),
        }
    }

    /// Appends the chunks of one event.
    pub fn write(&mut self, event: &Event, out: &mut Vec<u8>) {
        match event {
            Event::Open { choice, block, .. } => self.open(*choice, block, out),
            Event::Delta { index, piece } => {
                let at = usize::try_from(*index).unwrap_or(usize::MAX);
                let Some((choice, block, number)) = self.blocks.get(at).cloned() else { return };
                let is_reasoning = matches!(block, Block::Reasoning { .. });
                if is_reasoning && self.exclude_reasoning {
                    return;
                }
                self.delta(choice, out, |out| push_piece(out, &block, number, piece));
            }
            Event::ChoiceEnd { choice, reason, native } => {
                self.begin(*choice, out);
                self.start(*choice, out);
                out.extend_from_slice(b"\"delta\":{}");
                push_finish(out, *reason, native.as_deref());
                out.extend_from_slice(b"}]}\n\n");
            }
            Event::Begin { .. }
            | Event::Close { .. }
            | Event::Usage(_)
            | Event::Finish { .. }
            | Event::Error(_) => {}
        }
    }

    /// The last chunk: no choices, but usage and what only the gateway knows (inference spec 3.1).
    #[must_use]
    pub fn usage_chunk(&self, report: &UsageReport, extras: &Extras<'_>) -> Vec<u8> {
        let mut out = self.head.clone();
        out.extend_from_slice(b",\"choices\":[]");
        push_closing(&mut out, report, extras);
        out.extend_from_slice(b"}\n\n");
        out
    }

    fn open(&mut self, choice: u32, block: &Block, out: &mut Vec<u8>) {
        let alike = |other: &Block| std::mem::discriminant(other) == std::mem::discriminant(block);
        let earlier = self.blocks.iter().filter(|(of, other, _)| *of == choice && alike(other));
        let number = u32::try_from(earlier.count()).unwrap_or(u32::MAX);
        self.blocks.push((choice, block.clone(), number));
        self.begin(choice, out);
        if let Block::ToolCall { id, name } = block {
            self.delta(choice, out, |out| {
                out.extend_from_slice(b"\"tool_calls\":[{\"index\":");
                out.extend_from_slice(number.to_string().as_bytes());
                out.push(b',');
                push_call(out, id, name, "");
                out.extend_from_slice(b"}]");
            });
        }
    }

    /// The first delta of a choice, even of one that says nothing.
    fn begin(&mut self, choice: u32, out: &mut Vec<u8>) {
        if !self.begun.contains(&choice) {
            self.begun.push(choice);
            self.delta(choice, out, |out| {
                out.extend_from_slice(b"\"role\":\"assistant\",\"content\":\"\"");
            });
        }
    }

    /// Everything of a chunk before `delta`.
    fn start(&self, choice: u32, out: &mut Vec<u8>) {
        out.extend_from_slice(&self.head);
        out.extend_from_slice(b",\"choices\":[{\"index\":");
        out.extend_from_slice(choice.to_string().as_bytes());
        out.push(b',');
    }

    fn delta(&self, choice: u32, out: &mut Vec<u8>, body: impl FnOnce(&mut Vec<u8>)) {
        self.start(choice, out);
        out.extend_from_slice(b"\"delta\":{");
        body(out);
        // A member of the choice has closed the delta itself.
        if !out.ends_with(b"\n") {
            out.extend_from_slice(b"},\"finish_reason\":null}]}\n\n");
        }
    }
}

fn push_finish(out: &mut Vec<u8>, reason: FinishReason, native: Option<&str>) {
    out.extend_from_slice(b",\"finish_reason\":");
    push_string(out, reason.name());
    out.extend_from_slice(b",\"native_finish_reason\":");
    match native {
        Some(native) => push_string(out, native),
        None => out.extend_from_slice(b"null"),
    }
}

/// Appends the members of a call after its index.
fn push_call(out: &mut Vec<u8>, id: &str, name: &str, arguments: &str) {
    out.extend_from_slice(b"\"id\":");
    push_string(out, id);
    out.extend_from_slice(b",\"type\":\"function\",\"function\":{\"name\":");
    push_string(out, name);
    out.extend_from_slice(b",\"arguments\":");
    push_string(out, arguments);
    out.push(b'}');
}

/// Appends `"name":"text"`.
fn push_text(out: &mut Vec<u8>, name: &str, text: &str) {
    comma(out);
    push_string(out, name);
    out.push(b':');
    push_string(out, text);
}

/// Appends `"name":raw`.
fn push_raw(out: &mut Vec<u8>, name: &str, raw: &str) {
    comma(out);
    push_string(out, name);
    out.push(b':');
    out.extend_from_slice(raw.as_bytes());
}

/// Appends what a piece adds to a delta.
fn push_piece(out: &mut Vec<u8>, block: &Block, number: u32, piece: &Piece) {
    match (block, piece) {
        (Block::Reasoning { form, id, format }, piece) => {
            let (member, text) = match (form, piece) {
                (_, Piece::Signature(signature)) => ("signature", signature),
                (ReasoningForm::Text, Piece::Reasoning(text)) => ("text", text),
                (ReasoningForm::Summary, Piece::Reasoning(text)) => ("summary", text),
                (_, Piece::Opaque(data)) => ("data", data),
                _ => return,
            };
            if let Piece::Reasoning(text) = piece {
                push_text(out, "reasoning", text);
            }
            comma(out);
            out.extend_from_slice(b"\"reasoning_details\":[{");
            push_detail(out, *form, id.as_deref(), format.as_deref(), number);
            push_text(out, member, text);
            out.extend_from_slice(b"}]");
        }
        (Block::ToolCall { .. }, Piece::Arguments(arguments)) => {
            out.extend_from_slice(b"\"tool_calls\":[{\"index\":");
            out.extend_from_slice(number.to_string().as_bytes());
            out.extend_from_slice(b",\"function\":{\"arguments\":");
            push_string(out, arguments);
            out.extend_from_slice(b"}}]");
        }
        (Block::Text, Piece::Text(text)) => push_text(out, "content", text),
        (Block::Refusal, Piece::Text(text)) => push_text(out, "refusal", text),
        (Block::Image, Piece::Opaque(raw)) => {
            out.extend_from_slice(b"\"images\":[");
            out.extend_from_slice(raw.as_bytes());
            out.push(b']');
        }
        (Block::Audio, Piece::Opaque(raw)) => push_raw(out, "audio", raw),
        (Block::Opaque { name }, Piece::Opaque(raw)) if name == "reasoning_details" => {
            out.extend_from_slice(b"\"reasoning_details\":[");
            out.extend_from_slice(raw.as_bytes());
            out.push(b']');
        }
        (Block::Opaque { name }, Piece::Opaque(raw)) if of_the_choice(name) => {
            out.push(b'}');
            push_raw(out, name, raw);
            out.extend_from_slice(b",\"finish_reason\":null}]}\n\n");
        }
        (Block::Opaque { name }, Piece::Opaque(raw)) => push_raw(out, name, raw),
        _ => {}
    }
}

fn of_the_choice(name: &str) -> bool {
    OF_THE_CHOICE.contains(&name)
}

/// Appends the members of a reasoning detail before its text.
fn push_detail(
    out: &mut Vec<u8>,
    form: ReasoningForm,
    id: Option<&str>,
    format: Option<&str>,
    number: u32,
) {
    out.extend_from_slice(b"\"type\":");
    push_string(
        out,
        match form {
            ReasoningForm::Text => "reasoning.text",
            ReasoningForm::Summary => "reasoning.summary",
            ReasoningForm::Encrypted => "reasoning.encrypted",
        },
    );
    if let Some(id) = id {
        push_text(out, "id", id);
    }
    push_text(out, "format", format.unwrap_or("unknown"));
    push_raw(out, "index", &number.to_string());
}

/// Writes a whole chat answer from events.
#[must_use]
pub fn write_unary_events(
    events: &[Event],
    identity: &Identity,
    report: &UsageReport,
    options: RelayOptions,
    extras: &Extras<'_>,
) -> Bytes {
    let folded = Folded::of(events);
    let mut out = head(identity, Shape::Whole);
    out.extend_from_slice(b",\"choices\":[");
    for choice in &folded.choices {
        comma(&mut out);
        out.push(b'{');
        push_raw(&mut out, "index", &choice.index.to_string());
        push_message(&mut out, &choice.blocks, options.exclude_reasoning);
        for block in &choice.blocks {
            if let (Block::Opaque { name }, Some(raw)) = (&block.block, block.opaque.last())
                && of_the_choice(name)
            {
                push_raw(&mut out, name, raw);
            }
        }
        match &choice.end {
            Some((reason, native)) => push_finish(&mut out, *reason, native.as_deref()),
            None => out.extend_from_slice(b",\"finish_reason\":null"),
        }
        out.push(b'}');
    }
    out.extend_from_slice(b"],\"system_fingerprint\":null");
    push_closing(&mut out, report, extras);
    out.push(b'}');
    out.into()
}

fn push_message(out: &mut Vec<u8>, blocks: &[FoldedBlock], exclude_reasoning: bool) {
    let joined = |wanted: fn(&Block) -> bool| -> String {
        blocks.iter().filter(|b| wanted(&b.block)).map(|b| b.text.as_str()).collect()
    };
    let each = |wanted: fn(&Block) -> bool| blocks.iter().filter(move |b| wanted(&b.block));
    out.extend_from_slice(b",\"message\":{\"role\":\"assistant\",\"content\":");
    let text = joined(|block| matches!(block, Block::Text));
    if text.is_empty() {
        out.extend_from_slice(b"null")
    } else {
        push_string(out, &text)
    }
    let refusal = joined(|block| matches!(block, Block::Refusal));
    if !refusal.is_empty() {
        push_text(out, "refusal", &refusal);
    }
    if !exclude_reasoning {
        push_reasoning(out, blocks);
    }
    let mut calls = each(|block| matches!(block, Block::ToolCall { .. })).peekable();
    if calls.peek().is_some() {
        out.extend_from_slice(b",\"tool_calls\":[");
        for call in calls {
            if let Block::ToolCall { id, name } = &call.block {
                comma(out);
                out.push(b'{');
                push_call(out, id, name, &call.text);
                out.push(b'}');
            }
        }
        out.push(b']');
    }
    let images: Vec<&str> = each(|block| matches!(block, Block::Image))
        .flat_map(|block| block.opaque.iter().map(String::as_str))
        .collect();
    if !images.is_empty() {
        push_raw(out, "images", &format!("[{}]", images.join(",")));
    }
    for block in blocks {
        match (&block.block, block.opaque.last()) {
            (Block::Audio, Some(raw)) => push_raw(out, "audio", raw),
            (Block::Opaque { name }, Some(raw))
                if !of_the_choice(name) && name != "reasoning_details" =>
            {
                push_raw(out, name, raw);
            }
            _ => {}
        }
    }
    out.push(b'}');
}

fn push_reasoning(out: &mut Vec<u8>, blocks: &[FoldedBlock]) {
    let text: String =
        blocks.iter().filter(|b| b.is_reasoning()).map(|b| b.text.as_str()).collect();
    if !text.is_empty() {
        push_text(out, "reasoning", &text);
    }
    let mut details = Vec::new();
    let mut number = 0;
    for block in blocks {
        let Block::Reasoning { form, id, format } = &block.block else {
            if let Block::Opaque { name } = &block.block
                && name == "reasoning_details"
            {
                for raw in &block.opaque {
                    details.extend_from_slice(if details.is_empty() { b"" } else { b"," });
                    details.extend_from_slice(raw.as_bytes());
                }
            }
            continue;
        };
        details.extend_from_slice(if details.is_empty() { b"{" } else { b",{" });
        push_detail(&mut details, *form, id.as_deref(), format.as_deref(), number);
        match form {
            ReasoningForm::Text => push_text(&mut details, "text", &block.text),
            ReasoningForm::Summary => push_text(&mut details, "summary", &block.text),
            ReasoningForm::Encrypted => push_text(&mut details, "data", &block.opaque.concat()),
        }
        if let Some(signature) = &block.signature {
            push_text(&mut details, "signature", signature);
        }
        details.push(b'}');
        number += 1;
    }
    if !details.is_empty() {
        out.extend_from_slice(b",\"reasoning_details\":[");
        out.extend_from_slice(&details);
        out.push(b']');
    }
}
