//! The parts of a message's content: text, and media that are inside the request or elsewhere.

use signalbox_core::ApiError;

use super::Role;
use crate::document::{Kind, Raw};
use crate::openai_chat::survey::field::{self, Path, missing, wrong};
use crate::openai_chat::survey::{Survey, add, estimate};

const MEDIA: &[&str] = &["image_url", "input_audio", "video_url", "input_video", "file"];

/// Reads one part. A part of unknown type is passed on, so all its text counts.
pub(super) fn read(
    survey: &mut Survey,
    path: &Path<'_>,
    raw: Raw<'_>,
    role: Role,
) -> Result<(), ApiError> {
    field::object(path, raw)?;
    let kind = field::required_string(path, raw, "type")?.string().unwrap_or_default();
    if role == Role::System && MEDIA.contains(&&*kind) {
        return Err(wrong(&path.member("type"), "text in a system or developer message"));
    }
    match &*kind {
        "text" => add(survey, field::required_string(path, raw, "text")?.string_bytes()),
        "image_url" => image(survey, path, raw)?,
        "input_audio" => {
            let audio = nested(path, raw, "input_audio")?;
            let at = path.member("input_audio");
            add_media(survey, field::required_string(&at, audio, "data")?, true);
            field::required_string(&at, audio, "format")?;
            survey.needs.audio = true;
        }
        "video_url" | "input_video" => {
            let video = nested(path, raw, "video_url")?;
            let url = field::required_string(&path.member("video_url"), video, "url")?;
            add_media(survey, url, false);
            survey.needs.video = true;
            survey.marks.legacy_video |= kind == "input_video";
        }
        "file" => file(survey, path, raw)?,
        _ => add(survey, estimate(raw)),
    }
    for entry in raw.members() {
        survey.marks.cache_breakpoint |= entry.key == "prompt_cache_breakpoint";
        survey.marks.cache_control |= entry.key == "cache_control";
    }
    Ok(())
}

fn image(survey: &mut Survey, path: &Path<'_>, raw: Raw<'_>) -> Result<(), ApiError> {
    let image = nested(path, raw, "image_url")?;
    let at = path.member("image_url");
    add_media(survey, field::required_string(&at, image, "url")?, false);
    survey.needs.image = true;
    survey.images = survey.images.saturating_add(1);
    if let Some(detail) = image.get("detail").filter(|detail| !detail.is_null()) {
        let words = ["auto", "low", "high", "original"];
        let detail = field::word(&at.member("detail"), detail, &words)?;
        survey.marks.original_detail |= detail == "original";
    }
    Ok(())
}

fn file(survey: &mut Survey, path: &Path<'_>, raw: Raw<'_>) -> Result<(), ApiError> {
    let file = nested(path, raw, "file")?;
    let at = path.member("file");
    for entry in file.members().filter(|entry| !entry.value.is_null()) {
        if matches!(&*entry.key, "filename" | "file_data" | "file_id")
            && entry.value.kind() != Kind::String
        {
            return Err(wrong(&at.member(&entry.key), "a string"));
        }
        if entry.key == "file_data" {
            add_media(survey, entry.value, true);
        }
    }
    survey.needs.file = true;
    Ok(())
}

/// A member that must be an object.
pub(super) fn nested<'a>(path: &Path<'_>, raw: Raw<'a>, key: &str) -> Result<Raw<'a>, ApiError> {
    let path = path.member(key);
    let value = raw.get(key).filter(|value| !value.is_null()).ok_or_else(|| missing(&path))?;
    field::object(&path, value).map(|()| value)
}

/// Counts the base64 text of a data URL, or of a member that may be `bare` base64. An address, or
/// anything that is no base64, is no media: it stays part of the text that bounds the prompt.
pub(crate) fn add_media(survey: &mut Survey, text: Raw<'_>, bare: bool) {
    let inner = text.inner().unwrap_or_default();
    let payload = match inner.strip_prefix("data:") {
        Some(url) => url.split_once(',').filter(|(kind, _)| kind.ends_with(";base64")),
        None if bare => Some(("", inner)),
        None => None,
    };
    if let Some((_, payload)) = payload.filter(|(_, payload)| is_base64(payload)) {
        let bytes = u64::try_from(payload.len()).unwrap_or(u64::MAX);
        survey.media_bytes = survey.media_bytes.saturating_add(bytes);
    }
}

/// Whether a text has only letters of base64, plain or for URLs, and JSON escapes (`\\/`, `\\n`).
/// The blocks have no early way out inside, so that the compiler uses vector instructions.
fn is_base64(text: &str) -> bool {
    text.as_bytes().chunks(256).all(|block| {
        block.iter().fold(true, |fits, byte| {
            let letter = (*byte | 0x20).wrapping_sub(b'a') < 26;
            let digit = byte.wrapping_sub(b'/') < 11;
            let mark = (*byte == b'+') | (*byte == b'=') | (*byte == b'-') | (*byte == b'_');
            fits & (letter | digit | mark | (*byte == b'\\'))
        })
    })
}
