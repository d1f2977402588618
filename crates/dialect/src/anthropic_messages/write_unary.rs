//! Whole answers in this dialect (inference spec 16.5).

use bytes::Bytes;

use super::carried;
use super::write_citation::citations;
use super::write_stream::{End, push_head};
use super::write_usage::push_usage;
use crate::event::{Block, Event, Folded, FoldedBlock, ReasoningForm};
use crate::identity::{Extras, Identity, RelayOptions, UsageReport};
use crate::scan::{Scanner, push_string};

/// Writes a whole answer from events. The first choice alone is written; generated images, audio
/// and asides have no place here.
#[must_use]
pub fn write_unary_events(
    events: &[Event],
    identity: &Identity,
    report: &UsageReport,
    options: RelayOptions,
    extras: &Extras<'_>,
) -> Bytes {
    let folded = Folded::of(events);
    let mut end = End::default();
    let mut out = Vec::with_capacity(1024);
    push_head(&mut out, identity);
    out.extend_from_slice(b",\"content\":[");
    if let Some(choice) = folded.choices.iter().find(|choice| choice.index == 0) {
        if let Some((reason, native)) = &choice.end {
            end.reason = Some(*reason);
            end.native.clone_from(native);
        }
        for block in &choice.blocks {
            end.notice(&block.block, block.opaque.last().map(String::as_str));
        }
        for (block, sources) in shown(&choice.blocks).iter().zip(sources(&choice.blocks)) {
            push_block(&mut out, block, &sources, options.exclude_reasoning);
        }
    }
    out.extend_from_slice(b"],");
    end.push(&mut out);
    out.extend_from_slice(b",\"usage\":");
    push_usage(&mut out, report, extras);
    if let Some(metadata) = extras.router_metadata {
        out.extend_from_slice(b",\"openrouter_metadata\":");
        out.extend_from_slice(metadata.as_bytes());
    }
    out.push(b'}');
    out.into()
}

/// The blocks without sealed reasoning of another format that nothing follows, as in a stream.
fn shown(blocks: &[FoldedBlock]) -> &[FoldedBlock] {
    let is_aside =
        |block: &Block| matches!(block, Block::Image | Block::Audio | Block::Opaque { .. });
    let is_sealed_elsewhere = |block: &Block| match block {
        Block::Reasoning { form: ReasoningForm::Encrypted, id, format } => {
            !carried::prefix(format.as_deref(), id.as_deref()).is_empty()
        }
        _ => false,
    };
    let last = blocks
        .iter()
        .rposition(|block| !is_aside(&block.block) && !is_sealed_elsewhere(&block.block));
    match last.and_then(|at| Some((at, blocks.get(at)?))) {
        Some((at, block)) if matches!(block.block, Block::Text | Block::Refusal) => {
            blocks.get(..=at).unwrap_or(blocks)
        }
        _ => blocks,
    }
}

/// The sources of each block: those that are told of after a text, before anything else is said, are
/// its; others are of the next one.
fn sources(blocks: &[FoldedBlock]) -> Vec<Vec<String>> {
    let mut lists = vec![Vec::new(); blocks.len()];
    let (mut said, mut waiting) = (None, Vec::new());
    for (at, block) in blocks.iter().enumerate() {
        match &block.block {
            Block::Text | Block::Refusal => {
                said = Some(at);
                if let Some(list) = lists.get_mut(at) {
                    list.append(&mut waiting);
                }
            }
            Block::Opaque { .. } | Block::Image | Block::Audio => {
                match said.and_then(|at| lists.get_mut(at)) {
                    Some(list) => list.extend(cited(block)),
                    None => waiting.extend(cited(block)),
                }
            }
            Block::Reasoning { .. } | Block::ToolCall { .. } => said = None,
        }
    }
    lists
}

/// The sources that a block tells of.
fn cited(block: &FoldedBlock) -> Vec<String> {
    match &block.block {
        Block::Opaque { name } if name == "annotations" => {
            block.opaque.iter().flat_map(|list| citations(list)).collect()
        }
        _ => Vec::new(),
    }
}

fn push_block(out: &mut Vec<u8>, block: &FoldedBlock, sources: &[String], exclude_reasoning: bool) {
    match &block.block {
        Block::Text | Block::Refusal => {
            begin(out, "text", "text");
            push_string(out, &block.text);
            if !sources.is_empty() {
                let list = sources.join(",");
                out.extend_from_slice(format!(",\"citations\":[{list}]").as_bytes());
            }
        }
        Block::Reasoning { .. } if exclude_reasoning => return,
        Block::Reasoning { form, id, format } => {
            let prefix = carried::prefix(format.as_deref(), id.as_deref());
            match form {
                ReasoningForm::Text | ReasoningForm::Summary => {
                    begin(out, "thinking", "thinking");
                    push_string(out, &block.text);
                    out.extend_from_slice(b",\"signature\":");
                    let signature = block.signature.as_deref();
                    let unsigned = || carried::unsigned(format.as_deref(), id.as_deref());
                    let signature =
                        signature.map_or_else(unsigned, |text| format!("{prefix}{text}"));
                    push_string(out, &signature);
                }
                ReasoningForm::Encrypted => {
                    let data = block.opaque.concat();
                    if data.is_empty() {
                        return;
                    }
                    begin(out, "redacted_thinking", "data");
                    push_string(out, &format!("{prefix}{data}"));
                }
            }
        }
        Block::ToolCall { id, name } => {
            begin(out, "tool_use", "id");
            push_string(out, id);
            out.extend_from_slice(b",\"name\":");
            push_string(out, name);
            out.extend_from_slice(b",\"input\":");
            push_input(out, &block.text);
        }
        Block::Image | Block::Audio | Block::Opaque { .. } => return,
    }
    out.push(b'}');
}

fn begin(out: &mut Vec<u8>, kind: &str, member: &str) {
    if out.last() != Some(&b'[') {
        out.push(b',');
    }
    out.extend_from_slice(format!("{{\"type\":\"{kind}\",\"{member}\":").as_bytes());
}

/// Appends the arguments of a call, which must be an object here. None at all are an empty one; text
/// that is no object goes whole into one member, so that the client sees what the model wrote.
fn push_input(out: &mut Vec<u8>, arguments: &str) {
    let mut scanner = Scanner::new(arguments);
    let is_object =
        scanner.peek() == Some(b'{') && scanner.value().and_then(|_| scanner.end()).is_ok();
    if is_object {
        out.extend_from_slice(arguments.trim().as_bytes());
    } else if arguments.trim().is_empty() {
        out.extend_from_slice(b"{}");
    } else {
        out.extend_from_slice(b"{\"arguments\":");
        push_string(out, arguments);
        out.push(b'}');
    }
}
