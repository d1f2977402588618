//! `tools`, which are flat here, and `tool_choice` (inference spec 10 and 16.4).

use signalbox_core::{ApiError, Parameter, limits};

use super::{Survey, add, estimate};
use crate::document::{Kind, Raw};
use crate::openai_chat::survey::field::{self, Path, echo, wrong};

/// Names of tools that the server itself would run, besides everything under `openrouter:`.
const SERVER_TOOLS: &[&str] =
    &["web_search", "web_search_preview", "web_search_preview_2025_03_11", "web_search_2025_08_26"];

/// Reads the list of tools. An empty list counts as absent.
pub(super) fn read(survey: &mut Survey, path: &Path<'_>, raw: Raw<'_>) -> Result<(), ApiError> {
    field::array(path, raw)?;
    for (index, (_, element)) in raw.elements().enumerate() {
        tool(&path.element(index), element)?;
        survey.needs.tools = true;
    }
    if survey.needs.tools {
        survey.parameters.insert(Parameter::Tools);
        add(survey, estimate(raw));
    }
    Ok(())
}

/// Reads `tool_choice`.
pub(super) fn choice(path: &Path<'_>, raw: Raw<'_>) -> Result<(), ApiError> {
    match raw.kind() {
        Kind::String => field::word(path, raw, &["none", "auto", "required"]).map(|_| ()),
        Kind::Object => {
            let kind = field::required_string(path, raw, "type")?.string().unwrap_or_default();
            refuse_server_tool(&path.member("type"), &kind)?;
            match &*kind {
                "function" | "custom" => field::required_string(path, raw, "name").map(|_| ()),
                "allowed_tools" => {
                    let mode = field::required_string(path, raw, "mode")?;
                    field::word(&path.member("mode"), mode, &["auto", "required"])?;
                    Ok(())
                }
                _ => Ok(()),
            }
        }
        _ => Err(wrong(path, "none, auto, required or an object")),
    }
}

fn tool(path: &Path<'_>, raw: Raw<'_>) -> Result<(), ApiError> {
    field::object(path, raw)?;
    let kind = field::required_string(path, raw, "type")?.string().unwrap_or_default();
    refuse_server_tool(&path.member("type"), &kind)?;
    if kind != "function" && kind != "custom" {
        return Ok(());
    }
    let called = field::required_string(path, raw, "name")?.string().unwrap_or_default();
    name(&path.member("name"), &called)?;
    for entry in raw.members().filter(|entry| !entry.value.is_null()) {
        let at = path.member(&entry.key);
        match &*entry.key {
            "description" => field::string(&at, entry.value).map(|_| ())?,
            "parameters" | "format" => field::object(&at, entry.value)?,
            "strict" => field::boolean(&at, entry.value).map(|_| ())?,
            _ => {}
        }
    }
    Ok(())
}

fn name(path: &Path<'_>, name: &str) -> Result<(), ApiError> {
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
