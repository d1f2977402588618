//! Providers' answers in this dialect, read as events.

use proptest::prelude::*;
use serde_json::{Value, json};
use signalbox_core::ErrorKind;
use signalbox_dialect::event::{Block, Event, FinishReason, Folded};
use signalbox_dialect::openai_responses::read_stream::{ResponsesReader, read_unary};
use signalbox_dialect::{Facts, StreamFault, laws};

use crate::answers::{REQUEST, any_events, stream, unary};

fn read(pieces: &[&[u8]]) -> (Vec<Event>, Facts, Result<(), StreamFault>) {
    let mut reader = ResponsesReader::default();
    let mut events = Vec::new();
    let mut result = Ok(());
    for piece in pieces {
        result = reader.push(piece, &mut events);
        if result.is_err() {
            break;
        }
    }
    if result.is_ok() {
        result = reader.end(&mut events);
    }
    (events, reader.facts().clone(), result)
}

/// A stream as the dialect's owner sends it: names and data, no end marker.
fn wire(events: &[Value]) -> String {
    let event =
        |event: &Value| format!("event: {}\ndata: {event}\n\n", event["type"].as_str().unwrap());
    events.iter().map(event).collect()
}

fn thinking_and_a_call() -> Vec<Value> {
    let usage = json!({"input_tokens":50,"input_tokens_details":{"cached_tokens":32},
        "output_tokens":40,"output_tokens_details":{"reasoning_tokens":24},"total_tokens":90});
    let response = |status: &str, usage: Value| {
        json!({"id":"resp_01","object":"response","created_at":1_700_000_000,"status":status,
            "error":null,"incomplete_details":null,"model":"m-1","output":[],"usage":usage,
            "service_tier":"default","store":false})
    };
    let summary = json!({"type":"summary_text","text":"Look it up."});
    vec![
        json!({"type":"response.created","sequence_number":0,"response":response("in_progress", Value::Null)}),
        json!({"type":"response.in_progress","sequence_number":1,"response":response("in_progress", Value::Null)}),
        json!({"type":"response.output_item.added","sequence_number":2,"output_index":0,
            "item":{"id":"rs_01","type":"reasoning","summary":[],"encrypted_content":"partial"}}),
        json!({"type":"response.reasoning_summary_part.added","sequence_number":3,"item_id":"rs_01",
            "output_index":0,"summary_index":0,"part":{"type":"summary_text","text":""}}),
        json!({"type":"response.reasoning_summary_text.delta","sequence_number":4,"item_id":"rs_01",
            "output_index":0,"summary_index":0,"delta":"Look it ","obfuscation":"x8"}),
        json!({"type":"response.reasoning_summary_text.delta","sequence_number":5,"item_id":"rs_01",
            "output_index":0,"summary_index":0,"delta":"up."}),
        json!({"type":"response.reasoning_summary_text.done","sequence_number":6,"item_id":"rs_01",
            "output_index":0,"summary_index":0,"text":"Look it up."}),
        json!({"type":"response.output_item.done","sequence_number":7,"output_index":0,
            "item":{"id":"rs_01","type":"reasoning","summary":[summary],"encrypted_content":"gAAAAB+/=="}}),
        json!({"type":"response.output_item.added","sequence_number":8,"output_index":1,
            "item":{"id":"fc_01","type":"function_call","status":"in_progress","arguments":"",
            "call_id":"call_01","name":"weather"}}),
        json!({"type":"response.function_call_arguments.delta","sequence_number":9,"item_id":"fc_01",
            "output_index":1,"delta":"{\"city\":"}),
        json!({"type":"response.function_call_arguments.delta","sequence_number":10,"item_id":"fc_01",
            "output_index":1,"delta":"\"Oslo\"}"}),
        json!({"type":"response.output_item.done","sequence_number":11,"output_index":1,
            "item":{"id":"fc_01","type":"function_call","status":"completed",
            "arguments":"{\"city\":\"Oslo\"}","call_id":"call_01","name":"weather"}}),
        json!({"type":"response.completed","sequence_number":12,"response":response("completed", usage)}),
    ]
}

#[test]
fn a_stream_with_reasoning_and_a_call_is_read() {
    let text = wire(&thinking_and_a_call());
    let (events, facts, result) = read(&[text.as_bytes()]);
    result.unwrap();
    laws::lawful(&events).unwrap();
    assert_eq!(facts.upstream_id.as_deref(), Some("resp_01"));
    assert_eq!((facts.tool_calls, facts.done, facts.content_seen), (1, true, true));
    assert_eq!(facts.service_tier.as_deref(), Some("default"));
    let usage = facts.usage.unwrap();
    assert_eq!((usage.input_uncached, usage.cache_read), (18, 32));
    assert_eq!((usage.output, usage.reasoning), (40, 24));
    let folded = Folded::of(&events);
    let choice = &folded.choices[0];
    assert_eq!(choice.end, Some((FinishReason::ToolCalls, Some("completed".to_owned()))));
    let [summary, secret, call] = &choice.blocks[..] else { panic!("{:?}", choice.blocks) };
    assert_eq!(summary.text, "Look it up.");
    assert_eq!(secret.opaque, ["gAAAAB+/=="]);
    for block in [summary, secret] {
        let Block::Reasoning { id, format, .. } = &block.block else { panic!() };
        assert_eq!(id.as_deref(), Some("rs_01"));
        assert_eq!(format.as_deref(), Some("openai-responses-v1"));
    }
    let expected = Block::ToolCall { id: "call_01".into(), name: "weather".into() };
    assert_eq!((&call.block, call.text.as_str()), (&expected, "{\"city\":\"Oslo\"}"));
}

#[test]
fn reasoning_of_a_provider_reaches_a_client_of_the_dialect_unchanged() {
    let text = wire(&thinking_and_a_call());
    let (events, ..) = read(&[text.as_bytes()]);
    assert_eq!(
        unary(REQUEST, &events)["output"][0],
        json!({"id":"rs_01","type":"reasoning",
            "summary":[{"type":"summary_text","text":"Look it up."}],
            "encrypted_content":"gAAAAB+/==","format":"openai-responses-v1"})
    );
}

#[test]
fn failures_are_faults() {
    let failed = json!({"type":"response.failed","sequence_number":3,"response":{"id":"resp_1",
        "status":"failed","error":{"code":"rate_limit_exceeded","message":"Slow down"}}});
    let plain = json!({"type":"error","code":"server_error","message":"Oops","param":null,
        "sequence_number":3});
    let nested = json!({"type":"error","error":{"type":"server_error","message":"Oops"}});
    for (event, kind) in [
        (failed, ErrorKind::RateLimitExceeded),
        (plain, ErrorKind::ProviderUnavailable),
        (nested, ErrorKind::ProviderUnavailable),
    ] {
        let (events, _, result) = read(&[wire(&[event]).as_bytes()]);
        laws::lawful(&events).unwrap();
        let Err(StreamFault::InBand(error)) = result else { panic!("{result:?}") };
        assert_eq!(error.kind, kind, "{error:?}");
    }
    let early = wire(&thinking_and_a_call()[..6]);
    let (events, _, result) = read(&[early.as_bytes()]);
    laws::lawful(&events).unwrap();
    assert_eq!(result, Err(StreamFault::Truncated));
    assert!(matches!(read(&[b"data: {\n\n"]).2, Err(StreamFault::Malformed(_))));
    assert!(read_unary(b"{\"object\":\"list\"}").is_err());
    let body = br#"{"status":"failed","error":{"code":"server_error","message":"m"},"output":[]}"#;
    assert!(matches!(read_unary(body), Err(StreamFault::InBand(_))));
}

#[test]
fn a_limit_is_named() {
    let body = json!({"id":"resp_1","status":"incomplete","error":null,
        "incomplete_details":{"reason":"max_output_tokens"},
        "output":[{"type":"message","role":"assistant","content":[{"type":"output_text","text":"a"}]}]});
    let (events, facts) = read_unary(body.to_string().as_bytes()).unwrap();
    laws::lawful(&events).unwrap();
    assert_eq!(facts.finish, Some(FinishReason::Length));
    assert_eq!(facts.native_finish.as_deref(), Some("max_output_tokens"));
}

/// The output without what only this side gives: ids, formats, and items that hold nothing.
fn essence(response: &Value) -> Vec<Value> {
    let mut items: Vec<Value> = response["output"].as_array().unwrap().clone();
    for item in &mut items {
        let item = item.as_object_mut().unwrap();
        for key in ["id", "format", "status"] {
            item.remove(key);
        }
        for key in ["summary", "content"] {
            let full = |part: &Value| part["text"] != "" && part["refusal"] != "";
            if let Some(parts) = item.get_mut(key).and_then(Value::as_array_mut) {
                parts.retain(full);
            }
            if item.get(key).is_some_and(|parts| *parts == json!([])) {
                item.remove(key);
            }
        }
        for key in ["encrypted_content", "signature", "result"] {
            if item.get(key).is_some_and(|text| *text == "" || text.is_null()) {
                item.remove(key);
            }
        }
    }
    let is_call = |item: &Value| item["type"].as_str().unwrap().ends_with("tool_call");
    items.retain(|item| {
        item.as_object().unwrap().len() > 2 || is_call(item) || {
            let mut keys: Vec<&str> =
                item.as_object().unwrap().keys().map(String::as_str).collect();
            keys.retain(|key| !["type", "role"].contains(key));
            !keys.is_empty()
        }
    });
    items
}

fn sorted(mut items: Vec<Value>) -> Vec<Value> {
    items.sort_by_key(Value::to_string);
    items
}

proptest! {
    #[test]
    fn what_is_written_reads_as_the_same_answer(
        events in any_events(),
        cuts in proptest::collection::vec(0_usize..400, 0..12),
    ) {
        let text = stream(REQUEST, &events);
        let whole = unary(REQUEST, &events);
        let (read_events, facts, result) = read(&[text.as_bytes()]);
        prop_assert_eq!(laws::lawful(&read_events), Ok(()));
        let (in_pieces, again, same) = read(&laws::cut(text.as_bytes(), &cuts));
        prop_assert_eq!((&read_events, &facts, &result), (&in_pieces, &again, &same));
        if result.is_err() {
            prop_assert_eq!(&whole["status"], "failed");
            return Ok(());
        }
        let second = unary(REQUEST, &read_events);
        // Items that were open side by side may come in another order.
        prop_assert_eq!(sorted(essence(&second)), sorted(essence(&whole)));
        prop_assert_eq!(&second["status"], &whole["status"]);
        let (whole_events, _) = read_unary(whole.to_string().as_bytes()).unwrap();
        prop_assert_eq!(laws::lawful(&whole_events), Ok(()));
        prop_assert_eq!(essence(&unary(REQUEST, &whole_events)), essence(&whole));
    }

    #[test]
    fn no_bytes_break_the_reader(bytes in "(event: [a-z.]{0,9}\n)?(data: (\\{\"type\":\"(response\\.(output_item\\.(added|done)|output_text\\.delta|function_call_arguments\\.delta|completed)|error)\",\"output_index\":[0-3],\"(delta|item|response)\":(\"x\"|\\{\\}|null|\\{\"type\":\"(message|function_call|reasoning)\",\"content\":\\[\\{\\}\\]\\})\\}|\\[DONE\\]|\\PC{0,9})\n\n){0,6}") {
        let (events, _, _) = read(&[bytes.as_bytes()]);
        prop_assert_eq!(laws::lawful(&events), Ok(()));
        let _ = read_unary(bytes.as_bytes());
    }
}
