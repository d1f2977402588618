//! What of a body can be kept.

use signalbox_core::ApiError;

use super::Preset;
use super::prompt;
use crate::compose::{ArrayText, ObjectText};
use crate::document::{Document, Kind, Raw, quoted};
use crate::openai_chat;
use crate::texts::Body;

/// The members that a preset may have (platform spec 8.1), in the words of chat. All others of a body
/// are passed over: what is said, to whom and by whom is no preset.
pub const CONFIG: &[&str] = &[
    "model",
    "models",
    "provider",
    "plugins",
    "route",
    "temperature",
    "top_p",
    "top_k",
    "top_a",
    "min_p",
    "frequency_penalty",
    "presence_penalty",
    "repetition_penalty",
    "seed",
    "stop",
    "logit_bias",
    "logprobs",
    "top_logprobs",
    "max_tokens",
    "max_completion_tokens",
    "response_format",
    "structured_outputs",
    "tools",
    "tool_choice",
    "parallel_tool_calls",
    "max_tool_calls",
    "stop_server_tools_when",
    "reasoning",
    "reasoning_effort",
    "include_reasoning",
    "verbosity",
    "web_search_options",
    "x_search_filter",
    "modalities",
    "audio",
    "image_config",
    "service_tier",
    "speed",
    "cache_control",
    "cache_enabled",
    "cache_ttl_seconds",
];

/// The least and the most of `cache_ttl_seconds` (platform spec 8.1).
const TTL: std::ops::RangeInclusive<i128> = 1..=86_400;

pub(super) fn preset_of(document: &Document, body: Body) -> Result<Preset, ApiError> {
    let config = Document::parse(config_of(document, body).into())?;
    check(&config)?;
    Ok(Preset::new(config, prompt::take(document, body)))
}

/// The members of a body that a preset keeps, in the words of chat and the body's order.
#[must_use]
pub fn config_of(document: &Document, body: Body) -> String {
    let mut out = Kept { out: ObjectText::new(), keys: Vec::new() };
    for (key, text) in document.members() {
        let raw = Raw::new(text);
        if raw.is_null() {
            continue;
        }
        match body {
            Body::Messages => messages(key, raw, &mut out),
            Body::Responses => responses(key, raw, &mut out),
            _ => out.put(key, text),
        }
    }
    if body == Body::Messages {
        reasoning(document, &mut out);
    }
    out.out.finish()
}

struct Kept {
    out: ObjectText,
    keys: Vec<String>,
}

impl Kept {
    fn put(&mut self, key: &str, text: &str) {
        if CONFIG.contains(&key) && !self.keys.iter().any(|known| known == key) {
            self.out.json(key, text);
            self.keys.push(key.to_owned());
        }
    }
}

fn messages(key: &str, raw: Raw<'_>, out: &mut Kept) {
    match key {
        "stop_sequences" => out.put("stop", raw.text()),
        "tools" => out.put("tools", &each(raw, function)),
        "tool_choice" => {
            if let Some(choice) = choice(raw) {
                out.put("tool_choice", &choice);
            }
        }
        "output_config" => {
            let schema = raw.get("format").and_then(|format| format.get("schema"));
            if let Some(schema) = schema {
                let format = format!(
                    r#"{{"type":"json_schema","json_schema":{{"name":"answer","schema":{}}}}}"#,
                    schema.text()
                );
                out.put("response_format", &format);
            }
        }
        "fallbacks" => {
            let mut models = ArrayText::new();
            for (_, one) in raw.elements() {
                models.push(one.get("model").map_or("null", Raw::text));
            }
            out.put("models", &models.finish());
        }
        // With the effort.
        "thinking" => {}
        "service_tier" if matches!(raw.inner(), Some("standard" | "standard_only")) => {
            out.put("service_tier", "\"default\"");
        }
        key => out.put(key, raw.text()),
    }
}

fn each(list: Raw<'_>, write: impl Fn(Raw<'_>) -> String) -> String {
    if list.kind() != Kind::Array {
        return list.text().to_owned();
    }
    let mut all = ArrayText::new();
    for (_, one) in list.elements() {
        all.push(&write(one));
    }
    all.finish()
}

/// A tool of the Messages dialect; those that are no functions are the same everywhere.
fn function(tool: Raw<'_>) -> String {
    let kind = tool.get("type").and_then(Raw::string);
    if !matches!(kind.as_deref(), None | Some("custom")) || tool.get("name").is_none() {
        return tool.text().to_owned();
    }
    let mut function = ObjectText::new();
    let json = |key: &str| tool.get(key).filter(|raw| !raw.is_null()).map(Raw::text);
    function.optional_json("name", json("name"));
    function.optional_json("description", json("description"));
    function.optional_json("parameters", json("input_schema"));
    function.optional_json("strict", json("strict"));
    let mut out = ObjectText::typed("function");
    out.json("function", &function.finish());
    out.optional_json("cache_control", json("cache_control"));
    out.finish()
}

fn choice(raw: Raw<'_>) -> Option<String> {
    let word = match raw.get("type").and_then(Raw::string)?.as_ref() {
        "any" => "required",
        "none" => "none",
        "tool" => {
            let name = raw.get("name")?.text();
            return Some(format!(r#"{{"type":"function","function":{{"name":{name}}}}}"#));
        }
        _ => "auto",
    };
    Some(quoted(word))
}

/// `reasoning` for `thinking` and the effort of `output_config`.
fn reasoning(document: &Document, out: &mut Kept) {
    let sent = |key: &str| document.get(key).map(Raw::new).filter(|raw| !raw.is_null());
    let effort = sent("output_config").and_then(|one| one.get("effort"));
    let effort = effort.filter(|raw| !raw.is_null());
    let Some(thinking) = sent("thinking") else {
        if let Some(effort) = effort {
            out.put("verbosity", effort.text());
        }
        return;
    };
    let budget = thinking.get("budget_tokens").filter(|raw| !raw.is_null());
    let asked = match (thinking.get("type").and_then(Raw::string).as_deref(), budget, effort) {
        (Some("disabled"), ..) => r#"{"enabled":false}"#.to_owned(),
        (_, Some(budget), _) => format!(r#"{{"max_tokens":{}}}"#, budget.text()),
        (_, None, Some(effort)) => format!(r#"{{"effort":{}}}"#, effort.text()),
        (_, None, None) => r#"{"enabled":true}"#.to_owned(),
    };
    out.put("reasoning", &asked);
}

fn responses(key: &str, raw: Raw<'_>, out: &mut Kept) {
    match key {
        "max_output_tokens" => out.put("max_tokens", raw.text()),
        "tools" => out.put("tools", &each(raw, openai_chat::flat::nested_tool)),
        "tool_choice" => out.put("tool_choice", &openai_chat::flat::nested_tool(raw)),
        "text" => {
            if let Some(format) = raw.get("format").filter(|format| !format.is_null()) {
                out.put("response_format", &response_format(format));
            }
            if let Some(verbosity) = raw.get("verbosity").filter(|raw| !raw.is_null()) {
                out.put("verbosity", verbosity.text());
            }
        }
        key => out.put(key, raw.text()),
    }
}

fn response_format(format: Raw<'_>) -> String {
    let kind = format.get("type").and_then(Raw::string).unwrap_or_default();
    let mut out = ObjectText::typed(&kind);
    if kind == "json_schema" {
        let mut schema = ObjectText::new();
        for member in format.members().filter(|member| member.key != "type") {
            schema.json(&member.key, member.value.text());
        }
        out.json("json_schema", &schema.finish());
    }
    out.finish()
}

/// Refuses what no request could have: what is kept is read as a chat request with an empty prompt.
fn check(config: &Document) -> Result<(), ApiError> {
    let mut probe = ObjectText::new();
    for (key, text) in config.members() {
        match key {
            "cache_enabled" | "cache_ttl_seconds" => own(key, Raw::new(text))?,
            key => probe.json(key, text),
        }
    }
    probe.json("messages", r#"[{"role":"user","content":""}]"#);
    openai_chat::survey::survey(&Document::parse(probe.finish().into())?).map(drop)
}

fn own(key: &str, raw: Raw<'_>) -> Result<(), ApiError> {
    match key {
        "cache_enabled" if raw.bool().is_none() => {
            Err(ApiError::invalid("`cache_enabled`: expected true or false"))
        }
        "cache_ttl_seconds" if !raw.integer().is_some_and(|seconds| TTL.contains(&seconds)) => {
            Err(ApiError::invalid("`cache_ttl_seconds`: expected a whole number from 1 to 86400"))
        }
        _ => Ok(()),
    }
}
