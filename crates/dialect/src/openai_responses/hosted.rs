//! Tools that the provider would run itself, for a price beside that of tokens.
//!
//! What can't be held can't be spent, so none of them goes out yet. Coding agents offer web search by
//! default, as something that the model may or may not use: it is left out and reported. The others
//! are asked for on purpose, so their absence is an error.

use crate::compose::ArrayText;
use crate::document::{Document, Raw};
use crate::loss::{Loss, Lost, report};

/// Beginning of the types of web search: dates follow.
const SEARCH: &str = "web_search";
/// Types of other tools with a price of their own (OpenAI's price list, November 2026).
const CHARGED: &[&str] = &["file_search", "code_interpreter", "image_generation"];

/// Whether a tool searches the web.
pub(super) fn is_search(kind: &str) -> bool {
    kind.starts_with(SEARCH)
}

/// Whether a tool has a price of its own.
pub(super) fn is_charged(kind: &str) -> bool {
    CHARGED.contains(&kind)
}

fn searches(tool: Raw<'_>) -> bool {
    tool.get("type").and_then(Raw::string).is_some_and(|kind| is_search(&kind))
}

/// What of a request's tools is not sent to a provider of this dialect.
#[must_use]
pub fn lost(document: &Document) -> Vec<Loss> {
    let mut losses = Vec::new();
    let tools = document.get("tools").map(Raw::new);
    for (_, tool) in tools.iter().flat_map(|tools| tools.elements()) {
        if searches(tool) {
            report(&mut losses, Lost::Tool, SEARCH);
        }
    }
    losses
}

/// The list without web search; none when there was none in it. An empty list offers nothing.
pub(super) fn without_search(tools: Raw<'_>) -> Option<String> {
    if !tools.elements().any(|(_, tool)| searches(tool)) {
        return None;
    }
    let mut list = ArrayText::new();
    for (_, tool) in tools.elements().filter(|(_, tool)| !searches(*tool)) {
        list.push(tool.text());
    }
    Some(list.finish())
}
