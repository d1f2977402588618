//! Answers that stay in the dialect: `<case>.relayed.sse` is what a client gets of `<case>.sse`, to
//! the end, and `<case>.relayed.json` of `<case>.json`. Set `BLESS` to write them anew.

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use proptest::collection::vec;
use proptest::prelude::*;
use proptest::sample::select;
use serde_json::{Value, json};
use signalbox_core::{ApiError, ErrorKind};
use signalbox_dialect::document::Document;
use signalbox_dialect::laws::{
    identity, relay_responses, report, responses_relay_keeps_all, whole_responses_keep_all,
};
use signalbox_dialect::openai_responses::relay_unary::relay_unary;
use signalbox_dialect::openai_responses::response::Asked;
use signalbox_dialect::openai_responses::stream_relay::ResponsesRelay;
use signalbox_dialect::{Extras, RelayOptions, StreamFault};

fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/golden/openai-responses-relay")
}

fn cases(ending: &str) -> Vec<PathBuf> {
    let mut cases: Vec<_> = fs::read_dir(folder())
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

/// The data of the events of a stream that carry no response.
fn data(stream: &str) -> Vec<&str> {
    let data = stream.split_terminator("\n\n").map(|event| event.split_once("\ndata: ").unwrap().1);
    data.filter(|data| !data.contains("\"response\":{")).collect()
}

/// What the client asked, as it wrote it.
fn asked() -> Arc<Asked> {
    let text = r#"{"input":"x","user":"me","metadata":{"k":"v"}}"#;
    Arc::new(Asked::of(&Document::parse(text.to_owned().into()).unwrap()))
}

#[test]
fn streams_reach_the_client_as_recorded() {
    for path in cases(".sse") {
        let bytes = fs::read(&path).unwrap();
        let mut relay = ResponsesRelay::new(&identity(), RelayOptions::default(), asked());
        let mut out = Vec::new();
        let result = relay.push(&bytes, &mut out).and_then(|()| relay.end(&mut out));
        let report = report(relay.facts().usage.unwrap_or_default());
        let extras = Extras {
            service_tier: Some("flex"),
            router_metadata: Some("{\"a\":1}"),
            completed_at: 1_700_000_009,
        };
        match result {
            Ok(()) => out.extend(relay.closing(&report, &extras)),
            Err(fault) => {
                out.extend(format!(": {fault}\n\n").bytes());
                let error = ApiError::new(ErrorKind::ProviderUnavailable, "It broke.");
                out.extend(relay.failing(&error, Some(&report), &extras));
            }
        }
        compare(&path.with_extension("relayed.sse"), &String::from_utf8(out).unwrap());
    }
}

#[test]
fn events_of_recorded_streams_pass_byte_for_byte() {
    for path in cases(".sse") {
        let sent = fs::read_to_string(&path).unwrap();
        let (outcome, _) = relay_responses(RelayOptions::default(), &[sent.as_bytes()]);
        let out = String::from_utf8(outcome.out).unwrap();
        assert_eq!(data(&sent), data(&out), "{}", path.display());
        responses_relay_keeps_all(sent.as_bytes(), &[7, 19, 150]).unwrap();
    }
}

#[test]
fn whole_answers_reach_the_client_as_recorded() {
    for path in cases(".json") {
        let body = fs::read(&path).unwrap();
        whole_responses_keep_all(&body).unwrap();
        let answer = relay_unary(body.into()).unwrap();
        let report = report(answer.facts.usage.unwrap());
        let extras = Extras { completed_at: 1_700_000_009, ..Extras::default() };
        let written =
            answer.write(&identity(), &report, RelayOptions::default(), &extras, &asked());
        let text = String::from_utf8(written.to_vec()).unwrap();
        compare(&path.with_extension("relayed.json"), &text);
    }
}

#[test]
fn reasoning_can_be_left_out() {
    let options = RelayOptions { exclude_reasoning: true, ..RelayOptions::default() };
    let stream = fs::read(folder().join("reasoning_and_call.sse")).unwrap();
    let (outcome, closing) = relay_responses(options, &[&stream]);
    assert_eq!(outcome.result, Ok(()));
    let out = String::from_utf8([outcome.out, closing].concat()).unwrap();
    let events: Vec<Value> = out
        .split_terminator("\n\n")
        .map(|event| serde_json::from_str(event.split_once("\ndata: ").unwrap().1).unwrap())
        .collect();
    let numbers: Vec<_> = events.iter().map(|one| one["sequence_number"].as_u64()).collect();
    let expected: Vec<_> = (0..numbers.len() as u64).map(Some).collect();
    assert_eq!(numbers, expected);
    assert!(events.iter().all(|one| one.get("output_index").is_none_or(|at| at == 0)));
    let output = &events.last().unwrap()["response"]["output"];
    assert_eq!(output.as_array().unwrap().len(), 1);
    assert_eq!(output[0]["type"], "function_call");
    assert!(outcome.facts.content_seen && outcome.facts.usage.unwrap().reasoning == 24);
}

#[test]
fn an_answer_that_nobody_began_is_begun() {
    let stream = concat!(
        "data: {\"type\":\"response.output_text.delta\",\"delta\":\"Hi\",\"output_index\":0}\n\n",
        "data: {\"type\":\"response.completed\",\"response\":{\"status\":\"completed\",\"output\":[]}}\n\n",
        "data: [DONE]\n\n",
    );
    responses_relay_keeps_all(stream.as_bytes(), &[3]).unwrap();
    let (outcome, _) = relay_responses(RelayOptions::default(), &[stream.as_bytes()]);
    let out = String::from_utf8(outcome.out).unwrap();
    assert!(out.starts_with("event: response.created\ndata: {\"type\":\"response.created\",\"sequence_number\":0,\"response\":{\"id\":\"gen-1700000000-abc\""), "{out}");
    assert!(
        out.ends_with("\"delta\":\"Hi\",\"output_index\":0,\"sequence_number\":1}\n\n"),
        "{out}"
    );
}

#[test]
fn failures_and_cuts_are_faults() {
    let failed = fs::read(folder().join("failed.sse")).unwrap();
    let (outcome, _) = relay_responses(RelayOptions::default(), &[&failed]);
    assert!(matches!(outcome.result, Err(StreamFault::InBand(_))), "{:?}", outcome.result);
    let half = fs::read_to_string(folder().join("failed.sse")).unwrap();
    let (half, _) = half.split_once("event: response.failed").unwrap();
    let (outcome, _) = relay_responses(RelayOptions::default(), &[half.as_bytes()]);
    assert_eq!(outcome.result, Err(StreamFault::Truncated));
    let relay = ResponsesRelay::new(&identity(), RelayOptions::default(), asked());
    let error = ApiError::new(ErrorKind::ContextLengthExceeded, "Too long.");
    let text = String::from_utf8(relay.failing(&error, None, &Extras::default())).unwrap();
    assert!(
        text.contains("event: response.created") && text.contains("event: response.incomplete")
    );
}

fn event() -> impl Strategy<Value = Value> {
    let item = select(vec![
        json!({"id":"rs_1","type":"reasoning","summary":[{"type":"summary_text","text":"hm"}],
            "encrypted_content":"gA=="}),
        json!({"id":"msg_1","type":"message","role":"assistant","phase":"commentary",
            "content":[{"type":"output_text","text":"é","annotations":[]}]}),
        json!({"id":"fc_1","type":"function_call","call_id":"c1","name":"f","arguments":"{}"}),
        json!({"id":"ct_1","type":"custom_tool_call","call_id":"c2","name":"p","input":"x"}),
        json!({"id":"cm_1","type":"compaction","encrypted_content":"z"}),
    ]);
    let delta = select(vec![
        "response.output_text.delta",
        "response.refusal.delta",
        "response.reasoning_summary_text.delta",
        "response.reasoning_text.delta",
        "response.function_call_arguments.delta",
        "response.custom_tool_call_input.delta",
        "response.later_invention",
    ]);
    let usage = select(vec![
        Value::Null,
        json!({"input_tokens":9,"output_tokens":4,"total_tokens":13,"odd":[1],
            "input_tokens_details":{"cached_tokens":5},
            "output_tokens_details":{"reasoning_tokens":2}}),
        json!({"input_tokens":-9,"output_tokens":"x"}),
    ]);
    let number = proptest::option::of(0..20_u64);
    let index = 0..3_u32;
    let numbered = |mut value: Value, number: Option<u64>| {
        if let Some(number) = number {
            value["sequence_number"] = json!(number);
        }
        value
    };
    prop_oneof![
        1 => (select(vec!["response.created", "response.in_progress"]), number.clone())
            .prop_map(move |(kind, number)| numbered(json!({"type":kind,"response":{"id":"resp_1",
                "status":"in_progress","user":"hash","output":[]}}), number)),
        5 => (select(vec!["response.output_item.added", "response.output_item.done"]),
            item.clone(), index.clone(), number.clone())
            .prop_map(move |(kind, item, index, number)|
                numbered(json!({"type":kind,"output_index":index,"item":item}), number)),
        5 => (delta, index, number.clone()).prop_map(move |(kind, index, number)|
            numbered(json!({"type":kind,"output_index":index,"item_id":"i","delta":"d\n"}), number)),
        1 => (vec(item, 0..3), usage, number).prop_map(move |(output, usage, number)|
            numbered(json!({"type":"response.completed","response":{"id":"resp_1",
                "status":"completed","output":output,"usage":usage}}), number)),
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
        responses_relay_keeps_all(stream.as_bytes(), &cuts).unwrap();
        stream.push_str(&wire(&[json!({"type":"response.incomplete","response":{"output":[]}})]));
        responses_relay_keeps_all(stream.as_bytes(), &cuts).unwrap();
    }

    #[test]
    fn any_bytes_are_relayed_lawfully(
        bytes in vec(any::<u8>(), 0..200),
        cuts in vec(0..200_usize, 0..5),
    ) {
        responses_relay_keeps_all(&bytes, &cuts).unwrap();
        whole_responses_keep_all(&bytes).unwrap();
    }
}
