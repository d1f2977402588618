//! Chat requests with members of the Responses dialect, as some editors send them: flat tools, and
//! `input` for messages (inference spec 21.3).

use signalbox_core::{ApiError, ParameterSet};

use crate::compose::ObjectText;
use crate::document::{Document, Edits, Kind, Raw, rewrite_elements};
use crate::openai_chat::write_request::write_request;
use crate::openai_responses;
use crate::outbound::{CacheStyle, Outbound, ReasoningStyle};
use crate::patch::Patches;

/// The same request as chat has it. One that has no member of the other dialect comes back as it is.
///
/// # Errors
/// `invalid_request` for an `input` that is none.
pub fn nested(document: Document) -> Result<Document, ApiError> {
    let mut edits = Edits::default();
    let sent = |key: &str| document.get(key).map(Raw::new).filter(|raw| !raw.is_null());
    let tools = sent("tools").filter(|raw| raw.kind() == Kind::Array);
    let rewritten =
        tools.and_then(|tools| rewrite_elements(tools, |tool| is_flat(tool).then(|| nest(tool))));
    if let Some(tools) = rewritten {
        edits.set("tools", tools);
    }
    if let Some(choice) = sent("tool_choice").filter(|choice| is_flat(*choice)) {
        edits.set("tool_choice", nest(choice));
    }
    if sent("messages").is_none() && sent("input").is_some() {
        messages(&document, &mut edits)?;
    }
    if edits.is_empty() {
        return Ok(document);
    }
    Ok(Document::parse(document.edited(&edits))?)
}

fn is_flat(tool: Raw<'_>) -> bool {
    tool.get("type").and_then(Raw::string).as_deref() == Some("function")
        && tool.get("function").is_none()
        && tool.get("name").is_some()
}

/// A tool, or the choice of one, as chat has it.
pub(crate) fn nested_tool(tool: Raw<'_>) -> String {
    if is_flat(tool) { nest(tool) } else { tool.text().to_owned() }
}

/// `{"type":"function","name":…}` with its other members one level deeper.
fn nest(tool: Raw<'_>) -> String {
    let mut function = ObjectText::new();
    for member in tool.members().filter(|member| member.key != "type") {
        function.json(&member.key, member.value.text());
    }
    let mut nested = ObjectText::typed("function");
    nested.json("function", &function.finish());
    nested.finish()
}

/// What `input` and `instructions` say, as messages; other members of the dialect get chat's names.
fn messages(document: &Document, edits: &mut Edits) -> Result<(), ApiError> {
    let survey = openai_responses::survey::survey(document)?;
    let conversation = openai_responses::read_request::read_request(document, &survey);
    let patches = Patches::default();
    let out = Outbound {
        provider_model_id: "",
        stream: false,
        unsupported: ParameterSet::EMPTY,
        max_output: None,
        endpoint_max_output: None,
        service_tier: None,
        user: None,
        patches: &patches,
        reasoning: ReasoningStyle::Object,
        asking: Default::default(),
        caches_prompts: true,
        traits: Default::default(),
        template: Default::default(),
        betas: &[],
        forward_name: true,
        cache: CacheStyle::Breakpoints,
    };
    let written = Document::parse(write_request(&conversation, &out)?.body)?;
    for key in ["messages", "max_tokens", "response_format", "verbosity"] {
        if let Some(text) = written.get(key) {
            edits.set(key, text.to_owned());
        }
    }
    for key in ["input", "instructions", "max_output_tokens", "text", "include", "store"] {
        if document.get(key).is_some() {
            edits.remove(key);
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use bytes::Bytes;
    use serde_json::{Value, json};

    use super::*;

    fn read(body: &Value) -> Value {
        let document = Document::parse(Bytes::from(body.to_string())).unwrap();
        let nested = nested(document).unwrap();
        serde_json::from_slice(&nested.edited(&Edits::default())).unwrap()
    }

    #[test]
    fn flat_tools_become_nested_ones() {
        let body = json!({"model": "a/b", "messages": [], "tool_choice": {"type": "function", "name": "f"},
            "tools": [{"type": "function", "name": "f", "parameters": {}, "strict": true},
                {"type": "function", "function": {"name": "g"}}, {"type": "custom", "name": "h"}]});
        let read = read(&body);
        assert_eq!(
            read["tools"],
            json!([
                {"type": "function", "function": {"name": "f", "parameters": {}, "strict": true}},
                {"type": "function", "function": {"name": "g"}},
                {"type": "custom", "name": "h"},
            ])
        );
        assert_eq!(read["tool_choice"], json!({"type": "function", "function": {"name": "f"}}));
    }

    #[test]
    fn an_input_becomes_messages() {
        let body = json!({"model": "a/b", "stream": true, "instructions": "Be brief.",
            "max_output_tokens": 9, "store": false, "provider": {"sort": "price"},
            "input": [{"role": "user", "content": [{"type": "input_text", "text": "Hi"}]}]});
        let read = read(&body);
        assert_eq!(read["messages"][0]["role"], "system");
        assert_eq!(read["messages"][1]["role"], "user");
        assert_eq!(read["max_tokens"], 9);
        assert_eq!((&read["model"], &read["stream"]), (&json!("a/b"), &json!(true)));
        assert_eq!(read["provider"], json!({"sort": "price"}));
        assert!(["input", "instructions", "store"].iter().all(|key| read.get(key).is_none()));
    }

    #[test]
    fn a_chat_request_comes_back_as_it_is() {
        let body = json!({"model": "a/b", "messages": [{"role": "user", "content": "Hi"}],
            "tools": [{"type": "function", "function": {"name": "g"}}]});
        assert_eq!(read(&body), body);
    }
}
