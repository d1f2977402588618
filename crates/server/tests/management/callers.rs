//! Who calls, as the call says: recorded, and nothing more (inference spec 20; reliability design,
//! test 39).

use std::time::Duration;

use serde_json::{Value, json};
use signalbox_core::id::AccountId;
use signalbox_testkit::{Caller, Reply, TestServer, eventually};

use crate::site::{chat, patch, start, told};

async fn recorded(caller: &Caller, reply: &Reply) -> Value {
    assert_eq!(reply.status, 200, "{}", String::from_utf8_lossy(&reply.body));
    let id = reply.header("x-generation-id").unwrap();
    told(&caller.get(&format!("/api/v1/generation?id={id}")).await, 200)["data"].clone()
}

/// The number of the app in the record, once it is written down.
async fn app_id(caller: &Caller, reply: &Reply) -> u64 {
    let seen = async || recorded(caller, reply).await["app_id"].as_u64();
    eventually(Duration::from_secs(30), "the app", seen).await
}

#[tokio::test]
async fn an_app_is_its_url_and_says_its_title_and_two_categories_at_a_time() {
    let server = start().await;
    let caller = server.caller();
    let app = caller
        .with("http-referer", "https://App.example/a/?page=1")
        .with("x-title", "An app")
        .with("x-openrouter-categories", "cli-agent,nonsense,game,legal")
        .with("user-agent", "test/1");
    let reply = app.chat(&chat()).await;
    let first = app_id(&caller, &reply).await;
    let row = recorded(&caller, &reply).await;
    assert_eq!(row["http_referer"], "https://App.example/a/?page=1");
    assert_eq!(
        (&row["origin"], &row["user_agent"]),
        (&json!("https://app.example"), &json!("test/1"))
    );
    let again = caller
        .with("http-referer", "https://app.example/a")
        .with("x-openrouter-title", "Another title")
        .with("x-openrouter-categories", "legal");
    let reply = again.with("origin", "https://page.example").chat(&chat()).await;
    assert_eq!(app_id(&caller, &reply).await, first, "the same URL is the same app");
    assert_eq!(recorded(&caller, &reply).await["origin"], "https://page.example");
    let store = server.platform.store();
    let known = async || {
        let (_, title, categories) = store.app("https://app.example/a").await.unwrap().unwrap();
        (title == "Another title").then_some(categories)
    };
    let categories = eventually(Duration::from_secs(30), "the title", known).await;
    assert_eq!(categories, ["cli-agent", "game", "legal"]);
    let other = caller.with("http-referer", "https://app.example/b").chat(&chat()).await;
    assert_ne!(app_id(&caller, &other).await, first);

    let local = caller.with("http-referer", "http://localhost:3000");
    let untitled = local.chat(&chat()).await;
    let titled = local.with("x-title", "Mine").chat(&chat()).await;
    let mine = app_id(&caller, &titled).await;
    assert_eq!(app_id(&caller, &untitled).await, mine, "by then it has a title");
    for nothing in ["not a url", "javascript:alert(1)", "ftp://app.example"] {
        let reply = caller.with("http-referer", nothing).chat(&chat()).await;
        let row = recorded(&caller, &reply).await;
        assert_eq!((&row["app_id"], &row["http_referer"]), (&Value::Null, &json!(nothing)));
    }
    server.closes_clean().await;
}

#[tokio::test]
async fn users_and_sessions_are_recorded_within_their_limits_and_traces_change_nothing() {
    let server = start().await;
    let caller = server.caller();
    let mut body = chat();
    for (member, value) in [
        ("user", json!("u-1")),
        ("session_id", json!("s-1")),
        ("trace", json!({"trace_id": "t", "trace_name": "n", "mine": {"deep": 1}})),
    ] {
        body[member] = value;
    }
    let reply = caller.with("x-session-id", "s-2").chat(&body).await;
    let row = recorded(&caller, &reply).await;
    assert_eq!((&row["external_user"], &row["session_id"]), (&json!("u-1"), &json!("s-1")));
    assert_eq!(row["trace"], body["trace"]);
    let sent = server.journal().entries().last().unwrap().body.clone().unwrap();
    for member in ["trace", "session_id"] {
        assert!(sent.get(member).is_none(), "{sent}");
    }
    assert!(!sent.to_string().contains("u-1"), "a user is never told as sent: {sent}");
    let reply = caller.with("x-session-id", "s-2").chat(&chat()).await;
    let row = recorded(&caller, &reply).await;
    assert_eq!((&row["session_id"], row.get("trace")), (&json!("s-2"), None));
    // Observability is no reason to refuse a request: what is too long to keep is passed over.
    body["trace"] = json!({"trace_id": "t".repeat(16 * 1024)});
    let reply = caller.chat(&body).await;
    assert_eq!(recorded(&caller, &reply).await.get("trace"), None);
    for (member, value) in [
        ("user", json!("x".repeat(257))),
        ("session_id", json!("x".repeat(257))),
        ("trace", json!("t")),
    ] {
        let mut body = chat();
        body[member] = value;
        told(&caller.chat(&body).await, 400);
    }
    server.closes_clean().await;
}

/// Headers that other gateways and proxies take for who somebody is, or for what was decided.
const MIMICS: &[(&str, &str)] = &[
    ("x-api-key", "{key}"),
    ("x-forwarded-for", "127.0.0.1"),
    ("x-real-ip", "127.0.0.1"),
    ("forwarded", "for=127.0.0.1"),
    ("x-forwarded-user", "{account}"),
    ("x-user-id", "{account}"),
    ("x-account-id", "{account}"),
    ("x-organization-id", "{account}"),
    ("openai-organization", "{account}"),
    ("x-workspace-id", "{account}"),
    ("x-customer-id", "{account}"),
    ("x-litellm-customer-id", "{account}"),
    ("x-signalbox-account", "{account}"),
    ("x-signalbox-internal", "true"),
    ("x-openrouter-fusion-depth", "-5"),
    ("x-generation-id", "gen-1-aaaaaaaaaaaaaaaaaaaa"),
    ("x-original-url", "/api/v1/credits"),
    ("x-rewrite-url", "/api/v1/credits"),
    ("x-http-method-override", "DELETE"),
    ("http-referer", "https://signalbox.internal/admin"),
    ("cookie", "session={key}"),
    ("x-openrouter-title", "admin"),
];

/// Members of bodies that are named like what the gateway decides itself.
fn members(account: &AccountId, key: &str) -> Vec<(&'static str, Value)> {
    vec![
        ("metadata", json!({"user_api_key": key, "account_id": account, "user_id": account})),
        ("account", json!(account)),
        ("account_id", json!(account)),
        ("api_key", json!(key)),
        ("key_hash", json!(key)),
        ("workspace_id", json!(account)),
        ("user", json!(account)),
        ("safety_identifier", json!(account)),
        ("fallback_depth", json!(-5)),
        ("mock_response", json!("free of charge")),
        ("litellm_params", json!({"api_base": "http://127.0.0.1:1"})),
        ("api_base", json!("http://127.0.0.1:1")),
        ("base_url", json!("http://127.0.0.1:1")),
        ("custom_llm_provider", json!("openai")),
        ("cost", json!(0)),
        ("usage", json!({"cost": 0, "include": true})),
        ("pricing", json!({"prompt": "0", "completion": "0"})),
        ("is_byok", json!(true)),
        ("byok", json!({"key": "sk"})),
        ("id", json!("gen-1-aaaaaaaaaaaaaaaaaaaa")),
        ("generation_id", json!("gen-1-aaaaaaaaaaaaaaaaaaaa")),
        ("preset_id", json!("00000000-0000-4000-8000-000000000000")),
        ("role", json!("org:admin")),
        ("is_admin", json!(true)),
        ("trace", json!({"account_id": account, "cost": 0})),
    ]
}

/// What must stay whatever a request says of itself.
async fn facts(server: &TestServer, reply: &Reply) -> Value {
    assert_eq!(reply.status, 200, "{}", String::from_utf8_lossy(&reply.body));
    let row = server.generation(reply.header("x-generation-id").unwrap()).await;
    json!({"account": row.account, "key": row.key, "cost": row.cost, "model": row.model,
        "provider": row.provider, "byok": row.byok.is_some(), "preset": row.preset_id})
}

#[tokio::test]
async fn identity_and_price_never_follow_from_headers_or_members() {
    let server = start().await;
    let victim = server.account("victim@example.com", "1").await;
    let (account, key) = (&victim.account_id, &victim.api_key);
    let before = server.platform.store().balance(account).await.unwrap();
    let caller = server.caller();
    let doors = [
        ("/api/v1/chat/completions", json!({"messages": [{"role": "user", "content": "one two"}]})),
        (
            "/api/v1/cursor/chat/completions",
            json!({"messages": [{"role": "user", "content": "one two"}]}),
        ),
        ("/api/v1/messages", json!({"messages": [{"role": "user", "content": "one two"}]})),
        ("/api/v1/responses", json!({"input": "one two"})),
        ("/api/v1/completions", json!({"prompt": "one two"})),
    ];
    for (door, mut body) in doors {
        body["model"] = json!("acme/one");
        let plain = facts(&server, &caller.post(door, &body).await).await;
        assert_eq!(plain["account"], json!(server.owner.account_id));
        for (name, value) in MIMICS {
            let value = value.replace("{key}", key).replace("{account}", account.as_str());
            let reply = caller.with(name, &value).post(door, &body).await;
            assert_eq!(facts(&server, &reply).await, plain, "{door}: {name}");
        }
        for (name, value) in members(account, key) {
            let mut body = body.clone();
            body[name] = value;
            let reply = caller.post(door, &body).await;
            assert_eq!(facts(&server, &reply).await, plain, "{door}: {name}");
        }
    }
    assert_eq!(server.platform.store().balance(account).await.unwrap(), before);
    server.closes_clean().await;
}

#[tokio::test]
async fn what_a_request_says_of_itself_opens_nothing() {
    let server = start().await;
    let victim = server.account("victim@example.com", "1").await;
    let nobody = server.caller().without("authorization");
    for (name, value) in MIMICS.iter().filter(|(name, _)| *name != "x-api-key") {
        let value = value
            .replace("{key}", &victim.api_key)
            .replace("{account}", victim.account_id.as_str());
        let caller = nobody.with(name, &value);
        for door in [
            "chat/completions",
            "messages",
            "responses",
            "completions",
            "embeddings",
            "rerank",
            "messages/count_tokens",
            "routing/plan",
        ] {
            let reply = caller.post(&format!("/api/v1/{door}"), &chat()).await;
            assert_eq!(reply.status, 401, "{door}: {name}");
        }
        // Nor does it lift what a key is held to.
        let caller = server.caller().with(name, &value);
        let refused = patch(&caller, "/api/v1/privacy", json!({})).await;
        assert_eq!(refused.status, 403, "{name}");
        let theirs = told(&caller.get("/api/v1/presets").await, 200);
        assert_eq!(theirs["total_count"], 0);
    }
    assert_eq!(server.journal().entries().len(), 0);
    server.closes_clean().await;
}
