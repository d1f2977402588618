//! The walk over `input`: a text, or a list of items (inference spec 16.4).

use std::borrow::Cow;

use signalbox_core::ApiError;

use super::{Survey, add, estimate};
use crate::document::{Kind, Raw};
use crate::openai_chat::survey::field::{self, Path, echo, missing, wrong};

/// Bytes of text that an item costs beside its own: role and marks in the provider's template.
const ITEM_BYTES: u64 = 12;

/// Reads the input.
pub(super) fn read(survey: &mut Survey, path: &Path<'_>, raw: Raw<'_>) -> Result<(), ApiError> {
    match raw.kind() {
        Kind::String => add(survey, raw.string_bytes().saturating_add(ITEM_BYTES)),
        Kind::Array => {
            let mut is_empty = true;
            for (index, (_, element)) in raw.elements().enumerate() {
                item(survey, &path.element(index), element)?;
                is_empty = false;
            }
            if is_empty {
                return Err(wrong(path, "a text or a list of at least one item"));
            }
        }
        _ => return Err(wrong(path, "a string or a list of items")),
    }
    Ok(())
}

/// The type of an item. A message need not say that it is one.
pub(crate) fn kind_of(raw: Raw<'_>) -> Cow<'_, str> {
    let said = raw.get("type").filter(|kind| !kind.is_null()).and_then(Raw::string);
    match said {
        Some(kind) => kind,
        None if raw.get("role").is_some() => Cow::Borrowed("message"),
        None => Cow::Borrowed(""),
    }
}

fn item(survey: &mut Survey, path: &Path<'_>, raw: Raw<'_>) -> Result<(), ApiError> {
    field::object(path, raw)?;
    if let Some(kind) = raw.get("type").filter(|kind| !kind.is_null()) {
        field::string(&path.member("type"), kind)?;
    }
    let text = |key: &str| field::required_string(path, raw, key);
    add(survey, ITEM_BYTES);
    match &*kind_of(raw) {
        "" => return Err(missing(&path.member("type"))),
        "message" => message(survey, path, raw)?,
        "function_call" => {
            text("call_id")?;
            add(survey, text("name")?.string_bytes());
            add(survey, text("arguments")?.string_bytes());
            survey.needs.tool_history = true;
        }
        "custom_tool_call" => {
            text("call_id")?;
            add(survey, text("name")?.string_bytes());
            add(survey, text("input")?.string_bytes());
            survey.needs.tool_history = true;
        }
        "function_call_output" | "custom_tool_call_output" => {
            text("call_id")?;
            let at = path.member("output");
            let output = raw.get("output").filter(|one| !one.is_null());
            content(survey, &at, output.ok_or_else(|| missing(&at))?, false)?;
            survey.needs.tool_history = true;
        }
        "reasoning" => reasoning(survey, path, raw)?,
        "item_reference" => {
            return Err(ApiError::invalid(format!(
                "`{path}`: items are not stored, so none can be referred to. Send the item itself."
            )));
        }
        // Items of tools that only this dialect has. All their text counts.
        _ => add(survey, estimate(raw)),
    }
    Ok(())
}

fn message(survey: &mut Survey, path: &Path<'_>, raw: Raw<'_>) -> Result<(), ApiError> {
    let role = field::required_string(path, raw, "role")?;
    let words = ["user", "assistant", "system", "developer"];
    let role = field::word(&path.member("role"), role, &words)?;
    if let Some(phase) = raw.get("phase").filter(|phase| !phase.is_null()) {
        field::word(&path.member("phase"), phase, &["commentary", "final_answer"])?;
    }
    let at = path.member("content");
    match raw.get("content").filter(|content| !content.is_null()) {
        Some(parts) => content(survey, &at, parts, role == "system" || role == "developer"),
        None if role == "assistant" => Ok(()),
        None => Err(missing(&at)),
    }
}

/// Reads a text or a list of parts. Instructions are text alone.
fn content(
    survey: &mut Survey,
    path: &Path<'_>,
    raw: Raw<'_>,
    only_text: bool,
) -> Result<(), ApiError> {
    match raw.kind() {
        Kind::String => add(survey, raw.string_bytes()),
        Kind::Array => {
            for (index, (_, element)) in raw.elements().enumerate() {
                part(survey, &path.element(index), element, only_text)?;
            }
        }
        _ => return Err(wrong(path, "a string or a list of parts")),
    }
    Ok(())
}

const MEDIA: &[&str] = &["input_image", "input_file", "input_audio", "input_video"];

fn part(
    survey: &mut Survey,
    path: &Path<'_>,
    raw: Raw<'_>,
    only_text: bool,
) -> Result<(), ApiError> {
    field::object(path, raw)?;
    let kind = field::required_string(path, raw, "type")?.string().unwrap_or_default();
    if only_text && MEDIA.contains(&&*kind) {
        return Err(wrong(&path.member("type"), "text in a system or developer message"));
    }
    match &*kind {
        "input_text" | "output_text" | "text" => {
            add(survey, field::required_string(path, raw, "text")?.string_bytes());
        }
        "refusal" => add(survey, field::required_string(path, raw, "refusal")?.string_bytes()),
        "input_image" => image(survey, path, raw)?,
        "input_file" => {
            for key in ["file_data", "file_url", "file_id", "filename"] {
                if let Some(value) = raw.get(key).filter(|value| !value.is_null()) {
                    field::string(&path.member(key), value)?;
                    if key == "file_data" {
                        add_media(survey, value, true);
                    }
                }
            }
            survey.needs.file = true;
        }
        "input_audio" => {
            let at = path.member("input_audio");
            let audio = raw.get("input_audio").filter(|one| !one.is_null());
            let audio = audio.ok_or_else(|| missing(&at))?;
            field::object(&at, audio)?;
            let format = field::required_string(&at, audio, "format")?;
            field::word(&at.member("format"), format, &["mp3", "wav"])?;
            add_media(survey, field::required_string(&at, audio, "data")?, true);
            survey.needs.audio = true;
        }
        "input_video" => {
            add_media(survey, field::required_string(path, raw, "video_url")?, false);
            survey.needs.video = true;
        }
        other => {
            return Err(wrong(
                &path.member("type"),
                &format!("a known type of part, not \"{}\"", echo(other)),
            ));
        }
    }
    Ok(())
}

fn image(survey: &mut Survey, path: &Path<'_>, raw: Raw<'_>) -> Result<(), ApiError> {
    let url = raw.get("image_url").filter(|url| !url.is_null());
    match url {
        Some(url) => {
            field::string(&path.member("image_url"), url)?;
            add_media(survey, url, false);
        }
        None if raw.get("file_id").is_some_and(|id| id.kind() == Kind::String) => {}
        None => return Err(missing(&path.member("image_url"))),
    }
    if let Some(detail) = raw.get("detail").filter(|detail| !detail.is_null()) {
        let words = ["auto", "low", "high", "original"];
        let detail = field::word(&path.member("detail"), detail, &words)?;
        survey.marks.original_detail |= detail == "original";
    }
    survey.needs.image = true;
    survey.images = survey.images.saturating_add(1);
    Ok(())
}

/// Reads reasoning of an earlier turn. What of it a provider reads as prompt nobody can tell, so
/// all its text counts.
fn reasoning(survey: &mut Survey, path: &Path<'_>, raw: Raw<'_>) -> Result<(), ApiError> {
    for key in ["summary", "content"] {
        let Some(list) = raw.get(key).filter(|list| !list.is_null()) else { continue };
        let path = path.member(key);
        field::array(&path, list)?;
        for (index, (_, element)) in list.elements().enumerate() {
            let path = path.element(index);
            field::object(&path, element)?;
            add(survey, field::required_string(&path, element, "text")?.string_bytes());
        }
    }
    for key in ["encrypted_content", "signature", "id", "format"] {
        if let Some(value) = raw.get(key).filter(|value| !value.is_null()) {
            field::string(&path.member(key), value)?;
            if key == "encrypted_content" {
                add(survey, value.string_bytes());
            }
        }
    }
    Ok(())
}

/// Counts the base64 text of a data URL, or of a member that may be `bare` base64. Anything else is
/// no media: it stays part of the text that bounds the prompt.
fn add_media(survey: &mut Survey, text: Raw<'_>, bare: bool) {
    let inner = text.inner().unwrap_or_default();
    let payload = match inner.strip_prefix("data:") {
        Some(url) => url.split_once(',').filter(|(kind, _)| kind.ends_with(";base64")),
        None if bare => Some(("", inner)),
        None => None,
    };
    let is_base64 = |text: &str| {
        let mark = |byte: u8| matches!(byte, b'+' | b'/' | b'=' | b'-' | b'_' | b'\\');
        text.bytes().all(|byte| byte.is_ascii_alphanumeric() || mark(byte))
    };
    if let Some((_, payload)) = payload.filter(|(_, payload)| is_base64(payload)) {
        let bytes = u64::try_from(payload.len()).unwrap_or(u64::MAX);
        survey.media_bytes = survey.media_bytes.saturating_add(bytes);
    }
}
