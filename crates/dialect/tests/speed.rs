//! How long the hot road takes. Not a test of anything: `cargo test --release -p signalbox-dialect
//! --test speed -- --ignored --nocapture` prints the figures of the machine it runs on.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::print_stdout,
    clippy::disallowed_methods,
    missing_docs
)]

use std::hint::black_box;
use std::time::Instant;

use bytes::Bytes;
use signalbox_core::ParameterSet;
use signalbox_dialect::document::Document;
use signalbox_dialect::openai_chat::stream_relay::StreamRelay;
use signalbox_dialect::openai_chat::survey::survey;
use signalbox_dialect::openai_chat::write_relay::{Outbound, ReasoningStyle, write_relay};
use signalbox_dialect::patch::Patches;
use signalbox_dialect::{AnswerStyle, Extras, RelayOptions, Skin, WireDialect, answer, laws};

/// The best of several rounds, in nanoseconds for one call.
fn time(rounds: u32, calls: u32, mut call: impl FnMut()) -> f64 {
    let mut best = f64::INFINITY;
    for _ in 0..rounds {
        let began = Instant::now();
        for _ in 0..calls {
            call();
        }
        best = best.min(began.elapsed().as_nanos() as f64 / f64::from(calls));
    }
    best
}

fn chunk() -> Vec<u8> {
    let chunk = r#"data: {"id":"chatcmpl-AbCdEfGhIjKlMnOpQrStUvWx","object":"chat.completion.chunk","created":1700000000,"model":"gpt-4o-mini-2024-07-18","service_tier":"default","system_fingerprint":"fp_0123456789","choices":[{"index":0,"delta":{"content":" token"},"logprobs":null,"finish_reason":null}]}"#;
    format!("{chunk}\n\n").into_bytes()
}

fn small() -> String {
    let system = "You are a careful assistant. Answer in short sentences. ".repeat(6);
    format!(
        "{{\"model\":\"acme/m1\",\"messages\":[{{\"role\":\"system\",\"content\":\"{system}\"}},\
         {{\"role\":\"user\",\"content\":\"{}\"}},{{\"role\":\"assistant\",\"content\":\"Yes.\"}},\
         {{\"role\":\"user\",\"content\":\"Why?\\nSay more.\"}}],\"temperature\":0.7,\"top_p\":0.9,\
         \"max_tokens\":256,\"stream\":true}}",
        "What is the tallest mountain of the world, and who was there? ".repeat(4)
    )
}

fn large() -> String {
    let text = "It was a bright cold day in April, and the clocks were striking. \\n".repeat(1000);
    let message = |role: &str| format!("{{\"role\":\"{role}\",\"content\":\"{text}\"}}");
    format!(
        "{{\"model\":\"acme/m1\",\"messages\":[{},{},{}],\"stream\":true}}",
        message("user"),
        message("assistant"),
        message("user")
    )
}

fn request(body: &Bytes, patches: &Patches) -> usize {
    let document = Document::parse(body.clone()).unwrap();
    let survey = survey(&document).unwrap();
    let out = Outbound {
        provider_model_id: "tiny-1",
        stream: true,
        unsupported: ParameterSet::EMPTY,
        max_output: None,
        endpoint_max_output: None,
        service_tier: None,
        user: None,
        patches,
        reasoning: ReasoningStyle::Effort,
        asking: Default::default(),
        caches_prompts: true,
        traits: Default::default(),
        template: Default::default(),
        betas: &[],
        forward_name: false,
        cache: Default::default(),
    };
    write_relay(&document, &survey, &out).unwrap().into_vec().len()
}

fn whole(text: &str) -> Bytes {
    Bytes::from(format!(
        "{{\"id\":\"c-1\",\"object\":\"chat.completion\",\"created\":1,\"model\":\"m\",\"choices\":[{{\
         \"index\":0,\"message\":{{\"role\":\"assistant\",\"content\":\"{text}\",\"refusal\":null}},\
         \"logprobs\":null,\"finish_reason\":\"stop\"}}],\"usage\":{{\"prompt_tokens\":10,\
         \"completion_tokens\":20,\"total_tokens\":30}}}}"
    ))
}

#[test]
#[ignore = "prints figures, tests nothing"]
fn speed() {
    let patches = Patches::default();
    let chunk = chunk();
    let mut out = Vec::with_capacity(1 << 20);
    let identity = laws::identity();
    let mut relay = StreamRelay::new(&identity, RelayOptions::default());
    let nanos = time(20, 20_000, || {
        relay.push(black_box(&chunk), &mut out).unwrap();
        if out.len() > 500_000 {
            out.clear();
        }
    });
    println!("chunk of {} bytes: {nanos:.0} ns", chunk.len());
    for (body, calls) in [(small(), 5_000), (large(), 100)] {
        let body = Bytes::from(body);
        let nanos = time(20, calls, || {
            black_box(request(black_box(&body), &patches));
        });
        println!("request of {} bytes: {:.2} µs", body.len(), nanos / 1000.0);
        let nanos = time(20, calls, || {
            black_box(Document::parse(black_box(body.clone())).unwrap());
        });
        println!("  of which parsing: {:.2} µs", nanos / 1000.0);
        let document = Document::parse(body.clone()).unwrap();
        let nanos = time(20, calls, || {
            black_box(survey(black_box(&document)).unwrap());
        });
        println!("  of which the survey: {:.2} µs", nanos / 1000.0);
    }
    for (text, calls) in [("word ".repeat(100), 5_000), ("word ".repeat(40_000), 100)] {
        let body = whole(&text);
        let report = laws::report(signalbox_core::Usage::default());
        let extras = Extras::default();
        let nanos = time(20, calls, || {
            let read =
                answer::read_unary(WireDialect::OpenaiChat, black_box(body.clone())).unwrap();
            let skin = Skin::new(AnswerStyle::Chat, RelayOptions::default());
            black_box(answer::write_unary(&skin, &read, &identity, &report, &extras));
        });
        println!("answer of {} bytes: {:.2} µs", body.len(), nanos / 1000.0);
    }
}
