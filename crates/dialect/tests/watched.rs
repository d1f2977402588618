//! What a provider's row says of its answers is looked at, streamed or whole.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    missing_docs
)]

use bytes::Bytes;
use serde_json::Value;
use signalbox_core::Usage;
use signalbox_dialect::answer::{read_unary, read_watching, write_unary};
use signalbox_dialect::{AnswerStyle, Extras, RelayOptions, Skin, StreamFault, WireDialect, laws};

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

#[test]
fn sources_beside_the_choices_become_annotations() {
    let body = r#"{"pages":["https://a.test/x"],"found":[{"url":"https://a.test/x","title":"X"}],
        "service_tier":"flex","choices":[{"message":{"content":"Hi","mind":"m"},"finish_reason":"stop"}]}"#;
    let answer = read_watching(CHAT, Bytes::from_static(body.as_bytes()), laws::watch()).unwrap();
    assert!(format!("{:?}", answer.events()).contains("a.test"));
    let (options, extras) =
        (RelayOptions { exclude_reasoning: true, ..RelayOptions::default() }, Extras::default());
    let skin = Skin::new(AnswerStyle::Chat, options);
    let report = laws::report(Usage::default());
    let written = write_unary(&skin, &answer, &laws::identity(), &report, &extras);
    let value: Value = serde_json::from_slice(&written).unwrap();
    let message = &value["choices"][0]["message"];
    assert_eq!(message["annotations"][0]["url_citation"]["url"], "https://a.test/x");
    assert_eq!(message["content"], "Hi");
    assert!(message.get("reasoning").is_none() && value.get("pages").is_none(), "{value}");
}

#[test]
fn a_stream_tells_its_sources_once_before_its_end() {
    let chunk = |delta: &str, end: &str| {
        format!(
            "data: {{\"choices\":[{{\"index\":0,\"delta\":{delta},\"finish_reason\":{end}}}],\
             \"pages\":[\"https://a.test/x\"]}}\n\n"
        )
    };
    let stream =
        [chunk(r#"{"content":"Hi"}"#, "null"), chunk("{}", "\"stop\""), chunk("{}", "\"stop\"")]
            .concat();
    let outcome = laws::relay(AnswerStyle::Chat, RelayOptions::default(), &[stream.as_bytes()]);
    let text = String::from_utf8(outcome.out).unwrap();
    assert_eq!(text.matches("url_citation\":{").count(), 1, "{text}");
    assert!(text.find("annotations") < text.find("\"finish_reason\":\"stop\""), "{text}");
    laws::splits_do_not_matter(stream.as_bytes(), &[7, 90, 33]).unwrap();
    laws::events_survive_writing(stream.as_bytes()).unwrap();
}
