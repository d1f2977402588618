//! Pictures, documents, recordings and videos as content blocks: bytes alone.

use super::{Target, document, member};
use crate::base64;
use crate::compose::ObjectText;
use crate::conversation::{FileSource, ImageSource, Part, PartBody};
use crate::document::{Raw, quoted};
use crate::loss::Lost;

/// Formats of pictures by media type.
const IMAGES: &[(&str, &str)] = &[
    ("image/png", "png"),
    ("image/jpeg", "jpeg"),
    ("image/jpg", "jpeg"),
    ("image/gif", "gif"),
    ("image/webp", "webp"),
];

/// Formats of videos by media type.
const VIDEOS: &[(&str, &str)] = &[
    ("video/mp4", "mp4"),
    ("video/quicktime", "mov"),
    ("video/x-matroska", "mkv"),
    ("video/webm", "webm"),
    ("video/x-flv", "flv"),
    ("video/mpeg", "mpeg"),
    ("video/mpg", "mpg"),
    ("video/x-ms-wmv", "wmv"),
    ("video/3gpp", "three_gp"),
];

/// Formats of recordings by the chat dialect's word.
const AUDIOS: &[(&str, &str)] = &[
    ("wav", "wav"),
    ("mp3", "mp3"),
    ("flac", "flac"),
    ("m4a", "m4a"),
    ("ogg", "ogg"),
    ("opus", "opus"),
    ("aac", "aac"),
    ("webm", "webm"),
    ("pcm16", "pcm"),
];

fn known(table: &[(&str, &'static str)], word: &str) -> Option<&'static str> {
    table.iter().find(|(known, _)| *known == word).map(|(_, format)| *format)
}

/// The block of a medium; none when this dialect has none for it.
pub(super) fn block(part: &Part, target: &mut Target<'_>) -> Option<String> {
    let block = match &part.body {
        PartBody::Image { source, detail } => {
            if detail.as_deref().is_some_and(|detail| detail != "auto") {
                target.lose(Lost::Property, "detail");
            }
            match source {
                ImageSource::Base64 { media_type, data } => image(media_type, data),
                ImageSource::Url(url) => {
                    base64::data_url(url).and_then(|(media_type, data)| image(media_type, data))
                }
            }
        }
        PartBody::File { source, filename } => file(source, filename.as_deref(), part, target),
        PartBody::Audio { data, format } => {
            known(AUDIOS, format).map(|format| medium("audio", format, data))
        }
        PartBody::Video { url } => base64::data_url(url)
            .and_then(|(media_type, data)| Some(medium("video", known(VIDEOS, media_type)?, data))),
        _ => None,
    };
    if block.is_none() {
        target.lose(Lost::Content, part.body.kind());
    }
    block
}

fn image(media_type: &str, data: &str) -> Option<String> {
    Some(medium("image", known(IMAGES, plain(media_type))?, data))
}

fn medium(kind: &str, format: &str, data: &str) -> String {
    let mut block = ObjectText::new();
    block.text("format", format);
    block.json("source", &member("bytes", &quoted(data)));
    member(kind, &block.finish())
}

fn file(
    source: &FileSource,
    filename: Option<&str>,
    part: &Part,
    target: &mut Target<'_>,
) -> Option<String> {
    let (media_type, data) = match source {
        FileSource::Base64 { media_type, data } => (plain(media_type), data.as_str()),
        FileSource::Url(url) => base64::data_url(url)?,
        FileSource::Text(text) => {
            let data = base64::encode(text.as_bytes());
            return Some(document("txt", filename, &data, part, target));
        }
        // An id means something only where the file lies.
        FileSource::Id(_) => return None,
    };
    if media_type.starts_with("image/") {
        return image(media_type, data);
    }
    let format = document::format(media_type, filename)?;
    Some(document(format, filename, data, part, target))
}

fn document(
    format: &str,
    filename: Option<&str>,
    data: &str,
    part: &Part,
    target: &mut Target<'_>,
) -> String {
    let mut block = ObjectText::new();
    block.text("format", format);
    block.text("name", &target.names.take(filename));
    block.json("source", &member("bytes", &quoted(data)));
    block.optional_json("context", part.other("context"));
    let cited = part.other("citations").map(Raw::new).and_then(|one| one.get("enabled")?.bool());
    if cited == Some(true) {
        block.json("citations", &member("enabled", "true"));
    }
    member("document", &block.finish())
}

/// The media type without its parameters.
fn plain(media_type: &str) -> &str {
    media_type.split(';').next().unwrap_or_default().trim()
}
