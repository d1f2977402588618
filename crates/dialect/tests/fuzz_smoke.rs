//! Each fuzz target's body for about a second, on goldens that are mangled by a fixed seed.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    missing_docs
)]

use std::fs;
use std::path::Path;

use signalbox_dialect::laws::{self, bedrock, hub, providers, readers};

/// Inputs for each body; in a build without optimisation they take about a second.
const INPUTS: usize = 1500;

/// Numbers that look random and are the same in every run (xorshift).
struct Dice(u64);

impl Dice {
    fn below(&mut self, limit: usize) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        (self.0 % limit.max(1) as u64) as usize
    }
}

fn goldens() -> Vec<Vec<u8>> {
    goldens_of("openai-chat")
}

fn goldens_of(dialect: &str) -> Vec<Vec<u8>> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/golden").join(dialect);
    let mut paths: Vec<_> =
        fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()).collect();
    paths.sort();
    paths.iter().map(|path| fs::read(path).unwrap()).collect()
}

/// One golden with a few bytes changed, left out, doubled, or taken from another.
fn mangled(goldens: &[Vec<u8>], dice: &mut Dice) -> Vec<u8> {
    const BYTES: &[u8] = b"\"\\{}[]:,\n\r 019-eu\0\x7f\xc3\xff";
    let mut bytes = goldens[dice.below(goldens.len())].clone();
    for _ in 0..dice.below(5) {
        let at = dice.below(bytes.len());
        let end = (at + dice.below(12)).min(bytes.len());
        match dice.below(4) {
            0 => drop(bytes.drain(at..end)),
            1 => bytes.splice(at..at, [BYTES[dice.below(BYTES.len())]]).for_each(drop),
            2 => bytes.extend_from_within(at..end),
            _ => {
                let other = &goldens[dice.below(goldens.len())];
                let from = dice.below(other.len());
                let piece = other[from..(from + dice.below(40)).min(other.len())].to_vec();
                bytes.splice(at..end, piece).for_each(drop);
            }
        }
    }
    bytes
}

fn run(seed: u64, body: impl FnMut(&[u8], &mut Dice) -> Result<(), String>) {
    run_on(&goldens(), seed, body);
}

fn run_on(
    goldens: &[Vec<u8>],
    seed: u64,
    mut body: impl FnMut(&[u8], &mut Dice) -> Result<(), String>,
) {
    let mut dice = Dice(seed);
    for _ in 0..INPUTS {
        let bytes = mangled(goldens, &mut dice);
        if let Err(broken) = body(&bytes, &mut dice) {
            panic!("{broken}\nof {:?}", String::from_utf8_lossy(&bytes));
        }
    }
}

#[test]
fn splits_of_mangled_streams_do_not_matter() {
    run(0x5eed_0001, |bytes, dice| {
        let cuts: Vec<usize> = (0..4).map(|_| dice.below(256)).collect();
        laws::splits_do_not_matter(bytes, &cuts)
    });
}

#[test]
fn events_of_mangled_streams_survive_writing() {
    run(0x5eed_0002, |bytes, _| {
        laws::events_survive_writing(bytes)?;
        laws::messages_survive_writing(bytes)
    });
}

#[test]
fn mangled_whole_answers_survive() {
    run(0x5eed_0003, |bytes, _| laws::whole_answers_survive(bytes));
}

#[test]
fn mangled_messages_answers_are_relayed_lawfully() {
    run_on(&goldens_of("anthropic-messages"), 0x5eed_0005, |bytes, dice| {
        let cuts: Vec<usize> = (0..4).map(|_| dice.below(256)).collect();
        laws::messages_relay_keeps_all(bytes, &cuts)?;
        laws::whole_messages_keep_all(bytes)
    });
}

#[test]
fn mangled_responses_answers_are_relayed_lawfully() {
    run_on(&goldens_of("openai-responses-relay"), 0x5eed_0006, |bytes, dice| {
        let cuts: Vec<usize> = (0..4).map(|_| dice.below(256)).collect();
        laws::responses_relay_keeps_all(bytes, &cuts)?;
        laws::whole_responses_keep_all(bytes)
    });
}

/// Requests that use most of what a request may have.
const REQUESTS: [&str; 3] = [
    r#"{"model":"a/b","messages":[{"role":"system","content":"s"},{"role":"user","name":"Ann","content":[{"type":"text","text":"h\u00e9"},{"type":"image_url","image_url":{"url":"data:image/png;base64,AAAA","detail":"original"}}]}],"max_tokens":5,"stream":true,"provider":{"order":["x"]},"user":"u","temperature":1.0}"#,
    r#"{"models":["a/b","c/d:floor"],"messages":[{"role":"user","content":"x"},{"role":"assistant","content":null,"tool_calls":[{"id":"c1","type":"function","function":{"name":"f","arguments":"{}"}}]},{"role":"tool","tool_call_id":"c1","content":"7"}],"tools":[{"type":"function","function":{"name":"f","parameters":{"type":"object"}}}],"reasoning":{"effort":"low"},"response_format":{"type":"json_schema","json_schema":{"name":"n","schema":{}}}}"#,
    r#"{"model":"a/b","prompt":"once upon","max_completion_tokens":9,"n":2,"stop":["a","b"],"metadata":{"k":"v"},"session_id":"s","stream_options":{"include_usage":false}}"#,
];

#[test]
fn mangled_responses_requests_are_refused_or_become_clean() {
    let request = br#"{"model":"a/b","input":[{"type":"message","role":"user","content":[{"type":"input_text","text":"h\u00e9","prompt_cache_breakpoint":{}}]},{"type":"reasoning","id":"r","summary":[],"encrypted_content":"g","format":"openai-responses-v1"},{"type":"openrouter:web_search","id":"w"}],"include":["web_search_call.results"],"reasoning":{"max_tokens":9,"enabled":true},"user":"u","metadata":{"k":"v"},"text":{"verbosity":"low"},"max_output_tokens":99,"stream":false,"provider":{"order":["x"]}}"#;
    laws::responses_requests_survive(request).unwrap();
    run_on(&[request.to_vec()], 0x5eed_0007, |bytes, _| laws::responses_requests_survive(bytes));
}

#[test]
fn mangled_requests_are_refused_or_become_clean() {
    let requests = REQUESTS.map(|text| text.as_bytes().to_vec());
    run_on(&requests, 0x5eed_0004, |bytes, _| {
        laws::requests_survive(bytes)?;
        laws::messages_requests_survive(bytes)
    });
    for request in requests {
        laws::requests_survive(&request).unwrap();
        laws::messages_requests_survive(&request).unwrap();
    }
}

fn requests() -> Vec<Vec<u8>> {
    REQUESTS.map(|text| text.as_bytes().to_vec()).to_vec()
}

#[test]
fn mangled_cohere_answers_and_requests_survive() {
    run_on(&goldens_of("cohere-v2"), 0x5eed_0005, |bytes, dice| {
        let cuts: Vec<usize> = (0..4).map(|_| dice.below(256)).collect();
        providers::cohere_answers_are_lawful(bytes, &cuts)
    });
    run_on(&requests(), 0x5eed_0006, |bytes, _| providers::cohere_requests_survive(bytes));
}

#[test]
fn mangled_legacy_answers_and_requests_survive() {
    run_on(&goldens_of("openai-completions"), 0x5eed_0007, |bytes, dice| {
        let cuts: Vec<usize> = (0..4).map(|_| dice.below(256)).collect();
        providers::completions_answers_are_lawful(bytes, &cuts)
    });
    run_on(&requests(), 0x5eed_0008, |bytes, _| providers::completions_requests_survive(bytes));
}

fn cuts(dice: &mut Dice) -> Vec<usize> {
    (0..4).map(|_| dice.below(256)).collect()
}

#[test]
fn mangled_event_streams_do_not_depend_on_splits() {
    let texts = goldens_of("bedrock-converse");
    let streams: Vec<_> = texts.iter().map(|text| bedrock::stream_of(text)).collect();
    run_on(&streams, 0x5eed_0010, |bytes, dice| {
        bedrock::messages_do_not_depend_on_splits(bytes, &cuts(dice))
    });
}

#[test]
fn mangled_converse_answers_and_requests_survive() {
    run_on(&goldens_of("bedrock-converse"), 0x5eed_0011, |bytes, dice| {
        let _ = signalbox_dialect::bedrock_converse::error::read_error(400, bytes);
        readers::converse_requests_survive(bytes)?;
        bedrock::converse_answers_are_lawful(bytes, &cuts(dice))
    });
    run_on(&requests(), 0x5eed_0012, |bytes, _| readers::converse_requests_survive(bytes));
}

#[test]
fn mangled_envelopes_unwrap() {
    let bare = goldens_of("anthropic-messages")
        .into_iter()
        .map(|text| String::from_utf8(text).unwrap().replace("data: ", "").replace("event: ", ""));
    let bare: Vec<_> = bare.map(String::into_bytes).collect();
    run_on(&bare, 0x5eed_0013, |bytes, dice| bedrock::envelopes_unwrap(bytes, &cuts(dice)));
}

#[test]
fn mangled_answers_of_messages_providers_are_lawful() {
    run_on(&goldens_of("anthropic-messages"), 0x5eed_0014, |bytes, dice| {
        hub::messages_answers_are_lawful(bytes, &cuts(dice))
    });
}

#[test]
fn mangled_answers_of_gemini_providers_are_lawful() {
    run_on(&goldens_of("gemini"), 0x5eed_0015, |bytes, dice| {
        readers::gemini_answers_are_lawful(bytes, &cuts(dice))
    });
}

#[test]
fn mangled_answers_of_responses_providers_are_lawful() {
    run_on(&goldens_of("openai-responses"), 0x5eed_0016, |bytes, dice| {
        readers::responses_answers_are_lawful(bytes, &cuts(dice))
    });
}

/// Requests in the other clients' languages.
const OTHER_REQUESTS: [&str; 3] = [
    r#"{"model":"a/b","instructions":"s","input":[{"role":"user","content":[{"type":"input_text","text":"h"},{"type":"input_image","image_url":"data:image/png;base64,AAAA"},{"type":"input_file","filename":"a.pdf","file_data":"data:application/pdf;base64,AAAA"}]},{"type":"reasoning","id":"rs_1","summary":[{"type":"summary_text","text":"t"}],"encrypted_content":"gA"},{"type":"function_call","call_id":"c1","name":"f","arguments":"{}"},{"type":"function_call_output","call_id":"c1","output":"7"}],"tools":[{"type":"function","name":"f","parameters":{"type":"object"}}],"text":{"format":{"type":"json_schema","name":"n","schema":{}}},"reasoning":{"effort":"low"},"max_output_tokens":9,"stream":true}"#,
    r#"{"model":"a/b","input":"hello","temperature":1,"top_p":0.5,"tool_choice":"required","parallel_tool_calls":false,"cache_control":{"type":"ephemeral"}}"#,
    r#"{"model":"a/b","max_tokens":9,"system":[{"type":"text","text":"s","cache_control":{"type":"ephemeral","ttl":"1h"}}],"messages":[{"role":"user","content":[{"type":"document","title":"a","source":{"type":"text","media_type":"text/plain","data":"x"}}]},{"role":"assistant","content":[{"type":"thinking","thinking":"t","signature":"s"},{"type":"redacted_thinking","data":"RW1x"},{"type":"tool_use","id":"t1","name":"f","input":{}}]},{"role":"user","content":[{"type":"tool_result","tool_use_id":"t1","is_error":true,"content":[{"type":"text","text":"no"}]}]}],"tools":[{"name":"f","input_schema":{"type":"object"}}],"thinking":{"type":"enabled","budget_tokens":1024},"stop_sequences":["x"]}"#,
];

#[test]
fn mangled_requests_of_every_client_survive() {
    let requests: Vec<_> =
        REQUESTS.iter().chain(&OTHER_REQUESTS).map(|text| text.as_bytes().to_vec()).collect();
    run_on(&requests, 0x5eed_0017, |bytes, _| {
        hub::conversations_survive(bytes)?;
        laws::messages_requests_survive(bytes)?;
        readers::responses_requests_survive(bytes)
    });
}

/// Requests and answers of embeddings and reranks.
const RETRIEVAL: [&str; 7] = [
    r#"{"model":"a/b","input":["x","h\u00e9"],"encoding_format":"base64","dimensions":9,"input_type":"search_query","user":"u","provider":{"only":["p"]}}"#,
    r#"{"model":"a/b","input":[{"content":[{"type":"text","text":"x"},{"type":"image_url","image_url":{"url":"data:image/png;base64,AAAA"}},{"type":"input_file","input_file":{"data":"AAAA","format":"pdf"}}]}]}"#,
    r#"{"model":"a/b","query":"q","documents":["x",{"text":"y"},{"text":"z","image":"https://x/y"}],"top_n":2}"#,
    r#"{"object":"list","data":[{"index":0,"embedding":[0.5,-1e-3]},{"index":1,"embedding":"AACAPwAAIMA="}],"usage":{"prompt_tokens":8,"total_tokens":8}}"#,
    r#"{"embeddings":[{"values":[0.5,1]},{"values":[2]}],"usageMetadata":{"promptTokenCount":9,"promptTokensDetails":[{"modality":"TEXT","tokenCount":9}]}}"#,
    r#"{"id":"c","embeddings":{"float":[[0.5],[1.5]]},"meta":{"billed_units":{"input_tokens":4}}}"#,
    r#"{"results":[{"index":1,"relevance_score":0.75},{"index":0,"relevance_score":0.5}],"meta":{"billed_units":{"search_units":1}}}"#,
];

#[test]
fn mangled_embeddings_and_reranks_survive() {
    let samples = RETRIEVAL.map(|text| text.as_bytes().to_vec());
    run_on(&samples, 0x5eed_000a, |bytes, _| {
        laws::embeddings_requests_survive(bytes)?;
        laws::embeddings_answers_survive(bytes)?;
        laws::rerank_requests_survive(bytes)?;
        laws::rerank_answers_survive(bytes)
    });
}
