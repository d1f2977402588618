//! `systemInstruction` and `contents`: turns of the user and of the model, merged so that they
//! alternate.

use std::collections::HashMap;

use super::{Target, media, model_turn};
use crate::compose::{ArrayText, ObjectText};
use crate::conversation::{CacheMark, FileSource, Message, Part, PartBody, Role, Tool};
use crate::document::quoted;
use crate::loss::Lost;

/// One turn.
struct Content {
    role: &'static str,
    parts: Vec<String>,
}

/// Where a cache mark stands: how many contents there were, and how many parts the last one had.
type Place = (usize, usize);

#[derive(Default)]
struct Contents<'a> {
    system: Vec<String>,
    list: Vec<Content>,
    /// Names of functions by the id of their last call.
    names: HashMap<&'a str, &'a str>,
    mark: Option<Place>,
}

/// Writes both members; gives how many contents lie before the last cache mark.
pub(super) fn write<'a>(target: &mut Target<'a>, body: &mut ObjectText) -> Option<usize> {
    let conversation = target.conversation;
    let mut contents = Contents::default();
    for part in &conversation.system {
        contents.instruct(target, part);
    }
    let marks = conversation.tools.iter().filter_map(|tool| match tool {
        Tool::Function(function) => function.cache_mark,
        Tool::Native { .. } => None,
    });
    for mark in marks {
        contents.mark(target, mark);
    }
    for message in &conversation.messages {
        contents.add(target, message);
    }
    if let Some(mark) = conversation.cache_mark {
        contents.mark(target, mark);
    }
    contents.finish(body)
}

impl<'a> Contents<'a> {
    fn instruct(&mut self, target: &mut Target<'_>, part: &Part) {
        match &part.body {
            PartBody::Text(text) if text.is_empty() => {}
            PartBody::Text(text) => self.system.push(said(text)),
            other => target.lose(Lost::Content, other.kind()),
        }
        if let Some(mark) = part.cache_mark {
            self.mark(target, mark);
        }
    }

    fn mark(&mut self, target: &mut Target<'_>, mark: CacheMark) {
        if mark == CacheMark::OneHour {
            target.lose(Lost::Property, "ttl");
        }
        self.mark = Some((self.list.len(), self.list.last().map_or(0, |last| last.parts.len())));
    }

    fn add(&mut self, target: &mut Target<'a>, message: &'a Message) {
        for extra in &message.extra {
            target.lose(Lost::Property, &extra.key);
        }
        for part in &message.parts {
            if let PartBody::ToolCall { id, name, .. } = &part.body {
                self.names.insert(id, name);
            }
        }
        let named = with_name(message);
        let message = named.as_ref().unwrap_or(message);
        match message.role {
            Role::System => {
                for part in &message.parts {
                    self.instruct(target, part);
                }
            }
            Role::Assistant => {
                let parts = model_turn::parts(target, message);
                self.push("model", parts);
                for part in &message.parts {
                    if let Some(mark) = part.cache_mark {
                        self.mark(target, mark);
                    }
                }
            }
            Role::User => {
                for part in &message.parts {
                    let parts = self.user_part(target, part);
                    self.push("user", parts);
                    let inside = match &part.body {
                        PartBody::ToolResult { parts, .. } => {
                            parts.iter().rev().find_map(|part| part.cache_mark)
                        }
                        _ => None,
                    };
                    if let Some(mark) = part.cache_mark.or(inside) {
                        self.mark(target, mark);
                    }
                }
            }
        }
    }

    /// Adds parts to the last content when it is of the same role.
    fn push(&mut self, role: &'static str, mut parts: Vec<String>) {
        match self.list.last_mut() {
            _ if parts.is_empty() => {}
            Some(last) if last.role == role => last.parts.append(&mut parts),
            _ => self.list.push(Content { role, parts }),
        }
    }

    fn user_part(&self, target: &mut Target<'_>, part: &Part) -> Vec<String> {
        match &part.body {
            PartBody::Text(text) if text.is_empty() => Vec::new(),
            PartBody::ToolResult { call_id, parts, is_error } => {
                self.result(target, call_id, parts, *is_error)
            }
            _ => medium(target, part).into_iter().map(ObjectText::finish).collect(),
        }
    }

    /// A function's result. Its text goes as a string, so that not a digit of it changes.
    fn result(
        &self,
        target: &mut Target<'_>,
        call_id: &str,
        parts: &[Part],
        is_error: bool,
    ) -> Vec<String> {
        let (mut text, mut inside, mut after) = (String::new(), ArrayText::new(), Vec::new());
        for part in parts {
            if let PartBody::Text(more) = &part.body {
                if !text.is_empty() {
                    text.push('\n');
                }
                text.push_str(more);
            } else if let Some(fields) = medium(target, part) {
                if target.traits.media_in_results && media::is_inline(&part.body) {
                    inside.push(&fields.finish());
                } else {
                    after.push(fields.finish());
                }
            }
        }
        let mut response = ObjectText::new();
        response.text(if is_error { "error" } else { "output" }, &text);
        let mut result = ObjectText::new();
        if target.traits.function_ids {
            result.text("id", call_id);
        }
        result.text("name", self.names.get(call_id).copied().unwrap_or(call_id));
        result.json("response", &response.finish());
        if !inside.is_empty() {
            result.json("parts", &inside.finish());
        }
        let mut fields = ObjectText::new();
        fields.json("functionResponse", &result.finish());
        after.insert(0, fields.finish());
        after
    }

    fn finish(mut self, body: &mut ObjectText) -> Option<usize> {
        let until = self.mark.map(|(contents, parts)| {
            let last = contents.checked_sub(1).and_then(|last| self.list.get(last));
            // A turn that went on after the mark is not whole before it.
            let grew = last.is_some_and(|last| last.parts.len() > parts);
            contents.saturating_sub(usize::from(grew))
        });
        if self.list.is_empty() && !self.system.is_empty() {
            // There must be a turn: instructions alone are what the user says.
            self.list.push(Content { role: "user", parts: std::mem::take(&mut self.system) });
        }
        if !self.system.is_empty() {
            body.json("systemInstruction", &format!(r#"{{"parts":{}}}"#, list(&self.system)));
        }
        let mut contents = ArrayText::new();
        for content in &self.list {
            let mut turn = ObjectText::new();
            turn.text("role", content.role);
            turn.json("parts", &list(&content.parts));
            contents.push(&turn.finish());
        }
        body.json("contents", &contents.finish());
        until
    }
}

fn said(text: &str) -> String {
    format!(r#"{{"text":{}}}"#, quoted(text))
}

fn list(parts: &[String]) -> String {
    format!("[{}]", parts.join(","))
}

/// What anyone may say or show; what cannot be carried is lost.
fn medium(target: &mut Target<'_>, part: &Part) -> Option<ObjectText> {
    match &part.body {
        PartBody::Text(text) | PartBody::Refusal(text) => {
            let mut fields = ObjectText::new();
            fields.text("text", text);
            return Some(fields);
        }
        PartBody::File { source: FileSource::Text(text), filename } => {
            if filename.is_some() {
                target.lose(Lost::Property, "filename");
            }
            let mut fields = ObjectText::new();
            fields.text("text", text);
            return Some(fields);
        }
        PartBody::Image { detail: Some(detail), .. } if detail != "auto" => {
            target.lose(Lost::Property, "detail");
        }
        PartBody::File { filename: Some(_), .. } => target.lose(Lost::Property, "filename"),
        _ => {}
    }
    let fields = media::part(&part.body);
    if fields.is_none() {
        target.lose(Lost::Content, part.body.kind());
    }
    fields
}

/// The message with its name in front of its first text (inference spec 1.3).
pub(crate) fn with_name(message: &Message) -> Option<Message> {
    let name = message.name.as_deref().filter(|name| !name.is_empty())?;
    let mut named = message.clone();
    let first = named.parts.iter_mut().find_map(|part| match &mut part.body {
        PartBody::Text(text) => Some(text),
        _ => None,
    })?;
    *first = format!("{name}: {first}");
    Some(named)
}
