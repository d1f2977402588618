//! The content blocks of a turn.

use serde::de::IgnoredAny;

use super::{Target, cache_point, media, member};
use crate::anthropic_messages::write_request::claude;
use crate::compose::{ArrayText, ObjectText};
use crate::conversation::{CacheMark, Part, PartBody, Reasoning, Role};
use crate::document::quoted;
use crate::loss::Lost;

/// Longest id of a call.
const MOST_ID_CHARS: usize = 64;

/// What matters about a block for its place in a turn.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Sort {
    /// A tool's result: before anything else.
    Result,
    /// Reasoning: never last.
    Thinking,
    /// Text: a document needs one beside it.
    Text,
    /// A document, under this name.
    Document,
    /// Anything else.
    Other,
}

/// A block as JSON, and where a cached piece ends behind it.
#[derive(Debug)]
pub(super) struct Written {
    pub(super) sort: Sort,
    pub(super) json: String,
    pub(super) mark: Option<CacheMark>,
}

/// Blocks that are being written.
#[derive(Default)]
pub(super) struct Blocks {
    list: Vec<Written>,
    /// Text of reasoning whose signature has not come: streamed details put it in one of its own.
    unsigned: String,
}

/// A text block; none when there is nothing but white space, which is refused.
pub(super) fn text(text: &str) -> Option<String> {
    (!text.trim().is_empty()).then(|| member("text", &quoted(text)))
}

/// Blocks as content.
pub(super) fn array(list: &[Written], target: &mut Target<'_>) -> String {
    let mut text = ArrayText::new();
    for block in list {
        text.push(&block.json);
        if let Some(point) = block.mark.and_then(|mark| cache_point(mark, target)) {
            text.push(&point);
        }
    }
    text.finish()
}

impl Blocks {
    fn push(&mut self, sort: Sort, json: String, mark: Option<CacheMark>) {
        self.list.push(Written { sort, json, mark });
    }

    /// Adds a part; `name` goes before its text.
    pub(super) fn add(
        &mut self,
        part: &Part,
        name: Option<&str>,
        role: Role,
        target: &mut Target<'_>,
    ) {
        if matches!(part.body, PartBody::Reasoning(_) | PartBody::RedactedReasoning(_)) {
            if part.cache_mark.is_some() {
                target.lose(Lost::CacheMark, part.body.kind());
            }
            return self.reasoning(&part.body, target);
        }
        self.forget_unsigned(target);
        let assistant = role == Role::Assistant;
        let (mut sort, mut mark) = (Sort::Other, part.cache_mark);
        let json = match &part.body {
            PartBody::Text(said) => {
                sort = Sort::Text;
                name.map_or_else(|| text(said), |name| text(&format!("{name}: {said}")))
            }
            PartBody::Refusal(said) => {
                sort = Sort::Text;
                text(said)
            }
            PartBody::ToolCall { id, name, arguments } if assistant => {
                Some(call(id, name, arguments, target))
            }
            PartBody::ToolResult { call_id, parts, is_error } if !assistant => {
                sort = Sort::Result;
                // Inside a result there are no marks: the last one stands behind it.
                mark = mark.or_else(|| parts.iter().rev().find_map(|part| part.cache_mark));
                Some(result(call_id, parts, *is_error, target))
            }
            _ if !assistant => {
                let block = media::block(part, target);
                if block.as_deref().is_some_and(|json| json.starts_with("{\"document\"")) {
                    sort = Sort::Document;
                }
                block
            }
            other => {
                target.lose(Lost::Content, other.kind());
                None
            }
        };
        match json {
            Some(json) => self.push(sort, json, mark),
            None if mark.is_some() => target.lose(Lost::CacheMark, part.body.kind()),
            None => {}
        }
    }

    /// The blocks.
    pub(super) fn finish(mut self, target: &mut Target<'_>) -> Vec<Written> {
        self.forget_unsigned(target);
        self.list
    }

    /// Reasoning goes back as it came, or not at all: it is signed.
    fn reasoning(&mut self, body: &PartBody, target: &mut Target<'_>) {
        let is_own = target.is_claude && claude::wrote(body);
        let inner = match body {
            PartBody::Reasoning(Reasoning { text, signature, .. }) if is_own => {
                let text = std::mem::take(&mut self.unsigned) + text;
                let mut object = ObjectText::new();
                object.text("text", &text);
                object.optional_text("signature", signature.as_deref());
                member("reasoningText", &object.finish())
            }
            PartBody::RedactedReasoning(block) if is_own => {
                self.forget_unsigned(target);
                member("redactedContent", &quoted(&block.data))
            }
            PartBody::Reasoning(Reasoning { text, signature, format, .. })
                if target.is_claude && signature.as_deref().is_none_or(str::is_empty) =>
            {
                if claude::is_own_format(format.as_deref()) {
                    self.unsigned.push_str(text);
                } else {
                    target.lose(Lost::Reasoning, format.as_deref().unwrap_or("unsigned"));
                }
                return;
            }
            PartBody::Reasoning(Reasoning { format, .. }) => {
                return target.lose(Lost::Reasoning, format.as_deref().unwrap_or("unsigned"));
            }
            _ => return target.lose(Lost::Reasoning, "encrypted"),
        };
        self.push(Sort::Thinking, member("reasoningContent", &inner), None);
    }

    fn forget_unsigned(&mut self, target: &mut Target<'_>) {
        if !std::mem::take(&mut self.unsigned).is_empty() {
            target.lose(Lost::Reasoning, "unsigned");
        }
    }
}

/// A call. Its input must be an object, whatever the model wrote.
fn call(id: &str, name: &str, arguments: &str, target: &mut Target<'_>) -> String {
    let arguments = arguments.trim();
    let is_object =
        arguments.starts_with('{') && serde_json::from_str::<IgnoredAny>(arguments).is_ok();
    let mut block = ObjectText::new();
    block.text("toolUseId", &tool_id(id));
    block.text("name", name);
    if is_object {
        block.json("input", arguments);
    } else if arguments.is_empty() {
        block.json("input", "{}");
    } else {
        target.lose(Lost::Property, "arguments");
        block.json("input", &member("arguments", &quoted(arguments)));
    }
    member("toolUse", &block.finish())
}

/// A tool's result. Its text goes as a string, so that not a digit of it changes.
fn result(call_id: &str, parts: &[Part], is_error: bool, target: &mut Target<'_>) -> String {
    let mut content = ArrayText::new();
    for part in parts {
        let json = match &part.body {
            PartBody::Text(said) => text(said),
            PartBody::Audio { .. } => {
                target.lose(Lost::Content, "audio");
                None
            }
            _ => media::block(part, target),
        };
        if let Some(json) = json {
            content.push(&json);
        }
    }
    let mut block = ObjectText::new();
    block.text("toolUseId", &tool_id(call_id));
    block.json("content", &content.finish());
    if is_error {
        block.text("status", "error");
    }
    member("toolResult", &block.finish())
}

/// An id that is accepted, by Claude too: letters, digits, underscores and dashes, at most 64. Calls
/// and results agree, because both come here; long ids keep apart by a hash.
fn tool_id(id: &str) -> String {
    let fits = |letter: char| letter.is_ascii_alphanumeric() || matches!(letter, '_' | '-');
    let plain: String = id.chars().map(|letter| if fits(letter) { letter } else { '_' }).collect();
    if plain.is_empty() {
        return "_".to_owned();
    }
    if plain.len() <= MOST_ID_CHARS {
        return plain;
    }
    // FNV-1a.
    let hash = id.bytes().fold(0xcbf2_9ce4_8422_2325_u64, |hash, byte| {
        (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3)
    });
    let start: String = plain.chars().take(MOST_ID_CHARS - 17).collect();
    format!("{start}_{hash:016x}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_fit_and_keep_apart() {
        assert_eq!(tool_id("call.1:é"), "call_1__");
        assert_eq!(tool_id(""), "_");
        let long = "x".repeat(80);
        let (one, other) = (tool_id(&format!("{long}1")), tool_id(&format!("{long}2")));
        assert_eq!((one.len(), other.len()), (64, 64));
        assert_ne!(one, other);
        assert_eq!(tool_id(&"y".repeat(64)), "y".repeat(64));
    }
}
