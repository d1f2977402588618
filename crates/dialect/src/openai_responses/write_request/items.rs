//! Messages as input items.

use crate::compose::{ArrayText, ObjectText};
use crate::conversation::{FileSource, Message, Part, PartBody, Role};
use crate::event::ReasoningForm;
use crate::loss::{Loss, Lost, report};

/// The end of the names of formats that such a provider can read.
pub(in crate::openai_responses) const FORMAT: &str = "openai-responses-v1";

/// Writes the input. Parts of one message that are no items of their own stay together.
pub(super) fn write(messages: &[Message], losses: &mut Vec<Loss>) -> String {
    let mut input = ArrayText::new();
    for message in messages {
        let mut content = ArrayText::new();
        let mut reasoning: Vec<&Part> = Vec::new();
        for part in &message.parts {
            if part.cache_mark.is_some() {
                report(losses, Lost::CacheMark, "cache_control");
            }
            let is_reasoning =
                matches!(part.body, PartBody::Reasoning(_) | PartBody::RedactedReasoning(_));
            if is_reasoning {
                let same = reasoning.last().is_some_and(|last| id_of(last) == id_of(part));
                if !same || id_of(part).is_none() {
                    think(&mut input, &std::mem::take(&mut reasoning), losses);
                }
                reasoning.push(part);
                continue;
            }
            think(&mut input, &std::mem::take(&mut reasoning), losses);
            match item(&part.body, losses) {
                Some(item) => {
                    let before = std::mem::replace(&mut content, ArrayText::new());
                    say(&mut input, message.role, before);
                    input.push(&item);
                }
                None => {
                    if let Some(piece) = piece(&part.body, message.role, losses) {
                        content.push(&piece);
                    }
                }
            }
        }
        think(&mut input, &reasoning, losses);
        say(&mut input, message.role, content);
    }
    input.finish()
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

/// A part that is an item of its own.
fn item(body: &PartBody, losses: &mut Vec<Loss>) -> Option<String> {
    match body {
        PartBody::ToolCall { id, name, arguments } => {
            let mut item = ObjectText::typed("function_call");
            item.text("call_id", id);
            item.text("name", name);
            item.text("arguments", arguments);
            Some(item.finish())
        }
        PartBody::ToolResult { call_id, parts, is_error } => {
            if *is_error {
                report(losses, Lost::Property, "is_error");
            }
            let mut item = ObjectText::typed("function_call_output");
            item.text("call_id", call_id);
            match &parts[..] {
                [] => item.text("output", ""),
                [Part { body: PartBody::Text(text), .. }] => item.text("output", text),
                parts => {
                    let mut output = ArrayText::new();
                    for part in parts {
                        if let Some(piece) = piece(&part.body, Role::User, losses) {
                            output.push(&piece);
                        }
                    }
                    item.json("output", &output.finish());
                }
            }
            Some(item.finish())
        }
        _ => None,
    }
}

/// A part of a message's content.
fn piece(body: &PartBody, role: Role, losses: &mut Vec<Loss>) -> Option<String> {
    let piece = match body {
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
                FileSource::Id(id) => piece.text("file_id", id),
                FileSource::Base64 { media_type, data } => {
                    piece.text("file_data", &format!("data:{media_type};base64,{data}"));
                }
                FileSource::Text(text) => {
                    let mut piece = ObjectText::typed("input_text");
                    piece.text("text", text);
                    return Some(piece.finish());
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
        other => {
            let kind = match other {
                PartBody::Video { .. } => "video",
                PartBody::Opaque { kind, .. } => kind,
                _ => "part",
            };
            report(losses, Lost::Content, kind);
            return None;
        }
    };
    Some(piece.finish())
}
