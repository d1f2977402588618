//! One chat message as a message of the hub.

use super::{extra, part};
use crate::conversation::{
    Extra, Message, Part, PartBody, Reasoning, RedactedReasoning, Role, Verbatim, WireDialect,
};
use crate::document::{Kind, Raw};
use crate::event::ReasoningForm;

fn text(raw: Option<Raw<'_>>) -> Option<String> {
    raw?.string().map(|text| text.into_owned())
}

/// Reads a message.
pub(super) fn read(raw: Raw<'_>) -> Message {
    match raw.get("role").and_then(Raw::string).as_deref() {
        Some("system" | "developer") => said(raw, Role::System),
        Some("assistant") => assistant(raw),
        Some("tool") => result(raw),
        _ => said(raw, Role::User),
    }
}

fn said(raw: Raw<'_>, role: Role) -> Message {
    let mut message = Message::new(role, Vec::new());
    for entry in raw.members().filter(|entry| !entry.value.is_null()) {
        match &*entry.key {
            "role" => {}
            "name" => message.name = text(Some(entry.value)),
            "content" => message.parts = part::content(entry.value),
            key => message.extra.push(extra(key, entry.value)),
        }
    }
    message
}

fn result(raw: Raw<'_>) -> Message {
    let parts = raw.get("content").map(part::content).unwrap_or_default();
    let call_id = text(raw.get("tool_call_id")).unwrap_or_default();
    let body = PartBody::ToolResult { call_id, parts, is_error: false };
    let known = ["role", "content", "tool_call_id", "cache_control", part::BREAKPOINT];
    let extra = Extra::beside(&known, raw);
    Message::new(Role::User, vec![Part { body, cache_mark: part::mark(raw), extra }])
}

/// Reasoning comes first, as it did when the model spoke; calls come last.
fn assistant(raw: Raw<'_>) -> Message {
    let (mut reasoning, mut details) = (None, Vec::new());
    let (mut content, mut refusal, mut images, mut calls) =
        (Vec::new(), None, Vec::new(), Vec::new());
    let mut message = Message::new(Role::Assistant, Vec::new());
    for entry in raw.members().filter(|entry| !entry.value.is_null()) {
        let value = entry.value;
        match &*entry.key {
            // The model that wrote it is for the router alone.
            "role" | "model" => {}
            "name" => message.name = text(Some(value)),
            "content" => content = part::content(value),
            "reasoning" | "reasoning_content" => {
                reasoning = reasoning.or_else(|| text(Some(value)))
            }
            "reasoning_details" => details = value.elements().map(|(_, one)| detail(one)).collect(),
            "refusal" => refusal = text(Some(value)),
            "images" => images = value.elements().filter_map(|(_, one)| part::image(one)).collect(),
            "tool_calls" => calls = value.elements().filter_map(|(_, one)| call(one)).collect(),
            key => message.extra.push(extra(key, value)),
        }
    }
    if details.is_empty() {
        let plain = reasoning.filter(|text| !text.is_empty());
        details.extend(plain.map(|text| Part::new(PartBody::Reasoning(unsigned(text)))));
    }
    message.parts = details;
    message.parts.append(&mut content);
    let refusal = refusal.filter(|text| !text.is_empty()).map(PartBody::Refusal);
    message.parts.extend(refusal.into_iter().chain(images).map(Part::new).chain(calls));
    message
}

/// Reasoning of which only the text is known.
fn unsigned(text: String) -> Reasoning {
    Reasoning {
        form: ReasoningForm::Text,
        text,
        signature: None,
        id: None,
        format: None,
        verbatim: None,
    }
}

/// One item of `reasoning_details` (inference spec 9.5).
fn detail(raw: Raw<'_>) -> Part {
    let member = |key: &str| text(raw.get(key));
    let kind = member("type").unwrap_or_default();
    let verbatim = Verbatim { dialect: WireDialect::OpenaiChat, json: raw.text().to_owned() };
    let (id, format) = (member("id"), member("format"));
    let (form, content) = match kind.as_str() {
        "reasoning.text" => (ReasoningForm::Text, member("text")),
        "reasoning.summary" => (ReasoningForm::Summary, member("summary")),
        "reasoning.encrypted" => {
            let data = member("data").unwrap_or_default();
            let verbatim = Some(verbatim);
            let redacted = RedactedReasoning { data, id, format, verbatim };
            return Part::new(PartBody::RedactedReasoning(redacted));
        }
        _ => {
            // The prefix tells the writer where it belongs.
            let known = kind.starts_with("reasoning.");
            let kind = if known { kind } else { "reasoning.unknown".to_owned() };
            return Part::new(PartBody::Opaque { kind, verbatim });
        }
    };
    Part::new(PartBody::Reasoning(Reasoning {
        form,
        text: content.unwrap_or_default(),
        signature: member("signature").filter(|signature| !signature.is_empty()),
        id,
        format,
        verbatim: Some(verbatim),
    }))
}

/// A call of a function. The input of a custom tool is text; it becomes the one argument `input`.
fn call(raw: Raw<'_>) -> Option<Part> {
    let known = ["id", "type", "index", "function", "custom", "cache_control", part::BREAKPOINT];
    let extra = Extra::beside(&known, raw);
    Some(Part { body: called(raw)?, cache_mark: part::mark(raw), extra })
}

fn called(raw: Raw<'_>) -> Option<PartBody> {
    let id = text(raw.get("id"))?;
    if let Some(custom) = raw.get("custom").filter(|custom| custom.kind() == Kind::Object) {
        let input = custom.get("input").map_or("\"\"", Raw::text);
        let name = text(custom.get("name"))?;
        return Some(PartBody::ToolCall { id, name, arguments: format!("{{\"input\":{input}}}") });
    }
    let function = raw.get("function")?;
    let arguments = text(function.get("arguments")).unwrap_or_default();
    Some(PartBody::ToolCall { id, name: text(function.get("name"))?, arguments })
}
