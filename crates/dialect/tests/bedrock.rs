//! The `bedrock-converse` dialect, its binary stream and the envelope of other dialects.
//!
//! `<case>.stream` has one message of the stream on each line, its type first; `<case>.json` is a whole
//! answer; beside each `.txt` has the events and what was seen. `<case>.<style>.request.json` is a chat
//! client's request, its `.txt` the body for an endpoint of that style of reasoning, and what was lost.
//! Set `BLESS` to write the texts anew.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    missing_docs
)]

#[path = "bedrock/invoke.rs"]
mod invoke;
#[path = "bedrock/laws.rs"]
mod laws_of_answers;
#[path = "bedrock/requests.rs"]
mod requests;

use std::fmt::Write as _;
use std::fs;
use std::path::{Path, PathBuf};

use signalbox_core::ErrorKind;
use signalbox_dialect::StreamFault;
use signalbox_dialect::bedrock_converse::unary::read_unary;
use signalbox_dialect::event::{Event, Folded};
use signalbox_dialect::laws;
use signalbox_dialect::laws::bedrock::{event, read_converse, stream_of};

fn cases(ending: &str) -> Vec<PathBuf> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/golden/bedrock-converse");
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
    // Counts of zero say nothing, and there will be more of them.
    let whole = text + rest + "\n";
    let told = |line: &str| {
        line.split(", ")
            .filter(|field| field.contains('{') || !field.ends_with(": 0"))
            .collect::<Vec<_>>()
            .join(", ")
    };
    whole.lines().fold(String::new(), |text, line| text + &told(line) + "\n")
}

#[test]
fn streams_are_read_as_recorded() {
    for path in cases(".stream") {
        let (events, facts, result) = read_converse(&[&stream_of(&fs::read(&path).unwrap())]);
        laws::lawful(&events).unwrap();
        compare(&path, &shown(&events, &format!("{result:?}\n{facts:?}")));
    }
}

#[test]
fn whole_answers_are_what_their_streams_add_up_to() {
    let bodies = cases(".json");
    let bodies = bodies.iter().filter(|path| !path.to_str().unwrap().contains(".request."));
    for path in bodies {
        let (whole, whole_facts) = read_unary(&fs::read(path).unwrap()).unwrap();
        laws::lawful(&whole).unwrap();
        let stream = fs::read(path.with_extension("stream")).unwrap();
        let (events, facts, result) = read_converse(&[&stream_of(&stream)]);
        assert_eq!(result, Ok(()));
        assert_eq!(Folded::of(&events), Folded::of(&whole), "{}", path.display());
        let chunks = facts.chunks;
        assert_eq!(facts, signalbox_dialect::Facts { chunks, ..whole_facts });
    }
}

#[test]
fn errors_with_status_200_are_errors() {
    let read = |body: &str| read_unary(body.as_bytes());
    match read(r#"{"message":"slow down","__type":"ThrottlingException"}"#) {
        Err(StreamFault::InBand(error)) => assert_eq!(error.kind, ErrorKind::RateLimitExceeded),
        other => panic!("{other:?}"),
    }
    for body in ["", "[]", "{", "{}", r#"{"output":{"message":{"content":"x"}}}"#] {
        assert!(matches!(read(body), Err(StreamFault::Malformed(_))), "{body}");
    }
    let unended = r#"{"output":{"message":{"content":[{"text":"x"}]}}}"#;
    assert_eq!(read(unended), Err(StreamFault::Truncated));
}

#[test]
fn a_provider_that_breaks_its_grammar_is_at_fault() {
    for line in [
        "contentBlockDelta {\"contentBlockIndex\":0,\"delta\":{\"toolUse\":{\"input\":\"{}\"}}}",
        "contentBlockDelta {\"contentBlockIndex\":-1,\"delta\":{\"text\":\"x\"}}",
        "contentBlockDelta {\"contentBlockIndex\":0}",
        "contentBlockStart {\"contentBlockIndex\":0}",
        "messageStart nothing",
        "messageStart []",
        "messageStop {\"stopReason\":\"end_turn\"}\ncontentBlockDelta {\"delta\":{\"text\":\"x\"}}",
        "contentBlockStart {\"start\":{\"toolUse\":{}}}\ncontentBlockDelta {\"delta\":{\"text\":\"x\"}}",
    ] {
        let (events, _, result) = read_converse(&[&stream_of(line.as_bytes())]);
        assert!(matches!(result, Err(StreamFault::Malformed(_))), "{line}: {result:?}");
        laws::lawful(&events).unwrap();
    }
    let (events, _, result) = read_converse(&[b"{\"message\":\"no stream at all\"}"]);
    assert!(matches!(result, Err(StreamFault::Malformed(_))), "{result:?}");
    assert_eq!(events.len(), 2);
}

#[test]
fn more_open_blocks_than_any_answer_has_are_refused() {
    let mut stream = Vec::new();
    for number in 0..300 {
        let json = format!(r#"{{"contentBlockIndex":{number},"delta":{{"text":"x"}}}}"#);
        stream.extend(event("contentBlockDelta", json.as_bytes()));
    }
    let (events, _, result) = read_converse(&[&stream]);
    assert!(matches!(result, Err(StreamFault::Malformed(_))), "{result:?}");
    laws::lawful(&events).unwrap();
}

#[test]
fn what_follows_the_counts_does_not_matter() {
    let text = fs::read(&cases("text.stream")[0]).unwrap();
    let mut stream = stream_of(&text);
    stream.extend_from_slice(&stream_of(&text)[..40]);
    assert_eq!(read_converse(&[&stream]).2, Ok(()));
    let mut without_counts =
        text.split(|byte| *byte == b'\n').take(5).collect::<Vec<_>>().join(&b'\n');
    without_counts.push(b'\n');
    let (_, facts, result) = read_converse(&[&stream_of(&without_counts)]);
    assert_eq!((result, facts.usage, facts.done), (Ok(()), None, true));
}
