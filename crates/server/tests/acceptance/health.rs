//! What is measured of endpoints (inference spec 5.3, 5.5, A.3; platform spec 15.7, 15.8).

use std::time::Duration;

use serde_json::{Value, json};
use signalbox_core::Timestamp;
use signalbox_runtime::Clock;
use signalbox_testkit::{Offer, Stand, TestServer, eventually};

use crate::speech::{Answered, ask, with};

/// What an endpoint does, whether it is asked for a stream, and whether that counts against it.
const ENDINGS: [(&str, bool, bool); 12] = [
    ("status-401", false, true),
    ("status-402", false, true),
    ("status-404", false, true),
    ("status-500", false, true),
    ("status-503", true, true),
    ("tokens-9+error-inband-3", true, true),
    ("tokens-9+cut-after-3", true, true),
    ("error-inband-0", true, true),
    ("status-400", false, false),
    ("status-403", false, false),
    ("status-413", false, false),
    ("status-429-retry-7", false, false),
];

/// The first endpoint of a model, as listed for a caller with a key.
async fn listed(server: &TestServer, model: &str) -> Value {
    let answer = server.caller().get(&format!("/api/v1/models/{model}/endpoints")).await;
    assert_eq!(answer.status, 200);
    answer.json()["data"]["endpoints"][0].clone()
}

#[tokio::test]
async fn g27_uptime_counts_what_is_the_endpoints_fault_and_nothing_else() {
    let mut offer = Offer::new();
    for (place, (behaviour, ..)) in ENDINGS.iter().enumerate() {
        let (bad, good) = (format!("bad{place}"), format!("good{place}"));
        let stands = [Stand::new(&bad, behaviour), Stand::new(&good, "tokens-1")];
        offer = offer.model(&format!("acme/m{place}"), stands);
    }
    let clock = Clock::manual(Timestamp::from_seconds(1_800_000_000));
    let server = TestServer::start_at(offer, "100", clock.clone()).await;
    let caller = server.caller();
    for round in 0..100 {
        if round == 99 {
            let early = listed(&server, "acme/m0").await;
            assert_eq!(early["uptime_last_1d"], Value::Null, "ninety-nine requests");
        }
        // Long enough for every ejection and rest to be over.
        clock.advance(Duration::from_secs(610));
        let requests = ENDINGS.iter().enumerate().map(|(place, (_, stream, _))| {
            let order = json!({"order": [format!("bad{place}")]});
            with(ask(&format!("acme/m{place}"), *stream), "provider", order)
        });
        for body in requests {
            let _ = caller.chat(&body).await;
        }
    }
    clock.advance(Duration::from_secs(1));
    for (place, (behaviour, _, counts)) in ENDINGS.iter().enumerate() {
        let row = listed(&server, &format!("acme/m{place}")).await;
        let expected = if *counts { json!(0.0) } else { Value::Null };
        assert_eq!(row["uptime_last_1d"], expected, "{behaviour}");
        let measured = server.measured(&format!("acme/m{place}"));
        let limited = if behaviour.starts_with("status-429") { 100 } else { 0 };
        assert_eq!(measured.limited_1d, limited, "{behaviour}");
    }
    server.closes_clean().await;
}

#[tokio::test]
async fn a_restart_keeps_what_was_measured_as_old_as_it_is() {
    let clock = Clock::manual(Timestamp::from_seconds(1_800_000_000));
    let offer =
        || Offer::new().model("acme/one", [Stand::new("a", "tokens-20")]).model("acme/two", []);
    let server = TestServer::start_at(offer(), "100", clock.clone()).await;
    for _ in 0..120 {
        Answered::read(&server.caller().chat(&ask("acme/one", true)).await);
        clock.advance(Duration::from_millis(10));
    }
    server.settled().await;
    clock.advance(Duration::from_secs(1));
    let before = listed(&server, "acme/one").await;
    for member in ["uptime_last_5m", "uptime_last_30m", "uptime_last_1d"] {
        assert_eq!(before[member], json!(100.0), "{before}");
    }
    let (latency, throughput) = (&before["latency_last_30m"], &before["throughput_last_30m"]);
    assert!(latency["p50"].as_f64() <= latency["p99"].as_f64(), "{before}");
    assert!(throughput["p50"].as_f64() >= throughput["p99"].as_f64(), "{before}");
    let mut without_key = server.caller().without("authorization");
    without_key = without_key.with("accept", "application/json");
    let hidden = without_key.get("/api/v1/models/acme/one/endpoints").await.json();
    let hidden = hidden["data"]["endpoints"][0].clone();
    assert_eq!(
        (&hidden["latency_last_30m"], &hidden["uptime_last_5m"]),
        (&Value::Null, &json!(100.0))
    );

    clock.advance(Duration::from_secs(600));
    let server = server.restarted(offer(), clock.clone()).await;
    let after = listed(&server, "acme/one").await;
    assert_eq!(after["uptime_last_5m"], Value::Null, "ten minutes old");
    for member in ["uptime_last_30m", "latency_last_30m", "throughput_last_30m"] {
        assert_eq!(after[member], before[member], "{member}");
    }
    server.closes_clean().await;
}

/// A provider's dialect, and the client's path and body for a request with one tool.
type Road = (&'static str, &'static str, fn(&str, bool, Value) -> Value);

fn chat(model: &str, stream: bool, schema: Value) -> Value {
    let tool = json!({"type": "function", "function": {"name": "look", "parameters": schema}});
    with(ask(model, stream), "tools", json!([tool]))
}

fn messages(model: &str, stream: bool, schema: Value) -> Value {
    with(ask(model, stream), "tools", json!([{"name": "look", "input_schema": schema}]))
}

fn responses(model: &str, stream: bool, schema: Value) -> Value {
    json!({
        "model": model, "stream": stream, "input": "Say something, please.",
        "tools": [{"type": "function", "name": "look", "parameters": schema}],
    })
}

const ROADS: [Road; 9] = [
    ("openai-chat", "/api/v1/chat/completions", chat),
    ("anthropic-messages", "/api/v1/messages", messages),
    ("openai-responses", "/api/v1/responses", responses),
    ("anthropic-messages", "/api/v1/chat/completions", chat),
    ("openai-responses", "/api/v1/chat/completions", chat),
    ("gemini", "/api/v1/chat/completions", chat),
    ("bedrock-converse", "/api/v1/chat/completions", chat),
    ("cohere-v2", "/api/v1/responses", responses),
    ("openai-chat", "/api/v1/messages", messages),
];

#[tokio::test]
async fn bad_tool_calls_are_counted_in_every_dialect_streamed_or_not() {
    let mut offer = Offer::new();
    for (place, (dialect, ..)) in ROADS.iter().enumerate() {
        let slug = format!("p{place}");
        let row = json!({"supported_parameters": ["tools", "tool_choice", "max_tokens"]});
        let stand = Stand::new(&slug, "tools")
            .with("supported_parameters", row["supported_parameters"].clone());
        offer = offer.speaking(&slug, dialect).model(&format!("acme/m{place}"), [stand]);
    }
    let server = TestServer::start(offer).await;
    let schema = |pattern: &str| {
        json!({
            "type": "object", "required": ["place"],
            "properties": {"place": {"type": "string", "pattern": pattern}},
        })
    };
    for (place, (dialect, path, body)) in ROADS.iter().enumerate() {
        let model = format!("acme/m{place}");
        for stream in [false, true] {
            // The simulator fills schemas in, but does not understand patterns.
            for pattern in ["", "^no such place$"] {
                let reply =
                    server.caller().post(path, &body(&model, stream, schema(pattern))).await;
                let said = String::from_utf8_lossy(&reply.body).into_owned();
                assert_eq!(reply.status, 200, "{dialect} {path}: {said}");
                assert!(said.contains("look"), "{dialect} {path}: {said}");
            }
        }
        eventually(Duration::from_secs(5), "the verdicts", async || {
            let measured = server.measured(&model);
            let found = (measured.tool_requests_2h, measured.tool_faults_2h);
            (found == (4, 2)).then_some(())
        })
        .await;
    }
    server.closes_clean().await;
}
