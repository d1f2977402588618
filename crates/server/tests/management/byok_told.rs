//! Own provider keys as requests tell of them, by every door and over HTTP alone: who was tried, who
//! answered, and where what it would have cost counts (platform spec 5.2, 5.3; inference spec 5.8).

use serde_json::{Value, json};
use signalbox_core::Plans;
use signalbox_platform::keys::hash_of;
use signalbox_testkit::{Caller, Offer, Reply, Setup, Stand, TestServer};

use crate::reference::conforms;
use crate::site::{patch, put, told};

/// A request's list price: five tokens at ten cents. Its bound is four times as much.
const LIST: f64 = 0.5;

/// Two providers with the operator's keys, which do what a key says, and one that keeps what it is told.
async fn start() -> TestServer {
    let terms = json!({"free": {"byok_allowed": true, "byok_free": {"requests": 1000}}});
    let plans = Plans::default().with(&serde_json::from_value(terms).unwrap()).unwrap();
    let row = |name: &str| json!({"name": name, "transport": "bearer"});
    let retains = json!({"training": false, "retains_prompts": true});
    let dear = |name: &str| {
        let prices = json!({"prompt": "0", "completion": "0.1"});
        Stand::new(name, "as-key").with("pricing", prices)
    };
    let offer = Offer::new()
        .provider("openai", row("OpenAI"))
        .provider("mistral", row("Mistral"))
        .provider("deepseek", row("DeepSeek"))
        .credential("openai", "tokens-5")
        .credential("mistral", "tokens-5")
        .credential("deepseek", "tokens-5")
        .model("acme/one", [dear("openai"), dear("mistral")])
        .model("acme/kept", [dear("deepseek").with("data_policy", retains)]);
    TestServer::start_as(offer, Setup { plans, ..Setup::default() }).await
}

async fn keep(server: &TestServer, provider: &str, key: &str, more: Value) -> String {
    let mut wish = json!({"provider": provider, "key": key});
    wish.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
    let made = told(&server.manager().post("/api/v1/byok", &wish).await, 201);
    format!("/api/v1/byok/{}", made["data"]["id"].as_str().unwrap())
}

fn chat(model: &str, provider: Value) -> Value {
    json!({"model": model, "max_tokens": 20, "provider": provider,
        "messages": [{"role": "user", "content": "Say something, please."}]})
}

/// The keys that providers were sent since the last call.
fn sent(server: &TestServer, seen: &mut usize) -> Vec<String> {
    let entries = server.journal().entries();
    let new = entries.iter().skip(*seen).map(|one| one.authorization.clone().unwrap_or_default());
    let new = new.map(|one| one.trim_start_matches("Bearer ").to_owned()).collect();
    *seen = entries.len();
    new
}

/// The generation of an answer, as it is looked up.
async fn generation(server: &TestServer, reply: &Reply) -> Value {
    let id = reply.header("x-generation-id").unwrap();
    let row = told(&server.caller().get(&format!("/api/v1/generation?id={id}")).await, 200);
    conforms("GET", "/generation", 200, &row);
    row["data"].clone()
}

#[tokio::test]
async fn every_door_tells_that_an_own_key_answered() {
    let server = start().await;
    keep(&server, "openai", "status-429+mine", json!({})).await;
    keep(&server, "openai", "tokens-5+mine", json!({})).await;
    let caller = server.caller().with("x-openrouter-metadata", "enabled");
    let user = json!([{"role": "user", "content": "Hi"}]);
    for (door, body) in [
        ("chat/completions", json!({"messages": user})),
        ("completions", json!({"prompt": "Hi"})),
        ("messages", json!({"messages": user})),
        ("responses", json!({"input": "Hi"})),
    ] {
        for stream in [false, true] {
            let mut body = body.clone();
            let limit = if door == "responses" { "max_output_tokens" } else { "max_tokens" };
            body["model"] = json!("acme/one");
            body[limit] = json!(20);
            body["stream"] = json!(stream);
            let reply = caller.post(&format!("/api/v1/{door}"), &body).await;
            let text = String::from_utf8_lossy(&reply.body).into_owned();
            assert_eq!(reply.status, 200, "{door}: {text}");
            let compact: String = text.chars().filter(|one| !one.is_whitespace()).collect();
            assert!(compact.contains(r#""is_byok":true"#), "{door}: {text}");
            assert!(compact.contains(r#""upstream_inference_cost":0.5"#), "{door}: {text}");
            assert!(!compact.contains(r#""is_byok":false"#), "metadata and usage agree: {text}");
            assert!(!text.contains("mine"), "{text}");
            let row = generation(&server, &reply).await;
            assert_eq!((&row["is_byok"], row["total_cost"].as_f64()), (&json!(true), Some(0.0)));
            assert_eq!(row["upstream_inference_cost"].as_f64(), Some(LIST));
            let all = row["provider_responses"].as_array().unwrap();
            assert!(all.iter().all(|one| one["is_byok"] == true), "{row}");
        }
    }
    server.closes_clean().await;
}

#[tokio::test]
async fn each_way_to_fail_leads_to_the_next_key_and_each_is_told() {
    let server = start().await;
    let mut seen = 0;
    let ways = ["status-401", "status-402", "status-403", "status-429", "status-500", "status-503"];
    for way in ways {
        keep(&server, "openai", &format!("{way}+mine"), json!({})).await;
    }
    keep(&server, "mistral", "cut-at-0+mine", json!({})).await;
    keep(&server, "mistral", "tokens-5+last", json!({"is_fallback": true})).await;
    // The order of the request is that inside of each section.
    let order = json!({"order": ["mistral", "openai"]});
    let reply = server.caller().chat(&chat("acme/one", order.clone())).await;
    let answer = told(&reply, 200);
    assert_eq!(
        (&answer["usage"]["is_byok"], &answer["provider"]),
        (&json!(false), &json!("Mistral"))
    );
    let mut expected = vec!["cut-at-0+mine".to_owned()];
    expected.extend(ways.map(|way| format!("{way}+mine")));
    expected.push("tokens-5".to_owned());
    assert_eq!(sent(&server, &mut seen), expected);
    let row = generation(&server, &reply).await;
    let told_of: Vec<(i64, bool)> = row["provider_responses"]
        .as_array()
        .unwrap()
        .iter()
        .map(|one| (one["status"].as_i64().unwrap_or(0), one["is_byok"] == true))
        .collect();
    let statuses: Vec<i64> = told_of.iter().skip(1).map(|one| one.0).collect();
    assert_eq!(statuses, [401, 402, 403, 429, 500, 503, 200]);
    assert_eq!(told_of.iter().filter(|one| one.1).count(), 7, "{row}");
    assert_eq!(row["total_cost"].as_f64(), Some(LIST), "who answers decides what is paid");

    // What a provider finds wrong with the request itself is nobody else's business.
    let server = start().await;
    keep(&server, "openai", "status-400+mine", json!({"is_required": true})).await;
    let only = json!({"only": ["openai"]});
    assert_eq!(server.caller().chat(&chat("acme/one", only)).await.status, 400);
    server.closes_clean().await;
}

#[tokio::test]
async fn filters_have_to_permit_all_together() {
    let server = start().await;
    let (manager, mut seen) = (server.manager(), 0);
    let made = told(&manager.post("/api/v1/keys", &json!({"name": "k"})).await, 201);
    let other = server.caller().with_key(made["key"].as_str().unwrap());
    let hash = hash_of(made["key"].as_str().unwrap()).to_string();
    let me = server.owner.account_id.as_str().replace("acc_", "user_");
    let filters = json!({"allowed_models": ["acme/kept"], "allowed_api_key_hashes": [hash],
        "allowed_user_ids": [me]});
    let one = keep(&server, "deepseek", "tokens-5+mine", filters).await;
    let mut uses = async |caller: &Caller, model: &str| {
        told(&caller.chat(&chat(model, json!({}))).await, 200);
        sent(&server, &mut seen) == ["tokens-5+mine"]
    };
    assert!(uses(&other, "acme/kept").await);
    assert!(!uses(&other, "acme/one").await, "another model");
    assert!(!uses(&server.caller(), "acme/kept").await, "another API key");
    let wish = json!({"allowed_models": ["acme/one"]});
    told(&patch(&manager, &one, wish).await, 200);
    assert!(!uses(&other, "acme/kept").await, "the other two permit it");
    server.closes_clean().await;
}

#[tokio::test]
async fn surprise_11_an_own_key_rescues_nothing_from_zero_data_retention() {
    let server = start().await;
    let mut seen = 0;
    keep(&server, "deepseek", "tokens-5+mine", json!({"is_required": true})).await;
    let zdr = chat("acme/kept", json!({"zdr": true}));
    let refused = told(&server.caller().chat(&zdr).await, 404);
    assert_eq!(refused["error"]["availability"]["code"], "privacy_restricted", "{refused}");
    assert_eq!(sent(&server, &mut seen), [""; 0]);
    let default = told(&server.manager().get("/api/v1/workspaces/default").await, 200);
    let guardrail = default["data"]["default_guardrail_id"].as_str().unwrap().to_owned();
    let wish = json!({"enforce_zdr_other": true});
    told(&patch(&server.manager(), &format!("/api/v1/guardrails/{guardrail}"), wish).await, 200);
    told(&server.caller().chat(&chat("acme/kept", json!({}))).await, 404);
    let wish = json!({"enforce_zdr_other": false});
    told(&patch(&server.manager(), &format!("/api/v1/guardrails/{guardrail}"), wish).await, 200);
    told(&server.caller().chat(&chat("acme/kept", json!({}))).await, 200);
    assert_eq!(sent(&server, &mut seen), ["tokens-5+mine"]);
    server.closes_clean().await;
}

/// Whether requests go on after two of them, by budgets of what those would have cost.
async fn goes_on(server: &TestServer, caller: &Caller, path: &str, counts: bool) -> bool {
    let set = async |limit: f64| {
        let wish = json!({"limit_usd": limit, "include_byok_in_budgets": counts});
        let manager = server.manager();
        if path.contains("/budgets/") {
            told(&put(&manager, path, wish).await, 200)
        } else {
            told(&patch(&manager, path, wish).await, 200)
        }
    };
    set(50.0).await;
    for _ in 0..2 {
        let answer = told(&caller.chat(&chat("acme/one", json!({}))).await, 200);
        assert_eq!(answer["usage"]["is_byok"], true, "{answer}");
    }
    server.settled().await;
    set(2.0 * LIST).await;
    let reply = caller.chat(&chat("acme/one", json!({}))).await;
    if reply.status == 403 {
        let text = reply.json()["error"]["message"].as_str().unwrap().to_owned();
        assert!(text.contains("budget of $1") && text.contains("exceeded"), "{text}");
    }
    assert!(matches!(reply.status, 200 | 403), "{}", reply.status);
    reply.status == 200
}

#[tokio::test]
async fn surprise_12_budgets_count_list_prices_where_their_flag_says_so_and_nothing_else_does() {
    for counts in [false, true] {
        let server = start().await;
        keep(&server, "openai", "tokens-5+mine", json!({"is_required": true})).await;
        keep(&server, "mistral", "tokens-5+mine", json!({"is_required": true})).await;
        let path = "/api/v1/workspaces/default/budgets/monthly";
        assert_eq!(goes_on(&server, &server.caller(), path, counts).await, !counts, "a workspace");
        assert_eq!(server.balance().await.charged, signalbox_core::Usd::ZERO);
        server.closes_clean().await;

        let server = start().await;
        keep(&server, "openai", "tokens-5+mine", json!({"is_required": true})).await;
        keep(&server, "mistral", "tokens-5+mine", json!({"is_required": true})).await;
        let wish = json!({"name": "b", "limit_usd": 50, "reset_interval": "monthly"});
        let made = told(&server.manager().post("/api/v1/guardrails", &wish).await, 201);
        let path = format!("/api/v1/guardrails/{}", made["data"]["id"].as_str().unwrap());
        let hash = hash_of(&server.owner.api_key).to_string();
        let keys = json!({"key_hashes": [hash]});
        told(&server.manager().post(&format!("{path}/assignments/keys"), &keys).await, 200);
        assert_eq!(goes_on(&server, &server.caller(), &path, counts).await, !counts, "a guardrail");
        server.closes_clean().await;
    }
}
