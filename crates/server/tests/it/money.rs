//! Who may spend how much, and what is charged when a provider's numbers can't be had or believed.

use std::time::Duration;

use serde_json::{Value, json};
use signalbox_core::time::ResetInterval;
use signalbox_core::{Timestamp, Usd};
use signalbox_platform::NewKey;
use signalbox_platform::keys::hash_of;
use signalbox_runtime::Clock;
use signalbox_testkit::{Offer, Stand, TestServer, eventually};

use crate::speech::{Answered, ask, tokens, typed_error, usd, with};

/// Changes show within this time.
const SOON: Duration = Duration::from_secs(1);

fn dollars(text: &str) -> Usd {
    text.parse().unwrap()
}

fn one(behaviour: &str) -> Offer {
    Offer::new().model("acme/one", [Stand::new("well", behaviour)])
}

/// A request without a limit on its output.
fn unlimited(stream: bool) -> Value {
    let mut body = ask("acme/one", stream);
    body.as_object_mut().unwrap().remove("max_tokens");
    body
}

#[tokio::test]
async fn an_answer_costs_its_tokens_at_the_listed_prices() {
    let prices = json!({"prompt": "0.000003", "completion": "0.000011", "input_cache_read": "0.0000005",
        "request": "0.002"});
    let stand = Stand::new("well", "tokens-7+cached").with("pricing", prices);
    let server = TestServer::start(Offer::new().model("acme/one", [stand])).await;
    let mut sum = Usd::ZERO;
    for stream in [true, false] {
        let answer = Answered::read(&server.caller().chat(&ask("acme/one", stream)).await);
        // 22 bytes of text are 6 tokens, 3 of them cached.
        assert_eq!(answer.usage["prompt_tokens"], 6);
        assert_eq!(answer.usage["prompt_tokens_details"]["cached_tokens"], 3);
        assert_eq!(answer.usage["completion_tokens"], 7);
        assert_eq!(answer.usage["is_byok"], false);
        assert_eq!(answer.cost(), dollars("0.0020875"));
        assert_eq!(server.generation(&answer.id).await.cost, answer.cost());
        sum = sum.checked_add(answer.cost()).unwrap();
        assert_eq!(server.balance().await.charged, sum, "charged before the client saw the end");
    }
    server.closes_clean().await;
}

#[tokio::test]
async fn an_empty_account_is_told_where_to_add_credit() {
    let server = TestServer::start_with(one("echo"), "0").await;
    for body in [ask("acme/one", true), ask("acme/one", false), unlimited(false)] {
        let error = typed_error(&server.caller().chat(&body).await, 402, "payment_required");
        let place = format!("http://{}/settings/credits", server.address());
        let message = error["message"].as_str().unwrap();
        let start = "Insufficient credits. This account never purchased credits. ";
        assert!(message.starts_with(start) && message.ends_with(&place), "{message}");
        assert_eq!(error["metadata"]["limit_source"], "openrouter_credits");
        assert!(error["metadata"]["remedy_hint"].is_string(), "{error}");
    }
    assert!(server.journal().entries().is_empty(), "no provider was called");
    let rows = server.platform.store().facts().await.unwrap();
    assert!(rows.generations.is_empty() && rows.reservations.is_empty());
    server.closes_clean().await;
}

#[tokio::test]
async fn credit_that_is_granted_can_be_spent_within_a_second() {
    let server = TestServer::start_with(one("tokens-5"), "0").await;
    let caller = server.caller();
    typed_error(&caller.chat(&ask("acme/one", false)).await, 402, "payment_required");
    server.grant(&server.owner.account_id, "1").await;
    eventually(SOON, "the grant", async || {
        (caller.chat(&ask("acme/one", false)).await.status == 200).then_some(())
    })
    .await;
    server.closes_clean().await;
}

#[tokio::test]
async fn a_small_balance_limits_the_output_of_a_request_that_sets_no_limit() {
    for stream in [true, false] {
        let server = TestServer::start_with(one("tokens-2000"), "0.002").await;
        let answer = Answered::read(&server.caller().chat(&unlimited(stream)).await);
        assert_eq!(answer.finish, "length");
        let sent = server.journal().entries()[0].body.clone().unwrap();
        let limit = sent["max_tokens"].as_u64().or(sent["max_completion_tokens"].as_u64()).unwrap();
        assert!((16..1_000).contains(&limit), "the provider is told: {sent}");
        assert_eq!(answer.usage["completion_tokens"], limit);
        assert!(answer.cost() <= dollars("0.002"));
        // A request that asks for more than there is gets the figures.
        let body = with(ask("acme/one", stream), "max_tokens", json!(1500));
        let error = typed_error(&server.caller().chat(&body).await, 402, "payment_required");
        let message = error["message"].as_str().unwrap();
        let place = format!("{}/settings/credits and upgrade to a paid account", server.address());
        let figures =
            message.contains("can only afford") || message.contains("Prompt tokens limit");
        assert!(figures && message.ends_with(&place), "{error}");
        // Even the prompt alone is too long for what is left.
        let long = json!([{"role": "user", "content": "word ".repeat(4_000)}]);
        let body = with(ask("acme/one", stream), "messages", long);
        let error = typed_error(&server.caller().chat(&body).await, 402, "payment_required");
        let message = error["message"].as_str().unwrap();
        let figures = message.strip_prefix("Prompt tokens limit exceeded: ").unwrap();
        let (tokens, rest) = figures.split_once(" > ").unwrap();
        let (affordable, _) = rest.split_once(". To increase, visit ").unwrap();
        let figure = |text: &str| text.parse::<u64>().unwrap();
        assert!(figure(tokens) > figure(affordable) && figure(affordable) > 0, "{message}");
        assert_eq!(error["metadata"]["limit_source"], "openrouter_credits");
        server.closes_clean().await;
        assert!(server.balance().await.posted() >= Usd::ZERO);
    }
}

#[tokio::test]
async fn a_limit_that_the_balance_does_not_cover_is_refused_with_the_figures() {
    let server = TestServer::start_with(one("tokens-5"), "0.002").await;
    let body = with(ask("acme/one", true), "max_tokens", json!(1500));
    let error = typed_error(&server.caller().chat(&body).await, 402, "payment_required");
    let message = error["message"].as_str().unwrap();
    let start = "This request requires more credits, or fewer max_tokens. You requested up to 1500 \
                 tokens, but can only afford ";
    let rest = message.strip_prefix(start).unwrap_or_else(|| panic!("{message}"));
    let afford: u64 = rest.split('.').next().unwrap().parse().unwrap();
    // What is said to be affordable is.
    let body = with(ask("acme/one", true), "max_tokens", json!(afford));
    Answered::read(&server.caller().chat(&body).await);
    server.closes_clean().await;
}

#[tokio::test]
async fn a_free_model_needs_no_credit() {
    let free = json!({"prompt": "0", "completion": "0"});
    let stand = Stand::new("well", "tokens-5").with("pricing", free);
    let server = TestServer::start_with(Offer::new().model("acme/one", [stand]), "0").await;
    let answer = Answered::read(&server.caller().chat(&unlimited(true)).await);
    assert_eq!((answer.cost(), answer.text), (Usd::ZERO, tokens(5)));
    server.closes_clean().await;
}

#[tokio::test]
async fn a_key_has_a_limit_of_its_own() {
    let server = TestServer::start(one("tokens-5")).await;
    let key = |limit: &str, limit_reset| NewKey {
        limit: Some(dollars(limit)),
        limit_reset,
        ..NewKey::default()
    };
    let place = format!("http://{}/settings/keys", server.address());
    for (reset, window) in [(None, "total"), (Some(ResetInterval::Daily), "daily")] {
        let used_up = server.key(key("0", reset)).await;
        let reply = server.caller().with_key(&used_up.key).chat(&ask("acme/one", true)).await;
        let error = typed_error(&reply, 403, "permission_denied");
        let text = format!("Key limit exceeded ({window} limit). Manage it using {place}");
        assert_eq!(error["message"], text);
    }
    // What is left does not cover this request: another one might fit.
    let small = server.key(key("0.0005", None)).await;
    let reply = server.caller().with_key(&small.key).chat(&ask("acme/one", true)).await;
    let error = typed_error(&reply, 402, "payment_required");
    assert_eq!(error["metadata"]["limit_source"], "key_limit");
    let message = error["message"].as_str().unwrap();
    let remedy = format!("To increase, visit {place} and create a key with a higher total limit");
    assert!(message.ends_with(&remedy), "{message}");
    assert!(message.starts_with("Prompt tokens limit") || message.contains("can only afford"));
    // A limit is used up by spending, and `GET /key` says how much is left.
    let enough = server.key(key("0.002", None)).await;
    let caller = server.caller().with_key(&enough.key);
    let answer = Answered::read(&caller.chat(&ask("acme/one", false)).await);
    let shown = caller.get("/api/v1/key").await.json();
    assert_eq!(usd(&shown["data"]["usage"]), answer.cost());
    let left = dollars("0.002").checked_sub(answer.cost()).unwrap();
    assert_eq!(usd(&shown["data"]["limit_remaining"]), left);
    server.closes_clean().await;
}

#[tokio::test]
async fn a_key_that_is_switched_off_is_refused_within_a_second() {
    let server = TestServer::start(one("tokens-5")).await;
    let issued = server.key(NewKey::default()).await;
    let caller = server.caller().with_key(&issued.key);
    Answered::read(&caller.chat(&ask("acme/one", true)).await);
    let store = server.platform.store();
    for (disabled, status) in [(true, 401), (false, 200)] {
        let mut record = store.key(&hash_of(&issued.key)).await.unwrap().unwrap();
        record.disabled = disabled;
        assert!(store.update_key(record).await.unwrap());
        eventually(SOON, "the switch", async || {
            (caller.chat(&ask("acme/one", true)).await.status == status).then_some(())
        })
        .await;
    }
    assert!(store.delete_key(hash_of(&issued.key)).await.unwrap());
    eventually(SOON, "the deletion", async || {
        let reply = caller.chat(&ask("acme/one", true)).await;
        (reply.status == 401).then(|| typed_error(&reply, 401, "authentication"))
    })
    .await;
    let past = Some(Timestamp::from_seconds(1_700_000_000));
    let expired = server.key(NewKey { expires_at: past, ..NewKey::default() }).await;
    let reply = server.caller().with_key(&expired.key).chat(&ask("acme/one", true)).await;
    typed_error(&reply, 401, "authentication");
    server.closes_clean().await;
}

#[tokio::test]
async fn requests_above_a_keys_rate_get_429_with_the_figures() {
    let server = TestServer::start(one("tokens-5")).await;
    let never = server.key(NewKey { rpm: Some(0), ..NewKey::default() }).await;
    let reply = server.caller().with_key(&never.key).chat(&ask("acme/one", true)).await;
    typed_error(&reply, 429, "rate_limit_exceeded");
    assert_eq!(reply.header("x-ratelimit-limit"), Some("0"));
    assert_eq!(reply.header("x-ratelimit-remaining"), Some("0"));
    let reset: i64 = reply.header("x-ratelimit-reset").unwrap().parse().unwrap();
    assert_eq!(reset % 60_000, 0, "milliseconds, at the end of a minute");
    let wait: u64 = reply.header("retry-after").unwrap().parse().unwrap();
    assert!((1..=60).contains(&wait));
    // Three requests lie in at most two minutes: with one allowed, one of them is too much.
    let one = server.key(NewKey { rpm: Some(1), ..NewKey::default() }).await;
    let caller = server.caller().with_key(&one.key);
    let mut statuses = Vec::new();
    for _ in 0..3 {
        let reply = caller.chat(&ask("acme/one", false)).await;
        let limited = reply.header("x-ratelimit-limit").is_some();
        assert_eq!(limited, reply.status == 429, "only with a refusal");
        statuses.push(reply.status);
    }
    assert_eq!(statuses[0], 200);
    assert!(statuses.contains(&429), "{statuses:?}");
    server.closes_clean().await;
}

#[tokio::test]
async fn a_change_of_a_key_begins_no_new_minute() {
    let clock = Clock::manual(Timestamp::from_seconds(1_800_000_000));
    let server = TestServer::start_at(one("tokens-5"), "10", clock).await;
    let issued = server.key(NewKey { rpm: Some(1), ..NewKey::default() }).await;
    let caller = server.caller().with_key(&issued.key);
    assert_eq!(caller.chat(&ask("acme/one", false)).await.status, 200);
    let store = server.platform.store();
    for (disabled, status) in [(true, 401), (false, 429)] {
        let mut record = store.key(&hash_of(&issued.key)).await.unwrap().unwrap();
        record.disabled = disabled;
        assert!(store.update_key(record).await.unwrap());
        let last = if disabled { 429 } else { 401 };
        eventually(SOON, "the change", async || {
            let seen = caller.chat(&ask("acme/one", false)).await.status;
            assert!([status, last].contains(&seen), "{seen}");
            (seen == status).then_some(())
        })
        .await;
    }
    server.closes_clean().await;
}

#[tokio::test]
async fn an_answer_without_tokens_and_without_a_reason_is_free() {
    let offer = Offer::new()
        .model("acme/blank", [Stand::new("well", "blank")])
        .model("acme/empty", [Stand::new("well", "empty")]);
    let server = TestServer::start(offer).await;
    for stream in [true, false] {
        let reply = server.caller().chat(&ask("acme/blank", stream)).await;
        typed_error(&reply, 503, "provider_overloaded");
        assert_eq!(server.balance().await.charged, Usd::ZERO);
    }
    // Zero tokens with a reason are an answer: the prompt is paid for.
    let answer = Answered::read(&server.caller().chat(&ask("acme/empty", true)).await);
    assert_eq!((answer.text.as_str(), answer.cost()), ("", dollars("0.000006")));
    server.closes_clean().await;
}

#[tokio::test]
async fn usage_that_is_missing_or_can_not_be_true_is_estimated_and_stays_within_the_hold() {
    // Whether the provider's counts are believed. They are 6 tokens of prompt and 15 of answer; the
    // answer's 50 bytes are taken for 13 tokens.
    let cases: &[(&str, Option<bool>)] = &[
        ("no-usage", Some(false)),
        ("usage-negative", Some(false)),
        ("usage-huge", Some(false)),
        ("usage-string", Some(true)),
        ("usage-twice", Some(true)),
        // Three hundred tokens where at most 200 were asked for: believed up to there.
        ("over-max+tokens-300", None),
    ];
    let mut offer = Offer::new();
    for (name, _) in cases {
        let stand = Stand::new("well", &format!("tokens-15+{name}"));
        offer = offer.model(&format!("acme/{}", name.replace('+', "-")), [stand]);
    }
    let server = TestServer::start(offer).await;
    let mut sum = Usd::ZERO;
    for (name, believed) in cases {
        for stream in [true, false] {
            let model = format!("acme/{}", name.replace('+', "-"));
            let answer = Answered::read(&server.caller().chat(&ask(&model, stream)).await);
            let row = server.generation(&answer.id).await;
            let usage = &row.usage;
            assert_eq!(row.cost, answer.cost(), "{name}");
            assert!(row.cost > Usd::ZERO && row.cost <= dollars("0.002"), "{name}: {}", row.cost);
            match believed {
                Some(true) => {
                    assert_eq!((usage.prompt(), usage.output, usage.estimated), (6, 15, false));
                    assert_eq!(row.cost, dollars("0.000036"), "{name}, streamed {stream}");
                }
                Some(false) => {
                    assert_eq!((usage.output, usage.estimated), (13, true), "{name}: {usage:?}");
                    assert!((6..=60).contains(&usage.prompt()), "{name}: {usage:?}");
                }
                None => assert!((150..=200).contains(&usage.output), "{name}: {usage:?}"),
            }
            sum = sum.checked_add(row.cost).unwrap();
        }
    }
    server.closes_clean().await;
    assert_eq!(server.balance().await.charged, sum);
}

#[tokio::test]
async fn the_model_that_answers_is_the_model_that_is_paid() {
    let dear = json!({"prompt": "0.01", "completion": "0.02"});
    let offer = Offer::new()
        .model("acme/dear", [Stand::new("sick", "status-503").with("pricing", dear)])
        .model("acme/cheap", [Stand::new("well", "tokens-5")]);
    let server = TestServer::start(offer).await;
    let body = with(ask("acme/dear", true), "models", json!(["acme/cheap"]));
    let answer = Answered::read(&server.caller().chat(&body).await);
    assert_eq!((answer.model.as_str(), answer.cost()), ("acme/cheap", dollars("0.000016")));
    server.closes_clean().await;
}
