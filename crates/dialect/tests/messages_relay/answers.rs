//! Answers that stay in the dialect: `<case>.relayed.sse` is what a client gets of `<case>.sse`, to
//! the end, and `<case>.relayed.json` of `<case>.json`. Set `BLESS` to write them anew.

use std::fs;
use std::path::{Path, PathBuf};

use proptest::collection::vec;
use proptest::prelude::*;
use proptest::sample::select;
use serde_json::{Value, json};
use signalbox_core::{ErrorKind, Usage};
use signalbox_dialect::anthropic_messages::relay_unary::relay_unary;
use signalbox_dialect::anthropic_messages::stream_relay::MessagesRelay;
use signalbox_dialect::laws::{
    identity, messages_relay_keeps_all, relay_messages, report, whole_messages_keep_all,
};
use signalbox_dialect::{Extras, RelayOptions, StreamFault};

fn cases(ending: &str) -> Vec<PathBuf> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/golden/anthropic-messages");
    let mut cases: Vec<_> = fs::read_dir(folder)
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .filter(|path| {
            let name = path.file_name().unwrap().to_str().unwrap();
            name.strip_suffix(ending).is_some_and(|case| !case.contains('.'))
        })
        .collect();
    cases.sort();
    assert!(!cases.is_empty());
    cases
}

fn compare(path: &Path, text: &str) {
    if std::env::var_os("BLESS").is_some() {
        fs::write(path, text).unwrap();
    }
    assert_eq!(text, fs::read_to_string(path).unwrap(), "{}", path.display());
}

/// The data of the events of a stream, by name.
fn data<'a>(stream: &'a str, start: &str) -> Vec<&'a str> {
    let events = stream.split_terminator("\n\n").map(|event| event.split_once("\ndata: ").unwrap());
    events.filter(|(name, _)| name.starts_with(start)).map(|(_, data)| data).collect()
}

#[test]
fn streams_reach_the_client_as_recorded() {
    for path in cases(".sse") {
        let bytes = fs::read(&path).unwrap();
        let (outcome, closing) = relay_messages(RelayOptions::default(), &[&bytes]);
        let mut text = String::from_utf8(outcome.out).unwrap();
        if outcome.result.is_ok() {
            text.push_str(std::str::from_utf8(&closing).unwrap());
        } else {
            text.push_str(&format!(": {:?}\n", outcome.result));
        }
        compare(&path.with_extension("relayed.sse"), &text);
    }
}

#[test]
fn blocks_of_recorded_streams_pass_byte_for_byte() {
    for path in cases(".sse") {
        let sent = fs::read_to_string(&path).unwrap();
        let (outcome, _) = relay_messages(RelayOptions::default(), &[sent.as_bytes()]);
        let out = String::from_utf8(outcome.out).unwrap();
        if outcome.result.is_ok() && path.file_stem().unwrap() != "compatible" {
            let start = "event: content_block_";
            assert_eq!(data(&sent, start), data(&out, start), "{}", path.display());
        }
        messages_relay_keeps_all(sent.as_bytes(), &[7, 19, 150]).unwrap();
    }
}

#[test]
fn whole_answers_reach_the_client_as_recorded() {
    for path in cases(".json") {
        let body = fs::read(&path).unwrap();
        whole_messages_keep_all(&body).unwrap();
        let answer = relay_unary(body.into()).unwrap();
        let report = report(answer.facts.usage.unwrap_or_default());
        let extras = Extras { router_metadata: Some("{\"a\":1}"), ..Extras::default() };
        let written = answer.write(&identity(), &report, RelayOptions::default(), &extras);
        let text = String::from_utf8(written.to_vec()).unwrap();
        compare(&path.with_extension("relayed.json"), &text);
    }
}

#[test]
fn reasoning_can_be_left_out() {
    let options = RelayOptions { exclude_reasoning: true, ..RelayOptions::default() };
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/golden/anthropic-messages");
    let stream = fs::read(folder.join("thinking.sse")).unwrap();
    let (outcome, _) = relay_messages(options, &[&stream]);
    let out = String::from_utf8(outcome.out).unwrap();
    let expected = [
        r#"{"type":"content_block_start","index":0,"content_block":{"type":"text","text":""}}"#,
        r#"{"type":"content_block_delta","index":0,"delta":{"type":"text_delta","text":"Four"}}"#,
        r#"{"type":"content_block_stop","index":0}"#,
    ];
    assert_eq!(data(&out, "event: content_block_"), expected);
    assert!(outcome.facts.usage.unwrap().reasoning > 0);
    let body = fs::read(folder.join("thinking.json")).unwrap();
    let answer = relay_unary(body.into()).unwrap();
    let written = answer.write(&identity(), &report(Usage::default()), options, &Extras::default());
    let value: Value = serde_json::from_slice(&written).unwrap();
    assert_eq!(value["content"].as_array().unwrap().len(), 1);
    assert_eq!(value["content"][0]["type"], "text");
}

#[test]
fn the_end_is_held_back_and_tells_the_price() {
    let stream = concat!(
        "event: message_start\ndata: {\"type\":\"message_start\",\"message\":{\"id\":\"msg_1\",\"type\":\"message\",\"role\":\"assistant\",\"model\":\"m\",\"content\":[],\"usage\":{\"input_tokens\":9,\"output_tokens\":1}}}\n\n",
        "event: ping\ndata: {\"type\": \"ping\"}\n\n",
        "event: content_block_delta\ndata: {\"type\":\"content_block_delta\",\"index\":0,\"delta\":{\"type\":\"text_delta\",\"text\":\"Hi\"}}\n\n",
        "event: message_delta\ndata: {\"type\":\"message_delta\",\"delta\":{\"stop_reason\":\"end_turn\",\"stop_sequence\":null},\"context_management\":{\"applied_edits\":[]},\"usage\":{\"output_tokens\":5,\"speed\":\"fast\"}}\n\n",
        "event: message_stop\ndata: {\"type\":\"message_stop\"}\n\n",
    );
    let mut relay = MessagesRelay::new(&identity(), RelayOptions::default());
    let mut out = Vec::new();
    relay.push(stream.as_bytes(), &mut out).unwrap();
    relay.end(&mut out).unwrap();
    let text = String::from_utf8(out).unwrap();
    assert_eq!(data(&text, "event: ping"), ["{\"type\": \"ping\"}"]);
    // The block that nobody began was begun, and ended.
    assert_eq!(data(&text, "event: content_block_").len(), 3);
    assert!(data(&text, "event: message_delta").is_empty());
    let extras = Extras {
        service_tier: Some("default"),
        router_metadata: Some("{\"x\":1}"),
        ..Extras::default()
    };
    let usage = relay.facts().usage.unwrap();
    let closing = String::from_utf8(relay.closing(&report(usage), &extras)).unwrap();
    let delta: Value = serde_json::from_str(data(&closing, "event: message_delta")[0]).unwrap();
    assert_eq!(delta["delta"], json!({"stop_reason":"end_turn","stop_sequence":null}));
    assert_eq!(delta["context_management"], json!({"applied_edits":[]}));
    let usage = &delta["usage"];
    assert_eq!((&usage["input_tokens"], &usage["output_tokens"]), (&json!(9), &json!(5)));
    assert_eq!((&usage["speed"], &usage["cost"]), (&json!("fast"), &json!(0.00001)));
    assert_eq!(usage["service_tier"], "standard");
    let stop = data(&closing, "event: message_stop");
    assert_eq!(stop, ["{\"type\":\"message_stop\",\"openrouter_metadata\":{\"x\":1}}"]);
}

#[test]
fn an_error_inside_is_a_fault_and_nothing_is_passed_of_it() {
    for stream in [
        "event: error\ndata: {\"type\":\"error\",\"error\":{\"type\":\"overloaded_error\",\"message\":\"busy\"}}\n\n",
        "{\"type\":\"error\",\"error\":{\"type\":\"overloaded_error\",\"message\":\"busy\"}}\n",
    ] {
        let (outcome, _) = relay_messages(RelayOptions::default(), &[stream.as_bytes()]);
        let Err(StreamFault::InBand(error)) = outcome.result else { panic!("{outcome:?}") };
        assert_eq!(error.kind, ErrorKind::ProviderOverloaded);
        assert!(outcome.out.is_empty());
    }
}

/// Events that a provider may send, in any order.
fn event() -> impl Strategy<Value = Value> {
    let block = select(vec![
        json!({"type":"text","text":""}),
        json!({"type":"text","text":"begun","citations":[{"type":"char_location","cited_text":"c"}]}),
        json!({"type":"thinking","thinking":"","signature":""}),
        json!({"type":"redacted_thinking","data":"secret"}),
        json!({"type":"tool_use","id":"t1","name":"f","input":{}}),
        json!({"type":"server_tool_use","id":"s1","name":"web_search","input":{}}),
        json!({"type":"compaction","content":null}),
    ]);
    let delta = select(vec![
        json!({"type":"text_delta","text":"é\n"}),
        json!({"type":"thinking_delta","thinking":"hm"}),
        json!({"type":"signature_delta","signature":"c2ln"}),
        json!({"type":"input_json_delta","partial_json":"{\"a\":"}),
        json!({"type":"citations_delta","citation":{"type":"char_location"}}),
        json!({"type":"compaction_delta","content":"short"}),
    ]);
    let usage = select(vec![
        json!(null),
        json!({"output_tokens":7}),
        json!({"input_tokens":0,"output_tokens":0}),
        json!({"input_tokens":3,"output_tokens":2,"cache_read_input_tokens":5,
            "cache_creation_input_tokens":4,"cache_creation":{"ephemeral_1h_input_tokens":4},
            "server_tool_use":{"web_search_requests":2},"odd":[1]}),
        json!({"input_tokens":-3,"output_tokens":"x"}),
    ]);
    let reason = select(vec![json!(null), json!("end_turn"), json!("tool_use"), json!("odd")]);
    let index = 0..3_u32;
    prop_oneof![
        1 => usage.clone().prop_map(|usage| json!({"type":"message_start","message":{"id":"msg_1",
            "type":"message","role":"assistant","model":"m","content":[],"usage":usage}})),
        4 => (index.clone(), block).prop_map(|(index, block)|
            json!({"type":"content_block_start","index":index,"content_block":block})),
        8 => (index.clone(), delta).prop_map(|(index, delta)|
            json!({"type":"content_block_delta","index":index,"delta":delta})),
        3 => index.prop_map(|index| json!({"type":"content_block_stop","index":index})),
        2 => (reason, usage).prop_map(|(reason, usage)|
            json!({"type":"message_delta","delta":{"stop_reason":reason},"usage":usage})),
        1 => Just(json!({"type":"ping"})),
        1 => Just(json!({"type":"later_invention","x":[1.0]})),
        1 => Just(json!({"type":"message_stop"})),
    ]
}

fn wire(events: &[Value]) -> String {
    let event =
        |event: &Value| format!("event: {}\ndata: {event}\n\n", event["type"].as_str().unwrap());
    events.iter().map(event).collect()
}

proptest! {
    #[test]
    fn any_events_are_relayed_lawfully(
        events in vec(event(), 0..14),
        cuts in vec(0..200_usize, 0..5),
    ) {
        let mut stream = wire(&events);
        messages_relay_keeps_all(stream.as_bytes(), &cuts).unwrap();
        stream.push_str(&wire(&[json!({"type":"message_stop"})]));
        messages_relay_keeps_all(stream.as_bytes(), &cuts).unwrap();
    }

    #[test]
    fn any_bytes_are_relayed_lawfully(
        bytes in vec(any::<u8>(), 0..200),
        cuts in vec(0..200_usize, 0..5),
    ) {
        messages_relay_keeps_all(&bytes, &cuts).unwrap();
        whole_messages_keep_all(&bytes).unwrap();
    }
}
