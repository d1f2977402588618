//! The tools on offer and which to use.

use super::block::cache_control;
use super::{text, verbatim};
use crate::conversation::{Extra, Function, Tool, ToolChoice};
use crate::document::Raw;

const KNOWN: &[&str] = &["type", "name", "description", "input_schema", "strict", "cache_control"];

/// Reads one tool. Without a type it is the client's own.
pub(super) fn read(raw: Raw<'_>) -> Tool {
    let kind = text(raw, "type").unwrap_or_else(|| "custom".to_owned());
    match text(raw, "name") {
        Some(name) if kind == "custom" => Tool::Function(Function {
            name,
            description: text(raw, "description"),
            parameters: raw.get("input_schema").map(|schema| schema.text().to_owned()),
            strict: raw.get("strict").and_then(Raw::bool),
            cache_mark: raw.get("cache_control").and_then(cache_control),
            extra: Extra::beside(KNOWN, raw),
        }),
        _ => Tool::Native { kind, verbatim: verbatim(raw) },
    }
}

/// Reads `tool_choice`.
pub(super) fn choice(raw: Raw<'_>) -> Option<ToolChoice> {
    match text(raw, "type")?.as_str() {
        "auto" => Some(ToolChoice::Auto),
        "any" => Some(ToolChoice::Required),
        "none" => Some(ToolChoice::None),
        "tool" => Some(ToolChoice::Function(text(raw, "name")?)),
        _ => Some(ToolChoice::Native(verbatim(raw))),
    }
}
