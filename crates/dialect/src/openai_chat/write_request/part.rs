//! Parts of a message's content, and cache marks.

use super::Target;
use crate::compose::{ArrayText, ObjectText};
use crate::conversation::{CacheMark, FileSource, Part, PartBody, Role, WireDialect};
use crate::document::quoted;
use crate::loss::Lost;
use crate::outbound::{BREAKPOINT, CacheStyle};

/// Writes content. Texts alone become one text joined by `glue`, because not every server knows
/// parts everywhere; a client of this dialect keeps the parts it sent.
pub(super) fn content(parts: &[&Part], role: Role, glue: &str, target: &mut Target<'_>) -> String {
    let is_answer = role == Role::Assistant;
    let texts: Option<Vec<&str>> = parts
        .iter()
        .map(|part| match &part.body {
            PartBody::Text(text) if part.cache_mark.is_none() || !target.marks(is_answer) => {
                Some(text.as_str())
            }
            _ => None,
        })
        .collect();
    if let Some(texts) = texts.filter(|texts| texts.len() < 2 || !target.same_dialect) {
        if parts.iter().any(|part| part.cache_mark.is_some()) {
            target.lose(Lost::CacheMark, "cache_control");
        }
        return quoted(&texts.join(glue));
    }
    let mut list = ArrayText::new();
    for part in parts {
        if let Some(mut object) = object(&part.body, target) {
            mark(part.cache_mark, is_answer, target, &mut object);
            list.push(&object.finish());
        } else if let PartBody::Opaque { verbatim, .. } = &part.body
            && verbatim.dialect == WireDialect::OpenaiChat
        {
            list.push(&verbatim.json);
        } else {
            target.lose(Lost::Content, part.body.kind());
        }
    }
    list.finish()
}

/// Writes a cache mark as the endpoint wants it (inference spec 14.1). Of most it is not known whether
/// they take any, and many refuse what they don't know. What the model said, and tools, can have no
/// breakpoint.
pub(super) fn mark(
    mark: Option<CacheMark>,
    everywhere: bool,
    target: &mut Target<'_>,
    object: &mut ObjectText,
) {
    let Some(mark) = mark else { return };
    if !target.marks(everywhere) {
        return target.lose(Lost::CacheMark, "cache_control");
    }
    if target.out.cache == CacheStyle::Breakpoints {
        if mark.ttl().is_some() {
            target.lose(Lost::CacheMark, "ttl");
        }
        return object.json("prompt_cache_breakpoint", BREAKPOINT);
    }
    let mut control = ObjectText::typed("ephemeral");
    control.optional_text("ttl", mark.ttl());
    object.json("cache_control", &control.finish());
}

fn object(body: &PartBody, target: &Target<'_>) -> Option<ObjectText> {
    let mut inner = ObjectText::new();
    let kind = match body {
        PartBody::Text(text) => {
            let mut object = ObjectText::typed("text");
            object.text("text", text);
            return Some(object);
        }
        PartBody::Refusal(text) => {
            let mut object = ObjectText::typed("refusal");
            object.text("refusal", text);
            return Some(object);
        }
        PartBody::Image { source, detail } => {
            inner.text("url", &source.address());
            let detail = detail.as_deref();
            // Only the router knows `original`.
            inner.optional_text(
                "detail",
                detail.map(|one| if one == "original" { "high" } else { one }),
            );
            "image_url"
        }
        PartBody::Audio { data, format } => {
            inner.text("data", data);
            inner.text("format", format);
            "input_audio"
        }
        PartBody::Video { url } => {
            inner.text("url", url);
            "video_url"
        }
        PartBody::File { source, filename } => {
            return file(source, filename.as_deref(), target);
        }
        _ => return None,
    };
    let mut object = ObjectText::typed(kind);
    object.json(kind, &inner.finish());
    Some(object)
}

/// A file; a plain text is no file here but text.
fn file(source: &FileSource, filename: Option<&str>, target: &Target<'_>) -> Option<ObjectText> {
    let mut inner = ObjectText::new();
    let usual = matches!(source, FileSource::Base64 { .. }).then(|| source.usual_name());
    inner.optional_text("filename", filename.or(usual));
    match source {
        FileSource::Url(url) => inner.text("file_data", url),
        FileSource::Base64 { media_type, data } => {
            inner.text("file_data", &format!("data:{media_type};base64,{data}"));
        }
        FileSource::Text(text) => {
            let mut object = ObjectText::typed("text");
            let title = filename.map(|name| format!("{name}:\n\n")).unwrap_or_default();
            object.text("text", &format!("{title}{text}"));
            return Some(object);
        }
        // An id means something only where the file lies.
        FileSource::Id(id) if target.same_dialect => inner.text("file_id", id),
        FileSource::Id(_) => return None,
    }
    let mut object = ObjectText::typed("file");
    object.json("file", &inner.finish());
    Some(object)
}
