//! What one tenant's requests leave behind is never found by another's (reliability design, test 35,
//! `sec::cache_isolation`).

use std::collections::HashSet;

use serde_json::{Value, json};
use signalbox_platform::IssuedAccount;
use signalbox_runtime::task;
use signalbox_testkit::{Caller, Offer, Setup, Stand, TestServer};

use crate::doors::{DOORS, offer, told};

struct Tenant {
    account: IssuedAccount,
    caller: Caller,
}

/// Two accounts that know nothing of each other.
async fn tenants(server: &TestServer) -> [Tenant; 2] {
    let mut made = Vec::new();
    for name in ["one@example.com", "two@example.com"] {
        let account = server.account(name, "20").await;
        let caller = server.caller().with_key(&account.api_key);
        made.push(Tenant { account, caller });
    }
    made.try_into().unwrap_or_else(|_| panic!("two"))
}

#[tokio::test]
async fn kept_answers_are_the_tenants_own() {
    let server = TestServer::start(offer(&[])).await;
    let tenants = tenants(&server).await;
    let kept = |door: &&crate::doors::Door| !matches!(door.path, "completions" | "rerank");
    for door in DOORS.iter().filter(kept) {
        for stream in door.manners() {
            let body = door.body("The very same words.", *stream);
            let mut sources: Vec<HashSet<String>> = vec![HashSet::new(); 2];
            for round in 0..3 {
                for (at, tenant) in tenants.iter().enumerate() {
                    let caller = tenant.caller.with("x-openrouter-cache", "true");
                    let reply = door.post(&caller, &body).await;
                    assert_eq!(reply.status, 200, "{door:?}");
                    let status = reply.header("x-openrouter-cache-status");
                    let expected = if round == 0 { "MISS" } else { "HIT" };
                    assert_eq!(status, Some(expected), "{door:?}, tenant {at}, round {round}");
                    let id = match reply.header("x-openrouter-cache-source-id") {
                        Some(source) => source.to_owned(),
                        None => reply.header("x-generation-id").unwrap().to_owned(),
                    };
                    sources[at].insert(id);
                }
            }
            assert_eq!((sources[0].len(), sources[1].len()), (1, 1), "{door:?}");
            assert!(sources[0].is_disjoint(&sources[1]), "{door:?}: shared entries");
            for (own, other) in [(0, 1), (1, 0)] {
                let id = sources[own].iter().next().unwrap();
                let path = format!("/api/v1/generation?id={id}");
                told(&tenants[own].caller.get(&path).await, 200);
                told(&tenants[other].caller.get(&path).await, 404);
            }
        }
    }
    // Who clears an entry clears his own.
    let body = DOORS[0].body("The very same words.", false);
    let clearing = tenants[0].caller.with("x-openrouter-cache", "true");
    let clearing = clearing.with("x-openrouter-cache-clear", "true");
    assert_eq!(DOORS[0].post(&clearing, &body).await.status, 200);
    let other = tenants[1].caller.with("x-openrouter-cache", "true");
    let reply = DOORS[0].post(&other, &body).await;
    assert_eq!(reply.header("x-openrouter-cache-status"), Some("HIT"));
    server.closes_clean().await;
}

#[tokio::test]
async fn a_conversation_draws_nobody_elses_to_its_endpoint() {
    let prices =
        json!({"prompt": "0.000001", "completion": "0.000002", "input_cache_read": "0.0000001"});
    let stands =
        ["ann", "bob"].map(|one| Stand::new(one, "tokens-5").with("pricing", prices.clone()));
    let server = TestServer::start(Offer::new().model("acme/one", stands)).await;
    let tenants = tenants(&server).await;
    let mut firsts = HashSet::new();
    for talk in 0..24 {
        let ask = json!({"model": "acme/one", "max_tokens": 20, "session_id": format!("s-{talk}"),
            "messages": [{"role": "user", "content": "Hello."}]});
        let mut homes = Vec::new();
        for tenant in &tenants {
            let mut seen = HashSet::new();
            for _ in 0..3 {
                let answer = told(&tenant.caller.chat(&ask).await, 200);
                seen.insert(answer["provider"].as_str().unwrap().to_owned());
            }
            assert_eq!(seen.len(), 1, "the tenant's own conversation stays");
            homes.extend(seen);
        }
        firsts.insert(homes);
    }
    // Equal sessions of two tenants are two draws: had they one home, they would never part.
    assert!(firsts.iter().any(|homes| homes[0] != homes[1]), "{firsts:?}");
    server.closes_clean().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn cold_keys_that_are_asked_for_at_once_are_not_mixed_up() {
    let server = TestServer::start(offer(&[])).await;
    let tenants = tenants(&server).await;
    // Cold for all of them: the first look-up of each key is shared by whoever wants that key.
    let visits: Vec<_> = (0..60)
        .map(|visit| {
            let caller = tenants[visit % 2].caller.clone();
            let work = async move { (visit % 2, told(&caller.get("/api/v1/key").await, 200)) };
            task::spawn("visit", work)
        })
        .collect();
    for visit in visits {
        let (at, key) = visit.await.unwrap().unwrap();
        let id = &tenants[at].account.api_key;
        let label = key["data"]["label"].as_str().unwrap();
        assert!(label.ends_with(&id[id.len() - 3..]), "{label}");
        let creator = tenants[at].account.account_id.as_str().replace("acc_", "user_");
        assert!(
            key["data"]["creator_user_id"].is_null()
                || key["data"]["creator_user_id"] == creator.as_str()
        );
    }
}

#[tokio::test]
async fn an_idempotency_key_means_nothing_to_another_tenant() {
    let server = TestServer::start(offer(&[])).await;
    let tenants = tenants(&server).await;
    let once = |caller: &Caller| {
        caller.with("idempotency-key", "the-same-for-all").with("x-signalbox-once", "true")
    };
    let body = DOORS[0].body("The very same words.", false);
    let mut ids = Vec::new();
    for tenant in &tenants {
        let first = told(&DOORS[0].post(&once(&tenant.caller), &body).await, 200);
        let again = told(&DOORS[0].post(&once(&tenant.caller), &body).await, 200);
        assert_eq!(first["id"], again["id"]);
        ids.push(first["id"].clone());
    }
    assert_ne!(ids[0], ids[1]);
    let mut keys: Vec<Value> = Vec::new();
    for tenant in &tenants {
        let manager = server.caller().with_key(&tenant.account.management_key);
        let manager = manager.with("idempotency-key", "the-same-for-keys");
        let first = told(&manager.post("/api/v1/keys", &json!({"name": "k"})).await, 201);
        let again = told(&manager.post("/api/v1/keys", &json!({"name": "k"})).await, 201);
        assert_eq!(first["key"], again["key"]);
        keys.push(first["key"].clone());
    }
    assert_ne!(keys[0], keys[1]);
    server.closes_clean().await;
}

#[tokio::test]
async fn a_guardrail_of_one_tenant_is_nobody_elses() {
    let server = TestServer::start_as(offer(&[]), Setup::default()).await;
    let tenants = tenants(&server).await;
    let rules = json!({"content_filter_builtins": [{"slug": "email", "action": "block"}]});
    let manager = server.caller().with_key(&tenants[0].account.management_key);
    let wish = rules.to_string();
    let path = "/api/v1/privacy";
    let set = manager.send(http::Method::PATCH, path, wish.into()).await;
    told(&set, 200);
    let body = DOORS[0].body("jane@corp.example", false);
    assert_eq!(DOORS[0].post(&tenants[0].caller, &body).await.status, 403);
    assert_eq!(DOORS[0].post(&tenants[1].caller, &body).await.status, 200);
    server.closes_clean().await;
}
