//! Clients that leave in the middle: who stops, who goes on, and who pays for what.

use std::time::Duration;

use signalbox_core::Usd;
use signalbox_simulator::{Entry, Outcome};
use signalbox_store::GenerationRow;
use signalbox_testkit::{Leave, Offer, Stand, TestServer, eventually};

use serde_json::{Value, json};

use crate::speech::{ask, with};

/// A provider that is told to stop hears it within this time, also on a busy machine. The target is
/// a quarter of it.
const AT_ONCE: Duration = Duration::from_secs(1);

fn offer(behaviour: &str, can_abort: bool) -> Offer {
    let stand = Stand::new("well", behaviour).with("can_abort", json!(can_abort));
    Offer::new().model("acme/one", [stand])
}

/// Sends a request and leaves as soon as the provider has it. Nothing has come back by then.
async fn leave_when_called(server: &TestServer, body: &Value) {
    let (journal, caller) = (server.journal(), server.caller());
    tokio::select! {
        biased;
        _ = journal.until(|entries| !entries.is_empty()) => {}
        reply = caller.chat(body) => panic!("an answer before the end: {reply:?}"),
    }
}

/// The only generation that is stored, and what the provider did for it.
async fn only(server: &TestServer) -> (GenerationRow, Entry) {
    server.closes_clean().await;
    let facts = server.platform.store().facts().await.unwrap();
    assert_eq!(facts.generations.len(), 1, "one generation");
    let row = server.generation(&facts.generations[0].id).await;
    let entries = server.journal().settled().await;
    assert_eq!(entries.len(), 1, "one call");
    (row, entries[0].clone())
}

#[tokio::test]
async fn a_provider_that_can_be_told_to_stop_is_told_at_once_and_the_client_pays_for_its_part() {
    let server = TestServer::start(offer("tokens-190+slow-ms-20", true)).await;
    let reply = server.caller().chat_until(&ask("acme/one", true), Leave::AfterEvents(6)).await;
    assert!(!reply.ended);
    eventually(AT_ONCE, "the end of the provider's connection", async || {
        let entries = server.journal().entries();
        (entries[0].outcome == Outcome::ClientGone).then_some(())
    })
    .await;
    let (row, entry) = only(&server).await;
    assert!(entry.disconnected_after.is_some());
    assert!(row.cancelled && row.streamed, "{row:?}");
    assert!(row.cost > Usd::ZERO, "what was produced is paid for");
    assert!(row.usage.output >= 2 && row.usage.estimated, "{:?}", row.usage);
    assert!(row.usage.output <= entry.tokens, "{:?} but {} tokens", row.usage, entry.tokens);
    assert!(entry.tokens < 100, "it stopped: {}", entry.tokens);
    assert_eq!(server.balance().await.charged, row.cost);
}

#[tokio::test]
async fn a_provider_that_can_not_be_told_to_stop_is_read_to_the_end_and_paid_in_full() {
    let server = TestServer::start(offer("tokens-60+slow-ms-5", false)).await;
    let reply = server.caller().chat_until(&ask("acme/one", true), Leave::AfterEvents(4)).await;
    assert!(!reply.ended);
    let (row, entry) = only(&server).await;
    assert_eq!((entry.outcome, entry.tokens), (Outcome::Complete, 60));
    assert_eq!((row.usage.output, row.usage.estimated), (60, false));
    assert_eq!(row.cost, "0.000126".parse().unwrap());
}

#[tokio::test]
async fn who_leaves_before_the_first_token_of_a_provider_that_stops_pays_nothing() {
    let server = TestServer::start(offer("first-ms-2000+tokens-20", true)).await;
    leave_when_called(&server, &ask("acme/one", true)).await;
    let (row, entry) = only(&server).await;
    assert_eq!(entry.outcome, Outcome::ClientGone);
    assert!(entry.disconnected_after.unwrap() < 1_900_000, "{entry:?}");
    assert_eq!((row.cost, row.cancelled), (Usd::ZERO, true));
}

#[tokio::test]
async fn who_leaves_before_the_first_token_of_a_provider_that_goes_on_pays_in_full() {
    let server = TestServer::start(offer("first-ms-300+tokens-20", false)).await;
    leave_when_called(&server, &ask("acme/one", true)).await;
    let (row, entry) = only(&server).await;
    assert_eq!((entry.outcome, entry.tokens, row.usage.output), (Outcome::Complete, 20, 20));
    assert_eq!(row.cost, "0.000046".parse().unwrap());
}

#[tokio::test]
async fn an_answer_in_one_piece_is_never_cancelled() {
    for can_abort in [true, false] {
        let server = TestServer::start(offer("first-ms-300+tokens-20", can_abort)).await;
        leave_when_called(&server, &ask("acme/one", false)).await;
        let (row, entry) = only(&server).await;
        assert_eq!((entry.outcome, row.usage.output), (Outcome::Complete, 20));
        assert_eq!(row.cost, "0.000046".parse().unwrap());
        assert!(!row.cancelled && !row.streamed);
    }
}

#[tokio::test]
async fn nobody_else_is_asked_for_a_client_that_has_left() {
    let stand =
        |provider, behaviour| Stand::new(provider, behaviour).with("can_abort", json!(false));
    let stands = [stand("sick", "first-ms-600+error-inband-0"), stand("well", "echo")];
    let server = TestServer::start(Offer::new().model("acme/one", stands)).await;
    let body = with(ask("acme/one", true), "provider", json!({"order": ["sick", "well"]}));
    leave_when_called(&server, &body).await;
    let (row, entry) = only(&server).await;
    assert_eq!(entry.model, "first-ms-600+error-inband-0");
    assert_eq!((row.cost, row.cancelled), (Usd::ZERO, true));
}

#[tokio::test]
async fn a_stop_lets_answers_end_and_settles_them() {
    let server = TestServer::start(offer("tokens-40+slow-ms-10", true)).await;
    let mut opened = server.caller().chat_open(&ask("acme/one", true)).await;
    opened.events(3).await;
    let (reply, ()) = tokio::join!(opened.rest(), server.stop());
    assert!(reply.ended && reply.events().done);
    assert_eq!(reply.events().usages().len(), 1);
    server.audit().await;
    let row = server.generation(&reply.events().id()).await;
    assert_eq!((row.usage.output, server.balance().await.charged), (40, row.cost));
}
