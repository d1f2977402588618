//! What is read of a request, and what is refused.

use http::HeaderMap;
use serde_json::Value;

use super::check;
use crate::ask::{
    Ask, Choice, Gather, Reading, Tool, Wrong, echoed, given, list, require, stranger, text,
};
use crate::dialect::{Carrier, Route};

/// Members of a body, as the provider's reference and its beta reference list them.
const MEMBERS: &[&str] = &[
    "cache_control",
    "container",
    "context_management",
    "inference_geo",
    "max_tokens",
    "mcp_servers",
    "messages",
    "metadata",
    "output_config",
    "output_format",
    "service_tier",
    "speed",
    "stop_sequences",
    "stream",
    "system",
    "temperature",
    "thinking",
    "tool_choice",
    "tools",
    "top_k",
    "top_p",
];
/// The API's newest version.
const NEWEST: &str = "2026-10-21";
/// Least thinking budget.
const LEAST_BUDGET: u64 = 1024;

/// Reads a request.
pub(crate) fn read(route: &Route, head: &HeaderMap, body: &Value) -> Reading<Ask> {
    let model = envelope(route, head, body)?;
    let max_tokens = body.get("max_tokens").and_then(Value::as_u64).filter(|n| *n > 0);
    let Some(max_tokens) = max_tokens else {
        return Err(Wrong::new("max_tokens: Field required"));
    };
    require(!list(body, "messages").is_empty(), || {
        "messages: at least one message is required".into()
    })?;
    let thinks = thinking(body, max_tokens)?;
    let turns = check::turns(list(body, "messages"))?;
    newest(head, body, &turns)?;
    check::pairs(&turns, thinks)?;
    check::marks(body)?;
    let mut gather = Gather::default();
    system(body, &mut gather)?;
    for turn in &turns {
        turn.plain.iter().for_each(|plain| gather.text(plain));
        for (place, block) in &turn.blocks {
            check::block(block, place, &mut gather)?;
        }
    }
    let tools = tools(body)?;
    let last_user = turns.iter().rev().find(|turn| turn.role == "user" && turn.has_text());
    let mut ask = Ask {
        model,
        stream: route.stream.or_else(|| body.get("stream")?.as_bool()).unwrap_or(false),
        include_usage: true,
        max_tokens: Some(max_tokens),
        choices: 1,
        prompt_tokens: gather.tokens(),
        last_user_text: last_user.map(|turn| echoed(turn.texts())).unwrap_or_default(),
        answers_tools: turns
            .iter()
            .rfind(|turn| turn.role != "system")
            .is_some_and(check::Turn::has_results),
        schema: schema(body).cloned(),
        media: gather.media,
        thinks,
        ..Ask::default()
    };
    ask.offer(tools.into_iter(), &choice(body, thinks)?);
    Ok(ask)
}

/// Checks what differs between the carriers, and names the model.
fn envelope(route: &Route, head: &HeaderMap, body: &Value) -> Reading<String> {
    require(body.is_object(), || {
        "The request body is not valid JSON: an object is expected".into()
    })?;
    let own = route.carrier == Carrier::Own;
    let extra: &[&str] = match route.carrier {
        Carrier::Own => &["model"],
        Carrier::Invoke => &["anthropic_version", "anthropic_beta"],
        Carrier::Vertex => &["anthropic_version"],
    };
    let known: Vec<&str> = MEMBERS.iter().chain(extra).copied().collect();
    if let Some(name) = stranger(body, &known) {
        return Err(Wrong::new(format!("{name}: Extra inputs are not permitted")));
    }
    require(route.carrier != Carrier::Invoke || body.get("stream").is_none(), || {
        "stream: Extra inputs are not permitted".into()
    })?;
    if own {
        let version = head.get("anthropic-version").and_then(|v| v.to_str().ok());
        require(matches!(version, Some("2023-01-01" | "2023-06-01" | "2026-10-21")), || {
            match version {
                None => "anthropic-version: header is required".into(),
                Some(other) => format!("anthropic-version: \"{other}\" is not a valid version"),
            }
        })?;
        let model = text(body, "model").map(str::to_owned);
        return model.ok_or_else(|| Wrong::new("model: Field required"));
    }
    let expected =
        if route.carrier == Carrier::Invoke { "bedrock-2023-05-31" } else { "vertex-2023-10-16" };
    let version = text(body, "anthropic_version");
    require(version == Some(expected) || version == Some(NEWEST), || {
        format!("anthropic_version: Input should be '{expected}'")
    })?;
    Ok(route.model.clone().unwrap_or_default())
}

/// What the version of 2026-10-21 took away: sampling parameters, documents of the assistant's and
/// citations of the user's.
fn newest(head: &HeaderMap, body: &Value, turns: &[check::Turn<'_>]) -> Reading<()> {
    let named = head.get("anthropic-version").is_some_and(|version| version == NEWEST);
    if !named && text(body, "anthropic_version") != Some(NEWEST) {
        return Ok(());
    }
    let sampling = ["temperature", "top_p", "top_k"];
    if let Some(name) = sampling.into_iter().find(|name| given(body, name).is_some()) {
        return Err(Wrong::new(format!("{name}: Extra inputs are not permitted")));
    }
    for turn in turns {
        for (place, block) in &turn.blocks {
            let kind = text(block, "type");
            require(turn.role != "assistant" || kind != Some("document"), || {
                format!("{place}: `document` blocks are not permitted in `assistant` messages")
            })?;
            let cites = kind == Some("text") && !list(block, "citations").is_empty();
            require(turn.role != "user" || !cites, || {
                format!("{place}.text.citations: citations are not permitted in `user` messages")
            })?;
        }
    }
    Ok(())
}

/// Whether thinking is on with a budget.
fn thinking(body: &Value, max_tokens: u64) -> Reading<bool> {
    let Some(thinking) = given(body, "thinking") else { return Ok(false) };
    match text(thinking, "type") {
        Some("disabled" | "adaptive" | "between_tools") => {
            require(thinking.get("budget_tokens").is_none(), || {
                "thinking.budget_tokens: Extra inputs are not permitted".into()
            })?;
            return Ok(false);
        }
        Some("enabled") => {}
        _ => {
            return Err(Wrong::new(
                "thinking.type: Input should be 'enabled', 'disabled' or 'adaptive'",
            ));
        }
    }
    let Some(budget) = thinking.get("budget_tokens").and_then(Value::as_u64) else {
        return Err(Wrong::new("thinking.enabled.budget_tokens: Field required"));
    };
    require(budget >= LEAST_BUDGET, || {
        format!(
            "thinking.enabled.budget_tokens: Input should be greater than or equal to {LEAST_BUDGET}"
        )
    })?;
    require(budget < max_tokens, || {
        "`max_tokens` must be greater than `thinking.budget_tokens`".into()
    })?;
    let temperature = body.get("temperature").and_then(Value::as_f64);
    require(temperature.is_none_or(|t| (t - 1.0).abs() < f64::EPSILON), || {
        "`temperature` may only be set to 1 when thinking is enabled".into()
    })?;
    require(given(body, "top_k").is_none(), || {
        "`top_k` must be unset when thinking is enabled".into()
    })?;
    Ok(true)
}

fn system(body: &Value, gather: &mut Gather) -> Reading<()> {
    let Some(system) = given(body, "system") else { return Ok(()) };
    if let Some(system) = system.as_str() {
        gather.text(system);
        return Ok(());
    }
    require(system.is_array(), || "system: Input should be a string or a list".into())?;
    for (index, block) in list(body, "system").iter().enumerate() {
        let place = format!("system.{index}");
        require(text(block, "type") == Some("text"), || {
            format!("{place}.type: Input should be 'text'")
        })?;
        check::block(block, &place, gather)?;
    }
    Ok(())
}

fn tools(body: &Value) -> Reading<Vec<Tool>> {
    let mut out = Vec::new();
    for (index, tool) in list(body, "tools").iter().enumerate() {
        // The provider's own tools have a dated type and no schema.
        if text(tool, "type").is_some_and(|kind| kind != "custom") {
            continue;
        }
        let place = format!("tools.{index}.custom");
        let name = text(tool, "name").unwrap_or_default();
        let lawful = |c: char| c.is_ascii_alphanumeric() || c == '_' || c == '-';
        require(!name.is_empty() && name.len() <= 128 && name.chars().all(lawful), || {
            format!("{place}.name: String should match pattern '^[a-zA-Z0-9_-]{{1,128}}$'")
        })?;
        let schema = given(tool, "input_schema");
        let schema =
            schema.ok_or_else(|| Wrong::new(format!("{place}.input_schema: Field required")))?;
        require(text(schema, "type") == Some("object"), || {
            format!("{place}.input_schema.type: Field required")
        })?;
        out.push(Tool { name: name.to_owned(), parameters: schema.clone() });
    }
    Ok(out)
}

fn choice(body: &Value, thinks: bool) -> Reading<Choice<'_>> {
    let Some(choice) = given(body, "tool_choice") else { return Ok(Choice::Free) };
    let found = match text(choice, "type") {
        Some("auto") => Choice::Free,
        Some("none") => Choice::Never,
        Some("any") => Choice::Any,
        Some("tool") => {
            let name = text(choice, "name");
            Choice::Named(name.ok_or_else(|| Wrong::new("tool_choice.tool.name: Field required"))?)
        }
        _ => {
            return Err(Wrong::new(
                "tool_choice.type: Input should be 'auto', 'any', 'tool' or 'none'",
            ));
        }
    };
    let tools = list(body, "tools");
    require(!tools.is_empty(), || {
        "tool_choice may only be specified while providing tools".into()
    })?;
    if let Choice::Named(name) = found {
        require(tools.iter().any(|tool| text(tool, "name") == Some(name)), || {
            format!("Tool '{name}' not found in provided tools")
        })?;
    }
    require(!thinks || matches!(found, Choice::Free | Choice::Never), || {
        "Thinking may not be enabled when tool_choice forces tool use.".into()
    })?;
    Ok(found)
}

fn schema(body: &Value) -> Option<&Value> {
    body.pointer("/output_config/format/schema").or_else(|| body.pointer("/output_format/schema"))
}
