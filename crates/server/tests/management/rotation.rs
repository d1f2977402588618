//! Keys in the place of others, and keys that somebody found.

use std::time::Duration;

use serde_json::{Value, json};
use signalbox_platform::PeopleSettings;
use signalbox_testkit::{Caller, TestServer};

use crate::browser::start;
use crate::directory::{Company, DOMAIN, open, text};
use crate::site::{chat, patch, told};

const KEYS: &str = "/api/v1/keys";

async fn make(manager: &Caller, wish: Value) -> (String, String) {
    let made = told(&manager.post(KEYS, &wish).await, 201);
    (text(&made["data"]["hash"]), text(&made["key"]))
}

async fn seen(server: &TestServer, hash: &str) -> Value {
    told(&server.manager().get(&format!("{KEYS}/{hash}")).await, 200)["data"].clone()
}

#[tokio::test]
async fn a_new_key_takes_the_place_of_an_old_one_with_one_limit_and_one_usage() {
    let (server, clock) = start(PeopleSettings::default()).await;
    let manager = server.manager();
    let (old, secret) =
        make(&manager, json!({"name": "app", "limit": 0.5, "limit_reset": "monthly"})).await;
    let before = server.caller().with_key(&secret);
    told(&before.chat(&chat()).await, 200);
    let spent = seen(&server, &old).await["usage"].as_f64().unwrap();
    assert!(spent > 0.0);
    let rotate = format!("{KEYS}/{old}/rotate");
    let once = manager.with("idempotency-key", "r1");
    let wish = json!({"grace_seconds": 3600});
    let made = told(&once.post(&rotate, &wish).await, 201);
    assert_eq!(told(&once.post(&rotate, &wish).await, 201), made, "asked twice, made once");
    assert_eq!(made["data"]["usage"].as_f64(), Some(spent));
    assert_eq!((&made["data"]["name"], &made["data"]["limit"]), (&json!("app"), &json!(0.5)));
    let new = text(&made["data"]["hash"]);
    let after = server.caller().with_key(&text(&made["key"]));
    for caller in [&before, &after] {
        told(&caller.chat(&chat()).await, 200);
    }
    let own = told(&after.get("/api/v1/key").await, 200);
    for usage in [&seen(&server, &old).await, &seen(&server, &new).await, &own["data"]] {
        assert!((usage["usage"].as_f64().unwrap() - 3.0 * spent).abs() < 1e-12, "{usage}");
        assert!(usage["limit_remaining"].as_f64().unwrap() < 0.5 - 2.0 * spent);
    }
    // The limit is one: what both have used up neither can spend.
    let path = format!("{KEYS}/{new}");
    told(&patch(&manager, &path, json!({"limit": 0.000000001})).await, 200);
    told(&after.chat(&chat()).await, 403);
    told(&patch(&manager, &path, json!({"limit": 1})).await, 200);
    told(&after.chat(&chat()).await, 200);
    // An old key has one successor.
    told(&manager.post(&rotate, &wish).await, 409);
    clock.advance(Duration::from_secs(3_599));
    told(&before.chat(&chat()).await, 200);
    clock.advance(Duration::from_secs(1));
    told(&before.chat(&chat()).await, 401);
    told(&after.chat(&chat()).await, 200);
    // Without grace the old one stops at once; the third has the usage of all.
    let rotate = format!("{KEYS}/{new}/rotate");
    for grace in [json!({}), json!({"grace_seconds": 604_801}), json!({"grace_seconds": -1})] {
        told(&manager.post(&rotate, &grace).await, 400);
    }
    let third = told(&manager.post(&rotate, &json!({"grace_seconds": 0})).await, 201);
    told(&after.chat(&chat()).await, 401);
    told(&server.caller().with_key(&text(&third["key"])).chat(&chat()).await, 200);
    assert!(third["data"]["usage"].as_f64().unwrap() > 4.0 * spent);
    // One that is disabled stays so.
    let path = format!("{KEYS}/{}", text(&third["data"]["hash"]));
    told(&patch(&manager, &path, json!({"disabled": true})).await, 200);
    let fourth =
        told(&manager.post(&format!("{path}/rotate"), &json!({"grace_seconds": 0})).await, 201);
    assert_eq!(fourth["data"]["disabled"], true);
    told(&server.caller().with_key(&text(&fourth["key"])).chat(&chat()).await, 401);
    let log = server.platform.store().audit_log(&server.owner.account_id, None, 2).await.unwrap();
    assert!(log.iter().all(|row| row.action == "key.rotate"));
    server.audit().await;
    server.closes_clean().await;
}

#[tokio::test]
async fn a_key_that_somebody_found_is_switched_off_and_its_owners_are_told_once() {
    let (server, _) = start(open()).await;
    let acme = Company::found(&server, "root@acme.example", DOMAIN).await;
    server.grant(&acme.org, "5").await;
    let (hash, secret) = make(&acme.manager, json!({"name": "leaky"})).await;
    let caller = server.caller().with_key(&secret);
    told(&caller.chat(&chat()).await, 200);
    let finder = server.caller().without("authorization");
    let path = "/api/v1/leaked-keys";
    let find = |token: &str| {
        json!({"token": token, "type": "signalbox_key", "source": "content",
            "url": "https://code.example/a/b"})
    };
    let unknown = told(&finder.post(path, &find("sk-sb-v1-unknown")).await, 202);
    told(&caller.chat(&chat()).await, 200);
    let found = told(&finder.post(path, &find(&format!(" {secret}\n"))).await, 202);
    assert_eq!(found, unknown, "nobody is told which texts are keys");
    told(&caller.chat(&chat()).await, 401);
    let several = json!([find(&secret), find("sk-sb-v1-unknown"), find("")]);
    assert_eq!(told(&finder.post(path, &several).await, 202), json!({"received": 3}));
    let letters = server.mail.to("root@acme.example");
    let letters: Vec<_> =
        letters.iter().filter(|one| one.subject == "An API key was found in public").collect();
    assert_eq!(letters.len(), 1);
    assert!(letters[0].text.contains("leaky") && !letters[0].text.contains(&secret));
    assert!(!letters[0].text.contains("code.example"), "a stranger's link is not our word");
    let log = server.platform.store().audit_log(&acme.org, None, 2).await.unwrap();
    let acts: Vec<_> =
        log.iter().map(|row| (row.action.as_str(), row.object_kind.as_str())).collect();
    assert_eq!(acts, [("key.leaked", "key"), ("key.leaked", "key_leak")]);
    assert_eq!(log[1].after.as_ref().unwrap()["url"], "https://code.example/a/b");
    assert_eq!(log[1].object_id, hash);
    assert!(!format!("{log:?}").contains(&secret));
    for wish in [json!({}), json!([{}]), json!({"token": 7}), json!(vec![find("x"); 101])] {
        told(&finder.post(path, &wish).await, 400);
    }
    server.closes_clean().await;
}
