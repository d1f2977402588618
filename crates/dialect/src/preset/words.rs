//! What a preset keeps, in the words of the body that it is merged into.

use crate::compose::{ArrayText, ObjectText};
use crate::document::{Document, Kind, Raw};
use crate::texts::Body;

/// Members of a preset that are for the gateway, not for a body.
const NOT_FOR_BODIES: &[&str] = &["cache_enabled", "cache_ttl_seconds"];
/// What a legacy `prompt` can't have.
const NO_PROMPT: &[&str] =
    &["tools", "tool_choice", "parallel_tool_calls", "max_tool_calls", "stop_server_tools_when"];
/// What the Messages dialect has by the same name and form.
const MESSAGES: &[&str] = &[
    "model",
    "models",
    "provider",
    "plugins",
    "route",
    "temperature",
    "top_p",
    "top_k",
    "service_tier",
    "speed",
    "cache_control",
    "stop_server_tools_when",
];
/// What the Responses dialect has no member for.
const NO_RESPONSES: &[&str] =
    &["stop", "logprobs", "audio", "verbosity", "include_reasoning", "reasoning_effort"];
/// The efforts that the Messages dialect knows, and the nearest one to each other.
const EFFORTS: &[(&str, &str)] = &[
    ("minimal", "low"),
    ("low", "low"),
    ("medium", "medium"),
    ("high", "high"),
    ("xhigh", "xhigh"),
    ("max", "max"),
];

type Members = Vec<(String, String)>;

/// The members of a preset as a body of this kind has them: key and raw JSON, in the preset's order.
pub(super) fn told(config: &Document, body: Body) -> Members {
    let mut members = Members::new();
    for (key, text) in config.members() {
        let raw = Raw::new(text);
        if NOT_FOR_BODIES.contains(&key) || raw.is_null() {
            continue;
        }
        match body {
            Body::Messages => messages(key, raw, &mut members),
            Body::Responses => responses(key, raw, &mut members),
            Body::Completions if NO_PROMPT.contains(&key) => {}
            _ => put(&mut members, key, text.to_owned()),
        }
    }
    if body == Body::Messages {
        output_config(config, &mut members);
    }
    if body == Body::Responses {
        text(config, &mut members);
    }
    members
}

fn put(members: &mut Members, key: &str, text: String) {
    if members.iter().all(|(known, _)| known != key) {
        members.push((key.to_owned(), text));
    }
}

fn messages(key: &str, raw: Raw<'_>, members: &mut Members) {
    match key {
        "max_tokens" | "max_completion_tokens" => put(members, "max_tokens", raw.text().to_owned()),
        "stop" if raw.kind() == Kind::String => {
            put(members, "stop_sequences", format!("[{}]", raw.text()));
        }
        "stop" => put(members, "stop_sequences", raw.text().to_owned()),
        "tools" => put(members, "tools", each(raw, anthropic_tool)),
        "tool_choice" => {
            if let Some(choice) = anthropic_choice(raw) {
                put(members, "tool_choice", choice);
            }
        }
        "reasoning" | "reasoning_effort" => {
            if let Some(thinking) = thinking(key, raw) {
                put(members, "thinking", thinking);
            }
        }
        key if MESSAGES.contains(&key) => put(members, key, raw.text().to_owned()),
        _ => {}
    }
}

fn each(list: Raw<'_>, write: impl Fn(Raw<'_>) -> String) -> String {
    let mut all = ArrayText::new();
    for (_, one) in list.elements() {
        all.push(&write(one));
    }
    all.finish()
}

/// A function as the Messages dialect has it; other tools are the same everywhere.
fn anthropic_tool(tool: Raw<'_>) -> String {
    let Some(function) = tool.get("function") else { return tool.text().to_owned() };
    let mut out = ObjectText::new();
    let json = |key: &str| function.get(key).filter(|raw| !raw.is_null()).map(Raw::text);
    out.optional_json("name", json("name"));
    out.optional_json("description", json("description"));
    out.json("input_schema", json("parameters").unwrap_or(r#"{"type":"object"}"#));
    out.optional_json("strict", json("strict"));
    out.optional_json("cache_control", tool.get("cache_control").map(Raw::text));
    out.finish()
}

fn anthropic_choice(choice: Raw<'_>) -> Option<String> {
    if choice.kind() == Kind::String {
        let kind = match choice.string()?.as_ref() {
            "required" => "any",
            "none" => "none",
            _ => "auto",
        };
        return Some(ObjectText::typed(kind).finish());
    }
    let name = choice.get("function")?.get("name")?;
    let mut out = ObjectText::typed("tool");
    out.json("name", name.text());
    Some(out.finish())
}

fn effort<'a>(config: &'a Document) -> Option<Raw<'a>> {
    let sent = |key: &str| config.get(key).map(Raw::new).filter(|raw| !raw.is_null());
    let inside = sent("reasoning").and_then(|one| one.get("effort"));
    inside.filter(|raw| !raw.is_null()).or_else(|| sent("reasoning_effort"))
}

/// `thinking` for what is said of reasoning.
fn thinking(key: &str, raw: Raw<'_>) -> Option<String> {
    let effort = if key == "reasoning" { raw.get("effort") } else { Some(raw) };
    let off = effort.and_then(Raw::string).as_deref() == Some("none")
        || raw.get("enabled").and_then(Raw::bool) == Some(false);
    if off {
        return Some(ObjectText::typed("disabled").finish());
    }
    if let Some(budget) = raw.get("max_tokens").filter(|budget| !budget.is_null()) {
        let mut out = ObjectText::typed("enabled");
        out.json("budget_tokens", budget.text());
        return Some(out.finish());
    }
    let says = effort.is_some_and(|one| !one.is_null()) || raw.get("enabled").is_some();
    says.then(|| ObjectText::typed("adaptive").finish())
}

/// `output_config`: how hard to think, and the form of the answer.
fn output_config(config: &Document, members: &mut Members) {
    let mut out = ObjectText::new();
    let wanted = effort(config).or_else(|| config.get("verbosity").map(Raw::new));
    let wanted = wanted.and_then(Raw::string);
    let known = EFFORTS.iter().find(|(word, _)| Some(*word) == wanted.as_deref());
    out.optional_text("effort", known.map(|(_, nearest)| *nearest));
    let schema = config.get("response_format").map(Raw::new).and_then(|format| {
        let schema = format.get("json_schema")?.get("schema")?;
        (schema.kind() == Kind::Object).then_some(schema)
    });
    if let Some(schema) = schema {
        let mut format = ObjectText::typed("json_schema");
        format.json("schema", schema.text());
        out.json("format", &format.finish());
    }
    if !out.is_empty() {
        put(members, "output_config", out.finish());
    }
}

fn responses(key: &str, raw: Raw<'_>, members: &mut Members) {
    match key {
        "max_tokens" | "max_completion_tokens" => {
            put(members, "max_output_tokens", raw.text().to_owned());
        }
        "tools" => put(members, "tools", each(raw, flat)),
        "tool_choice" => put(members, "tool_choice", flat(raw)),
        "reasoning_effort" => {
            put(members, "reasoning", format!("{{\"effort\":{}}}", raw.text()));
        }
        "include_reasoning" => {
            let asked = if raw.bool() == Some(false) { r#"{"exclude":true}"# } else { "{}" };
            put(members, "reasoning", asked.to_owned());
        }
        // In `text`.
        "response_format" => {}
        key if NO_RESPONSES.contains(&key) => {}
        key => put(members, key, raw.text().to_owned()),
    }
}

/// A function without its inner object; anything else as it is.
fn flat(tool: Raw<'_>) -> String {
    let Some(function) = tool.get("function") else { return tool.text().to_owned() };
    let mut out = ObjectText::typed("function");
    for member in function.members() {
        out.json(&member.key, member.value.text());
    }
    out.finish()
}

/// `text`: the form of the answer, and how long it is.
fn text(config: &Document, members: &mut Members) {
    let sent = |key: &str| config.get(key).map(Raw::new).filter(|raw| !raw.is_null());
    let mut out = ObjectText::new();
    if let Some(format) = sent("response_format") {
        let kind = format.get("type").and_then(Raw::string).unwrap_or_default();
        let mut told = ObjectText::typed(&kind);
        let schema = format.get("json_schema").filter(|_| kind == "json_schema");
        for member in schema.into_iter().flat_map(Raw::members) {
            told.json(&member.key, member.value.text());
        }
        if matches!(&*kind, "text" | "json_object" | "json_schema") {
            out.json("format", &told.finish());
        }
    }
    out.optional_json("verbosity", sent("verbosity").map(Raw::text));
    if !out.is_empty() {
        put(members, "text", out.finish());
    }
}
