//! `Idempotency-Key` on answers of providers, for who asks for it with `X-Signalbox-Once`: each door that
//! reaches a provider has a case here.

use std::time::Duration;

use serde_json::{Value, json};
use signalbox_core::Timestamp;
use signalbox_runtime::Clock;
use signalbox_server::{Again, Route, routes};
use signalbox_testkit::{Caller, Offer, Reply, Setup, Stand, TestServer};

use crate::speech::typed_error;

const NOW: Timestamp = Timestamp::from_seconds(1_800_000_000);

fn offer() -> Offer {
    let ranks = json!({"prompt": "0", "completion": "0", "search_unit": "0.002"});
    Offer::new()
        .model("acme/one", [Stand::new("well", "tokens-5")])
        .model("acme/slow", [Stand::new("well", "tokens-5+halt-body")])
        .model("acme/dead", [Stand::new("well", "status-503")])
        .model_for("embeddings", "acme/e1", [Stand::new("well", "v1")])
        .model_for("rerank", "acme/r1", [Stand::new("well", "v1").with("pricing", ranks)])
}

/// What is asked at a door. A door without a case fails here.
fn body(route: &Route, words: &str) -> Value {
    let said = json!([{"role": "user", "content": words}]);
    match route.path {
        "/api/v1/chat/completions" | "/api/v1/cursor/chat/completions" | "/api/v1/messages" => {
            json!({"model": "acme/one", "max_tokens": 50, "messages": said})
        }
        "/api/v1/responses" => json!({"model": "acme/one", "input": said}),
        "/api/v1/completions" => json!({"model": "acme/one", "prompt": words}),
        "/api/v1/embeddings" => json!({"model": "acme/e1", "input": words}),
        "/api/v1/rerank" => json!({"model": "acme/r1", "query": words, "documents": ["a", "b"]}),
        other => panic!("POST {other} reaches a provider and has no case here"),
    }
}

fn once(caller: &Caller, key: &str) -> Caller {
    caller.with("idempotency-key", key).with("x-signalbox-once", "true")
}

async fn charges(server: &TestServer) -> usize {
    server.settled().await;
    let facts = server.platform.store().facts().await.unwrap();
    facts.transfers.iter().filter(|one| one.kind == "charge").count()
}

fn good(reply: &Reply, path: &str) -> Value {
    assert_eq!(reply.status, 200, "{path}: {}", String::from_utf8_lossy(&reply.body));
    reply.json()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_door_answers_a_key_once_for_who_asks_for_it() {
    let clock = Clock::manual(NOW);
    let setup = Setup { clock: clock.clone(), ..Setup::default() };
    let server = TestServer::start_as(offer(), setup).await;
    let bob = server.account("bob@example.com", "5").await;
    let doors = routes().filter(|route| route.again == Again::OnRequest);
    let mut count = 0;
    for (number, route) in doors.enumerate() {
        let (path, body) = (route.path, |words: &str| body(route, words));
        let caller = once(&server.caller(), &format!("key-{number}"));
        let before = charges(&server).await;
        let first = good(&caller.post(path, &body("Once.")).await, path);
        for days in [0, 31] {
            clock.advance(Duration::from_secs(days * 86_400));
            assert_eq!(good(&caller.post(path, &body("Once.")).await, path), first, "{path}");
            let other = caller.post(path, &body("Twice.")).await;
            assert_eq!(other.status, 422, "{path}: {:?}", other.body);
        }
        assert_eq!(charges(&server).await - before, 1, "{path}");
        let theirs = caller.with_key(&bob.api_key);
        assert_ne!(good(&theirs.post(path, &body("Once.")).await, path), first, "{path}");
        // Who does not ask for it is answered anew.
        let plain = server.caller().with("idempotency-key", &format!("key-{number}"));
        let anew = good(&plain.post(path, &body("Once.")).await, path);
        assert_ne!(anew["id"], first["id"], "{path}");
        assert_eq!(charges(&server).await - before, 3, "{path}");
        count += 1;
    }
    assert!(count >= 7, "{count}");
    server.closes_clean().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_same_question_at_once_is_put_to_a_provider_once() {
    let server = TestServer::start(offer()).await;
    let ask = json!({"model": "acme/slow", "messages": [{"role": "user", "content": "Hm?"}]});
    let caller = once(&server.caller(), "slow");
    let mut asking = tokio::task::JoinSet::new();
    for _ in 0..10 {
        let (caller, ask) = (caller.clone(), ask.clone());
        asking.spawn(async move { caller.chat(&ask).await });
    }
    for _ in 0..9 {
        let reply = asking.join_next().await.unwrap().unwrap();
        typed_error(&reply, 409, "invalid_request");
        assert_eq!(reply.header("retry-after"), Some("1"));
    }
    server.go_on("tokens-5+halt-body");
    let answer = good(&asking.join_next().await.unwrap().unwrap(), "");
    assert_eq!(good(&caller.chat(&ask).await, ""), answer);
    assert_eq!((server.counted().arrived, charges(&server).await), (1, 1));
    server.closes_clean().await;
}

#[tokio::test]
async fn a_failure_is_not_kept_and_a_stream_can_not_be() {
    let server = TestServer::start(offer()).await;
    let ask = |model: &str, stream: bool| json!({"model": model, "stream": stream, "messages": [{"role": "user", "content": "Hm?"}]});
    let caller = once(&server.caller(), "k");
    assert_eq!(caller.chat(&ask("acme/dead", false)).await.status, 503);
    // Nothing was charged, so the key is free for anything.
    let first = good(&caller.chat(&ask("acme/one", false)).await, "");
    assert_eq!(good(&caller.chat(&ask("acme/one", false)).await, ""), first);
    typed_error(&caller.chat(&ask("acme/one", true)).await, 400, "invalid_request");
    let keyless = server.caller().with("x-signalbox-once", "true");
    typed_error(&keyless.chat(&ask("acme/one", false)).await, 400, "invalid_request");
    server.closes_clean().await;
}
