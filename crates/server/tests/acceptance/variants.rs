//! Suffixes of slugs and moving aliases (inference spec 7, 8.6).

use serde_json::{Value, json};
use signalbox_testkit::{Offer, Stand, TestServer};

use crate::speech::{Answered, ask, typed_error, with};

/// Throughput and latency figures of an endpoint.
pub fn speed(tokens_per_second: f64) -> Value {
    let all = |value: f64| json!({"p50": value, "p75": value, "p90": value, "p99": value});
    json!({"latency": all(300.0), "throughput": all(tokens_per_second), "requests": 1000})
}

fn price(prompt: &str, completion: &str) -> Value {
    json!({"prompt": prompt, "completion": completion})
}

fn shop() -> Offer {
    Offer::new().model(
        "acme/m",
        [
            Stand::new("cheap", "tokens-3")
                .with("pricing", price("0.000001", "0.000001"))
                .with("perf_30m", speed(10.0)),
            Stand::new("quick", "tokens-3")
                .with("pricing", price("0.000009", "0.000009"))
                .with("perf_30m", speed(900.0)),
        ],
    )
}

#[tokio::test]
async fn nitro_is_the_fastest_and_floor_the_cheapest_and_the_last_of_both_counts() {
    let server = TestServer::start(shop()).await;
    for (slug, provider) in [
        ("acme/m:nitro", "Provider quick"),
        ("acme/m:floor", "Provider cheap"),
        ("acme/m:nitro:floor", "Provider cheap"),
        ("acme/m:floor:nitro", "Provider quick"),
        ("acme/m:floor:floor", "Provider cheap"),
    ] {
        for _ in 0..4 {
            let answer = Answered::read(&server.caller().chat(&ask(slug, false)).await);
            assert_eq!((answer.provider.as_str(), answer.model.as_str()), (provider, "acme/m"));
        }
    }
    // What the request says wins over its suffix.
    let body = with(ask("acme/m:nitro", false), "provider", json!({"sort": "price"}));
    let answer = Answered::read(&server.caller().chat(&body).await);
    assert_eq!(answer.provider, "Provider cheap");
    server.closes_clean().await;
}

#[tokio::test]
async fn a_variant_counts_for_its_own_entry_of_the_list() {
    let server =
        TestServer::start(shop().model("acme/gone", [Stand::new("off", "status-503")])).await;
    let body = with(ask("acme/gone:floor", false), "models", json!(["acme/m:nitro"]));
    let answer = Answered::read(&server.caller().chat(&body).await);
    assert_eq!((answer.model.as_str(), answer.provider.as_str()), ("acme/m", "Provider quick"));
    server.closes_clean().await;
}

#[tokio::test]
async fn an_unknown_suffix_is_no_model() {
    let server = TestServer::start(shop()).await;
    for slug in ["acme/m:turbo", "acme/m:nitro:turbo", "acme/m:extended", "acme/m:thinking"] {
        let reply = server.caller().chat(&ask(slug, false)).await;
        let error = typed_error(&reply, 400, "invalid_request");
        assert_eq!(error["availability"]["code"], "model_not_found", "{slug}: {error}");
        assert_eq!(error["availability"]["requested_models"], json!([slug]));
        if slug.ends_with("extended") || slug.ends_with("thinking") {
            assert_eq!(error["availability"]["fallback_models"], json!(["acme/m"]), "{slug}");
        }
    }
    let reply = server.caller().chat(&ask("acme/m:free:nitro", false)).await;
    let error = typed_error(&reply, 404, "not_found");
    assert_eq!(error["availability"]["code"], "free_variant_ended");
    assert_eq!(error["availability"]["fallback_models"], json!(["acme/m"]));
    server.closes_clean().await;
}

#[tokio::test]
async fn online_says_that_it_comes_with_plugins() {
    let server = TestServer::start(
        shop().model("acme/m:free", [Stand::new("gratis", "tokens-2").with("free", json!(true))]),
    )
    .await;
    for slug in ["acme/m:online", "acme/m:free:online", "acme/m:online:nitro"] {
        let error =
            typed_error(&server.caller().chat(&ask(slug, false)).await, 400, "invalid_request");
        let message = error["message"].as_str().unwrap();
        assert!(message.contains("plugins") && message.contains(":online"), "{message}");
    }
    // The free row is a row of its own, which takes suffixes too.
    let answer = Answered::read(&server.caller().chat(&ask("acme/m:free:nitro", false)).await);
    assert_eq!((answer.model.as_str(), answer.cost().nanos()), ("acme/m:free", 0));
    server.closes_clean().await;
}

fn thinker() -> Value {
    json!({"reasoning": {"mandatory": false, "supported_efforts": ["high", "medium", "low"]}})
}

#[tokio::test]
async fn thinking_switches_reasoning_on_unless_the_request_says_otherwise() {
    let stand = |name: &str| Stand::new("p", name);
    let server = TestServer::start(
        Offer::new().model_with("acme/mind", thinker(), [stand("status-503-a")]).model_with(
            "acme/other",
            thinker(),
            [stand("tokens-2")],
        ),
    )
    .await;
    let sent = async |body: Value| {
        server.caller().chat(&body).await;
        server.journal().entries().last().unwrap().body.clone().unwrap()
    };
    let plain = sent(ask("acme/other", false)).await;
    assert_eq!(plain.get("reasoning_effort"), None, "{plain}");
    let thinking = sent(ask("acme/other:thinking", false)).await;
    assert_eq!(thinking["reasoning_effort"], "medium", "{thinking}");
    let own = with(ask("acme/other:thinking", false), "reasoning", json!({"effort": "low"}));
    assert_eq!(sent(own).await["reasoning_effort"], "low");
    // It counts for its own entry alone.
    let list = with(ask("acme/mind:thinking", false), "models", json!(["acme/other"]));
    let second = sent(list).await;
    assert_eq!(
        (second["model"].as_str(), second.get("reasoning_effort")),
        (Some("tokens-2"), None)
    );
    server.closes_clean().await;
}

/// The built-in catalogue, in which the simulator serves this model in place of its provider.
fn built_in(model: &str, members: Value) -> Offer {
    let stand = Stand::new("sim", "tokens-2").with("perf_30m", speed(50.0));
    Offer::new().embedded().model_with(model, members, [stand])
}

/// A request without reasoning, in each of the ways to say so.
fn without_reasoning(model: &str) -> [Value; 3] {
    [
        with(ask(model, false), "reasoning_effort", json!("none")),
        with(ask(model, false), "reasoning", json!({"enabled": false})),
        with(ask(model, false), "reasoning", json!({"max_tokens": 0})),
    ]
}

#[tokio::test]
async fn g42_an_alias_of_what_must_reason_takes_the_lowest_effort_a_concrete_slug_is_refused() {
    let server = TestServer::start(built_in("x-ai/grok-4.5", json!({}))).await;
    let efforts = ["low", "low", "medium"];
    for (body, effort) in without_reasoning("~x-ai/grok-latest").into_iter().zip(efforts) {
        let answer = Answered::read(&server.caller().chat(&body).await);
        assert_eq!(answer.model, "x-ai/grok-4.5");
        let sent = server.journal().entries().last().unwrap().body.clone().unwrap();
        assert_eq!(sent["reasoning_effort"], effort, "{body}");
        assert_eq!(sent.get("reasoning"), None, "{sent}");
    }
    for body in without_reasoning("x-ai/grok-4.5") {
        typed_error(&server.caller().chat(&body).await, 400, "invalid_request");
    }
    // Suffixes combine with it, and efforts that a model does not know become the nearest, whatever
    // it was called by.
    for slug in ["~x-ai/grok-latest:nitro", "x-ai/grok-4.5"] {
        let body = with(ask(slug, false), "reasoning_effort", json!("xhigh"));
        assert_eq!(Answered::read(&server.caller().chat(&body).await).model, "x-ai/grok-4.5");
        let sent = server.journal().entries().last().unwrap().body.clone().unwrap();
        assert_eq!(sent["reasoning_effort"], "high");
    }
    server.closes_clean().await;
}

#[tokio::test]
async fn an_alias_leads_to_the_newest_visible_model_of_its_family() {
    let newer = Offer::new().embedded().model_with(
        "x-ai/grok-99",
        json!({"created": 4_000_000_000_u64}),
        [Stand::new("sim", "tokens-2")],
    );
    let server = TestServer::start(newer).await;
    let answer = Answered::read(&server.caller().chat(&ask("~x-ai/grok-latest", false)).await);
    assert_eq!(answer.model, "x-ai/grok-99");
    assert_eq!(server.generation(&answer.id).await.model, "x-ai/grok-99");
    server.closes_clean().await;
    let hidden = json!({"created": 4_000_000_000_u64, "public": false});
    let hidden =
        Offer::new().embedded().model_with("x-ai/grok-99", hidden, [Stand::new("sim", "tokens-2")]);
    let server = TestServer::start(hidden).await;
    let reply = server.caller().chat(&ask("~x-ai/grok-latest", false)).await;
    let error = typed_error(&reply, 404, "not_found");
    assert_eq!(error["availability"]["code"], "no_endpoints", "nobody serves grok-4.5 here");
    server.closes_clean().await;
}
