//! Tools on offer, and which to use.

use super::part::BREAKPOINT;
use crate::conversation::{Extra, Function, Tool, ToolChoice, Verbatim, WireDialect};
use crate::document::{Kind, Raw};

fn text(object: Raw<'_>, key: &str) -> Option<String> {
    object.get(key)?.string().map(|text| text.into_owned())
}

fn verbatim(raw: Raw<'_>) -> Verbatim {
    Verbatim { dialect: WireDialect::OpenaiChat, json: raw.text().to_owned() }
}

/// Reads one tool.
pub(super) fn read(raw: Raw<'_>) -> Tool {
    let kind = text(raw, "type").unwrap_or_default();
    let function = raw.get("function").filter(|_| kind == "function");
    let Some((function, name)) = function.and_then(|one| Some((one, text(one, "name")?))) else {
        return Tool::Native { kind, verbatim: verbatim(raw) };
    };
    let parameters = function.get("parameters").filter(|raw| raw.kind() == Kind::Object);
    let mut extra = Extra::beside(&["type", "function", "cache_control", BREAKPOINT], raw);
    extra.extend(Extra::beside(&["name", "description", "parameters", "strict"], function));
    Tool::Function(Function {
        name,
        description: text(function, "description"),
        parameters: parameters.map(|raw| raw.text().to_owned()),
        strict: function.get("strict").and_then(Raw::bool),
        cache_mark: super::part::mark(raw),
        extra,
    })
}

/// Reads which tool to use.
pub(super) fn choice(raw: Raw<'_>) -> Option<ToolChoice> {
    match raw.string().as_deref() {
        Some("auto") => return Some(ToolChoice::Auto),
        Some("none") => return Some(ToolChoice::None),
        Some("required") => return Some(ToolChoice::Required),
        _ => {}
    }
    let name = raw.get("function").and_then(|function| text(function, "name"));
    Some(name.map_or_else(|| ToolChoice::Native(verbatim(raw)), ToolChoice::Function))
}
