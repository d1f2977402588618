//! Sealed reasoning of other formats in Messages answers: an answer does not end in it.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    missing_docs
)]

use serde_json::Value;
use signalbox_core::Usage;
use signalbox_dialect::anthropic_messages::write_stream::MessagesWriter;
use signalbox_dialect::anthropic_messages::write_unary::write_unary_events;
use signalbox_dialect::event::{Block, Event, Piece, ReasoningForm};
use signalbox_dialect::{Extras, RelayOptions, laws};

fn kinds(blocks: Vec<(Block, Piece)>) -> Vec<String> {
    let mut events = Vec::new();
    for (index, (block, piece)) in (0..).zip(blocks) {
        events.push(Event::Open { index, choice: 0, block });
        events.push(Event::Delta { index, piece });
        events.push(Event::Close { index });
    }
    let (identity, options) = (laws::identity(), RelayOptions::default());
    let report = laws::report(Usage::default());
    let mut writer = MessagesWriter::new(&identity, options);
    let mut text = Vec::new();
    events.iter().for_each(|event| writer.write(event, &mut text));
    laws::messages_ready(&text, false).unwrap();
    text.extend(writer.closing(&report, &Extras::default()));
    let text = String::from_utf8(text).unwrap();
    let data = text.lines().filter_map(|line| line.strip_prefix("data: "));
    let streamed: Vec<String> = data
        .map(|line| serde_json::from_str::<Value>(line).unwrap())
        .filter_map(|event| Some(event["content_block"]["type"].as_str()?.to_owned()))
        .collect();
    let whole = write_unary_events(&events, &identity, &report, options, &Extras::default());
    let whole: Value = serde_json::from_slice(&whole).unwrap();
    let content = whole["content"].as_array().unwrap().iter();
    let at_once: Vec<String> =
        content.map(|block| block["type"].as_str().unwrap().to_owned()).collect();
    assert_eq!(streamed, at_once);
    streamed
}

fn sealed(format: &str) -> (Block, Piece) {
    let format = Some(format.to_owned());
    let block = Block::Reasoning { form: ReasoningForm::Encrypted, id: None, format };
    (block, Piece::Opaque("c2Vh".to_owned()))
}

#[test]
fn what_comes_last_is_left_out_and_what_is_followed_stays() {
    let text = || (Block::Text, Piece::Text("Yes".to_owned()));
    let call = || {
        let block = Block::ToolCall { id: "c".to_owned(), name: "f".to_owned() };
        (block, Piece::Arguments("{}".to_owned()))
    };
    let (gemini, claude) = ("google-gemini-v1", "anthropic-claude-v1");
    let redacted = "redacted_thinking";
    assert_eq!(kinds(vec![text(), sealed(gemini)]), ["text"]);
    assert_eq!(kinds(vec![text(), sealed(gemini), sealed(gemini)]), ["text"]);
    assert_eq!(kinds(vec![sealed(gemini), text()]), [redacted, "text"]);
    let followed = kinds(vec![text(), sealed(gemini), call()]);
    assert_eq!(followed, ["text", redacted, "tool_use"]);
    assert_eq!(kinds(vec![call(), sealed(gemini)]), ["tool_use", redacted]);
    assert_eq!(kinds(vec![text(), sealed(claude)]), ["text", redacted], "its own is not touched");
}
