//! Requests in the Messages dialect: what is accepted, what is read of them, and what becomes of
//! reasoning that makes the round.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    missing_docs
)]

use proptest::collection::vec;
use proptest::prelude::*;
use proptest::sample::select;
use serde_json::{Value, json};
use signalbox_core::{ApiError, ErrorKind, Parameter, Usage};
use signalbox_dialect::anthropic_messages::read_request::read_request;
use signalbox_dialect::anthropic_messages::survey::survey;
use signalbox_dialect::conversation::{
    CacheMark, Conversation, FileSource, ImageSource, PartBody, Role, Tool, ToolChoice, WireDialect,
};
use signalbox_dialect::document::Document;
use signalbox_dialect::openai_chat::survey::{Effort, Survey};
use signalbox_dialect::{AnswerStream, AnswerStyle, Extras, RelayOptions, Skin, laws};

fn document(value: &Value) -> Document {
    Document::parse(value.to_string().into()).unwrap()
}

fn surveyed(value: Value) -> Result<Survey, ApiError> {
    survey(&document(&value))
}

/// A request with these members beside one message.
fn with(members: Value) -> Value {
    let mut value = json!({"model": "acme/m1", "messages": [{"role": "user", "content": "Hi"}]});
    for (key, member) in members.as_object().unwrap() {
        value[key] = member.clone();
    }
    value
}

fn read(text: &str) -> Conversation {
    let document = Document::parse(text.to_owned().into()).unwrap();
    read_request(&document, &survey(&document).unwrap()).unwrap()
}

fn with_content(blocks: &Value) -> Value {
    json!({"messages": [{"role": "user", "content": blocks}]})
}

#[test]
fn a_rich_request_is_surveyed_whole() {
    let survey = surveyed(with(json!({
        "max_tokens": 2048,
        "system": [{"type": "text", "text": "Be brief.", "cache_control": {"type": "ephemeral"}}],
        "stream": true,
        "temperature": 1.0,
        "stop_sequences": ["END"],
        "thinking": {"type": "enabled", "budget_tokens": 1024},
        "tools": [{"name": "f", "input_schema": {"type": "object"}}, {"type": "bash_20250124", "name": "bash"}],
        "tool_choice": {"type": "auto", "disable_parallel_tool_use": true},
        "metadata": {"user_id": "u-1"},
        "service_tier": "standard_only",
        "provider": {"order": ["a"]},
        "betas": ["odd"],
    })))
    .unwrap();
    assert_eq!(survey.model.as_deref(), Some("acme/m1"));
    assert!(survey.stream && survey.needs.tools);
    assert_eq!((survey.max_output, survey.choices), (Some(2048), 1));
    assert_eq!(survey.user.as_deref(), Some("u-1"));
    assert_eq!(survey.service_tier.as_deref(), Some("default"));
    assert_eq!(survey.provider.as_deref(), Some(r#"{"order":["a"]}"#));
    assert_eq!(survey.reasoning.unwrap().max_tokens, Some(1024));
    let asked: Vec<Parameter> = survey.parameters.iter().collect();
    let expected = [
        Parameter::Temperature,
        Parameter::MaxTokens,
        Parameter::Stop,
        Parameter::Tools,
        Parameter::ToolChoice,
        Parameter::ParallelToolCalls,
        Parameter::Reasoning,
    ];
    assert_eq!(asked, expected);
}

#[test]
fn media_and_history_become_needs() {
    let survey = surveyed(with_content(&json!([
        {"type": "image", "source": {"type": "base64", "media_type": "image/png", "data": "AAAA"}},
        {"type": "document", "source": {"type": "url", "url": "https://a.test/x.pdf"}},
        {"type": "tool_result", "tool_use_id": "t", "content": [{"type": "text", "text": "abc"}]},
    ])))
    .unwrap();
    assert!(survey.needs.image && survey.needs.file && survey.needs.tool_history);
    assert_eq!((survey.images, survey.media_bytes), (1, 4));
    let text = json!([{"type": "document", "source":
        {"type": "text", "media_type": "text/plain", "data": "0123456789"}}]);
    let survey = surveyed(with_content(&text)).unwrap();
    assert!(!survey.needs.file && survey.prompt_bytes >= 10);
}

#[test]
fn fallbacks_name_models_and_nothing_else() {
    let models = |value: Value| surveyed(with(value));
    let three = json!({"fallbacks": [{"model": "a/b"}, {"model": "c/d"}, {"model": "e/f"}]});
    assert_eq!(models(three).unwrap().models, ["a/b", "c/d", "e/f"]);
    for wrong in [
        json!({"fallbacks": [{"model": "a"}, {"model": "b"}, {"model": "c"}, {"model": "d"}]}),
        json!({"fallbacks": [{"model": "a", "max_tokens": 5}]}),
        json!({"fallbacks": [{"model": "a"}], "models": ["b"]}),
        json!({"fallbacks": ["a"]}),
    ] {
        assert_eq!(models(wrong.clone()).unwrap_err().kind, ErrorKind::InvalidRequest, "{wrong}");
    }
}

#[test]
fn mistakes_are_named_by_path() {
    for (members, path) in [
        (json!({"messages": null}), "`messages`"),
        (json!({"messages": []}), "`messages`"),
        (json!({"messages": [{"role": "tool", "content": "x"}]}), "`messages[0].role`"),
        (json!({"messages": [{"role": "user"}]}), "`messages[0].content`"),
        (
            json!({"messages": [{"role": "user", "content": [{"type": "text"}]}]}),
            "`messages[0].content[0].text`",
        ),
        (
            json!({"messages": [{"role": "user", "content": [{"type": "image", "source": {"type": "x"}}]}]}),
            "`messages[0].content[0].source.type`",
        ),
        (
            json!({"messages": [{"role": "assistant", "content":
                [{"type": "tool_use", "id": "a", "name": "f", "input": "{}"}]}]}),
            "`messages[0].content[0].input`",
        ),
        (json!({"max_tokens": 0}), "`max_tokens`"),
        (json!({"system": 5}), "`system`"),
        (json!({"thinking": {"type": "enabled"}}), "`thinking.budget_tokens`"),
        (json!({"thinking": {"type": "often"}}), "`thinking.type`"),
        (json!({"output_config": {"effort": "huge"}}), "`output_config.effort`"),
        (json!({"tools": [{"name": "a b", "input_schema": {}}]}), "`tools[0].name`"),
        (json!({"tools": [{"name": "a"}]}), "`tools[0].input_schema`"),
        (json!({"tools": [{"type": "web_search_20250305", "name": "w"}]}), "`tools[0].type`"),
        (json!({"tool_choice": {"type": "tool"}}), "`tool_choice.name`"),
        (json!({"metadata": {"user_id": "u".repeat(257)}}), "`metadata.user_id`"),
    ] {
        let error = surveyed(with(members)).unwrap_err();
        assert!(error.message.contains(path), "{path}: {}", error.message);
        assert_eq!(error.kind, ErrorKind::InvalidRequest);
    }
}

#[test]
fn thinking_says_how_much_to_reason() {
    let reasoning = |members: Value| surveyed(with(members)).unwrap().reasoning;
    let effort = |members| reasoning(members).and_then(|request| request.effort);
    assert_eq!(reasoning(json!({})), None);
    assert_eq!(reasoning(json!({"output_config": {"effort": "low"}})), None);
    assert_eq!(effort(json!({"thinking": {"type": "adaptive"}})), Some(Effort::High));
    let low = json!({"thinking": {"type": "adaptive"}, "output_config": {"effort": "low"}});
    assert_eq!(effort(low), Some(Effort::Low));
    let off = reasoning(json!({"thinking": {"type": "disabled"}})).unwrap();
    assert_eq!((off.enabled, off.effort), (Some(false), None));
}

#[test]
fn every_word_of_a_request_is_read() {
    let conversation = read(
        r#"{"model":"m","max_tokens":9,"system":"S","temperature":0.50,"stop_sequences":["E"],
        "tools":[{"name":"f","description":"d","input_schema":{ "type":"object" },"strict":true,
        "cache_control":{"type":"ephemeral","ttl":"1h"}},{"type":"bash_1","name":"bash"}],
        "tool_choice":{"type":"any","disable_parallel_tool_use":true},
        "output_config":{"effort":"max","format":{"type":"json_schema","schema":{"a": 1}},"task_budget":{"type":"tokens"}},
        "context_management":{"edits":[]},"provider":{},"metadata":{"user_id":"u"},
        "messages":[{"role":"user","content":"Hi"},
        {"role":"assistant","content":[{"type":"tool_use","id":"t","name":"f","input":{ "x":1.0 }}]},
        {"role":"user","content":[{"type":"tool_result","tool_use_id":"t","is_error":true,"content":"no"}]},
        {"role":"system","content":"Now."}]}"#,
    );
    assert_eq!(conversation.origin, Some(WireDialect::AnthropicMessages));
    assert_eq!(conversation.sampling, [(Parameter::Temperature, "0.50".to_owned())]);
    assert_eq!((conversation.max_output, conversation.stop.len()), (Some(9), 1));
    assert_eq!(conversation.verbosity.as_deref(), Some("max"));
    assert_eq!(conversation.user.as_deref(), Some("u"));
    assert_eq!(conversation.tool_choice, Some(ToolChoice::Required));
    assert_eq!(conversation.parallel_tool_calls, Some(false));
    let format: Value =
        serde_json::from_str(conversation.response_format.as_deref().unwrap()).unwrap();
    assert_eq!(format["json_schema"]["schema"], json!({"a": 1}));
    let extra: Vec<_> =
        conversation.extra.iter().map(|one| (one.key.as_str(), one.json.as_str())).collect();
    let expected = [
        ("output_config", r#"{"task_budget":{"type":"tokens"}}"#),
        ("context_management", r#"{"edits":[]}"#),
    ];
    assert_eq!(extra, expected);
    let [Tool::Function(function), Tool::Native { kind, .. }] = conversation.tools.as_slice()
    else {
        panic!("{:?}", conversation.tools);
    };
    assert_eq!(function.parameters.as_deref(), Some(r#"{ "type":"object" }"#));
    assert_eq!((function.strict, function.cache_mark), (Some(true), Some(CacheMark::OneHour)));
    assert_eq!(kind, "bash_1");
    let roles: Vec<Role> = conversation.messages.iter().map(|message| message.role).collect();
    assert_eq!(roles, [Role::User, Role::Assistant, Role::User, Role::System]);
    let body = |at: usize| &conversation.messages[at].parts[0].body;
    let arguments = r#"{ "x":1.0 }"#.to_owned();
    let call = PartBody::ToolCall { id: "t".into(), name: "f".into(), arguments };
    assert_eq!(*body(1), call);
    assert!(
        matches!(body(2), PartBody::ToolResult { is_error: true, parts, .. } if parts.len() == 1)
    );
}

#[test]
fn media_keep_their_sources() {
    let conversation = read(
        r#"{"messages":[{"role":"user","content":[
        {"type":"image","source":{"type":"base64","media_type":"image/png","data":"AA"}},
        {"type":"image","source":{"type":"url","url":"u"}},
        {"type":"document","title":"T","source":{"type":"base64","media_type":"application/pdf","data":"BB"}},
        {"type":"document","source":{"type":"content","content":[{"type":"text","text":"a"},{"type":"text","text":"b"}]}},
        {"type":"openrouter_shell_tool_result","output":"x"},
        {"type":"search_result","title":"s"}]}]}"#,
    );
    let bodies: Vec<_> = conversation.messages[0].parts.iter().map(|part| &part.body).collect();
    let inside = |media_type: &str, data: &str| (media_type.to_owned(), data.to_owned());
    let (media_type, data) = inside("image/png", "AA");
    let source = ImageSource::Base64 { media_type, data };
    assert_eq!(*bodies[0], PartBody::Image { source, detail: None });
    let source = ImageSource::Url("u".into());
    assert_eq!(*bodies[1], PartBody::Image { source, detail: None });
    let (media_type, data) = inside("application/pdf", "BB");
    let source = FileSource::Base64 { media_type, data };
    assert_eq!(*bodies[2], PartBody::File { source, filename: Some("T".into()) });
    let source = FileSource::Text("a\nb".into());
    assert_eq!(*bodies[3], PartBody::File { source, filename: None });
    assert!(matches!(bodies[4], PartBody::Opaque { kind, .. } if kind == "search_result"));
    assert_eq!(bodies.len(), 5);
}

#[test]
fn reasoning_comes_back_with_its_format() {
    let claudes = r#"{"type":"thinking", "thinking":"a","signature":"c2ln"}"#;
    let text = format!(
        r#"{{"messages":[{{"role":"assistant","content":[{claudes},
        {{"type":"thinking","thinking":"b","signature":"signalbox.reasoning/google-gemini-v1//Zz/Z="}},
        {{"type":"thinking","thinking":"c","signature":""}},
        {{"type":"thinking","thinking":"d","signature":"signalbox.reasoning/openai-responses-v1/rs_1/"}},
        {{"type":"redacted_thinking","data":"signalbox.reasoning/openai-responses-v1/rs_1/ZZ"}},
        {{"type":"redacted_thinking","data":"own"}}]}}]}}"#
    );
    let conversation = read(&text);
    let mut seen = Vec::new();
    for part in &conversation.messages[0].parts {
        seen.push(match &part.body {
            PartBody::Reasoning(block) => {
                let verbatim = block.verbatim.as_ref().map(|one| one.json.as_str());
                (block.signature.as_deref(), block.id.as_deref(), block.format.as_deref(), verbatim)
            }
            PartBody::RedactedReasoning(block) => {
                let verbatim = block.verbatim.as_ref().map(|one| one.json.as_str());
                (Some(block.data.as_str()), block.id.as_deref(), block.format.as_deref(), verbatim)
            }
            other => panic!("{other:?}"),
        });
    }
    let claude = Some("anthropic-claude-v1");
    let own = r#"{"type":"redacted_thinking","data":"own"}"#;
    let expected = [
        (Some("c2ln"), None, claude, Some(claudes)),
        (Some("Zz/Z="), None, Some("google-gemini-v1"), None),
        (None, None, None, None),
        (None, Some("rs_1"), Some("openai-responses-v1"), None),
        (Some("ZZ"), Some("rs_1"), Some("openai-responses-v1"), None),
        (Some("own"), None, claude, Some(own)),
    ];
    assert_eq!(seen, expected);
}

/// A block that may be lawful, with a member that may spoil it.
fn block() -> impl Strategy<Value = Value> {
    let lawful = select(vec![
        json!({"type": "text", "text": "a", "cache_control": {"type": "ephemeral"}}),
        json!({"type": "text", "text": " "}),
        json!({"type": "image", "source": {"type": "url", "url": "https://a.test/"}}),
        json!({"type": "image", "source": {"type": "base64", "media_type": "", "data": "é"}}),
        json!({"type": "document", "source": {"type": "text", "media_type": "x", "data": "d"}}),
        json!({"type": "document", "source": {"type": "content", "content": [1]}, "title": "t"}),
        json!({"type": "document", "source": {"type": "file", "file_id": "f"}}),
        json!({"type": "tool_use", "id": "", "name": "f", "input": {"a": [1]}}),
        json!({"type": "tool_result", "tool_use_id": "t"}),
        json!({"type": "tool_result", "tool_use_id": "t", "content": [{"type": "text", "text": "r"},
            {"type": "tool_result", "tool_use_id": "u", "content": "x", "is_error": true}]}),
        json!({"type": "thinking", "thinking": "h", "signature": ""}),
        json!({"type": "thinking", "thinking": "h", "signature": "s"}),
        json!({"type": "redacted_thinking", "data": "signalbox.reasoning/f/i/d"}),
        json!({"type": "redacted_thinking", "data": "signalbox.reasoning/"}),
        json!({"type": "server_tool_use", "odd": null}),
    ]);
    let names = vec!["type", "text", "source", "content", "input", "id", "cache_control", "odd"];
    let value = select(vec![json!(null), json!("x"), json!(5), json!([]), json!({"type": "text"})]);
    (lawful, proptest::option::weighted(0.2, (select(names), value))).prop_map(
        |(mut block, spoil)| {
            if let Some((name, value)) = spoil {
                block[name] = value;
            }
            block
        },
    )
}

fn message() -> impl Strategy<Value = Value> {
    let role = select(vec!["user", "assistant", "system", "user", "assistant"]);
    let content = prop_oneof![
        select(vec![json!("Hi"), json!("")]),
        vec(block(), 0..4).prop_map(Value::from),
    ];
    (role, content).prop_map(|(role, content)| json!({"role": role, "content": content}))
}

fn request() -> impl Strategy<Value = Value> {
    let member = select(vec![
        ("max_tokens", json!(20000)),
        ("system", json!("s")),
        ("system", json!([{"type": "text", "text": "s", "cache_control": {"ttl": "1h"}}])),
        ("thinking", json!({"type": "enabled", "budget_tokens": 1})),
        ("thinking", json!({"type": "adaptive", "display": "omitted"})),
        ("thinking", json!({"type": "disabled"})),
        ("output_config", json!({"effort": "xhigh", "odd": 1})),
        ("output_config", json!({"format": {"type": "json_schema", "schema": {}}})),
        ("tools", json!([{"name": "f", "input_schema": {}}, {"type": "bash_1"}])),
        ("tools", json!([])),
        ("tool_choice", json!({"type": "tool", "name": "f", "disable_parallel_tool_use": false})),
        ("tool_choice", json!({"type": "none"})),
        ("fallbacks", json!([{"model": "b"}])),
        ("temperature", json!(1.5)),
        ("top_k", json!(0)),
        ("stop_sequences", json!(["", "x"])),
        ("cache_control", json!({})),
        ("metadata", json!({"user_id": null})),
        ("user", json!("u")),
        ("trace", json!({})),
        ("context_management", json!({"edits": []})),
        ("stop", json!(5)),
        ("model_", json!("x")),
    ]);
    (vec(message(), 0..4), vec(member, 0..6)).prop_map(|(messages, members)| {
        let mut value = json!({"model": "a/b", "messages": messages});
        for (name, member) in members {
            value[name] = member;
        }
        value
    })
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 1000, ..ProptestConfig::default() })]

    #[test]
    fn accepted_requests_can_be_written_for_any_provider(value in request()) {
        laws::messages_requests_survive(value.to_string().as_bytes()).map_err(TestCaseError::fail)?;
    }
}

#[test]
fn an_event_over_several_lines_stays_one_event() {
    let stream = "event: message_start\ndata: {\"type\":\"message_start\",\"message\":{}}\n\n\
        event: content_block_start\ndata: {\"type\":\"content_block_start\",\"index\":0,\n\
        data: \"content_block\":{\"type\":\"server_tool_use\",\ndata: \"id\":\"x\"}}\n\n\
        event: content_block_stop\ndata: {\"type\":\"content_block_stop\",\"index\":0}\n\n\
        event: message_delta\ndata: {\"type\":\"message_delta\",\"delta\":{\"stop_reason\":\"refusal\",\n\
        data: \"stop_details\":{\"type\":\"refusal\",\ndata: \"category\":\"cyber\"}}}\n\n\
        event: message_stop\ndata: {\"type\":\"message_stop\"}\n\n";
    laws::splits_do_not_matter(stream.as_bytes(), &[5, 60, 100]).unwrap();
    let options = RelayOptions::default();
    let (provider, style) = (WireDialect::AnthropicMessages, AnswerStyle::Messages);
    let mut relay = AnswerStream::new(Skin::new(style, options), provider, laws::identity());
    let mut out = Vec::new();
    relay.push(stream.as_bytes(), &mut out).unwrap();
    assert!(relay.facts().done);
    let closing = relay.usage_chunk(&laws::report(Usage::default()), &Extras::default());
    let text = String::from_utf8(closing).unwrap();
    let json = text.lines().nth(1).unwrap().strip_prefix("data: ").unwrap();
    let value: Value = serde_json::from_str(json).unwrap();
    assert_eq!(value["delta"]["stop_reason"], "refusal");
    assert_eq!(value["delta"]["stop_details"]["category"], "cyber");
    assert_eq!(text.lines().nth(3).unwrap(), "event: message_stop");
}
