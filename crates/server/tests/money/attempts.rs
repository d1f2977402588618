//! The client pays the attempt that answered, the platform the others: as transfers of its own
//! (reliability design, test 23).

use serde_json::{Value, json};
use signalbox_core::Usd;
use signalbox_store::GenerationRow;
use signalbox_testkit::{Offer, Stand, TestServer};

use crate::speech::{Answered, ask, attempts, with};

/// What is posted of a generation, by kind.
async fn posted(server: &TestServer, row: &GenerationRow, kind: &str) -> Vec<i64> {
    let facts = server.platform.store().facts().await.unwrap();
    let own = facts
        .transfers
        .iter()
        .filter(|one| one.kind == kind && one.generation.as_deref() == Some(row.id.as_str()));
    own.map(|one| {
        if kind == "waste" {
            assert_eq!(
                (one.debit.as_str(), one.credit.as_str()),
                ("system:waste", "system:providers")
            );
        }
        one.amount
    })
    .collect()
}

/// What the attempts of a row wasted.
fn wasted(row: &GenerationRow) -> Vec<i64> {
    let listed = attempts(row);
    listed.iter().filter_map(|one| one["wasted"]["cost_nanos"].as_i64()).collect()
}

fn sick_first(model: &str, stream: bool) -> Value {
    with(ask(model, stream), "provider", json!({"order": ["sick", "well"]}))
}

#[tokio::test]
async fn billing_of_attempts_that_consumed_and_failed_is_posted_as_waste() {
    let dear = json!({"prompt": "0.000003", "completion": "0.000006"});
    let faults = ["tokens-9+error-inband-0", "tokens-9+cut-after-0", "blank"];
    let mut offer = Offer::new();
    for (index, fault) in faults.iter().enumerate() {
        let well = Stand::new("well", "tokens-5").with("pricing", dear.clone());
        offer = offer.model(&format!("acme/{index}"), [Stand::new("sick", fault), well]);
    }
    let server = TestServer::start(offer).await;
    let mut charged = Usd::ZERO;
    for (index, fault) in faults.iter().enumerate() {
        let body = sick_first(&format!("acme/{index}"), true);
        let answer = Answered::read(&server.caller().chat(&body).await);
        let row = server.generation(&answer.id).await;
        // The fallback is three times as dear, and that is its price.
        assert_eq!(row.cost, "0.000048".parse().unwrap(), "{fault}");
        assert_eq!(posted(&server, &row, "charge").await, [row.cost.nanos()], "{fault}");
        let waste = wasted(&row);
        assert_eq!(waste.len(), 1, "{fault}: {row:?}");
        assert_eq!(posted(&server, &row, "waste").await, waste, "{fault}");
        charged = charged.checked_add(row.cost).unwrap();
    }
    server.closes_clean().await;
    assert_eq!(server.balance().await.charged, charged);
}

#[tokio::test]
async fn billing_of_attempts_that_break_off_after_content_is_the_platforms() {
    let stand = Stand::new("one", "tokens-9+error-inband-6");
    let server = TestServer::start(Offer::new().model("acme/one", [stand])).await;
    let reply = server.caller().chat(&ask("acme/one", true)).await;
    let row = server.generation(&reply.events().id()).await;
    assert_eq!((row.cost, row.finish_reason.as_deref()), (Usd::ZERO, Some("error")));
    assert!(posted(&server, &row, "charge").await.is_empty());
    let waste = wasted(&row);
    // Six tokens came; they and the prompt are estimated.
    assert!(waste.len() == 1 && waste[0] >= 6_000 + 2 * 3_000, "{waste:?}");
    assert_eq!(posted(&server, &row, "waste").await, waste);
    server.closes_clean().await;
    assert_eq!(server.balance().await.charged, Usd::ZERO);
}

#[tokio::test]
async fn billing_of_attempts_of_another_model_is_at_its_price() {
    let dear = json!({"prompt": "0.00001", "completion": "0.00002"});
    let offer = Offer::new()
        .model("acme/long", [Stand::new("sick", "status-400-context")])
        .model("acme/next", [Stand::new("well", "tokens-5").with("pricing", dear)]);
    let server = TestServer::start(offer).await;
    for stream in [true, false] {
        let body = with(ask("acme/long", stream), "models", json!(["acme/next"]));
        let answer = Answered::read(&server.caller().chat(&body).await);
        let row = server.generation(&answer.id).await;
        assert_eq!((row.model.as_str(), row.cost), ("acme/next", "0.00016".parse().unwrap()));
        assert_eq!(row.cost, answer.cost());
        assert_eq!(attempts(&row).len(), 2);
        assert!(posted(&server, &row, "waste").await.is_empty(), "nothing was consumed");
    }
    server.closes_clean().await;
}
