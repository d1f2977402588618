//! What is to be embedded, as it stands in the request.

use crate::document::{Kind, Raw};

/// One input.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Input<'a> {
    /// A JSON string.
    Text(Raw<'a>),
    /// A list of token ids.
    Tokens(Raw<'a>),
    /// An object whose `content` is a list of parts.
    Content(Raw<'a>),
}

/// Kinds of media.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[expect(missing_docs, reason = "the four kinds of parts besides text")]
pub enum Media {
    Image,
    Audio,
    Video,
    File,
}

/// One part of an input, checked when the request was read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Part {
    /// Text.
    Text(String),
    /// A picture, recording, video or document: its address, a data URL, or base64 with a format.
    Media {
        /// Which of them.
        kind: Media,
        /// Address, data URL or base64.
        data: String,
        /// `wav`, `pdf` and so on.
        format: Option<String>,
    },
}

/// The inputs in order: those of a list, or the one that there is.
pub(super) fn inputs(input: Raw<'_>) -> Vec<Input<'_>> {
    let one = |raw: Raw<'_>| raw.kind() != Kind::Array || is_tokens(raw);
    if one(input) {
        vec![read(input)]
    } else {
        input.elements().map(|(_, raw)| read(raw)).collect()
    }
}

/// Whether a list begins with a number.
pub(super) fn is_tokens(raw: Raw<'_>) -> bool {
    raw.kind() == Kind::Array
        && raw.elements().next().is_some_and(|(_, first)| first.kind() == Kind::Number)
}

fn read(raw: Raw<'_>) -> Input<'_> {
    match raw.kind() {
        Kind::Array => Input::Tokens(raw),
        Kind::Object => Input::Content(raw),
        _ => Input::Text(raw),
    }
}

/// The parts of a text or of a `content`; nothing of tokens.
pub(super) fn parts(input: Input<'_>) -> Vec<Part> {
    match input {
        Input::Text(raw) => vec![Part::Text(raw.string().unwrap_or_default().into_owned())],
        Input::Tokens(_) => Vec::new(),
        Input::Content(raw) => {
            let content = raw.get("content");
            let parts = content.into_iter().flat_map(Raw::elements);
            parts.filter_map(|(_, raw)| part(raw)).collect()
        }
    }
}

fn part(raw: Raw<'_>) -> Option<Part> {
    let text = |raw: Raw<'_>, key| raw.get(key).and_then(Raw::string).map(|one| one.into_owned());
    let named = text(raw, "type")?;
    if named == "text" {
        return text(raw, "text").map(Part::Text);
    }
    let (kind, place) = media(&named)?;
    let inside = raw.get(&named)?;
    Some(Part::Media { kind, data: text(inside, place)?, format: text(inside, "format") })
}

/// What a part's type stands for, and the member of its object that has the media.
pub(super) fn media(named: &str) -> Option<(Media, &'static str)> {
    Some(match named {
        "image_url" => (Media::Image, "url"),
        "input_audio" => (Media::Audio, "data"),
        "input_video" => (Media::Video, "data"),
        "input_file" => (Media::File, "data"),
        _ => return None,
    })
}
