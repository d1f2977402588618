//! The response cache (inference spec 14.3): what is the same request, for how long, for whom.

use std::time::Duration;

use serde_json::{Value, json};
use signalbox_core::{Timestamp, Usd};
use signalbox_platform::NewKey;
use signalbox_runtime::Clock;
use signalbox_testkit::{Caller, Offer, Reply, Stand, TestServer};

use crate::speech::{Answered, ask, tokens, typed_error, with};

const STATUS: &str = "x-openrouter-cache-status";
const AGE: &str = "x-openrouter-cache-age";
const TTL: &str = "x-openrouter-cache-ttl";
const SOURCE: &str = "x-openrouter-cache-source-id";

fn offer() -> Offer {
    Offer::new().model("acme/one", [Stand::new("well", "tokens-5")])
}

/// A caller that wants its answers kept.
pub fn keeping(caller: Caller) -> Caller {
    caller.with("x-openrouter-cache", "true")
}

/// A good answer, new or given again.
pub fn told(reply: &Reply, status: &str) -> Answered {
    let answer = Answered::read(reply);
    assert_eq!(reply.header(STATUS), Some(status), "{:?}", reply.headers);
    assert_eq!(reply.header("x-generation-id"), Some(answer.id.as_str()));
    answer
}

/// Every count in the answer: numbers of members that tell what was consumed.
pub fn counts(reply: &Reply) -> Vec<u64> {
    fn collect(value: &Value, inside: bool, found: &mut Vec<u64>) {
        match value {
            Value::Object(members) => members.iter().for_each(|(key, value)| {
                collect(value, inside || key == "usage", found);
            }),
            Value::Array(list) => list.iter().for_each(|one| collect(one, inside, found)),
            Value::Number(number) if inside => {
                found.push(if number.as_f64() == Some(0.0) { 0 } else { 1 });
            }
            _ => {}
        }
    }
    let mut found = Vec::new();
    if reply.is_stream() {
        reply.events().data.iter().for_each(|event| collect(event, false, &mut found));
    } else {
        collect(&reply.json(), false, &mut found);
    }
    found
}

async fn charged(server: &TestServer) -> Usd {
    server.settled().await;
    server.balance().await.charged
}

#[tokio::test]
async fn g49_an_answer_that_is_given_again_has_no_metadata() {
    let server = TestServer::start(offer()).await;
    for stream in [false, true] {
        let caller = keeping(server.caller()).with("x-openrouter-metadata", "enabled");
        let first = caller.chat(&ask("acme/one", stream)).await;
        told(&first, "MISS");
        assert!(String::from_utf8_lossy(&first.body).contains("openrouter_metadata"));
        let again = caller.chat(&ask("acme/one", stream)).await;
        told(&again, "HIT");
        assert!(!String::from_utf8_lossy(&again.body).contains("openrouter_metadata"));
    }
    server.closes_clean().await;
}

#[tokio::test]
async fn a_hit_is_a_new_free_generation_that_asks_nobody() {
    let server = TestServer::start(offer()).await;
    for stream in [false, true] {
        let caller = keeping(server.caller());
        let first = caller.chat(&ask("acme/one", stream)).await;
        let paid = told(&first, "MISS");
        assert_eq!((first.header(TTL), first.header(AGE)), (Some("300"), None));
        assert!(paid.cost() > Usd::ZERO && first.header(SOURCE).is_none());
        let (before, calls) = (charged(&server).await, server.journal().entries().len());
        let hit = caller.chat(&ask("acme/one", stream)).await;
        let free = told(&hit, "HIT");
        assert_ne!(free.id, paid.id);
        assert_eq!(
            (&free.text, &free.finish, &free.model),
            (&paid.text, &paid.finish, &paid.model)
        );
        assert_eq!((free.text.as_str(), &free.provider), (tokens(5).as_str(), &paid.provider));
        assert_eq!(hit.header(SOURCE), Some(paid.id.as_str()));
        let (age, left) = (hit.header(AGE).unwrap(), hit.header(TTL).unwrap());
        assert_eq!(age.parse::<u32>().unwrap() + left.parse::<u32>().unwrap(), 300);
        let counts = counts(&hit);
        assert!(counts.len() > 5 && counts.iter().all(|count| *count == 0), "{}", free.usage);

        let row = server.generation(&free.id).await;
        assert_eq!((row.cost, row.usage, row.tokens_prompt), (Usd::ZERO, Default::default(), 0));
        assert_eq!(row.response_cache_source_id.as_ref().map(|id| id.as_str()), Some(&*paid.id));
        assert_eq!((row.streamed, row.cancelled, row.model.as_str()), (stream, false, "acme/one"));
        assert_eq!(
            (row.provider.as_deref(), row.finish_reason.as_deref()),
            (Some("well"), Some("stop"))
        );
        assert_eq!(row.provider_responses, "[]", "nobody was asked");
        let shown = server.caller().get(&format!("/api/v1/generation?id={}", free.id)).await.json();
        assert_eq!(shown["data"]["response_cache_source_id"], json!(paid.id));
        assert_eq!((&shown["data"]["usage"], &shown["data"]["total_cost"]), (&json!(0), &json!(0)));
        let source = server.generation(&paid.id).await;
        assert_eq!(source.response_cache_source_id, None);

        assert_eq!(server.journal().entries().len(), calls, "no provider was called");
        assert_eq!(charged(&server).await, before, "and nothing is charged");
    }
    let rows = server.platform.store().facts().await.unwrap();
    assert_eq!((rows.generations.len(), rows.reservations.len()), (4, 2), "a hit holds nothing");
    server.closes_clean().await;
}

#[tokio::test]
async fn g71_the_same_request_is_the_same_text_by_the_same_key() {
    let server = TestServer::start(offer()).await;
    let caller = keeping(server.caller());
    let post = async |caller: &Caller, body: &str, expected: &str| {
        let reply = caller.chat_bytes(body.to_owned()).await;
        told(&reply, expected);
    };
    let body =
        r#"{"model":"acme/one","max_tokens":200,"messages":[{"role":"user","content":"a b"}]}"#;
    let spaced = body.replace(',', " ,\n\t").replace(':', " : ");
    post(&caller, body, "MISS").await;
    post(&caller, body, "HIT").await;
    post(&caller, &spaced, "HIT").await;
    let turned =
        r#"{"max_tokens":200,"model":"acme/one","messages":[{"role":"user","content":"a b"}]}"#;
    post(&caller, turned, "MISS").await;
    for (from, to) in [
        ("a b", "a  b"),
        ("200,", "200,\"temperature\":1,"),
        ("200,", "200,\"stream\":false,"),
        ("200,", "200,\"stream\":true,"),
        ("200,", "200,\"temperature\":1.0,"),
    ] {
        let other = body.replace(from, to);
        post(&caller, &other, "MISS").await;
        post(&caller, &other, "HIT").await;
    }
    let beta = caller.with("x-anthropic-beta", "interleaved-thinking-2025-05-14");
    post(&beta, body, "MISS").await;
    post(&beta, body, "HIT").await;
    let other = server.key(NewKey::default()).await;
    post(&caller.with_key(&other.key), body, "MISS").await;
    // Who shows the answer where makes no difference.
    let app = caller.with("http-referer", "https://app.example").with("x-title", "App");
    post(&app.with("x-session-id", "s1").with("user-agent", "x"), body, "HIT").await;
    server.closes_clean().await;
}

#[tokio::test]
async fn nothing_is_shared_between_keys_and_accounts() {
    let server = TestServer::start(offer()).await;
    let bob = server.account("bob@example.com", "10").await;
    let second = server.key(NewKey::default()).await;
    let mut sources = Vec::new();
    for stream in [false, true] {
        for key in [&server.owner.api_key, &second.key, &bob.api_key] {
            let caller = keeping(server.caller().with_key(key));
            let paid = told(&caller.chat(&ask("acme/one", stream)).await, "MISS");
            sources.push((key.clone(), stream, paid.id));
        }
    }
    for (key, stream, id) in &sources {
        let hit = keeping(server.caller().with_key(key)).chat(&ask("acme/one", *stream)).await;
        told(&hit, "HIT");
        assert_eq!(hit.header(SOURCE), Some(id.as_str()), "everybody gets what is his own");
        assert!(hit.header("cache-control").unwrap().contains("private, no-store"));
    }
    assert_eq!(server.journal().entries().len(), 6);
    server.closes_clean().await;
}

#[tokio::test]
async fn what_was_answered_to_one_caller_is_for_no_shared_cache() {
    let server = TestServer::start(offer()).await;
    let caller = server.caller();
    let replies = [
        caller.chat(&ask("acme/one", false)).await,
        caller.chat(&ask("acme/one", true)).await,
        caller.chat(&ask("acme/none", false)).await,
        caller.with_key("sk-wrong").chat(&ask("acme/one", true)).await,
        caller.get("/api/v1/key").await,
        server.manager().get("/api/v1/credits").await,
        caller.get("/api/v1/generation?id=gen-none").await,
    ];
    for reply in replies {
        let told = reply.header("cache-control").unwrap_or_default();
        assert!(told.contains("private, no-store"), "{} {told:?}", reply.status);
    }
    server.closes_clean().await;
}

#[tokio::test]
async fn g72_the_header_says_for_how_long() {
    let server = TestServer::start(offer()).await;
    for (at, (text, expected)) in
        [("60abc", "60"), ("1.5", "1"), ("0", "1"), ("999999", "86400"), ("abc", "300")]
            .into_iter()
            .enumerate()
    {
        let caller = keeping(server.caller()).with("x-openrouter-cache-ttl", text);
        let body = with(ask("acme/one", false), "seed", json!(at));
        let reply = caller.chat(&body).await;
        told(&reply, "MISS");
        assert_eq!(reply.header(TTL), Some(expected), "{text}");
    }
    server.closes_clean().await;
}

#[tokio::test]
async fn an_answer_is_given_until_its_time_is_up() {
    let clock = Clock::manual(Timestamp::from_seconds(1_800_000_000));
    let server = TestServer::start_at(offer(), "10", clock.clone()).await;
    let caller = keeping(server.caller()).with("x-openrouter-cache-ttl", "60");
    let body = ask("acme/one", true);
    let paid = told(&caller.chat(&body).await, "MISS");
    for (seconds, age, left) in [(0, "0", "60"), (12, "12", "48"), (47, "59", "1")] {
        clock.advance(Duration::from_secs(seconds));
        // The time that counts is the one with which it was kept.
        let hit = caller.with("x-openrouter-cache-ttl", "9999").chat(&body).await;
        told(&hit, "HIT");
        assert_eq!((hit.header(AGE), hit.header(TTL)), (Some(age), Some(left)));
        assert_eq!(hit.header(SOURCE), Some(paid.id.as_str()));
    }
    clock.advance(Duration::from_millis(999));
    let hit = caller.chat(&body).await;
    assert_eq!((hit.header(AGE), hit.header(TTL)), (Some("59"), Some("1")));
    let created = |reply: &Reply| reply.events().data[0]["created"].as_i64().unwrap();
    assert_eq!(created(&hit), 1_800_000_059, "the moment of this answer");
    clock.advance(Duration::from_millis(1));
    let fresh = told(&caller.chat(&body).await, "MISS");
    assert_ne!(fresh.id, paid.id);
    assert_eq!(caller.chat(&body).await.header(SOURCE), Some(fresh.id.as_str()));
    server.closes_clean().await;
}

#[tokio::test]
async fn clearing_asks_anew_and_keeps_that() {
    let server = TestServer::start(offer()).await;
    let caller = keeping(server.caller());
    let clearing = caller.with("x-openrouter-cache-clear", "true");
    let body = ask("acme/one", false);
    let first = told(&caller.chat(&body).await, "MISS");
    let other = with(body.clone(), "seed", json!(1));
    told(&caller.chat(&other).await, "MISS");
    let second = told(&clearing.chat(&body).await, "MISS");
    assert_ne!(first.id, second.id);
    assert_eq!(caller.chat(&body).await.header(SOURCE), Some(second.id.as_str()));
    told(&caller.chat(&other).await, "HIT");
    // Without the cache there is nothing to clear.
    let reply = server.caller().with("x-openrouter-cache-clear", "true").chat(&body).await;
    assert_eq!(reply.header(STATUS), None);
    told(&caller.chat(&body).await, "HIT");
    server.closes_clean().await;
}

#[tokio::test]
async fn it_is_off_unless_it_is_asked_for() {
    let server = TestServer::start(offer()).await;
    let body = ask("acme/one", false);
    told(&keeping(server.caller()).chat(&body).await, "MISS");
    for value in [None, Some("false"), Some("1"), Some("")] {
        let caller = server.caller();
        let caller = value.map_or(caller.clone(), |value| caller.with("x-openrouter-cache", value));
        let reply = caller.chat(&body).await;
        assert!(Answered::read(&reply).cost() > Usd::ZERO, "{value:?}");
        assert!(reply.header(STATUS).is_none() && reply.header(TTL).is_none());
    }
    // Legacy completions have none.
    let body = json!({"model": "acme/one", "prompt": "Say something.", "max_tokens": 50});
    for _ in 0..2 {
        let reply = keeping(server.caller()).post("/api/v1/completions", &body).await;
        assert_eq!((reply.status, reply.header(STATUS)), (200, None));
    }
    server.closes_clean().await;
}

#[tokio::test]
async fn g74_two_requests_at_once_are_two_misses_and_both_are_billed() {
    let slow = Offer::new().model("acme/one", [Stand::new("well", "first-ms-200+tokens-5")]);
    let server = TestServer::start(slow).await;
    let caller = keeping(server.caller());
    for stream in [false, true] {
        let before = charged(&server).await;
        let body = ask("acme/one", stream);
        let (one, two) = tokio::join!(caller.chat(&body), caller.chat(&body));
        let (one, two) = (told(&one, "MISS"), told(&two, "MISS"));
        let both = one.cost().checked_add(two.cost()).unwrap();
        assert_eq!(charged(&server).await, before.checked_add(both).unwrap());
        told(&caller.chat(&body).await, "HIT");
    }
    assert_eq!(server.journal().entries().len(), 4);
    server.closes_clean().await;
}

/// The other half, an account that keeps nothing, is a value of its policy: see the gateway's test.
#[tokio::test]
async fn g75_a_request_that_wants_zero_retention_of_providers_is_kept_all_the_same() {
    let server = TestServer::start(offer()).await;
    let caller = keeping(server.caller());
    let body = with(ask("acme/one", false), "provider", json!({"zdr": true}));
    told(&caller.chat(&body).await, "MISS");
    told(&caller.chat(&body).await, "HIT");
    server.closes_clean().await;
}

#[tokio::test]
async fn who_may_not_ask_gets_nothing_that_is_kept() {
    let prices = json!({"prompt": "0", "completion": "0", "request": "0.01"});
    let stand = Stand::new("well", "tokens-5").with("pricing", prices);
    let offer = Offer::new().model("acme/one", [stand]);
    let clock = Clock::manual(Timestamp::from_seconds(1_800_000_000));
    let server = TestServer::start_at(offer, "0.02", clock).await;
    let body = ask("acme/one", false);
    let limit = Some("0.01".parse().unwrap());
    let small = server.key(NewKey { limit, ..NewKey::default() }).await;
    let caller = keeping(server.caller().with_key(&small.key));
    told(&caller.chat(&body).await, "MISS");
    // Its limit is used up to the last cent.
    typed_error(&caller.chat(&body).await, 403, "permission_denied");
    let seldom = server.key(NewKey { rpm: Some(2), ..NewKey::default() }).await;
    let caller = keeping(server.caller().with_key(&seldom.key));
    told(&caller.chat(&body).await, "MISS");
    // So is the balance, and what is kept costs nothing.
    typed_error(&server.caller().chat(&body).await, 402, "payment_required");
    told(&caller.chat(&body).await, "HIT");
    typed_error(&caller.chat(&body).await, 429, "rate_limit_exceeded");
    server.closes_clean().await;
    assert_eq!(server.balance().await.posted(), Usd::ZERO);
}
