//! The client pays for the attempt that answered, and nothing else (reliability design, test 23).

use std::time::Duration;

use serde_json::{Value, json};
use signalbox_core::Usd;
use signalbox_store::GenerationRow;
use signalbox_testkit::{Offer, Setup, Stand, TestServer, eventually};

use crate::speech::{Answered, ask, attempts, tokens, with};

fn dear(stand: Stand) -> Stand {
    stand.with("pricing", json!({"prompt": "0.000003", "completion": "0.000006"}))
}

fn sick_first(model: &str, stream: bool) -> Value {
    with(ask(model, stream), "provider", json!({"order": ["sick", "well"]}))
}

/// Prompt and output tokens at these prices in nano-dollars.
fn at(row: &GenerationRow, prompt: u64, output: u64) -> Usd {
    let nanos = row.tokens_prompt * prompt + row.tokens_completion * output;
    Usd::from_nanos(i64::try_from(nanos).unwrap())
}

#[tokio::test]
async fn billing_of_attempts_follows_who_answered() {
    // A model for each way: who failed a moment ago is not asked first.
    let mut offer = Offer::new();
    for stream in [false, true] {
        let stands = [Stand::new("sick", "status-503"), dear(Stand::new("well", "tokens-5"))];
        offer = offer
            .model(&format!("acme/dearer-{stream}"), stands)
            .model(&format!("acme/long-{stream}"), [Stand::new("sick", "status-400-context")]);
    }
    let offer = offer.model("acme/next", [dear(Stand::new("well", "tokens-5"))]);
    let server = TestServer::start(offer).await;
    let mut charged = Usd::ZERO;
    for stream in [false, true] {
        let dearer = format!("acme/dearer-{stream}");
        let body = sick_first(&dearer, stream);
        let other = ask(&format!("acme/long-{stream}"), stream);
        let other = with(other, "models", json!(["acme/next"]));
        for (body, model) in [(body, dearer.as_str()), (other, "acme/next")] {
            let answer = Answered::read(&server.caller().chat(&body).await);
            let row = server.generation(&answer.id).await;
            assert_eq!((row.model.as_str(), row.provider.as_deref()), (model, Some("well")));
            assert_eq!(row.cost, at(&row, 3_000, 6_000), "the served price");
            assert_eq!(row.cost, answer.cost());
            let listed = attempts(&row);
            assert_eq!(listed.len(), 2, "{listed:?}");
            assert!(listed.iter().all(|one| one["wasted"].is_null()), "nothing was: {listed:?}");
            charged = charged.checked_add(row.cost).unwrap();
        }
    }
    server.closes_clean().await;
    assert_eq!(server.balance().await.charged, charged);
}

#[tokio::test]
async fn billing_of_attempts_that_consumed_and_failed_is_the_platforms() {
    let faults = ["tokens-9+error-inband-0", "role-only-then-503", "tokens-9+cut-after-0", "blank"];
    let mut offer = Offer::new();
    for (index, fault) in faults.iter().enumerate() {
        let stands = [Stand::new("sick", fault), Stand::new("well", "tokens-5")];
        offer = offer.model(&format!("acme/m{index}"), stands);
    }
    let server = TestServer::start(offer).await;
    for (index, fault) in faults.iter().enumerate() {
        let body = sick_first(&format!("acme/m{index}"), true);
        let answer = Answered::read(&server.caller().chat(&body).await);
        let row = server.generation(&answer.id).await;
        assert_eq!(row.cost, at(&row, 1_000, 2_000), "{fault}: one answer, one price");
        let listed = attempts(&row);
        let wasted = &listed[0]["wasted"];
        assert!(wasted["cost_nanos"].as_i64().unwrap() > 0, "{fault}: {listed:?}");
        assert!(wasted["tokens_prompt"].as_u64().unwrap() > 0, "{fault}: {wasted}");
        assert!(listed[1]["wasted"].is_null(), "{fault}: {listed:?}");
        let told = server.manager().get(&format!("/api/v1/generation?id={}", answer.id)).await;
        let told = told.json();
        assert_eq!(told["data"]["provider_responses"].as_array().unwrap().len(), 2, "{told}");
        assert!(!told.to_string().contains("wasted"), "what it cost us is ours: {told}");
    }
    server.closes_clean().await;
}

#[tokio::test]
async fn hedge_loser_is_closed_and_the_client_pays_once() {
    let stands = [
        Stand::new("slow", "tokens-5+switch-slow"),
        dear(Stand::new("quick", "tokens-6")),
        Stand::new("third", "tokens-7"),
    ];
    let setup = Setup { hedge_percent: 5, ..Setup::default() };
    let server = TestServer::start_as(Offer::new().model("acme/m", stands), setup).await;
    server.switch("slow", "tokens-5+first-ms-20");
    // Its usual time becomes known, and the share grows.
    let only = with(ask("acme/m", true), "provider", json!({"only": ["slow"]}));
    for _ in 0..130 {
        assert_eq!(Answered::read(&server.caller().chat(&only).await).text, tokens(5));
    }
    let others = || server.count("tokens-6").arrived + server.count("tokens-7").arrived;
    let before = others();
    let body = with(ask("acme/m", true), "provider", json!({"order": ["slow", "quick"]}));
    server.switch("slow", "tokens-5+first-ms-8000");
    let answer = Answered::read(&server.caller().chat(&body).await);
    assert_eq!(answer.text, tokens(6), "the hedge was faster");
    let gone = async || (server.count("tokens-5+switch-slow").running == 0).then_some(());
    eventually(Duration::from_millis(500), "the loser's connection is closed", gone).await;
    assert_eq!(others(), before + 1);
    let row = server.generation(&answer.id).await;
    assert_eq!(row.cost, at(&row, 3_000, 6_000), "the winner's price alone");
    let listed = attempts(&row);
    assert_eq!(listed.len(), 2, "{listed:?}");
    assert!(listed[0]["wasted"]["cost_nanos"].as_i64().unwrap() > 0, "{listed:?}");
    assert_eq!(listed[1]["provider_name"], "Provider quick");
    server.closes_clean().await;
}

#[tokio::test]
async fn without_a_share_nobody_is_hedged() {
    let stands = [Stand::new("slow", "tokens-5+switch-slow"), Stand::new("quick", "tokens-6")];
    let server = TestServer::start(Offer::new().model("acme/m", stands)).await;
    server.switch("slow", "tokens-5");
    let body = with(ask("acme/m", true), "provider", json!({"order": ["slow", "quick"]}));
    for _ in 0..110 {
        assert_eq!(Answered::read(&server.caller().chat(&body).await).text, tokens(5));
    }
    server.switch("slow", "tokens-5+first-ms-700");
    assert_eq!(Answered::read(&server.caller().chat(&body).await).text, tokens(5));
    assert_eq!(server.count("tokens-6").arrived, 0);
    server.closes_clean().await;
}
