//! Who asked for patience is left alone for as long as it asked (reliability design, test 22), and a
//! credential that was refused for a while.

use std::time::Duration;

use serde_json::json;
use signalbox_runtime::{Clock, task};
use signalbox_testkit::{Offer, Stand, TestServer};

use crate::raw::{Beat, Raw, refusal};
use crate::speech::{Answered, ask, tokens, typed_error, with};

/// The time of day in so many seconds, as HTTP writes it and as seconds since 1970.
fn moment(seconds: i64) -> (String, i64) {
    let at = Clock::system().now().plus_millis(seconds * 1_000);
    let text = at.to_rfc3339();
    let (year, month, day, time) = (&text[..4], &text[5..7], &text[8..10], &text[11..19]);
    let months = "Jan Feb Mar Apr May Jun Jul Aug Sep Oct Nov Dec";
    let month = months.split(' ').nth(month.parse::<usize>().unwrap() - 1).unwrap();
    let days = ["Thu", "Fri", "Sat", "Sun", "Mon", "Tue", "Wed"];
    let weekday = days[usize::try_from(at.seconds() / 86_400 % 7).unwrap()];
    (format!("{weekday}, {day} {month} {year} {time} GMT"), at.seconds())
}

#[tokio::test]
async fn retry_after_cooldown_in_every_spelling() {
    let (date, _) = moment(40);
    let (_, epoch) = moment(40);
    for (headers, least, most) in [
        ("retry-after: 40\r\n".to_owned(), 39, 40),
        (format!("retry-after: {date}\r\n"), 37, 40),
        ("retry-after-ms: 39500\r\n".to_owned(), 38, 40),
        (format!("x-ratelimit-reset: {epoch}\r\n"), 37, 40),
        (format!("x-ratelimit-reset: {}\r\n", epoch * 1000), 37, 40),
        ("x-ratelimit-reset: 40\r\n".to_owned(), 39, 40),
        ("x-ratelimit-reset-tokens: 40s\r\n".to_owned(), 39, 40),
        ("retry-after: 1000000000\r\n".to_owned(), 299, 300),
        ("retry-after: 1e9\r\n".to_owned(), 4, 5),
        ("retry-after: -5\r\n".to_owned(), 4, 5),
        ("retry-after: soon\r\n".to_owned(), 4, 5),
        (String::new(), 4, 5),
    ] {
        let mut raw = Raw::playing(vec![Beat::Send(refusal(429, &headers))]).await;
        let offer = Offer::new()
            .provider_at("busy", &raw.address())
            .model("acme/m", [Stand::new("busy", "m")])
            .model("acme/other", [Stand::new("busy", "m")]);
        let server = TestServer::start(offer).await;
        typed_error(&server.caller().chat(&ask("acme/m", true)).await, 429, "rate_limit_exceeded");
        assert_eq!(raw.asked(), 1);
        let reply = server.caller().chat(&ask("acme/m", false)).await;
        let error = typed_error(&reply, 429, "rate_limit_exceeded");
        let wait: u64 = reply.header("retry-after").unwrap().parse().unwrap();
        assert!((least..=most).contains(&wait), "{headers:?}: {wait}");
        assert_eq!(error["availability"]["retry_after"], wait);
        let pointless = (wait > 60).then_some("false");
        assert_eq!(reply.header("x-should-retry"), pointless, "{headers:?}");
        assert_eq!(raw.asked(), 0, "{headers:?}: who cools is not called");
        // Another model of the same provider is another matter.
        server.caller().chat(&ask("acme/other", false)).await;
        assert_eq!(raw.asked(), 1, "{headers:?}");
        server.closes_clean().await;
    }
}

#[tokio::test]
async fn retry_after_cooldown_is_never_shortened() {
    let slow = |headers: &str| {
        vec![Beat::Wait(Duration::from_millis(600)), Beat::Send(refusal(429, headers))]
    };
    let first = vec![Beat::Send(refusal(429, "retry-after: 40\r\n"))];
    let mut raw = Raw::scripted(vec![slow(""), first, slow("retry-after: 2\r\n")]).await;
    let stands = [Stand::new("busy", "m"), Stand::new("well", "tokens-5")];
    let offer = Offer::new().provider_at("busy", &raw.address()).model("acme/m", stands);
    let server = TestServer::start(offer).await;
    let body = with(ask("acme/m", false), "provider", json!({"order": ["busy"]}));
    let asking = |after: u64| {
        let (caller, body) = (server.caller(), body.clone());
        task::spawn("client", async move {
            tokio::time::sleep(Duration::from_millis(after)).await;
            assert_eq!(Answered::read(&caller.chat(&body).await).text, tokens(5));
        })
    };
    // The first two are under way when the third asks for longer; their own, shorter wishes come
    // later.
    for client in [asking(0), asking(150)] {
        client.await.unwrap().unwrap();
    }
    assert_eq!(raw.asked(), 2);
    let only = with(ask("acme/m", false), "provider", json!({"only": ["busy"]}));
    let reply = server.caller().chat(&only).await;
    typed_error(&reply, 429, "rate_limit_exceeded");
    let wait: u64 = reply.header("retry-after").unwrap().parse().unwrap();
    assert!((35..=40).contains(&wait), "{wait}");
    assert_eq!(raw.asked(), 0);
    server.closes_clean().await;
}

#[tokio::test]
async fn a_429_is_no_fault_and_ejects_nobody() {
    let stands = [Stand::new("busy", "switch-busy"), Stand::new("well", "tokens-5")];
    let server = TestServer::start(Offer::new().model("acme/m", stands)).await;
    let body = with(ask("acme/m", false), "provider", json!({"order": ["busy"]}));
    for _ in 0..3 {
        server.switch("busy", "status-429-retry-1");
        assert_eq!(Answered::read(&server.caller().chat(&body).await).text, tokens(5));
        tokio::time::sleep(Duration::from_millis(1_100)).await;
        server.switch("busy", "tokens-3");
        let answer = Answered::read(&server.caller().chat(&body).await);
        assert_eq!(answer.provider, "Provider busy", "back as soon as it said");
    }
    server.closes_clean().await;
}

#[tokio::test]
async fn a_refused_credential_rests_for_every_model_of_its_provider() {
    for (status, all) in [(401, true), (402, true), (403, false)] {
        let refuses = format!("status-{status}");
        let model = |other: &str| [Stand::new("sick", &refuses), Stand::new("well", other)];
        let offer =
            Offer::new().model("acme/one", model("tokens-5")).model("acme/two", model("tokens-4"));
        let server = TestServer::start(offer).await;
        let body = |model| with(ask(model, false), "provider", json!({"order": ["sick"]}));
        for _ in 0..3 {
            let answer = Answered::read(&server.caller().chat(&body("acme/one")).await);
            assert_eq!(answer.text, tokens(5), "{status}");
        }
        assert_eq!(server.count(&refuses).arrived, 1, "{status}: asked once");
        let answer = Answered::read(&server.caller().chat(&body("acme/two")).await);
        assert_eq!(answer.text, tokens(4), "{status}");
        let asked = server.count(&refuses).arrived;
        assert_eq!(asked, if all { 1 } else { 2 }, "{status}: a credential, or one model of it");
        let only = with(ask("acme/one", false), "provider", json!({"only": ["sick"]}));
        let reply = server.caller().chat(&only).await;
        let error = typed_error(&reply, 503, "provider_overloaded");
        assert_eq!(error["availability"]["code"], "temporarily_unavailable");
        assert!(reply.header("retry-after").is_some());
        server.closes_clean().await;
    }
}
