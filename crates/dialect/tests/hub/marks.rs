//! Marks of cached prefixes, between the styles (inference spec 14.1).

use serde_json::{Value, json};
use signalbox_dialect::CacheStyle;
use signalbox_dialect::openai_chat::write_relay::write_relay;
use signalbox_dialect::outbound::write_request;

use super::*;

const CONTROL: &str = r#"{"messages":[
    {"role":"system","content":[{"type":"text","text":"S","cache_control":{"type":"ephemeral","ttl":"1h"}}]},
    {"role":"user","content":[{"type":"text","text":"U","cache_control":{"type":"ephemeral"}}]},
    {"role":"assistant","content":[{"type":"text","text":"A","cache_control":{"type":"ephemeral"}}]},
    {"role":"user","content":"B"}],
    "tools":[{"type":"function","function":{"name":"f"},"cache_control":{"type":"ephemeral"}}]}"#;
const BREAKPOINT: &str = r#"{"messages":[
    {"role":"user","content":[{"type":"text","text":"U","prompt_cache_breakpoint":{"mode":"explicit"}}]}]}"#;

fn styled(patches: &Patches, cache: CacheStyle) -> Outbound<'_> {
    Outbound { cache, ..outbound(patches) }
}

fn relayed(body: &str, cache: CacheStyle) -> Value {
    let document = Document::parse(Bytes::copy_from_slice(body.as_bytes())).unwrap();
    let patches = Patches::default();
    let out = styled(&patches, cache);
    value(&write_relay(&document, &survey(&document).unwrap(), &out).unwrap().whole())
}

fn written(body: &str, dialect: WireDialect, cache: CacheStyle) -> (Value, Vec<String>) {
    let patches = Patches::default();
    let written = write_request(dialect, &read(body), &styled(&patches, cache)).unwrap();
    (value(&written.body), written.losses.iter().map(ToString::to_string).collect())
}

fn mark() -> Value {
    json!({"mode": "explicit"})
}

#[test]
fn a_relayed_chat_request_is_marked_as_its_endpoint_wants_it() {
    let sent: Value = serde_json::from_str(CONTROL).unwrap();
    for kept in [CacheStyle::AsSent, CacheStyle::Control] {
        let body = relayed(CONTROL, kept);
        assert_eq!((&body["messages"], &body["tools"]), (&sent["messages"], &sent["tools"]));
    }
    let bare = relayed(CONTROL, CacheStyle::Automatic);
    assert!(!bare.to_string().contains("cache"), "{bare}");
    let points = relayed(CONTROL, CacheStyle::Breakpoints);
    assert!(!points.to_string().contains("cache_control"), "{points}");
    let part = |at: usize| points["messages"][at]["content"][0]["prompt_cache_breakpoint"].clone();
    assert_eq!([part(0), part(1), part(2)], [mark(), mark(), Value::Null]);
    let part = |style| relayed(BREAKPOINT, style)["messages"][0]["content"][0].clone();
    assert_eq!(part(CacheStyle::Breakpoints)["prompt_cache_breakpoint"], mark());
    assert_eq!(part(CacheStyle::Control)["cache_control"], json!({"type": "ephemeral"}));
    assert_eq!(part(CacheStyle::Automatic), json!({"type": "text", "text": "U"}));
    assert_eq!(part(CacheStyle::AsSent), json!({"type": "text", "text": "U"}));
}

#[test]
fn breakpoints_become_marks_of_messages_and_cache_points() {
    let (messages, losses) =
        written(BREAKPOINT, WireDialect::AnthropicMessages, CacheStyle::AsSent);
    assert_eq!(
        messages["messages"][0]["content"][0]["cache_control"],
        json!({"type": "ephemeral"})
    );
    let (converse, _) = written(BREAKPOINT, WireDialect::BedrockConverse, CacheStyle::AsSent);
    let point = &converse["messages"][0]["content"][1]["cachePoint"];
    assert_eq!((point, losses.len()), (&json!({"type": "default"}), 0));
}

#[test]
fn marked_instructions_of_a_responses_request_are_an_item() {
    let (body, losses) = written(CONTROL, WireDialect::OpenaiResponses, CacheStyle::Breakpoints);
    assert_eq!(body.get("instructions"), None);
    assert_eq!(body["input"][0]["role"], "developer");
    for at in [0, 1] {
        assert_eq!(body["input"][at]["content"][0]["prompt_cache_breakpoint"], mark());
    }
    assert_eq!(body["input"][2]["content"][0].get("prompt_cache_breakpoint"), None);
    assert_eq!(losses, ["the cache_mark ttl", "the cache_mark cache_control"]);
    let (body, losses) = written(CONTROL, WireDialect::OpenaiResponses, CacheStyle::Automatic);
    assert_eq!((&body["instructions"], losses.len()), (&json!("S"), 1));
}

#[test]
fn a_messages_client_marks_what_it_sends_to_a_chat_endpoint() {
    let body = br#"{"model":"m","max_tokens":9,"system":[{"type":"text","text":"S","cache_control":{"type":"ephemeral","ttl":"5m"}}],
        "messages":[{"role":"user","content":"U"}]}"#;
    let document = Document::parse(Bytes::from_static(body)).unwrap();
    let survey = anthropic_messages::survey::survey(&document).unwrap();
    let conversation = anthropic_messages::read_request::read_request(&document, &survey).unwrap();
    let patches = Patches::default();
    let part = |style| {
        let (body, losses) = to_chat(&conversation, &styled(&patches, style));
        (body["messages"][0]["content"].clone(), losses.len())
    };
    let text = |key: &str, value: Value| json!([{"type": "text", "text": "S", key: value}]);
    let control = json!({"type": "ephemeral", "ttl": "5m"});
    assert_eq!(part(CacheStyle::Control), (text("cache_control", control), 0));
    assert_eq!(part(CacheStyle::Breakpoints), (text("prompt_cache_breakpoint", mark()), 1));
    assert_eq!(part(CacheStyle::AsSent), (json!("S"), 1));
    assert_eq!(part(CacheStyle::Automatic), (json!("S"), 1));
}
