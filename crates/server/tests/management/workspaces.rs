//! `/api/v1/workspaces`, members and budgets.

use serde_json::{Value, json};
use signalbox_testkit::{Caller, TestServer};

use crate::reference::conforms;
use crate::site::{chat, delete, patch, put, start, told};

const ALL: &str = "/api/v1/workspaces";

async fn make(server: &TestServer, slug: &str) -> Value {
    let wish = json!({"name": format!("The {slug}"), "slug": slug});
    let made = told(&server.manager().post(ALL, &wish).await, 201);
    conforms("POST", "/workspaces", 201, &made);
    made["data"].clone()
}

async fn key_in(server: &TestServer, workspace: &Value) -> (String, Caller) {
    let wish = json!({"name": "k", "workspace_id": workspace["id"]});
    let made = told(&server.manager().post("/api/v1/keys", &wish).await, 201);
    assert_eq!(made["data"]["workspace_id"], workspace["id"]);
    let caller = server.caller().with_key(made["key"].as_str().unwrap());
    (made["data"]["hash"].as_str().unwrap().to_owned(), caller)
}

#[tokio::test]
async fn every_account_has_a_default_workspace_that_stays() {
    let server = start().await;
    let manager = server.manager();
    let list = told(&manager.get(ALL).await, 200);
    conforms("GET", "/workspaces", 200, &list);
    assert_eq!(list["total_count"], 1);
    let default = &list["data"][0];
    assert_eq!((&default["slug"], &default["name"]), (&json!("default"), &json!("Default")));
    let by_slug = told(&manager.get(&format!("{ALL}/default")).await, 200);
    conforms("GET", "/workspaces/{id}", 200, &by_slug);
    assert_eq!(&by_slug["data"], default);
    let refused = told(&delete(&manager, &format!("{ALL}/default")).await, 403);
    assert_eq!(refused["error"]["code"], 403);
    let keys = told(&manager.get("/api/v1/keys").await, 200);
    assert_eq!(keys["data"][0]["workspace_id"], default["id"]);
}

#[tokio::test]
async fn a_workspace_is_made_changed_listed_and_deleted_once_it_is_empty() {
    let server = start().await;
    let manager = server.manager();
    let made = make(&server, "lab").await;
    let path = format!("{ALL}/{}", made["id"].as_str().unwrap());
    let wish = json!({"description": "For trials", "default_provider_sort": "price",
        "default_text_model": "acme/one", "io_logging_sampling_rate": 0.25,
        "is_observability_io_logging_enabled": true, "io_logging_api_key_ids": [1, 2],
        "slug": "trials"});
    let changed = told(&patch(&manager, &path, wish.clone()).await, 200);
    conforms("PATCH", "/workspaces/{id}", 200, &changed);
    for (member, value) in wish.as_object().unwrap() {
        assert_eq!(&changed["data"][member], value, "{member}");
    }
    let cleared = json!({"description": null, "io_logging_api_key_ids": null});
    let changed = told(&patch(&manager, &format!("{ALL}/trials"), cleared).await, 200);
    assert_eq!(changed["data"]["description"], Value::Null);
    assert_eq!(changed["data"]["default_text_model"], "acme/one", "what is absent stays");
    told(&manager.get(&format!("{ALL}/lab")).await, 404);

    let (hash, caller) = key_in(&server, &made).await;
    told(&caller.chat(&chat()).await, 200);
    let default = told(&manager.get("/api/v1/keys").await, 200);
    assert!(!default.to_string().contains(&hash), "lists are of the default workspace");
    let query = format!("/api/v1/keys?workspace_id={}", made["id"].as_str().unwrap());
    assert_eq!(told(&manager.get(&query).await, 200)["data"][0]["hash"], hash.as_str());

    told(&delete(&manager, &path).await, 400);
    told(&delete(&manager, &format!("/api/v1/keys/{hash}")).await, 200);
    let gone = told(&delete(&manager, &path).await, 200);
    conforms("DELETE", "/workspaces/{id}", 200, &gone);
    told(&manager.get(&path).await, 404);
    make(&server, "trials").await;
    server.closes_clean().await;
}

#[tokio::test]
async fn a_workspace_that_cannot_be_is_refused() {
    let server = start().await;
    let manager = server.manager();
    make(&server, "lab").await;
    for wish in [
        json!({}),
        json!({"name": "x"}),
        json!({"slug": "x"}),
        json!({"name": "", "slug": "x"}),
        json!({"name": "x".repeat(101), "slug": "x"}),
        json!({"name": "x", "slug": "lab"}),
        json!({"name": "x", "slug": "Lab"}),
        json!({"name": "x", "slug": "a--b"}),
        json!({"name": "x", "slug": "-a"}),
        json!({"name": "x", "slug": "a".repeat(51)}),
        json!({"name": "x", "slug": "x", "description": "d".repeat(501)}),
        json!({"name": "x", "slug": "x", "io_logging_sampling_rate": 0}),
        json!({"name": "x", "slug": "x", "io_logging_sampling_rate": 1.5}),
        json!({"name": "x", "slug": "x", "default_provider_sort": "mood"}),
        json!({"name": "x", "slug": "x", "include_byok_in_budgets": true}),
        json!({"name": "x", "slug": "x", "account_id": "acc_other"}),
    ] {
        told(&manager.post(ALL, &wish).await, 400);
    }
    told(&patch(&manager, &format!("{ALL}/lab"), json!({"slug": "default"})).await, 400);
    told(&manager.get(&format!("{ALL}?limit=101")).await, 400);
    let other = server.account("else@example.com", "0").await;
    let stranger = manager.with_key(&other.management_key);
    for path in ["", "/members", "/budgets", "/budgets/daily"] {
        told(&stranger.get(&format!("{ALL}/lab{path}")).await, 404);
    }
    told(&delete(&stranger, &format!("{ALL}/lab")).await, 404);
    let list = told(&stranger.get(ALL).await, 200);
    assert_eq!(list["total_count"], 1, "only the stranger's own");
}

#[tokio::test]
async fn budgets_fall_with_their_windows_and_the_broadest_that_is_used_up_is_named() {
    let server = start().await;
    let manager = server.manager();
    let made = make(&server, "lab").await;
    let budgets = format!("{ALL}/lab/budgets");
    let set = async |interval: &str, limit: Value| {
        put(&manager, &format!("{budgets}/{interval}"), json!({"limit_usd": limit})).await
    };
    let seen = told(&set("monthly", json!(5)).await, 200);
    conforms("PUT", "/workspaces/{id}/budgets/{interval}", 200, &seen);
    assert_eq!(seen["data"]["reset_interval"], "monthly");
    let refused = told(&set("daily", json!(5)).await, 400);
    let text = refused["error"]["message"].as_str().unwrap();
    assert_eq!(text, "The daily budget ($5) must be below the monthly budget ($5)");
    told(&set("lifetime", json!(4)).await, 400);
    let lifetime = told(&set("lifetime", json!(6)).await, 200);
    assert_eq!(lifetime["data"]["reset_interval"], Value::Null);
    told(&set("daily", json!(1)).await, 200);
    for limit in [json!(0), json!(-1), json!("much"), Value::Null] {
        told(&set("weekly", limit).await, 400);
    }
    told(&set("hourly", json!(1)).await, 400);

    let byok = json!({"limit_usd": 1, "include_byok_in_budgets": true});
    let seen = told(&put(&manager, &format!("{budgets}/daily"), byok).await, 200);
    assert_eq!(seen["include_byok_in_budgets"], true);
    assert!(seen["data"]["created_at"].as_str() <= seen["data"]["updated_at"].as_str());
    let list = told(&manager.get(&budgets).await, 200);
    conforms("GET", "/workspaces/{id}/budgets", 200, &list);
    let intervals: Vec<&Value> =
        list["data"].as_array().unwrap().iter().map(|one| &one["reset_interval"]).collect();
    assert_eq!(intervals, [&Value::Null, &json!("monthly"), &json!("daily")]);
    let workspace = told(&manager.get(&format!("{ALL}/lab")).await, 200);
    assert_eq!(workspace["data"]["include_byok_in_budgets"], true);
    let one = told(&manager.get(&format!("{budgets}/daily")).await, 200);
    conforms("GET", "/workspaces/{id}/budgets/{interval}", 200, &one);
    told(&manager.get(&format!("{budgets}/weekly")).await, 404);

    let (_, caller) = key_in(&server, &made).await;
    told(&caller.chat(&chat()).await, 200);
    for interval in ["daily", "monthly"] {
        let limit = if interval == "daily" { 0.000_001 } else { 0.000_002 };
        told(&set(interval, json!(limit)).await, 200);
        let refused = told(&caller.chat(&chat()).await, 403);
        let text = refused["error"]["message"].as_str().unwrap();
        assert!(text.starts_with(&format!("Workspace {interval} budget of $")), "{text}");
        assert!(text.ends_with(" exceeded. Contact your org admin."), "{text}");
    }
    for interval in ["daily", "monthly", "monthly"] {
        let gone = told(&delete(&manager, &format!("{budgets}/{interval}")).await, 200);
        conforms("DELETE", "/workspaces/{id}/budgets/{interval}", 200, &gone);
    }
    told(&caller.chat(&chat()).await, 200);
    server.closes_clean().await;
}

#[tokio::test]
async fn the_owner_is_in_the_default_workspace_and_joins_others() {
    let server = start().await;
    let manager = server.manager();
    make(&server, "lab").await;
    let members = told(&manager.get(&format!("{ALL}/default/members")).await, 200);
    conforms("GET", "/workspaces/{id}/members", 200, &members);
    let owner = members["data"][0]["user_id"].clone();
    assert_eq!(
        (&members["data"][0]["role"], &members["total_count"]),
        (&json!("admin"), &json!(1))
    );
    let empty = told(&manager.get(&format!("{ALL}/lab/members")).await, 200);
    assert_eq!(empty["total_count"], 0);
    let people = json!({"user_ids": [owner]});
    for _ in 0..2 {
        let added = told(&manager.post(&format!("{ALL}/lab/members/add"), &people).await, 200);
        conforms("POST", "/workspaces/{id}/members/add", 200, &added);
        assert_eq!(added["added_count"], 1);
    }
    let strangers = json!({"user_ids": [owner, "user_nobody"]});
    told(&manager.post(&format!("{ALL}/lab/members/add"), &strangers).await, 404);
    told(&manager.post(&format!("{ALL}/lab/members/add"), &json!({"user_ids": []})).await, 400);

    let workspace = told(&manager.get(&format!("{ALL}/lab")).await, 200);
    let (hash, _) = key_in(&server, &workspace["data"]).await;
    told(&manager.post(&format!("{ALL}/lab/members/remove"), &people).await, 400);
    told(&delete(&manager, &format!("/api/v1/keys/{hash}")).await, 200);
    for left in [1, 0] {
        let removed = told(&manager.post(&format!("{ALL}/lab/members/remove"), &people).await, 200);
        conforms("POST", "/workspaces/{id}/members/remove", 200, &removed);
        assert_eq!(removed["removed_count"], left);
    }
    told(&manager.post(&format!("{ALL}/default/members/remove"), &people).await, 400);
}
