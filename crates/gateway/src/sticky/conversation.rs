//! What tells conversations apart: the session, else the caller's key for prompt caches, else how the
//! conversation began (inference spec 14.2).

use std::hash::{DefaultHasher, Hasher};

use signalbox_dialect::document::{Document, Raw};

/// How much of each end of a message is looked at. What two conversations share in both ends of both
/// messages is most of their prompts, so that nothing is lost when they are taken for one.
const END: usize = 1024;

/// The name of a conversation, of one account and fit for nothing but to be compared: a hash that is
/// made on the way of each request, and whose collisions would only mislead their own maker.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Conversation(u64);

impl Conversation {
    /// The conversation of a request in any dialect: its session, of the body or the header, else its
    /// `prompt_cache_key`, else the first system or developer message and the first other one. `None`
    /// for a body that has none of these.
    #[must_use]
    pub fn of(
        session: Option<&str>,
        prompt_cache_key: Option<&str>,
        document: &Document,
    ) -> Option<Self> {
        let mut hash = DefaultHasher::new();
        match (session, prompt_cache_key) {
            (Some(id), _) => {
                hash.write_u8(0);
                hash.write(id.as_bytes());
            }
            (None, Some(key)) => {
                hash.write_u8(1);
                hash.write(key.as_bytes());
            }
            (None, None) => {
                let (system, first) = beginning(document)?;
                hash.write_u8(2);
                for message in [system.unwrap_or_default(), first] {
                    let message = message.as_bytes();
                    hash.write_usize(message.len());
                    ends(message, |piece| hash.write(piece));
                }
            }
        }
        Some(Self(hash.finish()))
    }
}

fn ends(message: &[u8], mut take: impl FnMut(&[u8])) {
    match (message.split_at_checked(END), message.len().checked_sub(END)) {
        (Some((head, rest)), Some(tail)) => {
            take(head);
            take(message.get(tail.max(END)..).unwrap_or(rest));
        }
        _ => take(message),
    }
}

/// The first system or developer message, and the first that is none, as they stand in the body.
fn beginning(document: &Document) -> Option<(Option<&str>, &str)> {
    let sent = |key: &str| document.get(key).map(Raw::new).filter(|raw| !raw.is_null());
    let mut system = sent("system").or_else(|| sent("instructions"));
    let messages = sent("messages").or_else(|| sent("input"))?;
    if messages.inner().is_some() {
        return Some((system.map(Raw::text), messages.text()));
    }
    for (_, message) in messages.elements() {
        let role = message.get("role").and_then(Raw::string);
        if !matches!(role.as_deref(), Some("system" | "developer")) {
            return Some((system.map(Raw::text), message.text()));
        }
        system.get_or_insert(message);
    }
    None
}

#[cfg(test)]
mod tests {
    use bytes::Bytes;
    use serde_json::{Value, json};

    use super::*;

    fn of(session: Option<&str>, key: Option<&str>, body: &Value) -> Option<Conversation> {
        let document = Document::parse(Bytes::from(body.to_string())).unwrap();
        Conversation::of(session, key, &document)
    }

    fn began(body: &Value) -> Option<Conversation> {
        of(None, None, body)
    }

    #[test]
    fn a_session_comes_before_the_cache_key_and_that_before_the_messages() {
        let one = json!({"messages": [{"role": "user", "content": "Hello"}]});
        let two = json!({"messages": [{"role": "user", "content": "Good bye"}]});
        assert_eq!(of(Some("s"), Some("a"), &one), of(Some("s"), Some("b"), &two));
        assert_eq!(of(None, Some("a"), &one), of(None, Some("a"), &two));
        assert_ne!(of(Some("a"), None, &one), of(None, Some("a"), &one));
        assert_ne!(began(&one), began(&two));
        assert_ne!(of(None, Some("a"), &one), began(&one));
        assert_eq!(began(&json!({"prompt": "Hello"})), None);
        assert_eq!(began(&json!({"messages": [{"role": "system", "content": "Hello"}]})), None);
    }

    #[test]
    fn a_conversation_is_the_same_when_it_goes_on() {
        let system = json!({"role": "developer", "content": "Be kind."});
        let first = json!({"role": "user", "content": [{"type": "text", "text": "Hello"}]});
        let later = json!({"role": "assistant", "content": "Hi"});
        let more = json!({"role": "system", "content": "Be brief."});
        let chat = |list: &[&Value]| began(&json!({"messages": list}));
        let short = chat(&[&system, &first]);
        assert!(short.is_some());
        assert_eq!(short, chat(&[&system, &first, &later, &more, &first]));
        assert_eq!(short, chat(&[&system, &more, &first]), "the first system message counts");
        assert_ne!(short, chat(&[&more, &first]));
        assert_ne!(short, chat(&[&system, &later]));
        assert_ne!(short, chat(&[&first]));
    }

    #[test]
    fn every_dialect_has_a_beginning() {
        let user = json!({"role": "user", "content": "Hello"});
        for body in [
            json!({"system": "Be kind.", "messages": [user]}),
            json!({"instructions": "Be kind.", "input": [user]}),
            json!({"instructions": "Be kind.", "input": "Hello"}),
            json!({"input": [{"role": "system", "content": "Be kind."}, user]}),
        ] {
            let (one, mut other) = (began(&body), body.clone());
            assert!(one.is_some(), "{body}");
            for (key, value) in [("temperature", json!(1)), ("model", json!("a/b"))] {
                other[key] = value;
            }
            assert_eq!(began(&other), one, "{body}");
            let other = body.to_string().replace("kind", "bold");
            assert_ne!(began(&serde_json::from_str(&other).unwrap()), one, "{body}");
            let other = body.to_string().replace("Hello", "Hallo");
            assert_ne!(began(&serde_json::from_str(&other).unwrap()), one, "{body}");
        }
    }

    #[test]
    fn long_messages_are_known_by_their_length_and_both_ends() {
        let message = |text: String| began(&json!({"input": text}));
        let base = message("a".repeat(50_000));
        assert_eq!(base, message("a".repeat(50_000)));
        for other in [
            "a".repeat(50_001),
            format!("b{}", "a".repeat(49_999)),
            format!("{}b", "a".repeat(49_999)),
        ] {
            assert_ne!(base, message(other));
        }
        for length in [END - 3, END - 2, END - 1, END, 2 * END - 3, 2 * END - 2, 2 * END - 1] {
            assert_ne!(
                message(format!("{}b", "a".repeat(length))),
                message(format!("{}c", "a".repeat(length)))
            );
        }
    }
}
