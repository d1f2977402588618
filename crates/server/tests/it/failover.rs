//! Before the first token every failure stays between us and the provider.

use serde_json::json;
use signalbox_core::Usd;
use signalbox_testkit::{Offer, Stand, TestServer};
use tokio::io::AsyncWriteExt;
use tokio::net::TcpListener;

use crate::speech::{Answered, ask, tokens, typed_error, with};

/// What goes wrong before there is any content, streamed or not.
const FAULTS: &[&str] = &[
    "status-401",
    "status-402",
    "status-403",
    "status-404",
    "status-408",
    "status-409",
    "status-425",
    "status-429",
    "status-429-retry-7",
    "status-500",
    "status-501",
    "status-502",
    "status-503",
    "status-503-retry-3",
    "status-504",
    "status-520",
    "status-524",
    "status-529",
    "status-599",
    "flaky-100",
    "tokens-9+cut-at-0",
    "tokens-9+cut-at-1",
    "tokens-9+cut-at-90",
    "tokens-9+cut-after-0",
    "tokens-9+comments+cut-after-0",
    "tokens-0+truncated-json",
    "garbage",
    "html",
    "wrong-type",
    "tokens-9+error-inband-0",
    "role-only-then-503",
    "comments+role-only-then-503",
    "blank",
    "no-done+blank",
    "line-17mb",
];

/// What goes wrong with the request itself: another endpoint would say the same, another model not.
const REFUSALS: &[&str] = &[
    "status-400",
    "status-400-context",
    "status-400-policy",
    "status-405",
    "status-410",
    "status-413",
    "status-415",
    "status-422",
];

fn name(fault: usize, stream: bool) -> String {
    format!("acme/f{fault}-{}", if stream { "stream" } else { "whole" })
}

fn sick(fault: usize, stream: bool) -> String {
    format!("sick{fault}-{stream}")
}

#[tokio::test]
async fn whatever_a_provider_does_before_the_first_token_the_client_sees_an_answer() {
    let mut offer = Offer::new();
    for (index, fault) in FAULTS.iter().enumerate() {
        for stream in [false, true] {
            // A refused credential is refused for all models of a provider.
            let stands = [Stand::new(&sick(index, stream), fault), Stand::new("well", "tokens-5")];
            offer = offer.model(&name(index, stream), stands);
        }
    }
    let server = TestServer::start(offer).await;
    let mut charged = Usd::ZERO;
    for (index, fault) in FAULTS.iter().enumerate() {
        for stream in [false, true] {
            let before = server.journal().of_model(fault).len();
            let body = ask(&name(index, stream), stream);
            let body = with(body, "provider", json!({"order": [sick(index, stream), "well"]}));
            let reply = server.caller().chat(&body).await;
            let answer = Answered::read(&reply);
            assert_eq!(answer.text, tokens(5), "{fault}, streamed {stream}");
            assert_eq!(answer.provider, "Provider well", "{fault}");
            assert_eq!(answer.finish, "stop", "{fault}");
            let tried = server.journal().of_model(fault).len() - before;
            assert_eq!(tried, 1, "{fault} was tried once");
            let row = server.generation(&answer.id).await;
            assert_eq!(row.cost, answer.cost(), "{fault}");
            let attempts = row.provider_responses.matches("\"status\"").count();
            assert_eq!(attempts, 2, "{fault}: {}", row.provider_responses);
            charged = charged.checked_add(row.cost).unwrap();
        }
    }
    server.closes_clean().await;
    assert_eq!(server.balance().await.charged, charged, "only answers are paid for");
    assert!(charged > Usd::ZERO);
}

#[tokio::test]
async fn a_provider_that_is_not_there_costs_the_client_nothing() {
    let nobody = TcpListener::bind(("127.0.0.1", 0)).await.unwrap();
    let refused = nobody.local_addr().unwrap().to_string();
    drop(nobody);
    let slammer = TcpListener::bind(("127.0.0.1", 0)).await.unwrap();
    let slams = slammer.local_addr().unwrap().to_string();
    let babbler = TcpListener::bind(("127.0.0.1", 0)).await.unwrap();
    let babbles = babbler.local_addr().unwrap().to_string();
    let slam = async {
        loop {
            drop(slammer.accept().await);
        }
    };
    let babble = async {
        loop {
            let (mut socket, _) = babbler.accept().await.unwrap();
            drop(socket.write_all(b"SSH-2.0-OpenSSH_9.2p1\r\n").await);
        }
    };
    let test = async {
        let mut offer = Offer::new()
            .provider_at("refused", &refused)
            .provider_at("slams", &slams)
            .provider_at("babbles", &babbles);
        for provider in ["refused", "slams", "babbles"] {
            for way in ["stream", "whole"] {
                let stands = [Stand::new(provider, "echo"), Stand::new("well", "tokens-5")];
                offer = offer.model(&format!("acme/{provider}-{way}"), stands);
            }
        }
        let server = TestServer::start(offer).await;
        for provider in ["refused", "slams", "babbles"] {
            for (way, stream) in [("stream", true), ("whole", false)] {
                let body = ask(&format!("acme/{provider}-{way}"), stream);
                let body = with(body, "provider", json!({"order": [provider]}));
                let answer = Answered::read(&server.caller().chat(&body).await);
                assert_eq!(answer.text, tokens(5), "{provider}, {way}");
                let row = server.generation(&answer.id).await;
                assert_eq!(row.provider_responses.matches("\"status\"").count(), 2, "{provider}");
            }
        }
        server.closes_clean().await;
    };
    tokio::select! {
        () = test => {}
        () = slam => {}
        () = babble => {}
    }
}

#[tokio::test]
async fn what_one_model_refuses_the_next_in_the_list_answers() {
    let mut offer = Offer::new().model("acme/next", [Stand::new("well", "tokens-5")]);
    for (index, refusal) in REFUSALS.iter().enumerate() {
        let stands = [Stand::new("sick", refusal), Stand::new("twin", refusal)];
        offer = offer.model(&format!("acme/r{index}"), stands);
    }
    let server = TestServer::start(offer).await;
    for (index, refusal) in REFUSALS.iter().enumerate() {
        for stream in [false, true] {
            let before = server.journal().of_model(refusal).len();
            let body = ask(&format!("acme/r{index}"), stream);
            let body = with(body, "models", json!(["acme/next"]));
            let answer = Answered::read(&server.caller().chat(&body).await);
            assert_eq!((answer.text, answer.model), (tokens(5), "acme/next".into()), "{refusal}");
            let tried = server.journal().of_model(refusal).len() - before;
            assert_eq!(tried, 1, "{refusal}: the twin would say the same");
        }
    }
    server.closes_clean().await;
}

#[tokio::test]
async fn when_nothing_answers_the_client_gets_one_typed_error_and_pays_nothing() {
    let expected = [
        ("status-400", 400, "invalid_request"),
        ("status-400-context", 400, "context_length_exceeded"),
        ("status-400-policy", 400, "content_policy_violation"),
        ("status-401", 503, "provider_overloaded"),
        ("status-404", 404, "not_found"),
        ("status-413", 413, "payload_too_large"),
        ("status-422", 422, "unprocessable"),
        ("status-429-retry-7", 429, "rate_limit_exceeded"),
        ("status-500", 503, "provider_overloaded"),
        ("status-529", 503, "provider_overloaded"),
        ("garbage", 503, "provider_overloaded"),
        ("blank", 503, "provider_overloaded"),
        ("tokens-9+error-inband-0", 503, "provider_overloaded"),
    ];
    // A model for each way: who asked for patience is left alone by the second request.
    let model = |index: usize, stream: bool| format!("acme/n{index}-{stream}");
    let mut offer = Offer::new();
    for (index, (fault, ..)) in expected.iter().enumerate() {
        for stream in [false, true] {
            let stands = [
                Stand::new(&sick(index, stream), fault),
                Stand::new(&sick(index + 99, stream), fault),
            ];
            offer = offer.model(&model(index, stream), stands);
        }
    }
    let server = TestServer::start(offer).await;
    for (index, (fault, status, kind)) in expected.iter().enumerate() {
        for stream in [false, true] {
            let reply = server.caller().chat(&ask(&model(index, stream), stream)).await;
            let error = typed_error(&reply, *status, kind);
            assert!(reply.header("x-generation-id").is_some(), "{fault}: {error}");
            if fault.contains("retry-7") {
                assert_eq!(reply.header("retry-after"), Some("7"));
                assert_eq!(error["availability"]["retry_after"], 7);
                assert!(reply.header("x-ratelimit-limit").is_none(), "not our limit");
            }
            assert!(!error.to_string().contains("sk-"), "no credential: {error}");
        }
    }
    server.closes_clean().await;
    assert_eq!(server.balance().await.charged, Usd::ZERO);
}

#[tokio::test]
async fn who_asked_for_patience_is_left_alone() {
    let stands =
        [Stand::new("one", "status-429-retry-40"), Stand::new("two", "status-429-retry-9")];
    let server = TestServer::start(Offer::new().model("acme/busy", stands)).await;
    for asked in 0..4 {
        let reply = server.caller().chat(&ask("acme/busy", asked % 2 == 0)).await;
        let error = typed_error(&reply, 429, "rate_limit_exceeded");
        let wait: u64 = reply.header("retry-after").unwrap().parse().unwrap();
        assert!((1..=9).contains(&wait), "the shortest wait: {wait}");
        assert_eq!(error["availability"]["code"], "capacity_exhausted");
        assert!(reply.header("x-ratelimit-limit").is_none(), "not our limit");
    }
    assert_eq!(server.journal().entries().len(), 2, "each was called once");
    server.closes_clean().await;
}
