//! Routers: slugs that choose a model (inference spec 8.1 to 8.3).

use std::collections::BTreeSet;
use std::sync::atomic::{AtomicU32, Ordering};

use serde_json::{Value, json};
use signalbox_core::Plans;
use signalbox_testkit::{Offer, Setup, Stand, TestServer};

use crate::speech::{Answered, ask, typed_error, with};
use crate::variants::speed;

const NOBODY: &str = "No models match your request and model restrictions";

/// An endpoint at this price in dollars for a million tokens, and this speed.
fn stand(behaviour: &str, price: f64, tokens_per_second: f64) -> Stand {
    let each = format!("{:.12}", price / 1e6);
    Stand::new("sim", behaviour)
        .with("pricing", json!({"prompt": each, "completion": each}))
        .with("perf_30m", speed(tokens_per_second))
}

/// The members of a model that measurers know.
fn scores(intelligence: f64, coding: f64) -> Value {
    let scores = json!({"intelligence": intelligence, "coding": coding, "agentic": coding});
    json!({"benchmarks": scores, "created": 1})
}

/// Two models in each third by how well they code, on top of the built-in catalogue, whose own models
/// nobody serves here. Names are the tier; the dearer one is faster.
fn coders() -> Offer {
    let offer = Offer::new().embedded();
    let tier = |offer: Offer, name: &str, coding: f64, price: f64| {
        offer
            .model_with(
                &format!("acme/{name}-slow"),
                scores(50.0, coding),
                [stand("tokens-2", price, 10.0)],
            )
            .model_with(
                &format!("acme/{name}-quick"),
                scores(50.0, coding + 0.5),
                [stand("tokens-2", price * 2.0, 500.0)],
            )
    };
    let offer = tier(offer, "high", 75.0, 10.0);
    let offer = tier(offer, "medium", 35.0, 2.0);
    tier(offer, "low", 4.0, 0.1)
}

fn code(slug: &str, settings: Value) -> Value {
    let mut entry = json!({"id": "pareto-router"});
    if let (Some(entry), Value::Object(settings)) = (entry.as_object_mut(), settings) {
        entry.extend(settings);
    }
    with(ask(slug, false), "plugins", json!([entry]))
}

/// The model that answers a conversation of its own.
async fn model(server: &TestServer, body: &Value) -> String {
    static CONVERSATIONS: AtomicU32 = AtomicU32::new(0);
    let session = format!("s{}", CONVERSATIONS.fetch_add(1, Ordering::Relaxed));
    let body = with(body.clone(), "session_id", json!(session));
    Answered::read(&server.caller().chat(&body).await).model
}

#[tokio::test]
async fn g39_pareto_takes_the_cheapest_of_the_tier_and_nitro_the_fastest() {
    let server = TestServer::start(coders()).await;
    for (settings, tier) in [
        (json!({}), "high"),
        (json!({"min_coding_score": 0.66}), "high"),
        (json!({"min_coding_score": 0.5}), "medium"),
        (json!({"min_coding_score": 0.33}), "medium"),
        (json!({"min_coding_score": 0}), "low"),
        (json!({"min_coding_score": 0.5, "enabled": false}), "high"),
    ] {
        let slow = model(&server, &code("openrouter/pareto-code", settings.clone())).await;
        assert_eq!(slow, format!("acme/{tier}-slow"), "{settings}");
        let quick = model(&server, &code("openrouter/pareto-code:nitro", settings.clone())).await;
        assert_eq!(quick, format!("acme/{tier}-quick"), "{settings}");
    }
    // With a cap there are no tiers: the best up to that price.
    for (cap, expected) in [(20.0, "high-quick"), (10.0, "high-slow"), (3.0, "medium-slow")] {
        let found =
            model(&server, &code("openrouter/pareto-code", json!({"max_price": cap}))).await;
        assert_eq!(found, format!("acme/{expected}"), "{cap}");
    }
    let body = code("openrouter/pareto-code", json!({"max_price": 0.01}));
    let error = typed_error(&server.caller().chat(&body).await, 404, "not_found");
    assert_eq!(error["message"], NOBODY);
    let body = code("openrouter/pareto-code", json!({"min_coding_score": 2}));
    typed_error(&server.caller().chat(&body).await, 400, "invalid_request");
    server.closes_clean().await;
}

#[tokio::test]
async fn a_missing_tier_gives_way_to_its_neighbour_and_a_failing_model_to_one_of_its_tier() {
    let low = Offer::new().embedded().model_with(
        "acme/low",
        scores(50.0, 4.0),
        [stand("tokens-2", 1.0, 9.0)],
    );
    let server = TestServer::start(low).await;
    assert_eq!(model(&server, &ask("openrouter/pareto-code", false)).await, "acme/low");
    server.closes_clean().await;
    let failing = Offer::new()
        .embedded()
        .model_with("acme/one", scores(50.0, 75.0), [stand("status-503", 1.0, 9.0)])
        .model_with("acme/two", scores(50.0, 75.0), [stand("tokens-2", 2.0, 9.0)]);
    let server = TestServer::start(failing).await;
    let reply = server.caller().chat(&ask("openrouter/pareto-code", false)).await;
    let answer = Answered::read(&reply);
    assert_eq!(answer.model, "acme/two");
    let row = server.generation(&answer.id).await;
    assert_eq!(row.router.as_deref(), Some("openrouter/pareto-code"));
    assert_eq!(
        (row.model.as_str(), row.requested_model.as_str()),
        ("acme/two", "openrouter/pareto-code")
    );
    server.closes_clean().await;
}

#[tokio::test]
async fn a_conversation_stays_with_the_model_that_answered_it() {
    let shop = Offer::new()
        .embedded()
        .model_with("acme/one", scores(50.0, 75.0), [stand("status-503", 1.0, 9.0)])
        .model_with("acme/two", scores(50.0, 75.0), [stand("tokens-2", 2.0, 9.0)]);
    let server = TestServer::start(shop).await;
    let failed = || server.journal().of_model("status-503").len();
    let talk = |text: &str| {
        let messages = json!([{"role": "user", "content": text}]);
        with(ask("openrouter/pareto-code", false), "messages", messages)
    };
    let mut expected = 0;
    for (body, again) in [
        (with(talk("one"), "session_id", json!("s")), false),
        (with(talk("two"), "session_id", json!("s")), true),
        (talk("three"), false),
        (talk("three"), true),
    ] {
        expected += usize::from(!again);
        let reply = server.caller().chat(&body).await;
        assert_eq!(Answered::read(&reply).model, "acme/two");
        assert_eq!(failed(), expected, "{body}");
    }
    // Another account's conversation is another one.
    let other = server.account("other@example.com", "5").await;
    let reply = server.caller().with_key(&other.api_key).chat(&talk("three")).await;
    assert_eq!((Answered::read(&reply).model.as_str(), failed()), ("acme/two", expected + 1));
    server.closes_clean().await;
}

fn free(behaviour: &str) -> [Stand; 1] {
    [Stand::new("sim", behaviour).with("free", json!(true))]
}

#[tokio::test]
async fn g40_free_picks_among_what_can_do_it_and_names_the_model() {
    let plain = json!(["max_tokens", "temperature"]);
    let tools = json!(["max_tokens", "tools", "tool_choice"]);
    let eyes = json!(["text", "image"]);
    // More requests to free models than an account usually has in a minute.
    let row =
        serde_json::from_value(json!({"free": {"free_per_minute": 1000, "free_per_day": 1000}}));
    let plans = Plans::default().with(&row.unwrap()).unwrap();
    let server = TestServer::start_as(
        Offer::new()
            .embedded()
            .model(
                "acme/plain:free",
                free("tokens-2").map(|one| one.with("supported_parameters", plain.clone())),
            )
            .model_with(
                "acme/seeing:free",
                json!({"input_modalities": eyes}),
                free("tokens-2").map(|one| one.with("supported_parameters", plain.clone())),
            )
            .model(
                "acme/handy:free",
                free("tokens-2").map(|one| one.with("supported_parameters", tools.clone())),
            )
            .model("acme/paid", [stand("tokens-2", 0.0, 9.0)]),
        Setup { plans, ..Setup::default() },
    )
    .await;
    let mut seen = BTreeSet::new();
    for _ in 0..60 {
        let reply = server.caller().chat(&ask("openrouter/free", false)).await;
        let answer = Answered::read(&reply);
        assert_eq!(answer.cost().nanos(), 0);
        seen.insert(answer.model);
    }
    let all = ["acme/handy:free", "acme/plain:free", "acme/seeing:free"].map(str::to_owned);
    assert_eq!(seen, BTreeSet::from(all), "60 draws from three");
    let image = json!([{"role": "user", "content": [
        {"type": "image_url", "image_url": {"url": "https://example.com/a.png"}},
    ]}]);
    let tool = json!([{"type": "function", "function": {"name": "f", "parameters": {}}}]);
    for _ in 0..6 {
        let body = with(ask("openrouter/free", false), "messages", image.clone());
        assert_eq!(model(&server, &body).await, "acme/seeing:free");
        let body = with(ask("openrouter/free", true), "tools", tool.clone());
        assert_eq!(model(&server, &body).await, "acme/handy:free");
    }
    let both = with(with(ask("openrouter/free", false), "messages", image), "tools", tool);
    let error = typed_error(&server.caller().chat(&both).await, 404, "not_found");
    assert_eq!(error["message"], NOBODY);
    server.closes_clean().await;
}

/// A request to the auto router with settings under a plugin id.
fn auto(slug: &str, plugin: &str, settings: Value) -> Value {
    let mut entry = json!({"id": plugin});
    if let (Some(entry), Value::Object(settings)) = (entry.as_object_mut(), settings) {
        entry.extend(settings);
    }
    let words = "Fix this bug: my Rust function panics with index out of bounds in the loop.";
    let body = with(ask(slug, false), "plugins", json!([entry]));
    with(body, "messages", json!([{"role": "user", "content": words}]))
}

/// Six models, the better the dearer.
fn ladder() -> Offer {
    let steps = [("a", 0.1), ("b", 0.5), ("c", 1.0), ("d", 3.0), ("e", 9.0), ("f", 40.0)];
    steps.into_iter().enumerate().fold(Offer::new().embedded(), |offer, (step, (name, price))| {
        let score = 20.0 + 10.0 * f64::from(u8::try_from(step).unwrap());
        let id = format!("acme/{name}");
        offer.model_with(&id, scores(score, score), [stand("tokens-2", price, 50.0)])
    })
}

#[tokio::test]
async fn auto_takes_the_best_of_the_band_and_a_band_leaves_out_what_is_cheaper() {
    let server = TestServer::start(ladder()).await;
    for (settings, expected) in [
        (json!({}), "a"),
        (json!({"cost_tier": "low"}), "a"),
        (json!({"cost_tier": "medium"}), "b"),
        (json!({"cost_tier": "high"}), "c"),
        (json!({"cost_tier": "xhigh"}), "d"),
        (json!({"cost_tier": "max"}), "f"),
        (json!({"cost_quality_tradeoff": 10}), "a"),
        (json!({"cost_quality_tradeoff": 0}), "e"),
        (json!({"cost_quality_tradeoff": 0, "cost_tier": "medium"}), "b"),
        (json!({"allowed_models": ["acme/d", "acme/e"]}), "d"),
        (json!({"allowed_models": ["*/*"], "excluded_models": ["acme/a", "acme/b"]}), "c"),
        (json!({"cost_tier": "max", "excluded_models": ["acme/f"]}), "e"),
    ] {
        let body = auto("openrouter/auto", "auto-router", settings.clone());
        assert_eq!(model(&server, &body).await, format!("acme/{expected}"), "{settings}");
    }
    // The request's own price limit is one more rule.
    let body = auto("openrouter/auto", "auto-router", json!({"cost_tier": "max"}));
    let body = with(body, "provider", json!({"max_price": {"completion": 5}}));
    assert_eq!(model(&server, &body).await, "acme/d");
    server.closes_clean().await;
}

#[tokio::test]
async fn g37_each_auto_router_ignores_the_settings_of_the_other() {
    let server = TestServer::start(ladder()).await;
    let max = json!({"cost_tier": "max"});
    for (slug, own, other) in [
        ("openrouter/auto", "auto-router", "auto-beta-router"),
        ("openrouter/auto-beta", "auto-beta-router", "auto-router"),
    ] {
        assert_eq!(model(&server, &auto(slug, own, max.clone())).await, "acme/f");
        assert_eq!(model(&server, &auto(slug, other, max.clone())).await, "acme/a");
        // Not even their mistakes.
        assert_eq!(model(&server, &auto(slug, other, json!({"cost_tier": 9}))).await, "acme/a");
        let wrong = auto(slug, own, json!({"cost_tier": 9}));
        typed_error(&server.caller().chat(&wrong).await, 400, "invalid_request");
    }
    server.closes_clean().await;
}

#[tokio::test]
async fn g38_auto_with_nobody_left_says_so_in_the_fixed_words() {
    let server = TestServer::start(ladder()).await;
    for settings in [
        json!({"allowed_models": ["acme/a"], "excluded_models": ["acme/*"]}),
        json!({"allowed_models": ["other/*"]}),
        json!({"allowed_models": []}),
        json!({"cost_tier": "max", "allowed_models": ["acme/a"]}),
    ] {
        let body = auto("openrouter/auto", "auto-router", settings.clone());
        let error = typed_error(&server.caller().chat(&body).await, 404, "not_found");
        assert_eq!(error["message"], NOBODY, "{settings}");
        assert_eq!(error["availability"]["requested_models"], json!(["openrouter/auto"]));
    }
    // Another model of the list may still do.
    let body = auto("openrouter/auto", "auto-router", json!({"allowed_models": []}));
    assert_eq!(model(&server, &with(body, "models", json!(["acme/c"]))).await, "acme/c");
    let prompt = json!({"model": "openrouter/auto", "prompt": "Hello", "max_tokens": 5});
    typed_error(&server.caller().chat(&prompt).await, 400, "invalid_request");
    let many = json!({"excluded_models": vec!["a/b"; 1025]});
    let body = auto("openrouter/auto", "auto-router", many);
    typed_error(&server.caller().chat(&body).await, 400, "invalid_request");
    server.closes_clean().await;
}

#[tokio::test]
async fn auto_tells_the_task_and_is_recorded_as_the_router() {
    let server = TestServer::start(ladder()).await;
    let body = auto("openrouter/auto", "auto-router", json!({"cost_tier": "high"}));
    let caller = server.caller().with("x-openrouter-experimental-metadata", "enabled");
    let reply = caller.chat(&body).await;
    let metadata = &reply.json()["openrouter_metadata"];
    assert_eq!(metadata["requested"], "openrouter/auto", "{metadata}");
    assert_eq!(metadata["strategy"], "auto");
    let task = metadata["pipeline"][0]["data"]["task_type"].as_str().unwrap();
    assert!(task.starts_with("code:"), "{metadata}");
    let row = server.generation(&Answered::read(&reply).id).await;
    assert_eq!(row.router.as_deref(), Some("openrouter/auto"));
    assert_eq!((row.model.as_str(), row.requested_model.as_str()), ("acme/c", "openrouter/auto"));
    server.closes_clean().await;
}

#[tokio::test]
async fn auto_pins_the_model_of_the_last_answer_when_it_is_told_to() {
    let server = TestServer::start(ladder()).await;
    let talk = |author: &str| {
        json!([
            {"role": "user", "content": "Hello"},
            {"role": "assistant", "content": "Hi", "model": author},
            {"role": "user", "content": "Go on"},
        ])
    };
    for (pin, author, expected) in [
        (true, "acme/e", "acme/e"),
        (false, "acme/e", "acme/a"),
        (true, "acme/none", "acme/a"),
        (true, "acme/f", "acme/a"),
    ] {
        let settings = json!({"pin_model": pin, "excluded_models": ["acme/f"]});
        let body = auto("openrouter/auto", "auto-router", settings);
        let body = with(body, "messages", talk(author));
        assert_eq!(model(&server, &body).await, expected, "{pin} {author}");
    }
    server.closes_clean().await;
}

#[tokio::test]
async fn suffixes_work_on_routers_and_other_routers_are_not_there_yet() {
    let server = TestServer::start(
        ladder().model_with("acme/a:free", scores(30.0, 30.0), free("tokens-2")).model_with(
            "acme/mind",
            json!({
                "benchmarks": {"intelligence": 90.0},
                "reasoning": {"mandatory": false, "supported_efforts": ["high", "low"]},
            }),
            [stand("tokens-2", 50.0, 5.0)],
        ),
    )
    .await;
    assert_eq!(model(&server, &ask("openrouter/auto:free", false)).await, "acme/a:free");
    assert_eq!(model(&server, &ask("openrouter/auto:thinking", false)).await, "acme/mind");
    let sent = server.journal().entries().last().unwrap().body.clone().unwrap();
    assert!(sent["reasoning_effort"].is_string(), "{sent}");
    for slug in ["openrouter/auto:nitro", "openrouter/auto:floor", "openrouter/auto-beta:exacto"] {
        assert_eq!(server.caller().chat(&ask(slug, false)).await.status, 200, "{slug}");
    }
    for slug in ["openrouter/auto:online", "openrouter/free:extended", "openrouter/auto:turbo"] {
        typed_error(&server.caller().chat(&ask(slug, false)).await, 400, "invalid_request");
    }
    for slug in ["openrouter/fusion", "openrouter/fusion:free", "openrouter/bodybuilder"] {
        let error = typed_error(&server.caller().chat(&ask(slug, false)).await, 404, "not_found");
        assert!(error["message"].as_str().unwrap().contains("not available yet"), "{error}");
    }
    let reply = server
        .caller()
        .post("/api/v1/embeddings", &json!({"model": "openrouter/auto", "input": "x"}))
        .await;
    typed_error(&reply, 400, "invalid_request");
    server.closes_clean().await;
}
