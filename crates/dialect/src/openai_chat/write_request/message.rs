//! One message of the hub as chat messages: results of tools are messages of their own.

use std::borrow::Cow;

use super::{Target, part};
use crate::anthropic_messages::CLAUDE;
use crate::compose::{ArrayText, ObjectText};
use crate::conversation::{Message, Part, PartBody, Reasoning, Role, Verbatim, WireDialect};
use crate::document::{Edits, Raw, quoted, splice};
use crate::event::ReasoningForm;
use crate::loss::Lost;

/// Adds a message to the list.
pub(super) fn write(message: &Message, target: &mut Target<'_>, list: &mut ArrayText) {
    match message.role {
        Role::Assistant => assistant(message, target, list),
        Role::System => said(message, "system", "\n\n", target, list),
        Role::User => {
            for part in &message.parts {
                if let PartBody::ToolResult { call_id, parts, is_error } = &part.body {
                    result(call_id, parts, *is_error, target, list);
                    if part.cache_mark.is_some() {
                        target.lose(Lost::CacheMark, "cache_control");
                    }
                }
            }
            let is_result = |part: &Part| matches!(part.body, PartBody::ToolResult { .. });
            if !message.parts.iter().any(is_result) || !message.parts.iter().all(is_result) {
                said(message, "user", "\n\n", target, list);
            }
        }
    }
}

/// A message of the system or the user, without results of tools.
fn said(message: &Message, role: &str, glue: &str, target: &mut Target<'_>, list: &mut ArrayText) {
    let parts: Vec<&Part> = message
        .parts
        .iter()
        .filter(|part| !matches!(part.body, PartBody::ToolResult { .. }))
        .collect();
    let mut object = ObjectText::new();
    object.text("role", role);
    let content = part::content(&parts, message.role, glue, target);
    let content = with_name(message, content, target, &mut object);
    object.json("content", &content);
    extras(message, target, &mut object);
    list.push(&object.finish());
}

/// Tells who speaks: as `name`, or in the text where the model does not know that.
fn with_name(
    message: &Message,
    content: String,
    target: &Target<'_>,
    object: &mut ObjectText,
) -> String {
    let Some(name) = message.name.as_deref().filter(|name| !name.is_empty()) else {
        return content;
    };
    if target.out.forward_name {
        object.text("name", name);
        return content;
    }
    let raw = Raw::new(&content);
    if let Some(text) = raw.string() {
        return quoted(&format!("{name}: {text}"));
    }
    let mut list = ArrayText::new();
    let mut told = false;
    for (_, part) in raw.elements() {
        let text = part.get("text").and_then(Raw::string).filter(|_| !told);
        match text {
            Some(text) => {
                told = true;
                let mut edits = Edits::default();
                edits.set("text", quoted(&format!("{name}: {text}")));
                list.push(&splice(part.text(), part.members(), &edits));
            }
            None => list.push(part.text()),
        }
    }
    list.finish()
}

fn extras(message: &Message, target: &mut Target<'_>, object: &mut ObjectText) {
    for extra in &message.extra {
        if target.same_dialect {
            object.json(&extra.key, &extra.json);
        } else {
            target.lose(Lost::Property, &extra.key);
        }
    }
}

/// A tool's result. That the tool failed is said in its text alone.
fn result(
    call_id: &str,
    parts: &[Part],
    is_error: bool,
    target: &mut Target<'_>,
    list: &mut ArrayText,
) {
    if is_error {
        target.lose(Lost::Property, "is_error");
    }
    let parts: Vec<&Part> = parts.iter().collect();
    let mut object = ObjectText::new();
    object.text("role", "tool");
    object.text("tool_call_id", call_id);
    object.json("content", &part::content(&parts, Role::User, "\n", target));
    list.push(&object.finish());
}

/// What an assistant message is put together from.
#[derive(Default)]
struct Spoken<'a> {
    content: Vec<&'a Part>,
    refusal: String,
    reasoning: String,
    details: Vec<Cow<'a, str>>,
    calls: Vec<String>,
    images: Vec<String>,
}

fn assistant(message: &Message, target: &mut Target<'_>, list: &mut ArrayText) {
    let mut spoken = Spoken::default();
    for part in &message.parts {
        spoken.add(part, target);
    }
    let mut object = ObjectText::new();
    object.text("role", "assistant");
    let content = match spoken.content.as_slice() {
        [] if spoken.calls.is_empty() && spoken.refusal.is_empty() => "\"\"".to_owned(),
        [] => "null".to_owned(),
        parts => part::content(parts, Role::Assistant, "", target),
    };
    let content = with_name(message, content, target, &mut object);
    object.json("content", &content);
    if !spoken.reasoning.is_empty() {
        object.text("reasoning_content", &spoken.reasoning);
    }
    for (key, items) in [
        ("reasoning_details", spoken.details.iter().map(AsRef::as_ref).collect::<Vec<&str>>()),
        ("images", spoken.images.iter().map(String::as_str).collect()),
        ("tool_calls", spoken.calls.iter().map(String::as_str).collect()),
    ] {
        let mut values = ArrayText::new();
        items.iter().for_each(|item| values.push(item));
        if !values.is_empty() {
            object.json(key, &values.finish());
        }
    }
    if !spoken.refusal.is_empty() {
        object.text("refusal", &spoken.refusal);
    }
    extras(message, target, &mut object);
    list.push(&object.finish());
}

impl<'a> Spoken<'a> {
    fn add(&mut self, part: &'a Part, target: &mut Target<'_>) {
        match &part.body {
            PartBody::ToolCall { id, name, arguments } => {
                let arguments = if arguments.is_empty() { "{}" } else { arguments };
                let (id, name, arguments) = (quoted(id), quoted(name), quoted(arguments));
                self.calls.push(format!(
                    "{{\"id\":{id},\"type\":\"function\",\"function\":{{\"name\":{name},\"arguments\":{arguments}}}}}"
                ));
                if part.cache_mark.is_some() {
                    target.lose(Lost::CacheMark, "cache_control");
                }
            }
            PartBody::Refusal(text) => self.refusal.push_str(text),
            PartBody::Image { source, .. } => self.images.push(format!(
                "{{\"type\":\"image_url\",\"image_url\":{{\"url\":{}}}}}",
                quoted(&source.address())
            )),
            PartBody::Reasoning(block) => match own(block.verbatim.as_ref()) {
                Some(json) => self.details.push(Cow::Borrowed(json)),
                None => self.foreign(block, target),
            },
            PartBody::RedactedReasoning(block) => {
                match (own(block.verbatim.as_ref()), block.format.as_deref()) {
                    (Some(json), _) => self.details.push(Cow::Borrowed(json)),
                    (None, Some(format)) if format != CLAUDE => {
                        let mut detail = ObjectText::typed("reasoning.encrypted");
                        detail.text("data", &block.data);
                        detail.optional_text("id", block.id.as_deref());
                        detail.text("format", format);
                        self.details.push(Cow::Owned(detail.finish()));
                    }
                    _ => target.lose(Lost::Reasoning, "encrypted"),
                }
            }
            PartBody::Opaque { kind, verbatim } if kind.starts_with("reasoning.") => {
                match own(Some(verbatim)) {
                    Some(json) => self.details.push(Cow::Borrowed(json)),
                    None => target.lose(Lost::Reasoning, kind),
                }
            }
            PartBody::ToolResult { .. } => target.lose(Lost::Content, "tool_result"),
            _ => self.content.push(part),
        }
    }
}

impl Spoken<'_> {
    /// Reasoning from another dialect's client. What is signed goes back to the provider whose
    /// format it has, so Claude's own stays away; what is not is text.
    fn foreign(&mut self, block: &Reasoning, target: &mut Target<'_>) {
        let format = block.format.as_deref().filter(|format| *format != "unknown");
        let signature = block.signature.as_deref().filter(|text| !text.is_empty());
        let (kind, member) = match block.form {
            ReasoningForm::Summary => ("reasoning.summary", "summary"),
            ReasoningForm::Text | ReasoningForm::Encrypted => ("reasoning.text", "text"),
        };
        match (format, signature) {
            (Some(format), _) if format != CLAUDE => {
                let mut detail = ObjectText::typed(kind);
                detail.text(member, &block.text);
                detail.optional_text("signature", signature);
                detail.optional_text("id", block.id.as_deref());
                detail.text("format", format);
                self.details.push(Cow::Owned(detail.finish()));
            }
            (_, Some(_)) => target.lose(Lost::Reasoning, "signed"),
            (_, None) => self.reasoning.push_str(&block.text),
        }
    }
}

fn own(verbatim: Option<&Verbatim>) -> Option<&str> {
    verbatim.filter(|one| one.dialect == WireDialect::OpenaiChat).map(|one| one.json.as_str())
}
