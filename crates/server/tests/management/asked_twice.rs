//! `POST /api/v1/keys` with an `Idempotency-Key`: one key, shown again to who was shown it, and kept
//! nowhere in clear text.

use serde_json::{Value, json};
use signalbox_core::Timestamp;
use signalbox_platform::NewKey;
use signalbox_runtime::{Clock, task};
use signalbox_testkit::{Caller, Offer, Reply, Setup, Stand, TestServer};

use crate::site::{chat, start, told};

const KEYS: &str = "/api/v1/keys";

async fn ask(caller: &Caller, key: &str, wish: &Value) -> Reply {
    caller.with("idempotency-key", key).post(KEYS, wish).await
}

async fn count(server: &TestServer) -> usize {
    let list = told(&server.manager().get(KEYS).await, 200);
    list["data"].as_array().unwrap().len()
}

#[tokio::test]
async fn the_same_request_gets_the_same_key_and_another_body_is_refused() {
    let server = start().await;
    let (manager, wish) = (server.manager(), json!({"name": "one", "limit": 2}));
    let before = count(&server).await;
    let first = told(&ask(&manager, "k1", &wish).await, 201);
    for _ in 0..3 {
        assert_eq!(told(&ask(&manager, "k1", &wish).await, 201), first);
    }
    assert_eq!(count(&server).await, before + 1);
    told(&ask(&manager, "k1", &json!({"name": "two", "limit": 2})).await, 422);
    told(&server.caller().with_key(first["key"].as_str().unwrap()).chat(&chat()).await, 200);
    let other = told(&ask(&manager, "k2", &wish).await, 201);
    assert_ne!(other["key"], first["key"]);
    // A refusal is no effect: the key may be used again once the cause is gone.
    told(&ask(&manager, "k3", &json!({"name": ""})).await, 400);
    told(&ask(&manager, "k3", &wish).await, 201);
}

#[tokio::test]
async fn twenty_at_once_get_one_key() {
    let server = start().await;
    let wish = json!({"name": "one"});
    let before = count(&server).await;
    let asked: Vec<_> = (0..20)
        .map(|_| {
            let (manager, wish) = (server.manager(), wish.clone());
            task::spawn("asker", async move { told(&ask(&manager, "same", &wish).await, 201) })
        })
        .collect();
    let mut keys = std::collections::HashSet::new();
    for one in asked {
        keys.insert(one.await.unwrap().unwrap()["key"].as_str().unwrap().to_owned());
    }
    assert_eq!((keys.len(), count(&server).await), (1, before + 1));
}

#[tokio::test]
async fn nobody_else_is_shown_the_key_and_no_file_holds_it() {
    let server = start().await;
    let wish = json!({"name": "one"});
    let made = told(&ask(&server.manager(), "k1", &wish).await, 201);
    let second = NewKey { name: "m".to_owned(), management: true, ..NewKey::default() };
    let second = server.key(second).await;
    let refused = told(&ask(&server.manager().with_key(&second.key), "k1", &wish).await, 409);
    assert!(!refused.to_string().contains(made["key"].as_str().unwrap()));
    let stranger = server.account("else@example.com", "0").await;
    let theirs = ask(&server.manager().with_key(&stranger.management_key), "k1", &wish).await;
    assert_ne!(told(&theirs, 201)["key"], made["key"]);
    server.platform.store().flush().await.unwrap();
    let digits = &made["key"].as_str().unwrap()["sk-sb-v1-".len()..];
    let database = server.platform.store().path().to_owned();
    let mut bytes = 0;
    for entry in std::fs::read_dir(database.parent().unwrap()).unwrap() {
        let file = std::fs::read(entry.unwrap().path()).unwrap_or_default();
        bytes += file.len();
        assert!(!file.windows(digits.len()).any(|part| part == digits.as_bytes()));
    }
    assert!(bytes > 10_000, "there are files to look through");
}

#[tokio::test]
async fn a_month_later_it_is_still_the_same_key() {
    let clock = Clock::manual(Timestamp::from_seconds(1_800_000_000));
    let offer = Offer::new().model("acme/one", [Stand::new("well", "tokens-5")]);
    let setup = Setup { clock: clock.clone(), ..Setup::default() };
    let server = TestServer::start_as(offer, setup).await;
    let wish = json!({"name": "one"});
    let made = told(&ask(&server.manager(), "k1", &wish).await, 201);
    clock.step(31 * 86_400_000);
    assert_eq!(told(&ask(&server.manager(), "k1", &wish).await, 201), made);
}
