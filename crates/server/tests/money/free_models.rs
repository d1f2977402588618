//! Free models are free up to a limit, which is the account's and not a key's.

use serde_json::{Value, json};
use signalbox_core::{Timestamp, Usd};
use signalbox_platform::NewKey;
use signalbox_runtime::Clock;
use signalbox_testkit::{Offer, Reply, Setup, Stand, TestServer};

use crate::speech::{Answered, ask, typed_error, with};

/// The beginning of a minute, and of no day.
const NOON: i64 = 1_799_928_000;

/// A free model that works, one that fails, and one that costs.
async fn server(clock: &Clock) -> TestServer {
    let free = json!({"prompt": "0", "completion": "0"});
    let stand =
        |slug: &str, behaviour: &str| Stand::new(slug, behaviour).with("pricing", free.clone());
    let offer = Offer::new()
        .model("acme/one:free", [stand("well", "tokens-5")])
        .model("acme/bad:free", [stand("sick", "status-400")])
        .model("acme/paid", [Stand::new("well", "tokens-6")]);
    TestServer::start_as(offer, Setup { clock: clock.clone(), ..Setup::default() }).await
}

fn clock() -> Clock {
    Clock::manual(Timestamp::from_seconds(NOON))
}

fn told(reply: &Reply, which: &str, limit: u32) -> Value {
    let error = typed_error(reply, 429, "rate_limit_exceeded");
    let message = error["message"].as_str().unwrap();
    assert!(message.starts_with(&format!("Rate limit exceeded: {which}")), "{message}");
    assert_eq!(reply.header("x-ratelimit-limit"), Some(limit.to_string().as_str()));
    assert_eq!(reply.header("x-ratelimit-remaining"), Some("0"));
    let headers = &error["metadata"]["headers"];
    assert_eq!(headers["X-RateLimit-Limit"], limit.to_string());
    assert_eq!(headers["X-RateLimit-Remaining"], "0");
    assert_eq!(headers["X-RateLimit-Reset"], reply.header("x-ratelimit-reset").unwrap());
    error
}

#[tokio::test]
async fn twenty_requests_to_free_models_in_a_minute() {
    let clock = clock();
    let server = server(&clock).await;
    let other = server.key(NewKey::default()).await;
    for request in 0..20 {
        // Another key does not help, and a failure counts.
        let caller =
            if request % 2 == 0 { server.caller() } else { server.caller().with_key(&other.key) };
        let model = if request % 3 == 0 { "acme/bad:free" } else { "acme/one:free" };
        let reply = caller.chat(&ask(model, request % 4 == 0)).await;
        assert_ne!(reply.status, 429, "request {request}");
        assert!(reply.header("x-ratelimit-limit").is_none());
    }
    let called = server.counted().arrived;
    for stream in [true, false] {
        let reply = server.caller().chat(&ask("acme/one:free", stream)).await;
        told(&reply, "free-models-per-min", 20);
        assert_eq!(reply.header("retry-after"), Some("60"));
        let reset = reply.header("x-ratelimit-reset").unwrap();
        assert_eq!(reset, ((NOON + 60) * 1_000).to_string());
    }
    assert_eq!(server.counted().arrived, called, "no provider was asked");
    // What costs is not limited, and stands in for what is free.
    Answered::read(&server.caller().chat(&ask("acme/paid", true)).await);
    let body = with(ask("acme/one:free", true), "models", json!(["acme/paid"]));
    let answer = Answered::read(&server.caller().chat(&body).await);
    assert_eq!(answer.model, "acme/paid");
    clock.advance(std::time::Duration::from_secs(60));
    Answered::read(&server.caller().chat(&ask("acme/one:free", true)).await);
    server.closes_clean().await;
}

/// Asks until a day is over, twenty times a minute; answers how many were served.
async fn day(server: &TestServer, clock: &Clock) -> (u32, Reply) {
    let mut served = 0;
    loop {
        if served % 20 == 0 {
            clock.advance(std::time::Duration::from_secs(60));
        }
        let reply = server.caller().chat(&ask("acme/one:free", served % 2 == 0)).await;
        if reply.status == 429 {
            return (served, reply);
        }
        assert_eq!(Answered::read(&reply).cost(), Usd::ZERO);
        served += 1;
    }
}

#[tokio::test]
async fn fifty_requests_to_free_models_in_a_day() {
    let clock = clock();
    let server = server(&clock).await;
    let (served, reply) = day(&server, &clock).await;
    assert_eq!(served, 50);
    let error = told(&reply, "free-models-per-day. Add 10 credits to unlock", 50);
    let midnight = (NOON + 43_200) * 1_000;
    assert_eq!(reply.header("x-ratelimit-reset"), Some(midnight.to_string().as_str()), "{error}");
    assert_eq!(reply.header("x-should-retry"), Some("false"), "it takes hours");
    // The day is the account's in every process, and in the next one, too.
    server.closes_clean().await;
    clock.advance(std::time::Duration::from_secs(43_200));
    Answered::read(&server.caller().chat(&ask("acme/one:free", true)).await);
    server.closes_clean().await;
}

#[tokio::test]
async fn requests_to_free_models_at_once_are_never_more_than_the_day_has() {
    let clock = clock();
    let server = server(&clock).await;
    for _ in 0..2 {
        clock.advance(std::time::Duration::from_secs(60));
        for _ in 0..20 {
            Answered::read(&server.caller().chat(&ask("acme/one:free", false)).await);
        }
    }
    clock.advance(std::time::Duration::from_secs(60));
    let asking: Vec<_> = (0..20)
        .map(|_| {
            let caller = server.caller();
            signalbox_runtime::task::spawn("asking", async move {
                caller.chat(&ask("acme/one:free", true)).await.status
            })
        })
        .collect();
    let mut served = 0;
    for one in asking {
        match one.await.unwrap().unwrap() {
            200 => served += 1,
            status => assert_eq!(status, 429),
        }
    }
    assert_eq!(served, 10);
    server.closes_clean().await;
}
