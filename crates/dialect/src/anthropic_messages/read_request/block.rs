//! Content blocks as parts.

use super::{ROUTERS_OWN, is_text, text, verbatim};
use crate::anthropic_messages::carried::{self, CLAUDE};
use crate::conversation::{
    CacheMark, Extra, FileSource, ImageSource, Part, PartBody, Reasoning, RedactedReasoning,
};
use crate::document::{Kind, Raw};
use crate::event::ReasoningForm;

/// How the formats end in which readable reasoning is a summary.
const SUMMARISED: &str = "-responses-v1";

/// Reads content: a text, or a list of blocks. An empty text is no part.
pub(super) fn content(raw: Raw<'_>) -> Vec<Part> {
    if is_text(raw) {
        let text = raw.string().unwrap_or_default();
        return if text.is_empty() { Vec::new() } else { vec![Part::text(text)] };
    }
    raw.elements().filter_map(|(_, block)| read(block)).collect()
}

/// Reads a `cache_control` object.
pub(super) fn cache_control(raw: Raw<'_>) -> Option<CacheMark> {
    if raw.kind() != Kind::Object {
        return None;
    }
    Some(CacheMark::of_control(raw))
}

fn read(raw: Raw<'_>) -> Option<Part> {
    let kind = text(raw, "type").unwrap_or_default();
    if ROUTERS_OWN.contains(&kind.as_str()) {
        return None;
    }
    let Some(body) = known(&kind, raw) else {
        let body = PartBody::Opaque { kind, verbatim: verbatim(raw) };
        let cache_mark = raw.get("cache_control").and_then(cache_control);
        return Some(Part { cache_mark, ..Part::new(body) });
    };
    let cache_mark = raw.get("cache_control").and_then(cache_control);
    let extra = Extra::beside(known_members(&body), raw);
    Some(Part { body, cache_mark, extra })
}

/// The members that a block of this kind is read from.
const fn known_members(body: &PartBody) -> &'static [&'static str] {
    match body {
        PartBody::Text(_) => &["type", "text", "cache_control"],
        PartBody::Image { .. } => &["type", "source", "cache_control"],
        PartBody::File { .. } => &["type", "source", "title", "cache_control"],
        PartBody::ToolCall { .. } => &["type", "id", "name", "input", "cache_control"],
        PartBody::ToolResult { .. } => {
            &["type", "tool_use_id", "content", "is_error", "cache_control"]
        }
        _ => &["type", "thinking", "signature", "data", "cache_control"],
    }
}

fn known(kind: &str, raw: Raw<'_>) -> Option<PartBody> {
    match kind {
        "text" => Some(PartBody::Text(text(raw, "text")?)),
        "image" => image(raw.get("source")?),
        "document" => document(raw),
        "tool_use" => Some(PartBody::ToolCall {
            id: text(raw, "id")?,
            name: text(raw, "name")?,
            arguments: raw.get("input")?.text().to_owned(),
        }),
        "tool_result" => Some(PartBody::ToolResult {
            call_id: text(raw, "tool_use_id")?,
            parts: raw.get("content").map(content).unwrap_or_default(),
            is_error: raw.get("is_error").and_then(Raw::bool) == Some(true),
        }),
        "thinking" => Some(PartBody::Reasoning(thinking(raw)?)),
        "redacted_thinking" => Some(PartBody::RedactedReasoning(redacted(raw)?)),
        _ => None,
    }
}

fn image(source: Raw<'_>) -> Option<PartBody> {
    let source = match text(source, "type")?.as_str() {
        "base64" => ImageSource::Base64 {
            media_type: text(source, "media_type")?,
            data: text(source, "data")?,
        },
        "url" => ImageSource::Url(text(source, "url")?),
        _ => return None,
    };
    Some(PartBody::Image { source, detail: None })
}

fn document(raw: Raw<'_>) -> Option<PartBody> {
    let inner = raw.get("source")?;
    let source = match text(inner, "type")?.as_str() {
        "base64" => FileSource::Base64 {
            media_type: text(inner, "media_type")?,
            data: text(inner, "data")?,
        },
        "url" => FileSource::Url(text(inner, "url")?),
        "file" => FileSource::Id(text(inner, "file_id")?),
        "text" => FileSource::Text(text(inner, "data")?),
        _ => FileSource::Text(plain_content(inner.get("content")?)?),
    };
    Some(PartBody::File { source, filename: text(raw, "title") })
}

/// The content of a document, when it is nothing but text.
fn plain_content(raw: Raw<'_>) -> Option<String> {
    if is_text(raw) {
        return raw.string().map(|text| text.into_owned());
    }
    let texts: Option<Vec<String>> = raw
        .elements()
        .map(|(_, block)| text(block, "text").filter(|_| block.get("source").is_none()))
        .collect();
    texts.map(|texts| texts.join("\n"))
}

/// A signed block is Claude's unless its signature says otherwise. Without a signature it came from
/// a model that signs nothing.
fn thinking(raw: Raw<'_>) -> Option<Reasoning> {
    let signature = text(raw, "signature").filter(|signature| !signature.is_empty());
    let mut block = Reasoning {
        form: ReasoningForm::Text,
        text: text(raw, "thinking")?,
        signature: None,
        id: None,
        format: None,
        verbatim: None,
    };
    match signature.map(|text| carried::unpack(&text).ok_or(text)) {
        Some(Ok(carried)) => {
            block.signature = Some(carried.text).filter(|text| !text.is_empty());
            if carried.format.as_deref().is_some_and(|format| format.ends_with(SUMMARISED)) {
                block.form = ReasoningForm::Summary;
            }
            (block.id, block.format) = (carried.id, carried.format);
        }
        Some(Err(own)) => {
            block.signature = Some(own);
            block.format = Some(CLAUDE.to_owned());
            block.verbatim = Some(verbatim(raw));
        }
        None => {}
    }
    Some(block)
}

fn redacted(raw: Raw<'_>) -> Option<RedactedReasoning> {
    let data = text(raw, "data")?;
    Some(match carried::unpack(&data) {
        Some(carried) => RedactedReasoning {
            data: carried.text,
            id: carried.id,
            format: carried.format,
            verbatim: None,
        },
        None => RedactedReasoning {
            data,
            id: None,
            format: Some(CLAUDE.to_owned()),
            verbatim: Some(verbatim(raw)),
        },
    })
}
