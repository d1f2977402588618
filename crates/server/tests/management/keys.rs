//! `/api/v1/keys`.

use serde_json::{Value, json};
use signalbox_testkit::TestServer;

use crate::reference::conforms;
use crate::site::{chat, delete, patch, put, start, told};

const KEYS: &str = "/api/v1/keys";

async fn make(server: &TestServer, wish: Value) -> (Value, String) {
    let made = told(&server.manager().post(KEYS, &wish).await, 201);
    conforms("POST", "/keys", 201, &made);
    (made["data"].clone(), made["key"].as_str().unwrap().to_owned())
}

fn path(key: &Value) -> String {
    format!("{KEYS}/{}", key["hash"].as_str().unwrap())
}

#[tokio::test]
async fn a_key_is_made_shown_once_used_and_deleted() {
    let server = start().await;
    let wish = json!({"name": " Mine ", "limit": 2.5, "limit_reset": "monthly",
        "include_byok_in_limit": true, "expires_at": "2999-12-31T23:59:59Z"});
    let (made, key) = make(&server, wish).await;
    assert_eq!(made["name"], "Mine");
    assert_eq!(made["limit"], 2.5);
    assert_eq!(made["limit_remaining"], 2.5);
    assert_eq!(made["limit_reset"], "monthly");
    assert_eq!(made["expires_at"], "2999-12-31T23:59:59.000Z");
    assert_eq!(made["include_byok_in_limit"], true);
    let owner = server.owner.account_id.as_str().replace("acc_", "user_");
    assert_eq!(made["creator_user_id"], owner.as_str());
    assert!(!made["label"].as_str().unwrap().contains(&key[12..]));

    let caller = server.caller().with_key(&key);
    told(&caller.chat(&chat()).await, 200);
    let manager = server.manager();
    let seen = told(&manager.get(&path(&made)).await, 200);
    conforms("GET", "/keys/{hash}", 200, &seen);
    let spent = seen["data"]["usage"].as_f64().unwrap();
    assert!(spent > 0.0);
    assert_eq!(seen["data"]["usage_daily"], spent);
    assert!(seen["data"]["last_used_at"].is_string() && made["last_used_at"].is_null());
    assert_eq!(seen["data"]["byok_usage"], 0);
    assert!(seen["data"]["limit_remaining"].as_f64().unwrap() < 2.5);
    let own = told(&caller.get("/api/v1/key").await, 200);
    conforms("GET", "/key", 200, &own);
    assert_eq!(own["data"]["workspace_id"], made["workspace_id"]);
    assert_eq!(own["data"]["usage"], spent);

    let list = told(&manager.get(KEYS).await, 200);
    conforms("GET", "/keys", 200, &list);
    assert_eq!(list["data"][0]["hash"], made["hash"]);

    assert_eq!(told(&delete(&manager, &path(&made)).await, 200), json!({"deleted": true}));
    told(&caller.chat(&chat()).await, 401);
    told(&manager.get(&path(&made)).await, 404);
    told(&delete(&manager, &path(&made)).await, 404);
    server.closes_clean().await;
}

#[tokio::test]
async fn a_change_holds_for_the_very_next_request() {
    let server = start().await;
    let (made, key) = make(&server, json!({"name": "one"})).await;
    let (caller, manager) = (server.caller().with_key(&key), server.manager());
    for _ in 0..20 {
        told(&caller.chat(&chat()).await, 200);
        told(&patch(&manager, &path(&made), json!({"disabled": true})).await, 200);
        told(&caller.chat(&chat()).await, 401);
        told(&patch(&manager, &path(&made), json!({"disabled": false})).await, 200);
    }
    // A limit below what is spent already.
    let seen = told(&patch(&manager, &path(&made), json!({"limit": 0.000001})).await, 200);
    conforms("PATCH", "/keys/{hash}", 200, &seen);
    assert_eq!(seen["data"]["limit_remaining"], 0);
    let refused = told(&caller.chat(&chat()).await, 403);
    let text = refused["error"]["message"].as_str().unwrap();
    assert!(text.starts_with("Key limit exceeded (total limit). Manage it using "), "{text}");
    told(&patch(&manager, &path(&made), json!({"limit": null})).await, 200);
    told(&caller.chat(&chat()).await, 200);
    server.closes_clean().await;
}

#[tokio::test]
async fn what_is_absent_stays_and_null_clears() {
    let server = start().await;
    let (made, _) = make(&server, json!({"name": "a", "limit": 1, "limit_reset": "daily"})).await;
    let manager = server.manager();
    let one = told(&patch(&manager, &path(&made), json!({"name": "b"})).await, 200);
    assert_eq!(
        (&one["data"]["name"], &one["data"]["limit"], &one["data"]["limit_reset"]),
        (&json!("b"), &json!(1), &json!("daily"))
    );
    let one = told(&patch(&manager, &path(&made), json!({"limit_reset": null})).await, 200);
    assert_eq!((&one["data"]["limit"], &one["data"]["limit_reset"]), (&json!(1), &Value::Null));
}

#[tokio::test]
async fn a_wish_that_cannot_be_is_refused_and_changes_nothing() {
    let server = start().await;
    let (made, _) = make(&server, json!({"name": "a"})).await;
    let manager = server.manager();
    for wish in [
        json!({}),
        json!({"name": ""}),
        json!({"name": "x", "limit": -1}),
        json!({"name": "x", "limit": "many"}),
        json!({"name": "x", "limit_reset": "hourly"}),
        json!({"name": "x", "expires_at": "2999-12-31T23:59:59+02:00"}),
        json!({"name": "x", "expires_at": "2001-01-01T00:00:00Z"}),
        json!({"name": "x", "workspace_id": "elsewhere"}),
        json!({"name": "x", "management": true}),
        json!({"name": "x", "allowed_routes": ["/*"]}),
        json!({"name": "x", "role": "org:admin"}),
        json!([]),
    ] {
        let refused = told(&manager.post(KEYS, &wish).await, 400);
        assert_eq!(refused["error"]["code"], 400, "{wish}");
    }
    for wish in [
        json!({"name": "x", "workspace_id": "0df9e665-d932-5740-b2c7-b52af166bc11"}),
        json!({"name": "x", "creator_user_id": "user_nobody"}),
    ] {
        told(&manager.post(KEYS, &wish).await, 404);
    }
    for wish in [json!({"expires_at": null}), json!({"workspace_id": null}), json!({"hash": "a"})] {
        told(&patch(&manager, &path(&made), wish).await, 400);
    }
    told(&manager.get(&format!("{KEYS}?offset=-1")).await, 400);
    let list = told(&manager.get(KEYS).await, 200);
    assert_eq!(list["data"].as_array().unwrap().len(), 2, "the first key and this one");
}

#[tokio::test]
async fn only_a_management_key_of_the_account_manages_and_no_key_manages_itself() {
    let server = start().await;
    let (made, key) = make(&server, json!({"name": "a"})).await;
    let other = server.account("else@example.com", "0").await;
    let stranger = server.manager().with_key(&other.management_key);
    let nowhere = format!("{KEYS}/{}", "0".repeat(64));
    for path in [path(&made), nowhere] {
        let refused = told(&stranger.get(&path).await, 404);
        assert_eq!(refused["error"]["message"], "Resource not found");
        told(&patch(&stranger, &path, json!({"disabled": true})).await, 404);
        told(&delete(&stranger, &path).await, 404);
    }
    let own = signalbox_platform::keys::hash_of(&server.owner.management_key);
    told(&server.manager().get(&format!("{KEYS}/{own}")).await, 404);
    told(&delete(&server.manager(), &format!("{KEYS}/{own}")).await, 404);
    let refused = told(&server.caller().with_key(&key).get(KEYS).await, 403);
    let text = "Only management keys can perform this operation";
    assert_eq!(refused["error"]["message"], text);
    told(&server.caller().without("authorization").get(KEYS).await, 401);
    told(&server.caller().with_key(&key).chat(&chat()).await, 200);
}

#[tokio::test]
async fn disabled_keys_are_listed_on_demand_a_hundred_on_a_page() {
    let server = start().await;
    let manager = server.manager();
    let (made, _) = make(&server, json!({"name": "off"})).await;
    told(&patch(&manager, &path(&made), json!({"disabled": true})).await, 200);
    for index in 0..100 {
        make(&server, json!({"name": format!("{index}")})).await;
    }
    let count = async |query: &str| {
        let list = told(&manager.get(&format!("{KEYS}{query}")).await, 200);
        list["data"].as_array().unwrap().len()
    };
    assert_eq!(count("").await, 100);
    assert_eq!(count("?offset=100").await, 1, "the first key");
    assert_eq!(count("?offset=100&include_disabled=true").await, 2);
    assert_eq!(count("?offset=1000").await, 0);
}

#[tokio::test]
async fn the_audit_log_tells_who_did_what_and_never_a_secret() {
    let server = start().await;
    let (made, key) = make(&server, json!({"name": "a"})).await;
    let manager = server.manager();
    told(&patch(&manager, &path(&made), json!({"limit": 1})).await, 200);
    told(&delete(&manager, &path(&made)).await, 200);
    let store = server.platform.store();
    let log = store.audit_log(&server.owner.account_id, None, 10).await.unwrap();
    let acts: Vec<&str> = log.iter().map(|row| row.action.as_str()).collect();
    assert_eq!(acts, ["key.delete", "key.update", "key.create"]);
    let hash = signalbox_platform::keys::hash_of(&server.owner.management_key);
    for row in &log {
        assert_eq!((row.actor_kind.as_str(), row.actor_id.as_str()), ("key", hash.as_str()));
        assert_eq!(row.address.as_deref(), Some("127.0.0.1"));
        assert_eq!(row.object_id, made["hash"].as_str().unwrap());
    }
    let change = &log[1];
    assert_eq!(change.before.as_ref().unwrap()["limit"], Value::Null);
    assert_eq!(change.after.as_ref().unwrap()["limit"], 1);
    let page = told(&manager.get("/api/v1/audit-log?limit=2").await, 200);
    let (latest, before) = (&page["data"][0], &page["data"][1]["id"]);
    assert_eq!((&latest["action"], &latest["after"]), (&json!("key.delete"), &Value::Null));
    let rest = told(&manager.get(&format!("/api/v1/audit-log?before={before}")).await, 200);
    assert_eq!(rest["data"].as_array().unwrap().len(), 1);
    told(&manager.get("/api/v1/audit-log?limit=0").await, 400);
    let other = server.account("else@example.com", "0").await;
    let theirs = manager.with_key(&other.management_key).get("/api/v1/audit-log").await;
    assert_eq!(told(&theirs, 200)["data"], json!([]));
    let text = format!("{log:?}");
    assert!(!text.contains(&key) && !text.contains(&server.owner.management_key));
}

#[tokio::test]
async fn a_key_says_what_limits_it_and_what_will_refuse_it_first() {
    let server = start().await;
    let manager = server.manager();
    let (made, key) =
        make(&server, json!({"name": "k", "limit": 2, "limit_reset": "monthly"})).await;
    let caller = server.caller().with_key(&key);
    let weekly = "/api/v1/workspaces/default/budgets/weekly";
    told(&put(&manager, weekly, json!({"limit_usd": 1.5})).await, 200);
    let guardrail = json!({"name": "g", "limit_usd": 0.00001, "reset_interval": "daily"});
    let guardrail = told(&manager.post("/api/v1/guardrails", &guardrail).await, 201);
    let id = guardrail["data"]["id"].as_str().unwrap();
    let path = format!("/api/v1/guardrails/{id}/assignments/keys");
    told(&manager.post(&path, &json!({"key_hashes": [made["hash"]]})).await, 200);
    let seen = async || told(&caller.get("/api/v1/key").await, 200)["data"].clone();
    let before = seen().await;
    let scopes: Vec<&str> = before["budgets"]
        .as_array()
        .unwrap()
        .iter()
        .map(|b| b["scope"].as_str().unwrap())
        .collect();
    assert_eq!(scopes, ["key_limit", "workspace", "api_key"]);
    assert_eq!(before["budgets"][1]["reset_interval"], "weekly");
    assert!(before["budgets"][1]["budget_id"].is_string());
    assert!(before["budgets"][0]["resets_at"].as_str().unwrap().contains("-01T00:00:00"));
    let least = &before["effective_budget"];
    assert_eq!((&least["guardrail_id"], &least["remaining_usd"]), (&json!(id), &json!(0.00001)));

    told(&caller.chat(&chat()).await, 402);
    told(
        &manager.post(&format!("{path}/remove"), &json!({"key_hashes": [made["hash"]]})).await,
        200,
    );
    told(&caller.chat(&chat()).await, 200);
    let after = seen().await;
    let spent = after["usage"].as_f64().unwrap();
    assert!(spent > 0.0);
    for budget in after["budgets"].as_array().unwrap() {
        assert_eq!(budget["spend_usd"], spent, "{budget}");
    }
    assert_eq!(after["effective_budget"]["scope"], "workspace");
    server.closes_clean().await;
}
