//! `tools`, which are flat here, and `tool_choice` (inference spec 10 and 16.4).

use signalbox_core::ApiError;

use super::super::hosted;
use super::Survey;
use crate::document::Raw;
use crate::openai_chat::survey::field::{self, Path};
use crate::openai_chat::survey::tools;

/// Reads the list of tools. An empty list counts as absent.
pub(super) fn read(survey: &mut Survey, path: &Path<'_>, raw: Raw<'_>) -> Result<(), ApiError> {
    tools::read_each(survey, path, raw, tool)
}

/// Reads `tool_choice`.
pub(super) fn choice(path: &Path<'_>, raw: Raw<'_>) -> Result<(), ApiError> {
    tools::choose(path, raw, |kind| match kind {
        "function" | "custom" => field::required_string(path, raw, "name").map(|_| ()),
        "allowed_tools" => {
            let mode = field::required_string(path, raw, "mode")?;
            field::word(&path.member("mode"), mode, &["auto", "required"]).map(|_| ())
        }
        _ => Ok(()),
    })
}

fn tool(path: &Path<'_>, raw: Raw<'_>) -> Result<(), ApiError> {
    field::object(path, raw)?;
    let kind = field::required_string(path, raw, "type")?.string().unwrap_or_default();
    if hosted::is_search(&kind) {
        return Ok(());
    }
    if hosted::is_charged(&kind) {
        let path = path.member("type");
        let text = format!("`{path}`: the hosted tool \"{kind}\" is not available yet.");
        return Err(ApiError::invalid(text));
    }
    let kind = tools::kind(path, raw)?;
    if kind != "function" && kind != "custom" {
        return Ok(());
    }
    let called = field::required_string(path, raw, "name")?.string().unwrap_or_default();
    tools::name(&path.member("name"), &called)?;
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
