//! Requests on the caller's own provider keys: which credential is sent, in which order, and what
//! becomes of a key that fails (inference spec 5.8, platform spec 5.2, 5.4).

use std::collections::HashMap;
use std::sync::{Arc, Mutex};

use serde_json::{Value, json};
use signalbox_core::id::AccountId;
use signalbox_core::{Plans, Secret};
use signalbox_gateway::{OwnKeys, OwnProviderKey, Reach};
use signalbox_policy::ByokKey;
use signalbox_testkit::{Caller, Offer, Setup, Stand, TestServer};

use crate::speech::{Answered, ask, typed_error, with};

/// The own keys of each account, by its id.
#[derive(Clone, Default)]
struct Vault(Arc<Mutex<HashMap<AccountId, Vec<OwnProviderKey>>>>);

impl Vault {
    fn put(&self, account: &AccountId, keys: &[OwnProviderKey]) {
        self.0.lock().unwrap().insert(account.clone(), keys.to_vec());
    }

    fn keys(&self) -> OwnKeys {
        let kept = self.clone();
        OwnKeys::by(move |key| {
            let found = kept.0.lock().unwrap().get(&key.account).cloned().unwrap_or_default();
            Box::pin(std::future::ready(Ok(found)))
        })
    }
}

fn key(provider: &str, secret: &str) -> OwnProviderKey {
    let routing = ByokKey {
        id: format!("id-{provider}-{secret}"),
        label: format!("label-{provider}"),
        provider: provider.to_owned(),
        prioritized: true,
        ..ByokKey::default()
    };
    OwnProviderKey { routing, secret: Secret::new(secret.to_owned()), version: 1 }
}

fn routed(key: OwnProviderKey, change: impl FnOnce(&mut ByokKey)) -> OwnProviderKey {
    let mut key = key;
    change(&mut key.routing);
    key
}

/// Providers that want a key; of `acme` and `bolt` the operator has one, of `cog` nobody has.
fn offer() -> Offer {
    let row = |slug: &str| {
        json!({"name": slug, "transport": "bearer", "speaks": [
            {"dialect": "openai-chat", "transport": "bearer"},
            {"dialect": "openai-embeddings", "transport": "bearer"},
            {"dialect": "rerank", "transport": "bearer"},
        ]})
    };
    let names = ["acme", "bolt", "cog"];
    let with_rows = names.iter().fold(Offer::new(), |all, slug| all.provider(slug, row(slug)));
    with_rows
        .credential("acme", "tokens-3")
        .credential("bolt", "tokens-3")
        .model("a/one", names.map(|slug| Stand::new(slug, "as-key")))
}

async fn server(offer: Offer, vault: &Vault, reach: Reach) -> TestServer {
    let terms = json!({"free": {"byok_allowed": true, "byok_free": {"requests": 1000}}});
    let plans = Plans::default().with(&serde_json::from_value(terms).unwrap()).unwrap();
    let setup = Setup { plans, own_keys: Some(vault.keys()), reach, ..Setup::default() };
    TestServer::start_as(offer, setup).await
}

/// Who was called with what, in order.
fn called(server: &TestServer) -> Vec<String> {
    let entries = server.journal().entries();
    let said = |text: &Option<String>| text.clone().unwrap_or_default().replace("Bearer ", "");
    entries.iter().map(|one| said(&one.authorization)).collect()
}

fn ordered(order: &[&str]) -> Value {
    with(ask("a/one", false), "provider", json!({"order": order}))
}

#[tokio::test]
async fn g26_own_keys_are_sent_first_then_the_operators_then_fallback_keys() {
    let vault = Vault::default();
    let server = server(offer(), &vault, Reach::PublicOnly).await;
    let owner = server.owner.account_id.clone();
    let second = routed(key("bolt", "status-429+second"), |key| key.sort_order = 2);
    let first = routed(key("bolt", "status-503+first"), |key| key.sort_order = 1);
    let last = routed(key("acme", "tokens-2+last"), |key| key.prioritized = false);
    vault.put(&owner, &[last.clone(), second, first]);
    let order = ["acme", "bolt"];
    let answer = Answered::read(&server.caller().chat(&ordered(&order)).await);
    assert_eq!(called(&server), ["status-503+first", "status-429+second", "tokens-3"]);
    assert_eq!((answer.provider.as_str(), &answer.usage["is_byok"]), ("acme", &json!(false)));
    let row = server.generation(&answer.id).await;
    let told: Value = serde_json::from_str(&row.provider_responses).unwrap();
    let owned: Vec<_> = told.as_array().unwrap().iter().map(|one| &one["is_byok"]).collect();
    assert_eq!(owned, [&json!(true), &json!(true), &json!(false)]);
    server.closes_clean().await;
}

#[tokio::test]
async fn a_refused_key_falls_through_and_a_key_that_is_always_used_does_not() {
    let vault = Vault::default();
    let server = server(offer(), &vault, Reach::PublicOnly).await;
    let owner = server.owner.account_id.clone();
    vault.put(&owner, &[key("acme", "status-401+mine")]);
    let only = with(ask("a/one", true), "provider", json!({"only": ["acme"]}));
    let answer = Answered::read(&server.caller().chat(&only).await);
    assert_eq!((called(&server).len(), &answer.usage["is_byok"]), (2, &json!(false)));
    vault.put(
        &owner,
        &[routed(key("acme", "status-401+mine"), |key| {
            (key.always_use, key.id) = (true, "k2".to_owned());
        })],
    );
    server.renew(&owner).await;
    let reply = server.caller().chat(&with(only.clone(), "stream", json!(false))).await;
    let error = typed_error(&reply, 401, "authentication");
    let message = error["message"].as_str().unwrap().to_owned();
    assert!(message.contains("label-acme") && !message.contains("mine"), "{message}");
    // The key rests now; shared capacity stays out of it.
    assert_ne!(server.caller().chat(&only).await.status, 200);
    assert_eq!(called(&server), ["status-401+mine", "tokens-3", "status-401+mine"]);
    server.closes_clean().await;
}

/// What was learnt of one caller's key is about that key: everybody else's and the operator's are called
/// as before, and the same key is as good as new once its credential was replaced.
#[tokio::test]
async fn a_bad_key_hurts_nobody_but_its_owner_until_it_is_replaced() {
    let vault = Vault::default();
    let server = server(offer(), &vault, Reach::PublicOnly).await;
    let owner = server.owner.account_id.clone();
    let other = server.account("b@example.com", "10").await;
    vault.put(&owner, &[routed(key("acme", "status-401"), |key| key.id = "k".to_owned())]);
    vault.put(&other.account_id, &[routed(key("acme", "tokens-4"), |key| key.id = "k".to_owned())]);
    let only = with(ask("a/one", false), "provider", json!({"only": ["acme"]}));
    let theirs = server.caller().with_key(&other.api_key);
    for _ in 0..8 {
        Answered::read(&server.caller().chat(&only).await);
        let answer = Answered::read(&theirs.chat(&only).await);
        assert_eq!(answer.usage["is_byok"], true);
    }
    let seen = called(&server);
    let count = |key: &str| seen.iter().filter(|one| *one == key).count();
    assert_eq!((count("tokens-4"), count("tokens-3")), (8, 8));
    assert_eq!(count("status-401"), 1, "it rests after the first refusal");
    let mut better = routed(key("acme", "tokens-5"), |key| key.id = "k".to_owned());
    better.version = 2;
    vault.put(&owner, &[better]);
    server.renew(&owner).await;
    let answer = Answered::read(&server.caller().chat(&only).await);
    assert_eq!(
        (called(&server).pop().unwrap().as_str(), &answer.usage["is_byok"]),
        ("tokens-5", &json!(true))
    );
    server.closes_clean().await;
}

#[tokio::test]
async fn a_provider_without_the_operators_key_is_there_for_callers_with_one() {
    let vault = Vault::default();
    let server = server(offer(), &vault, Reach::PublicOnly).await;
    let other = server.account("b@example.com", "10").await;
    vault.put(&server.owner.account_id, &[key("cog", "tokens-6")]);
    let only = with(ask("a/one", true), "provider", json!({"only": ["cog"]}));
    let answer = Answered::read(&server.caller().chat(&only).await);
    assert_eq!((answer.provider.as_str(), &answer.usage["is_byok"]), ("cog", &json!(true)));
    let planned = server.caller().post("/api/v1/routing/plan", &only).await.json()["data"].clone();
    assert_eq!(planned["candidates"][0]["byok"], "label-cog", "{planned}");
    let theirs: Caller = server.caller().with_key(&other.api_key);
    assert_eq!(theirs.chat(&only).await.status, 404);
    let planned = theirs.post("/api/v1/routing/plan", &only).await.json()["data"].clone();
    assert_eq!(planned["candidates"], json!([]));
    assert_eq!(called(&server), ["tokens-6"]);
    server.closes_clean().await;
}

#[tokio::test]
async fn embeddings_and_reranks_are_made_with_own_keys_too() {
    let vault = Vault::default();
    let prices = json!({"prompt": "0.00000013", "completion": "0", "search_unit": "0.002"});
    let stand = |name| Stand::new("cog", name).with("pricing", prices.clone());
    let offer = offer().model_for("embeddings", "a/e", [stand("vectors")]).model_for(
        "rerank",
        "a/r",
        [stand("ranks")],
    );
    let server = server(offer, &vault, Reach::PublicOnly).await;
    vault.put(&server.owner.account_id, &[key("cog", "sk-cog")]);
    for (path, body) in [
        ("/api/v1/embeddings", json!({"model": "a/e", "input": "Hello"})),
        ("/api/v1/rerank", json!({"model": "a/r", "query": "x", "documents": ["a", "b"]})),
    ] {
        let reply = server.caller().post(path, &body).await;
        assert_eq!(reply.status, 200, "{}", String::from_utf8_lossy(&reply.body));
        let row = server.generation(reply.header("x-generation-id").unwrap()).await;
        assert!(row.byok.is_some(), "{row:?}");
    }
    assert_eq!(called(&server), ["sk-cog", "sk-cog"]);
    server.closes_clean().await;
}

/// A deployment of the caller's own: at its own address, by its own name, only if that is in reach.
#[tokio::test]
async fn a_deployment_is_called_at_its_address_only_in_reach() {
    let row = json!({"name": "dep", "speaks": [{"dialect": "openai-chat", "transport": "azure"}]});
    let keyless = || {
        Offer::new().provider("dep", row.clone()).model("a/one", [Stand::new("dep", "catalogued")])
    };
    let home = server(keyless(), &Vault::default(), Reach::PublicOnly).await;
    let deployed = |server: &TestServer| {
        let url = format!("{}/chat/completions?api-version=1", server.simulated());
        let list = json!([{"model_slug": "a/one", "model_id": "tokens-7", "api_key": "dep-key",
            "endpoint_url": url}]);
        key("dep", &list.to_string())
    };
    let reach = || Reach::also(vec!["127.0.0.1/32".parse().unwrap()]);
    for (reach, expected) in [(Reach::PublicOnly, 503), (reach(), 200)] {
        let vault = Vault::default();
        let server = server(keyless(), &vault, reach).await;
        vault.put(&server.owner.account_id, &[deployed(&home)]);
        let before = called(&home).len();
        let reply = server.caller().chat(&ask("a/one", false)).await;
        assert_eq!(reply.status, expected, "{}", String::from_utf8_lossy(&reply.body));
        let seen = called(&home).split_off(before);
        if expected == 200 {
            assert_eq!(seen, ["dep-key"]);
            assert_eq!(home.journal().entries().pop().unwrap().model, "tokens-7");
            assert_eq!(Answered::read(&reply).usage["is_byok"], true);
        } else {
            assert_eq!(seen, [""; 0], "nobody was called");
        }
        assert_eq!(called(&server), [""; 0]);
        server.closes_clean().await;
    }
}

#[tokio::test]
async fn a_key_is_probed_with_one_small_request() {
    let server = server(offer(), &Vault::default(), Reach::PublicOnly).await;
    for (secret, status) in [("tokens-1", 200), ("status-401", 401), ("status-429", 429)] {
        let probed = server.probe("cog", secret).await.unwrap();
        assert_eq!((probed.status, probed.is_good()), (Some(status), status == 200));
        assert_eq!(probed.model.as_deref(), Some("a/one"));
        assert_eq!(called(&server).pop().as_deref(), Some(secret));
    }
    let sent = called(&server).len();
    assert!(server.probe("cog", "two words").await.is_err());
    assert!(server.probe("nobody", "sk-1").await.is_err());
    assert_eq!(called(&server).len(), sent);
    assert_eq!(server.balance().await.charged, signalbox_core::Usd::ZERO);
    server.closes_clean().await;
}
