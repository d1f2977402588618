//! The content blocks of a turn.

use serde::de::IgnoredAny;

use super::{Target, cache_control, file};
use crate::anthropic_messages::CLAUDE;
use crate::compose::{ArrayText, ObjectText};
use crate::conversation::{
    Part, PartBody, Reasoning, RedactedReasoning, Role, Verbatim, WireDialect,
};
use crate::document::quoted;
use crate::event::ReasoningForm;
use crate::loss::Lost;

/// What matters about a block for its place in a turn.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Sort {
    /// A tool's result: before anything else.
    Result,
    /// Thinking: never last.
    Thinking,
    /// Anything else.
    Other,
}

/// A block as JSON.
#[derive(Debug)]
pub(super) struct Written {
    pub(super) sort: Sort,
    pub(super) json: String,
}

/// Blocks that are being written.
#[derive(Default)]
pub(super) struct Blocks {
    list: Vec<Written>,
    /// Text of reasoning whose signature has not come: streamed details put it in one of its own.
    unsigned: String,
}

/// Whether a part is reasoning that these endpoints wrote.
pub(super) fn is_ours(body: &PartBody) -> bool {
    match body {
        PartBody::Reasoning(block) => {
            is_claudes(block.format.as_deref()) && signed(block).is_some()
        }
        PartBody::RedactedReasoning(block) => is_claudes(block.format.as_deref()),
        _ => false,
    }
}

pub(super) fn is_claudes(format: Option<&str>) -> bool {
    format.is_none_or(|format| format == CLAUDE)
}

fn signed(block: &Reasoning) -> Option<&str> {
    block.signature.as_deref().filter(|signature| !signature.is_empty())
}

fn own(verbatim: Option<&Verbatim>) -> Option<&str> {
    let verbatim = verbatim.filter(|one| one.dialect == WireDialect::AnthropicMessages);
    verbatim.map(|one| one.json.as_str())
}

impl Blocks {
    fn push(&mut self, sort: Sort, json: String) {
        self.list.push(Written { sort, json });
    }

    /// Adds a part; `name` goes before its text.
    pub(super) fn add(
        &mut self,
        part: &Part,
        name: Option<&str>,
        role: Role,
        target: &mut Target<'_>,
    ) {
        match &part.body {
            PartBody::Reasoning(block) => return self.reasoning(block, target),
            PartBody::RedactedReasoning(block) => return self.redacted(block, target),
            _ => self.forget_unsigned(target),
        }
        let assistant = role == Role::Assistant;
        let object = match &part.body {
            PartBody::Text(text) => text_block(text, name),
            PartBody::Refusal(text) => text_block(text, None),
            PartBody::ToolCall { id, name, arguments } if assistant => {
                Some(call(id, name, arguments, target))
            }
            PartBody::ToolResult { call_id, parts, is_error } if !assistant => {
                Some(result(call_id, parts, *is_error, target))
            }
            PartBody::Opaque { verbatim, .. }
                if verbatim.dialect == WireDialect::AnthropicMessages =>
            {
                return self.push(Sort::Other, verbatim.json.clone());
            }
            other if !assistant => file::block(other, target),
            other => {
                target.lose(Lost::Content, other.kind());
                None
            }
        };
        if let Some(mut object) = object {
            object.optional_json("cache_control", part.cache_mark.map(cache_control).as_deref());
            let is_result = matches!(part.body, PartBody::ToolResult { .. });
            let sort = if is_result { Sort::Result } else { Sort::Other };
            self.push(sort, object.finish());
        }
    }

    /// The blocks.
    pub(super) fn finish(mut self, target: &mut Target<'_>) -> Vec<Written> {
        self.forget_unsigned(target);
        self.list
    }

    /// Reasoning goes back byte for byte, or not at all: it is signed.
    fn reasoning(&mut self, block: &Reasoning, target: &mut Target<'_>) {
        if !is_claudes(block.format.as_deref()) || block.form != ReasoningForm::Text {
            let format = block.format.as_deref().unwrap_or("unsigned");
            return target.lose(Lost::Reasoning, format);
        }
        let Some(signature) = signed(block) else {
            self.unsigned.push_str(&block.text);
            return;
        };
        if let Some(json) = own(block.verbatim.as_ref()).filter(|_| self.unsigned.is_empty()) {
            return self.push(Sort::Thinking, json.to_owned());
        }
        let text = std::mem::take(&mut self.unsigned) + &block.text;
        let mut object = ObjectText::typed("thinking");
        object.text("thinking", &text);
        object.text("signature", signature);
        self.push(Sort::Thinking, object.finish());
    }

    fn redacted(&mut self, block: &RedactedReasoning, target: &mut Target<'_>) {
        self.forget_unsigned(target);
        if !is_claudes(block.format.as_deref()) {
            return target.lose(Lost::Reasoning, block.format.as_deref().unwrap_or("encrypted"));
        }
        if let Some(json) = own(block.verbatim.as_ref()) {
            return self.push(Sort::Thinking, json.to_owned());
        }
        let mut object = ObjectText::typed("redacted_thinking");
        object.text("data", &block.data);
        self.push(Sort::Thinking, object.finish());
    }

    fn forget_unsigned(&mut self, target: &mut Target<'_>) {
        if !std::mem::take(&mut self.unsigned).is_empty() {
            target.lose(Lost::Reasoning, "unsigned");
        }
    }
}

/// Text; none when there is nothing but white space, which is refused.
fn text_block(text: &str, name: Option<&str>) -> Option<ObjectText> {
    if text.trim().is_empty() {
        return None;
    }
    let mut block = ObjectText::typed("text");
    match name {
        Some(name) => block.text("text", &format!("{name}: {text}")),
        None => block.text("text", text),
    }
    Some(block)
}

/// A call. Its input must be an object, whatever the model wrote.
fn call(id: &str, name: &str, arguments: &str, target: &mut Target<'_>) -> ObjectText {
    let arguments = arguments.trim();
    let is_object =
        arguments.starts_with('{') && serde_json::from_str::<IgnoredAny>(arguments).is_ok();
    let mut block = ObjectText::typed("tool_use");
    block.text("id", &tool_id(id));
    block.text("name", name);
    if is_object {
        block.json("input", arguments);
    } else if arguments.is_empty() {
        block.json("input", "{}");
    } else {
        target.lose(Lost::Property, "arguments");
        block.json("input", &format!("{{\"arguments\":{}}}", quoted(arguments)));
    }
    block
}

/// An id that is accepted: letters, digits, underscores and dashes. Calls and results agree,
/// because both come here.
fn tool_id(id: &str) -> String {
    let fits = |letter: char| letter.is_ascii_alphanumeric() || matches!(letter, '_' | '-');
    let id: String = id.chars().map(|letter| if fits(letter) { letter } else { '_' }).collect();
    if id.is_empty() { "_".to_owned() } else { id }
}

/// Blocks as content.
pub(super) fn array(list: &[Written]) -> String {
    let mut text = ArrayText::new();
    list.iter().for_each(|block| text.push(&block.json));
    text.finish()
}

fn result(call_id: &str, parts: &[Part], is_error: bool, target: &mut Target<'_>) -> ObjectText {
    let mut block = ObjectText::typed("tool_result");
    block.text("tool_use_id", &tool_id(call_id));
    match parts {
        [Part { body: PartBody::Text(text), cache_mark: None, .. }] if !text.is_empty() => {
            block.text("content", text);
        }
        parts => {
            let mut inner = Blocks::default();
            for part in parts {
                inner.add(part, None, Role::User, target);
            }
            let list = inner.finish(target);
            if !list.is_empty() {
                block.json("content", &array(&list));
            }
        }
    }
    if is_error {
        block.json("is_error", "true");
    }
    block
}
