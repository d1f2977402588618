//! `GET /models/user`: the models that a key can use.

use serde_json::{Value, json};
use signalbox_core::{Plans, Secret};
use signalbox_gateway::{OwnKeys, OwnProviderKey};
use signalbox_policy::ByokKey;
use signalbox_testkit::{Caller, Offer, Setup, Stand, TestServer};

use crate::presets::key_of_workspace;
use crate::reference::conforms;
use crate::site::{patch, told};

const PATH: &str = "/api/v1/models/user";

fn offer() -> Offer {
    let retains = json!({"training": true, "retains_prompts": true});
    Offer::new()
        .embedded()
        .model("acme/one", [Stand::new("well", "tokens-2")])
        .model("acme/two", [Stand::new("other", "tokens-2").with("data_policy", retains)])
}

async fn listed(caller: &Caller) -> Vec<String> {
    let list = told(&caller.get(PATH).await, 200);
    conforms("GET", "/models/user", 200, &list);
    let ids = list["data"].as_array().unwrap().iter();
    ids.map(|one| one["id"].as_str().unwrap().to_owned()).collect()
}

fn acme(ids: &[String]) -> Vec<&str> {
    let mut ids: Vec<&str> =
        ids.iter().map(String::as_str).filter(|id| id.starts_with("acme/")).collect();
    ids.sort_unstable();
    ids
}

#[tokio::test]
async fn a_key_sees_what_its_guardrails_and_privacy_leave() {
    let server = TestServer::start_with(offer(), "3").await;
    let manager = server.manager();
    let (caller, lab) = (server.caller(), key_of_workspace(&server, "lab").await);
    let all = listed(&caller).await;
    assert_eq!(acme(&all), ["acme/one", "acme/two"]);
    let foreign = |id: &&String| !id.starts_with("acme/") && !id.starts_with("openrouter/");
    assert_eq!(all.iter().find(foreign), None, "nobody here serves the built-in ones");
    assert!(all.iter().any(|id| id == "openrouter/auto"));
    let whole = told(&caller.get("/api/v1/models").await, 200);
    assert!(whole["total_count"].as_u64().unwrap() > 100, "{}", whole["total_count"]);

    let workspace = told(&manager.get("/api/v1/workspaces/lab").await, 200);
    let guardrail = workspace["data"]["default_guardrail_id"].as_str().unwrap();
    let wish = json!({"allowed_models": ["acme/one"]});
    told(&patch(&manager, &format!("/api/v1/guardrails/{guardrail}"), wish).await, 200);
    assert_eq!(acme(&listed(&lab).await), ["acme/one"]);
    assert_eq!(acme(&listed(&caller).await), ["acme/one", "acme/two"], "of another workspace");
    let wish = json!({"enable_paid_model_training": false});
    told(&patch(&manager, "/api/v1/privacy", wish).await, 200);
    assert_eq!(acme(&listed(&caller).await), ["acme/one"]);
    let wish = json!({"ignored_providers": ["well"]});
    told(&patch(&manager, "/api/v1/privacy", wish).await, 200);
    assert!(acme(&listed(&caller).await).is_empty());
    assert_eq!(told(&caller.get("/api/v1/models").await, 200)["total_count"], whole["total_count"]);
    server.closes_clean().await;
}

#[tokio::test]
async fn own_provider_keys_make_models_usable() {
    let routing = ByokKey {
        id: "own".to_owned(),
        label: "sk-...AbCd".to_owned(),
        provider: "mistral".to_owned(),
        ..ByokKey::default()
    };
    let secret = Secret::new("sk-mine".to_owned());
    let own = OwnKeys::fixed(vec![OwnProviderKey { routing, secret, version: 1 }]);
    let row = serde_json::from_value(json!({"free": {"byok_allowed": true}})).unwrap();
    let plans = Plans::default().with(&row).unwrap();
    let setup = Setup { plans, own_keys: Some(own), ..Setup::default() };
    let server = TestServer::start_as(offer(), setup).await;
    let all = listed(&server.caller()).await;
    assert!(all.iter().any(|id| id.starts_with("mistralai/")), "{all:?}");
    assert!(!all.iter().any(|id| id.starts_with("openai/")), "{all:?}");
    server.closes_clean().await;
}

#[tokio::test]
async fn pages_and_filters_are_those_of_models() {
    let server = TestServer::start_with(offer(), "3").await;
    let caller = server.caller();
    let page = told(&caller.get(&format!("{PATH}?limit=1&offset=1")).await, 200);
    let total = page["total_count"].as_u64().unwrap();
    assert_eq!(page["data"].as_array().unwrap().len(), 1);
    let next = page["links"]["next"].as_str().unwrap().to_owned();
    assert!(next.starts_with("/api/v1/models/user?offset=2&limit=1"), "{next}");
    assert_eq!(told(&caller.get(&next).await, 200)["total_count"], total);
    let whole = told(&caller.get(PATH).await, 200);
    assert_eq!(
        (whole["total_count"].as_u64(), &whole["links"]["next"]),
        (Some(total), &Value::Null)
    );
    let found = told(&caller.get(&format!("{PATH}?q=acme/two")).await, 200);
    assert_eq!(found["total_count"], 1);
    for wrong in ["limit=0", "limit=1001", "offset=-1"] {
        told(&caller.get(&format!("{PATH}?{wrong}")).await, 400);
    }
    told(&server.manager().get(PATH).await, 403);
    told(&caller.without("authorization").get(PATH).await, 401);
    server.closes_clean().await;
}
