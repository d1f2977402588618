//! Items of the input as messages and their parts.

use crate::conversation::{
    CacheMark, Conversation, Extra, FileSource, ImageSource, Message, Part, PartBody, Reasoning,
    RedactedReasoning, Role,
};
use crate::document::{Kind, Raw, quoted};
use crate::event::ReasoningForm;
use crate::loss::{Loss, Lost, report};
use crate::openai_responses::carried;
use crate::openai_responses::survey::kind_of;

/// The format of reasoning that names none: this dialect's own.
const FORMAT: &str = "openai-responses-v1";
/// The mark of a cached prefix.
const BREAKPOINT: &str = "prompt_cache_breakpoint";

fn text(raw: Raw<'_>, key: &str) -> Option<String> {
    raw.get(key)?.string().map(|text| text.into_owned())
}

/// Adds one item. What the model did in one turn becomes one message, and so do results that follow
/// each other.
pub(super) fn add(conversation: &mut Conversation, raw: Raw<'_>, losses: &mut Vec<Loss>) {
    let kind = kind_of(raw);
    match &*kind {
        "message" => message(conversation, raw, losses),
        "reasoning" => push(conversation, Role::Assistant, reasoning(raw)),
        "function_call" => {
            let arguments = text(raw, "arguments").unwrap_or_default();
            push(conversation, Role::Assistant, vec![call(raw, arguments)]);
        }
        "custom_tool_call" => {
            let input = quoted(&text(raw, "input").unwrap_or_default());
            let arguments = format!("{{\"input\":{input}}}");
            push(conversation, Role::Assistant, vec![call(raw, arguments)]);
        }
        "function_call_output" | "custom_tool_call_output" => {
            let body = PartBody::ToolResult {
                call_id: text(raw, "call_id").unwrap_or_default(),
                parts: raw.get("output").map(|one| content(one, losses)).unwrap_or_default(),
                is_error: false,
            };
            let extra = Extra::beside(&["type", "id", "status", "call_id", "output"], raw);
            let part = Part { extra, ..Part::new(body) };
            let is_result = |part: &Part| matches!(part.body, PartBody::ToolResult { .. });
            let last = conversation.messages.last_mut();
            match last.filter(|last| last.parts.iter().all(is_result) && !last.parts.is_empty()) {
                Some(results) => results.parts.push(part),
                None => {
                    let message = Message::new(Role::User, vec![part]);
                    conversation.messages.push(message);
                }
            }
        }
        other => report(losses, Lost::Content, other),
    }
}

/// A call. Its id and status repeat what was answered.
fn call(raw: Raw<'_>, arguments: String) -> Part {
    let known = ["type", "id", "status", "call_id", "name", "arguments", "input"];
    let body = PartBody::ToolCall {
        id: text(raw, "call_id").unwrap_or_default(),
        name: text(raw, "name").unwrap_or_default(),
        arguments,
    };
    Part { extra: Extra::beside(&known, raw), ..Part::new(body) }
}

/// Adds parts to the model's turn, or begins it.
fn push(conversation: &mut Conversation, role: Role, parts: Vec<Part>) {
    match conversation.messages.last_mut().filter(|last| last.role == role) {
        Some(last) => last.parts.extend(parts),
        None if parts.is_empty() => {}
        None => conversation.messages.push(Message::new(role, parts)),
    }
}

fn message(conversation: &mut Conversation, raw: Raw<'_>, losses: &mut Vec<Loss>) {
    let parts = raw.get("content").map(|one| content(one, losses)).unwrap_or_default();
    for extra in Extra::beside(&["type", "id", "status", "role", "content"], raw) {
        report(losses, Lost::Property, &extra.key);
    }
    match text(raw, "role").unwrap_or_default().as_str() {
        "assistant" => push(conversation, Role::Assistant, parts),
        "user" => conversation.messages.push(Message::new(Role::User, parts)),
        // Instructions before the first message of anyone else are the system's.
        _ if conversation.messages.is_empty() => conversation.system.extend(parts),
        _ => conversation.messages.push(Message::new(Role::System, parts)),
    }
}

/// Reads a text or a list of parts. An empty text is no part.
fn content(raw: Raw<'_>, losses: &mut Vec<Loss>) -> Vec<Part> {
    if raw.kind() == Kind::String {
        let text = raw.string().unwrap_or_default();
        return if text.is_empty() { Vec::new() } else { vec![Part::text(text)] };
    }
    let mut parts = Vec::new();
    for (_, element) in raw.elements() {
        match part(element) {
            Some(body) => {
                let mark = element.get(BREAKPOINT).filter(|mark| !mark.is_null());
                let cache_mark = mark.map(|_| CacheMark::Default);
                parts.push(Part { extra: others(&body, element), cache_mark, body });
            }
            None => report(losses, Lost::Content, &text(element, "type").unwrap_or_default()),
        }
    }
    parts
}

fn part(raw: Raw<'_>) -> Option<PartBody> {
    match text(raw, "type")?.as_str() {
        "input_text" | "output_text" | "text" => Some(PartBody::Text(text(raw, "text")?)),
        "refusal" => Some(PartBody::Refusal(text(raw, "refusal")?)),
        "input_image" => {
            let url = text(raw, "image_url")?;
            let source = match data_url(&url) {
                Some((media_type, data)) => ImageSource::Base64 { media_type, data },
                None => ImageSource::Url(url),
            };
            Some(PartBody::Image { source, detail: text(raw, "detail") })
        }
        "input_file" => {
            let source = match (text(raw, "file_data"), text(raw, "file_url")) {
                (Some(data), _) => match data_url(&data) {
                    Some((media_type, data)) => FileSource::Base64 { media_type, data },
                    None if data.contains("://") => FileSource::Url(data),
                    None => FileSource::Base64 { media_type: "application/pdf".to_owned(), data },
                },
                (None, Some(url)) => FileSource::Url(url),
                (None, None) => FileSource::Id(text(raw, "file_id")?),
            };
            Some(PartBody::File { source, filename: text(raw, "filename") })
        }
        "input_audio" => {
            let audio = raw.get("input_audio")?;
            Some(PartBody::Audio { data: text(audio, "data")?, format: text(audio, "format")? })
        }
        "input_video" => Some(PartBody::Video { url: text(raw, "video_url")? }),
        _ => None,
    }
}

/// Members of a part that were not read. What is inside wins over an address, and both over an id.
fn others(body: &PartBody, raw: Raw<'_>) -> Vec<Extra> {
    let known: &[&str] = match body {
        PartBody::Image { .. } => &["type", "image_url", "detail", BREAKPOINT],
        PartBody::File { source: FileSource::Id(_), .. } => {
            &["type", "file_id", "filename", BREAKPOINT]
        }
        PartBody::File { source: FileSource::Url(_), .. } => {
            &["type", "file_url", "filename", BREAKPOINT]
        }
        PartBody::File { .. } => &["type", "file_data", "filename", BREAKPOINT],
        _ => &["type", "text", "refusal", "input_audio", "video_url", BREAKPOINT],
    };
    let mut list = Extra::beside(known, raw);
    if let PartBody::File { source: FileSource::Url(url), .. } = body {
        // The data may be an address themselves.
        list.retain(|extra| {
            extra.key != "file_data" || Raw::new(&extra.json).string().as_deref() != Some(url)
        });
    }
    list
}

/// Media type and base64 of a data URL.
fn data_url(url: &str) -> Option<(String, String)> {
    let (media_type, data) = url.strip_prefix("data:")?.split_once(";base64,")?;
    Some((media_type.to_owned(), data.to_owned()))
}

/// Reads a reasoning item: its readable parts first, then what only the provider can read. A
/// signature proves the last text, or stands alone. What is neither signed nor encrypted and names no
/// format is of no format: models that seal nothing think so.
fn reasoning(raw: Raw<'_>) -> Vec<Part> {
    let mut sealed = text(raw, "encrypted_content");
    let mut signature = text(raw, "signature");
    let mut format = text(raw, "format");
    let mut id = text(raw, "id").filter(|id| !id.is_empty());
    if let Some(carried) = sealed.as_deref().and_then(carried::unpack) {
        format = Some(carried.format);
        id = id.or(carried.id);
        if carried.is_signature {
            sealed = None;
            signature = signature.or(Some(carried.text));
        } else {
            sealed = Some(carried.text);
        }
    }
    let is_sealed = signature.is_some() || sealed.is_some();
    let format = format.or_else(|| is_sealed.then(|| FORMAT.to_owned()));
    let mut read = Vec::new();
    for (key, form) in [("summary", ReasoningForm::Summary), ("content", ReasoningForm::Text)] {
        let list = raw.get(key).into_iter().flat_map(Raw::elements);
        for text in list.filter_map(|(_, one)| text(one, "text")) {
            let (id, format) = (id.clone(), format.clone());
            read.push(Reasoning { form, text, signature: None, id, format, verbatim: None });
        }
    }
    match read.last_mut() {
        Some(last) => last.signature = signature.take(),
        None => read.extend(signature.take().map(|signature| Reasoning {
            form: ReasoningForm::Text,
            text: String::new(),
            signature: Some(signature),
            id: id.clone(),
            format: format.clone(),
            verbatim: None,
        })),
    }
    let mut parts: Vec<Part> =
        read.into_iter().map(|one| Part::new(PartBody::Reasoning(one))).collect();
    if let Some(data) = sealed {
        let redacted = RedactedReasoning { data, id, format, verbatim: None };
        parts.push(Part::new(PartBody::RedactedReasoning(redacted)));
    }
    parts
}
