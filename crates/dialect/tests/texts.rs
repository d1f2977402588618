//! The texts of requests as filters of content read them (platform spec 7.5), and replacing spans.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    missing_docs
)]

use bytes::Bytes;
use proptest::prelude::*;
use proptest::sample::select;
use serde_json::{Value, json};
use signalbox_dialect::document::Document;
use signalbox_dialect::laws;
use signalbox_dialect::texts::{Body, Change, Voice, changed, texts};

fn parse(body: &str) -> Document {
    Document::parse(Bytes::copy_from_slice(body.as_bytes())).unwrap()
}

fn read(body: Body, request: &Value) -> Vec<(Voice, String)> {
    let document = parse(&request.to_string());
    texts(&document, body).iter().map(|one| (one.voice(), one.text().to_owned())).collect()
}

fn said(list: &[(Voice, &str)]) -> Vec<(Voice, String)> {
    list.iter().map(|(voice, text)| (*voice, (*text).to_owned())).collect()
}

/// The body with every `what` in its texts replaced.
fn replaced(body: Body, request: &str, what: &str, with: &str) -> String {
    let document = parse(request);
    let texts = texts(&document, body);
    let mut changes = Vec::new();
    for (text, one) in texts.iter().enumerate() {
        for (at, _) in one.text().match_indices(what) {
            changes.push(Change { text, span: at..at + what.len(), with: with.to_owned() });
        }
    }
    changed(&document, &texts, &changes).text().to_owned()
}

#[test]
fn members_are_found_again_after_a_change() {
    let document = parse(r#"{"n":1, "prompt":["a@b","c",12], "\u0078":"y", "suffix":"x@y"}"#);
    let texts = texts(&document, Body::Completions);
    let all = texts.iter().enumerate().map(|(text, one)| Change {
        text,
        span: 0..one.text().len(),
        with: "[LONGER]".to_owned(),
    });
    let after = changed(&document, &texts, &all.collect::<Vec<_>>());
    let read = Document::parse(after.bytes().clone()).unwrap();
    assert!(after.members().eq(read.members()), "{}", after.text());
    assert_eq!((after.get("n"), after.get("x")), (Some("1"), Some("\"y\"")));
    assert_ne!(after.text(), document.text());
}

#[test]
fn chat_has_messages_parts_calls_and_prompts() {
    let request = json!({
        "model": "a/b", "user": "not me", "tools": [{"function": {"name": "f", "description": "no"}}],
        "messages": [
            {"role": "system", "content": "s"},
            {"role": "developer", "content": "d"},
            {"role": "user", "name": "n", "content": [
                {"type": "text", "text": "u"},
                {"type": "image_url", "image_url": {"url": "data:image/png;base64,AAAA"}},
            ]},
            {"role": "assistant", "content": null, "refusal": "r", "reasoning": "no",
                "tool_calls": [
                    {"id": "c", "type": "function", "function":
                        {"name": "f", "arguments": "{\"k\":[\"v\",7,true,\"\"]}"}},
                    {"id": "d", "type": "custom", "custom": {"name": "g", "input": "i"}},
                    {"id": "e", "type": "function", "function": {"name": "f", "arguments": "half {"}},
                ]},
            {"role": "tool", "tool_call_id": "c", "content": "t"},
        ],
    });
    let expected = said(&[
        (Voice::System, "s"),
        (Voice::System, "d"),
        (Voice::User, "u"),
        (Voice::Assistant, "r"),
        (Voice::Assistant, "k"),
        (Voice::Assistant, "v"),
        (Voice::Assistant, "7"),
        (Voice::Assistant, "i"),
        (Voice::Assistant, "half {"),
        (Voice::Tool, "t"),
    ]);
    assert_eq!(sorted(read(Body::Chat, &request)), sorted(expected));
    let legacy = json!({"prompt": ["p", "q"]});
    let expected = said(&[(Voice::User, "p"), (Voice::User, "q")]);
    assert_eq!(read(Body::Chat, &legacy), expected);
    assert_eq!(read(Body::Completions, &legacy), expected);
}

/// `serde_json` sorts members, so the order inside one message is not the sender's here.
fn sorted(mut list: Vec<(Voice, String)>) -> Vec<(Voice, String)> {
    list.sort_by(|one, other| one.1.cmp(&other.1));
    list
}

#[test]
fn messages_have_a_system_prompt_blocks_tools_and_documents() {
    let request = json!({
        "system": [{"type": "text", "text": "s", "cache_control": {"type": "ephemeral"}}],
        "messages": [
            {"role": "user", "content": "u"},
            {"role": "assistant", "content": [
                {"type": "thinking", "thinking": "no", "signature": "no"},
                {"type": "tool_use", "id": "no", "name": "f", "input": {"name": "n", "deep": [{"x": 12}]}},
            ]},
            {"role": "user", "content": [
                {"type": "tool_result", "tool_use_id": "no", "content": [{"type": "text", "text": "t"}]},
                {"type": "document", "title": "ti", "context": "co",
                    "source": {"type": "text", "media_type": "text/plain", "data": "da"}},
                {"type": "document", "source": {"type": "base64", "media_type": "m", "data": "no"}},
                {"type": "document", "source": {"type": "content", "content": [{"type": "text", "text": "c"}]}},
                {"type": "search_result", "source": "so", "title": "st",
                    "content": [{"type": "text", "text": "sc"}]},
            ]},
        ],
    });
    let expected = said(&[
        (Voice::System, "s"),
        (Voice::User, "u"),
        (Voice::Assistant, "name"),
        (Voice::Assistant, "n"),
        (Voice::Assistant, "deep"),
        (Voice::Assistant, "x"),
        (Voice::Assistant, "12"),
        (Voice::Tool, "t"),
        (Voice::User, "ti"),
        (Voice::User, "co"),
        (Voice::User, "da"),
        (Voice::User, "c"),
        (Voice::User, "so"),
        (Voice::User, "st"),
        (Voice::User, "sc"),
    ]);
    assert_eq!(sorted(read(Body::Messages, &request)), sorted(expected));
    let plain = json!({"system": "s", "messages": []});
    assert_eq!(read(Body::Messages, &plain), said(&[(Voice::System, "s")]));
}

#[test]
fn responses_have_instructions_and_items() {
    let request = json!({"instructions": "s", "input": [
        {"role": "user", "content": [{"type": "input_text", "text": "u"}, {"type": "input_file", "file_data": "no"}]},
        {"type": "message", "role": "assistant", "content": [{"type": "output_text", "text": "a"}]},
        {"type": "function_call", "call_id": "no", "name": "no", "arguments": "{\"k\":\"v\"}"},
        {"type": "custom_tool_call", "call_id": "no", "name": "no", "input": "i"},
        {"type": "function_call_output", "call_id": "no", "output": "o"},
        {"type": "function_call_output", "call_id": "no", "output": [{"type": "input_text", "text": "p"}]},
        {"type": "reasoning", "id": "no", "summary": [{"type": "summary_text", "text": "no"}]},
        {"type": "shell_call_output", "call_id": "no", "output": [{"stdout": "x"}]},
    ]});
    let expected = said(&[
        (Voice::Assistant, "a"),
        (Voice::Assistant, "i"),
        (Voice::Assistant, "k"),
        (Voice::Tool, "o"),
        (Voice::Tool, "p"),
        (Voice::System, "s"),
        (Voice::User, "u"),
        (Voice::Assistant, "v"),
        (Voice::Tool, "x"),
    ]);
    assert_eq!(sorted(read(Body::Responses, &request)), expected);
    assert_eq!(read(Body::Responses, &json!({"input": "u"})), said(&[(Voice::User, "u")]));
}

#[test]
fn embeddings_and_reranks_have_inputs() {
    let request = json!({"input": ["a", {"content": [{"type": "text", "text": "b"}]}]});
    assert_eq!(read(Body::Embeddings, &request), said(&[(Voice::User, "a"), (Voice::User, "b")]));
    assert_eq!(read(Body::Embeddings, &json!({"input": [[1, 2], [3]]})), []);
    let request = json!({"documents": ["a", {"text": "b", "image": "https://x"}], "query": "q"});
    let expected = said(&[(Voice::User, "a"), (Voice::User, "b"), (Voice::User, "q")]);
    assert_eq!(read(Body::Rerank, &request), expected);
}

#[test]
fn parts_that_nobody_knows_are_read_as_a_whole_and_so_is_a_prediction() {
    let request = json!({
        "messages": [{"role": "user", "content": [
            {"type": "input_note", "input_note": "a", "more": {"deep": ["b"]}, "id": "no"},
            {"type": "tool_result", "content": [{"type": "text", "text": "c"}]},
            {"type": "file", "file": {"filename": "no", "file_data": "data:text/plain;base64,AA"}},
            {"text": "d"},
        ]}],
        "prediction": {"type": "content", "content": [{"type": "text", "text": "e"}]},
    });
    let expected = ["a", "b", "c", "d", "e"].map(|text| (Voice::User, text));
    assert_eq!(read(Body::Chat, &request), said(&expected));
    let request = json!({"input": "a", "prediction": {"type": "content", "content": "b"}});
    assert_eq!(read(Body::Responses, &request), said(&[(Voice::User, "a"), (Voice::User, "b")]));
}

#[test]
fn a_part_continues_the_text_before_it_and_nothing_else_does() {
    let continuing = |body: Body, request: &Value| {
        let document = parse(&request.to_string());
        let texts = texts(&document, body);
        let all = texts.iter().filter(|one| one.continues());
        all.map(|one| one.text().to_owned()).collect::<Vec<_>>()
    };
    let text = |text: &str| json!({"type": "text", "text": text});
    let image = json!({"type": "image_url", "image_url": {"url": "https://x"}});
    let parts = [text("a"), text("b"), text(""), text("c"), image.clone(), text("d"), text("e")];
    let chat = json!({"messages": [{"role": "user", "content": parts},
        {"role": "assistant", "content": "f"}, {"role": "user", "content": [text("g")]}]});
    assert_eq!(continuing(Body::Chat, &chat), ["b", "c", "e"]);
    let result =
        json!({"type": "tool_result", "tool_use_id": "t", "content": [text("a"), text("b")]});
    let messages = json!({"system": [text("s"), text("t")],
        "messages": [{"role": "user", "content": [result, text("c"), text("d")]}]});
    assert_eq!(continuing(Body::Messages, &messages), ["b", "d", "t"]);
    let input = |text: &str| json!({"type": "input_text", "text": text});
    let responses = json!({"input": [{"role": "user", "content": [input("a"), input("b")]}]});
    assert_eq!(continuing(Body::Responses, &responses), ["b"]);
    for (body, request) in [
        (Body::Rerank, json!({"query": "q", "documents": ["a", {"text": "b"}, "c"]})),
        (Body::Embeddings, json!({"input": ["a", "b"]})),
        (Body::Completions, json!({"prompt": ["a", "b"]})),
    ] {
        assert_eq!(continuing(body, &request), Vec::<String>::new(), "{body:?}");
    }
}

#[test]
fn a_match_that_straddles_escapes_is_replaced_and_its_neighbours_keep_their_spelling() {
    let request = "{ \"messages\" : [{\"role\":\"user\" , \
        \"content\":\"\\u00e9 a\\u0040b.c\\u006fm \\ud83d\\ude00\\/\"}], \"x\":1.50e0 }\n";
    let expected = request.replace(r"a\u0040b.c\u006fm", "[E\\\"]");
    assert_eq!(replaced(Body::Chat, request, "a@b.com", "[E\"]"), expected);
}

#[test]
fn arguments_are_json_in_a_string_and_both_layers_keep_their_spelling() {
    let request = r#"{"messages":[{"role":"assistant","tool_calls":[{"function":{"arguments":"{\"to\" : \"a\\u0040b.com\", \"\\u0061@b.com\":[1.0,\"\u0061@b.\u0063om\"],\"n\":4111}"}}]}]}"#;
    let expected = request
        .replacen(r"a\\u0040b.com", "[E]", 1)
        .replacen(r"\\u0061@b.com", "[E]", 1)
        .replacen(r"\u0061@b.\u0063om", "[E]", 1);
    assert_eq!(replaced(Body::Chat, request, "a@b.com", "[E]"), expected);
    let quotes = replaced(Body::Chat, request, "a@b.com", "\"");
    let arguments = serde_json::from_str::<Value>(&quotes).unwrap()["messages"][0]["tool_calls"][0]
        ["function"]["arguments"]
        .clone();
    let arguments: Value = serde_json::from_str(arguments.as_str().unwrap()).unwrap();
    assert_eq!(arguments, json!({"to": "\"", "\"": [1.0, "\""], "n": 4111}));
}

#[test]
fn a_number_that_is_replaced_becomes_a_string() {
    let request = r#"{"messages":[{"role":"assistant","content":[{"type":"tool_use","id":"t","name":"f","input":{"n": 4111 }}]}]}"#;
    let expected = request.replace("4111", "\"[N]\"");
    assert_eq!(replaced(Body::Messages, request, "4111", "[N]"), expected);
    let nested = r#"{"input":[{"type":"function_call","name":"f","call_id":"c","arguments":"{\"n\":4111}"}]}"#;
    let expected = nested.replace("4111", "\\\"4[N]\\\"");
    assert_eq!(replaced(Body::Responses, nested, "111", "[N]"), expected);
}

#[test]
fn a_member_that_is_there_twice_is_read_twice_and_a_doubtful_role_is_the_users() {
    let request = r#"{"messages":[{"role":"system","role":"user","role":"tool","content":"a","content":[{"text":"b","text":"c"}]}]}"#;
    let document = parse(request);
    let texts = texts(&document, Body::Chat);
    let found: Vec<_> = texts.iter().map(|one| (one.voice(), one.text())).collect();
    assert_eq!(found, [(Voice::User, "a"), (Voice::User, "b"), (Voice::User, "c")]);
}

#[test]
fn overlapping_changes_and_places_that_are_not_there_do_no_harm() {
    let document = parse(r#"{"prompt":"éa\u00e9b"}"#);
    let texts = texts(&document, Body::Chat);
    let change = |text, span, with: &str| Change { text, span, with: with.to_owned() };
    let after = changed(
        &document,
        &texts,
        &[
            change(0, 4..9999, "z"),
            change(0, 0..3, "x"),
            change(0, 1..2, "y"),
            change(7, 0..1, "w"),
        ],
    );
    assert_eq!(after.text(), r#"{"prompt":"xz"}"#);
}

#[test]
fn many_texts_in_one_string_take_linear_time() {
    let items = vec!["\\\"a@b.c\\\""; 20_000].join(",");
    let request = format!(
        "{{\"messages\":[{{\"role\":\"assistant\",\"tool_calls\":[{{\"function\":{{\"arguments\":\"[{items}]\"}}}}]}}]}}"
    );
    // A walk over the whole string for each of its texts would be minutes.
    assert_eq!(replaced(Body::Chat, &request, "a@b.c", "[E]"), request.replace("a@b.c", "[E]"));
}

/// Bodies that have everything, and parts of them to be put anywhere.
const BODIES: [&str; 6] = [
    r#"{"messages":[{"role":"user","content":"a\u0040b \ud83d\ude00 \ud800"},{"role":"assistant","content":[{"type":"text","text":"x\\n"}],"tool_calls":[{"function":{"arguments":"{\"a\":\"b\\u0041\",\"c\":[1,{\"d\":\"\\ud83d\\ude00\"}]}"}}]}]}"#,
    r#"{"prompt":["x","y"],"suffix":"z"}"#,
    r#"{"system":"s","messages":[{"role":"user","content":[{"type":"tool_result","content":"r"},{"type":"odd","a":{"text":"t"}},{"type":"document","source":{"type":"text","data":"d"}}]},{"role":"assistant","content":[{"type":"tool_use","input":{"q":["w",12,{"e":"r"}]}}]}]}"#,
    r#"{"instructions":"i","input":[{"role":"user","content":"u"},{"type":"function_call","arguments":"{\"a\":1}"},{"type":"function_call_output","output":"o"},{"type":"odd","text":"x"}]}"#,
    r#"{"input":["a",{"content":[{"type":"text","text":"b"}]}]}"#,
    r#"{"query":"q","documents":["a",{"text":"b"}]}"#,
];

proptest! {
    #[test]
    fn replacing_nothing_changes_nothing_whatever_the_bytes(
        body in select(BODIES.to_vec()),
        edits in proptest::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 0..4),
    ) {
        let mut bytes = body.as_bytes().to_vec();
        for (at, byte) in edits {
            let at = at.index(bytes.len());
            bytes[at] = byte;
        }
        laws::texts_stay_in_place(&bytes).unwrap();
    }

    #[test]
    fn any_text_can_be_replaced_in_any_body(text in any::<String>(), deep in any::<String>()) {
        let arguments = json!({deep.clone(): [deep.clone(), 7]}).to_string();
        let chat = json!({"messages": [{"role": "user", "content": text}, {"role": "assistant",
            "tool_calls": [{"function": {"arguments": arguments}}]}]});
        let messages = json!({"messages": [{"role": "user", "content": [
            {"type": "tool_use", "input": {"k": deep}}, {"type": "text", "text": text}]}]});
        laws::texts_stay_in_place(chat.to_string().as_bytes()).unwrap();
        laws::texts_stay_in_place(messages.to_string().as_bytes()).unwrap();
    }
}
