//! `messages`. There is one system turn and it is the first; results of tools follow the turn that
//! called them, each as a message of its own.

use super::Target;
use crate::cohere_v2::TOOL_PLAN;
use crate::compose::{ArrayText, ObjectText};
use crate::conversation::{FileSource, Message, Part, PartBody, Reasoning, Role};
use crate::document::quoted;
use crate::gemini::write_request::with_name;
use crate::loss::Lost;

/// What stands between texts that were parts.
const GLUE: &str = "\n\n";

pub(super) fn messages(target: &mut Target<'_>) -> String {
    let conversation = target.conversation;
    let mut system = Vec::new();
    for part in &conversation.system {
        instruct(target, part, &mut system);
    }
    let mut list = Vec::new();
    for message in &conversation.messages {
        for extra in &message.extra {
            target.lose(Lost::Property, &extra.key);
        }
        let named = with_name(message);
        let message = named.as_ref().unwrap_or(message);
        match message.role {
            Role::System => {
                for part in &message.parts {
                    instruct(target, part, &mut system);
                }
            }
            Role::User => user(target, message, &mut list),
            Role::Assistant => list.extend(assistant(target, message)),
        }
    }
    if conversation.cache_mark.is_some() {
        target.lose(Lost::CacheMark, "cache_control");
    }
    let mut whole = ArrayText::new();
    if !system.is_empty() {
        // There must be a turn: instructions alone are what the user says.
        let role = if list.is_empty() { "user" } else { "system" };
        whole.push(&said(role, &quoted(&system.join(GLUE))));
    }
    for message in list {
        whole.push(&message);
    }
    whole.finish()
}

fn said(role: &str, content: &str) -> String {
    let mut message = ObjectText::new();
    message.text("role", role);
    message.json("content", content);
    message.finish()
}

fn unmark(target: &mut Target<'_>, part: &Part) {
    if part.cache_mark.is_some() {
        target.lose(Lost::CacheMark, "cache_control");
    }
}

fn instruct(target: &mut Target<'_>, part: &Part, system: &mut Vec<String>) {
    unmark(target, part);
    match &part.body {
        PartBody::Text(text) if text.is_empty() => {}
        PartBody::Text(text) => system.push(text.clone()),
        other => target.lose(Lost::Content, other.kind()),
    }
}

/// What a user or a tool says: texts and pictures.
#[derive(Default)]
struct Content {
    texts: Vec<String>,
    /// Every piece as an object, texts among them.
    pieces: Vec<String>,
}

impl Content {
    fn text(&mut self, text: &str) {
        if !text.is_empty() {
            let mut piece = ObjectText::typed("text");
            piece.text("text", text);
            self.pieces.push(piece.finish());
            self.texts.push(text.to_owned());
        }
    }

    fn add(&mut self, target: &mut Target<'_>, part: &Part) {
        unmark(target, part);
        match &part.body {
            PartBody::Text(text) | PartBody::Refusal(text) => self.text(text),
            PartBody::File { source: FileSource::Text(text), filename } => {
                let title = filename.as_deref().map(|name| format!("{name}:\n\n"));
                self.text(&format!("{}{text}", title.unwrap_or_default()));
            }
            PartBody::Image { source, detail } => {
                let mut url = ObjectText::new();
                url.text("url", &source.address());
                // Only the router knows `original`.
                let detail = detail.as_deref();
                url.optional_text(
                    "detail",
                    detail.map(|one| if one == "original" { "high" } else { one }),
                );
                let mut piece = ObjectText::typed("image_url");
                piece.json("image_url", &url.finish());
                self.pieces.push(piece.finish());
            }
            other => target.lose(Lost::Content, other.kind()),
        }
    }

    /// One text where there are only texts.
    fn json(&self, glue: &str) -> String {
        if self.texts.len() == self.pieces.len() {
            quoted(&self.texts.join(glue))
        } else {
            format!("[{}]", self.pieces.join(","))
        }
    }
}

fn user(target: &mut Target<'_>, message: &Message, list: &mut Vec<String>) {
    let mut content = Content::default();
    for part in &message.parts {
        let PartBody::ToolResult { call_id, parts, is_error } = &part.body else {
            content.add(target, part);
            continue;
        };
        unmark(target, part);
        if *is_error {
            target.lose(Lost::Property, "is_error");
        }
        let mut result = Content::default();
        for part in parts {
            match &part.body {
                PartBody::Image { .. } => target.lose(Lost::Content, part.body.kind()),
                _ => result.add(target, part),
            }
        }
        let mut answer = ObjectText::new();
        answer.text("role", "tool");
        answer.text("tool_call_id", call_id);
        answer.json("content", &result.json("\n"));
        list.push(answer.finish());
    }
    if !content.pieces.is_empty() {
        list.push(said("user", &content.json(GLUE)));
    }
}

/// What a turn of the model is put together from.
#[derive(Default)]
struct Turn {
    plan: String,
    thinking: Vec<String>,
    text: String,
    calls: Vec<String>,
}

fn assistant(target: &mut Target<'_>, message: &Message) -> Option<String> {
    let mut turn = Turn::default();
    for part in &message.parts {
        unmark(target, part);
        match &part.body {
            PartBody::Text(text) => turn.text.push_str(text),
            PartBody::Refusal(text) => {
                target.lose(Lost::Property, "refusal");
                turn.text.push_str(text);
            }
            PartBody::Reasoning(thought) => turn.think(target, thought),
            PartBody::RedactedReasoning(_) => target.lose(Lost::Reasoning, "encrypted"),
            PartBody::ToolCall { id, name, arguments } => {
                turn.calls.push(call(id, name, arguments));
            }
            other => target.lose(Lost::Content, other.kind()),
        }
    }
    turn.finish(target)
}

fn call(id: &str, name: &str, arguments: &str) -> String {
    let mut function = ObjectText::new();
    function.text("name", name);
    function.text("arguments", if arguments.trim().is_empty() { "{}" } else { arguments });
    let mut call = ObjectText::new();
    call.text("id", id);
    call.text("type", "function");
    call.json("function", &function.finish());
    call.finish()
}

impl Turn {
    /// Thoughts go back when nobody signed them: what is signed is another provider's.
    fn think(&mut self, target: &mut Target<'_>, thought: &Reasoning) {
        let is_ours = thought.format.as_deref().is_none_or(|format| format == "unknown");
        let is_signed = thought.signature.as_deref().is_some_and(|text| !text.is_empty());
        if !is_ours || is_signed {
            return target.lose(Lost::Reasoning, "format");
        }
        if thought.id.as_deref() == Some(TOOL_PLAN) {
            self.plan.push_str(&thought.text);
        } else if !thought.text.is_empty() {
            self.thinking.push(thought.text.clone());
        }
    }

    fn finish(mut self, target: &mut Target<'_>) -> Option<String> {
        // A model that does not think plans before its calls.
        if !target.thinks() && !self.thinking.is_empty() {
            if self.calls.is_empty() {
                target.lose(Lost::Reasoning, "thinking");
            } else {
                self.plan.push_str(&self.thinking.concat());
            }
            self.thinking.clear();
        }
        if self.calls.is_empty() && !self.plan.is_empty() {
            target.lose(Lost::Reasoning, TOOL_PLAN);
            self.plan.clear();
        }
        if self.calls.is_empty() && self.text.is_empty() && self.thinking.is_empty() {
            return None;
        }
        let mut message = ObjectText::new();
        message.text("role", "assistant");
        if self.thinking.is_empty() {
            if !self.text.is_empty() {
                message.text("content", &self.text);
            }
        } else {
            let mut content = ArrayText::new();
            for thought in &self.thinking {
                let mut piece = ObjectText::typed("thinking");
                piece.text("thinking", thought);
                content.push(&piece.finish());
            }
            if !self.text.is_empty() {
                let mut piece = ObjectText::typed("text");
                piece.text("text", &self.text);
                content.push(&piece.finish());
            }
            message.json("content", &content.finish());
        }
        if !self.plan.is_empty() {
            message.text("tool_plan", &self.plan);
        }
        if !self.calls.is_empty() {
            message.json("tool_calls", &format!("[{}]", self.calls.join(",")));
        }
        Some(message.finish())
    }
}
