//! What is read of a request, and what is refused.

use serde_json::Value;

use crate::ask::{
    Ask, Choice, Gather, Reading, Tool, Wrong, echoed, given, list, require, stranger, text,
};

const MEMBERS: &[&str] = &[
    "citation_options",
    "documents",
    "frequency_penalty",
    "k",
    "logprobs",
    "max_tokens",
    "messages",
    "model",
    "p",
    "presence_penalty",
    "priority",
    "response_format",
    "safety_mode",
    "seed",
    "stop_sequences",
    "stream",
    "strict_tools",
    "temperature",
    "thinking",
    "tool_choice",
    "tools",
];

/// Reads a request.
pub(crate) fn read(body: &Value) -> Reading<Ask> {
    require(body.is_object(), || "invalid request: the body is not a JSON object".into())?;
    if let Some(name) = stranger(body, MEMBERS) {
        return Err(Wrong::new(format!("unknown field: parameter '{name}' is not a valid field")));
    }
    let model = text(body, "model");
    let model = model.ok_or_else(|| Wrong::new("invalid request: model is required"))?;
    let messages = list(body, "messages");
    require(!messages.is_empty(), || "invalid request: messages must not be empty".into())?;
    let mut gather = Gather::default();
    for (index, message) in messages.iter().enumerate() {
        check(index, message, &mut gather)?;
    }
    pairs(messages)?;
    let last = messages.last().and_then(|m| text(m, "role"));
    require(matches!(last, Some("user" | "tool")), || {
        "invalid request: the last message must be from the user or a tool".into()
    })?;
    let tools = tools(body)?;
    let choice = match text(body, "tool_choice") {
        None => Choice::Free,
        Some("REQUIRED") => Choice::Any,
        Some("NONE") => Choice::Never,
        Some(other) => {
            return Err(Wrong::new(format!(
                "invalid request: tool_choice must be REQUIRED or NONE, found {other}"
            )));
        }
    };
    require(given(body, "tool_choice").is_none_or(Value::is_string), || {
        "invalid request: tool_choice must be a string".into()
    })?;
    require(matches!(choice, Choice::Free) || !tools.is_empty(), || {
        "invalid request: tool_choice can only be specified with tools".into()
    })?;
    let last_user = messages.iter().rev().find(|m| text(m, "role") == Some("user"));
    let mut ask = Ask {
        model: model.to_owned(),
        stream: body.get("stream").and_then(Value::as_bool).unwrap_or(false),
        include_usage: true,
        max_tokens: body.get("max_tokens").and_then(Value::as_u64),
        choices: 1,
        prompt_tokens: gather.tokens(),
        last_user_text: last_user.map(|m| echoed(texts(m))).unwrap_or_default(),
        answers_tools: last == Some("tool"),
        schema: schema(body)?,
        media: gather.media,
        ..Ask::default()
    };
    ask.offer(tools.into_iter(), &choice);
    Ok(ask)
}

fn texts(message: &Value) -> impl Iterator<Item = &str> {
    let parts = list(message, "content").iter().filter_map(|part| part.get("text")?.as_str());
    text(message, "content").into_iter().chain(parts)
}

fn check(index: usize, message: &Value, gather: &mut Gather) -> Reading<()> {
    let place = format!("messages[{index}]");
    let (known, kinds): (&[&str], &[&str]) = match text(message, "role") {
        Some("system") => (&["role", "content"], &["text"]),
        Some("user") => (&["role", "content"], &["text", "image_url"]),
        Some("assistant") => {
            (&["role", "content", "tool_calls", "tool_plan", "citations"], &["text", "thinking"])
        }
        Some("tool") => (&["role", "content", "tool_call_id"], &["text", "document"]),
        _ => {
            return Err(Wrong::new(format!(
                "invalid request: {place}.role must be one of system, user, assistant, tool"
            )));
        }
    };
    if let Some(name) = stranger(message, known) {
        return Err(Wrong::new(format!("invalid request: {place}: unknown field '{name}'")));
    }
    let called = !list(message, "tool_calls").is_empty();
    require(given(message, "content").is_some() || called, || {
        format!("invalid request: {place}: content is required")
    })?;
    texts(message).for_each(|text| gather.text(text));
    for (at, part) in list(message, "content").iter().enumerate() {
        let kind = text(part, "type").unwrap_or_default();
        let place = format!("{place}.content[{at}]");
        require(kinds.contains(&kind), || {
            format!("invalid request: {place}.type '{kind}' is not one of {}", kinds.join(", "))
        })?;
        let held = match kind {
            "image_url" => {
                let url = part.pointer("/image_url/url").and_then(Value::as_str);
                url.is_some_and(|url| gather.url(url))
            }
            "document" => part.pointer("/document/data").is_some_and(|data| {
                gather.text(&data.to_string());
                data.is_object()
            }),
            other => text(part, other).is_some(),
        };
        require(held, || format!("invalid request: {place}: {kind} is missing or invalid"))?;
    }
    for (at, call) in list(message, "tool_calls").iter().enumerate() {
        let place = format!("{place}.tool_calls[{at}]");
        let function = call.get("function").unwrap_or(&Value::Null);
        let whole = text(call, "id").is_some() && text(function, "name").is_some();
        require(whole && text(call, "type") == Some("function"), || {
            format!("invalid request: {place}: id, type and function.name are required")
        })?;
        let arguments = text(function, "arguments").unwrap_or("{}");
        let parsed = serde_json::from_str::<Value>(arguments);
        require(parsed.is_ok_and(|value| value.is_object()), || {
            format!("invalid request: {place}.function.arguments must be a JSON object as text")
        })?;
    }
    Ok(())
}

/// Checks that every call is answered and every answer has a call.
fn pairs(messages: &[Value]) -> Reading<()> {
    let mut open: Vec<&str> = Vec::new();
    for (index, message) in messages.iter().enumerate() {
        if text(message, "role") == Some("tool") {
            let id = text(message, "tool_call_id").ok_or_else(|| {
                Wrong::new(format!(
                    "invalid request: messages[{index}]: tool messages must have a tool_call_id"
                ))
            })?;
            let place = open.iter().position(|asked| *asked == id);
            let place = place.ok_or_else(|| {
                Wrong::new(format!(
                    "invalid request: tool call id {id} not found in previous tool calls"
                ))
            })?;
            open.swap_remove(place);
            continue;
        }
        unanswered(&open)?;
        open = list(message, "tool_calls")
            .iter()
            .filter_map(|call| call.get("id")?.as_str())
            .collect();
    }
    unanswered(&open)
}

fn unanswered(open: &[&str]) -> Reading<()> {
    require(open.is_empty(), || {
        format!(
            "invalid request: an assistant message with 'tool_calls' must be followed by tool messages responding to each 'tool_call_id'. The following tool_call_ids did not have response messages: {}",
            open.join(", ")
        )
    })
}

fn tools(body: &Value) -> Reading<Vec<Tool>> {
    let mut out = Vec::new();
    for (index, tool) in list(body, "tools").iter().enumerate() {
        let place = format!("tools[{index}]");
        require(text(tool, "type") == Some("function"), || {
            format!("invalid request: {place}.type must be function")
        })?;
        let function = tool.get("function").unwrap_or(&Value::Null);
        if let Some(name) = stranger(function, &["name", "description", "parameters"]) {
            return Err(Wrong::new(format!(
                "invalid request: {place}.function: unknown field '{name}'"
            )));
        }
        let name = text(function, "name");
        let name = name.ok_or_else(|| {
            Wrong::new(format!("invalid request: {place}.function.name is required"))
        })?;
        let parameters = given(function, "parameters").filter(|p| p.is_object());
        let parameters = parameters.ok_or_else(|| {
            Wrong::new(format!("invalid request: {place}.function.parameters is required"))
        })?;
        out.push(Tool { name: name.to_owned(), parameters: parameters.clone() });
    }
    Ok(out)
}

fn schema(body: &Value) -> Reading<Option<Value>> {
    let Some(format) = given(body, "response_format") else { return Ok(None) };
    if let Some(name) = stranger(format, &["type", "json_schema"]) {
        return Err(Wrong::new(format!(
            "invalid request: response_format: unknown field '{name}'"
        )));
    }
    match text(format, "type") {
        Some("text") => Ok(None),
        Some("json_object") => Ok(given(format, "json_schema").cloned()),
        _ => Err(Wrong::new("invalid request: response_format.type must be text or json_object")),
    }
}
