//! The envelope of other dialects' events.

use signalbox_core::ErrorKind;
use signalbox_dialect::StreamFault;
use signalbox_dialect::laws::bedrock::{envelope_of, event, unwrap};
use signalbox_dialect::laws::hub::read_messages;

use super::*;

#[test]
fn a_wrapped_messages_stream_reads_as_the_bare_one() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/golden/anthropic-messages");
    for name in ["text.sse", "tools.sse", "thinking.sse"] {
        let bare = fs::read_to_string(folder.join(name)).unwrap();
        let lines: Vec<&str> =
            bare.lines().filter_map(|line| line.strip_prefix("data: ")).collect();
        let (out, result) = unwrap(&[&envelope_of(lines.join("\n").as_bytes())]);
        assert_eq!(result, Ok(()));
        assert_eq!(read_messages(&[&out]), read_messages(&[bare.as_bytes()]), "{name}");
    }
}

#[test]
fn a_chunk_becomes_one_event_of_one_line() {
    let wrapped = |json: &str| {
        let stream = envelope_of(json.replace('\n', "\r").as_bytes());
        let (out, result) = unwrap(&[&stream]);
        result.map(|()| String::from_utf8(out).unwrap())
    };
    assert_eq!(
        wrapped("{\"type\":\"ping\",\n\"x\":\"\\n\"}").unwrap(),
        "event: ping\ndata: {\"type\":\"ping\", \"x\":\"\\n\"}\n\n"
    );
    assert_eq!(wrapped("{\"a\":1}").unwrap(), "data: {\"a\":1}\n\n");
    assert_eq!(wrapped("{\"type\":\"a\\nb\"}").unwrap(), "data: {\"type\":\"a\\nb\"}\n\n");
    for broken in ["[1]", "{", "7"] {
        assert!(matches!(wrapped(broken), Err(StreamFault::Malformed(_))), "{broken}");
    }
}

#[test]
fn an_exception_ends_the_envelope_and_what_came_before_is_kept() {
    let text = b"{\"type\":\"ping\"}\nmodelTimeoutException {\"message\":\"too slow\"}\n{\"type\":\"ping\"}";
    let (out, result) = unwrap(&[&envelope_of(text)]);
    assert_eq!(out, b"event: ping\ndata: {\"type\":\"ping\"}\n\n");
    match result {
        Err(StreamFault::InBand(error)) => {
            assert_eq!((error.kind, error.message.as_str()), (ErrorKind::Timeout, "too slow"));
        }
        other => panic!("{other:?}"),
    }
}

#[test]
fn chunks_that_hold_nothing_are_at_fault_and_other_events_are_not() {
    for payload in ["", "{}", "[]", r#"{"bytes":"?"}"#, r#"{"bytes":7}"#, r#"{"bytes":"/w=="}"#] {
        let (_, result) = unwrap(&[&event("chunk", payload.as_bytes())]);
        assert!(matches!(result, Err(StreamFault::Malformed(_))), "{payload}");
    }
    let other = event("initial-response", b"{}");
    assert_eq!(unwrap(&[&other]), (Vec::new(), Ok(())));
    assert_eq!(unwrap(&[&other[..20]]).1, Err(StreamFault::Truncated));
}
