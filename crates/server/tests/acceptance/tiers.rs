//! Service tiers and speed (inference spec 18.1).

use serde_json::{Value, json};
use signalbox_testkit::{Offer, Stand, TestServer};

use crate::speech::{Answered, ask, typed_error, with};

/// Sends a body and gives the answer.
async fn served(server: &TestServer, body: &Value) -> Answered {
    Answered::read(&server.caller().chat(body).await)
}

/// Two rows of one model of one provider, of which one is the fast one, and a stranger whose name
/// only looks like it.
fn twins(fast: &str) -> Offer {
    let row = |behaviour: &str, each: &str| {
        Stand::new("a", behaviour).with("pricing", json!({"prompt": each, "completion": each}))
    };
    Offer::new()
        .model("acme/big", [row("tokens-3", "0.000001"), Stand::new("b", fast)])
        .model(
            "acme/big-fast",
            [Stand::new("b", fast)
                .with("pricing", json!({"prompt": "0.000006", "completion": "0.000006"}))],
        )
        .model("acme/small", [row("tokens-3", "0.000001")])
        .model("acme/small-fast", [Stand::new("c", "tokens-2")])
}

#[tokio::test]
async fn speed_leads_to_the_fast_twin_of_a_model_and_back_when_it_fails() {
    for (fast, model) in [("tokens-4", "acme/big-fast"), ("status-503", "acme/big")] {
        let server = TestServer::start(twins(fast)).await;
        for (member, word) in
            [("speed", "fast"), ("service_tier", "fast"), ("service_tier", "priority")]
        {
            let body = with(ask("acme/big", false), member, json!(word));
            assert_eq!(served(&server, &body).await.model, model, "{member} {word}");
            let body = with(ask("acme/small", false), member, json!(word));
            assert_eq!(served(&server, &body).await.model, "acme/small", "no twin");
        }
        for word in ["flex", "default", "auto"] {
            let body = with(ask("acme/big", false), "service_tier", json!(word));
            assert_eq!(served(&server, &body).await.model, "acme/big");
        }
        // Both of two members that disagree are heard.
        let body = with(ask("acme/big", false), "speed", json!("fast"));
        let body = with(body, "service_tier", json!("default"));
        assert_eq!(served(&server, &body).await.model, model);
        server.closes_clean().await;
    }
    let server = TestServer::start(twins("status-503")).await;
    let body = with(ask("acme/big", false), "speed", json!("fast"));
    let body = with(body, "provider", json!({"allow_fallbacks": false}));
    typed_error(&server.caller().chat(&body).await, 503, "provider_overloaded");
    server.closes_clean().await;
}
