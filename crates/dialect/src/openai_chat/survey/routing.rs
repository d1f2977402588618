//! Members that are for the router, not for the provider.

use signalbox_core::{ApiError, limits};

use super::Survey;
use super::field::{self, Path, echo, wrong};
use crate::document::Raw;

const TIERS: &[&str] = &["auto", "default", "fast", "flex", "priority", "scale"];
/// Plugins that the public interface knows (inference spec 13.1), without those that are the settings
/// of routers.
const PLUGINS: &[&str] = &[
    "moderation",
    "web",
    "web-fetch",
    "file-parser",
    "response-healing",
    "context-compression",
    "fusion",
];

/// Reads one member; others than these are of no concern.
pub(crate) fn read(
    survey: &mut Survey,
    path: &Path<'_>,
    key: &str,
    raw: Raw<'_>,
) -> Result<(), ApiError> {
    let object = |raw: Raw<'_>| field::object(path, raw).map(|()| Some(raw.text().to_owned()));
    match key {
        "model" => survey.model = Some(model(path, raw)?),
        "models" => {
            survey.models = field::strings(path, raw, limits::MAX_MODELS)?;
            if let Some(at) = survey.models.iter().position(String::is_empty) {
                return Err(wrong(&path.element(at), "a model id"));
            }
        }
        "route" => survey.route = Some(field::word(path, raw, &["fallback", "sort"])?),
        "stream" => survey.stream = field::boolean(path, raw)?,
        "stream_options" => field::object(path, raw)?,
        "provider" => survey.provider = object(raw)?,
        "plugins" => {
            plugins(path, raw)?;
            survey.plugins = Some(raw.text().to_owned());
        }
        "preset" => survey.preset = Some(field::string(path, raw)?),
        "session_id" => {
            let limit = limits::MAX_SESSION_ID_CHARS;
            survey.session_id = Some(field::short_string(path, raw, limit)?);
        }
        "user" => survey.user = Some(field::short_string(path, raw, limits::MAX_USER_CHARS)?),
        "service_tier" => survey.service_tier = Some(field::word(path, raw, TIERS)?),
        "speed" => survey.speed = Some(field::word(path, raw, &["fast", "standard"])?),
        "metadata" => {
            metadata(path, raw)?;
            survey.metadata = Some(raw.text().to_owned());
        }
        "trace" => survey.trace = object(raw)?,
        "cache_control" => survey.cache_control = object(raw)?,
        "prompt_cache_key" => survey.prompt_cache_key = Some(field::string(path, raw)?),
        "debug" => survey.echo_upstream_body = debug(path, raw)?,
        "max_tool_calls" => {
            field::integer(path, raw, 1..=30)?;
        }
        "stop_server_tools_when" => field::array(path, raw)?,
        _ => {}
    }
    Ok(())
}

fn model(path: &Path<'_>, raw: Raw<'_>) -> Result<String, ApiError> {
    let model = field::string(path, raw)?;
    if model.is_empty() { Err(wrong(path, "a model id, not an empty text")) } else { Ok(model) }
}

fn debug(path: &Path<'_>, raw: Raw<'_>) -> Result<bool, ApiError> {
    field::object(path, raw)?;
    match raw.get("echo_upstream_body").filter(|value| !value.is_null()) {
        Some(value) => field::boolean(&path.member("echo_upstream_body"), value),
        None => Ok(false),
    }
}

/// Known plugins that are switched on are refused: they come later. Unknown ones are ignored.
fn plugins(path: &Path<'_>, raw: Raw<'_>) -> Result<(), ApiError> {
    field::array(path, raw)?;
    for (index, (_, element)) in raw.elements().enumerate() {
        let path = path.element(index);
        field::object(&path, element)?;
        let id = field::required_string(&path, element, "id")?.string().unwrap_or_default();
        let enabled = match element.get("enabled").filter(|value| !value.is_null()) {
            Some(value) => field::boolean(&path.member("enabled"), value)?,
            None => true,
        };
        if enabled && PLUGINS.contains(&&*id) {
            return Err(ApiError::invalid(format!(
                "`{path}`: the plugin \"{}\" is not available yet.",
                echo(&id)
            )));
        }
    }
    Ok(())
}

fn metadata(path: &Path<'_>, raw: Raw<'_>) -> Result<(), ApiError> {
    let (most, key_chars, value_chars) = limits::MAX_METADATA;
    field::object(path, raw)?;
    for (index, entry) in raw.members().enumerate() {
        if index >= most {
            return Err(wrong(path, &format!("an object of at most {most} members")));
        }
        let inside = path.member(&entry.key);
        if entry.key.chars().count() > key_chars {
            return Err(wrong(&inside, &format!("a key of at most {key_chars} characters")));
        }
        if entry.key.contains(['[', ']']) {
            return Err(wrong(&inside, "a key without brackets"));
        }
        field::short_string(&inside, entry.value, value_chars)?;
    }
    Ok(())
}
