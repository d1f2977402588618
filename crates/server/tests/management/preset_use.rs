//! Presets at inference: in every dialect, renewed by a change, seen by guardrails, cache and record.

use serde_json::{Value, json};
use signalbox_testkit::{Caller, Offer, Stand, TestServer};

use crate::presets::{key_of_workspace, saved};
use crate::reference::conforms;
use crate::site::{delete, patch, start, told};

const OURS: &str = "/api/v1/workspaces/default/presets/p";

/// The body that the provider got last.
pub fn sent(server: &TestServer) -> Value {
    server.journal().entries().last().unwrap().body.clone().unwrap()
}

fn chat(model: &str) -> Value {
    json!({"model": model, "messages": [{"role": "user", "content": "Hi"}]})
}

async fn save(caller: &Caller, body: Value) {
    told(&caller.post(&saved("p"), &body).await, 200);
}

fn config() -> Value {
    json!({"model": "acme/one", "temperature": 0.25, "top_p": 0.5, "max_tokens": 30,
        "tools": [{"type": "function", "function": {"name": "f", "description": "kept"}}],
        "messages": [{"role": "system", "content": "Be brief."}]})
}

#[tokio::test]
async fn every_dialect_gets_what_its_request_leaves_open() {
    let server = start().await;
    let caller = server.caller();
    save(&caller, config()).await;
    let user = json!([{"role": "user", "content": "Hi"}]);
    let doors = [
        ("chat/completions", json!({"model": "@preset/p", "messages": user})),
        ("chat/completions", json!({"model": "acme/one", "preset": "p", "messages": user})),
        ("chat/completions", json!({"model": "acme/one@preset/p", "messages": user})),
        ("chat/completions", json!({"preset": "p", "messages": user})),
        ("cursor/chat/completions", json!({"model": "@preset/p", "input": user})),
        ("messages", json!({"model": "@preset/p", "messages": user})),
        ("responses", json!({"model": "@preset/p", "input": "Hi"})),
    ];
    for (door, body) in doors {
        let reply = caller.post(&format!("/api/v1/{door}"), &body).await;
        assert_eq!(reply.status, 200, "{door}: {}", String::from_utf8_lossy(&reply.body));
        let sent = sent(&server);
        assert_eq!((&sent["temperature"], &sent["top_p"]), (&json!(0.25), &json!(0.5)), "{sent}");
        assert_eq!(
            sent["messages"][0],
            json!({"role": "system", "content": "Be brief."}),
            "{door}"
        );
        assert_eq!(sent["tools"][0]["function"]["description"], "kept", "{door}");
        let most = sent.get("max_tokens").or(sent.get("max_completion_tokens"));
        assert_eq!(most, Some(&json!(30)), "{door}");
        assert!(sent.get("preset").is_none() && sent["model"] != "@preset/p", "{sent}");
    }
    let prompt = json!({"model": "@preset/p", "prompt": "Hi"});
    told(&caller.post("/api/v1/completions", &prompt).await, 200);
    assert!(sent(&server).to_string().contains("Be brief.\\n\\nHi"), "{}", sent(&server));

    let own = json!({"model": "@preset/p", "temperature": 1.5, "messages": user,
        "tools": [{"type": "function", "function": {"name": "f", "description": "own"}}]});
    told(&caller.chat(&own).await, 200);
    assert_eq!(sent(&server)["temperature"], 1.5, "the request wins");
    assert_eq!(sent(&server)["tools"][0]["function"]["description"], "own");
    server.closes_clean().await;
}

#[tokio::test]
async fn a_count_of_tokens_and_a_plan_are_those_of_the_merged_request() {
    let server = start().await;
    let caller = server.caller();
    save(&caller, config()).await;
    let messages = json!([{"role": "user", "content": "Hi"}]);
    let count = async |model: &str| {
        let body = json!({"model": model, "messages": messages});
        let told = told(&caller.post("/api/v1/messages/count_tokens", &body).await, 200);
        told["input_tokens"].as_u64().unwrap()
    };
    assert!(count("@preset/p").await > count("acme/one").await);
    let plan = told(&caller.post("/api/v1/routing/plan", &chat("@preset/p")).await, 200);
    assert_eq!(plan["data"]["models"], json!(["acme/one"]));
    told(&caller.post("/api/v1/routing/plan", &chat("@preset/q")).await, 404);
    server.closes_clean().await;
}

#[tokio::test]
async fn a_change_holds_for_the_next_request() {
    let server = start().await;
    let (caller, manager) = (server.caller(), server.manager());
    let ask = async |status: u16| {
        let reply = caller.chat(&chat("@preset/p")).await;
        told(&reply, status)
    };
    let missing = ask(404).await;
    assert_eq!(missing["error"]["error_type"], "not_found");
    assert_eq!(missing["error"]["message"], "Preset \"p\" not found");
    for temperature in [0.1, 0.2] {
        save(&caller, json!({"model": "acme/one", "temperature": temperature})).await;
        ask(200).await;
        assert_eq!(sent(&server)["temperature"], temperature);
    }
    told(&patch(&manager, OURS, json!({"designated_version": 1})).await, 200);
    ask(200).await;
    assert_eq!(sent(&server)["temperature"], 0.1);
    for (status, word) in [("disabled", "is disabled"), ("archived", "is archived")] {
        told(&patch(&manager, OURS, json!({"status": status})).await, 200);
        let refused = ask(404).await;
        assert_eq!(refused["error"]["message"], format!("Preset \"p\" {word}"));
    }
    told(&patch(&manager, OURS, json!({"status": "active"})).await, 200);
    ask(200).await;
    told(&delete(&manager, OURS).await, 200);
    ask(404).await;
    for wrong in [
        json!({"model": "@preset/p", "preset": "q", "messages": [{"role": "user", "content": "x"}]}),
        json!({"model": "acme/one", "preset": 5, "messages": [{"role": "user", "content": "x"}]}),
        json!({"models": ["@preset/p"], "messages": [{"role": "user", "content": "x"}]}),
    ] {
        told(&caller.chat(&wrong).await, 400);
    }
    let embed = json!({"model": "@preset/p", "input": "x"});
    told(&caller.post("/api/v1/embeddings", &embed).await, 400);
    server.closes_clean().await;
}

#[tokio::test]
async fn the_record_names_the_preset_and_the_workspace() {
    let server = start().await;
    let caller = key_of_workspace(&server, "lab").await;
    let made = told(&caller.post(&saved("p"), &config()).await, 200);
    for stream in [false, true] {
        let mut body = chat("@preset/p");
        body["stream"] = json!(stream);
        let reply = caller.chat(&body).await;
        assert_eq!(reply.status, 200);
        let id = reply.header("x-generation-id").unwrap();
        let mut row = told(&caller.get(&format!("/api/v1/generation?id={id}")).await, 200);
        // Our provider is none of those in the reference.
        row["data"]["provider_responses"] = Value::Null;
        conforms("GET", "/generation", 200, &row);
        assert_eq!(row["data"]["preset_id"], made["data"]["id"]);
        assert_eq!(row["data"]["workspace_id"], made["data"]["workspace_id"]);
    }
    let reply = caller.chat(&chat("acme/one")).await;
    let id = reply.header("x-generation-id").unwrap();
    let row = told(&caller.get(&format!("/api/v1/generation?id={id}")).await, 200);
    assert_eq!(row["data"]["preset_id"], Value::Null);
    server.closes_clean().await;
}

#[tokio::test]
async fn g73_the_response_cache_hears_the_preset_and_sees_what_it_says() {
    let server = start().await;
    let caller = server.caller();
    let status = async |caller: &Caller| {
        let reply = caller.chat(&chat("@preset/p")).await;
        assert_eq!(reply.status, 200);
        let header = |name: &str| reply.header(name).map(str::to_owned);
        (header("x-openrouter-cache-status"), header("x-openrouter-cache-ttl"))
    };
    let kept = |word: &str, ttl: &str| (Some(word.to_owned()), Some(ttl.to_owned()));
    let on = caller.with("x-openrouter-cache", "true");
    save(&caller, json!({"model": "acme/one", "cache_enabled": true, "cache_ttl_seconds": 77}))
        .await;
    assert_eq!(status(&caller).await, kept("MISS", "77"));
    assert_eq!(status(&caller).await.0.as_deref(), Some("HIT"));
    assert_eq!(status(&caller.with("x-openrouter-cache", "false")).await, (None, None));
    let other = json!({"model": "acme/one", "top_p": 0.5, "cache_enabled": true});
    save(&caller, other).await;
    assert_eq!(status(&caller).await, kept("MISS", "300"), "another version asks something else");
    let ttl = caller.with("x-openrouter-cache-ttl", "9").with("x-openrouter-cache-clear", "true");
    assert_eq!(status(&ttl).await, kept("MISS", "9"), "the header's time comes first");
    save(&caller, json!({"model": "acme/one", "cache_enabled": false})).await;
    assert_eq!(status(&on).await, (None, None), "a preset's no is final");
    server.closes_clean().await;
}

#[tokio::test]
async fn a_guardrail_reads_what_the_preset_says() {
    let server = start().await;
    let caller = server.caller();
    save(
        &caller,
        json!({"model": "acme/one", "messages": [
        {"role": "system", "content": "Write to jane@corp.example."}]}),
    )
    .await;
    told(&caller.chat(&chat("@preset/p")).await, 200);
    assert!(sent(&server).to_string().contains("jane@corp.example"));
    let default = told(&server.manager().get("/api/v1/workspaces/default").await, 200);
    let path =
        format!("/api/v1/guardrails/{}", default["data"]["default_guardrail_id"].as_str().unwrap());
    let redact = json!({"content_filter_builtins": [{"slug": "email", "action": "redact"}]});
    told(&patch(&server.manager(), &path, redact).await, 200);
    told(&caller.chat(&chat("@preset/p")).await, 200);
    assert_eq!(sent(&server)["messages"][0]["content"], "Write to [EMAIL].");
    let models = json!({"allowed_models": ["acme/two"]});
    told(&patch(&server.manager(), &path, models).await, 400);
    let models = json!({"ignored_models": ["acme/one"]});
    told(&patch(&server.manager(), &path, models).await, 200);
    told(&caller.chat(&chat("@preset/p")).await, 404);
    server.closes_clean().await;
}

#[tokio::test]
async fn a_preset_names_models_and_providers_in_order() {
    let offer = Offer::new()
        .model("acme/bad", [Stand::new("broken", "status-503")])
        .model("acme/good", [Stand::new("a", "tokens-2"), Stand::new("b", "tokens-2")]);
    let server = TestServer::start_with(offer, "3").await;
    let caller = server.caller();
    save(
        &caller,
        json!({"models": ["acme/bad", "acme/good"], "provider": {"only": ["b", "broken"]}}),
    )
    .await;
    let answer = told(&caller.chat(&chat("@preset/p")).await, 200);
    assert_eq!(
        (&answer["model"], &answer["provider"]),
        (&json!("acme/good"), &json!("Provider b"))
    );
    let mut own = chat("@preset/p");
    own["provider"] = json!({"only": ["a"]});
    let answer = told(&caller.chat(&own).await, 200);
    assert_eq!(answer["provider"], "Provider a", "the whole object is the request's");
    server.closes_clean().await;
}

#[tokio::test]
async fn an_idempotency_key_is_for_the_merged_request() {
    let server = start().await;
    let caller = server.caller();
    save(&caller, config()).await;
    let once = caller.with("x-signalbox-once", "true").with("idempotency-key", "k1");
    let first = told(&once.chat(&chat("@preset/p")).await, 200);
    assert_eq!(told(&once.chat(&chat("@preset/p")).await, 200), first);
    save(&caller, json!({"model": "acme/one", "temperature": 0.9})).await;
    told(&once.chat(&chat("@preset/p")).await, 422);
    server.closes_clean().await;
}
