//! What a provider's row says of its answers is looked at, streamed or whole.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, missing_docs)]

use bytes::Bytes;
use signalbox_dialect::answer::{read_unary, read_watching};
use signalbox_dialect::{AnswerStyle, RelayOptions, StreamFault, WireDialect, laws};

const CHAT: WireDialect = WireDialect::OpenaiChat;

#[test]
fn an_error_beside_a_success_status_is_an_error() {
    let body = r#"{"id":"x","choices":null,"base":{"code":1004,"status_msg":"no such key"}}"#;
    let read = read_watching(CHAT, Bytes::from_static(body.as_bytes()), laws::watch());
    let Err(StreamFault::InBand(error)) = read else { panic!("{read:?}") };
    assert_eq!(error.message, "no such key");
    let line = format!("data: {body}\n\n");
    let outcome = laws::relay(AnswerStyle::Chat, RelayOptions::default(), &[line.as_bytes()]);
    assert!(matches!(outcome.result, Err(StreamFault::InBand(_))), "{:?}", outcome.result);
}

#[test]
fn a_code_of_zero_is_none_and_stays_here() {
    let body = r#"{"choices":[{"message":{"content":"Hi","mind":"hm"},"finish_reason":"stop"}],
        "base":{"code":0,"status_msg":"fine"},"x_own":{"usage":{"prompt_tokens":5,"completion_tokens":2}}}"#;
    let answer = read_watching(CHAT, Bytes::from_static(body.as_bytes()), laws::watch()).unwrap();
    assert_eq!(answer.facts.usage.unwrap().output, 2);
    let text = format!("{:?}", answer.events());
    assert!(text.contains("hm") && !text.contains("fine"), "{text}");
    let unwatched = read_unary(CHAT, Bytes::from_static(body.as_bytes())).unwrap();
    assert_eq!(unwatched.facts.usage, None);
}
