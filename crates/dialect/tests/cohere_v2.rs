//! The `cohere-v2` dialect: recorded shapes, and what holds for any bytes and any conversation.
//!
//! `<case>.sse` and `<case>.json` are the provider's; `<case>.sse.txt` and `<case>.json.txt` are the
//! events and what was seen. `<case>.request.json` is a chat client's; `<case>.request.json.txt` is
//! the body for the provider, and what was lost. Set `BLESS` to write the texts anew.
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
use serde_json::{Value, json};
use signalbox_core::ErrorKind;
use signalbox_dialect::cohere_v2::unary::read_unary;
use signalbox_dialect::cohere_v2::write_request::write_request;
use signalbox_dialect::conversation::Conversation;
use signalbox_dialect::document::Document;
use signalbox_dialect::event::{Event, Folded};
use signalbox_dialect::laws;
use signalbox_dialect::laws::providers::read_cohere;
use signalbox_dialect::openai_chat::read_request::read_request;
use signalbox_dialect::openai_chat::survey::survey;
use signalbox_dialect::outbound::{Outbound, ReasoningStyle, WrittenRequest};
use signalbox_dialect::patch::Patches;

#[path = "cohere_v2/laws.rs"]
mod laws_of_answers;

fn cases(ending: &str) -> Vec<PathBuf> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/golden/cohere-v2");
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
    let path = PathBuf::from(format!("{}.txt", path.display()));
    if std::env::var_os("BLESS").is_some() {
        fs::write(&path, text).unwrap();
    }
    let expected = fs::read_to_string(&path).unwrap();
    assert_eq!(text, expected, "{}", path.display());
}

fn shown(events: &[Event], rest: &str) -> String {
    let mut text = String::new();
    for event in events {
        writeln!(text, "{event:?}").unwrap();
    }
    text + rest + "\n"
}

fn write(conversation: &Conversation, reasoning: ReasoningStyle) -> WrittenRequest {
    let patches = Patches::default();
    let out = Outbound { max_output: None, reasoning, ..laws::outbound(&patches) };
    write_request(conversation, &out).unwrap()
}

fn conversation(json: &[u8]) -> Conversation {
    let document = Document::parse(Bytes::copy_from_slice(json)).unwrap();
    read_request(&document, &survey(&document).unwrap()).unwrap()
}

fn asked(json: &Value, reasoning: ReasoningStyle) -> (Value, Vec<String>) {
    let mut request = json!({"model": "x", "messages": [{"role": "user", "content": "u"}]});
    request.as_object_mut().unwrap().extend(json.as_object().unwrap().clone());
    let written = write(&conversation(request.to_string().as_bytes()), reasoning);
    let losses = written.losses.iter().map(|loss| loss.detail.clone()).collect();
    (serde_json::from_slice(&written.body).unwrap(), losses)
}

#[test]
fn streams_are_read_as_recorded() {
    for path in cases(".sse") {
        let (events, facts, result) = read_cohere(&[&fs::read(&path).unwrap()]);
        laws::lawful(&events).unwrap();
        compare(&path, &shown(&events, &format!("{result:?}\n{facts:?}")));
    }
}

#[test]
fn bodies_are_read_as_recorded_and_as_their_streams() {
    for path in cases(".json").iter().filter(|path| !path.to_str().unwrap().contains("request")) {
        let (events, facts) = read_unary(&fs::read(path).unwrap()).unwrap();
        laws::lawful(&events).unwrap();
        compare(path, &shown(&events, &format!("{facts:?}")));
        let (streamed, _, result) = read_cohere(&[&fs::read(path.with_extension("sse")).unwrap()]);
        result.unwrap();
        assert_eq!(Folded::of(&streamed), Folded::of(&events), "{}", path.display());
    }
}

#[test]
fn requests_are_written_as_recorded() {
    for path in cases(".request.json") {
        let written = write(&conversation(&fs::read(&path).unwrap()), ReasoningStyle::Budget);
        let mut text = String::from_utf8(written.body.to_vec()).unwrap();
        for loss in &written.losses {
            write!(text, "\n{:?}: {}", loss.what, loss.detail).unwrap();
        }
        compare(&path, &(text + "\n"));
    }
}

#[test]
fn thinking_is_a_budget_or_a_switch() {
    let thinking = |request: Value, style| {
        let (body, losses) = asked(&request, style);
        (body["thinking"].clone(), losses.len())
    };
    for (request, expected) in [
        (json!({}), Value::Null),
        (json!({"reasoning": {"exclude": true}}), Value::Null),
        (json!({"reasoning": {"enabled": true}}), json!({"type": "enabled"})),
        (
            json!({"reasoning": {"effort": "low"}, "max_tokens": 1000}),
            json!({"type": "enabled", "token_budget": 200}),
        ),
        (
            json!({"reasoning": {"max_tokens": 500}}),
            json!({"type": "enabled", "token_budget": 500}),
        ),
        (json!({"reasoning": {"effort": "none"}}), json!({"type": "disabled"})),
    ] {
        assert_eq!(thinking(request.clone(), ReasoningStyle::Budget), (expected, 0), "{request}");
    }
    let none = |request| thinking(request, ReasoningStyle::None);
    assert_eq!(none(json!({"reasoning": {"effort": "low"}})), (Value::Null, 1));
    assert_eq!(none(json!({"reasoning": {"effort": "none"}})), (Value::Null, 0));
}

#[test]
fn a_choice_of_tools_is_one_of_two_words() {
    let tool = |name: &str| json!({"type": "function", "function": {"name": name, "strict": true}});
    let tools = json!([tool("a"), tool("b")]);
    let named = |name: &str| json!({"type": "function", "function": {"name": name}});
    for (choice, word, count, losses) in [
        (json!("auto"), Value::Null, 2, 0),
        (json!("none"), json!("NONE"), 2, 0),
        (json!("required"), json!("REQUIRED"), 2, 0),
        (named("b"), json!("REQUIRED"), 1, 0),
        (named("c"), Value::Null, 2, 1),
    ] {
        let request = json!({"tools": tools, "tool_choice": choice});
        let (body, lost) = asked(&request, ReasoningStyle::None);
        assert_eq!(body["tool_choice"], word, "{choice}");
        assert_eq!(body["tools"].as_array().unwrap().len(), count, "{choice}");
        assert_eq!(body["strict_tools"], json!(true));
        assert_eq!(lost.len(), losses, "{choice} {lost:?}");
    }
}

#[test]
fn sampling_is_brought_between_the_bounds_and_never_made_up() {
    let (body, losses) = asked(&json!({"top_p": 0, "top_k": 900}), ReasoningStyle::None);
    assert_eq!((&body["p"], &body["k"]), (&json!(0.01), &json!(500)));
    assert_eq!(losses, ["top_k", "top_p"]);
    let zeros = json!({"frequency_penalty": 0, "presence_penalty": 0.0, "temperature": 1.0});
    let (body, losses) = asked(&zeros, ReasoningStyle::None);
    assert_eq!(losses, [""; 0]);
    let keys: Vec<&String> = body.as_object().unwrap().keys().collect();
    assert_eq!(keys, ["messages", "model", "stream", "temperature"]);
}

#[test]
fn an_error_in_a_body_is_an_error() {
    let body = br#"{"id":"e1","message":"too many tokens: size limit exceeded by 3 tokens."}"#;
    let fault = read_unary(body).unwrap_err();
    assert_eq!(fault.as_error().kind, ErrorKind::ContextLengthExceeded);
    let failed = br#"{"id":"a","message":{"role":"assistant"},"finish_reason":"TIMEOUT"}"#;
    assert_eq!(read_unary(failed).unwrap_err().as_error().kind, ErrorKind::Timeout);
}
