//! What was agreed with an account reaches its bill, and news of it reach a running process.

use std::time::Duration;

use serde_json::json;
use signalbox_core::Usd;
use signalbox_store::plans::Agreement;
use signalbox_testkit::{Offer, Stand, TestServer, eventually};

use crate::speech::{Answered, ask, with};

#[tokio::test]
async fn who_shares_data_pays_one_percent_less() {
    let stand = Stand::new("one", "tokens-5");
    let server = TestServer::start(Offer::new().model("acme/one", [stand])).await;
    let cost = async || {
        let answer = Answered::read(&server.caller().chat(&ask("acme/one", false)).await);
        let row = server.generation(&answer.id).await;
        assert_eq!(row.cost, answer.cost());
        row.cost
    };
    let usd = |text: &str| text.parse::<Usd>().unwrap();
    assert_eq!(cost().await, usd("0.000016"));
    for (shares, expected) in [(true, "0.00001584"), (false, "0.000016")] {
        let agreement = Agreement { shares_data: Some(shares), ..Agreement::default() };
        let store = server.platform.store();
        assert!(store.agree(&server.owner.account_id, agreement).await.unwrap());
        eventually(Duration::from_secs(3), "the new terms", async || {
            (cost().await == usd(expected)).then_some(())
        })
        .await;
    }
    server.closes_clean().await;
}

#[tokio::test]
async fn what_a_long_answer_came_to_is_charged_when_its_process_ends_without_a_word() {
    let stand = Stand::new("one", "tokens-600+even+halt-500");
    let server = TestServer::start(Offer::new().model("acme/one", [stand])).await;
    let body = with(ask("acme/one", true), "max_tokens", json!(1_000));
    let mut opened = server.caller().chat_open(&body).await;
    opened.until("1f3 ").await;
    let charged = async || {
        // The ledger ends, and the generation has not.
        server.ledger.shutdown().await.unwrap();
        Some(server.balance().await.charged).filter(|charged| *charged > Usd::ZERO)
    };
    let charged = eventually(Duration::from_secs(5), "the charge", charged).await;
    let facts = server.platform.store().facts().await.unwrap();
    let row = server.generation(&facts.generations[0].id).await;
    assert!(row.recovered && row.usage.estimated, "{row:?}");
    assert!((244..=500).contains(&row.usage.output), "{:?}", row.usage);
    assert_eq!(row.cost, charged);
    let nanos = row.usage.prompt() * 1_000 + row.usage.output * 2_000;
    assert_eq!(row.cost, Usd::from_nanos(i64::try_from(nanos).unwrap()));
    server.audit().await;
}
