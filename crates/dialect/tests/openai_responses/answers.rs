//! Answers: recorded ones in `golden/openai-responses` (set `BLESS` to write them anew), and what
//! holds for any.

use std::fs;
use std::path::Path;
use std::sync::Arc;

use bytes::Bytes;
use proptest::collection::vec;
use proptest::prelude::*;
use serde_json::{Value, json};
use signalbox_core::{ApiError, ErrorKind, Usage};
use signalbox_dialect::document::Document;
use signalbox_dialect::event::{Block, Event, FinishReason, Piece, ReasoningForm};
use signalbox_dialect::openai_responses::response::Asked;
use signalbox_dialect::openai_responses::write_stream::ResponsesWriter;
use signalbox_dialect::openai_responses::write_unary::{write_failed_events, write_unary_events};
use signalbox_dialect::{Extras, RelayOptions, laws};

pub(crate) const REQUEST: &str = r#"{"model":"acme/m1","stream":true,"store":false,
    "include":["reasoning.encrypted_content"],"instructions":"Be brief.\nAlways.",
    "input":"hi","tools":[{"type":"function","name":"weather","parameters":{"type":"object"}},
    {"type":"custom","name":"patch"}]}"#;

fn asked(body: &str) -> Arc<Asked> {
    Arc::new(Asked::of(&Document::parse(Bytes::copy_from_slice(body.as_bytes())).unwrap()))
}

fn writer(body: &str) -> ResponsesWriter {
    ResponsesWriter::new(&laws::identity(), RelayOptions::default(), asked(body))
}

fn usage_of(events: &[Event]) -> Usage {
    let usage = |event: &Event| if let Event::Usage(usage) = event { Some(*usage) } else { None };
    events.iter().find_map(usage).unwrap_or_default()
}

pub(crate) fn stream(body: &str, events: &[Event]) -> String {
    let mut writer = writer(body);
    let mut out = Vec::new();
    for event in events {
        writer.write(event, &mut out);
    }
    let report = laws::report(usage_of(events));
    let extras = Extras { completed_at: 1_700_000_009, ..Extras::default() };
    out.extend(match events.last() {
        Some(Event::Error(error)) => {
            let error = error.clone().for_client(false);
            writer.failing(&error, Some(&report), &extras)
        }
        _ => writer.closing(&report, &extras),
    });
    String::from_utf8(out).unwrap()
}

fn parsed(text: &str) -> Vec<Value> {
    assert!(text.ends_with("\n\n"));
    let events = text.split_terminator("\n\n").map(|event| {
        let (name, data) = event.split_once('\n').unwrap();
        assert!(!data.contains(['\n', '\r']), "{data}");
        let value: Value = serde_json::from_str(data.strip_prefix("data: ").unwrap()).unwrap();
        assert_eq!(name.strip_prefix("event: "), value["type"].as_str());
        value
    });
    events.collect()
}

fn kinds(events: &[Value]) -> Vec<&str> {
    let kinds = events.iter().map(|event| event["type"].as_str().unwrap());
    kinds.map(|kind| kind.strip_prefix("response.").unwrap_or(kind)).collect()
}

/// What holds for every stream: numbers count up, items begin before anything happens to them and
/// end once, what is done is the sum of its deltas, and the response has the items that were done.
fn lawful(text: &str) {
    let events = parsed(text);
    for (number, event) in events.iter().enumerate() {
        assert_eq!(event["sequence_number"], number, "{event}");
    }
    let kinds = kinds(&events);
    assert_eq!(kinds[..2], ["created", "in_progress"]);
    let last = events.last().unwrap();
    assert!(["completed", "incomplete", "failed"].contains(kinds.last().unwrap()));
    assert_eq!(last["response"]["status"], **kinds.last().unwrap());
    let mut ids: Vec<Value> = Vec::new();
    let mut done: Vec<Option<Value>> = Vec::new();
    let mut sums = std::collections::BTreeMap::<String, String>::new();
    for (event, kind) in events.iter().zip(&kinds) {
        let Some(at) = event["output_index"].as_u64() else { continue };
        let at = usize::try_from(at).unwrap();
        let text = |key: &str| event[key].as_str().unwrap();
        let key = |stem: &str| {
            let part = [&event["content_index"], &event["summary_index"]];
            format!("{at} {stem} {} {}", part[0], part[1])
        };
        match *kind {
            "output_item.added" => {
                assert_eq!(at, ids.len());
                assert!(!ids.contains(&event["item"]["id"]), "{event}");
                ids.push(event["item"]["id"].clone());
                done.push(None);
                continue;
            }
            "output_item.done" => {
                assert_eq!(event["item"]["id"], ids[at]);
                assert_eq!(done[at].replace(event["item"].clone()), None);
                continue;
            }
            _ => {}
        }
        assert_eq!(event["item_id"], ids[at], "{event}");
        assert_eq!(done[at], None, "{event}");
        if let Some(stem) = kind.strip_suffix(".delta") {
            sums.entry(key(stem)).or_default().push_str(text("delta"));
        } else if let Some(stem) = kind.strip_suffix(".done")
            && !stem.ends_with("part")
        {
            let member = ["text", "arguments", "refusal", "input"]
                .into_iter()
                .find(|member| event[*member].is_string())
                .unwrap();
            assert_eq!(text(member), sums.remove(&key(stem)).unwrap_or_default());
        }
    }
    assert!(sums.is_empty(), "deltas without an end: {sums:?}");
    let done: Vec<Value> =
        done.into_iter().map(|item| item.expect("an item never ended")).collect();
    assert_eq!(last["response"]["output"], Value::Array(done));
}

#[test]
fn recorded_chat_streams_become_the_recorded_responses() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/golden");
    let mut names: Vec<String> = fs::read_dir(folder.join("openai-chat"))
        .unwrap()
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .filter(|name| name.ends_with(".sse") && name.matches('.').count() == 1)
        .collect();
    names.sort();
    for name in names {
        let (events, _) =
            laws::events_of(&fs::read(folder.join("openai-chat").join(&name)).unwrap());
        let text = stream(REQUEST, &events);
        lawful(&text);
        let path = folder.join("openai-responses").join(&name);
        if std::env::var_os("BLESS").is_some() {
            fs::write(&path, &text).unwrap();
        }
        assert_eq!(fs::read_to_string(&path).unwrap(), text, "{name}");
    }
}

fn block(index: u32, block: Block, pieces: Vec<Piece>) -> Vec<Event> {
    let mut events = vec![Event::Open { index, choice: 0, block }];
    events.extend(pieces.into_iter().map(|piece| Event::Delta { index, piece }));
    events.push(Event::Close { index });
    events
}

fn finish(mut events: Vec<Event>, reason: FinishReason) -> Vec<Event> {
    events.insert(0, Event::Begin { upstream_id: None });
    events.push(Event::ChoiceEnd { choice: 0, reason, native: None });
    events.push(Event::Finish { reason, native: None });
    events
}

fn hello(reason: FinishReason) -> Vec<Event> {
    let pieces = vec![Piece::Text("Hel".into()), Piece::Text("lo\n".into())];
    finish(block(0, Block::Text, pieces), reason)
}

pub(crate) fn unary(body: &str, events: &[Event]) -> Value {
    let options = RelayOptions::default();
    let extras = Extras { completed_at: 1_700_000_009, ..Extras::default() };
    let report = laws::report(usage_of(events));
    let (identity, asked) = (laws::identity(), asked(body));
    let body = write_unary_events(events, &identity, &report, options, &extras, &asked);
    serde_json::from_slice(&body).unwrap()
}

#[test]
fn a_text_comes_in_the_documented_order() {
    let text = stream(REQUEST, &hello(FinishReason::Stop));
    lawful(&text);
    let events = parsed(&text);
    assert_eq!(
        kinds(&events),
        [
            "created",
            "in_progress",
            "output_item.added",
            "content_part.added",
            "output_text.delta",
            "output_text.delta",
            "output_text.done",
            "content_part.done",
            "output_item.done",
            "completed"
        ]
    );
    let response = &events[9]["response"];
    assert_eq!(response["instructions"], "Be brief.\nAlways.");
    assert_eq!(response["id"], "gen-1700000000-abc");
    assert_eq!(response["completed_at"], 1_700_000_009);
    assert_eq!(
        response["output"],
        json!([{"id":"msg_1700000000-abc_0","type":"message","status":"completed",
            "role":"assistant","content":[{"type":"output_text","annotations":[],"logprobs":[],
            "text":"Hello\n"}]}])
    );
    assert_eq!(events[0]["response"]["status"], "in_progress");
    assert_eq!(events[0]["response"]["usage"], Value::Null);
}

#[test]
fn a_limit_makes_the_answer_and_its_last_item_incomplete() {
    for (reason, word) in [
        (FinishReason::Length, "max_output_tokens"),
        (FinishReason::ContentFilter, "content_filter"),
    ] {
        let response = unary(REQUEST, &hello(reason));
        assert_eq!(response["status"], "incomplete");
        assert_eq!(response["incomplete_details"], json!({"reason": word}));
        assert_eq!(response["output"][0]["status"], "incomplete");
        assert_eq!(response["completed_at"], Value::Null);
        assert_eq!(response["error"], Value::Null);
    }
}

#[test]
fn an_error_after_the_beginning_fails_the_response_with_what_there_was() {
    let mut writer = writer(REQUEST);
    let mut out = Vec::new();
    for event in hello(FinishReason::Stop).iter().take(3) {
        writer.write(event, &mut out);
    }
    let error = ApiError::new(ErrorKind::ProviderOverloaded, "busy");
    out.extend(writer.failing(&error, None, &Extras::default()));
    let text = String::from_utf8(out).unwrap();
    lawful(&text);
    let response = &parsed(&text).pop().unwrap()["response"];
    assert_eq!(response["error"], json!({"code":"server_error","message":"busy"}));
    assert_eq!(response["error_type"], "provider_overloaded");
    assert_eq!(response["output"][0]["content"][0]["text"], "Hel");
    assert_eq!(response["output"][0]["status"], "incomplete");
}

#[test]
fn an_error_about_a_length_is_no_failure() {
    let error = ApiError::new(ErrorKind::ContextLengthExceeded, "too long");
    let options = RelayOptions::default();
    let extras = Extras { completed_at: 1_700_000_009, ..Extras::default() };
    let events = &hello(FinishReason::Stop)[..3];
    let (identity, asked) = (laws::identity(), asked("{}"));
    let body = write_failed_events(events, &error, &identity, None, options, &extras, &asked);
    let response: Value = serde_json::from_slice(&body).unwrap();
    assert_eq!(response["status"], "incomplete");
    assert_eq!(response["incomplete_details"], json!({"reason":"max_output_tokens"}));
    assert_eq!(response["error"], Value::Null);
}

fn reasoning(form: ReasoningForm) -> Block {
    let format = Some("openai-responses-v1".to_owned());
    Block::Reasoning { form, id: Some("rs_1".to_owned()), format }
}

#[test]
fn reasoning_of_one_id_is_one_item_and_encrypted_only_for_those_who_ask() {
    let mut events =
        block(0, reasoning(ReasoningForm::Summary), vec![Piece::Reasoning("One.".into())]);
    events.extend(block(
        1,
        reasoning(ReasoningForm::Summary),
        vec![Piece::Reasoning("Two.".into())],
    ));
    events.extend(block(
        2,
        reasoning(ReasoningForm::Encrypted),
        vec![Piece::Opaque("gA==".into())],
    ));
    events.extend(block(3, Block::Text, vec![Piece::Text("Yes".into())]));
    let events = finish(events, FinishReason::Stop);
    lawful(&stream(REQUEST, &events));
    let mut item = json!({"id":"rs_1","type":"reasoning","summary":[
        {"type":"summary_text","text":"One."},{"type":"summary_text","text":"Two."}],
        "encrypted_content":"gA==","format":"openai-responses-v1"});
    let response = unary(REQUEST, &events);
    assert_eq!(response["output"][0], item);
    assert_eq!(response["output"].as_array().unwrap().len(), 2);
    item.as_object_mut().unwrap().remove("encrypted_content");
    assert_eq!(unary("{}", &events)["output"][0], item);
}

#[test]
fn a_stand_in_for_a_custom_tool_is_called_with_text() {
    let call = |name: &str| Block::ToolCall { id: "call_1".into(), name: name.into() };
    let pieces =
        || vec![Piece::Arguments("{\"input\":".into()), Piece::Arguments("\"*** a\\n\"}".into())];
    let events = finish(block(0, call("patch"), pieces()), FinishReason::ToolCalls);
    let text = stream(REQUEST, &events);
    lawful(&text);
    assert_eq!(
        unary(REQUEST, &events)["output"][0],
        json!({"id":"ctc_1700000000-abc_0","type":"custom_tool_call","status":"completed",
            "call_id":"call_1","name":"patch","input":"*** a\n"})
    );
    let events = finish(block(0, call("weather"), pieces()), FinishReason::ToolCalls);
    assert_eq!(
        unary(REQUEST, &events)["output"][0],
        json!({"id":"fc_1700000000-abc_0","type":"function_call","status":"completed",
            "call_id":"call_1","name":"weather","arguments":"{\"input\":\"*** a\\n\"}"})
    );
}

#[test]
fn citations_lose_their_nesting() {
    let cited = r#"[{"type":"url_citation","url_citation":{"url":"http://a","title":"A",
        "start_index":0,"end_index":2}},{"type":"file"}]"#;
    let aside = Block::Opaque { name: "annotations".into() };
    let mut events = hello(FinishReason::Stop);
    let aside = block(1, aside, vec![Piece::Opaque(cited.replace('\n', ""))]);
    events.splice(3..3, aside);
    lawful(&stream(REQUEST, &events));
    assert_eq!(
        unary(REQUEST, &events)["output"][0]["content"][0]["annotations"],
        json!([{"type":"url_citation","url":"http://a","title":"A","start_index":0,"end_index":2}])
    );
}

fn any_block() -> impl Strategy<Value = (Block, Vec<Piece>)> {
    let form = prop_oneof![
        Just(ReasoningForm::Text),
        Just(ReasoningForm::Summary),
        Just(ReasoningForm::Encrypted)
    ];
    let id = proptest::option::of("(rs_[12])?");
    let block = prop_oneof![
        3 => Just(Block::Text),
        1 => Just(Block::Refusal),
        1 => Just(Block::Image),
        1 => "annotations|logprobs".prop_map(|name| Block::Opaque { name }),
        4 => (form, id).prop_map(|(form, id)| Block::Reasoning { form, id, format: None }),
        3 => ("\\PC{0,3}", "patch|f").prop_map(|(id, name)| Block::ToolCall { id, name }),
    ];
    let text = || "\\PC{0,4}|[\\x00-\\x20]{0,3}|\"\\\\";
    let piece = prop_oneof![
        text().prop_map(Piece::Text),
        text().prop_map(Piece::Reasoning),
        text().prop_map(Piece::Signature),
        text().prop_map(Piece::Arguments),
        "\\{\"image_url\":\\{\"url\":\"[a-z:,]{0,9}\"\\}\\}|\\[\\]|\\{\\}".prop_map(Piece::Opaque),
    ];
    (block, vec(piece, 0..5))
}

/// Blocks side by side: each step goes on with one of them.
pub(crate) fn any_events() -> impl Strategy<Value = Vec<Event>> {
    let reason = prop_oneof![
        Just(FinishReason::Stop),
        Just(FinishReason::Length),
        Just(FinishReason::Error)
    ];
    (vec(any_block(), 0..7), vec(any::<proptest::sample::Index>(), 60), reason).prop_map(
        |(blocks, turns, reason)| {
            let mut rest: Vec<Vec<Event>> = Vec::new();
            let mut events = Vec::new();
            for (index, (kind, pieces)) in (0..).zip(blocks) {
                let mut one = block(index, kind, pieces);
                events.push(one.remove(0));
                rest.push(one);
                let turn = turns[usize::try_from(index).unwrap()].index(rest.len());
                if !rest[turn].is_empty() {
                    events.push(rest[turn].remove(0));
                }
            }
            for turn in turns {
                if !rest.is_empty() {
                    let turn = turn.index(rest.len());
                    if !rest[turn].is_empty() {
                        events.push(rest[turn].remove(0));
                    }
                }
            }
            events.extend(rest.into_iter().flatten());
            finish(events, reason)
        },
    )
}

proptest! {
    #[test]
    fn any_answer_is_a_lawful_stream_that_ends_with_its_whole(events in any_events()) {
        for body in [REQUEST, "{}"] {
            let text = stream(body, &events);
            lawful(&text);
            let last = parsed(&text).pop().unwrap();
            prop_assert_eq!(&last["response"], &unary(body, &events));
        }
    }
}
