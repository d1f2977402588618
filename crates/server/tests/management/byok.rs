//! `/api/v1/byok`.

use std::collections::HashSet;

use serde_json::{Value, json};
use signalbox_catalog::{ConfiguredCatalogue, Snapshot};
use signalbox_platform::v1::byok::ProbeWish;
use signalbox_testkit::{Offer, Reply, Stand, TestServer};

use crate::reference::{REFERENCE, conforms};
use crate::site::{delete, patch, put, told};

const ALL: &str = "/api/v1/byok";
/// What must never be seen again.
const CANARY: &str = "sk-proj-CANARY-0123456789-AbCd";

async fn start() -> TestServer {
    let offer = Offer::new()
        .embedded()
        .provider("openai", json!({"name": "OpenAI", "transport": "bearer"}))
        .model("acme/one", [Stand::new("openai", "tokens-5")]);
    TestServer::start_with(offer, "3").await
}

async fn make(server: &TestServer, wish: Value) -> Value {
    let made = told(&server.manager().post(ALL, &wish).await, 201);
    conforms("POST", "/byok", 201, &made);
    made["data"].clone()
}

fn path(key: &Value) -> String {
    format!("{ALL}/{}", key["id"].as_str().unwrap())
}

fn plain() -> Value {
    json!({"provider": "openai", "key": CANARY})
}

fn why(reply: &Reply) -> String {
    told(reply, 400)["error"]["message"].as_str().unwrap().to_owned()
}

#[tokio::test]
async fn a_provider_key_is_made_shown_changed_and_deleted_and_its_secret_never_seen() {
    let server = start().await;
    let manager = server.manager();
    let made = make(&server, json!({"provider": "OpenAI", "key": CANARY, "name": "Ours"})).await;
    let workspace = told(&manager.get("/api/v1/workspaces/default").await, 200);
    assert_eq!(
        (&made["provider"], &made["workspace_id"]),
        (&json!("openai"), &workspace["data"]["id"])
    );
    assert_eq!(
        [&made["disabled"], &made["is_fallback"], &made["is_required"], &made["sort_order"]],
        [&json!(false), &json!(false), &json!(false), &json!(0)]
    );
    let label = made["label"].as_str().unwrap();
    assert!(label.starts_with("sk-") && label.ends_with("...AbCd"), "{label}");
    let seen = told(&manager.get(&path(&made)).await, 200);
    conforms("GET", "/byok/{id}", 200, &seen);
    assert_eq!(seen["data"], made);

    let wish = json!({"name": null, "is_fallback": true, "disabled": true, "is_required": true,
        "allowed_models": ["acme/one"], "key": "sk-proj-CANARY-second-0123-WxYz"});
    let changed = told(&patch(&manager, &path(&made), wish).await, 200);
    conforms("PATCH", "/byok/{id}", 200, &changed);
    let changed = &changed["data"];
    assert!(changed["label"].as_str().unwrap().ends_with("...WxYz"), "{changed}");
    assert_eq!((&changed["name"], &changed["is_required"]), (&Value::Null, &json!(true)));
    let kept = told(&patch(&manager, &path(&made), json!({"disabled": false})).await, 200);
    assert_eq!(kept["data"]["allowed_models"], json!(["acme/one"]), "what is absent stays");
    let clear = json!({"allowed_models": null});
    let cleared = told(&patch(&manager, &path(&made), clear).await, 200);
    assert_eq!(cleared["data"]["allowed_models"], Value::Null);

    let gone = told(&delete(&manager, &path(&made)).await, 200);
    conforms("DELETE", "/byok/{id}", 200, &gone);
    for reply in [
        manager.get(&path(&made)).await,
        delete(&manager, &path(&made)).await,
        patch(&manager, &path(&made), json!({"name": "x"})).await,
    ] {
        told(&reply, 404);
    }
    assert_eq!(told(&manager.get(ALL).await, 200)["total_count"], 0);
    let log = told(&manager.get("/api/v1/audit-log?limit=100").await, 200);
    let acts: Vec<_> = log["data"].as_array().unwrap().iter().map(|one| &one["action"]).collect();
    let update = &json!("byok.update");
    assert_eq!(acts[..5], [&json!("byok.delete"), update, update, update, &json!("byok.create")]);
    let text = log.to_string();
    assert!(!text.contains("CANARY") && text.contains("...WxYz"), "{text}");
}

#[tokio::test]
async fn lists_are_of_a_workspace_by_provider_and_order_a_page_at_a_time() {
    let server = start().await;
    let manager = server.manager();
    let wish = json!({"name": "w", "slug": "w"});
    let there = told(&manager.post("/api/v1/workspaces", &wish).await, 201)["data"]["id"].clone();
    let mut ids = Vec::new();
    for name in ["a", "b", "c"] {
        let mut wish = plain();
        wish["name"] = json!(name);
        ids.push(make(&server, wish).await["id"].clone());
    }
    let elsewhere = make(
        &server,
        json!({"provider": "openai", "key": CANARY, "workspace_id": there, "name": "there"}),
    )
    .await;
    let wish = json!({"provider": "anthropic", "key": CANARY, "workspace_id": null, "name": "all"});
    let all = make(&server, wish).await;
    assert_eq!((&all["workspace_id"], &all["sort_order"]), (&Value::Null, &json!(0)));

    let names = async |query: &str| -> (Vec<Value>, Value) {
        let list = told(&manager.get(&format!("{ALL}{query}")).await, 200);
        conforms("GET", "/byok", 200, &list);
        let names = list["data"].as_array().unwrap().iter().map(|one| one["name"].clone());
        (names.collect(), list["total_count"].clone())
    };
    assert_eq!(names("").await.0, ["all", "a", "b", "c"]);
    assert_eq!(names("?provider=OpenAI").await.0, ["a", "b", "c"]);
    let in_workspace = format!("?workspace_id={}", there.as_str().unwrap());
    assert_eq!(names(&in_workspace).await.0, ["all", "there"]);
    assert_eq!(names("?limit=2&offset=1").await, (vec![json!("a"), json!("b")], json!(4)));
    assert!(why(&manager.get(&format!("{ALL}?limit=0")).await).contains("limit"));
    assert!(why(&manager.get(&format!("{ALL}?limit=101")).await).contains("limit"));

    let order = format!("{ALL}/order");
    let wish = json!({"ids": [ids[2], elsewhere["id"]]});
    let ordered = told(&put(&manager, &order, wish).await, 200);
    let names_now: Vec<_> =
        ordered["data"].as_array().unwrap().iter().map(|one| &one["name"]).collect();
    assert_eq!(names_now, ["c", "there", "a", "b"]);
    assert_eq!(names("?provider=openai").await.0, ["c", "a", "b"]);
    told(&put(&manager, &order, json!({"ids": [ids[0], all["id"]]})).await, 404);
    for wrong in [json!({"ids": []}), json!({"ids": ["x"]}), json!({})] {
        told(&put(&manager, &order, wrong).await, 400);
    }
    // What is in a workspace goes with it.
    let gone = format!("/api/v1/workspaces/{}", there.as_str().unwrap());
    told(&delete(&manager, &gone).await, 200);
    told(&manager.get(&path(&elsewhere)).await, 404);
}

#[tokio::test]
async fn a_provider_key_that_cannot_be_is_refused_without_being_repeated() {
    let server = start().await;
    let manager = server.manager();
    let other = server.account("else@example.com", "0").await;
    let stranger = manager.with_key(&other.management_key);
    let theirs = told(&stranger.post("/api/v1/keys", &json!({"name": "k"})).await, 201);
    let theirs = theirs["data"]["hash"].clone();
    let deleted = told(&manager.post("/api/v1/keys", &json!({"name": "k"})).await, 201);
    let deleted = deleted["data"]["hash"].as_str().unwrap().to_owned();
    told(&delete(&manager, &format!("/api/v1/keys/{deleted}")).await, 200);
    let with = |member: &str, value: Value| {
        let mut wish = plain();
        wish[member] = value;
        wish
    };
    let many: Vec<String> = (0..101).map(|number| format!("{number:064x}")).collect();
    for (wish, text) in [
        (json!({"provider": "openai"}), "key"),
        (json!({"key": CANARY}), "provider"),
        (with("provider", json!("nobody")), "nobody"),
        (with("key", json!("")), "key"),
        (with("key", json!("  ")), "key"),
        (with("key", json!("CANARY two words")), "key"),
        (with("key", json!({"api_key": CANARY})), "written as a text"),
        (with("key", json!(["CANARY"])), "written as a text"),
        (with("key", json!(12_345_678)), "written as a text"),
        (with("key", json!("CANARY".repeat(6_000))), "key"),
        (with("name", json!("n".repeat(256))), "name"),
        (with("sort_order", json!(1)), "sort_order"),
        (with("account_id", json!("acc_other")), "account_id"),
        (with("workspace_id", json!("default")), "workspace_id"),
        (with("is_byok_only", json!(true)), "not available"),
        (with("declared_zdr", json!(true)), "not available"),
        (with("allowed_models", json!([])), "allowed_models"),
        (with("allowed_models", json!(["no/such"])), "no/such"),
        (with("allowed_models", json!(vec!["acme/one"; 101])), "at most 100"),
        (with("allowed_api_key_hashes", json!([])), "allowed_api_key_hashes"),
        (with("allowed_api_key_hashes", json!(["ab"])), "64"),
        (with("allowed_api_key_hashes", json!(["A".repeat(64)])), "64"),
        (with("allowed_api_key_hashes", json!(many)), "at most 100"),
        (with("allowed_api_key_hashes", json!(["a".repeat(64)])), "not all are keys"),
        (with("allowed_api_key_hashes", json!([theirs])), "not all are keys"),
        (with("allowed_api_key_hashes", json!([deleted])), "not all are keys"),
        (with("allowed_user_ids", json!([])), "allowed_user_ids"),
        (with("allowed_user_ids", json!(["user_nobody"])), "not all are members"),
    ] {
        let refused = why(&manager.post(ALL, &wish).await);
        assert!(refused.contains(text), "{wish}: {refused}");
        assert!(!refused.contains("CANARY") && !refused.contains("12345678"), "{refused}");
    }
    let made = make(&server, plain()).await;
    for (wish, text) in [
        (json!({"provider": "anthropic"}), "provider"),
        (json!({"workspace_id": made["workspace_id"]}), "workspace_id"),
        (json!({"sort_order": 3}), "sort_order"),
        (json!({"key": ""}), "key"),
        (json!({"key": null}), "key"),
        (json!({"allowed_api_key_hashes": []}), "allowed_api_key_hashes"),
    ] {
        let refused = why(&patch(&manager, &path(&made), wish.clone()).await);
        assert!(refused.contains(text), "{wish}: {refused}");
    }
    told(&server.caller().get(ALL).await, 403);
    told(&stranger.get(&path(&made)).await, 404);
    let wish = json!({"ids": [made["id"]]});
    told(&put(&stranger, &format!("{ALL}/order"), wish).await, 404);
    assert_eq!(told(&manager.get(ALL).await, 200)["total_count"], 1, "nothing else was made");
    // One's own key and oneself are fine.
    let own = told(&manager.post("/api/v1/keys", &json!({"name": "k"})).await, 201);
    let me = server.owner.account_id.as_str().replace("acc_", "user_");
    let wish = json!({"allowed_api_key_hashes": [own["data"]["hash"]], "allowed_user_ids": [me]});
    let changed = told(&patch(&manager, &path(&made), wish).await, 200);
    conforms("PATCH", "/byok/{id}", 200, &changed);
    assert_eq!(changed["data"]["allowed_user_ids"], json!([me]));
}

/// The open enum of the public API: a key of a provider that nobody has set up is kept all the same.
#[tokio::test]
async fn a_key_can_be_kept_for_every_provider_of_the_public_api() {
    let nothing = (ConfiguredCatalogue::default(), HashSet::new());
    let catalog = Snapshot::build(Snapshot::embedded().unwrap(), nothing.0, &nothing.1).unwrap();
    let slugs = REFERENCE["components"]["schemas"]["BYOKProviderSlug"]["enum"].as_array().unwrap();
    assert_eq!(slugs.len(), 102);
    let list = json!([{"api_key": CANARY, "resource_name": "res-1"}]);
    let token = json!({"access_token": CANARY, "project_id": "p"});
    for slug in slugs {
        let key = match slug.as_str().unwrap() {
            "azure" => list.to_string(),
            "google-vertex" => token.to_string(),
            _ => CANARY.to_owned(),
        };
        let wish: ProbeWish =
            serde_json::from_value(json!({"provider": slug, "key": key})).unwrap();
        wish.checked(&catalog).unwrap_or_else(|problem| panic!("{slug}: {problem}"));
    }
    let server = start().await;
    // Without a row, without a language, without an address, and one like any other.
    for slug in ["Databricks", "recraft", "modal", "ambient"] {
        let made = make(&server, json!({"provider": slug, "key": CANARY})).await;
        assert_eq!(made["provider"], slug.to_ascii_lowercase());
        let wish = json!({"key": "sk-another-0123456789-WxYz"});
        told(&patch(&server.manager(), &path(&made), wish).await, 200);
        let wish = json!({"key": "two words"});
        told(&patch(&server.manager(), &path(&made), wish).await, 400);
    }
    let all = told(&server.manager().get(ALL).await, 200);
    assert_eq!(all["total_count"], 4);
    server.closes_clean().await;
}
