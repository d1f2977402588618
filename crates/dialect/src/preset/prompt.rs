//! The system prompt: where each dialect has it.

use std::borrow::Cow;

use crate::compose::ObjectText;
use crate::document::{Document, Edits, Kind, Raw, quoted};
use crate::texts::Body;

/// Puts a preset's system prompt before what the body says there itself.
pub(super) fn put(document: &Document, body: Body, text: &str, edits: &mut Edits) {
    match body {
        Body::Messages => {
            let value = match sent(document, "system") {
                Some(own) if own.kind() == Kind::Array => {
                    let mut block = ObjectText::typed("text");
                    block.text("text", text);
                    first(own, &block.finish())
                }
                own => before(text, own),
            };
            edits.set("system", value);
        }
        Body::Responses => edits.set("instructions", before(text, sent(document, "instructions"))),
        Body::Completions => {
            let own = sent(document, "prompt");
            let only = own.filter(|own| own.kind() == Kind::Array).and_then(|own| {
                let mut texts = own.elements().map(|(_, one)| one);
                texts.next().filter(|one| one.kind() == Kind::String && texts.next().is_none())
            });
            let own = own.filter(|own| own.kind() == Kind::String).or(only);
            if own.is_some() {
                edits.set("prompt", before(text, own));
            }
        }
        _ => {
            let Some(messages) = sent(document, "messages") else { return };
            if messages.kind() == Kind::Array {
                let mut message = ObjectText::new();
                message.text("role", "system");
                message.text("content", text);
                edits.set("messages", first(messages, &message.finish()));
            }
        }
    }
}

fn sent<'a>(document: &'a Document, key: &str) -> Option<Raw<'a>> {
    document.get(key).map(Raw::new).filter(|raw| !raw.is_null())
}

/// A list with one more element, which comes first.
fn first(list: Raw<'_>, element: &str) -> String {
    let rest = list.text().get(1..).unwrap_or("]");
    let comma = if list.elements().next().is_some() { "," } else { "" };
    ["[", element, comma, rest].concat()
}

/// Two texts with an empty line between them. What is no text stays alone, for the survey to refuse.
fn before(text: &str, own: Option<Raw<'_>>) -> String {
    match own {
        None => quoted(text),
        Some(own) => match own.inner() {
            None => own.text().to_owned(),
            Some("") => quoted(text),
            Some(inner) => {
                let mut joined = quoted(text);
                joined.pop();
                joined.push_str("\\n\\n");
                joined.push_str(inner);
                joined.push('"');
                joined
            }
        },
    }
}

/// The system prompt of a body: the first message that is one, `system` or `instructions`.
pub(super) fn take(document: &Document, body: Body) -> Option<String> {
    let found = match body {
        Body::Messages => sent(document, "system")?,
        Body::Responses => sent(document, "instructions")?,
        _ => {
            let mut messages = sent(document, "messages")?.elements();
            let is_system = |message: Raw<'_>| {
                let role = message.get("role").and_then(Raw::string);
                matches!(role.as_deref(), Some("system" | "developer"))
            };
            messages.find(|(_, one)| is_system(*one)).and_then(|(_, one)| one.get("content"))?
        }
    };
    text_of(found).filter(|text| !text.is_empty()).map(Cow::into_owned)
}

/// A text, or the texts of parts, one after the other.
fn text_of(content: Raw<'_>) -> Option<Cow<'_, str>> {
    match content.kind() {
        Kind::String => content.string(),
        Kind::Array => {
            let parts = content.elements();
            let texts: Vec<Cow<'_, str>> =
                parts.filter_map(|(_, part)| part.get("text").and_then(Raw::string)).collect();
            Some(Cow::Owned(texts.join("\n\n")))
        }
        _ => None,
    }
}
