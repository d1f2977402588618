//! Tools and the choice among them.

use crate::conversation::{Extra, Function, Tool, ToolChoice};
use crate::document::{Kind, Raw};
use crate::loss::{Loss, Lost, report};

fn text(raw: Raw<'_>, key: &str) -> Option<String> {
    raw.get(key)?.string().map(|text| text.into_owned())
}

/// The schema of the function that stands in for a tool that takes text.
const CUSTOM: &str = "{\"type\":\"object\",\"properties\":{\"input\":{\"type\":\"string\"}},\
                      \"required\":[\"input\"],\"additionalProperties\":false}";

/// Reads one tool. A custom tool becomes a function whose one argument is its text.
pub(super) fn read(raw: Raw<'_>, losses: &mut Vec<Loss>) -> Option<Tool> {
    let kind = text(raw, "type").unwrap_or_default();
    let parameters = match &*kind {
        "function" => {
            let schema = raw.get("parameters").filter(|one| one.kind() == Kind::Object);
            schema.map(|schema| schema.text().to_owned())
        }
        "custom" => Some(CUSTOM.to_owned()),
        _ => {
            report(losses, Lost::Tool, &kind);
            return None;
        }
    };
    let mut description = text(raw, "description");
    let format = raw.get("format").filter(|_| kind == "custom");
    if let Some(definition) = format.and_then(|format| text(format, "definition")) {
        let syntax = format.and_then(|format| text(format, "syntax")).unwrap_or_default();
        let before = description.take().map(|text| format!("{text}\n\n")).unwrap_or_default();
        // It is told, but nobody insists on it.
        report(losses, Lost::Property, "tool.format");
        description =
            Some(format!("{before}The input must match this {syntax} grammar:\n{definition}"));
    }
    Some(Tool::Function(Function {
        name: text(raw, "name").unwrap_or_default(),
        description,
        parameters,
        strict: raw.get("strict").and_then(Raw::bool),
        cache_mark: None,
        extra: Extra::beside(
            &["type", "name", "description", "parameters", "strict", "format"],
            raw,
        ),
    }))
}

/// Reads the choice.
pub(super) fn choice(raw: Raw<'_>, losses: &mut Vec<Loss>) -> Option<ToolChoice> {
    let word = match raw.kind() {
        Kind::String => raw.string().unwrap_or_default().into_owned(),
        _ => text(raw, "type").unwrap_or_default(),
    };
    match &*word {
        "auto" => Some(ToolChoice::Auto),
        "none" => Some(ToolChoice::None),
        "required" => Some(ToolChoice::Required),
        "function" | "custom" => text(raw, "name").map(ToolChoice::Function),
        _ => {
            report(losses, Lost::Tool, &format!("tool_choice {word}"));
            None
        }
    }
}
