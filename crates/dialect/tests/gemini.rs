//! The `gemini` dialect: recorded shapes, and what holds for any bytes and any conversation.
//!
//! `<case>.sse` and `<case>.json` are the provider's; `<case>.sse.txt` and `<case>.json.txt` are the
//! events and what was seen. `<case>.two.request.json` and `<case>.three.request.json` are a chat
//! client's; `<case>.body.txt` is the body for a model of that family, and what was lost. Set `BLESS`
//! to write the texts anew.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    missing_docs
)]

use std::fmt::Write as _;
use std::fs;
use std::path::{Path, PathBuf};

use bytes::Bytes;
use proptest::collection::vec;
use proptest::prelude::*;
use proptest::sample::select;
use serde_json::{Value, json};
use signalbox_core::ParameterSet;
use signalbox_dialect::conversation::{
    CacheMark, Conversation, FileSource, Message, Part, PartBody, Reasoning, RedactedReasoning,
    Role,
};
use signalbox_dialect::document::Document;
use signalbox_dialect::event::{Block, Event, Folded, ReasoningForm};
use signalbox_dialect::gemini::read_stream::GeminiReader;
use signalbox_dialect::gemini::unary::read_unary;
use signalbox_dialect::gemini::write_request::{
    ThinkingStyle, Traits, WrittenRequest, write_request,
};
use signalbox_dialect::loss::{Loss, Lost};
use signalbox_dialect::openai_chat::read_request::read_request;
use signalbox_dialect::openai_chat::survey::survey;
use signalbox_dialect::openai_chat::write_relay::{Outbound, ReasoningStyle};
use signalbox_dialect::patch::Patches;
use signalbox_dialect::{StreamFault, laws};

#[path = "gemini/laws.rs"]
mod laws_of_answers;

const TWO: Traits = Traits {
    thinking: ThinkingStyle::Budget { least: 128, most: 32768, can_disable: false },
    function_ids: false,
    media_in_results: false,
    json_with_functions: false,
};
const THREE: Traits = Traits {
    thinking: ThinkingStyle::Level,
    function_ids: true,
    media_in_results: true,
    json_with_functions: true,
};

fn cases(ending: &str) -> Vec<PathBuf> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/golden/gemini");
    let mut paths: Vec<_> = fs::read_dir(folder)
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .filter(|path| path.to_str().unwrap().ends_with(ending))
        .collect();
    paths.sort();
    assert!(!paths.is_empty());
    paths
}

fn compare(path: &Path, text: &str) {
    if std::env::var_os("BLESS").is_some() {
        fs::write(path, text).unwrap();
    }
    let expected = fs::read_to_string(path).unwrap();
    assert_eq!(text, expected, "{}", path.display());
}

fn beside(path: &Path, ending: &str) -> PathBuf {
    PathBuf::from(format!("{}{ending}", path.display()))
}

type Read = (Vec<Event>, Result<(), StreamFault>, String);

fn read(pieces: &[&[u8]]) -> Read {
    let (mut reader, mut events) = (GeminiReader::default(), Vec::new());
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
    (events, result, format!("{:?}\n{:?}", reader.facts(), reader.losses()))
}

fn shown(events: &[Event], rest: &str) -> String {
    let mut text = String::new();
    for event in events {
        writeln!(text, "{event:?}").unwrap();
    }
    text + rest + "\n"
}

fn write(conversation: &Conversation, traits: Traits) -> WrittenRequest {
    let patches = Patches::default();
    let outbound = Outbound {
        provider_model_id: "m-1",
        stream: true,
        unsupported: ParameterSet::EMPTY,
        max_output: None,
        endpoint_max_output: None,
        service_tier: None,
        user: None,
        patches: &patches,
        reasoning: ReasoningStyle::None,
        asking: Default::default(),
        caches_prompts: true,
        traits: Default::default(),
        template: Default::default(),
        betas: &[],
        forward_name: false,
        cache: Default::default(),
    };
    write_request(conversation, &outbound, traits).unwrap()
}

fn contents(written: &WrittenRequest) -> Vec<Value> {
    let body: Value = serde_json::from_slice(&written.body).unwrap();
    body["contents"].as_array().unwrap().clone()
}

#[test]
fn streams_are_read_as_recorded() {
    for path in cases(".sse") {
        let (events, result, seen) = read(&[&fs::read(&path).unwrap()]);
        laws::lawful(&events).unwrap();
        compare(&beside(&path, ".txt"), &shown(&events, &format!("{result:?}\n{seen}")));
    }
}

#[test]
fn bodies_are_read_as_recorded() {
    for path in cases(".json").iter().filter(|path| !path.to_str().unwrap().contains("request")) {
        let answer = read_unary(&fs::read(path).unwrap()).unwrap();
        laws::lawful(&answer.events).unwrap();
        let seen = format!("{:?}\n{:?}", answer.facts, answer.losses);
        compare(&beside(path, ".txt"), &shown(&answer.events, &seen));
    }
}

#[test]
fn a_stream_adds_up_to_its_whole_answer() {
    let path = &cases("text_signed_last.json")[0];
    let whole = read_unary(&fs::read(path).unwrap()).unwrap();
    let (events, _, _) = read(&[&fs::read(path.with_extension("sse")).unwrap()]);
    assert_eq!(Folded::of(&events), Folded::of(&whole.events));
}

#[test]
fn requests_are_written_as_recorded() {
    for path in cases(".request.json") {
        let document = Document::parse(Bytes::from(fs::read(&path).unwrap())).unwrap();
        let conversation = read_request(&document, &survey(&document).unwrap()).unwrap();
        let traits = if path.to_str().unwrap().contains(".two.") { TWO } else { THREE };
        let written = write(&conversation, traits);
        let mut text = String::from_utf8(written.body.to_vec()).unwrap();
        for loss in &written.losses {
            write!(text, "\n{:?}: {}", loss.what, loss.detail).unwrap();
        }
        writeln!(text, "\ncache until: {:?}", written.cache_until).unwrap();
        compare(&beside(&path, ".txt"), &text);
    }
}

fn thinking(traits: Traits, request: &str, limit: Option<u64>) -> (Value, usize) {
    let text = format!(
        r#"{{"model":"x","messages":[{{"role":"user","content":"u"}}],"reasoning":{request}}}"#
    );
    let document = Document::parse(Bytes::from(text)).unwrap();
    let mut conversation = read_request(&document, &survey(&document).unwrap()).unwrap();
    conversation.max_output = limit;
    let written = write(&conversation, traits);
    let body: Value = serde_json::from_slice(&written.body).unwrap();
    (body["generationConfig"]["thinkingConfig"].clone(), written.losses.len())
}

#[test]
fn thinking_is_asked_for_as_the_family_has_it() {
    let budget = |least, can_disable| Traits {
        thinking: ThinkingStyle::Budget { least, most: 24576, can_disable },
        ..TWO
    };
    let none = Traits { thinking: ThinkingStyle::None, ..TWO };
    for (traits, request, limit, config, losses) in [
        (TWO, "{}", None, json!({"includeThoughts": true}), 0),
        (
            TWO,
            r#"{"enabled":true}"#,
            Some(1000),
            json!({"thinkingBudget": 500, "includeThoughts": true}),
            0,
        ),
        (
            TWO,
            r#"{"effort":"low"}"#,
            None,
            json!({"thinkingBudget": -1, "includeThoughts": true}),
            0,
        ),
        (
            TWO,
            r#"{"effort":"minimal"}"#,
            Some(100),
            json!({"thinkingBudget": 128, "includeThoughts": true}),
            0,
        ),
        (TWO, r#"{"max_tokens":99999,"exclude":true}"#, None, json!({"thinkingBudget": 32768}), 0),
        (TWO, r#"{"effort":"none"}"#, None, json!({"thinkingBudget": 128}), 1),
        (budget(512, true), r#"{"enabled":false}"#, None, json!({"thinkingBudget": 0}), 0),
        (
            budget(0, true),
            r#"{"effort":"max"}"#,
            Some(u64::MAX),
            json!({"thinkingBudget": 24576, "includeThoughts": true}),
            0,
        ),
        (
            THREE,
            r#"{"effort":"minimal"}"#,
            None,
            json!({"thinkingLevel": "minimal", "includeThoughts": true}),
            0,
        ),
        (
            THREE,
            r#"{"effort":"max"}"#,
            None,
            json!({"thinkingLevel": "high", "includeThoughts": true}),
            0,
        ),
        (
            THREE,
            r#"{"enabled":true}"#,
            None,
            json!({"thinkingLevel": "medium", "includeThoughts": true}),
            0,
        ),
        (
            THREE,
            r#"{"max_tokens":2000}"#,
            None,
            json!({"thinkingBudget": 2000, "includeThoughts": true}),
            0,
        ),
        (THREE, r#"{"effort":"none"}"#, None, json!({"thinkingLevel": "minimal"}), 1),
        (THREE, r#"{"exclude":true}"#, None, Value::Null, 0),
        (none, r#"{"effort":"high"}"#, None, Value::Null, 0),
    ] {
        assert_eq!(thinking(traits, request, limit), (config, losses), "{request} {traits:?}");
    }
}

#[test]
fn a_cache_mark_covers_whole_turns_alone() {
    let marked = |text: &str| Part { cache_mark: Some(CacheMark::Default), ..Part::text(text) };
    let until = |parts: Vec<Vec<Part>>| {
        let messages = parts.into_iter().map(|parts| Message::new(Role::User, parts)).collect();
        let system = vec![marked("s")];
        write(&Conversation { system, messages, ..Conversation::default() }, TWO).cache_until
    };
    assert_eq!(until(vec![vec![Part::text("a")]]), Some(0));
    assert_eq!(until(vec![vec![Part::text("a"), marked("b")]]), Some(1));
    assert_eq!(until(vec![vec![marked("a")], vec![Part::text("merged")]]), Some(0));
}

#[test]
fn an_unknown_result_and_a_foreign_file_are_reported() {
    let result = |parts| PartBody::ToolResult { call_id: "c9".into(), parts, is_error: true };
    let file = PartBody::File { source: FileSource::Id("file-1".into()), filename: None };
    let parts =
        vec![Part::new(result(vec![Part::text("bad"), Part::text("luck")])), Part::new(file)];
    let messages = vec![Message::new(Role::User, parts)];
    let written = write(&Conversation { messages, ..Conversation::default() }, THREE);
    let response = &contents(&written)[0]["parts"][0]["functionResponse"];
    assert_eq!(*response, json!({"id": "c9", "name": "c9", "response": {"error": "bad\nluck"}}));
    assert_eq!(written.losses, [Loss::new(Lost::Content, "file")]);
}
