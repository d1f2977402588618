//! Pictures, documents, recordings and videos as `inlineData` or `fileData`.

use crate::compose::ObjectText;
use crate::conversation::{FileSource, ImageSource, PartBody};

/// Media types by the ending of an address.
const BY_ENDING: &[(&str, &str)] = &[
    ("png", "image/png"),
    ("jpg", "image/jpeg"),
    ("jpeg", "image/jpeg"),
    ("webp", "image/webp"),
    ("gif", "image/gif"),
    ("heic", "image/heic"),
    ("heif", "image/heif"),
    ("pdf", "application/pdf"),
    ("txt", "text/plain"),
    ("md", "text/markdown"),
    ("html", "text/html"),
    ("csv", "text/csv"),
    ("json", "application/json"),
    ("mp3", "audio/mp3"),
    ("wav", "audio/wav"),
    ("mp4", "video/mp4"),
    ("mpeg", "video/mpeg"),
    ("mov", "video/quicktime"),
    ("webm", "video/webm"),
];

/// Where the files lie that a provider stores under an id.
const STORES: &[&str] = &["https://", "gs://"];

/// The part that carries this; `None` when none can.
pub(crate) fn part(body: &PartBody) -> Option<ObjectText> {
    match body {
        PartBody::Image { source: ImageSource::Base64 { media_type, data }, .. }
        | PartBody::File { source: FileSource::Base64 { media_type, data }, .. } => {
            Some(inline(media_type, data))
        }
        PartBody::Image { source: ImageSource::Url(url), .. }
        | PartBody::File { source: FileSource::Url(url), .. }
        | PartBody::Video { url } => Some(at(url)),
        PartBody::File { source: FileSource::Id(id), .. }
            if STORES.iter().any(|store| id.starts_with(store)) =>
        {
            Some(at(id))
        }
        PartBody::Audio { data, format } => Some(inline(&audio(format), data)),
        _ => None,
    }
}

/// Whether the bytes are in the part itself.
pub(super) fn is_inline(body: &PartBody) -> bool {
    match body {
        PartBody::Image { source: ImageSource::Url(url), .. }
        | PartBody::File { source: FileSource::Url(url), .. }
        | PartBody::Video { url } => data_url(url).is_some(),
        PartBody::File { source, .. } => matches!(source, FileSource::Base64 { .. }),
        _ => true,
    }
}

fn audio(format: &str) -> String {
    match format {
        "pcm16" | "pcm24" => "audio/pcm".to_owned(),
        format => format!("audio/{format}"),
    }
}

fn inline(media_type: &str, data: &str) -> ObjectText {
    let mut blob = ObjectText::new();
    blob.text("mimeType", media_type);
    blob.text("data", data);
    let mut part = ObjectText::new();
    part.json("inlineData", &blob.finish());
    part
}

fn at(url: &str) -> ObjectText {
    if let Some((media_type, data)) = data_url(url) {
        return inline(media_type, data);
    }
    let mut file = ObjectText::new();
    file.optional_text("mimeType", media_type(url));
    file.text("fileUri", url);
    let mut part = ObjectText::new();
    part.json("fileData", &file.finish());
    part
}

/// The media type and the base64 text of a data URL.
fn data_url(url: &str) -> Option<(&str, &str)> {
    let (head, data) = url.strip_prefix("data:")?.split_once(',')?;
    let media_type = head.strip_suffix(";base64")?.split(';').next()?;
    Some((media_type, data))
}

fn media_type(url: &str) -> Option<&'static str> {
    let path = url.split(['?', '#']).next()?;
    let ending = path.rsplit_once('.')?.1.to_ascii_lowercase();
    BY_ENDING.iter().find(|(known, _)| *known == ending).map(|(_, media_type)| *media_type)
}
