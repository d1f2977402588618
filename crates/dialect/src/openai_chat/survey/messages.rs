//! The walk over `messages`: shape, capabilities, sizes (inference spec 1.3).

use std::borrow::Cow;

use signalbox_core::ApiError;

use super::Survey;
use super::field::{self, Path, echo, missing, wrong};
use crate::document::{Entry, Kind, Raw};

/// Rewrites that some message needs before it can be sent on.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Marks {
    /// A message has a `name`.
    pub named: bool,
    /// An assistant message has `model`, the model that wrote it: ours alone.
    pub authored: bool,
    /// An image has `detail: "original"`.
    pub original_detail: bool,
    /// A part has the legacy type `input_video`.
    pub legacy_video: bool,
    /// A part has `prompt_cache_breakpoint`.
    pub cache_breakpoint: bool,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Role {
    System,
    User,
    Assistant,
    Tool,
}

/// Reads the list.
pub(super) fn read(survey: &mut Survey, path: &Path<'_>, raw: Raw<'_>) -> Result<(), ApiError> {
    field::array(path, raw)?;
    let mut count = 0_usize;
    for (index, (_, element)) in raw.elements().enumerate() {
        message(survey, &path.element(index), element)?;
        count = index.saturating_add(1);
    }
    if count == 0 {
        return Err(wrong(path, "a list of at least one message"));
    }
    Ok(())
}

#[derive(Default)]
struct Members<'a> {
    role: Option<Raw<'a>>,
    content: Option<Raw<'a>>,
    tool_calls: Option<Raw<'a>>,
    name: Option<Raw<'a>>,
    model: Option<Raw<'a>>,
    reasoning: Option<Raw<'a>>,
}

fn message(survey: &mut Survey, path: &Path<'_>, raw: Raw<'_>) -> Result<(), ApiError> {
    field::object(path, raw)?;
    let members = members(raw);
    let role = role(&path.member("role"), members.role)?;
    content(survey, &path.member("content"), members.content, role)?;
    if let Some(name) = members.name {
        field::string(&path.member("name"), name)?;
        survey.marks.named = true;
    }
    match role {
        Role::Tool => {
            field::required_string(path, raw, "tool_call_id")?;
            survey.needs.tool_history = true;
        }
        Role::Assistant => {
            if let Some(calls) = members.tool_calls {
                tool_calls(survey, &path.member("tool_calls"), calls)?;
            }
            if let Some(text) = members.reasoning.filter(|text| text.kind() == Kind::String) {
                add_text(survey, text);
            }
            survey.marks.authored |= members.model.is_some();
        }
        Role::System | Role::User => {}
    }
    Ok(())
}

/// The members of a message that matter, in one walk. Null counts as absent.
fn members(raw: Raw<'_>) -> Members<'_> {
    let mut members = Members::default();
    for Entry { key, value, .. } in raw.members() {
        let slot = match &*key {
            "role" => &mut members.role,
            "content" => &mut members.content,
            "tool_calls" => &mut members.tool_calls,
            "name" => &mut members.name,
            "model" => &mut members.model,
            "reasoning" | "reasoning_content" => &mut members.reasoning,
            _ => continue,
        };
        *slot = Some(value).filter(|value| !value.is_null());
    }
    members
}

fn role(path: &Path<'_>, raw: Option<Raw<'_>>) -> Result<Role, ApiError> {
    let raw = raw.ok_or_else(|| missing(path))?;
    match raw.string().as_deref() {
        Some("system" | "developer") => Ok(Role::System),
        Some("user") => Ok(Role::User),
        Some("assistant") => Ok(Role::Assistant),
        Some("tool") => Ok(Role::Tool),
        Some(other) => Err(wrong(
            path,
            &format!("one of system, developer, user, assistant, tool, not \"{}\"", echo(other)),
        )),
        None => Err(wrong(path, "a string")),
    }
}

fn content(
    survey: &mut Survey,
    path: &Path<'_>,
    raw: Option<Raw<'_>>,
    role: Role,
) -> Result<(), ApiError> {
    let Some(raw) = raw else {
        return if role == Role::Assistant { Ok(()) } else { Err(missing(path)) };
    };
    match raw.kind() {
        Kind::String => add_text(survey, raw),
        Kind::Array => {
            for (index, (_, element)) in raw.elements().enumerate() {
                part(survey, &path.element(index), element, role)?;
            }
        }
        _ => return Err(wrong(path, "a string or a list of parts")),
    }
    Ok(())
}

fn part(survey: &mut Survey, path: &Path<'_>, raw: Raw<'_>, role: Role) -> Result<(), ApiError> {
    field::object(path, raw)?;
    let kind = field::required_string(path, raw, "type")?.string().unwrap_or_default();
    let media = ["image_url", "input_audio", "video_url", "input_video", "file"];
    if role == Role::System && media.contains(&&*kind) {
        return Err(wrong(&path.member("type"), "text in a system or developer message"));
    }
    match &*kind {
        "text" => add_text(survey, field::required_string(path, raw, "text")?),
        "image_url" => {
            let image = nested(path, raw, "image_url")?;
            let at = path.member("image_url");
            let url = field::required_string(&at, image, "url")?;
            add_media(survey, url);
            survey.needs.image = true;
            survey.images = survey.images.saturating_add(1);
            if let Some(detail) = image.get("detail").filter(|detail| !detail.is_null()) {
                let words = ["auto", "low", "high", "original"];
                let detail = field::word(&at.member("detail"), detail, &words)?;
                survey.marks.original_detail |= detail == "original";
            }
        }
        "input_audio" => {
            let audio = nested(path, raw, "input_audio")?;
            let at = path.member("input_audio");
            add_media(survey, field::required_string(&at, audio, "data")?);
            field::required_string(&at, audio, "format")?;
            survey.needs.audio = true;
        }
        "video_url" | "input_video" => {
            let video = nested(path, raw, "video_url")?;
            let url = field::required_string(&path.member("video_url"), video, "url")?;
            add_media(survey, url);
            survey.needs.video = true;
            survey.marks.legacy_video |= kind == "input_video";
        }
        "file" => file(survey, path, raw)?,
        _ => {}
    }
    let breakpoint = raw.get("prompt_cache_breakpoint").is_some();
    survey.marks.cache_breakpoint |= breakpoint;
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
            add_media(survey, entry.value);
        }
    }
    survey.needs.file = true;
    Ok(())
}

fn nested<'a>(path: &Path<'_>, raw: Raw<'a>, key: &str) -> Result<Raw<'a>, ApiError> {
    let path = path.member(key);
    let value = raw.get(key).filter(|value| !value.is_null()).ok_or_else(|| missing(&path))?;
    field::object(&path, value).map(|()| value)
}

fn tool_calls(survey: &mut Survey, path: &Path<'_>, raw: Raw<'_>) -> Result<(), ApiError> {
    field::array(path, raw)?;
    for (index, (_, call)) in raw.elements().enumerate() {
        let path = path.element(index);
        field::object(&path, call)?;
        field::required_string(&path, call, "id")?;
        survey.needs.tool_history = true;
        let kind = call.get("type").and_then(Raw::string).unwrap_or(Cow::Borrowed("function"));
        if kind != "function" {
            continue;
        }
        let function = nested(&path, call, "function")?;
        let at = path.member("function");
        add_text(survey, field::required_string(&at, function, "name")?);
        if let Some(arguments) = function.get("arguments").filter(|value| !value.is_null()) {
            if arguments.kind() != Kind::String {
                return Err(wrong(&at.member("arguments"), "a string that holds JSON"));
            }
            add_text(survey, arguments);
        }
    }
    Ok(())
}

fn add_text(survey: &mut Survey, text: Raw<'_>) {
    survey.prompt_bytes = survey.prompt_bytes.saturating_add(text.string_bytes());
}

/// Counts what is inside the request: data URLs and bare base64, but not addresses.
fn add_media(survey: &mut Survey, text: Raw<'_>) {
    let inner = text.inner().unwrap_or_default();
    if !inner.starts_with("http://") && !inner.starts_with("https://") {
        let bytes = u64::try_from(inner.len()).unwrap_or(u64::MAX);
        survey.media_bytes = survey.media_bytes.saturating_add(bytes);
    }
}
