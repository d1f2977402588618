//! The laws of the hub, on made-up, mangled and arbitrary bytes.

use std::fs;

use proptest::collection::vec;
use proptest::prelude::*;
use proptest::sample::select;
use signalbox_dialect::laws::hub::{conversations_survive, messages_answers_are_lawful};

use super::answers::cases;

/// Events of a stream in any order, most of them sound.
fn line() -> impl Strategy<Value = String> {
    let block = select(vec![
        r#"{"type":"text","text":"a"}"#,
        r#"{"type":"thinking","thinking":"b","signature":"s"}"#,
        r#"{"type":"redacted_thinking","data":"d"}"#,
        r#"{"type":"tool_use","id":"i","name":"f","input":{"x":1}}"#,
        r#"{"type":"server_tool_use","id":"i","name":"web_search","input":{}}"#,
        "null",
    ]);
    let delta = select(vec![
        r#"{"type":"text_delta","text":"é\n"}"#,
        r#"{"type":"thinking_delta","thinking":"t"}"#,
        r#"{"type":"signature_delta","signature":"c"}"#,
        r#"{"type":"input_json_delta","partial_json":"{"}"#,
        r#"{"type":"citations_delta","citation":{}}"#,
        r#"{"type":"odd"}"#,
    ]);
    let rest = select(vec![
        r#"{"type":"ping"}"#,
        r#"{"type":"message_start","message":{"id":"m","usage":{"input_tokens":5}}}"#,
        r#"{"type":"message_delta","delta":{"stop_reason":"end_turn","stop_sequence":"x"},"usage":{"output_tokens":9}}"#,
        r#"{"type":"message_delta","delta":{"stop_reason":null},"usage":{"output_tokens":-9}}"#,
        r#"{"type":"message_stop"}"#,
        r#"{"type":"odd","index":1}"#,
        "[DONE]",
    ]);
    prop_oneof![
        4 => (0..3u8, block).prop_map(|(index, block)| format!(
            "data: {{\"type\":\"content_block_start\",\"index\":{index},\"content_block\":{block}}}\n\n"
        )),
        6 => (0..3u8, delta).prop_map(|(index, delta)| format!(
            "event: x\ndata: {{\"type\":\"content_block_delta\",\"index\":{index},\"delta\":{delta}}}\r\n\r\n"
        )),
        3 => (0..3u8).prop_map(|index| format!(
            "data: {{\"type\":\"content_block_stop\",\"index\":{index}}}\n\n"
        )),
        3 => rest.prop_map(|rest| format!("data: {rest}\n\n")),
    ]
}

fn content() -> impl Strategy<Value = String> {
    let part = select(vec![
        r#"{"type":"text","text":"a"}"#,
        r#"{"type":"text","text":" ","cache_control":{"type":"ephemeral"}}"#,
        r#"{"type":"odd","x":[1.0]}"#,
        r#"{"type":"text","text":"\ud800"}"#,
    ]);
    prop_oneof![
        select(vec![r#""""#, r#""a""#, r#""  ""#]).prop_map(str::to_owned),
        vec(part, 0..3).prop_map(|parts| format!("[{}]", parts.join(","))),
    ]
}

fn message() -> impl Strategy<Value = String> {
    let assistant = select(vec![
        r#""tool_calls":[{"id":"c:1","type":"function","function":{"name":"f","arguments":"{\"a\":1}"}}]"#,
        r#""tool_calls":[{"id":"","type":"function","function":{"name":"f","arguments":"x"}},{"id":"k","type":"custom","custom":{"name":"c","input":"raw"}}]"#,
        r#""reasoning":"r""#,
        r#""reasoning_content":"r","refusal":"no""#,
        r#""reasoning_details":[{"type":"reasoning.text","text":"t","signature":"s","format":"anthropic-claude-v1"}]"#,
        r#""reasoning_details":[{"type":"reasoning.encrypted","data":"d"},{"type":"reasoning.summary","summary":"s"},{"type":"odd"}]"#,
        r#""images":[{"type":"image_url","image_url":{"url":"data:image/png;base64,AA"}}],"audio":{"id":"a"}"#,
        r#""name":"n","model":"m""#,
    ]);
    prop_oneof![
        (content(), select(vec!["system", "developer"]))
            .prop_map(|(content, role)| format!("{{\"role\":\"{role}\",\"content\":{content}}}")),
        (content(), any::<bool>()).prop_map(|(content, named)| {
            let name = if named { r#","name":"bo""# } else { "" };
            format!("{{\"role\":\"user\",\"content\":{content}{name}}}")
        }),
        (content(), assistant).prop_map(|(content, rest)| format!(
            "{{\"role\":\"assistant\",\"content\":{content},{rest}}}"
        )),
        content().prop_map(|content| format!(
            "{{\"role\":\"tool\",\"tool_call_id\":\"c:1\",\"content\":{content}}}"
        )),
    ]
}

fn request() -> impl Strategy<Value = String> {
    let members = select(vec![
        r#""tools":[{"type":"function","function":{"name":"f"}},{"type":"custom","custom":{"name":"c"}}],"tool_choice":"required""#,
        r#""tools":[{"type":"function","function":{"name":"f","parameters":{"type":"object"}}}],"parallel_tool_calls":false"#,
        r#""reasoning":{"effort":"high"},"max_tokens":2000,"temperature":0.5"#,
        r#""reasoning":{"max_tokens":3000},"verbosity":"xhigh""#,
        r#""reasoning_effort":"none","stop":"x""#,
        r#""response_format":{"type":"json_schema","json_schema":{"name":"s","schema":{}}}"#,
        r#""stop":["a","\n"],"top_p":1,"top_k":0,"logit_bias":{"1":2},"odd":{"a":1e9}"#,
        r#""max_completion_tokens":1,"cache_control":{"type":"ephemeral"}"#,
    ]);
    (vec(message(), 1..6), members)
        .prop_map(|(list, rest)| format!("{{\"messages\":[{}],{rest}}}", list.join(",")))
}

fn mangled(mut bytes: Vec<u8>, at: usize, byte: u8) -> Vec<u8> {
    let at = at % bytes.len();
    bytes[at] = byte;
    bytes
}

proptest! {
    #[test]
    fn made_up_streams_keep_the_laws(lines in vec(line(), 0..12), cuts in vec(any::<usize>(), 0..6)) {
        messages_answers_are_lawful(lines.concat().as_bytes(), &cuts).map_err(TestCaseError::fail)?;
    }

    #[test]
    fn mangled_answers_keep_the_laws(
        which in any::<prop::sample::Index>(),
        at in any::<usize>(),
        byte in any::<u8>(),
        cuts in vec(any::<usize>(), 0..4),
    ) {
        let all: Vec<_> = cases(".sse").into_iter().chain(cases(".json")).collect();
        let bytes = fs::read(which.get(&all)).unwrap();
        messages_answers_are_lawful(&mangled(bytes, at, byte), &cuts).map_err(TestCaseError::fail)?;
    }

    #[test]
    fn any_bytes_keep_the_laws(bytes in vec(any::<u8>(), 0..200), cuts in vec(any::<usize>(), 0..4)) {
        messages_answers_are_lawful(&bytes, &cuts).map_err(TestCaseError::fail)?;
        conversations_survive(&bytes).map_err(TestCaseError::fail)?;
    }

    #[test]
    fn made_up_requests_survive_the_hub(body in request()) {
        conversations_survive(body.as_bytes()).map_err(TestCaseError::fail)?;
    }

    #[test]
    fn mangled_requests_survive_the_hub(body in request(), at in any::<usize>(), byte in 32..127u8) {
        conversations_survive(&mangled(body.into_bytes(), at, byte)).map_err(TestCaseError::fail)?;
    }
}
