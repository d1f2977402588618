//! `POST /byok/probe`: what a provider says to a key that is only tried.

use std::time::Duration;

use serde_json::{Value, json};
use signalbox_core::{Timeouts, Usd};
use signalbox_gateway::Reach;
use signalbox_testkit::{Offer, Reply, Setup, Stand, TestServer, refused};

use crate::reference::conforms;
use crate::site::told;

const PROBE: &str = "/api/v1/byok/probe";
/// What must never be seen again.
const CANARY: &str = "CANARY-0123456789";

/// What a provider answers is what the key says; `gone` is a provider where nobody listens.
async fn start(reach: Reach) -> TestServer {
    let row = |name: &str| json!({"name": name, "transport": "bearer"});
    let azure =
        json!({"name": "Dep", "speaks": [{"dialect": "openai-chat", "transport": "azure"}]});
    let offer = Offer::new()
        .provider("openai", row("OpenAI"))
        .provider("gone", row("Gone"))
        .provider_at("gone", &refused().await)
        .provider("dep", azure)
        .model("acme/one", [Stand::new("openai", "as-key")])
        .model(
            "acme/dear",
            [Stand::new("openai", "status-500")
                .with("pricing", json!({"prompt": "0.001", "completion": "0.002"}))],
        )
        .model("acme/gone", [Stand::new("gone", "tokens-5")])
        .model("acme/dep", [Stand::new("dep", "tokens-5")]);
    let timeouts = Timeouts { first_content: Duration::from_millis(400), ..Timeouts::default() };
    TestServer::start_as(offer, Setup { timeouts, reach, ..Setup::default() }).await
}

async fn probe(server: &TestServer, provider: &str, key: &str) -> Reply {
    server.manager().post(PROBE, &json!({"provider": provider, "key": key})).await
}

/// What a provider said.
async fn outcome(server: &TestServer, provider: &str, key: &str) -> Value {
    let reply = probe(server, provider, key).await;
    let body = told(&reply, 200);
    conforms("POST", "/byok/probe", 200, &body);
    assert!(!body.to_string().contains("CANARY"), "{body}");
    body["data"].clone()
}

fn sent(server: &TestServer) -> Vec<String> {
    let entries = server.journal().entries();
    entries.into_iter().map(|one| one.authorization.unwrap_or_default()).collect()
}

#[tokio::test]
async fn a_key_is_tried_at_the_provider_and_its_status_told() {
    let server = start(Reach::PublicOnly).await;
    for status in [200, 401, 402, 403, 429, 500, 503] {
        let key = if status == 200 {
            format!("tokens-1+{CANARY}")
        } else {
            format!("status-{status}+{CANARY}")
        };
        let found = outcome(&server, "openai", &key).await;
        assert_eq!((&found["ok"], &found["status"]), (&json!(status == 200), &json!(status)));
        assert_eq!((&found["model"], &found["problem"]), (&json!("acme/one"), &Value::Null));
        assert!(found["latency_ms"].is_u64());
        assert_eq!(sent(&server).last().unwrap(), &format!("Bearer {key}"), "once, with that key");
    }
    assert_eq!(sent(&server).len(), 7);
    let asked = server.journal().entries().pop().unwrap().body.unwrap();
    assert!(asked["max_tokens"].as_u64().unwrap() <= 16, "{asked}");
    // As the same provider is written elsewhere, and with what people paste.
    assert_eq!(outcome(&server, "OpenAI", " tokens-1 \n").await["ok"], true);
    // Nothing of it stays: no key, no bill, no memory of a refusal.
    assert_eq!(told(&server.manager().get("/api/v1/byok").await, 200)["total_count"], 0);
    assert_eq!(server.balance().await.charged, Usd::ZERO);
    let log = told(&server.manager().get("/api/v1/audit-log?limit=100").await, 200);
    assert!(!log.to_string().contains("CANARY") && !log.to_string().contains("byok"), "{log}");
    assert_eq!(outcome(&server, "openai", "tokens-1").await["ok"], true);
    server.closes_clean().await;
}

#[tokio::test]
async fn a_provider_that_says_nothing_has_no_status() {
    let server = start(Reach::PublicOnly).await;
    for (provider, key, model, problem) in [
        ("openai", format!("hang+{CANARY}"), json!("acme/one"), "within"),
        ("gone", CANARY.to_owned(), json!("acme/gone"), "connection"),
    ] {
        let found = outcome(&server, provider, &key).await;
        assert_eq!((&found["ok"], &found["status"]), (&json!(false), &Value::Null), "{found}");
        assert_eq!(found["model"], model);
        let text = found["problem"].as_str().unwrap();
        assert!(text.contains(problem), "{text}");
    }
    // A provider of the public API that nobody has set up here has no model to ask.
    let found = outcome(&server, "databricks", CANARY).await;
    assert_eq!((&found["status"], &found["model"]), (&Value::Null, &Value::Null));
    server.closes_clean().await;
}

#[tokio::test]
async fn a_probe_leads_nobody_inside() {
    let own = start(Reach::PublicOnly).await;
    let home = |server: &TestServer, host: &str| {
        let url = server.simulated().replace("127.0.0.1", host);
        let one = json!({"model_slug": "acme/dep", "model_id": "tokens-2", "api_key": CANARY,
            "endpoint_url": format!("{url}/chat/completions?api-version=1")});
        json!([one]).to_string()
    };
    for host in ["127.0.0.1", "localhost", "[::ffff:127.0.0.1]", "2130706433", "0.0.0.0"] {
        let reply = probe(&own, "dep", &home(&own, host)).await;
        let body = reply.json();
        let text = body.to_string();
        assert!(!text.contains("CANARY"), "{text}");
        match reply.status {
            400 => {}
            200 => {
                assert_eq!(body["data"]["status"], Value::Null, "{host}: {text}");
                assert_eq!(body["data"]["ok"], false);
            }
            other => panic!("{host}: {other}"),
        }
    }
    assert_eq!(sent(&own), [""; 0], "nobody was called");
    // Where the operator says that it is fine, it is.
    let open = start(Reach::also(vec!["127.0.0.1/32".parse().unwrap()])).await;
    let found = outcome(&open, "dep", &home(&open, "127.0.0.1")).await;
    assert_eq!((&found["ok"], &found["status"]), (&json!(true), &json!(200)), "{found}");
    assert_eq!(sent(&open), [CANARY]);
    own.closes_clean().await;
    open.closes_clean().await;
}

#[tokio::test]
async fn a_probe_that_can_not_be_is_refused_and_so_are_too_many() {
    let server = start(Reach::PublicOnly).await;
    let manager = server.manager();
    for (wish, text) in [
        (json!({"provider": "openai"}), "key"),
        (json!({"key": CANARY}), "provider"),
        (json!({"provider": "nobody", "key": CANARY}), "nobody"),
        (json!({"provider": "openai", "key": ""}), "key"),
        (json!({"provider": "openai", "key": "CANARY two words"}), "key"),
        (json!({"provider": "openai", "key": {"api_key": CANARY}}), "written as a text"),
        (json!({"provider": "openai", "key": CANARY.repeat(3_000)}), "key"),
        (json!({"provider": "dep", "key": "[]"}), "key"),
        (json!({"provider": "openai", "key": CANARY, "model": "acme/dear"}), "model"),
    ] {
        let refused = told(&manager.post(PROBE, &wish).await, 400);
        let message = refused["error"]["message"].as_str().unwrap();
        assert!(message.contains(text) && !message.contains("CANARY"), "{wish}: {message}");
    }
    let wish = json!({"provider": "openai", "key": "tokens-1"});
    told(&server.caller().post(PROBE, &wish).await, 403);
    told(&server.caller().with_key("sk-or-v1-nobody").post(PROBE, &wish).await, 401);
    assert_eq!(sent(&server), [""; 0]);
    let mut answers = 0;
    let limited = loop {
        let reply = manager.post(PROBE, &wish).await;
        if reply.status != 200 {
            break reply;
        }
        answers += 1;
        assert!(answers < 100, "somebody may try as many keys as there are");
    };
    told(&limited, 429);
    assert_eq!(sent(&server).len(), answers);
    server.closes_clean().await;
}
