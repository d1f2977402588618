//! Messages as input items.

use crate::compose::{ArrayText, ObjectText};
use crate::conversation::{Conversation, FileSource, Part, PartBody, Role, WireDialect};
use crate::event::ReasoningForm;
use crate::gemini::write_request::with_name;
use crate::loss::{Loss, Lost, report};
use crate::outbound::{BREAKPOINT, CacheStyle, Outbound};

/// The end of the names of formats that such a provider can read.
pub(in crate::openai_responses) const FORMAT: &str = "openai-responses-v1";

/// The input that is being written.
pub(super) struct Input<'a> {
    conversation: &'a Conversation,
    /// Whether cached prefixes can be marked.
    marks: bool,
    /// Whether the instructions are items, because they are marked: the member can't be.
    instructs: bool,
    list: ArrayText,
}

impl<'a> Input<'a> {
    pub(super) fn new(conversation: &'a Conversation, out: &Outbound<'_>) -> Self {
        let marks = out.cache == CacheStyle::Breakpoints;
        let instructs = marks && conversation.system.iter().any(|part| part.cache_mark.is_some());
        Self { conversation, marks, instructs, list: ArrayText::new() }
    }

    /// The instructions as one text, where they are not among the items.
    pub(super) fn instructions(&self) -> Option<String> {
        let texts = self.conversation.system.iter().filter_map(|part| match &part.body {
            PartBody::Text(text) => Some(text.as_str()),
            _ => None,
        });
        let text = texts.collect::<Vec<_>>().join("\n\n");
        (!text.is_empty() && !self.instructs).then_some(text)
    }

    /// Writes it. Parts of one message that are no items of their own stay together.
    pub(super) fn finish(mut self, losses: &mut Vec<Loss>) -> String {
        let system = &self.conversation.system;
        if self.instructs {
            self.message(Role::System, system, losses);
        } else {
            for part in system {
                if part.cache_mark.is_some() {
                    report(losses, Lost::CacheMark, "cache_control");
                }
                if !matches!(part.body, PartBody::Text(_)) {
                    report(losses, Lost::Content, part.body.kind());
                }
            }
        }
        for message in &self.conversation.messages {
            for extra in &message.extra {
                report(losses, Lost::Property, &extra.key);
            }
            let named = with_name(message);
            let message = named.as_ref().unwrap_or(message);
            self.message(message.role, &message.parts, losses);
        }
        self.list.finish()
    }

    fn message(&mut self, role: Role, parts: &[Part], losses: &mut Vec<Loss>) {
        let mut content = ArrayText::new();
        let mut reasoning: Vec<&Part> = Vec::new();
        for part in parts {
            let is_reasoning =
                matches!(part.body, PartBody::Reasoning(_) | PartBody::RedactedReasoning(_));
            if is_reasoning {
                let same = reasoning.last().is_some_and(|last| id_of(last) == id_of(part));
                if !same || id_of(part).is_none() {
                    think(&mut self.list, &std::mem::take(&mut reasoning), losses);
                }
                reasoning.push(part);
                continue;
            }
            think(&mut self.list, &std::mem::take(&mut reasoning), losses);
            match self.item(part, losses) {
                Some(item) => {
                    let before = std::mem::replace(&mut content, ArrayText::new());
                    say(&mut self.list, role, before);
                    self.list.push(&item);
                }
                None => {
                    if let Some(piece) = self.piece(part, role, losses) {
                        content.push(&piece);
                    }
                }
            }
        }
        think(&mut self.list, &reasoning, losses);
        say(&mut self.list, role, content);
    }

    /// A part that is an item of its own.
    fn item(&self, part: &Part, losses: &mut Vec<Loss>) -> Option<String> {
        let item = match &part.body {
            PartBody::ToolCall { id, name, arguments } => {
                let mut item = ObjectText::typed("function_call");
                item.text("call_id", id);
                item.text("name", name);
                item.text("arguments", arguments);
                item
            }
            PartBody::ToolResult { call_id, parts, is_error } => {
                if *is_error {
                    report(losses, Lost::Property, "is_error");
                }
                let mut item = ObjectText::typed("function_call_output");
                item.text("call_id", call_id);
                match &parts[..] {
                    [] => item.text("output", ""),
                    [Part { body: PartBody::Text(text), cache_mark: None, .. }] => {
                        item.text("output", text);
                    }
                    parts => {
                        let mut output = ArrayText::new();
                        for part in parts {
                            if let Some(piece) = self.piece(part, Role::User, losses) {
                                output.push(&piece);
                            }
                        }
                        item.json("output", &output.finish());
                    }
                }
                item
            }
            _ => return None,
        };
        if part.cache_mark.is_some() {
            report(losses, Lost::CacheMark, "cache_control");
        }
        Some(item.finish())
    }

    /// A part of a message's content. What the model said can't be marked.
    fn piece(&self, part: &Part, role: Role, losses: &mut Vec<Loss>) -> Option<String> {
        let files = matches!(
            self.conversation.origin,
            Some(WireDialect::OpenaiChat | WireDialect::OpenaiResponses)
        );
        let Some(mut piece) = piece(&part.body, role, files) else {
            report(losses, Lost::Content, part.body.kind());
            return None;
        };
        let takes = self.marks
            && role != Role::Assistant
            && !matches!(part.body, PartBody::Audio { .. } | PartBody::Refusal(_));
        match part.cache_mark {
            None => {}
            Some(mark) if takes => {
                if mark.ttl().is_some() {
                    report(losses, Lost::CacheMark, "ttl");
                }
                piece.json("prompt_cache_breakpoint", BREAKPOINT);
            }
            Some(_) => report(losses, Lost::CacheMark, "cache_control"),
        }
        Some(piece.finish())
    }
}

fn say(input: &mut ArrayText, role: Role, content: ArrayText) {
    if content.is_empty() {
        return;
    }
    let mut message = ObjectText::typed("message");
    let role = match role {
        Role::System => "developer",
        Role::User => "user",
        Role::Assistant => "assistant",
    };
    message.text("role", role);
    message.json("content", &content.finish());
    input.push(&message.finish());
}

fn id_of(part: &Part) -> Option<&str> {
    match &part.body {
        PartBody::Reasoning(one) => one.id.as_deref(),
        PartBody::RedactedReasoning(one) => one.id.as_deref(),
        _ => None,
    }
}

/// Writes reasoning of one id as one item. Without encrypted text the provider could not read it.
fn think(input: &mut ArrayText, parts: &[&Part], losses: &mut Vec<Loss>) {
    let mut encrypted = None;
    let mut summary = ArrayText::new();
    for part in parts {
        match &part.body {
            PartBody::RedactedReasoning(one)
                if one.format.as_deref().is_some_and(|format| format.ends_with(FORMAT)) =>
            {
                encrypted = Some(one.data.as_str());
            }
            PartBody::Reasoning(one) if one.form == ReasoningForm::Summary => {
                let mut text = ObjectText::typed("summary_text");
                text.text("text", &one.text);
                summary.push(&text.finish());
            }
            _ => {}
        }
    }
    let Some(encrypted) = encrypted else {
        if !parts.is_empty() {
            report(losses, Lost::Reasoning, "reasoning of another format");
        }
        return;
    };
    let mut item = ObjectText::typed("reasoning");
    item.optional_text("id", parts.first().and_then(|part| id_of(part)));
    item.json("summary", &summary.finish());
    item.text("encrypted_content", encrypted);
    input.push(&item.finish());
}

/// A part of a message's content; none when there is none for it. An id of a file means something only
/// where the `files` lie.
fn piece(body: &PartBody, role: Role, files: bool) -> Option<ObjectText> {
    Some(match body {
        PartBody::Text(text) => {
            let is_output = role == Role::Assistant;
            let mut piece = ObjectText::typed(if is_output { "output_text" } else { "input_text" });
            piece.text("text", text);
            piece
        }
        PartBody::Refusal(text) => {
            let mut piece = ObjectText::typed("refusal");
            piece.text("refusal", text);
            piece
        }
        PartBody::Image { source, detail } => {
            let mut piece = ObjectText::typed("input_image");
            piece.text("image_url", &source.address());
            piece.text("detail", detail.as_deref().unwrap_or("auto"));
            piece
        }
        PartBody::File { source, filename } => {
            let mut piece = ObjectText::typed("input_file");
            let usual = matches!(source, FileSource::Base64 { .. }).then(|| source.usual_name());
            piece.optional_text("filename", filename.as_deref().or(usual));
            match source {
                FileSource::Url(url) => piece.text("file_url", url),
                FileSource::Id(id) if files => piece.text("file_id", id),
                FileSource::Id(_) => return None,
                FileSource::Base64 { media_type, data } => {
                    piece.text("file_data", &format!("data:{media_type};base64,{data}"));
                }
                FileSource::Text(text) => {
                    let title = filename.as_deref().map(|name| format!("{name}:\n\n"));
                    let mut piece = ObjectText::typed("input_text");
                    piece.text("text", &format!("{}{text}", title.unwrap_or_default()));
                    return Some(piece);
                }
            }
            piece
        }
        PartBody::Audio { data, format } => {
            let mut audio = ObjectText::new();
            audio.text("data", data);
            audio.text("format", format);
            let mut piece = ObjectText::typed("input_audio");
            piece.json("input_audio", &audio.finish());
            piece
        }
        _ => return None,
    })
}
