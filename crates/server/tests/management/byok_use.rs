//! Own provider keys that are stored, used by requests: each change holds for the very next one.

use serde_json::{Value, json};
use signalbox_core::Plans;
use signalbox_testkit::{Caller, Offer, Setup, Stand, TestServer};
use signalbox_vault::Vault;

use crate::site::{chat, delete, patch, put, told};

const ALL: &str = "/api/v1/byok";
const HOUSE: &str = "the-key-of-the-house";

async fn start() -> TestServer {
    let terms = json!({"free": {"byok_allowed": true, "byok_free": {"requests": 1000}}});
    let plans = Plans::default().with(&serde_json::from_value(terms).unwrap()).unwrap();
    let offer = Offer::new()
        .provider("openai", json!({"name": "OpenAI", "transport": "bearer"}))
        .credential("openai", HOUSE)
        .model("acme/one", [Stand::new("openai", "tokens-5")])
        .model("acme/two", [Stand::new("openai", "tokens-5")]);
    TestServer::start_as(offer, Setup { plans, ..Setup::default() }).await
}

fn secret(number: usize) -> String {
    format!("sk-own-{number:04}-0123456789")
}

async fn make(server: &TestServer, number: usize, more: Value) -> String {
    let mut wish = json!({"provider": "openai", "key": secret(number)});
    wish.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
    let made = told(&server.manager().post(ALL, &wish).await, 201);
    format!("{ALL}/{}", made["data"]["id"].as_str().unwrap())
}

/// Asks once: which key the provider was sent.
async fn used(server: &TestServer, caller: &Caller) -> String {
    let before = server.journal().entries().len();
    let answer = told(&caller.chat(&chat()).await, 200);
    let entries = server.journal().entries();
    assert_eq!(entries.len(), before + 1);
    let sent = entries.last().unwrap().authorization.clone().unwrap();
    let sent = sent.strip_prefix("Bearer ").unwrap().to_owned();
    assert_eq!(answer["usage"]["is_byok"], json!(sent != HOUSE), "{answer}");
    sent
}

#[tokio::test]
async fn a_change_of_an_own_key_holds_for_the_very_next_request() {
    let server = start().await;
    let (manager, caller) = (server.manager(), server.caller());
    assert_eq!(used(&server, &caller).await, HOUSE);
    let one = make(&server, 1, json!({})).await;
    assert_eq!(used(&server, &caller).await, secret(1));
    let change = async |path: &str, wish: Value| {
        told(&patch(&manager, path, wish).await, 200);
    };
    change(&one, json!({"key": secret(2)})).await;
    assert_eq!(used(&server, &caller).await, secret(2));
    change(&one, json!({"disabled": true})).await;
    assert_eq!(used(&server, &caller).await, HOUSE);
    change(&one, json!({"disabled": false, "allowed_models": ["acme/two"]})).await;
    assert_eq!(used(&server, &caller).await, HOUSE);
    change(&one, json!({"allowed_models": ["acme/one", "acme/two"]})).await;
    assert_eq!(used(&server, &caller).await, secret(2));

    let other = told(&manager.post("/api/v1/keys", &json!({"name": "other"})).await, 201);
    let hash = other["data"]["hash"].clone();
    let other = caller.with_key(other["key"].as_str().unwrap());
    change(&one, json!({"allowed_api_key_hashes": [hash]})).await;
    assert_eq!(
        (used(&server, &caller).await, used(&server, &other).await),
        (HOUSE.to_owned(), secret(2))
    );
    // Keys that a management key made for a person's account are the person's.
    let me = server.owner.account_id.as_str().replace("acc_", "user_");
    change(&one, json!({"allowed_api_key_hashes": null, "allowed_user_ids": [me]})).await;
    assert_eq!(used(&server, &other).await, secret(2));
    change(&one, json!({"allowed_user_ids": null})).await;

    let two = make(&server, 3, json!({})).await;
    assert_eq!(used(&server, &caller).await, secret(2), "the first comes first");
    let id = two.rsplit('/').next().unwrap();
    told(&put(&manager, &format!("{ALL}/order"), json!({"ids": [id]})).await, 200);
    assert_eq!(used(&server, &caller).await, secret(3));
    change(&two, json!({"is_fallback": true})).await;
    assert_eq!(used(&server, &caller).await, secret(2));
    told(&delete(&manager, &one).await, 200);
    assert_eq!(used(&server, &caller).await, HOUSE, "a fallback comes after the house");
    told(&delete(&manager, &two).await, 200);

    // A workspace's own, and one for all of them.
    let wish = json!({"name": "w", "slug": "w"});
    let there = told(&manager.post("/api/v1/workspaces", &wish).await, 201)["data"]["id"].clone();
    let inside = json!({"name": "inside", "workspace_id": there});
    let inside = told(&manager.post("/api/v1/keys", &inside).await, 201);
    let inside = caller.with_key(inside["key"].as_str().unwrap());
    make(&server, 5, json!({"workspace_id": there})).await;
    assert_eq!(
        (used(&server, &caller).await, used(&server, &inside).await),
        (HOUSE.to_owned(), secret(5))
    );
    make(&server, 6, json!({"workspace_id": null})).await;
    assert_eq!(
        (used(&server, &caller).await, used(&server, &inside).await),
        (secret(6), secret(5))
    );
    let stranger = server.account("else@example.com", "1").await;
    assert_eq!(used(&server, &caller.with_key(&stranger.api_key)).await, HOUSE);
    server.closes_clean().await;
}

#[tokio::test]
async fn where_a_key_is_required_nothing_stands_in_for_one_that_cannot_be_opened() {
    let server = start().await;
    let (manager, caller) = (server.manager(), server.caller());
    let one = make(&server, 1, json!({"is_required": true})).await;
    assert_eq!(used(&server, &caller).await, secret(1));
    let store = server.platform.store();
    let status = store.secrets_status(&Vault::default()).await.unwrap();
    for kek in status.keys.keys() {
        assert!(store.forget_secrets(kek.clone()).await.unwrap() > 0);
    }
    told(&patch(&manager, &one, json!({"name": "lost"})).await, 200);
    let before = server.journal().entries().len();
    let refused = caller.chat(&chat()).await;
    assert!(refused.status >= 400, "{:?}", refused.json());
    assert_eq!(server.journal().entries().len(), before, "nobody was asked");
    // Without that wish the house serves; with a key again, the key does.
    told(&patch(&manager, &one, json!({"is_required": false})).await, 200);
    assert_eq!(used(&server, &caller).await, HOUSE);
    told(&patch(&manager, &one, json!({"is_required": true, "key": secret(2)})).await, 200);
    assert_eq!(used(&server, &caller).await, secret(2));
    server.closes_clean().await;
}
