//! What the simulator reads of a chat request.

use serde_json::Value;

/// Most text of the prompt that an echo gives back.
const MAX_ECHO: usize = 64 * 1024;

/// A tool that the request offers.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Tool {
    pub name: String,
    pub parameters: Value,
}

/// A chat request, as far as it matters here.
#[derive(Debug, Default)]
pub(crate) struct ChatRequest {
    pub model: String,
    pub stream: bool,
    pub include_usage: bool,
    pub max_tokens: Option<u64>,
    pub choices: u64,
    pub prompt_tokens: u64,
    pub last_user_text: String,
    pub answers_tools: bool,
    pub tools: Vec<Tool>,
    pub schema: Option<Value>,
}

impl ChatRequest {
    /// Reads a body; `None` when it is not a JSON object with `model` and `messages`.
    pub(crate) fn read(body: &Value) -> Option<Self> {
        let model = body.get("model")?.as_str()?.to_owned();
        let messages = body.get("messages")?.as_array()?;
        let bytes: usize = messages.iter().map(text_bytes).sum();
        let last_user = messages.iter().rev().find(|m| role(m) == "user");
        let include_usage = body.pointer("/stream_options/include_usage");
        Some(Self {
            model,
            stream: body.get("stream").and_then(Value::as_bool).unwrap_or(false),
            include_usage: include_usage.and_then(Value::as_bool).unwrap_or(false),
            max_tokens: ["max_completion_tokens", "max_tokens"]
                .iter()
                .find_map(|key| body.get(*key)?.as_u64()),
            choices: body.get("n").and_then(Value::as_u64).unwrap_or(1).clamp(1, 128),
            prompt_tokens: u64::try_from(bytes.div_ceil(4)).unwrap_or(u64::MAX),
            last_user_text: last_user.map(echo_text).unwrap_or_default(),
            answers_tools: messages.last().is_some_and(|m| role(m) == "tool"),
            tools: chosen_tools(body),
            schema: body.pointer("/response_format/json_schema/schema").cloned(),
        })
    }
}

fn role(message: &Value) -> &str {
    message.get("role").and_then(Value::as_str).unwrap_or_default()
}

fn texts(message: &Value) -> impl Iterator<Item = &str> {
    let content = message.get("content");
    let plain = content.and_then(Value::as_str);
    let parts = content.and_then(Value::as_array).into_iter().flatten();
    plain.into_iter().chain(parts.filter_map(|part| part.get("text")?.as_str()))
}

fn text_bytes(message: &Value) -> usize {
    texts(message).map(str::len).sum()
}

fn echo_text(message: &Value) -> String {
    let mut out = String::new();
    for text in texts(message) {
        let end = text.floor_char_boundary(MAX_ECHO.saturating_sub(out.len()));
        out.push_str(text.get(..end).unwrap_or_default());
    }
    out
}

/// The tools that may be called: none when the request forbids it, one when it names one, else all.
fn chosen_tools(body: &Value) -> Vec<Tool> {
    let choice = body.get("tool_choice");
    if choice.and_then(Value::as_str) == Some("none") {
        return Vec::new();
    }
    let named = choice.and_then(|c| c.pointer("/function/name")?.as_str());
    let offered = body.get("tools").and_then(Value::as_array).into_iter().flatten();
    offered
        .filter_map(|tool| {
            let function = tool.get("function")?;
            let name = function.get("name")?.as_str()?.to_owned();
            let parameters = function.get("parameters").cloned().unwrap_or(Value::Null);
            Some(Tool { name, parameters })
        })
        .filter(|tool| named.is_none_or(|name| name == tool.name))
        .take(2)
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn prompt_tokens_are_a_quarter_of_the_text_rounded_up() {
        let body = json!({"model": "echo", "messages": [
            {"role": "system", "content": "abcd"},
            {"role": "user", "content": [{"type": "text", "text": "é!"}, {"type": "image_url"}]},
        ]});
        let request = ChatRequest::read(&body).unwrap();
        assert_eq!(request.prompt_tokens, 2, "7 bytes");
        assert_eq!(request.last_user_text, "é!");
    }

    #[test]
    fn a_body_without_model_or_messages_is_none() {
        for body in [json!(null), json!({"model": "a"}), json!({"messages": []}), json!([1])] {
            assert!(ChatRequest::read(&body).is_none());
        }
    }

    #[test]
    fn a_named_tool_choice_leaves_one_tool() {
        let tool = |name: &str| json!({"type": "function", "function": {"name": name}});
        let mut body = json!({"model": "tools", "messages": [], "tools": [tool("a"), tool("b")]});
        assert_eq!(ChatRequest::read(&body).unwrap().tools.len(), 2);
        body["tool_choice"] = json!({"type": "function", "function": {"name": "b"}});
        assert_eq!(ChatRequest::read(&body).unwrap().tools[0].name, "b");
        body["tool_choice"] = json!("none");
        assert!(ChatRequest::read(&body).unwrap().tools.is_empty());
    }
}
