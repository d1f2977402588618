//! Parts of a message's content, and cache marks.

use crate::conversation::{
    CacheMark, Extra, FileSource, ImageSource, Part, PartBody, Verbatim, WireDialect,
};
use crate::document::{Kind, Raw};

fn text(object: Raw<'_>, key: &str) -> Option<String> {
    object.get(key)?.string().map(|text| text.into_owned())
}

/// OpenAI's mark of a cached prefix.
pub(super) const BREAKPOINT: &str = "prompt_cache_breakpoint";

/// Reads content: a text, or a list of parts. An empty text is no part.
pub(super) fn content(raw: Raw<'_>) -> Vec<Part> {
    match raw.kind() {
        Kind::String => {
            let text = raw.string().unwrap_or_default();
            if text.is_empty() { Vec::new() } else { vec![Part::text(text)] }
        }
        _ => raw.elements().map(|(_, part)| read(part)).collect(),
    }
}

fn read(raw: Raw<'_>) -> Part {
    let kind = text(raw, "type").unwrap_or_default();
    let body = known(&kind, raw).unwrap_or_else(|| PartBody::Opaque {
        kind,
        verbatim: Verbatim { dialect: WireDialect::OpenaiChat, json: raw.text().to_owned() },
    });
    let extra = match body {
        PartBody::Opaque { .. } => Vec::new(),
        _ => others(raw),
    };
    Part { body, cache_mark: mark(raw), extra }
}

/// Members that nobody reads, of the part and of the object inside it. Data win over an id.
fn others(raw: Raw<'_>) -> Vec<Extra> {
    const OUTSIDE: &[&str] = &[
        "type",
        "text",
        "refusal",
        "image_url",
        "input_audio",
        "video_url",
        "file",
        "cache_control",
        BREAKPOINT,
    ];
    let mut list = Extra::beside(OUTSIDE, raw);
    for (kind, known) in [
        ("image_url", &["url", "detail"][..]),
        ("input_audio", &["data", "format"]),
        ("video_url", &["url"]),
        ("file", &["file_data", "filename"]),
    ] {
        let Some(inner) = raw.get(kind) else { continue };
        let only_id = kind == "file" && inner.get("file_data").is_none_or(Raw::is_null);
        let beside = Extra::beside(known, inner);
        list.extend(beside.into_iter().filter(|extra| !(only_id && extra.key == "file_id")));
    }
    list
}

fn known(kind: &str, raw: Raw<'_>) -> Option<PartBody> {
    match kind {
        "text" => Some(PartBody::Text(text(raw, "text")?)),
        "refusal" => Some(PartBody::Refusal(text(raw, "refusal")?)),
        "image_url" => image(raw),
        "input_audio" => {
            let audio = raw.get("input_audio")?;
            Some(PartBody::Audio { data: text(audio, "data")?, format: text(audio, "format")? })
        }
        "video_url" | "input_video" => {
            Some(PartBody::Video { url: text(raw.get("video_url")?, "url")? })
        }
        "file" => file(raw.get("file")?),
        _ => None,
    }
}

/// Reads an `image_url` part.
pub(super) fn image(raw: Raw<'_>) -> Option<PartBody> {
    let image = raw.get("image_url")?;
    let url = text(image, "url")?;
    let source = match data_url(&url) {
        Some((media_type, data)) => ImageSource::Base64 { media_type, data },
        None => ImageSource::Url(url),
    };
    Some(PartBody::Image { source, detail: text(image, "detail") })
}

/// A file is inside as a data URL or bare base64, at an address, or stored under an id.
fn file(file: Raw<'_>) -> Option<PartBody> {
    let source = match (text(file, "file_data"), text(file, "file_id")) {
        (Some(data), _) => match data_url(&data) {
            Some((media_type, data)) => FileSource::Base64 { media_type, data },
            None if data.contains("://") => FileSource::Url(data),
            None => FileSource::Base64 { media_type: "application/pdf".to_owned(), data },
        },
        (None, Some(id)) => FileSource::Id(id),
        (None, None) => return None,
    };
    Some(PartBody::File { source, filename: text(file, "filename") })
}

/// Media type and base64 of a data URL.
fn data_url(url: &str) -> Option<(String, String)> {
    let (media_type, data) = url.strip_prefix("data:")?.split_once(";base64,")?;
    Some((media_type.to_owned(), data.to_owned()))
}

/// The cache mark on a part or tool, in either spelling (inference spec 14.1).
pub(super) fn mark(raw: Raw<'_>) -> Option<CacheMark> {
    let control = raw.get("cache_control").and_then(cache_control);
    let point = || raw.get(BREAKPOINT).filter(|raw| !raw.is_null());
    control.or_else(|| point().map(|_| CacheMark::Default))
}

/// Reads a `cache_control` object.
pub(super) fn cache_control(raw: Raw<'_>) -> Option<CacheMark> {
    if raw.kind() != Kind::Object {
        return None;
    }
    Some(CacheMark::of_control(raw))
}
