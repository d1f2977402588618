//! Reading on for nobody has its bounds: so many at a time, and each for so long.

use std::time::Duration;

use serde_json::{Value, json};
use signalbox_core::Usd;
use signalbox_gateway::Drains;
use signalbox_simulator::Outcome;
use signalbox_store::GenerationRow;
use signalbox_testkit::{Offer, Opened, Setup, Stand, TestServer, eventually};

use crate::speech::ask;

const SOON: Duration = Duration::from_secs(5);

/// Models `acme/0` and so on, of a provider that can't be told to stop.
async fn server(behaviours: &[&str], drains: Drains) -> TestServer {
    let mut offer = Offer::new();
    for (index, behaviour) in behaviours.iter().enumerate() {
        let stand = Stand::new("goes-on", behaviour).with("can_abort", json!(false));
        offer = offer.model(&format!("acme/{index}"), [stand]);
    }
    TestServer::start_as(offer, Setup { drains, ..Setup::default() }).await
}

/// A stream whose first tokens are there.
async fn streaming(server: &TestServer, body: &Value, last: &str) -> Opened {
    let mut opened = server.caller().chat_open(body).await;
    opened.until(last).await;
    opened
}

async fn draining(server: &TestServer, count: usize) {
    let there = async || (server.draining() == count).then_some(());
    eventually(SOON, "so many who are read on for nobody", there).await;
}

/// The generations by model.
async fn rows(server: &TestServer) -> Vec<GenerationRow> {
    server.closes_clean().await;
    let facts = server.platform.store().facts().await.unwrap();
    let mut rows = Vec::new();
    for one in facts.generations {
        rows.push(server.generation(&one.id).await);
    }
    rows.sort_by(|one, two| one.model.cmp(&two.model));
    rows
}

#[tokio::test]
async fn above_the_most_drains_what_came_is_billed_by_an_estimate_and_nothing_is_for_nothing() {
    let behaviours = ["a+tokens-40+halt-20", "b+tokens-40+halt-20", "c+tokens-40+halt-body"];
    let longest = Duration::from_secs(300);
    let server = server(&behaviours, Drains { most: 1, longest }).await;
    let first = streaming(&server, &ask("acme/0", true), "t19 ").await;
    let second = streaming(&server, &ask("acme/1", true), "t19 ").await;
    drop(first);
    draining(&server, 1).await;
    drop(second);
    let over = async || (server.halted(behaviours[1]) == 0).then_some(());
    eventually(SOON, "the end of the one too many", over).await;
    // One too many, too, and there is nothing to pay for.
    let caller = server.caller();
    let halted = async || (server.halted(behaviours[2]) == 1).then_some(());
    let body = ask("acme/2", true);
    tokio::select! {
        _ = caller.chat_open(&body) => panic!("an answer"),
        () = eventually(SOON, "a provider that halts", halted) => {}
    }
    let over = async || (server.halted(behaviours[2]) == 0).then_some(());
    eventually(SOON, "the end of the one too many", over).await;
    assert_eq!(server.halted(behaviours[0]), 1, "the first is still read on");
    server.go_on(behaviours[0]);
    let rows = rows(&server).await;
    let [full, cut, nothing] = &rows[..] else { panic!("{rows:?}") };
    assert_eq!((full.usage.output, full.usage.estimated), (40, false));
    assert!(cut.usage.estimated && (15..=20).contains(&cut.usage.output), "{:?}", cut.usage);
    assert!(cut.cost > Usd::ZERO && cut.cost < full.cost && cut.cancelled);
    assert_eq!((nothing.cost, nothing.cancelled), (Usd::ZERO, true));
    let entries = server.journal().settled().await;
    let outcome = |index: usize| {
        entries.iter().find(|one| one.model == behaviours[index]).map(|one| one.outcome)
    };
    assert_eq!(outcome(0), Some(Outcome::Complete));
    assert_eq!((outcome(1), outcome(2)), (Some(Outcome::ClientGone), Some(Outcome::ClientGone)));
}

#[tokio::test]
async fn a_drain_ends_when_its_time_is_up_and_what_came_is_billed_by_an_estimate() {
    let behaviours = ["tokens-40+halt-20"];
    let drains = Drains { most: 1, longest: Duration::from_millis(50) };
    let server = server(&behaviours, drains).await;
    drop(streaming(&server, &ask("acme/0", true), "t19 ").await);
    let over = async || (server.halted(behaviours[0]) == 0).then_some(());
    eventually(SOON, "the end of the drain", over).await;
    let rows = rows(&server).await;
    let usage = &rows[0].usage;
    assert!(usage.estimated && (15..=20).contains(&usage.output), "{usage:?}");
    draining(&server, 0).await;
}

#[tokio::test]
async fn a_place_among_the_drains_is_given_back_when_content_comes() {
    let behaviours = ["a+tokens-9+halt-body", "b+tokens-9+halt-3"];
    let longest = Duration::from_secs(300);
    let server = server(&behaviours, Drains { most: 1, longest }).await;
    for (index, behaviour) in behaviours.iter().enumerate() {
        let caller = server.caller();
        let body = ask(&format!("acme/{index}"), true);
        let halted = async || (server.halted(behaviour) == 1).then_some(());
        if index == 0 {
            tokio::select! {
                _ = caller.chat_open(&body) => panic!("an answer"),
                () = eventually(SOON, "a provider that halts", halted) => {}
            }
        } else {
            drop(streaming(&server, &body, "t2 ").await);
        }
        draining(&server, 1).await;
        server.go_on(behaviour);
        draining(&server, 0).await;
    }
    for row in rows(&server).await {
        assert_eq!((row.usage.output, row.usage.estimated), (9, false));
    }
}
