//! What of an answer its client's grammar has no place for.

use super::AnswerStyle;
use crate::event::{Block, Event};
use crate::loss::{Loss, Lost, report};

/// Members that say how an answer ended, or that the gateway tells in its own words.
const TOLD_OTHERWISE: &[&str] = &["stop_sequence", "stop_details", "content_filter_results"];

/// Reports a block that has no place. Only the beginning of a block is looked at, so that it costs
/// nothing for each piece.
pub(super) fn notice(style: AnswerStyle, event: &Event, losses: &mut Vec<Loss>) {
    let Event::Open { choice, block, .. } = event else { return };
    let single = matches!(style, AnswerStyle::Messages | AnswerStyle::Responses);
    if single && *choice > 0 {
        return report(losses, Lost::Answer, "choices");
    }
    if let Some(name) = placeless(style, block) {
        report(losses, Lost::Answer, name);
    }
}

/// The name of a block that has no place.
fn placeless(style: AnswerStyle, block: &Block) -> Option<&str> {
    let name = match block {
        Block::Text | Block::Refusal | Block::Reasoning { .. } => return None,
        Block::ToolCall { .. } => "tool_calls",
        Block::Image => "images",
        Block::Audio => "audio",
        Block::Opaque { name } => name,
    };
    let has_place = match (style, block) {
        (AnswerStyle::Chat, _) => true,
        (AnswerStyle::Completions, _) => false,
        (_, Block::ToolCall { .. }) | (AnswerStyle::Responses, Block::Image) => true,
        (AnswerStyle::Responses, Block::Opaque { name }) => {
            matches!(name.as_str(), "annotations" | "logprobs")
        }
        (AnswerStyle::Messages, Block::Opaque { name }) => name == "annotations",
        _ => false,
    };
    (!has_place && !TOLD_OTHERWISE.contains(&name)).then_some(name)
}
