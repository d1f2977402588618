//! Chat bodies read as conversations and written again.

use serde_json::json;
use signalbox_dialect::conversation::{
    CacheMark, FileSource, ImageSource, Part, PartBody, Role, ToolChoice, WireDialect,
};
use signalbox_dialect::loss::Lost;
use signalbox_dialect::openai_chat::write_relay::ReasoningStyle;
use signalbox_dialect::patch::Patches;

use super::{outbound, read, to_chat};

const WHOLE: &str = r#"{
  "model": "acme/m1", "stream": true, "temperature": 0.70, "seed": 7, "stop": ["END"],
  "safe_prompt": true, "n": 1, "max_completion_tokens": 900, "verbosity": "low",
  "messages": [
    {"role": "developer", "content": [{"type": "text", "text": "Be brief.", "cache_control": {"type": "ephemeral", "ttl": "1h"}}]},
    {"role": "user", "name": "ann", "content": [
      {"type": "text", "text": "What is on it?"},
      {"type": "image_url", "image_url": {"url": "data:image/png;base64,AAAA", "detail": "low"}},
      {"type": "file", "file": {"filename": "a.pdf", "file_data": "https://x.test/a.pdf"}}]},
    {"role": "assistant", "content": null, "reasoning_details": [
      {"type": "reasoning.text", "text": "Look it up.", "signature": "c2ln", "format": "anthropic-claude-v1", "index": 0}],
      "tool_calls": [{"id": "call_1", "type": "function", "function": {"name": "look", "arguments": "{\"q\": 1.0}"}}]},
    {"role": "tool", "tool_call_id": "call_1", "content": "a cat"},
    {"role": "system", "content": "Speak French."},
    {"role": "user", "content": "Well?"}],
  "tools": [{"type": "function", "function": {"name": "look", "parameters": {"type": "object", "properties": {}}, "strict": true}}],
  "tool_choice": {"type": "function", "function": {"name": "look"}}, "parallel_tool_calls": false,
  "reasoning": {"effort": "high"}, "user": "ann", "metadata": {"a": "b"}, "session_id": "s"
}"#;

#[test]
fn a_chat_request_is_read_whole() {
    let conversation = read(WHOLE);
    assert_eq!(conversation.origin, Some(WireDialect::OpenaiChat));
    assert_eq!(
        conversation.system,
        [Part { cache_mark: Some(CacheMark::OneHour), ..Part::text("Be brief.") }]
    );
    let roles: Vec<_> = conversation.messages.iter().map(|message| message.role).collect();
    assert_eq!(roles, [Role::User, Role::Assistant, Role::User, Role::System, Role::User]);
    let user = &conversation.messages[0];
    assert_eq!(user.name.as_deref(), Some("ann"));
    assert!(matches!(
        &user.parts[1].body,
        PartBody::Image { source: ImageSource::Base64 { media_type, data }, detail: Some(detail) }
            if media_type == "image/png" && data == "AAAA" && detail == "low"
    ));
    assert!(matches!(
        &user.parts[2].body,
        PartBody::File { source: FileSource::Url(_), filename: Some(_) }
    ));
    let [thought, call] = conversation.messages[1].parts.as_slice() else { panic!() };
    let PartBody::Reasoning(thought) = &thought.body else { panic!() };
    assert_eq!(thought.signature.as_deref(), Some("c2ln"));
    assert!(thought.verbatim.as_ref().unwrap().json.contains(r#""index": 0"#));
    assert!(
        matches!(&call.body, PartBody::ToolCall { arguments, .. } if arguments == "{\"q\": 1.0}")
    );
    assert_eq!(conversation.tool_choice, Some(ToolChoice::Function("look".into())));
    assert_eq!(conversation.parallel_tool_calls, Some(false));
    assert_eq!(conversation.sampling[0].1, "0.70");
    assert_eq!(conversation.max_output, Some(900));
    let extra: Vec<_> = conversation.extra.iter().map(|extra| extra.key.as_str()).collect();
    assert_eq!(extra, ["safe_prompt", "n"]);
}

#[test]
fn a_chat_request_written_for_chat_says_the_same() {
    let conversation = read(WHOLE);
    let patches = Patches::default();
    let (body, losses) = to_chat(&conversation, &outbound(&patches));
    assert_eq!(losses, []);
    assert_eq!(body["model"], "m-1");
    assert_eq!(body["max_tokens"], 900);
    assert_eq!(body["reasoning_effort"], "high");
    assert_eq!(body["safe_prompt"], true);
    for own in ["session_id", "metadata", "user", "reasoning", "stream_options"] {
        assert!(body.get(own).is_none(), "{own}");
    }
    let messages = body["messages"].as_array().unwrap();
    assert_eq!(messages.len(), 6);
    assert_eq!(messages[0]["content"][0]["cache_control"]["ttl"], "1h");
    assert_eq!(messages[1]["content"][0]["text"], "ann: What is on it?");
    assert_eq!(messages[2]["reasoning_details"][0]["signature"], "c2ln");
    assert_eq!(messages[2]["tool_calls"][0]["function"]["arguments"], "{\"q\": 1.0}");
    assert_eq!(messages[3], json!({"role":"tool","tool_call_id":"call_1","content":"a cat"}));
}

#[test]
fn a_client_of_another_dialect_gets_plain_texts() {
    let mut conversation = read(WHOLE);
    conversation.origin = Some(WireDialect::AnthropicMessages);
    conversation.system.push(Part::text("Second."));
    if let PartBody::Reasoning(block) = &mut conversation.messages[1].parts[0].body {
        block.verbatim = None;
    }
    let patches = Patches::default();
    let (body, losses) = to_chat(&conversation, &outbound(&patches));
    assert_eq!(body["messages"][0]["content"], "Be brief.\n\nSecond.");
    assert!(body["messages"][2].get("reasoning_details").is_none());
    let lost: Vec<_> = losses.iter().map(|loss| (loss.what, loss.detail.as_str())).collect();
    assert_eq!(
        lost,
        [
            (Lost::CacheMark, "cache_control"),
            (Lost::Reasoning, "signed"),
            (Lost::Parameter, "safe_prompt"),
            (Lost::Parameter, "n"),
        ]
    );
}

#[test]
fn reasoning_goes_back_to_the_provider_whose_format_it_has() {
    let mut conversation = read(
        r#"{"messages":[{"role":"user","content":"hi"},{"role":"assistant","content":"yo","reasoning":"hm"}]}"#,
    );
    conversation.origin = Some(WireDialect::AnthropicMessages);
    let patches = Patches::default();
    let (body, losses) = to_chat(&conversation, &outbound(&patches));
    assert_eq!(body["messages"][1]["reasoning_content"], "hm");
    assert_eq!(losses, []);
    if let PartBody::Reasoning(block) = &mut conversation.messages[1].parts[0].body {
        block.format = Some("openai-responses-v1".into());
        block.signature = Some("s".into());
    }
    let (body, _) = to_chat(&conversation, &outbound(&patches));
    assert_eq!(body["messages"][1]["reasoning_details"][0]["format"], "openai-responses-v1");
}

#[test]
fn the_reasoning_object_says_all_that_was_asked() {
    let patches = Patches::default();
    let mut out = outbound(&patches);
    out.reasoning = ReasoningStyle::Object;
    for asked in [
        r#"{"effort":"low","exclude":true}"#,
        r#"{"max_tokens":2000}"#,
        r#"{"enabled":true}"#,
        "{}",
    ] {
        let conversation = read(&format!(
            r#"{{"messages":[{{"role":"user","content":"a"}}],"reasoning":{asked}}}"#
        ));
        let (body, _) = to_chat(&conversation, &out);
        assert_eq!(body["reasoning"].to_string(), asked);
    }
}

#[test]
fn patches_come_last() {
    let patches: Patches = toml::from_str::<std::collections::BTreeMap<String, Patches>>(
        r#"patches = [{ rename = "/max_tokens", to = "max_completion_tokens" }]"#,
    )
    .unwrap()
    .remove("patches")
    .unwrap();
    let conversation = read(r#"{"prompt":"Once","max_tokens":5}"#);
    let (body, _) = to_chat(&conversation, &outbound(&patches));
    assert_eq!(body["max_completion_tokens"], 5);
    assert!(body.get("max_tokens").is_none());
    assert_eq!(body["messages"], json!([{"role":"user","content":"Once"}]));
}

#[test]
fn the_effort_of_a_messages_client_is_that_of_its_thinking() {
    let mut conversation = read(
        r#"{"messages":[{"role":"user","content":"a"}],"reasoning":{"enabled":true},"verbosity":"high"}"#,
    );
    let patches = Patches::default();
    let (body, _) = to_chat(&conversation, &outbound(&patches));
    assert_eq!((&body["reasoning_effort"], &body["verbosity"]), (&json!("medium"), &json!("high")));
    conversation.origin = Some(WireDialect::AnthropicMessages);
    let (body, _) = to_chat(&conversation, &outbound(&patches));
    assert_eq!((&body["reasoning_effort"], body.get("verbosity")), (&json!("high"), None));
}
