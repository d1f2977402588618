//! `/api/v1/guardrails` and `/api/v1/privacy`.

use serde_json::{Value, json};
use signalbox_testkit::{Caller, TestServer};

use crate::reference::conforms;
use crate::site::{chat, delete, patch, start, told};

const ALL: &str = "/api/v1/guardrails";

async fn make(server: &TestServer, wish: Value) -> Value {
    let made = told(&server.manager().post(ALL, &wish).await, 201);
    conforms("POST", "/guardrails", 201, &made);
    made["data"].clone()
}

fn path(guardrail: &Value) -> String {
    format!("{ALL}/{}", guardrail["id"].as_str().unwrap())
}

async fn key(server: &TestServer) -> (String, Caller) {
    let made = told(&server.manager().post("/api/v1/keys", &json!({"name": "k"})).await, 201);
    let caller = server.caller().with_key(made["key"].as_str().unwrap());
    (made["data"]["hash"].as_str().unwrap().to_owned(), caller)
}

#[tokio::test]
async fn a_guardrail_is_made_changed_listed_and_deleted() {
    let server = start().await;
    let manager = server.manager();
    let wish = json!({"name": "Careful", "description": "No mail", "limit_usd": 5,
        "reset_interval": "weekly", "allowed_models": ["acme/one", "acme/*"],
        "enforce_zdr": true, "enforce_zdr_openai": false, "enable_paid_model_training": false,
        "content_filter_builtins": [{"slug": "email", "action": "redact", "label": "mine"},
            {"slug": "regex-prompt-injection", "action": "block", "scan_scope": "user_only"}],
        "content_filters": [{"pattern": "secret-\\d+", "action": "block", "label": "[OURS]"}]});
    let made = make(&server, wish).await;
    assert_eq!(made["enforce_zdr"], Value::Null, "copied into its groups");
    assert_eq!(
        (&made["enforce_zdr_google"], &made["enforce_zdr_openai"]),
        (&json!(true), &json!(false))
    );
    assert_eq!(made["content_filter_builtins"][0]["label"], "[EMAIL]", "assigned by us");
    assert_eq!(made["content_filter_builtins"][1]["scan_scope"], "user_only");
    let models = made["allowed_models"].as_array().unwrap();
    assert_eq!(models.len(), 2, "a lasting name and a pattern: {models:?}");

    let seen = told(&manager.get(&path(&made)).await, 200);
    conforms("GET", "/guardrails/{id}", 200, &seen);
    assert_eq!(seen["data"], made);
    let wish = json!({"allowed_models": null, "content_filters": [], "limit_usd": null});
    let changed = told(&patch(&manager, &path(&made), wish).await, 200);
    conforms("PATCH", "/guardrails/{id}", 200, &changed);
    assert_eq!(changed["data"]["allowed_models"], Value::Null);
    assert_eq!(changed["data"]["reset_interval"], "weekly", "what is absent stays");
    let list = told(&manager.get(ALL).await, 200);
    conforms("GET", "/guardrails", 200, &list);
    assert_eq!(list["total_count"], 1);
    let gone = told(&delete(&manager, &path(&made)).await, 200);
    conforms("DELETE", "/guardrails/{id}", 200, &gone);
    told(&manager.get(&path(&made)).await, 404);
}

#[tokio::test]
async fn a_guardrail_that_cannot_be_is_refused() {
    let server = start().await;
    let manager = server.manager();
    for (wish, why) in [
        (json!({}), "name"),
        (json!({"name": ""}), "name"),
        (json!({"name": "x".repeat(201)}), "name"),
        (json!({"name": "x", "description": "d".repeat(1001)}), "description"),
        (json!({"name": "x", "limit_usd": -1}), "limit_usd"),
        (json!({"name": "x", "reset_interval": "hourly"}), "hourly"),
        (json!({"name": "x", "allowed_models": []}), "allowed_models"),
        (json!({"name": "x", "allowed_models": ["no/such"]}), "no/such"),
        (json!({"name": "x", "ignored_providers": ["nobody"]}), "nobody"),
        (json!({"name": "x", "account_id": "acc_other"}), "account_id"),
        (
            json!({"name": "x", "content_filters": [{"pattern": "(?=a)", "action": "block"}]}),
            "invalid_regex_pattern",
        ),
        (
            json!({"name": "x", "content_filters": [{"pattern": "(a+)+", "action": "block"}]}),
            "invalid_regex_pattern",
        ),
        (json!({"name": "x", "content_filters": [{"pattern": "a", "action": "shout"}]}), "shout"),
        (
            json!({"name": "x", "content_filter_builtins": [{"slug": "person-name",
            "action": "redact"}]}),
            "not available",
        ),
        (
            json!({"name": "x", "content_filter_builtins": [{"slug": "email", "action": "flag"},
            {"slug": "email", "action": "block"}]}),
            "each once",
        ),
    ] {
        let refused = told(&manager.post(ALL, &wish).await, 400);
        let text = refused["error"]["message"].as_str().unwrap();
        assert!(text.contains(why), "{wish}: {text}");
    }
    let made = make(&server, json!({"name": "x"})).await;
    told(&patch(&manager, &path(&made), json!({"workspace_id": made["workspace_id"]})).await, 400);
    let other = server.account("else@example.com", "0").await;
    let stranger = manager.with_key(&other.management_key);
    told(&stranger.get(&path(&made)).await, 404);
    told(&patch(&stranger, &path(&made), json!({"name": "y"})).await, 404);
    told(&delete(&stranger, &path(&made)).await, 404);
    told(&stranger.get(&format!("{}/assignments/keys", path(&made))).await, 404);
    let (hash, _) = key(&server).await;
    let theirs = told(&stranger.post(ALL, &json!({"name": "z"})).await, 201);
    let assign = format!("{}/assignments/keys", path(&theirs["data"]));
    told(&stranger.post(&assign, &json!({"key_hashes": [hash]})).await, 404);
}

#[tokio::test]
async fn the_default_guardrail_of_a_workspace_is_known_before_it_is_set() {
    let server = start().await;
    let manager = server.manager();
    let workspace = told(&manager.get("/api/v1/workspaces/default").await, 200);
    let id = workspace["data"]["default_guardrail_id"].as_str().unwrap();
    let path = format!("{ALL}/{id}");
    let unset = told(&manager.get(&path).await, 200);
    let name = format!("Workspace {} Default", workspace["data"]["id"].as_str().unwrap());
    assert_eq!(unset["data"]["name"], name.as_str());
    assert_eq!(told(&manager.get(ALL).await, 200)["total_count"], 0);
    let caller = server.caller();
    told(&caller.chat(&chat()).await, 200);
    // It holds for everything in the workspace, assigned to nobody.
    let set = told(&patch(&manager, &path, json!({"limit_usd": 0})).await, 200);
    assert_eq!((&set["data"]["id"], &set["data"]["limit_usd"]), (&json!(id), &json!(0)));
    told(&caller.chat(&chat()).await, 403);
    assert_eq!(told(&manager.get(ALL).await, 200)["total_count"], 1);
    told(&delete(&manager, &path).await, 200);
    told(&caller.chat(&chat()).await, 200);
    server.closes_clean().await;
}

#[tokio::test]
async fn a_budget_counts_for_each_key_and_for_the_member() {
    let server = start().await;
    let manager = server.manager();
    let made = make(&server, json!({"name": "small", "limit_usd": 1})).await;
    let ((one, first), (two, second)) = (key(&server).await, key(&server).await);
    let keys = format!("{}/assignments/keys", path(&made));
    let both = json!({"key_hashes": [one, two]});
    let assigned = told(&manager.post(&keys, &both).await, 200);
    conforms("POST", "/guardrails/{id}/assignments/keys", 200, &assigned);
    assert_eq!(assigned["assigned_count"], 2);
    told(&first.chat(&chat()).await, 200);
    let seen = told(&manager.get(&format!("/api/v1/keys/{one}")).await, 200);
    let cost = seen["data"]["usage"].as_f64().unwrap();
    let limit = async |part: f64| {
        let wish = json!({"limit_usd": format!("{:.9}", cost * part)});
        told(&patch(&manager, &path(&made), wish).await, 200);
    };
    limit(0.5).await;
    let refused = told(&first.chat(&chat()).await, 403);
    let text = refused["error"]["message"].as_str().unwrap();
    assert!(text.to_lowercase().contains("guardrail"), "{text}");
    // The other key has spent nothing: its budget is not used up, only too small for a request.
    told(&second.chat(&chat()).await, 402);

    let list = told(&manager.get(&keys).await, 200);
    conforms("GET", "/guardrails/{id}/assignments/keys", 200, &list);
    assert_eq!(list["total_count"], 2);
    let all = told(&manager.get(&format!("{ALL}/assignments/keys?limit=1")).await, 200);
    conforms("GET", "/guardrails/assignments/keys", 200, &all);
    assert_eq!((all["total_count"].clone(), all["data"].as_array().unwrap().len()), (json!(2), 1));
    let removed = told(&manager.post(&format!("{keys}/remove"), &both).await, 200);
    conforms("POST", "/guardrails/{id}/assignments/keys/remove", 200, &removed);
    assert_eq!(removed["unassigned_count"], 2);

    let members = format!("{}/assignments/members", path(&made));
    let owner = server.owner.account_id.as_str().replace("acc_", "user_");
    let people = json!({"member_user_ids": [owner]});
    let assigned = told(&manager.post(&members, &people).await, 200);
    conforms("POST", "/guardrails/{id}/assignments/members", 200, &assigned);
    told(&patch(&manager, &path(&made), json!({"limit_usd": 1})).await, 200);
    told(&first.chat(&chat()).await, 200);
    told(&second.chat(&chat()).await, 200);
    // Either key alone has spent less than this, the member has spent more.
    limit(1.5).await;
    told(&first.chat(&chat()).await, 403);
    told(&second.chat(&chat()).await, 403);
    let list = told(&manager.get(&members).await, 200);
    conforms("GET", "/guardrails/{id}/assignments/members", 200, &list);
    assert_eq!(list["data"][0]["user_id"], owner.as_str());
    let all = told(&manager.get(&format!("{ALL}/assignments/members")).await, 200);
    conforms("GET", "/guardrails/assignments/members", 200, &all);
    let removed = told(&manager.post(&format!("{members}/remove"), &people).await, 200);
    conforms("POST", "/guardrails/{id}/assignments/members/remove", 200, &removed);
    told(&second.chat(&chat()).await, 200);
    server.closes_clean().await;
}

#[tokio::test]
async fn an_assignment_replaces_the_one_before() {
    let server = start().await;
    let manager = server.manager();
    let tight = make(&server, json!({"name": "tight", "limit_usd": 0})).await;
    let loose = make(&server, json!({"name": "loose"})).await;
    let (hash, caller) = key(&server).await;
    let who = json!({"key_hashes": [hash, hash]});
    let keys = |one: &Value| format!("{}/assignments/keys", path(one));
    assert_eq!(told(&manager.post(&keys(&tight), &who).await, 200)["assigned_count"], 1);
    told(&caller.chat(&chat()).await, 403);
    told(&manager.post(&keys(&loose), &who).await, 200);
    told(&caller.chat(&chat()).await, 200);
    assert_eq!(told(&manager.get(&keys(&tight)).await, 200)["total_count"], 0);
    let gone = told(&manager.post(&format!("{}/remove", keys(&tight)), &who).await, 200);
    assert_eq!(gone["unassigned_count"], 0);
    for body in [json!({"key_hashes": []}), json!({"keys": [hash]}), json!({})] {
        told(&manager.post(&keys(&loose), &body).await, 400);
    }
    told(&manager.post(&keys(&loose), &json!({"key_hashes": [hash, "nope"]})).await, 404);
}

#[tokio::test]
async fn privacy_settings_are_read_and_changed_with_the_same_rules() {
    let server = start().await;
    let manager = server.manager();
    let seen = told(&manager.get("/api/v1/privacy").await, 200);
    assert_eq!(
        (&seen["data"]["locked"], &seen["data"]["updated_at"]),
        (&json!(false), &Value::Null)
    );
    let wish = json!({"ignored_models": ["acme/one"], "enforce_zdr": true});
    let set = told(&patch(&manager, "/api/v1/privacy", wish).await, 200);
    assert_eq!(set["data"]["enforce_zdr_other"], true);
    told(&patch(&manager, "/api/v1/privacy", json!({"locked": true})).await, 400);
    told(&patch(&manager, "/api/v1/privacy", json!({"allowed_providers": []})).await, 400);
}

#[tokio::test]
async fn what_a_guardrail_says_holds_for_the_very_next_request_and_ends_with_it() {
    let server = start().await;
    let manager = server.manager();
    let (hash, caller) = key(&server).await;
    let mail = json!({"model": "acme/one", "max_tokens": 20,
        "messages": [{"role": "user", "content": "Write to jane@example.com, please."}]});
    told(&caller.chat(&mail).await, 200);
    let made = make(
        &server,
        json!({"name": "no mail", "content_filter_builtins": [{"slug": "email", "action": "block"}]}),
    )
    .await;
    told(&caller.chat(&mail).await, 200);
    let keys = format!("{}/assignments/keys", path(&made));
    told(&manager.post(&keys, &json!({"key_hashes": [hash]})).await, 200);
    let refused = told(&caller.chat(&mail).await, 403);
    assert_eq!(refused["error"]["message"], "Request blocked by content filter: [EMAIL]");
    told(&server.caller().chat(&mail).await, 200);
    told(&delete(&manager, &path(&made)).await, 200);
    told(&caller.chat(&mail).await, 200);

    // The account's own settings are the ceiling for everybody.
    let wish = json!({"ignored_models": ["acme/one"]});
    told(&patch(&manager, "/api/v1/privacy", wish).await, 200);
    for caller in [&caller, &server.caller()] {
        told(&caller.chat(&chat()).await, 404);
    }
    told(&patch(&manager, "/api/v1/privacy", json!({"ignored_models": null})).await, 200);
    told(&caller.chat(&chat()).await, 200);
    server.closes_clean().await;
}
