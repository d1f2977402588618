//! `/api/v1/presets`: made from bodies, listed, changed, and whose they are.

use bytes::Bytes;
use http::Method;
use serde_json::{Value, json};
use signalbox_testkit::{Caller, TestServer};

use crate::reference::conforms;
use crate::site::{delete, patch, start, told};

const ALL: &str = "/api/v1/presets";
const OURS: &str = "/api/v1/workspaces/default/presets";

pub fn saved(slug: &str) -> String {
    format!("{ALL}/{slug}/chat/completions")
}

fn body(temperature: f64) -> Value {
    json!({"model": "acme/one", "temperature": temperature, "stream": true,
        "messages": [{"role": "system", "content": "Be brief."}, {"role": "user", "content": "Hi"}]})
}

pub async fn key_of_workspace(server: &TestServer, slug: &str) -> Caller {
    let manager = server.manager();
    let wish = json!({"name": slug, "slug": slug});
    let made = told(&manager.post("/api/v1/workspaces", &wish).await, 201);
    let wish = json!({"name": "k", "workspace_id": made["data"]["id"]});
    let made = told(&manager.post("/api/v1/keys", &wish).await, 201);
    server.caller().with_key(made["key"].as_str().unwrap())
}

#[tokio::test]
async fn a_preset_is_made_from_a_body_and_gets_versions() {
    let server = start().await;
    let caller = server.caller();
    let made = told(&caller.post(&saved("mine"), &body(0.7)).await, 200);
    conforms("POST", "/presets/{slug}/chat/completions", 200, &made);
    let preset = &made["data"];
    assert_eq!((&preset["name"], &preset["status"]), (&json!("mine"), &json!("active")));
    let version = &preset["designated_version"];
    assert_eq!(version["config"], json!({"model": "acme/one", "temperature": 0.7}));
    assert_eq!((&version["version"], &version["system_prompt"]), (&json!(1), &json!("Be brief.")));
    assert_eq!(version["id"], preset["designated_version_id"]);
    let owner = told(&server.manager().get("/api/v1/workspaces/default/members").await, 200);
    assert_eq!(version["creator_id"], owner["data"][0]["user_id"]);

    let again = told(&caller.post(&saved("mine"), &body(0.2)).await, 200);
    assert_eq!(again["data"]["designated_version"]["version"], 2);
    assert_eq!(again["data"]["id"], preset["id"]);
    let messages = json!({"model": "acme/one", "max_tokens": 9, "system": "S", "messages": [
        {"role": "user", "content": "Hi"}]});
    let other = told(&caller.post(&format!("{ALL}/other/messages"), &messages).await, 200);
    conforms("POST", "/presets/{slug}/messages", 200, &other);
    let responses = json!({"model": "acme/one", "input": "Hi", "instructions": "S"});
    let third = told(&caller.post(&format!("{ALL}/third/responses"), &responses).await, 200);
    conforms("POST", "/presets/{slug}/responses", 200, &third);
    assert_eq!(third["data"]["designated_version"]["system_prompt"], "S");

    let list = told(&caller.get(&format!("{ALL}?offset=1&limit=2")).await, 200);
    conforms("GET", "/presets", 200, &list);
    assert_eq!(
        (list["total_count"].as_u64(), list["data"].as_array().unwrap().len()),
        (Some(3), 2)
    );
    let slugs: Vec<&Value> =
        list["data"].as_array().unwrap().iter().map(|one| &one["slug"]).collect();
    assert_eq!(slugs, ["other", "mine"], "what was changed last comes first");
    let one = told(&caller.get(&format!("{ALL}/mine")).await, 200);
    conforms("GET", "/presets/{slug}", 200, &one);
    assert_eq!(one["data"], again["data"]);
    let versions = told(&caller.get(&format!("{ALL}/mine/versions")).await, 200);
    conforms("GET", "/presets/{slug}/versions", 200, &versions);
    assert_eq!(versions["data"][0], *version, "the first one first, unchanged");
    assert_eq!(versions["total_count"], 2);
    let first = told(&caller.get(&format!("{ALL}/mine/versions/1")).await, 200);
    conforms("GET", "/presets/{slug}/versions/{version}", 200, &first);
    assert_eq!(first["data"], *version);
    for path in ["mine/versions/3", "mine/versions/x", "nobodys", "nobodys/versions"] {
        told(&caller.get(&format!("{ALL}/{path}")).await, 404);
    }
    let log = told(&server.manager().get("/api/v1/audit-log").await, 200);
    assert_eq!(log["data"][0]["action"], "preset.save");
    server.closes_clean().await;
}

#[tokio::test]
async fn what_can_not_be_a_preset_is_refused() {
    let server = start().await;
    let caller = server.caller();
    for (slug, wish) in [
        ("a.b", body(0.5)),
        ("-a", body(0.5)),
        ("a%20b", body(0.5)),
        ("mine", json!({})),
        ("mine", json!({"messages": [{"role": "user", "content": "Hi"}]})),
        ("mine", body(3.5)),
        ("mine", json!({"model": "@preset/mine"})),
        ("mine", json!({"models": ["acme/one", "acme/one@preset/mine"]})),
        ("mine", json!({"model": "acme/one", "provider": {"sort": "mood"}})),
        ("mine", json!({"plugins": [{"id": "auto-router", "cost_tier": "cheap"}]})),
        ("mine", json!({"cache_enabled": 1})),
        (
            "mine",
            json!({"response_format": {"type": "json_schema", "json_schema": {"name": "n",
            "schema": {"description": "x".repeat(300_000)}}}}),
        ),
    ] {
        let reply = caller.post(&saved(slug), &wish).await;
        let shown: String = wish.to_string().chars().take(100).collect();
        assert_eq!(reply.status, 400, "{slug}: {shown}");
    }
    let bytes = Bytes::from_static(b"{\"model\":");
    assert_eq!(caller.send(Method::POST, &saved("mine"), bytes).await.status, 400);
    assert_eq!(told(&caller.get(ALL).await, 200)["total_count"], 0);
    told(&caller.get(&format!("{ALL}?limit=101")).await, 400);
    server.closes_clean().await;
}

#[tokio::test]
async fn an_account_manages_the_presets_of_its_workspaces() {
    let server = start().await;
    let (caller, manager) = (server.caller(), server.manager());
    for temperature in [0.1, 0.2] {
        told(&caller.post(&saved("mine"), &body(temperature)).await, 200);
    }
    told(&caller.post(&saved("other"), &body(0.3)).await, 200);
    let path = format!("{OURS}/mine");
    let wish = json!({"name": "Mine", "description": "For me", "designated_version": 1});
    let changed = told(&patch(&manager, &path, wish).await, 200);
    assert_eq!(changed["data"]["designated_version"]["version"], 1);
    assert_eq!(
        (&changed["data"]["name"], &changed["data"]["description"]),
        (&json!("Mine"), &json!("For me"))
    );
    assert_eq!(changed["data"]["status_updated_at"], Value::Null);
    let changed = told(&patch(&manager, &path, json!({"status": "disabled"})).await, 200);
    assert!(changed["data"]["status_updated_at"].is_string());
    let shown = told(&caller.get(&format!("{ALL}/mine")).await, 200);
    assert_eq!(shown["data"], changed["data"]);
    for wish in [
        json!({"designated_version": 3}),
        json!({"status": "gone"}),
        json!({"slug": "no dots."}),
        json!({"name": ""}),
        json!({"description": "x".repeat(1_001)}),
        json!({"workspace_id": "x"}),
    ] {
        told(&patch(&manager, &path, wish).await, 400);
    }
    told(&patch(&manager, &path, json!({"slug": "other"})).await, 409);
    let renamed = told(&patch(&manager, &path, json!({"slug": "ours"})).await, 200);
    assert_eq!(renamed["data"]["slug"], "ours");
    told(&manager.get(&path).await, 404);
    let versions = told(&manager.get(&format!("{OURS}/ours/versions")).await, 200);
    assert_eq!(versions["total_count"], 2);
    assert_eq!(told(&manager.get(OURS).await, 200)["total_count"], 2);
    told(&delete(&manager, &format!("{OURS}/ours")).await, 200);
    told(&delete(&manager, &format!("{OURS}/ours")).await, 404);
    let log = told(&manager.get("/api/v1/audit-log").await, 200);
    let deleted = &log["data"][0];
    assert_eq!(deleted["action"], "preset.delete");
    assert_eq!((&deleted["before"]["slug"], &deleted["after"]), (&json!("ours"), &Value::Null));
    server.closes_clean().await;
}

#[tokio::test]
async fn a_preset_of_somebody_else_or_another_workspace_is_not_there() {
    let server = start().await;
    told(&server.caller().post(&saved("mine"), &body(0.1)).await, 200);
    let stranger = server.account("else@example.com", "1").await;
    let strangers =
        [server.caller().with_key(&stranger.api_key), key_of_workspace(&server, "lab").await];
    for caller in &strangers {
        for (path, nowhere) in [
            ("/mine", "/none"),
            ("/mine/versions", "/none/versions"),
            ("/mine/versions/1", "/none/versions/1"),
        ] {
            let reply = caller.get(&format!("{ALL}{path}")).await;
            let same = caller.get(&format!("{ALL}{nowhere}")).await;
            assert_eq!((reply.status, &reply.body), (404, &same.body), "{path}");
        }
        assert_eq!(told(&caller.get(ALL).await, 200)["total_count"], 0);
        for model in ["@preset/mine", "acme/one@preset/mine"] {
            let ask = |model: &str| {
                json!({"model": model, "messages": [
                {"role": "user", "content": "Hi"}]})
            };
            let reply = caller.chat(&ask(model)).await;
            let same = caller.chat(&ask(&model.replace("mine", "none"))).await;
            let text = String::from_utf8_lossy(&reply.body).replace("mine", "none");
            assert_eq!(
                (reply.status, text),
                (404, String::from_utf8_lossy(&same.body).into_owned())
            );
        }
        // The same slug is another preset there.
        let own = told(&caller.post(&saved("mine"), &body(0.9)).await, 200);
        assert_eq!(own["data"]["designated_version"]["version"], 1);
    }
    let manager = server.manager().with_key(&stranger.management_key);
    let lab = told(&server.manager().get("/api/v1/workspaces/lab").await, 200);
    let lab = lab["data"]["id"].as_str().unwrap().to_owned();
    let path = format!("/api/v1/workspaces/{lab}/presets/mine");
    told(&manager.get(&path).await, 404);
    told(&patch(&manager, &path, json!({"status": "archived"})).await, 404);
    told(&delete(&manager, &path).await, 404);
    told(&server.manager().get(&path).await, 200);
    let first = told(&server.caller().get(&format!("{ALL}/mine")).await, 200);
    assert_eq!(first["data"]["designated_version"]["config"]["temperature"], 0.1);
    server.closes_clean().await;
}
