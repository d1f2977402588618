//! `system` and `messages`: roles that alternate, results before words.

use super::block::{self, Sort, Written};
use super::{Target, cache_control};
use crate::compose::{ArrayText, ObjectText};
use crate::conversation::{Message, Part, PartBody, Role};
use crate::document::quoted;
use crate::loss::Lost;

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
        // A message has no other members here, and merged ones could not keep them.
        message.extra.iter().for_each(|extra| target.lose(Lost::Property, &extra.key));
        if message.role == Role::System && !target.same_dialect {
            // There is one place for instructions (inference spec 1.4, rule 5).
            system.extend(&message.parts);
        } else {
            add(&mut turns, message, target);
        }
    }
    complete(&mut turns, target);
    let mut list = ArrayText::new();
    for turn in &turns {
        list.push(&turn.text());
    }
    if list.is_empty() {
        // Instructions alone are a request, but only from a user.
        if let Some(content) = instructions(&system, target) {
            list.push(&format!("{{\"role\":\"user\",\"content\":{content}}}"));
        }
    } else if let Some(content) = instructions(&system, target) {
        body.json("system", &content);
    }
    body.json("messages", &list.finish());
}

/// Adds what is left of a message: to the last turn, or as a new one.
fn add(turns: &mut Vec<Turn>, message: &Message, target: &mut Target<'_>) {
    let role = message.role;
    let mut name = message.name.as_deref().filter(|name| !name.is_empty());
    let mut blocks = block::Blocks::default();
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
    if turn.blocks.is_empty() {
        turns.pop();
    }
}

impl Turn {
    fn text(&self) -> String {
        let role = match self.role {
            Role::System => "system",
            Role::User => "user",
            Role::Assistant => "assistant",
        };
        format!("{{\"role\":\"{role}\",\"content\":{}}}", block::array(&self.blocks))
    }
}

/// The instructions: one text, or blocks where there are several or marks.
fn instructions(parts: &[&Part], target: &mut Target<'_>) -> Option<String> {
    let mut texts = Vec::new();
    for part in parts {
        match &part.body {
            PartBody::Text(text) if !text.trim().is_empty() => texts.push((text, part.cache_mark)),
            PartBody::Text(_) => {}
            other => target.lose(Lost::Content, other.kind()),
        }
    }
    match texts.as_slice() {
        [] => None,
        [(text, None)] => Some(quoted(text)),
        several => {
            let mut list = ArrayText::new();
            for (text, mark) in several {
                let mut block = ObjectText::typed("text");
                block.text("text", text);
                block.optional_json("cache_control", mark.map(cache_control).as_deref());
                list.push(&block.finish());
            }
            Some(list.finish())
        }
    }
}
