//! The walk over content blocks: shape, capabilities, sizes.

use signalbox_core::ApiError;

use crate::document::{Kind, Raw};
use crate::openai_chat::survey::field::{self, Path, missing, wrong};
use crate::openai_chat::survey::{Survey, add, add_media, estimate};

/// Reads `system`: a text, or blocks of text.
pub(super) fn system(survey: &mut Survey, path: &Path<'_>, raw: Raw<'_>) -> Result<(), ApiError> {
    match raw.kind() {
        Kind::String => add(survey, raw.string_bytes()),
        Kind::Array => {
            for (index, (_, block)) in raw.elements().enumerate() {
                let path = path.element(index);
                field::object(&path, block)?;
                let kind = field::required_string(&path, block, "type")?;
                field::word(&path.member("type"), kind, &["text"])?;
                add(survey, field::required_string(&path, block, "text")?.string_bytes());
            }
        }
        _ => return Err(wrong(path, "a string or a list of text blocks")),
    }
    Ok(())
}

/// Reads the blocks of a message or of a tool's result. A block of unknown type is passed on to
/// providers of the same dialect, so all its text counts.
pub(super) fn read(survey: &mut Survey, path: &Path<'_>, raw: Raw<'_>) -> Result<(), ApiError> {
    for (index, (_, block)) in raw.elements().enumerate() {
        let path = path.element(index);
        field::object(&path, block)?;
        let kind = field::required_string(&path, block, "type")?.string().unwrap_or_default();
        match &*kind {
            "text" => texts(survey, &path, block, &["text"])?,
            "image" => {
                source(survey, &path, block)?;
                survey.needs.image = true;
                survey.images = survey.images.saturating_add(1);
            }
            "document" => {
                let is_file = source(survey, &path, block)?;
                survey.needs.file |= is_file;
            }
            "tool_use" => call(survey, &path, block)?,
            "tool_result" => result(survey, &path, block)?,
            "thinking" => texts(survey, &path, block, &["thinking", "signature"])?,
            "redacted_thinking" => texts(survey, &path, block, &["data"])?,
            _ => add(survey, estimate(block)),
        }
    }
    Ok(())
}

fn texts(
    survey: &mut Survey,
    path: &Path<'_>,
    block: Raw<'_>,
    keys: &[&str],
) -> Result<(), ApiError> {
    for key in keys {
        add(survey, field::required_string(path, block, key)?.string_bytes());
    }
    Ok(())
}

fn call(survey: &mut Survey, path: &Path<'_>, block: Raw<'_>) -> Result<(), ApiError> {
    field::required_string(path, block, "id")?;
    add(survey, field::required_string(path, block, "name")?.string_bytes());
    let path = path.member("input");
    let input = block.get("input").filter(|input| !input.is_null());
    let input = input.ok_or_else(|| missing(&path))?;
    field::object(&path, input)?;
    add(survey, estimate(input));
    survey.needs.tool_history = true;
    Ok(())
}

fn result(survey: &mut Survey, path: &Path<'_>, block: Raw<'_>) -> Result<(), ApiError> {
    field::required_string(path, block, "tool_use_id")?;
    survey.needs.tool_history = true;
    if let Some(is_error) = block.get("is_error").filter(|flag| !flag.is_null()) {
        field::boolean(&path.member("is_error"), is_error)?;
    }
    let path = path.member("content");
    match block.get("content").filter(|content| !content.is_null()) {
        None => Ok(()),
        Some(content) if content.kind() == Kind::String => {
            add(survey, content.string_bytes());
            Ok(())
        }
        Some(content) if content.kind() == Kind::Array => read(survey, &path, content),
        Some(_) => Err(wrong(&path, "a string or a list of blocks")),
    }
}

/// Reads the source of a picture or document; `true` when its content is not text in the request.
fn source(survey: &mut Survey, path: &Path<'_>, block: Raw<'_>) -> Result<bool, ApiError> {
    let path = path.member("source");
    let source = block.get("source").filter(|source| !source.is_null());
    let source = source.ok_or_else(|| missing(&path))?;
    field::object(&path, source)?;
    let kind = field::required_string(&path, source, "type")?;
    let kinds = ["base64", "url", "file", "text", "content"];
    match field::word(&path.member("type"), kind, &kinds)?.as_str() {
        "base64" => {
            field::required_string(&path, source, "media_type")?;
            add_media(survey, field::required_string(&path, source, "data")?, true);
        }
        "url" => {
            field::required_string(&path, source, "url")?;
        }
        "file" => {
            field::required_string(&path, source, "file_id")?;
        }
        "text" => {
            add(survey, field::required_string(&path, source, "data")?.string_bytes());
            return Ok(false);
        }
        _ => {
            let path = path.member("content");
            let content = source.get("content").filter(|content| !content.is_null());
            let content = content.ok_or_else(|| missing(&path))?;
            match content.kind() {
                Kind::String => add(survey, content.string_bytes()),
                Kind::Array => read(survey, &path, content)?,
                _ => return Err(wrong(&path, "a string or a list of blocks")),
            }
            return Ok(false);
        }
    }
    Ok(true)
}
