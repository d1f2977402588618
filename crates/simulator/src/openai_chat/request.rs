//! What is read of a chat request.

use serde_json::Value;

use crate::ask::{Ask, Choice, Gather, Reading, Tool, Wrong, echoed, text};

/// Reads a body; refuses what is not a JSON object with `model` and `messages`.
pub(crate) fn read(body: &Value) -> Reading<Ask> {
    parse(body).ok_or_else(|| Wrong::new("A simulated failure."))
}

fn parse(body: &Value) -> Option<Ask> {
    let model = text(body, "model")?.to_owned();
    let messages = body.get("messages")?.as_array()?;
    let mut gather = Gather::default();
    for message in messages {
        texts(message).for_each(|text| gather.text(text));
        parts(message).for_each(|part| media(part, &mut gather));
    }
    let last_user = messages.iter().rev().find(|m| role(m) == "user");
    let include_usage = body.pointer("/stream_options/include_usage");
    let mut ask = Ask {
        model,
        stream: body.get("stream").and_then(Value::as_bool).unwrap_or(false),
        include_usage: include_usage.and_then(Value::as_bool).unwrap_or(false),
        max_tokens: ["max_completion_tokens", "max_tokens"]
            .iter()
            .find_map(|key| body.get(*key)?.as_u64()),
        choices: body.get("n").and_then(Value::as_u64).unwrap_or(1).clamp(1, 128),
        prompt_tokens: gather.tokens(),
        last_user_text: last_user.map(|message| echoed(texts(message))).unwrap_or_default(),
        answers_tools: messages.last().is_some_and(|m| role(m) == "tool"),
        schema: body.pointer("/response_format/json_schema/schema").cloned(),
        media: gather.media,
        ..Ask::default()
    };
    ask.offer(tools(body), &choice(body));
    Some(ask)
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

fn parts(message: &Value) -> impl Iterator<Item = &Value> {
    message.get("content").and_then(Value::as_array).into_iter().flatten()
}

/// Notes a part that is no text.
fn media(part: &Value, gather: &mut Gather) {
    let at = |pointer: &str| part.pointer(pointer).and_then(Value::as_str);
    if let Some(url) = at("/image_url/url").or_else(|| at("/video_url/url")) {
        gather.url(url);
    } else if let Some(data) = at("/file/file_data") {
        gather.url(data);
    } else if let Some(data) = at("/input_audio/data") {
        let format = at("/input_audio/format").unwrap_or_default();
        gather.inline(&format!("audio/{format}"), data);
    }
}

fn choice(body: &Value) -> Choice<'_> {
    let Some(choice) = body.get("tool_choice") else { return Choice::Free };
    if choice.as_str() == Some("none") {
        return Choice::Never;
    }
    if choice.as_str() == Some("required") {
        return Choice::Any;
    }
    let named = choice.pointer("/function/name").and_then(Value::as_str);
    named.map_or(Choice::Free, Choice::Named)
}

fn tools(body: &Value) -> impl Iterator<Item = Tool> {
    let offered = body.get("tools").and_then(Value::as_array).into_iter().flatten();
    offered.filter_map(|tool| {
        let function = tool.get("function")?;
        let name = text(function, "name")?.to_owned();
        let parameters = function.get("parameters").cloned().unwrap_or(Value::Null);
        Some(Tool { name, parameters })
    })
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
        let request = read(&body).unwrap();
        assert_eq!(request.prompt_tokens, 2, "7 bytes");
        assert_eq!(request.last_user_text, "é!");
    }

    #[test]
    fn a_body_without_model_or_messages_is_refused() {
        for body in [json!(null), json!({"model": "a"}), json!({"messages": []}), json!([1])] {
            assert!(read(&body).is_err());
        }
    }

    #[test]
    fn a_named_tool_choice_leaves_one_tool() {
        let tool = |name: &str| json!({"type": "function", "function": {"name": name}});
        let mut body = json!({"model": "tools", "messages": [], "tools": [tool("a"), tool("b")]});
        assert_eq!(read(&body).unwrap().tools.len(), 2);
        body["tool_choice"] = json!({"type": "function", "function": {"name": "b"}});
        assert_eq!(read(&body).unwrap().tools[0].name, "b");
        body["tool_choice"] = json!("none");
        assert!(read(&body).unwrap().tools.is_empty());
    }
}
