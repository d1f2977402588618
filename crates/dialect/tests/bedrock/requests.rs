//! Bodies.

use bytes::Bytes;
use serde_json::{Value, json};
use signalbox_core::ParameterSet;
use signalbox_dialect::bedrock_converse::write_request::write_request;
use signalbox_dialect::conversation::{CacheMark, Conversation, Message, Part, PartBody, Role};
use signalbox_dialect::document::Document;
use signalbox_dialect::gemini::write_request::Traits;
use signalbox_dialect::openai_chat::read_request::read_request;
use signalbox_dialect::openai_chat::survey::survey;
use signalbox_dialect::patch::Patches;
use signalbox_dialect::{Outbound, ReasoningStyle, WrittenRequest};

use super::*;

fn write(conversation: &Conversation, reasoning: ReasoningStyle) -> WrittenRequest {
    let patches = Patches::default();
    let outbound = Outbound {
        provider_model_id: "m-1",
        stream: true,
        unsupported: ParameterSet::EMPTY,
        max_output: None,
        endpoint_max_output: Some(64_000),
        service_tier: Some("flex"),
        user: None,
        patches: &patches,
        reasoning,
        asking: Default::default(),
        caches_prompts: true,
        traits: Traits::default(),
        template: Default::default(),
        betas: &[],
        forward_name: false,
        cache: Default::default(),
    };
    write_request(conversation, &outbound).unwrap()
}

fn read_chat(body: Vec<u8>) -> Conversation {
    let document = Document::parse(Bytes::from(body)).unwrap();
    read_request(&document, &survey(&document).unwrap()).unwrap()
}

fn body(conversation: &Conversation) -> Value {
    serde_json::from_slice(&write(conversation, ReasoningStyle::AdaptiveEffort).body).unwrap()
}

#[test]
fn requests_are_written_as_recorded() {
    for path in cases(".request.json") {
        let style = match path.to_str().unwrap().rsplit('.').nth(2).unwrap() {
            "adaptive" => ReasoningStyle::AdaptiveEffort,
            "budget" => ReasoningStyle::Budget,
            "effort" => ReasoningStyle::Effort,
            _ => ReasoningStyle::None,
        };
        let written = write(&read_chat(fs::read(&path).unwrap()), style);
        let mut text = String::from_utf8(written.body.to_vec()).unwrap();
        for loss in &written.losses {
            write!(text, "\n{:?}: {}", loss.what, loss.detail).unwrap();
        }
        compare(&path, &(text + "\n"));
    }
}

#[test]
fn a_mark_inside_a_result_stands_behind_it() {
    let marked = Part { cache_mark: Some(CacheMark::OneHour), ..Part::text("7") };
    let result = PartBody::ToolResult { call_id: "c".into(), parts: vec![marked], is_error: true };
    let parts = vec![Part::text("so"), Part::new(result)];
    let call = PartBody::ToolCall { id: "c".into(), name: "f".into(), arguments: "{}".into() };
    let messages =
        vec![Message::new(Role::Assistant, vec![Part::new(call)]), Message::new(Role::User, parts)];
    let body = body(&Conversation { messages, ..Conversation::default() });
    assert_eq!(
        body["messages"][1]["content"],
        json!([
            {"toolResult": {"toolUseId": "c", "content": [{"text": "7"}], "status": "error"}},
            {"cachePoint": {"type": "default", "ttl": "1h"}},
            {"text": "so"},
        ])
    );
}

#[test]
fn what_the_reader_gives_goes_back_unchanged() {
    for (stream, style) in [
        ("thinking_and_tools.stream", ReasoningStyle::Budget),
        ("thinking_and_tools.stream", ReasoningStyle::AdaptiveEffort),
    ] {
        let path = cases(stream).remove(0);
        let (events, ..) = read_converse(&[&stream_of(&fs::read(&path).unwrap())]);
        let parts = super::laws_of_answers::turn(&events);
        let messages = vec![Message::new(Role::Assistant, parts)];
        let written = write(&Conversation { messages, ..Conversation::default() }, style);
        let body: Value = serde_json::from_slice(&written.body).unwrap();
        let whole = fs::read(path.with_extension("json")).unwrap();
        let whole: Value = serde_json::from_slice(&whole).unwrap();
        assert_eq!(body["messages"][0]["content"], whole["output"]["message"]["content"]);
    }
}
