//! What a workspace presets takes effect on its requests, and on those of no other.

use std::sync::atomic::{AtomicU32, Ordering};

use serde_json::{Value, json};
use signalbox_core::Usd;
use signalbox_testkit::{Caller, Offer, Stand, TestServer};

use crate::preset_use::sent;
use crate::presets::{key_of_workspace, saved};
use crate::site::{patch, start, told};

const LAB: &str = "/api/v1/workspaces/lab";
const DEFAULTS: &str = "/api/v1/workspaces/lab/defaults";

fn speed(tokens_per_second: f64) -> Value {
    let all = |value: f64| json!({"p50": value, "p75": value, "p90": value, "p99": value});
    json!({"latency": all(300.0), "throughput": all(tokens_per_second), "requests": 1000})
}

fn chat(model: Option<&str>) -> Value {
    let mut body = json!({"max_tokens": 20, "messages": [
        {"role": "user", "content": "Fix this bug: my Rust function panics in the loop."}]});
    if let Some(model) = model {
        body["model"] = json!(model);
    }
    body
}

/// Models, the better the dearer, on top of the built-in catalogue, which nobody serves here.
fn ladder() -> Offer {
    let steps = [("a", 0.1), ("b", 0.5), ("c", 1.0), ("d", 3.0), ("e", 9.0), ("f", 40.0)];
    steps.into_iter().enumerate().fold(Offer::new().embedded(), |offer, (step, (name, price))| {
        let each = format!("{:.12}", price / 1e6);
        let score = 20.0 + 10.0 * f64::from(u8::try_from(step).unwrap());
        let scores = json!({"intelligence": score, "coding": score, "agentic": score});
        offer.model_with(
            &format!("acme/{name}"),
            json!({"benchmarks": scores, "created": 1}),
            [Stand::new("well", "tokens-2")
                .with("pricing", json!({"prompt": each, "completion": each}))],
        )
    })
}

#[tokio::test]
async fn a_request_without_a_model_gets_the_workspaces() {
    let offer = Offer::new().model("acme/one", [Stand::new("well", "tokens-2")]).model_with(
        "acme/painter",
        json!({"output_modalities": ["text", "image"]}),
        [Stand::new("well", "image")],
    );
    let server = TestServer::start_with(offer, "3").await;
    let caller = key_of_workspace(&server, "lab").await;
    told(&caller.chat(&chat(None)).await, 400);
    let wish = json!({"default_text_model": "acme/one", "default_image_model": "acme/painter"});
    told(&patch(&server.manager(), LAB, wish).await, 200);
    assert_eq!(told(&caller.chat(&chat(None)).await, 200)["model"], "acme/one");
    let mut image = chat(None);
    image["modalities"] = json!(["image", "text"]);
    assert_eq!(told(&caller.chat(&image).await, 200)["model"], "acme/painter");
    let messages = json!({"max_tokens": 9, "messages": [{"role": "user", "content": "Hi"}]});
    assert_eq!(told(&caller.post("/api/v1/messages", &messages).await, 200)["model"], "acme/one");
    let responses = json!({"input": "Hi"});
    let answer = told(&caller.post("/api/v1/responses", &responses).await, 200);
    assert_eq!(answer["model"], "acme/one");
    // A preset that names no model leaves it to the workspace.
    let preset = json!({"temperature": 0.5});
    told(&caller.post(&saved("p"), &preset).await, 200);
    assert_eq!(told(&caller.chat(&chat(Some("@preset/p"))).await, 200)["model"], "acme/one");
    assert_eq!(sent(&server)["temperature"], 0.5);
    told(&server.caller().chat(&chat(None)).await, 400);
    server.closes_clean().await;
}

#[tokio::test]
async fn what_is_final_of_a_router_no_request_and_no_preset_changes() {
    let server = TestServer::start_with(ladder(), "3").await;
    let manager = server.manager();
    let caller = key_of_workspace(&server, "lab").await;
    let asked = |slug: &str, plugin: Value| {
        let mut body = chat(Some(slug));
        body["plugins"] = json!([plugin]);
        body
    };
    // Each in a conversation of its own: routers stay with the model of one.
    let conversations = AtomicU32::new(0);
    let model = async |caller: &Caller, body: &Value| {
        let mut body = body.clone();
        body["session_id"] = json!(format!("s{}", conversations.fetch_add(1, Ordering::Relaxed)));
        told(&caller.chat(&body).await, 200)["model"].as_str().unwrap().to_owned()
    };
    let max = json!({"id": "auto-router", "cost_tier": "max"});
    assert_eq!(model(&caller, &asked("openrouter/auto", max.clone())).await, "acme/f");
    let saved_default = |prevent: Value| {
        json!({"plugins": [{"id": "auto-router", "prevent_overrides": prevent,
            "settings": {"excluded_models": ["acme/f"], "cost_tier": "low"}}]})
    };
    let shown = told(&patch(&manager, DEFAULTS, saved_default(json!(false))).await, 200);
    assert_eq!(shown["data"]["plugins"][0]["enabled"], true);
    assert_eq!(told(&manager.get(DEFAULTS).await, 200), shown);
    assert_eq!(model(&caller, &asked("openrouter/auto", max.clone())).await, "acme/e", "by field");
    let own = json!({"id": "auto-router", "excluded_models": ["acme/a"], "cost_tier": "max"});
    assert_eq!(model(&caller, &asked("openrouter/auto", own.clone())).await, "acme/f");

    let fields = saved_default(json!(["excluded_models"]));
    told(&patch(&manager, DEFAULTS, fields).await, 200);
    assert_eq!(model(&caller, &asked("openrouter/auto", own.clone())).await, "acme/e");
    let mut beta = own.clone();
    beta["id"] = json!("auto-beta-router");
    assert_eq!(model(&caller, &asked("openrouter/auto-beta", beta)).await, "acme/e", "both slugs");

    told(&patch(&manager, DEFAULTS, saved_default(json!(true))).await, 200);
    for plugin in [own.clone(), json!({"id": "auto-router", "enabled": false})] {
        assert_eq!(model(&caller, &asked("openrouter/auto", plugin)).await, "acme/a");
    }
    let preset = json!({"model": "openrouter/auto", "plugins": [own]});
    told(&caller.post(&saved("p"), &preset).await, 200);
    assert_eq!(model(&caller, &chat(Some("@preset/p"))).await, "acme/a");
    let elsewhere = asked("openrouter/auto", max);
    assert_eq!(model(&server.caller(), &elsewhere).await, "acme/f", "another workspace");
    let log = told(&manager.get("/api/v1/audit-log?limit=10").await, 200);
    let acts = log["data"].as_array().unwrap();
    let changed = acts.iter().find(|act| act["action"] == "workspace.update").unwrap();
    assert_eq!(changed["after"]["defaults"]["plugins"][0]["prevent_overrides"], true);
    server.closes_clean().await;
}

#[tokio::test]
async fn a_final_order_of_providers_is_final() {
    let offer = Offer::new().model(
        "acme/one",
        [
            Stand::new("cheap", "tokens-2").with("perf_30m", speed(9.0)),
            Stand::new("dear", "tokens-2")
                .with("pricing", json!({"prompt": "0.00001", "completion": "0.00002"}))
                .with("perf_30m", speed(900.0)),
        ],
    );
    let server = TestServer::start_with(offer, "3").await;
    let manager = server.manager();
    let caller = key_of_workspace(&server, "lab").await;
    let first = async |model: &str, sort: Option<&str>| {
        let mut body = chat(Some(model));
        if let Some(sort) = sort {
            body["provider"] = json!({ "sort": sort });
        }
        let plan = told(&caller.post("/api/v1/routing/plan", &body).await, 200);
        plan["data"]["candidates"][0]["tag"].as_str().unwrap().to_owned()
    };
    let wish = json!({"default_provider_sort": "price"});
    told(&patch(&manager, LAB, wish).await, 200);
    assert_eq!(first("acme/one", None).await, "cheap");
    assert_eq!(first("acme/one", Some("throughput")).await, "dear");
    let wish = json!({"prevent_sort_overrides": true});
    told(&patch(&manager, DEFAULTS, wish).await, 200);
    assert_eq!(first("acme/one", Some("throughput")).await, "cheap");
    assert_eq!(first("acme/one:nitro", None).await, "cheap");
    server.closes_clean().await;
}

#[tokio::test]
async fn a_workspace_that_shares_data_pays_one_percent_less_and_another_one_does_not() {
    let server = start().await;
    let caller = key_of_workspace(&server, "lab").await;
    let cost = async |caller: &Caller| {
        let reply = caller.chat(&chat(Some("acme/one"))).await;
        told(&reply, 200);
        let row = server.generation(reply.header("x-generation-id").unwrap()).await;
        row.cost
    };
    let whole = cost(&caller).await;
    assert!(whole > Usd::ZERO);
    for (shares, part) in [(true, 99), (false, 100)] {
        let wish = json!({"is_data_discount_logging_enabled": shares});
        told(&patch(&server.manager(), LAB, wish).await, 200);
        assert_eq!(cost(&caller).await.nanos(), whole.nanos() * part / 100);
        assert_eq!(cost(&server.caller()).await, whole, "the default workspace shares nothing");
    }
    server.closes_clean().await;
}

#[tokio::test]
async fn defaults_that_can_not_be_are_refused() {
    let server = start().await;
    let caller = key_of_workspace(&server, "lab").await;
    let manager = server.manager();
    let many: Vec<Value> = (0..33).map(|number| json!({"id": format!("p{number}")})).collect();
    for wish in [
        json!({"plugins": {}}),
        json!({"plugins": [{}]}),
        json!({"plugins": [{"id": ""}]}),
        json!({"plugins": [{"id": "x"}, {"id": "x"}]}),
        json!({"plugins": many}),
        json!({"plugins": [{"id": "x", "settings": {"enabled": false}}]}),
        json!({"plugins": [{"id": "x", "prevent_overrides": ["a"]}]}),
        json!({"plugins": [{"id": "x", "max_results": 5}]}),
        json!({"plugins": [{"id": "auto-router", "settings": {"cost_tier": "cheap"}}]}),
        // What is not available yet would make every request fail.
        json!({"plugins": [{"id": "web"}]}),
        json!({"prevent_sort_overrides": "yes"}),
        json!({"workspace_id": "x"}),
    ] {
        let reply = patch(&manager, DEFAULTS, wish.clone()).await;
        assert_eq!(reply.status, 400, "{wish}");
    }
    let off = json!({"plugins": [{"id": "web", "enabled": false, "prevent_overrides": true}]});
    told(&patch(&manager, DEFAULTS, off).await, 200);
    let mut body = chat(Some("acme/one"));
    body["plugins"] = json!([{"id": "web"}]);
    told(&caller.chat(&body).await, 200);
    let refused = told(&server.caller().chat(&body).await, 400);
    assert!(refused["error"]["message"].as_str().unwrap().contains("web"), "{refused}");
    server.closes_clean().await;
}
