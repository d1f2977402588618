//! Streams and bodies as providers send them, and what becomes of them.
//!
//! `<case>.sse` and `<case>.json` are the provider's; `<case>.client.sse` and `<case>.client.json`
//! are what a chat client gets and, for streams, what was seen; `<case>.messages.*` is what a Messages
//! client gets, to the end. Set `BLESS` to write the latter anew.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    missing_docs
)]

use std::fs;
use std::path::{Path, PathBuf};

use bytes::Bytes;
use signalbox_dialect::answer::{self, AnswerStream, AnswerStyle, Skin, write_unary};
use signalbox_dialect::openai_chat::write_stream::write_unary_events;
use signalbox_dialect::{Extras, RelayOptions, WholeAnswer, WireDialect, laws};

fn cases(ending: &str) -> Vec<(String, PathBuf)> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/golden/openai-chat");
    let mut cases: Vec<_> = fs::read_dir(folder)
        .unwrap()
        .filter_map(|entry| {
            let path = entry.unwrap().path();
            let name = path.file_name().unwrap().to_str().unwrap().to_owned();
            let case = name.strip_suffix(ending)?.to_owned();
            let ours = [".client", ".messages"].iter().any(|end| case.ends_with(end));
            (!ours).then_some((case, path))
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
    let expected = fs::read_to_string(path).unwrap();
    assert_eq!(text, expected, "{}", path.display());
}

fn read_unary(body: Bytes) -> WholeAnswer {
    answer::read_unary(WireDialect::OpenaiChat, body).unwrap()
}

#[test]
fn streams_reach_the_client_as_recorded() {
    for (_, path) in cases(".sse") {
        let bytes = fs::read(&path).unwrap();
        let outcome = laws::relay(AnswerStyle::Chat, RelayOptions::default(), &[&bytes]);
        let mut text = String::from_utf8(outcome.out).unwrap();
        text.push_str(&format!(": {:?}\n: {:?}\n", outcome.result, outcome.facts));
        compare(&path.with_extension("client.sse"), &text);
    }
}

#[test]
fn streams_reach_a_messages_client_as_recorded() {
    for (_, path) in cases(".sse") {
        let bytes = fs::read(&path).unwrap();
        let skin = Skin::new(AnswerStyle::Messages, RelayOptions::default());
        let (dialect, watch) = (WireDialect::OpenaiChat, laws::watch());
        let mut stream = AnswerStream::watching(skin, dialect, laws::identity(), watch);
        let mut out = Vec::new();
        let result = stream.push(&bytes, &mut out).and_then(|()| stream.end(&mut out));
        out.extend(match result {
            Ok(()) => {
                let report = laws::report(stream.facts().usage.unwrap_or_default());
                stream.usage_chunk(&report, &Extras::default())
            }
            Err(fault) => stream.error_chunk(&fault.as_error().for_client(false)),
        });
        let text = String::from_utf8(out).unwrap();
        compare(&path.with_extension("messages.sse"), &text);
    }
}

#[test]
fn bodies_reach_a_messages_client_as_recorded() {
    for (_, path) in cases(".json") {
        let answer = read_unary(fs::read(&path).unwrap().into());
        let report = laws::report(answer.facts.usage.unwrap());
        let (options, extras) = (RelayOptions::default(), Extras::default());
        let identity = laws::identity();
        let skin = Skin::new(AnswerStyle::Messages, options);
        let body = write_unary(&skin, &answer, &identity, &report, &extras);
        let text = String::from_utf8(body.to_vec()).unwrap();
        compare(&path.with_extension("messages.json"), &format!("{text}\n"));
    }
}

#[test]
fn bodies_reach_the_client_as_recorded() {
    for (_, path) in cases(".json") {
        let answer = read_unary(fs::read(&path).unwrap().into());
        let report = laws::report(answer.facts.usage.unwrap());
        let write = |style| {
            let skin = Skin::new(style, RelayOptions::default());
            let extras = Extras::default();
            let body = write_unary(&skin, &answer, &laws::identity(), &report, &extras);
            String::from_utf8(body.to_vec()).unwrap()
        };
        let text = format!("{}\n{}\n", write(AnswerStyle::Chat), write(AnswerStyle::Completions));
        compare(&path.with_extension("client.json"), &text);
    }
}

#[test]
fn a_stream_adds_up_to_its_whole_answer() {
    for (case, path) in cases(".json") {
        let answer = read_unary(fs::read(&path).unwrap().into());
        let mut whole = laws::answer_of(&answer.events());
        let (events, result) = laws::events_of(&fs::read(path.with_extension("sse")).unwrap());
        result.unwrap();
        // Asides such as empty annotations come with whole answers alone.
        for choice in &mut whole.choices {
            choice.blocks.retain(|block| block.opaque.is_empty() || block.is_reasoning());
        }
        assert_eq!(laws::answer_of(&events), whole, "{case}");
    }
}

#[test]
fn a_whole_answer_written_from_events_is_the_same_answer() {
    for (case, path) in cases(".json") {
        let answer = read_unary(fs::read(&path).unwrap().into());
        let events = answer.events();
        let report = laws::report(answer.facts.usage.unwrap());
        let (options, extras) = (RelayOptions::default(), Extras::default());
        let body = write_unary_events(&events, &laws::identity(), &report, options, &extras);
        let again = read_unary(body);
        let (first, second) = (laws::answer_of(&events), laws::answer_of(&again.events()));
        assert_eq!(first, second, "{case}");
    }
}

#[test]
fn goldens_obey_the_laws_at_every_split() {
    for (_, path) in cases(".sse") {
        let bytes = fs::read(&path).unwrap();
        for first in (0..bytes.len()).step_by(31) {
            laws::splits_do_not_matter(&bytes, &[first, 1, 2, 3]).unwrap();
        }
        laws::events_survive_writing(&bytes).unwrap();
        laws::messages_survive_writing(&bytes).unwrap();
        let messages = fs::read(path.with_extension("messages.sse")).unwrap();
        for first in (0..messages.len()).step_by(131) {
            laws::splits_do_not_matter(&messages, &[first, 1, 2, 3]).unwrap();
        }
    }
    for (_, path) in cases(".json") {
        laws::whole_answers_survive(&fs::read(&path).unwrap()).unwrap();
    }
}

#[test]
fn a_closing_chunk_has_usage_and_no_choices() {
    for style in [AnswerStyle::Chat, AnswerStyle::Completions] {
        let stream = AnswerStream::new(
            Skin::new(style, RelayOptions::default()),
            WireDialect::OpenaiChat,
            laws::identity(),
        );
        let extras = Extras {
            service_tier: Some("flex"),
            router_metadata: Some(r#"{"attempt":1}"#),
            completed_at: 0,
        };
        let chunk = stream.usage_chunk(&laws::report(Default::default()), &extras);
        let json = std::str::from_utf8(&chunk).unwrap().strip_prefix("data: ").unwrap();
        let value: serde_json::Value = serde_json::from_str(json).unwrap();
        assert_eq!(value["choices"], serde_json::json!([]));
        assert_eq!(value["usage"]["cost"], serde_json::json!(0.00001));
        assert_eq!(value["service_tier"], "flex");
        assert_eq!(value["openrouter_metadata"]["attempt"], 1);
    }
}
