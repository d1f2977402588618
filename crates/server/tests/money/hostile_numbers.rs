//! Numbers of providers and clients that can't be true: no balance ever grows by them, and nobody pays
//! more than was held.

use serde_json::{Value, json};
use signalbox_core::Usd;
use signalbox_testkit::{Offer, Stand, TestServer};

use crate::speech::{Answered, ask, tokens, typed_error, with};
use crate::tongue::{Tongue, costs};

/// What the provider says it counted, and whether it is believed; `None` is a matter of the dialect.
const COUNTS: [(&str, Option<bool>); 7] = [
    ("usage-negative", Some(false)),
    ("usage-huge", Some(false)),
    ("usage-vast", Some(false)),
    ("usage-null", Some(false)),
    ("no-usage", Some(false)),
    ("usage-string", None),
    ("usage-twice", Some(true)),
];

/// The most that a request for 200 tokens may cost: 200 of them, and a prompt's bound.
fn held() -> Usd {
    "0.0007".parse().unwrap()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn hostile_numbers_of_providers() {
    let mut offer = Tongue::providers(Offer::new());
    for tongue in Tongue::ALL {
        for (counts, _) in COUNTS {
            let stand = Stand::new(tongue.provider(), &format!("tokens-15+{counts}"));
            offer = offer.model(&format!("{}/{counts}", tongue.provider()), [stand]);
        }
    }
    let server = TestServer::start(offer).await;
    let mut before = server.balance().await;
    for tongue in Tongue::ALL {
        for (counts, believed) in COUNTS {
            for stream in [true, false] {
                let body = tongue.ask(&format!("{}/{counts}", tongue.provider()), stream);
                let reply = server.caller().post(tongue.path(), &body).await;
                let place = format!("{tongue:?} {counts} {stream}");
                let said = String::from_utf8_lossy(&reply.body);
                assert_eq!(reply.status, 200, "{place}: {said}");
                let [cost] = costs(&reply)[..] else { panic!("{place}: told once: {said}") };
                assert!(cost > Usd::ZERO && cost <= held(), "{place}: {cost}");
                let row = server.generation(reply.header("x-generation-id").unwrap()).await;
                assert_eq!(row.cost, cost, "{place}");
                let estimated = row.usage.estimated;
                assert_ne!(believed, Some(estimated), "{place}: {:?}", row.usage);
                // The answer's 50 bytes are 13 tokens or so, and 15 in truth.
                let fair = if estimated { 12..=15 } else { 15..=15 };
                assert!(fair.contains(&row.usage.output), "{place}: {:?}", row.usage);
                let after = server.balance().await;
                assert!(after.posted() < before.posted(), "{place}: no balance grows");
                assert_eq!(after.credited, before.credited, "{place}");
                before = after;
            }
        }
    }
    server.closes_clean().await;
}

#[tokio::test]
async fn an_answer_that_ignores_its_limit_costs_no_more_than_was_held() {
    let stand = Stand::new("one", "tokens-900+over-max");
    let server = TestServer::start(Offer::new().model("acme/one", [stand])).await;
    for stream in [true, false] {
        let answer = Answered::read(&server.caller().chat(&ask("acme/one", stream)).await);
        let row = server.generation(&answer.id).await;
        assert_eq!(row.usage.output, 200, "{:?}", row.usage);
        assert!(row.cost <= held());
    }
    server.closes_clean().await;
}

#[tokio::test]
async fn hostile_numbers_of_clients() {
    let stand = Stand::new("one", "tokens-5");
    let server = TestServer::start(Offer::new().model("acme/one", [stand])).await;
    let caller = server.caller();
    // One of these made another gateway pay its users (CVE-2026-71479).
    let wraps = json!(18_446_744_073_686_646_784_u64);
    let absurd = [
        wraps,
        json!(-1),
        json!(-9_223_372_036_854_775_808_i64),
        json!(1e308),
        json!(0.5),
        json!("12"),
        json!([1]),
        json!({"a": 1}),
    ];
    for member in ["n", "max_tokens", "max_completion_tokens"] {
        for number in &absurd {
            for stream in [true, false] {
                let body = with(ask("acme/one", stream), member, number.clone());
                let reply = caller.chat(&body).await;
                typed_error(&reply, 400, "invalid_request");
            }
        }
    }
    assert!(server.journal().entries().is_empty(), "no provider was asked");
    assert_eq!(server.balance().await.charged, Usd::ZERO);
    server.closes_clean().await;
    let body = with(ask("acme/one", false), "n", json!(3));
    let answer = Answered::read(&caller.chat(&body).await);
    assert_eq!(answer.usage["completion_tokens"], 15, "three answers are paid");
    server.closes_clean().await;
}

#[tokio::test]
async fn missing_or_zero_usage() {
    let mut offer = Tongue::providers(Offer::new());
    for tongue in Tongue::ALL {
        for behaviour in ["tokens-15+usage-zero", "tokens-15+no-usage", "html"] {
            let stand = Stand::new(tongue.provider(), behaviour);
            offer = offer.model(&format!("{}/{behaviour}", tongue.provider()), [stand]);
        }
    }
    let server = TestServer::start(offer).await;
    for tongue in Tongue::ALL {
        for stream in [true, false] {
            let ask =
                |behaviour: &str| tongue.ask(&format!("{}/{behaviour}", tongue.provider()), stream);
            let place = format!("{tongue:?} {stream}");
            // Said to be nothing: it is nothing, and the client is told so once.
            let body = ask("tokens-15+usage-zero");
            let reply = server.caller().post(tongue.path(), &body).await;
            assert_eq!(costs(&reply), [Usd::ZERO], "{place}");
            let row = server.generation(reply.header("x-generation-id").unwrap()).await;
            assert!(!row.usage.estimated && row.usage.total() == 0, "{place}: {:?}", row.usage);
            // Nothing said: it is estimated.
            let body = ask("tokens-15+no-usage");
            let reply = server.caller().post(tongue.path(), &body).await;
            assert_eq!(costs(&reply).len(), 1, "{place}");
            assert!(costs(&reply)[0] > Usd::ZERO, "{place}");
            let row = server.generation(reply.header("x-generation-id").unwrap()).await;
            assert!(row.usage.estimated, "{place}: {:?}", row.usage);
            // The text of an error is no answer.
            let before = server.balance().await.charged;
            let reply = server.caller().post(tongue.path(), &ask("html")).await;
            assert!(reply.status >= 500, "{place}: {}", reply.status);
            assert_eq!(server.balance().await.charged, before, "{place}");
        }
    }
    server.closes_clean().await;
}

#[tokio::test]
async fn usage_is_asked_for_upstream_and_given_to_the_client_once() {
    let stand = Stand::new("one", "tokens-5");
    let server = TestServer::start(Offer::new().model("acme/one", [stand])).await;
    for wish in [Value::Null, json!({"include_usage": false}), json!({"include_usage": true})] {
        let mut body = ask("acme/one", true);
        if !wish.is_null() {
            body["stream_options"] = wish;
        }
        let answer = Answered::read(&server.caller().chat(&body).await);
        assert_eq!(answer.text, tokens(5));
        let sent = server.journal().entries().pop().unwrap();
        assert_eq!(sent.body.unwrap()["stream_options"]["include_usage"], true);
        assert_eq!(sent.usage.unwrap()["completion_tokens"], answer.usage["completion_tokens"]);
    }
    server.closes_clean().await;
}
