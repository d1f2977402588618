//! `tools` and `tool_choice`.

use signalbox_core::{ApiError, Parameter};

use crate::document::Raw;
use crate::openai_chat::survey::field::{self, Path, echo, missing, wrong};
use crate::openai_chat::survey::{Survey, add, estimate};

/// Longest name of a tool in this dialect. Chat providers may want it shorter.
const MAX_NAME: usize = 128;

/// Beginnings of the types of tools that a server runs; none of them is available yet. Those that
/// the client runs (`bash`, `text_editor` and so on) go to providers of the same dialect.
const SERVER_TOOLS: &[&str] = &[
    "openrouter:",
    "web_search",
    "web_fetch",
    "code_execution",
    "tool_search",
    "mcp_toolset",
    "advisor",
];

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
pub(super) fn choice(survey: &mut Survey, path: &Path<'_>, raw: Raw<'_>) -> Result<(), ApiError> {
    field::object(path, raw)?;
    let kind = field::required_string(path, raw, "type")?;
    let kind = field::word(&path.member("type"), kind, &["auto", "any", "none", "tool"])?;
    if kind == "tool" {
        field::required_string(path, raw, "name")?;
    }
    survey.parameters.insert(Parameter::ToolChoice);
    let key = "disable_parallel_tool_use";
    if let Some(disable) = raw.get(key).filter(|disable| !disable.is_null()) {
        field::boolean(&path.member(key), disable)?;
        survey.parameters.insert(Parameter::ParallelToolCalls);
    }
    Ok(())
}

fn tool(path: &Path<'_>, raw: Raw<'_>) -> Result<(), ApiError> {
    field::object(path, raw)?;
    let inside = path.member("type");
    let kind = match raw.get("type").filter(|kind| !kind.is_null()) {
        Some(kind) => field::string(&inside, kind)?,
        None => "custom".to_owned(),
    };
    if SERVER_TOOLS.iter().any(|start| kind.starts_with(start)) {
        return Err(ApiError::invalid(format!(
            "`{inside}`: the server tool \"{}\" is not available yet.",
            echo(&kind)
        )));
    }
    if kind != "custom" {
        return Ok(());
    }
    let name = field::required_string(path, raw, "name")?.string().unwrap_or_default();
    let fits = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'-');
    if !(1..=MAX_NAME).contains(&name.len()) || !name.bytes().all(fits) {
        let must_be = "1 to 128 letters, digits, underscores or dashes";
        return Err(wrong(&path.member("name"), must_be));
    }
    let at = path.member("input_schema");
    let schema = raw.get("input_schema").filter(|schema| !schema.is_null());
    field::object(&at, schema.ok_or_else(|| missing(&at))?)?;
    if let Some(text) = raw.get("description").filter(|text| !text.is_null()) {
        field::string(&path.member("description"), text)?;
    }
    if let Some(strict) = raw.get("strict").filter(|strict| !strict.is_null()) {
        field::boolean(&path.member("strict"), strict)?;
    }
    Ok(())
}
