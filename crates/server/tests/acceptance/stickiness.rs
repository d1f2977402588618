//! Sticky provider routing (inference spec 14.2). Each conversation is long enough that two endpoints
//! which are equal would both have been drawn, but for once in many thousand runs.

use std::collections::BTreeSet;
use std::time::Duration;

use serde_json::{Value, json};
use signalbox_core::Timestamp;
use signalbox_runtime::Clock;
use signalbox_simulator::Simulator;
use signalbox_testkit::{Caller, Offer, Stand, TestServer};

use crate::speech::with;

const CHAT: &str = "/api/v1/chat/completions";

/// Requests of one conversation.
const TURNS: usize = 16;

fn stand(provider: &str, behaviour: &str, read: &str) -> Stand {
    let prices = json!({"prompt": "0.000001", "completion": "0.000002", "input_cache_read": read});
    Stand::new(provider, behaviour).with("pricing", prices)
}

/// A model of two equal endpoints where reading from the cache costs a tenth.
fn twins(behaviour: &str) -> Offer {
    let stands = ["ann", "bob"].map(|one| stand(one, behaviour, "0.0000001"));
    Offer::new().model("acme/one", stands)
}

/// A turn of the conversation that begins with `first`.
fn turn(first: &str, number: usize) -> Value {
    let mut messages = vec![
        json!({"role": "system", "content": "Be brief."}),
        json!({"role": "user", "content": first}),
    ];
    for past in 0..number {
        messages.push(json!({"role": "assistant", "content": format!("Answer {past}.")}));
        messages.push(json!({"role": "user", "content": format!("Question {past}?")}));
    }
    json!({"model": "acme/one", "max_tokens": 20, "messages": messages})
}

/// Who answered.
async fn provider(server: &TestServer, caller: &Caller, path: &str, body: &Value) -> String {
    let reply = caller.post(path, body).await;
    assert_eq!(reply.status, 200, "{}", String::from_utf8_lossy(&reply.body));
    let id = reply.header("x-generation-id").unwrap();
    let store = server.platform.store();
    let rows = store.facts().await.unwrap().generations;
    assert!(rows.iter().any(|row| row.id.as_str() == id));
    server.generation(id).await.provider.unwrap()
}

/// Everybody who answered a conversation whose turns are made by `body`.
async fn all(server: &TestServer, body: impl Fn(usize) -> Value) -> BTreeSet<String> {
    let mut seen = BTreeSet::new();
    for number in 0..TURNS {
        seen.insert(provider(server, &server.caller(), CHAT, &body(number)).await);
    }
    seen
}

#[tokio::test]
async fn g76_after_a_cache_hit_a_conversation_stays_where_it_was() {
    let server = TestServer::start(twins("tokens-5+cached")).await;
    let mut homes = BTreeSet::new();
    for talk in 0..TURNS {
        let first = format!("Hello, this is talk {talk}.");
        let mut seen = BTreeSet::new();
        for number in 0..4 {
            let body = turn(&first, number);
            seen.insert(provider(&server, &server.caller(), CHAT, &body).await);
        }
        assert_eq!(seen.len(), 1, "{seen:?}");
        homes.extend(seen);
    }
    assert_eq!(homes.len(), 2, "another conversation is another draw");
    server.closes_clean().await;
}

#[tokio::test]
async fn without_a_session_or_a_cache_hit_nothing_stays() {
    let server = TestServer::start(twins("tokens-5")).await;
    assert_eq!(all(&server, |number| turn("Hello", number)).await.len(), 2);
    let keyed = |number| with(turn("Hello", number), "prompt_cache_key", json!("k"));
    assert_eq!(all(&server, keyed).await.len(), 2);
    server.closes_clean().await;
}

#[tokio::test]
async fn a_session_stays_from_its_first_success() {
    let server = TestServer::start(twins("tokens-5")).await;
    // The body's session counts, whatever the header says and the messages are.
    let session = |number| with(turn(&format!("Topic {number}"), 0), "session_id", json!("s1"));
    let mut seen = BTreeSet::new();
    for number in 0..TURNS {
        let caller = server.caller().with("x-session-id", &format!("h{number}"));
        seen.insert(provider(&server, &caller, CHAT, &session(number)).await);
    }
    assert_eq!(seen.len(), 1, "{seen:?}");
    let home = seen.first().unwrap().clone();
    // In the header it does as well, in every dialect of conversations.
    let caller = server.caller().with("x-session-id", "s1");
    let asked = [
        (CHAT, turn("Chat", 0)),
        ("/api/v1/messages", turn("Messages", 1)),
        ("/api/v1/responses", json!({"model": "acme/one", "input": "Responses"})),
        ("/api/v1/completions", json!({"model": "acme/one", "prompt": "Completions"})),
    ];
    for (path, body) in asked.iter().cycle().take(TURNS) {
        let body = match *path {
            "/api/v1/messages" => {
                with(body.clone(), "messages", json!([{"role": "user", "content": "Hello"}]))
            }
            _ => body.clone(),
        };
        assert_eq!(provider(&server, &caller, path, &body).await, home, "{path}");
    }
    // Somebody else's session of this name is another one.
    let mut homes = BTreeSet::new();
    for number in 0..TURNS {
        let other = server.account(&format!("other{number}@example.com"), "1").await;
        let row = server.caller().with_key(&other.api_key).chat(&session(0)).await;
        homes.insert(row.json()["provider"].as_str().unwrap().to_owned());
    }
    assert_eq!(homes.len(), 2);
    server.closes_clean().await;
}

#[tokio::test]
async fn g76_the_prompt_cache_key_acts_as_key() {
    let server = TestServer::start(twins("tokens-5+cached")).await;
    let keyed =
        |number: usize| with(turn(&format!("Topic {number}"), 0), "prompt_cache_key", json!("k1"));
    assert_eq!(all(&server, keyed).await.len(), 1);
    let other = |number: usize| with(keyed(0), "prompt_cache_key", json!(format!("k-{number}")));
    assert_eq!(all(&server, other).await.len(), 2, "another key is another conversation");
    server.closes_clean().await;
}

#[tokio::test]
async fn g76_an_order_of_providers_turns_it_off() {
    let server = TestServer::start(twins("tokens-5+cached")).await;
    let session = |number: usize| with(turn("Hello", number), "session_id", json!("s1"));
    let home = all(&server, session).await.pop_first().unwrap();
    let away = if home == "ann" { "bob" } else { "ann" };
    let ordered = with(session(0), "provider", json!({"order": [away]}));
    assert_eq!(provider(&server, &server.caller(), CHAT, &ordered).await, away);
    // And such an answer moves nothing.
    assert_eq!(all(&server, session).await, BTreeSet::from([home.clone()]));
    // What the caller does not permit is not asked, however well the conversation is known there.
    let ignoring = with(session(0), "provider", json!({"ignore": [home]}));
    assert_eq!(provider(&server, &server.caller(), CHAT, &ignoring).await, away);
    assert_eq!(all(&server, session).await, BTreeSet::from([away.to_owned()]), "it has moved");
    server.closes_clean().await;
}

#[tokio::test]
async fn g76_an_endpoint_without_a_cache_discount_is_never_sticky() {
    for read in ["0.000001", "0.000002"] {
        let stands = ["ann", "bob"].map(|one| stand(one, "tokens-5+cached", read));
        let server = TestServer::start(Offer::new().model("acme/one", stands)).await;
        let session = |number: usize| with(turn("Hello", number), "session_id", json!("s1"));
        assert_eq!(all(&server, session).await.len(), 2, "{read}");
        server.closes_clean().await;
    }
    let unpriced = ["ann", "bob"].map(|one| Stand::new(one, "tokens-5+cached"));
    let server = TestServer::start(Offer::new().model("acme/one", unpriced)).await;
    let session = |number: usize| with(turn("Hello", number), "session_id", json!("s1"));
    assert_eq!(all(&server, session).await.len(), 2, "no price for reads");
    server.closes_clean().await;
}

#[tokio::test]
async fn an_idle_conversation_is_forgotten_after_ten_minutes() {
    for (pause, homes) in [(599, 1), (601, 2)] {
        let clock = Clock::manual(Timestamp::from_seconds(1_800_000_000));
        let server = TestServer::start_at(twins("tokens-5"), "10", clock.clone()).await;
        let mut seen = BTreeSet::new();
        for number in 0..TURNS {
            let body = with(turn("Hello", number), "session_id", json!("s1"));
            seen.insert(provider(&server, &server.caller(), CHAT, &body).await);
            clock.advance(Duration::from_secs(pause));
        }
        assert_eq!(seen.len(), homes, "{pause} seconds");
        server.closes_clean().await;
    }
}

#[tokio::test]
async fn a_dead_home_is_left_for_the_next_best_where_the_conversation_then_stays() {
    // Its connections end with its runtime.
    let mut runtime = tokio::runtime::Builder::new_multi_thread();
    let runtime = runtime.worker_threads(1).enable_all().build().unwrap();
    let started = runtime.spawn(signalbox_simulator::start(Simulator::new()));
    let mortal = started.await.unwrap().unwrap();
    let offer = twins("tokens-5").provider_at("bob", &mortal.address().to_string());
    let server = TestServer::start(offer).await;
    let session =
        |id: usize, number| with(turn("Hello", number), "session_id", json!(format!("s{id}")));
    let mut id = 0;
    while provider(&server, &server.caller(), CHAT, &session(id, 0)).await != "bob" {
        id += 1;
        assert!(id < 40, "nobody draws bob");
    }
    assert_eq!(all(&server, |number| session(id, number)).await, BTreeSet::from(["bob".into()]));
    drop(mortal);
    runtime.shutdown_background();
    assert_eq!(all(&server, |number| session(id, number)).await, BTreeSet::from(["ann".into()]));
    server.closes_clean().await;
}
