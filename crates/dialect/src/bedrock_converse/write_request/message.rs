//! `system` and `messages`: roles that alternate, results before words.

use super::Target;
use super::block::{self, Blocks, Sort, Written};
use crate::compose::{ArrayText, ObjectText};
use crate::conversation::{CacheMark, Message, Part, PartBody, Role};
use crate::loss::Lost;

/// What stands beside documents that came without a word: the service wants some text there.
const BESIDE_DOCUMENTS: &str = "See the attached document.";

/// Messages of one side, merged.
struct Turn {
    role: Role,
    blocks: Vec<Written>,
}

/// Writes both members.
pub(super) fn write(target: &mut Target<'_>, body: &mut ObjectText) {
    let conversation = target.conversation;
    let mut turns: Vec<Turn> = Vec::new();
    let mut system: Vec<&Part> = conversation.system.iter().collect();
    for message in &conversation.messages {
        message.extra.iter().for_each(|extra| target.lose(Lost::Property, &extra.key));
        if message.role == Role::System {
            // There is one place for instructions (inference spec 1.4, rule 5).
            system.extend(&message.parts);
        } else {
            add(&mut turns, message, target);
        }
    }
    complete(&mut turns, target);
    let mut instructions = instructions(&system, target);
    if turns.is_empty() && !instructions.is_empty() {
        // Instructions alone are a request, but only from a user.
        turns.push(Turn { role: Role::User, blocks: std::mem::take(&mut instructions) });
    }
    if let Some(mark) = conversation.cache_mark {
        // The whole prompt is what lies before its last block (appendix H of the spec).
        match turns.last_mut().and_then(|turn| turn.blocks.last_mut()) {
            Some(last) => last.mark = last.mark.or(Some(mark)),
            None => target.lose(Lost::CacheMark, "cache_control"),
        }
    }
    if !instructions.is_empty() {
        body.json("system", &block::array(&instructions, target));
    }
    let mut list = ArrayText::new();
    for turn in &turns {
        let mut object = ObjectText::new();
        object.text("role", if turn.role == Role::Assistant { "assistant" } else { "user" });
        object.json("content", &block::array(&turn.blocks, target));
        list.push(&object.finish());
    }
    body.json("messages", &list.finish());
}

/// Adds what is left of a message: to the last turn, or as a new one.
fn add(turns: &mut Vec<Turn>, message: &Message, target: &mut Target<'_>) {
    let role = message.role;
    let mut name = message.name.as_deref().filter(|name| !name.is_empty());
    let mut blocks = Blocks::default();
    for part in &message.parts {
        let is_text = matches!(part.body, PartBody::Text(_));
        let name = if is_text { name.take() } else { None };
        blocks.add(part, name, role, target);
    }
    let blocks = blocks.finish(target);
    if blocks.is_empty() {
        return;
    }
    if turns.last().is_some_and(|turn| turn.role != role) {
        complete(turns, target);
    }
    match turns.last_mut().filter(|turn| turn.role == role) {
        Some(turn) => turn.blocks.extend(blocks),
        None => turns.push(Turn { role, blocks }),
    }
}

/// Brings the last turn in order; takes it away when nothing of it can stay.
fn complete(turns: &mut Vec<Turn>, target: &mut Target<'_>) {
    let Some(turn) = turns.last_mut() else { return };
    turn.blocks.sort_by_key(|block| block.sort != Sort::Result);
    while turn.blocks.last().is_some_and(|block| block.sort == Sort::Thinking) {
        target.lose(Lost::Reasoning, "without an answer");
        turn.blocks.pop();
    }
    let has = |sort| turn.blocks.iter().any(|block| block.sort == sort);
    if has(Sort::Document) && !has(Sort::Text) {
        turn.blocks.extend(written(BESIDE_DOCUMENTS, None));
    }
    if turn.blocks.is_empty() {
        turns.pop();
    }
}

fn written(text: &str, mark: Option<CacheMark>) -> Option<Written> {
    block::text(text).map(|json| Written { sort: Sort::Text, json, mark })
}

/// The instructions as blocks.
fn instructions(parts: &[&Part], target: &mut Target<'_>) -> Vec<Written> {
    let mut blocks = Vec::new();
    for part in parts {
        match &part.body {
            PartBody::Text(text) => blocks.extend(written(text, part.cache_mark)),
            other => target.lose(Lost::Content, other.kind()),
        }
    }
    blocks
}
