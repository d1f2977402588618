//! Service tiers and speed (inference spec 18.1).

use serde_json::{Value, json};
use signalbox_testkit::{Offer, Stand, TestServer};

use crate::speech::{Answered, ask, typed_error, with};
use crate::variants::speed;

/// A default endpoint at a millionth of a dollar a token, and one of a tier at ten or half of it.
fn shop(tier: &str, behaviour: &str) -> Offer {
    let price = |each: &str| json!({"prompt": each, "completion": each});
    let tiered = if tier == "priority" { ("0.00001", 900.0) } else { ("0.0000005", 5.0) };
    Offer::new().model(
        "acme/m",
        [
            Stand::new("a", "tokens-3")
                .with("pricing", price("0.000001"))
                .with("perf_30m", speed(50.0)),
            Stand::new("a", behaviour)
                .with("tier", json!(tier))
                .with("pricing", price(tiered.0))
                .with("perf_30m", speed(tiered.1)),
        ],
    )
}

/// Sends a body and gives the answer, its raw JSON and what the provider was sent last.
async fn served(server: &TestServer, body: &Value) -> (Answered, Value, Value) {
    let reply = server.caller().chat(body).await;
    let answer = Answered::read(&reply);
    let sent = server.journal().entries().last().unwrap().body.clone().unwrap();
    (answer, reply.json(), sent)
}

/// Nanodollars of an answer at this price for every token.
fn at(answer: &Answered, nanos: i64) -> i64 {
    (answer.usage["prompt_tokens"].as_i64().unwrap() + 3) * nanos
}

#[tokio::test]
async fn g35_nitro_admits_the_priority_tier_unless_order_or_the_default_tier_is_asked_for() {
    let server = TestServer::start(shop("priority", "tokens-3")).await;
    let (answer, body, sent) = served(&server, &ask("acme/m:nitro", false)).await;
    assert_eq!(sent["service_tier"], "priority");
    assert_eq!(body["service_tier"], "priority");
    assert_eq!(answer.cost().nanos(), at(&answer, 10_000));
    let row = server.generation(&answer.id).await;
    assert_eq!(row.service_tier.as_deref(), Some("priority"));
    for (member, value) in [
        ("provider", json!({"order": ["a"]})),
        ("service_tier", json!("default")),
        ("speed", json!("standard")),
    ] {
        let (answer, body, sent) =
            served(&server, &with(ask("acme/m:nitro", false), member, value)).await;
        assert_eq!(sent.get("service_tier"), None, "{sent}");
        assert!(body.get("service_tier").is_none_or(Value::is_null), "{body}");
        assert_eq!(answer.cost().nanos(), at(&answer, 1_000));
    }
    server.closes_clean().await;
}

#[tokio::test]
async fn without_a_wish_no_other_tier_than_the_default_one_is_used() {
    let server = TestServer::start(shop("flex", "tokens-3")).await;
    for tier in [Value::Null, json!("auto"), json!("scale"), json!("default")] {
        let body = with(ask("acme/m", false), "service_tier", tier);
        let (answer, _, sent) = served(&server, &body).await;
        assert_eq!(sent.get("service_tier"), None, "{sent}");
        assert_eq!(answer.cost().nanos(), at(&answer, 1_000));
    }
    let (answer, body, _) = served(&server, &ask("acme/m:floor", false)).await;
    assert_eq!(
        (body["service_tier"].as_str(), answer.cost().nanos()),
        (Some("flex"), at(&answer, 500))
    );
    server.closes_clean().await;
}

#[tokio::test]
async fn priority_has_four_names_and_falls_back_to_the_default_tier() {
    for behaviour in ["tokens-3", "status-503"] {
        let server = TestServer::start(shop("priority", behaviour)).await;
        let served_by_tier = behaviour == "tokens-3";
        for (member, word) in
            [("service_tier", "priority"), ("service_tier", "fast"), ("speed", "fast")]
        {
            let body = with(ask("acme/m", false), member, json!(word));
            let (answer, body, _) = served(&server, &body).await;
            let nanos = if served_by_tier { 10_000 } else { 1_000 };
            assert_eq!(answer.cost().nanos(), at(&answer, nanos), "{member} {word}");
            assert_eq!(body["service_tier"].as_str(), served_by_tier.then_some("priority"));
        }
        server.closes_clean().await;
    }
}

#[tokio::test]
async fn priority_without_fallbacks_is_the_priority_tier_alone() {
    let server = TestServer::start(shop("priority", "status-503")).await;
    let body = with(ask("acme/m", false), "service_tier", json!("priority"));
    let body = with(body, "provider", json!({"allow_fallbacks": false}));
    typed_error(&server.caller().chat(&body).await, 503, "provider_overloaded");
    server.closes_clean().await;
}

#[tokio::test]
async fn g88_flex_that_has_no_room_says_so_and_a_model_without_flex_is_served_as_usual() {
    let server = TestServer::start(
        shop("flex", "status-429").model("acme/plain", [Stand::new("b", "tokens-3")]),
    )
    .await;
    let body = with(ask("acme/plain", false), "service_tier", json!("flex"));
    let (_, answer, sent) = served(&server, &body).await;
    assert_eq!(sent.get("service_tier"), None);
    assert!(answer.get("service_tier").is_none_or(Value::is_null), "{answer}");
    let flex = with(ask("acme/m", false), "service_tier", json!("flex"));
    let error = typed_error(&server.caller().chat(&flex).await, 429, "rate_limit_exceeded");
    assert_eq!(error["availability"]["code"], "capacity_exhausted");
    let default = server.journal().entries().iter().filter(|one| one.model == "tokens-3").count();
    assert_eq!(default, 1, "only the model without flex was served by a default endpoint");
    server.closes_clean().await;
}

#[tokio::test]
async fn the_tier_that_served_is_told_on_every_surface() {
    let server = TestServer::start(shop("priority", "tokens-3")).await;
    let messages = json!([{"role": "user", "content": "Hi"}]);
    let body = json!({"model": "acme/m:nitro", "max_tokens": 50, "messages": messages});
    let reply = server.caller().post("/api/v1/messages", &body).await.json();
    assert_eq!(reply["usage"]["service_tier"], "priority", "{reply}");
    let body = json!({"model": "acme/m", "input": "Hi", "speed": "fast"});
    let reply = server.caller().post("/api/v1/responses", &body).await.json();
    assert_eq!(reply["service_tier"], "priority", "{reply}");
    let body = json!({"model": "acme/m", "max_tokens": 50, "messages": messages, "speed": "fast"});
    let reply = server.caller().post("/api/v1/messages", &body).await.json();
    assert_eq!(reply["usage"]["service_tier"], "priority", "{reply}");
    server.closes_clean().await;
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
            assert_eq!(served(&server, &body).await.0.model, model, "{member} {word}");
            let body = with(ask("acme/small", false), member, json!(word));
            assert_eq!(served(&server, &body).await.0.model, "acme/small", "no twin");
        }
        for word in ["flex", "default", "auto"] {
            let body = with(ask("acme/big", false), "service_tier", json!(word));
            assert_eq!(served(&server, &body).await.0.model, "acme/big");
        }
        // Both of two members that disagree are heard.
        let body = with(ask("acme/big", false), "speed", json!("fast"));
        let body = with(body, "service_tier", json!("default"));
        assert_eq!(served(&server, &body).await.0.model, model);
        server.closes_clean().await;
    }
    let server = TestServer::start(twins("status-503")).await;
    let body = with(ask("acme/big", false), "speed", json!("fast"));
    let body = with(body, "provider", json!({"allow_fallbacks": false}));
    typed_error(&server.caller().chat(&body).await, 503, "provider_overloaded");
    server.closes_clean().await;
}
