//! What holds for every answer, whatever its bytes.

use proptest::collection::vec;
use proptest::prelude::*;
use serde_json::{Value, json};
use signalbox_dialect::conversation::{Part, PartBody, Reasoning, RedactedReasoning};
use signalbox_dialect::event::{Block, FoldedBlock, ReasoningForm};
use signalbox_dialect::laws::bedrock::{
    converse_answers_are_lawful, envelopes_unwrap, messages_do_not_depend_on_splits,
};

use super::*;

/// The turn that a client sends back, in the order of the events.
pub(super) fn turn(events: &[Event]) -> Vec<Part> {
    let folded = Folded::of(events);
    let body = |block: &FoldedBlock| match &block.block {
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
    folded.choices[0].blocks.iter().map(|block| Part::new(body(block))).collect()
}

/// A block of an answer.
fn block() -> impl Strategy<Value = Value> {
    (0..5_u8, "[a-zé\"\\\\\n ]{0,6}", "[a-z]{1,4}").prop_map(|(kind, text, word)| match kind {
        0 => json!({"text": text}),
        1 => json!({"toolUse": {"toolUseId": word, "name": "f", "input": {"x": text}}}),
        2 => json!({"toolUse": {"toolUseId": word, "name": "g", "input": {}}}),
        3 => json!({"reasoningContent": {"reasoningText": {"text": text, "signature": word}}}),
        _ => json!({"reasoningContent": {"redactedContent": "aGVsbG8gYWdhaW4="}}),
    })
}

/// A text in pieces of one letter to three.
fn pieces(text: &str, size: usize) -> Vec<String> {
    let letters: Vec<char> = text.chars().collect();
    letters.chunks(size).map(|piece| piece.iter().collect()).collect()
}

/// The messages of a stream of these blocks.
fn streamed(blocks: &[Value], size: usize) -> Vec<u8> {
    let mut stream = event("messageStart", br#"{"role":"assistant"}"#);
    for (number, block) in blocks.iter().enumerate() {
        let mut send = |kind: &str, mut value: Value| {
            value["contentBlockIndex"] = json!(number);
            stream.extend(event(kind, value.to_string().as_bytes()));
        };
        let mut deltas = Vec::new();
        if let Some(text) = block["text"].as_str() {
            deltas.extend(pieces(text, size).into_iter().map(|text| json!({"text": text})));
        } else if let Some(call) = block["toolUse"].as_object() {
            let start = json!({"toolUseId": call["toolUseId"], "name": call["name"]});
            send("contentBlockStart", json!({"start": {"toolUse": start}}));
            let input = call["input"].to_string();
            deltas.extend(
                pieces(&input, size).into_iter().map(|input| json!({"toolUse": {"input": input}})),
            );
        } else {
            let reasoning = &block["reasoningContent"];
            if let Some(text) = reasoning["reasoningText"]["text"].as_str() {
                for text in pieces(text, size) {
                    deltas.push(json!({"reasoningContent": {"text": text}}));
                }
                let signature = &reasoning["reasoningText"]["signature"];
                deltas.push(json!({"reasoningContent": {"signature": signature}}));
            } else {
                // Groups of four letters decode alone.
                for data in pieces(reasoning["redactedContent"].as_str().unwrap(), 4 * size) {
                    deltas.push(json!({"reasoningContent": {"redactedContent": data}}));
                }
            }
        }
        for delta in deltas {
            send("contentBlockDelta", json!({"delta": delta}));
        }
        send("contentBlockStop", json!({}));
    }
    stream.extend(event("messageStop", br#"{"stopReason":"end_turn"}"#));
    stream.extend(event(
        "metadata",
        br#"{"usage":{"inputTokens":3,"outputTokens":4,"totalTokens":7}}"#,
    ));
    stream
}

proptest! {
    #[test]
    fn a_stream_adds_up_to_its_whole_answer(blocks in vec(block(), 0..6), size in 1..4_usize) {
        let (events, _, result) = read_converse(&[&streamed(&blocks, size)]);
        prop_assert_eq!(result, Ok(()));
        let whole = json!({
            "output": {"message": {"role": "assistant", "content": blocks}},
            "stopReason": "end_turn",
            "usage": {"inputTokens": 3, "outputTokens": 4, "totalTokens": 7},
        });
        let (whole, _) = read_unary(whole.to_string().as_bytes()).unwrap();
        prop_assert_eq!(Folded::of(&events), Folded::of(&whole));
    }

    #[test]
    fn any_bytes_are_read_alike_in_any_pieces(
        bytes in vec(any::<u8>(), 0..300),
        cuts in vec(0..400_usize, 0..5),
    ) {
        messages_do_not_depend_on_splits(&bytes, &cuts).unwrap();
        converse_answers_are_lawful(&bytes, &cuts).unwrap();
        envelopes_unwrap(&bytes, &cuts).unwrap();
    }

    #[test]
    fn recorded_streams_are_read_alike_in_any_pieces(
        case in 0..7_usize,
        cuts in vec(0..4000_usize, 0..6),
    ) {
        let paths = cases(".stream");
        let text = fs::read(&paths[case % paths.len()]).unwrap();
        converse_answers_are_lawful(&text, &cuts).unwrap();
        envelopes_unwrap(&text, &cuts).unwrap();
    }
}
