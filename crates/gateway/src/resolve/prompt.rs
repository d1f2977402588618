//! What a router sees of a prompt: the last words of the user, the beginning of the instructions, and
//! who wrote the last answer. A bounded part of the body is decoded, whatever its size.

use std::borrow::Cow;

use signalbox_classifier::PromptText;
use signalbox_classifier::prompt::{HEAD, SYSTEM, TAIL};
use signalbox_dialect::document::{Document, Kind, Raw};

/// Most parts of a message that are looked at.
const MOST_PARTS: usize = 64;

/// The texts of a request.
#[derive(Debug, Default)]
pub(super) struct Prompt<'a> {
    user: Vec<Cow<'a, str>>,
    system: Cow<'a, str>,
    tools: usize,
    /// The `model` of the last message of the assistant.
    pub last_author: Option<Cow<'a, str>>,
}

impl<'a> Prompt<'a> {
    /// Reads a body in any dialect.
    pub(super) fn of(document: &'a Document) -> Self {
        let sent = |key: &str| document.get(key).map(Raw::new).filter(|raw| !raw.is_null());
        let mut prompt = Self::default();
        let mut system = sent("system").or_else(|| sent("instructions"));
        let mut user = None;
        if let Some(messages) = sent("messages").or_else(|| sent("input")) {
            if messages.kind() == Kind::String {
                user = Some(messages);
            }
            for (_, message) in messages.elements() {
                let role = message.get("role").and_then(Raw::inner);
                match role {
                    Some("user") => user = message.get("content"),
                    Some("system" | "developer") => {
                        system = system.or_else(|| message.get("content"));
                    }
                    Some("assistant") => {
                        prompt.last_author = message.get("model").and_then(Raw::string);
                    }
                    _ => {}
                }
            }
        }
        prompt.user = user.map(|content| texts(content, HEAD, TAIL)).unwrap_or_default();
        let system = system.and_then(|content| texts(content, SYSTEM, 0).into_iter().next());
        prompt.system = system.unwrap_or_default();
        prompt.tools = sent("tools").map_or(0, |tools| tools.elements().count());
        prompt
    }

    /// Calls with what a classifier reads.
    pub(super) fn with_text<T>(&self, read: impl FnOnce(&PromptText<'_>) -> T) -> T {
        let parts: Vec<&str> = self.user.iter().map(|part| &**part).collect();
        read(&PromptText::new(&parts).system(&self.system).tools(self.tools))
    }
}

/// The texts of a message's content: of a string, or of the parts of a list.
fn texts(content: Raw<'_>, head: usize, tail: usize) -> Vec<Cow<'_, str>> {
    match content.kind() {
        Kind::String => ends(content, head, tail),
        Kind::Array => {
            let parts = content.elements().take(MOST_PARTS);
            parts
                .filter_map(|(_, part)| part.get("text"))
                .filter(|text| text.kind() == Kind::String)
                .flat_map(|text| ends(text, head, tail))
                .collect()
        }
        _ => Vec::new(),
    }
}

/// A JSON string, decoded when it is short; of a long one the two ends, in which escapes are blanks.
fn ends(text: Raw<'_>, head: usize, tail: usize) -> Vec<Cow<'_, str>> {
    let raw = text.text();
    let raw = raw.get(1..raw.len().saturating_sub(1)).unwrap_or_default();
    // An escape is at most six bytes long, so that both ends have enough.
    let (head, tail) = (head.saturating_mul(2), tail.saturating_mul(2));
    if raw.len() <= head.saturating_add(tail) {
        return text.string().into_iter().collect();
    }
    let first = raw.get(..raw.floor_char_boundary(head)).unwrap_or_default();
    let from = raw.ceil_char_boundary(raw.len().saturating_sub(tail));
    let last = raw.get(from..).unwrap_or_default();
    [first, last].into_iter().filter(|end| !end.is_empty()).map(blanked).collect()
}

fn blanked(raw: &str) -> Cow<'_, str> {
    if !raw.contains('\\') {
        return Cow::Borrowed(raw);
    }
    let mut out = String::with_capacity(raw.len());
    let mut chars = raw.chars();
    while let Some(one) = chars.next() {
        if one != '\\' {
            out.push(one);
            continue;
        }
        match chars.next() {
            Some('n' | 'r') => out.push('\n'),
            Some('u') => {
                out.push(' ');
                chars.by_ref().take(4).for_each(drop);
            }
            Some(quoted @ ('"' | '\\' | '/')) => out.push(quoted),
            _ => out.push(' '),
        }
    }
    Cow::Owned(out)
}

#[cfg(test)]
mod tests {
    use bytes::Bytes;
    use serde_json::{Value, json};

    use super::*;

    fn read(body: &Value) -> (Vec<String>, String, usize, Option<String>) {
        let document = Document::parse(Bytes::from(body.to_string())).unwrap();
        let prompt = Prompt::of(&document);
        prompt.with_text(|text| {
            let user = text.user.iter().map(|part| (*part).to_owned()).collect();
            let author = prompt.last_author.as_deref().map(str::to_owned);
            (user, text.system.to_owned(), text.tools, author)
        })
    }

    #[test]
    fn every_dialect_has_its_last_words() {
        let chat = json!({"tools": [{}, {}], "messages": [
            {"role": "system", "content": "Be kind."},
            {"role": "user", "content": "first"},
            {"role": "assistant", "content": "x", "model": "acme/m"},
            {"role": "user", "content": [{"type": "text", "text": "a\n\"b\""},
                {"type": "image_url", "image_url": {"url": "u"}}, {"type": "text", "text": "c"}]},
        ]});
        let told = (vec!["a\n\"b\"".to_owned(), "c".to_owned()], "Be kind.".to_owned(), 2);
        assert_eq!(read(&chat), (told.0, told.1, told.2, Some("acme/m".to_owned())));
        let messages = json!({"system": [{"type": "text", "text": "S"}],
            "messages": [{"role": "user", "content": "U"}]});
        assert_eq!(read(&messages), (vec!["U".to_owned()], "S".to_owned(), 0, None));
        let responses = json!({"instructions": "S", "input": "U"});
        assert_eq!(read(&responses), (vec!["U".to_owned()], "S".to_owned(), 0, None));
        let items =
            json!({"input": [{"role": "user", "content": [{"type": "input_text", "text": "U"}]}]});
        assert_eq!(read(&items).0, ["U"]);
        for empty in [json!({}), json!({"messages": 5}), json!({"messages": [{"role": "user"}]})] {
            assert_eq!(read(&empty), (vec![], String::new(), 0, None), "{empty}");
        }
    }

    #[test]
    fn of_a_long_text_only_the_ends_are_decoded() {
        let long = format!("{}{}{}\n", "a\"".repeat(4000), "b".repeat(90_000), "é\t".repeat(3000));
        let (user, ..) = read(&json!({"messages": [{"role": "user", "content": long}]}));
        assert_eq!(user.len(), 2);
        assert!(user[0].starts_with("a\"a\"") && user[0].len() <= HEAD * 2);
        assert!(user[1].ends_with("é \n") && user[1].len() <= TAIL * 2, "{}", user[1].len());
    }
}
