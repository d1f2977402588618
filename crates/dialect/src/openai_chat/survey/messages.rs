//! The walk over `messages`: shape, capabilities, sizes (inference spec 1.3).

mod parts;
mod tool_calls;

use signalbox_core::ApiError;

use super::field::{self, Path, echo, missing, wrong};
use super::{Survey, add, estimate};
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
    /// A part has `cache_control`.
    pub cache_control: bool,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Role {
    System,
    User,
    Assistant,
    Tool,
}

pub(crate) use parts::add_media;

/// Reads the list.
pub(super) fn read(survey: &mut Survey, path: &Path<'_>, raw: Raw<'_>) -> Result<(), ApiError> {
    field::array(path, raw)?;
    let mut count = 0_usize;
    raw.each(|index, element| {
        count = index.saturating_add(1);
        message(survey, &path.element(index), element)
    })?;
    if count == 0 {
        return Err(wrong(path, "a list of at least one message"));
    }
    Ok(())
}

/// Bytes of text that a message costs beside its own: role and marks in the provider's template.
pub(crate) const MESSAGE_BYTES: u64 = 12;

/// The members of a message, null left out. `other` counts what is sent on and not understood.
#[derive(Default)]
struct Members<'a> {
    role: Option<Raw<'a>>,
    content: Option<Raw<'a>>,
    tool_calls: Option<Raw<'a>>,
    tool_call_id: Option<Raw<'a>>,
    name: Option<Raw<'a>>,
    model: Option<Raw<'a>>,
    reasoning: u64,
    other: u64,
}

/// Reads the message that the text begins with and says how long it is.
fn message(survey: &mut Survey, path: &Path<'_>, raw: Raw<'_>) -> Result<usize, ApiError> {
    field::object(path, raw)?;
    let (members, length) = members(raw);
    let role = role(&path.member("role"), members.role)?;
    content(survey, &path.member("content"), members.content, role)?;
    add(survey, MESSAGE_BYTES.saturating_add(members.reasoning).saturating_add(members.other));
    if let Some(name) = members.name {
        field::string(&path.member("name"), name)?;
        add(survey, name.string_bytes());
        survey.marks.named = true;
    }
    match role {
        Role::Tool => {
            let path = path.member("tool_call_id");
            let id = members.tool_call_id.ok_or_else(|| missing(&path))?;
            if id.kind() != Kind::String {
                return Err(wrong(&path, "a string"));
            }
            survey.needs.tool_history = true;
        }
        Role::Assistant => {
            if let Some(calls) = members.tool_calls {
                tool_calls::read(survey, &path.member("tool_calls"), calls)?;
            }
            survey.marks.authored |= members.model.is_some();
        }
        Role::System | Role::User => {}
    }
    Ok(length)
}

/// One walk over a message, and its length. Reasoning comes under several names at once; the longest
/// counts.
fn members(raw: Raw<'_>) -> (Members<'_>, usize) {
    let mut members = Members::default();
    let mut walk = raw.members();
    for Entry { key, value, .. } in walk.by_ref() {
        let slot = match &*key {
            "role" => &mut members.role,
            "content" => &mut members.content,
            "tool_calls" => &mut members.tool_calls,
            "tool_call_id" => &mut members.tool_call_id,
            "name" => &mut members.name,
            "model" => &mut members.model,
            "reasoning" | "reasoning_content" | "reasoning_details" => {
                members.reasoning = members.reasoning.max(estimate(value));
                continue;
            }
            _ => {
                members.other = members.other.saturating_add(estimate(value));
                continue;
            }
        };
        *slot = Some(value).filter(|value| !value.is_null());
    }
    (members, walk.end())
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
        Kind::String => add(survey, raw.string_bytes()),
        Kind::Array => {
            for (index, (_, element)) in raw.elements().enumerate() {
                parts::read(survey, &path.element(index), element, role)?;
            }
        }
        _ => return Err(wrong(path, "a string or a list of parts")),
    }
    Ok(())
}
