//! Budgets of guardrails on a whole server: for whom they count, and when they begin again (platform spec
//! 7.4, 2.5, 0.3).

use std::time::Duration;

use serde_json::{Value, json};
use signalbox_core::Timestamp;
use signalbox_platform::keys::hash_of;
use signalbox_runtime::Clock;
use signalbox_testkit::{Caller, Offer, Stand, TestServer};

use crate::doors::{patch, told};

/// Requests until a budget is set to what they cost: more than one may need.
const SPENT: usize = 16;

async fn start(clock: &Clock) -> TestServer {
    let offer = Offer::new().model("acme/one", [Stand::new("well", "tokens-5")]);
    TestServer::start_at(offer, "50", clock.clone()).await
}

fn ask() -> Value {
    json!({"model": "acme/one", "max_tokens": 5, "messages": [{"role": "user", "content": "Hello."}]})
}

async fn guardrail(server: &TestServer, interval: Option<&str>) -> String {
    let wish = json!({"name": "budget", "limit_usd": 10, "reset_interval": interval});
    let made = told(&server.manager().post("/api/v1/guardrails", &wish).await, 201);
    format!("/api/v1/guardrails/{}", made["data"]["id"].as_str().unwrap())
}

async fn key(server: &TestServer) -> (String, Caller) {
    let made = told(&server.manager().post("/api/v1/keys", &json!({"name": "k"})).await, 201);
    let key = made["key"].as_str().unwrap();
    (hash_of(key).to_string(), server.caller().with_key(key))
}

/// Asks so often; how much that cost, as text.
async fn spend(server: &TestServer, caller: &Caller, hash: &str) -> String {
    for _ in 0..SPENT {
        told(&caller.chat(&ask()).await, 200);
    }
    server.settled().await;
    let seen = told(&server.manager().get(&format!("/api/v1/keys/{hash}")).await, 200);
    format!("{:.9}", seen["data"]["usage"].as_f64().unwrap())
}

async fn is_used_up(caller: &Caller, window: &str) {
    let refused = told(&caller.chat(&ask()).await, 403);
    let text = refused["error"]["message"].as_str().unwrap();
    assert!(text.starts_with(&format!("Guardrail {window} budget of $")), "{text}");
    assert_eq!(refused["error"]["error_type"], "permission_denied");
}

#[tokio::test]
async fn a_budget_begins_again_with_the_day_the_week_and_the_month_in_utc() {
    // Sunday, 31 January 2027, a second before midnight.
    let eve: Timestamp = "2027-01-31T23:59:59Z".parse().unwrap();
    for (interval, just_before) in [
        ("daily", eve),
        ("weekly", eve),
        ("monthly", eve),
        // A Tuesday's midnight is neither a week's nor a month's.
        ("daily", "2027-02-02T23:59:59Z".parse().unwrap()),
    ] {
        let clock = Clock::manual(just_before);
        let server = start(&clock).await;
        let path = guardrail(&server, Some(interval)).await;
        let (hash, caller) = key(&server).await;
        let keys = json!({"key_hashes": [hash]});
        told(&server.manager().post(&format!("{path}/assignments/keys"), &keys).await, 200);
        let spent = spend(&server, &caller, &hash).await;
        patch(&server.manager(), &path, json!({"limit_usd": spent})).await;
        is_used_up(&caller, interval).await;
        clock.advance(Duration::from_millis(999));
        is_used_up(&caller, interval).await;
        clock.advance(Duration::from_millis(1));
        told(&caller.chat(&ask()).await, 200);
        server.closes_clean().await;
    }
}

#[tokio::test]
async fn a_window_that_has_not_ended_does_not_begin_again() {
    let clock = Clock::manual("2027-02-02T23:59:59Z".parse().unwrap());
    let server = start(&clock).await;
    let (hash, caller) = key(&server).await;
    let spent = spend(&server, &caller, &hash).await;
    for interval in [Some("weekly"), Some("monthly"), None] {
        let path = guardrail(&server, interval).await;
        let keys = json!({"key_hashes": [hash]});
        told(&server.manager().post(&format!("{path}/assignments/keys"), &keys).await, 200);
        // What was spent before it was assigned is not its matter.
        let _ = spend(&server, &caller, &hash).await;
        patch(&server.manager(), &path, json!({"limit_usd": spent})).await;
        is_used_up(&caller, interval.unwrap_or("lifetime")).await;
        clock.advance(Duration::from_secs(2));
        is_used_up(&caller, interval.unwrap_or("lifetime")).await;
        clock.step(-2_000);
    }
    server.closes_clean().await;
}

#[tokio::test]
async fn keys_have_a_budget_each_and_a_member_has_one_for_all_keys() {
    let clock = Clock::manual("2027-02-02T12:00:00Z".parse().unwrap());
    let server = start(&clock).await;
    let manager = server.manager();
    let path = guardrail(&server, Some("daily")).await;
    let ((one, first), (two, second)) = (key(&server).await, key(&server).await);
    let keys = json!({"key_hashes": [one, two]});
    told(&manager.post(&format!("{path}/assignments/keys"), &keys).await, 200);
    let member = server.owner.account_id.as_str().replace("acc_", "user_");
    let people = json!({"member_user_ids": [member]});
    let spent = spend(&server, &first, &one).await;
    patch(&manager, &path, json!({"limit_usd": spent})).await;
    is_used_up(&first, "daily").await;
    // They are never pooled.
    told(&second.chat(&ask()).await, 200);
    // The member's counter is told of every key's spending.
    told(&manager.post(&format!("{path}/assignments/keys/remove"), &keys).await, 200);
    told(&manager.post(&format!("{path}/assignments/members"), &people).await, 200);
    patch(&manager, &path, json!({"limit_usd": 10})).await;
    let (a, b) = (spend(&server, &first, &one).await, spend(&server, &second, &two).await);
    let both: f64 = a.parse::<f64>().unwrap() + b.parse::<f64>().unwrap();
    assert!(both > 0.0);
    // What the two have spent since the member is under it: half of it each.
    let half: f64 = spent.parse().unwrap();
    patch(&manager, &path, json!({"limit_usd": format!("{:.9}", half * 2.0)})).await;
    is_used_up(&first, "daily").await;
    is_used_up(&second, "daily").await;
    // A key of another member would not care: here it is one that nobody made.
    let unowned = server.key(signalbox_platform::NewKey::default()).await;
    told(&server.caller().with_key(&unowned.key).chat(&ask()).await, 200);
    server.closes_clean().await;
}
