//! Pictures and documents as content blocks.

use super::Target;
use crate::base64;
use crate::compose::ObjectText;
use crate::conversation::{FileSource, ImageSource, PartBody};
use crate::loss::Lost;

/// The block of a medium; none when this dialect has none for it.
pub(super) fn block(body: &PartBody, target: &mut Target<'_>) -> Option<ObjectText> {
    match body {
        PartBody::Image { source, detail } => {
            if detail.as_deref().is_some_and(|detail| detail != "auto") {
                target.lose(Lost::Property, "detail");
            }
            let source = match source {
                ImageSource::Url(url) => address(url),
                ImageSource::Base64 { media_type, data } => inside(plain(media_type), data),
            };
            Some(with_source("image", source))
        }
        PartBody::File { source, filename } => file(source, filename.as_deref(), target),
        other => {
            target.lose(Lost::Content, other.kind());
            None
        }
    }
}

fn file(
    source: &FileSource,
    filename: Option<&str>,
    target: &mut Target<'_>,
) -> Option<ObjectText> {
    let source = match source {
        FileSource::Url(url) => address(url),
        FileSource::Text(text) => text_source(text),
        FileSource::Base64 { media_type, data } => match plain(media_type) {
            "application/pdf" => inside("application/pdf", data),
            kind if kind.starts_with("image/") => {
                return Some(with_source("image", inside(kind, data)));
            }
            kind => {
                let is_text = kind.starts_with("text/") || kind == "application/json";
                let text = base64::decode(data).filter(|_| is_text);
                let Some(text) = text.and_then(|bytes| String::from_utf8(bytes).ok()) else {
                    target.lose(Lost::Content, "file");
                    return None;
                };
                text_source(&text)
            }
        },
        // An id means something only where the file lies.
        FileSource::Id(id) if target.same_dialect => {
            let mut source = ObjectText::typed("file");
            source.text("file_id", id);
            source
        }
        FileSource::Id(_) => {
            target.lose(Lost::Content, "file_id");
            return None;
        }
    };
    let mut block = with_source("document", source);
    block.optional_text("title", filename.filter(|name| !name.is_empty()));
    Some(block)
}

fn with_source(kind: &str, source: ObjectText) -> ObjectText {
    let mut block = ObjectText::typed(kind);
    block.json("source", &source.finish());
    block
}

fn address(url: &str) -> ObjectText {
    let mut source = ObjectText::typed("url");
    source.text("url", url);
    source
}

fn inside(media_type: &str, data: &str) -> ObjectText {
    let mut source = ObjectText::typed("base64");
    source.text("media_type", media_type);
    source.text("data", data);
    source
}

fn text_source(text: &str) -> ObjectText {
    let mut source = ObjectText::typed("text");
    source.text("media_type", "text/plain");
    source.text("data", text);
    source
}

/// The media type without its parameters.
fn plain(media_type: &str) -> &str {
    media_type.split(';').next().unwrap_or_default().trim()
}
