//! What of the conversation these endpoints can't read (inference spec 9.6 and 16.5).
//!
//! Reasoning goes back byte for byte or not at all: it is signed.

use crate::anthropic_messages::carried;
use crate::anthropic_messages::read_request::ROUTERS_OWN;
use crate::anthropic_messages::write_citation;
use crate::document::{Edits, Raw, rewrite_elements, splice};

/// The messages without such blocks; none when there are no such blocks. A message that had nothing
/// else goes whole.
pub(super) fn readable(messages: Raw<'_>) -> Option<String> {
    let mut emptied = false;
    let text = rewrite_elements(messages, |message| {
        let content = message.get("content")?;
        let kept = without(content, is_foreign);
        let uncited = rewrite_elements(kept.as_deref().map_or(content, Raw::new), |block| {
            write_citation::has_made_up(block).then(|| {
                let mut edits = Edits::default();
                edits.remove("citations");
                splice(block.text(), block.members(), &edits)
            })
        });
        let kept = uncited.or(kept)?;
        emptied |= kept == EMPTY;
        let mut edits = Edits::default();
        edits.set("content", kept);
        Some(splice(message.text(), message.members(), &edits))
    })?;
    if !emptied {
        return Some(text);
    }
    let is_empty = |message: Raw<'_>| message.get("content").is_some_and(|one| one.text() == EMPTY);
    Some(without(Raw::new(&text), is_empty).unwrap_or(text))
}

const EMPTY: &str = "[]";

/// An array without some of its elements; none when all stay.
fn without(array: Raw<'_>, is_unwanted: impl Fn(Raw<'_>) -> bool) -> Option<String> {
    let all = array.elements().count();
    let kept: Vec<&str> =
        array.elements().filter(|(_, one)| !is_unwanted(*one)).map(|(_, one)| one.text()).collect();
    (kept.len() < all).then(|| format!("[{}]", kept.join(",")))
}

/// Whether a block is of another provider or of the router. What is not signed at all came from a
/// model that signs nothing.
fn is_foreign(block: Raw<'_>) -> bool {
    let text = |key: &str| block.get(key).and_then(Raw::string);
    match text("type").as_deref() {
        Some("thinking") => text("signature")
            .is_none_or(|signature| signature.is_empty() || carried::unpack(&signature).is_some()),
        Some("redacted_thinking") => {
            text("data").is_some_and(|data| carried::unpack(&data).is_some())
        }
        Some(kind) => ROUTERS_OWN.contains(&kind),
        None => false,
    }
}
