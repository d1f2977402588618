//! `tools` and `tool_choice` (inference spec 1.3 and 10).

use std::borrow::Cow;

use signalbox_core::{ApiError, Parameter, limits};

use super::field::{self, Path, echo, missing, wrong};
use super::{Survey, add, estimate};
use crate::document::{Kind, Raw};

/// Names of tools that the server itself would run, besides everything under `openrouter:`.
const SERVER_TOOLS: &[&str] =
    &["web_search", "web_search_preview", "web_search_preview_2025_03_11", "web_search_2025_08_26"];

/// Reads the list of tools. An empty list counts as absent.
pub(super) fn read(survey: &mut Survey, path: &Path<'_>, raw: Raw<'_>) -> Result<(), ApiError> {
    read_each(survey, path, raw, tool)
}

/// Reads a list of tools, each in the shape of its dialect. An empty list counts as absent.
pub(crate) fn read_each(
    survey: &mut Survey,
    path: &Path<'_>,
    raw: Raw<'_>,
    tool: fn(&Path<'_>, Raw<'_>) -> Result<(), ApiError>,
) -> Result<(), ApiError> {
    field::array(path, raw)?;
    for (index, (_, element)) in raw.elements().enumerate() {
        tool(&path.element(index), element)?;
        survey.needs.tools = true;
    }
    if survey.needs.tools {
        survey.parameters.insert(Parameter::Tools);
        add(survey, estimate(raw));
    } else {
        survey.parameters.remove(Parameter::Tools);
    }
    Ok(())
}

/// Reads `tool_choice`.
pub(super) fn choice(path: &Path<'_>, raw: Raw<'_>) -> Result<(), ApiError> {
    choose(path, raw, |kind| {
        if kind == "function" {
            let inside = path.member("function");
            let function = raw.get("function").ok_or_else(|| missing(&inside))?;
            field::object(&inside, function)?;
            field::required_string(&inside, function, "name")?;
        }
        Ok(())
    })
}

/// Reads a choice of tools: one of three words, or an object that `named` checks by its type.
pub(crate) fn choose(
    path: &Path<'_>,
    raw: Raw<'_>,
    named: impl FnOnce(&str) -> Result<(), ApiError>,
) -> Result<(), ApiError> {
    match raw.kind() {
        Kind::String => field::word(path, raw, &["none", "auto", "required"]).map(|_| ()),
        Kind::Object => named(&kind(path, raw)?),
        _ => Err(wrong(path, "none, auto, required or an object")),
    }
}

/// The type of a tool, or of a choice of one, that the server need not run.
pub(crate) fn kind<'a>(path: &Path<'_>, raw: Raw<'a>) -> Result<Cow<'a, str>, ApiError> {
    let kind = field::required_string(path, raw, "type")?.string().unwrap_or_default();
    refuse_server_tool(&path.member("type"), &kind)?;
    Ok(kind)
}

fn tool(path: &Path<'_>, raw: Raw<'_>) -> Result<(), ApiError> {
    field::object(path, raw)?;
    if kind(path, raw)? != "function" {
        return Ok(());
    }
    let inside = path.member("function");
    let function = raw.get("function").filter(|value| !value.is_null());
    let function = function.ok_or_else(|| missing(&inside))?;
    field::object(&inside, function)?;
    field::required_string(&inside, function, "name")?;
    for entry in function.members() {
        let at = inside.member(&entry.key);
        match (&*entry.key, entry.value.kind()) {
            ("name", _) => name(&at, &entry.value.string().unwrap_or_default())?,
            (_, Kind::Null) => {}
            ("description", _) => {
                field::string(&at, entry.value)?;
            }
            ("parameters", _) => field::object(&at, entry.value)?,
            ("strict", _) => {
                field::boolean(&at, entry.value)?;
            }
            _ => {}
        }
    }
    Ok(())
}

/// Checks the name of a function.
pub(crate) fn name(path: &Path<'_>, name: &str) -> Result<(), ApiError> {
    let fits = (1..=limits::MAX_FUNCTION_NAME).contains(&name.len());
    if fits && name.bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'-'))
    {
        return Ok(());
    }
    Err(wrong(path, "1 to 64 letters, digits, underscores or dashes"))
}

fn refuse_server_tool(path: &Path<'_>, kind: &str) -> Result<(), ApiError> {
    if kind.starts_with("openrouter:") || SERVER_TOOLS.contains(&kind) {
        return Err(ApiError::invalid(format!(
            "`{path}`: the server tool \"{}\" is not available yet.",
            echo(kind)
        )));
    }
    Ok(())
}
