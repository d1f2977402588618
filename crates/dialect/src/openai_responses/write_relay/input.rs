//! What of the conversation these endpoints can't read (inference spec 9.6 and 14.1).

use crate::document::{Edits, Raw, rewrite_elements, splice};
use crate::openai_responses::carried;
use crate::openai_responses::write_request::FORMAT;

/// The mark of a cached prefix, which not every model knows.
const BREAKPOINT: &str = "prompt_cache_breakpoint";

/// The input without items of the router's own tools and without reasoning of foreign formats; none
/// when nothing changes. Cache marks go unless they are `marked` as known.
pub(super) fn readable(input: Raw<'_>, marked: bool) -> Option<String> {
    let rewritten = rewrite_elements(input, |item| {
        if item.get("type").and_then(Raw::string).as_deref() == Some("reasoning") {
            return bare_reasoning(item);
        }
        if marked {
            return None;
        }
        let mut edits = Edits::default();
        for key in ["content", "output"] {
            let parts = item.get(key);
            if let Some(text) = parts.and_then(|parts| rewrite_elements(parts, unmarked)) {
                edits.set(key, text);
            }
        }
        (!edits.is_empty()).then(|| splice(item.text(), item.members(), &edits))
    });
    let text = rewritten.as_deref().unwrap_or(input.text());
    let all = Raw::new(text);
    let kept: Vec<&str> =
        all.elements().filter(|(_, one)| !is_foreign(*one)).map(|(_, one)| one.text()).collect();
    if kept.len() < all.elements().count() {
        return Some(format!("[{}]", kept.join(",")));
    }
    rewritten
}

fn unmarked(part: Raw<'_>) -> Option<String> {
    part.get(BREAKPOINT)?;
    let mut edits = Edits::default();
    edits.remove(BREAKPOINT);
    Some(splice(part.text(), part.members(), &edits))
}

/// Reasoning of this format without the members that only routers write.
fn bare_reasoning(item: Raw<'_>) -> Option<String> {
    if is_foreign(item) {
        return None;
    }
    let mut edits = Edits::default();
    for key in ["format", "signature"] {
        if item.get(key).is_some() {
            edits.remove(key);
        }
    }
    (!edits.is_empty()).then(|| splice(item.text(), item.members(), &edits))
}

fn is_foreign(item: Raw<'_>) -> bool {
    let kind = item.get("type").and_then(Raw::string).unwrap_or_default();
    if kind == "reasoning" {
        let text = |key| item.get(key).and_then(Raw::string);
        return text("format").is_some_and(|format| !format.ends_with(FORMAT))
            || text("encrypted_content").is_some_and(|sealed| carried::unpack(&sealed).is_some());
    }
    kind.starts_with("openrouter:")
}
