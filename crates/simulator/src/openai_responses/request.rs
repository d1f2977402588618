//! What is read of a request, and what is refused.

use serde_json::Value;

use super::check;
use crate::ask::{Ask, Choice, Gather, Reading, Tool, Wrong, echoed, given, list, stranger, text};

const MEMBERS: &[&str] = &[
    "background",
    "context_management",
    "conversation",
    "include",
    "input",
    "instructions",
    "max_output_tokens",
    "max_tool_calls",
    "metadata",
    "model",
    "moderation",
    "parallel_tool_calls",
    "previous_response_id",
    "prompt",
    "prompt_cache_key",
    "prompt_cache_options",
    "prompt_cache_retention",
    "reasoning",
    "safety_identifier",
    "service_tier",
    "store",
    "stream",
    "stream_options",
    "temperature",
    "text",
    "tool_choice",
    "tools",
    "top_logprobs",
    "top_p",
    "truncation",
    "user",
];
/// Least `max_output_tokens`.
const LEAST_TOKENS: u64 = 16;

pub(super) fn missing(param: &str) -> Wrong {
    let message = format!("Missing required parameter: '{param}'.");
    Wrong { code: Some("missing_required_parameter"), ..Wrong::about(param, message) }
}

pub(super) fn invalid(param: &str, message: impl Into<String>) -> Wrong {
    Wrong { code: Some("invalid_value"), ..Wrong::about(param, message) }
}

/// Refuses members that do not exist.
pub(super) fn known(value: &Value, members: &[&str], place: &str) -> Reading<()> {
    let Some(name) = stranger(value, members) else { return Ok(()) };
    let param = if place.is_empty() { name.to_owned() } else { format!("{place}.{name}") };
    let message = format!("Unknown parameter: '{param}'.");
    Err(Wrong { code: Some("unknown_parameter"), ..Wrong::about(param, message) })
}

/// Reads a request.
pub(crate) fn read(body: &Value) -> Reading<Ask> {
    if !body.is_object() {
        return Err(Wrong::new("We could not parse the JSON body of your request."));
    }
    known(body, MEMBERS, "")?;
    let model = text(body, "model").ok_or_else(|| missing("model"))?;
    if given(body, "previous_response_id").is_some() {
        let wrong =
            invalid("previous_response_id", "Previous response was not found: nothing is stored.");
        return Err(Wrong { code: Some("previous_response_not_found"), ..wrong });
    }
    let max_tokens = body.get("max_output_tokens").and_then(Value::as_u64);
    if max_tokens.is_some_and(|most| most < LEAST_TOKENS) {
        let message = format!(
            "Invalid 'max_output_tokens': integer below minimum value. Expected a value >= {LEAST_TOKENS}."
        );
        let wrong = invalid("max_output_tokens", message);
        return Err(Wrong { code: Some("integer_below_min_value"), ..wrong });
    }
    let mut gather = Gather::default();
    if let Some(instructions) = text(body, "instructions") {
        gather.text(instructions);
    }
    let input = given(body, "input").ok_or_else(|| missing("input"))?;
    let (mut last_user_text, mut answers_tools) = (String::new(), false);
    match input {
        Value::String(plain) => {
            gather.text(plain);
            last_user_text = echoed(std::iter::once(plain.as_str()));
        }
        Value::Array(items) => {
            check::items(items, &mut gather)?;
            let user = items.iter().rev().find(|item| text(item, "role") == Some("user"));
            last_user_text = user.map(|item| echoed(check::texts(item))).unwrap_or(last_user_text);
            let kind = items.last().and_then(|item| text(item, "type"));
            answers_tools =
                matches!(kind, Some("function_call_output" | "custom_tool_call_output"));
        }
        _ => {
            return Err(invalid(
                "input",
                "Invalid type for 'input': expected one of a string or array of input items.",
            ));
        }
    }
    let include = list(body, "include").iter().filter_map(Value::as_str);
    let mut ask = Ask {
        model: model.to_owned(),
        stream: body.get("stream").and_then(Value::as_bool).unwrap_or(false),
        include_usage: true,
        max_tokens,
        choices: 1,
        prompt_tokens: gather.tokens(),
        last_user_text,
        answers_tools,
        schema: schema(body)?,
        media: gather.media,
        sealed: include.into_iter().any(|name| name == "reasoning.encrypted_content"),
        ..Ask::default()
    };
    let tools = tools(body)?;
    ask.offer(tools.into_iter(), &choice(body)?);
    Ok(ask)
}

fn tools(body: &Value) -> Reading<Vec<Tool>> {
    let mut out = Vec::new();
    for (index, tool) in list(body, "tools").iter().enumerate() {
        let place = format!("tools[{index}]");
        let kind = text(tool, "type").ok_or_else(|| missing(&format!("{place}.type")))?;
        if kind != "function" {
            continue;
        }
        let members = [
            "type",
            "name",
            "description",
            "parameters",
            "strict",
            "allowed_callers",
            "defer_loading",
            "output_schema",
        ];
        let name = text(tool, "name").filter(|name| !name.is_empty());
        let name = name.ok_or_else(|| missing(&format!("{place}.name")))?;
        known(tool, &members, &place)?;
        let lawful = |c: char| c.is_ascii_alphanumeric() || c == '_' || c == '-';
        if name.len() > 128 || !name.chars().all(lawful) {
            let message = format!(
                "Invalid '{place}.name': string does not match pattern. Expected a string that matches the pattern '^[a-zA-Z0-9_-]+$'."
            );
            return Err(invalid(&format!("{place}.name"), message));
        }
        let parameters = tool.get("parameters").cloned().unwrap_or_default();
        let object = parameters.is_null() || text(&parameters, "type") == Some("object");
        if !object {
            let message = format!(
                "Invalid schema for function '{name}': schema must be a JSON Schema of 'type: \"object\"'."
            );
            let wrong = invalid(&format!("{place}.parameters"), message);
            return Err(Wrong { code: Some("invalid_function_parameters"), ..wrong });
        }
        out.push(Tool { name: name.to_owned(), parameters });
    }
    Ok(out)
}

fn choice(body: &Value) -> Reading<Choice<'_>> {
    let Some(choice) = given(body, "tool_choice") else { return Ok(Choice::Free) };
    if let Some(word) = choice.as_str() {
        return match word {
            "auto" => Ok(Choice::Free),
            "none" => Ok(Choice::Never),
            "required" => Ok(Choice::Any),
            _ => Err(invalid(
                "tool_choice",
                format!(
                    "Invalid value: '{word}'. Supported values are: 'none', 'auto', and 'required'."
                ),
            )),
        };
    }
    match text(choice, "type") {
        Some("function") => {
            known(choice, &["type", "name"], "tool_choice")?;
            let name = text(choice, "name").ok_or_else(|| missing("tool_choice.name"))?;
            let offered = list(body, "tools").iter().any(|tool| text(tool, "name") == Some(name));
            if !offered {
                let message =
                    format!("Tool choice 'function' not found in 'tools' parameter: {name}.");
                return Err(invalid("tool_choice", message));
            }
            Ok(Choice::Named(name))
        }
        Some("allowed_tools") if text(choice, "mode") == Some("required") => Ok(Choice::Any),
        Some(_) => Ok(Choice::Free),
        None => Err(missing("tool_choice.type")),
    }
}

fn schema(body: &Value) -> Reading<Option<Value>> {
    let Some(config) = given(body, "text") else { return Ok(None) };
    known(config, &["format", "verbosity"], "text")?;
    let Some(format) = given(config, "format") else { return Ok(None) };
    match text(format, "type") {
        Some("text" | "json_object") => Ok(None),
        Some("json_schema") => {
            let members = ["type", "name", "description", "schema", "strict"];
            known(format, &members, "text.format")?;
            text(format, "name").ok_or_else(|| missing("text.format.name"))?;
            let schema = given(format, "schema").filter(|schema| schema.is_object());
            schema.cloned().map(Some).ok_or_else(|| missing("text.format.schema"))
        }
        _ => Err(missing("text.format.type")),
    }
}
