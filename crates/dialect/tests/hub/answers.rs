//! Messages answers as they come from endpoints, and the events they are read as.
//!
//! `<case>.sse` and `<case>.json` are the provider's; `<case>.events` is what was read of the
//! stream. Set `BLESS` to write the latter anew.

use std::fs;
use std::path::{Path, PathBuf};

use signalbox_core::ErrorKind;
use signalbox_dialect::StreamFault;
use signalbox_dialect::anthropic_messages::read_stream::read_unary_events;
use signalbox_dialect::event::{Event, Folded};
use signalbox_dialect::laws::hub::{messages_answers_are_lawful, read_messages};

pub(super) fn cases(ending: &str) -> Vec<PathBuf> {
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

#[test]
fn streams_are_read_as_recorded() {
    for path in cases(".sse") {
        let (events, facts, result) = read_messages(&[&fs::read(&path).unwrap()]);
        let mut text: String = events.iter().map(|event| format!("{event:?}\n")).collect();
        text.push_str(&format!("{result:?}\n{facts:?}\n"));
        let expected = path.with_extension("events");
        if std::env::var_os("BLESS").is_some() {
            fs::write(&expected, &text).unwrap();
        }
        assert_eq!(text, fs::read_to_string(&expected).unwrap(), "{}", path.display());
    }
}

#[test]
fn a_stream_amounts_to_the_whole_answer() {
    for path in cases(".json") {
        let (whole, facts) = read_unary_events(&fs::read(&path).unwrap()).unwrap();
        let stream = fs::read(path.with_extension("sse")).unwrap();
        let (events, streamed, result) = read_messages(&[&stream]);
        assert_eq!(result, Ok(()));
        let folded = |events: &[Event]| {
            let mut folded = Folded::of(events);
            for block in folded.choices.iter_mut().flat_map(|choice| &mut choice.blocks) {
                // White space in arguments is the provider's affair.
                if matches!(block.block, signalbox_dialect::event::Block::ToolCall { .. }) {
                    block.text.retain(|letter| !letter.is_whitespace());
                }
            }
            folded
        };
        assert_eq!(folded(&events), folded(&whole), "{}", path.display());
        assert_eq!(
            (facts.usage, facts.finish, facts.native_finish, facts.service_tier, facts.tool_calls),
            (
                streamed.usage,
                streamed.finish,
                streamed.native_finish,
                streamed.service_tier,
                streamed.tool_calls
            )
        );
        assert!(facts.done && facts.content_seen && streamed.done && streamed.content_seen);
    }
}

#[test]
fn every_recorded_answer_keeps_the_laws_however_it_is_cut() {
    for path in cases(".sse").into_iter().chain(cases(".json")) {
        let bytes = fs::read(&path).unwrap();
        for size in [1, 2, 7, 100] {
            let cuts = vec![size; bytes.len() / size + 1];
            messages_answers_are_lawful(&bytes, &cuts).unwrap();
        }
    }
}

#[test]
fn errors_come_in_several_places() {
    let error = r#"{"type":"error","error":{"type":"overloaded_error","message":"Overloaded"}}"#;
    let named = format!("event: error\ndata: {error}\n\n");
    let bare = format!("{error}\n");
    let unnamed = format!("data: {error}\n\n");
    for stream in [&named, &bare, &unnamed] {
        let (events, facts, result) = read_messages(&[stream.as_bytes()]);
        let Err(StreamFault::InBand(error)) = result else { panic!("{stream}") };
        assert_eq!((error.kind, error.status), (ErrorKind::ProviderOverloaded, Some(529)));
        assert_eq!(events.len(), 2);
        assert!(!facts.content_seen);
    }
    assert!(matches!(read_unary_events(error.as_bytes()), Err(StreamFault::InBand(_))));
    for body in ["", "[]", "{}", "{\"content\":1}", "{\"content\":[{}]}", "\u{feff}{\"content\":"] {
        let result = read_unary_events(body.as_bytes());
        assert!(matches!(result, Err(StreamFault::Malformed(_))), "{body}");
    }
}

#[test]
fn what_cannot_be_is_malformed() {
    let start = r#"data: {"type":"content_block_start","index":0,"content_block":{"type":"text","text":"a"}}"#;
    for line in [
        r#"{"type":"content_block_delta","index":0,"delta":{"type":"thinking_delta","thinking":"a"}}"#,
        r#"{"type":"content_block_delta","index":0,"delta":{"type":"signature_delta","signature":"a"}}"#,
        r#"{"type":"content_block_delta","index":9,"delta":{"type":"input_json_delta","partial_json":"a"}}"#,
        r#"{"type":"content_block_start","index":-1,"content_block":{"type":"text"}}"#,
        r#"{"type":"content_block_start","index":1}"#,
        r#"{"type":"content_block_start","index":1,"content_block":{"text":""}}"#,
        r#"{"type":"#,
        "[]",
    ] {
        let stream = format!("{start}\n\ndata: {line}\n\n");
        let (events, _, result) = read_messages(&[stream.as_bytes()]);
        assert!(matches!(result, Err(StreamFault::Malformed(_))), "{line}");
        assert!(matches!(events.last(), Some(Event::Error(_))));
    }
}
