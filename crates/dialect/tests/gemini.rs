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
        service_tier: None,
        user: None,
        patches: &patches,
        reasoning: ReasoningStyle::None,
        forward_name: false,
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

/// A part of a model's turn as the provider wrote it.
fn model_part() -> impl Strategy<Value = Value> {
    let signature = select(vec![None, Some("AQ+/=="), Some("Zm9v"), Some("-_-")]);
    (0..3u8, "[a-zé\"\\\\\n]{1,6}", signature).prop_map(|(kind, text, signature)| {
        let mut part = match kind {
            0 => json!({"text": text}),
            1 => json!({"text": text, "thought": true}),
            _ => json!({"functionCall": {"name": "f", "args": {"x": text}}}),
        };
        if let Some(signature) = signature {
            part["thoughtSignature"] = json!(signature);
        }
        part
    })
}

/// Parts as they are after a stream: text goes on until something else comes or it is signed.
fn joined(parts: &[Value]) -> Vec<Value> {
    let mut list: Vec<Value> = Vec::new();
    for part in parts {
        if let (Some(last), Some(more)) = (list.last_mut(), part["text"].as_str())
            && let Some(text) = last["text"].as_str()
            && last["thought"] == part["thought"]
            && last["thoughtSignature"].is_null()
        {
            let whole = format!("{text}{more}");
            *last = part.clone();
            last["text"] = json!(whole);
        } else {
            list.push(part.clone());
        }
    }
    list
}

/// The turn that a client sends back, in the order of the events.
fn turn(events: &[Event]) -> Vec<Part> {
    let folded = Folded::of(events);
    let blocks = folded.choices[0].blocks.iter();
    let body = |block: &signalbox_dialect::event::FoldedBlock| match &block.block {
        Block::Text => PartBody::Text(block.text.clone()),
        Block::ToolCall { id, name } => {
            PartBody::ToolCall { id: id.clone(), name: name.clone(), arguments: block.text.clone() }
        }
        Block::Reasoning { form: ReasoningForm::Encrypted, id, format } => {
            PartBody::RedactedReasoning(RedactedReasoning {
                data: block.opaque.concat(),
                id: id.clone(),
                format: format.clone(),
                verbatim: None,
            })
        }
        Block::Reasoning { form, id, format } => PartBody::Reasoning(Reasoning {
            form: *form,
            text: block.text.clone(),
            signature: block.signature.clone(),
            id: id.clone(),
            format: format.clone(),
            verbatim: None,
        }),
        other => panic!("{other:?}"),
    };
    blocks.map(|block| Part::new(body(block))).collect()
}

fn replayed(parts: Vec<Part>) -> Vec<Value> {
    let conversation = Conversation {
        messages: vec![Message::new(Role::Assistant, parts)],
        ..Conversation::default()
    };
    let written = write(&conversation, TWO);
    assert_eq!(written.losses, []);
    contents(&written)[0]["parts"].as_array().unwrap().clone()
}

fn answer(parts: &[Value]) -> Value {
    json!({"candidates": [{"content": {"parts": parts, "role": "model"}, "finishReason": "STOP"}]})
}

/// Values that mean something somewhere, and some that mean trouble.
fn odd() -> impl Strategy<Value = Value> {
    select(vec![
        json!(null),
        json!(true),
        json!(-1),
        json!(3),
        json!(1e300),
        json!(""),
        json!("STOP"),
        json!("SAFETY"),
        json!([]),
        json!({}),
        json!([[]]),
        json!([{}]),
        json!({"name": 1, "args": []}),
        json!({"mimeType": "image/png", "data": "aGk="}),
        json!({"mimeType": "text/plain", "data": "aGk="}),
        json!({"blockReason": "OTHER"}),
        json!({"promptTokenCount": -1, "totalTokenCount": 5}),
        json!({"promptTokenCount": 5, "candidatesTokenCount": 5}),
        json!({"groundingChunks": [{"web": {"uri": "https://a.test"}}, 3]}),
        json!({"code": 500, "message": "m"}),
    ])
}

fn object(names: &'static [&'static str], inner: BoxedStrategy<Value>) -> BoxedStrategy<Value> {
    vec((select(names), prop_oneof![3 => inner, 1 => odd()]), 0..5)
        .prop_map(|members| {
            Value::Object(
                members.into_iter().map(|(name, value)| (name.to_owned(), value)).collect(),
            )
        })
        .boxed()
}

fn response() -> BoxedStrategy<Value> {
    let wild = object(
        &["text", "thought", "thoughtSignature", "functionCall", "inlineData", "odd"],
        odd().boxed(),
    );
    let parts = vec(prop_oneof![4 => model_part(), 1 => wild], 0..4).prop_map(Value::Array);
    let content = parts.prop_map(|parts| json!({"role": "model", "parts": parts})).boxed();
    let tidy = (content.clone(), 0..3u8, select(vec![json!(null), json!("STOP"), json!("MAX_TOKENS")]))
        .prop_map(|(content, index, end)| {
            json!({"content": content, "index": index, "finishReason": end})
        });
    let candidate = prop_oneof![
        4 => tidy,
        1 => object(&["content", "index", "finishReason", "groundingMetadata", "odd"], content),
    ];
    let candidates = vec(candidate, 0..3).prop_map(Value::Array).boxed();
    let tidy = candidates.clone().prop_map(|list| json!({"candidates": list, "responseId": "r/1"}));
    let names = &["candidates", "usageMetadata", "promptFeedback", "responseId", "error", "odd"];
    prop_oneof![5 => tidy, 1 => object(names, candidates)].boxed()
}

fn stream() -> impl Strategy<Value = Vec<u8>> {
    let line = prop_oneof![
        10 => response().prop_map(|json| format!("data: {json}\r\n\r\n")),
        1 => select(vec![
            ": c\n\n", "data: [DONE]\n\n", "data:\n\n", "data: {\n\n", "[{\n", "\"error\":{}}]\n",
            "{\"error\":{\"code\":429}}\n", "event: x\n", "data: [1]\n\n", "data: \"\n",
        ]).prop_map(str::to_owned),
    ];
    vec(line, 0..6).prop_map(|lines| lines.concat().into_bytes())
}

fn any_bytes() -> impl Strategy<Value = Vec<u8>> {
    let edit = (any::<prop::sample::Index>(), 0..12usize, vec(any::<u8>(), 0..4));
    let goldens: Vec<Vec<u8>> = cases(".sse").iter().map(|path| fs::read(path).unwrap()).collect();
    let mangled = (select(goldens), vec(edit, 0..4)).prop_map(|(mut bytes, edits)| {
        for (at, length, with) in edits {
            let at = at.index(bytes.len() + 1);
            bytes.splice(at..(at + length).min(bytes.len()), with);
        }
        bytes
    });
    prop_oneof![4 => stream(), 2 => mangled, 1 => vec(any::<u8>(), 0..200)]
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 512, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn any_split_gives_the_same_lawful_events(bytes in any_bytes(), cuts in vec(0..400usize, 0..6)) {
        let whole = read(&[&bytes]);
        laws::lawful(&whole.0).map_err(TestCaseError::fail)?;
        prop_assert_eq!(read(&laws::cut(&bytes, &cuts)), whole);
    }

    #[test]
    fn a_whole_answer_gives_the_events_of_a_stream_of_one(json in response()) {
        let text = json.to_string();
        let (events, result, _) = read(&[format!("data: {text}\n\n").as_bytes()]);
        match read_unary(text.as_bytes()) {
            Ok(answer) => prop_assert_eq!(answer.events, events),
            Err(fault) => prop_assert_eq!(Err(fault), result),
        }
    }

    #[test]
    fn signatures_return_to_their_parts(parts in vec(model_part(), 1..6)) {
        let read = read_unary(answer(&parts).to_string().as_bytes()).unwrap();
        prop_assert_eq!(replayed(turn(&read.events)), joined(&parts));
    }

    /// Chat clients send reasoning first, then the text, then the calls.
    #[test]
    fn calls_keep_their_signatures_in_any_order(parts in vec(model_part(), 1..6)) {
        let read = read_unary(answer(&parts).to_string().as_bytes()).unwrap();
        let mut turn = turn(&read.events);
        turn.sort_by_key(|part| match part.body {
            PartBody::Text(_) => 1,
            PartBody::ToolCall { .. } => 2,
            _ => 0,
        });
        let calls = |parts: &[Value]| -> Vec<Value> {
            parts
                .iter()
                .filter(|part| part["functionCall"].is_object() && part["thoughtSignature"].is_string())
                .cloned()
                .collect()
        };
        let replayed = calls(&replayed(turn));
        for call in calls(&parts) {
            prop_assert!(replayed.contains(&call), "{call} is not in {replayed:?}");
        }
    }

    #[test]
    fn turns_alternate_and_no_part_is_empty(
        turns in vec((any::<bool>(), vec(select(vec!["", "a", "b\n\""]), 0..3)), 0..6),
        system in vec(select(vec!["", "s"]), 0..3),
    ) {
        let message = |(model, texts): (bool, Vec<&str>)| {
            let role = if model { Role::Assistant } else { Role::User };
            Message::new(role, texts.into_iter().map(Part::text).collect())
        };
        let conversation = Conversation {
            system: system.into_iter().map(Part::text).collect(),
            messages: turns.into_iter().map(message).collect(),
            ..Conversation::default()
        };
        let contents = contents(&write(&conversation, THREE));
        for pair in contents.windows(2) {
            prop_assert_ne!(&pair[0]["role"], &pair[1]["role"]);
        }
        for content in &contents {
            let parts = content["parts"].as_array().unwrap();
            prop_assert!(!parts.is_empty());
            prop_assert!(parts.iter().all(|part| part["text"] != json!("")));
        }
    }
}
