//! What holds for every answer, whatever its bytes.

use proptest::collection::vec;
use proptest::prelude::*;
use proptest::sample::select;
use signalbox_dialect::laws::providers;

use super::*;

/// One block of an answer: a plan, thinking, text or a call.
type Block = (u8, String);

/// The messages of a stream, and the body, of the same answer.
fn answer(plan: &str, content: &[Block], calls: &[String]) -> (Vec<Value>, Value) {
    let mut stream = vec![json!({"type": "message-start", "id": "a"})];
    for letter in plan.chars() {
        let message = json!({"tool_plan": letter.to_string()});
        stream.push(json!({"type": "tool-plan-delta", "delta": {"message": message}}));
    }
    let mut blocks = Vec::new();
    for (index, (kind, text)) in content.iter().enumerate() {
        let kind = if *kind == 0 { "text" } else { "thinking" };
        let one = |text: &str| json!({"message": {"content": {kind: text}}});
        let mut start = one("");
        start["message"]["content"]["type"] = json!(kind);
        stream.push(json!({"type": "content-start", "index": index, "delta": start}));
        for letter in text.chars() {
            let delta = one(&letter.to_string());
            stream.push(json!({"type": "content-delta", "index": index, "delta": delta}));
        }
        stream.push(json!({"type": "content-end", "index": index}));
        blocks.push(json!({"type": kind, kind: text}));
    }
    let mut list = Vec::new();
    for (index, arguments) in calls.iter().enumerate() {
        let call = |arguments: &str| {
            json!({"id": format!("c{index}"), "type": "function",
                "function": {"name": "f", "arguments": arguments}})
        };
        let event = |kind: &str, call: Value| json!({"type": kind, "index": index, "delta": {"message": {"tool_calls": call}}});
        stream.push(event("tool-call-start", call("")));
        stream.push(event("tool-call-delta", call(arguments)));
        stream.push(json!({"type": "tool-call-end", "index": index}));
        list.push(call(arguments));
    }
    let usage = json!({"billed_units": {"input_tokens": 3, "output_tokens": 4}});
    let end = json!({"finish_reason": "COMPLETE", "usage": usage});
    stream.push(json!({"type": "message-end", "delta": end}));
    let message = json!({"tool_plan": plan, "content": blocks, "tool_calls": list});
    let body = json!({"id": "a", "message": message, "finish_reason": "COMPLETE", "usage": usage});
    (stream, body)
}

/// Values that mean something somewhere, and some that mean trouble.
fn odd() -> impl Strategy<Value = Value> {
    select(vec![
        json!(null),
        json!(-1),
        json!(1e300),
        json!(""),
        json!("x"),
        json!([]),
        json!({}),
        json!([[]]),
        json!([{}]),
        json!("COMPLETE"),
        json!("ERROR"),
        json!({"message": {"content": {"text": "t", "thinking": "u"}}}),
        json!({"message": {"tool_calls": [{"function": {"arguments": "{"}}]}}),
        json!({"message": {"citations": {"sources": [{"document": {"url": "https://a.test"}}]}}}),
        json!({"finish_reason": "TOOL_CALL", "usage": {"tokens": {"input_tokens": -1}}}),
        json!({"text": "t", "logprobs": [-1, 2]}),
    ])
}

fn wild() -> impl Strategy<Value = Value> {
    let kind = select(vec![
        "message-start",
        "content-start",
        "content-delta",
        "content-end",
        "tool-plan-delta",
        "tool-call-start",
        "tool-call-delta",
        "tool-call-end",
        "citation-start",
        "message-end",
        "debug",
        "odd",
    ]);
    let names = select(vec!["delta", "index", "id", "logprobs", "message", "error", "type"]);
    (kind, vec((names, odd()), 0..4)).prop_map(|(kind, members)| {
        let mut message = json!({"type": kind});
        for (name, value) in members {
            message[name] = value;
        }
        message
    })
}

fn any_bytes() -> impl Strategy<Value = Vec<u8>> {
    let line = prop_oneof![
        8 => wild().prop_map(|json| format!("data: {json}\n\n")),
        1 => select(vec![
            ": c\r\n\r\n", "data: [DONE]\n\n", "data:\n\n", "data: {\n\n", "event: message-end\n",
            "{\"message\":\"x\"}\n", "data: [1]\n\n", "data: \"\n",
        ]).prop_map(str::to_owned),
    ];
    let stream = vec(line, 0..8).prop_map(|lines| lines.concat().into_bytes());
    prop_oneof![6 => stream, 1 => vec(any::<u8>(), 0..200)]
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 512, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn any_bytes_are_read_the_same_however_they_are_split(
        bytes in any_bytes(),
        cuts in vec(0..400usize, 0..6),
    ) {
        providers::cohere_answers_are_lawful(&bytes, &cuts).map_err(TestCaseError::fail)?;
    }

    #[test]
    fn a_stream_adds_up_to_its_whole_answer(
        plan in "[a-zé]{0,4}",
        content in vec((0..2u8, "[a-zé\"\\\\\n]{0,5}"), 0..4),
        calls in vec("[a-z{}]{0,4}", 0..3),
    ) {
        let (stream, body) = answer(&plan, &content, &calls);
        let lines: String = stream.iter().map(|json| format!("data: {json}\n\n")).collect();
        let (streamed, facts, result) = read_cohere(&[lines.as_bytes()]);
        result.unwrap();
        let (whole, seen) = read_unary(body.to_string().as_bytes()).unwrap();
        prop_assert_eq!(Folded::of(&streamed), Folded::of(&whole));
        let seen = signalbox_dialect::Facts { chunks: facts.chunks, ..seen };
        prop_assert_eq!(facts, seen);
    }
}
