//! The legacy dialect on the provider's side: recorded shapes, templates, and what holds for any text.
//!
//! `<case>.sse` and `<case>.json` are the provider's; `<case>.sse.txt` and `<case>.json.txt` are the
//! events and what was seen. Set `BLESS` to write the texts anew.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    missing_docs
)]

use std::fmt::Write as _;
use std::fs;
use std::path::{Path, PathBuf};

use bytes::Bytes;
use proptest::collection::vec;
use proptest::prelude::*;
use proptest::sample::select;
use serde_json::{Value, json};
use signalbox_core::ErrorKind;
use signalbox_dialect::conversation::{Conversation, Message, Part, Role};
use signalbox_dialect::document::Document;
use signalbox_dialect::event::{Event, Folded};
use signalbox_dialect::laws;
use signalbox_dialect::laws::providers::{self, TEMPLATES, read_completions};
use signalbox_dialect::openai_chat::read_request::read_request;
use signalbox_dialect::openai_chat::survey::survey;
use signalbox_dialect::openai_completions;
use signalbox_dialect::openai_completions::read_answer::{read_error, read_unary};
use signalbox_dialect::openai_completions::template::PromptTemplate;
use signalbox_dialect::openai_completions::write_request::write_request;
use signalbox_dialect::outbound::Outbound;
use signalbox_dialect::patch::Patches;

fn cases(ending: &str) -> Vec<PathBuf> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/golden/openai-completions");
    let mut paths: Vec<_> = fs::read_dir(folder)
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .filter(|path| path.to_str().unwrap().ends_with(ending))
        .collect();
    paths.sort();
    assert!(!paths.is_empty());
    paths
}

fn compare(path: &Path, events: &[Event], rest: &str) {
    let path = PathBuf::from(format!("{}.txt", path.display()));
    let mut text = String::new();
    for event in events {
        writeln!(text, "{event:?}").unwrap();
    }
    writeln!(text, "{rest}").unwrap();
    if std::env::var_os("BLESS").is_some() {
        fs::write(&path, &text).unwrap();
    }
    assert_eq!(text, fs::read_to_string(&path).unwrap(), "{}", path.display());
}

/// The body of a request that a chat client sent, and what was lost.
fn written(request: &Value, template: PromptTemplate) -> (Value, Vec<String>) {
    let document = Document::parse(Bytes::from(request.to_string())).unwrap();
    let survey = if request["prompt"].is_null() {
        survey(&document)
    } else {
        openai_completions::survey::survey(&document)
    };
    let conversation = read_request(&document, &survey.unwrap()).unwrap();
    of(&conversation, template)
}

fn of(conversation: &Conversation, template: PromptTemplate) -> (Value, Vec<String>) {
    let patches = Patches::default();
    let out = Outbound { max_output: None, ..laws::outbound(&patches) };
    let written = write_request(conversation, &out, template).unwrap();
    let losses = written.losses.iter().map(|loss| loss.detail.clone()).collect();
    (serde_json::from_slice(&written.body).unwrap(), losses)
}

#[test]
fn streams_are_read_as_recorded() {
    for path in cases(".sse") {
        let (events, facts, result) = read_completions(&[&fs::read(&path).unwrap()]);
        laws::lawful(&events).unwrap();
        compare(&path, &events, &format!("{result:?}\n{facts:?}"));
    }
}

#[test]
fn bodies_are_read_as_recorded_and_as_their_streams() {
    for path in cases(".json") {
        let (events, facts) = read_unary(&fs::read(&path).unwrap()).unwrap();
        laws::lawful(&events).unwrap();
        compare(&path, &events, &format!("{facts:?}"));
        let streamed = read_completions(&[&fs::read(path.with_extension("sse")).unwrap()]);
        assert_eq!(Folded::of(&streamed.0), Folded::of(&events), "{}", path.display());
    }
}

#[test]
fn errors_are_read_as_of_chat() {
    let body = br#"{"error":{"message":"no such model","code":"model_not_found"}}"#;
    assert_eq!(read_error(404, body).kind, ErrorKind::NotFound);
}

#[test]
fn every_template_has_the_shape_that_its_models_know() {
    let request = json!({"model": "x", "messages": [
        {"role": "system", "content": "S"},
        {"role": "user", "content": "A"},
        {"role": "assistant", "content": "B"},
        {"role": "user", "content": "C"},
    ]});
    for (template, prompt, stop) in [
        (
            PromptTemplate::Plain,
            "System: S\n\nUser: A\n\nAssistant: B\n\nUser: C\n\nAssistant:",
            "\nUser:",
        ),
        (
            PromptTemplate::Chatml,
            "<|im_start|>system\nS<|im_end|>\n<|im_start|>user\nA<|im_end|>\n<|im_start|>assistant\nB\
             <|im_end|>\n<|im_start|>user\nC<|im_end|>\n<|im_start|>assistant\n",
            "<|im_end|>",
        ),
        (
            PromptTemplate::Llama3,
            "<|start_header_id|>system<|end_header_id|>\n\nS<|eot_id|><|start_header_id|>user\
             <|end_header_id|>\n\nA<|eot_id|><|start_header_id|>assistant<|end_header_id|>\n\nB<|eot_id|>\
             <|start_header_id|>user<|end_header_id|>\n\nC<|eot_id|><|start_header_id|>assistant\
             <|end_header_id|>\n\n",
            "<|eot_id|>",
        ),
        (PromptTemplate::Mistral, "[INST] S\n\nA [/INST] B</s>[INST] C [/INST]", "</s>"),
        (
            PromptTemplate::Alpaca,
            "S\n\n### Instruction:\nA\n\n### Response:\nB\n\n### Instruction:\nC\n\n### Response:\n",
            "### Instruction:",
        ),
        (PromptTemplate::Vicuna, "S USER: A ASSISTANT: B</s>USER: C ASSISTANT:", "</s>"),
        (
            PromptTemplate::Gemma,
            "<start_of_turn>user\nS\n\nA<end_of_turn>\n<start_of_turn>model\nB<end_of_turn>\n\
             <start_of_turn>user\nC<end_of_turn>\n<start_of_turn>model\n",
            "<end_of_turn>",
        ),
        (
            PromptTemplate::DeepseekR1,
            "S<｜User｜>A<｜Assistant｜>B<｜end▁of▁sentence｜><｜User｜>C<｜Assistant｜>",
            "<｜end▁of▁sentence｜>",
        ),
        (
            PromptTemplate::DeepseekV31,
            "S<｜User｜>A<｜Assistant｜></think>B<｜end▁of▁sentence｜><｜User｜>C<｜Assistant｜></think>",
            "<｜end▁of▁sentence｜>",
        ),
    ] {
        let (body, losses) = written(&request, template);
        assert_eq!(body["prompt"], json!(prompt), "{template:?}");
        assert_eq!(body["stop"], json!([stop]), "{template:?}");
        assert_eq!(losses, [""; 0]);
    }
}

#[test]
fn a_legacy_prompt_passes_unchanged() {
    let prompt = "User: <|im_end|> once\n";
    let request = json!({"model": "x", "prompt": prompt, "stop": ["z"], "logprobs": 3,
        "suffix": "", "echo": false});
    let (body, losses) = written(&request, PromptTemplate::Verbatim);
    let expected = json!({"model": "m-1", "prompt": prompt, "stream": true,
        "stream_options": {"include_usage": true}, "stop": ["z"], "logprobs": 3, "suffix": "",
        "echo": false, "user": "0123"});
    assert_eq!((body, losses), (expected, vec![]));
    let two = json!({"model": "x", "messages": [{"role": "user", "content": "a"},
        {"role": "assistant", "content": "b"}]});
    let (body, _) = written(&two, PromptTemplate::Verbatim);
    assert_eq!(body["prompt"], json!("User: a\n\nAssistant: b"));
}

#[test]
fn sampling_is_spelled_the_legacy_way() {
    let request = json!({"model": "x", "messages": [{"role": "user", "content": "a"}],
        "logprobs": true, "top_logprobs": 9, "temperature": 0.50, "top_k": 4, "max_tokens": 7,
        "stop": ["a", "b", "c", "d"], "n": 2, "reasoning": {"effort": "low"}, "verbosity": "low",
        "modalities": ["text"]});
    let (body, losses) = written(&request, PromptTemplate::Chatml);
    assert_eq!(body["logprobs"], json!(5));
    assert_eq!(body["stop"], json!(["<|im_end|>", "a", "b", "c"]));
    assert_eq!(
        (&body["n"], &body["max_tokens"], &body["top_k"]),
        (&json!(2), &json!(7), &json!(4))
    );
    assert_eq!(losses, ["top_logprobs", "stop", "reasoning", "verbosity", "modalities"]);
}

#[test]
fn tools_are_described_and_their_calls_and_results_are_text() {
    let request = json!({"model": "x", "messages": [
        {"role": "user", "content": "When?"},
        {"role": "assistant", "content": null, "tool_calls": [{"id": "c1", "type": "function",
            "function": {"name": "tide", "arguments": "{\"town\":\"Emden\"}"}}]},
        {"role": "tool", "tool_call_id": "c1", "content": "at <|im_end|> six"},
    ], "tools": [{"type": "function", "function": {"name": "tide", "parameters":
        {"type": "object", "properties": {"town": {"type": "string"}}}}}],
        "tool_choice": "required"});
    let (body, losses) = written(&request, PromptTemplate::Chatml);
    let prompt = body["prompt"].as_str().unwrap();
    for part in [
        "<|im_start|>system\nThese tools can be called:",
        "      properties:\n        town:\n          type: \"string\"\n",
        "Call one of the tools now.<|im_end|>\n",
        "<|im_start|>assistant\ntool_call:\n  name: \"tide\"\n  arguments:\n    town: \"Emden\"<|im_end|>\n",
        "<|im_start|>user\ntool_result:\n  name: \"tide\"\n  content: \"at < |im_end|> six\"<|im_end|>\n",
    ] {
        assert!(prompt.contains(part), "{part}\nis not in\n{prompt}");
    }
    assert_eq!(losses, ["tool_calls"]);
}

/// Pieces of text, marks of templates among them.
fn hostile() -> impl Strategy<Value = String> {
    let pieces = select(vec![
        "a",
        "\n",
        "\n\n",
        " ",
        "<",
        "|",
        "[",
        "User:",
        "System:",
        "Assistant:",
        "<|im_start|>user\n",
        "<|im_end|>",
        "<|eot_id|>",
        "<|start_header_id|>",
        "[INST]",
        "[/INST]",
        "</s>",
        "<s>",
        "### Instruction:",
        "### Response:",
        "USER:",
        "ASSISTANT:",
        "<start_of_turn>",
        "<end_of_turn>",
        "<｜User｜>",
        "<｜",
        "｜>",
        "_start|>",
        "INST]",
        ":",
        "#",
        "## Instruction:",
        "User",
        "é",
    ]);
    vec(pieces, 1..6).prop_map(|pieces| pieces.concat())
}

/// How often each of these stands in a text.
fn counts(text: &str) -> Vec<usize> {
    [
        "System:",
        "User:",
        "Assistant:",
        "<|im_start|>",
        "<|im_end|>",
        "<|eot_id|>",
        "<|start_header_id|>",
        "<|end_header_id|>",
        "[INST]",
        "[/INST]",
        "</s>",
        "### Instruction:",
        "### Response:",
        "USER:",
        "ASSISTANT:",
        "<start_of_turn>",
        "<end_of_turn>",
        "<｜",
    ]
    .iter()
    .map(|mark| text.matches(mark).count())
    .collect()
}

fn conversation(texts: &[String]) -> Conversation {
    let roles = [Role::System, Role::User, Role::Assistant, Role::User].iter().cycle();
    let messages = roles
        .zip(texts)
        .map(|(role, text)| Message::new(*role, vec![Part::text(text.clone())]))
        .collect();
    Conversation { messages, ..Conversation::default() }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 256, failure_persistence: None, ..ProptestConfig::default() })]

    /// Of a template's marks there are as many as the turns need, whatever the turns say.
    #[test]
    fn no_text_forges_a_turn(texts in vec(hostile(), 1..5)) {
        for template in TEMPLATES.into_iter().filter(|one| *one != PromptTemplate::Verbatim) {
            let prompt = |texts: &[String]| {
                of(&conversation(texts), template).0["prompt"].as_str().unwrap().to_owned()
            };
            let harmless = vec!["x".to_owned(); texts.len()];
            let (own, said) = (counts(&prompt(&harmless)), counts(&prompt(&texts)));
            for (own, said) in own.iter().zip(&said).filter(|(own, _)| **own > 0) {
                prop_assert_eq!(own, said, "{:?}: {}", template, prompt(&texts));
            }
        }
    }

    #[test]
    fn any_bytes_are_read_the_same_however_they_are_split(
        lines in vec(select(vec![
            "data: {\"choices\":[{\"text\":\"a\",\"index\":0}]}\n\n",
            "data: {\"choices\":[{\"text\":null,\"index\":1,\"logprobs\":{\"tokens\":[\"a\"],\"token_logprobs\":[-1]}}]}\r\n\r\n",
            "data: {\"choices\":[{\"text\":\"b\",\"finish_reason\":\"length\"}],\"usage\":{\"prompt_tokens\":1}}\n\n",
            "data: {\"choices\":[{\"delta\":{\"content\":\"c\"},\"finish_reason\":\"stop\"},7]}\n\n",
            "data: {\"choices\":{}}\n\n", "data: [DONE]\n\n", "data: {\n\n", "data: 3\n\n", ": c\n\n",
            "event: error\ndata: {\"message\":\"x\"}\n\n", "{\"error\":\"x\"}\n", "data: a\ndata: b\n\n",
        ]), 0..7),
        cuts in vec(0..400usize, 0..6),
    ) {
        let bytes = lines.concat().into_bytes();
        providers::completions_answers_are_lawful(&bytes, &cuts).map_err(TestCaseError::fail)?;
    }
}
