use super::*;
use std::time::Duration;

use serde_json::Value;

use crate::ask::Ask;
use crate::dialect::{Carrier, Dialect};

fn streamed(model: &str) -> Vec<Beat> {
    let behaviour = Behaviour::parse(model);
    let request = Ask { choices: 1, prompt_tokens: 10, ..Ask::default() };
    let dialect = Dialect::OpenaiChat;
    let answer = Answer::new(&behaviour, &request, dialect);
    let to = Recipient {
        dialect,
        carrier: Carrier::Own,
        id: "sim-1",
        model,
        wants_usage: true,
        array: false,
        signs: false,
    };
    Script::streamed(answer, behaviour, &to).collect()
}

fn text(beats: &[Beat]) -> String {
    let bytes: Vec<u8> = beats
        .iter()
        .filter_map(|beat| match beat {
            Beat::Send { bytes, .. } => Some(bytes.to_vec()),
            _ => None,
        })
        .flatten()
        .collect();
    String::from_utf8_lossy(&bytes).into_owned()
}

fn tokens(beats: &[Beat]) -> u64 {
    beats.iter().map(|b| if let Beat::Send { tokens, .. } = b { *tokens } else { 0 }).sum()
}

#[test]
fn a_plain_stream_has_role_tokens_finish_usage_and_done() {
    let beats = streamed("tokens-3");
    assert_eq!(beats.len(), 1 + 3 + 1 + 1 + 1);
    assert_eq!(tokens(&beats), 3);
    let text = text(&beats);
    assert!(text.ends_with("data: [DONE]\n\n"));
    for frame in text.trim_end().split("\n\n").filter(|f| !f.contains("[DONE]")) {
        let json: Value = serde_json::from_str(frame.strip_prefix("data: ").unwrap()).unwrap();
        assert_eq!(json["id"], "sim-1");
    }
}

#[test]
fn a_cut_and_a_hang_come_after_the_tokens_asked_for() {
    let cut = streamed("tokens-9+cut-after-3");
    assert_eq!((tokens(&cut), cut.last()), (3, Some(&Beat::Cut)));
    let hang = streamed("tokens-2+hang-after-7");
    assert_eq!((tokens(&hang), hang.last()), (2, Some(&Beat::Hang)), "at the end, if sooner");
}

#[test]
fn an_inband_error_at_zero_is_the_first_frame() {
    let beats = streamed("tokens-9+error-inband-0");
    assert!(text(&beats).starts_with("data: {\"error\":"));
    assert_eq!(beats.len(), 1);
    assert_eq!(tokens(&streamed("tokens-9+error-inband-4")), 4);
    assert!(text(&streamed("role-only-then-503")).contains("503"));
}

#[test]
fn gaps_stand_before_tokens() {
    let beats = streamed("tokens-2+slow-ms-20+first-ms-500");
    let waits: Vec<_> = beats.iter().filter(|b| matches!(b, Beat::Wait(_))).collect();
    let ms = |n| Beat::Wait(Duration::from_millis(n));
    assert_eq!(waits, [&ms(500), &ms(20), &ms(20)]);
}

#[test]
fn a_long_line_has_its_length_and_no_end_of_line() {
    let beats = streamed("line-2mb");
    let text = text(&beats);
    assert_eq!(text.matches('x').count(), (2 << 20) + text.matches("index").count());
    assert!(!text.contains('\n'));
}

#[test]
fn usage_can_be_absent_or_early() {
    assert!(!text(&streamed("no-usage")).contains("\"usage\""));
    assert_eq!(text(&streamed("usage-twice")).matches("\"usage\"").count(), 2);
    assert!(!text(&streamed("tokens-1+no-done")).contains("DONE"));
    assert!(text(&streamed("comments")).starts_with(": "));
    assert!(!text(&streamed("blank")).contains("\"stop\""));
}
