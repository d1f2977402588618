//! Offers, and asking how far they are.

use serde_json::json;
use signalbox_core::ApiError;
use signalbox_platform::PurchaseError;
use signalbox_platform::purchase::fee::Method;
use signalbox_platform::purchase::{PurchaseSettings, Wish};
use signalbox_store::payments::{Effect, Status};

use crate::peer::Fault;
use crate::world::{KEY, World, by, usd};

const SESSIONS: &str = "/v1/checkout/sessions";

fn card(amount: &str) -> Wish {
    Wish { amount: usd(amount), method: Method::Card, keep_card: false, once: None }
}

#[tokio::test]
async fn an_offer_has_amount_and_fee_as_lines_and_our_name_on_it() {
    let world = World::with(|settings| {
        settings.stripe.as_mut().unwrap().automatic_tax = true;
    })
    .await;
    let offer = world.checkout("20").await;
    assert_eq!(offer.purchase.total, usd("21.1"));
    let calls = world.peer.calls("POST", SESSIONS);
    let call = &calls[0];
    for (name, expected) in [
        ("mode", "payment"),
        ("line_items[0][price_data][unit_amount]", "2000"),
        ("line_items[1][price_data][unit_amount]", "110"),
        ("client_reference_id", offer.purchase.id.as_str()),
        ("payment_intent_data[metadata][payment]", offer.purchase.id.as_str()),
        ("payment_intent_data[setup_future_usage]", "off_session"),
        ("automatic_tax[enabled]", "true"),
        ("adaptive_pricing[enabled]", "false"),
        ("success_url", "https://gate.example/done"),
    ] {
        assert_eq!(call.fields.get(name).map(String::as_str), Some(expected), "{name}");
    }
    assert_eq!(call.headers["stripe-version"], "2026-10-28.endive");
    assert_eq!(call.headers["authorization"], format!("Bearer {KEY}"));
    assert_eq!(call.key.as_deref(), Some(format!("checkout:{}", offer.purchase.id).as_str()));
    assert!(offer.url.unwrap().starts_with("https://pay.example/cs_"));
    world.checkout("30").await;
    assert_eq!(world.peer.calls("POST", "/v1/customers").len(), 1, "one customer for an account");
}

#[tokio::test]
async fn without_a_rail_nothing_can_be_bought_and_the_answer_says_so() {
    let world = World::with(|settings| *settings = PurchaseSettings::default()).await;
    for (method, expected) in [(Method::Card, "card"), (Method::Crypto, "crypto")] {
        let wish = Wish { method, ..card("20") };
        let error = world.purchases.checkout(&by(&world.account), wish).await.unwrap_err();
        assert!(matches!(error, PurchaseError::NotSetUp(_)));
        let error = ApiError::from(error);
        assert_eq!(error.status(), 404);
        assert_eq!(error.message, format!("{expected} payments are not set up on this server"));
    }
    assert!(world.purchases.purchases(&world.account, 0, 50).await.unwrap().data.is_empty());
    assert!(world.purchases.invoices(&world.account).await.unwrap().is_empty());
}

#[tokio::test]
async fn a_frozen_account_buys_nothing() {
    let world = World::new().await;
    world.store.freeze(&world.account, "a dispute").await.unwrap();
    let error = world.purchases.checkout(&by(&world.account), card("20")).await.unwrap_err();
    assert_eq!(ApiError::from(error).status(), 403);
}

#[tokio::test]
async fn an_offer_that_the_processor_did_not_make_is_over() {
    let world = World::new().await;
    world.peer.fail_next(SESSIONS, Fault::Status(500));
    let error = world.purchases.checkout(&by(&world.account), card("20")).await.unwrap_err();
    assert_eq!(ApiError::from(error).status(), 502);
    let list = world.purchases.purchases(&world.account, 0, 50).await.unwrap();
    assert_eq!((list.total_count, list.data[0].status), (1, "failed"));
}

#[tokio::test]
async fn asking_the_processor_does_what_a_lost_event_would_have_done_once() {
    let world = World::new().await;
    let offer = world.checkout("20").await;
    let id = offer.purchase.id.as_str();
    let ask = async || world.purchases.reconcile(&world.account, id).await.unwrap();
    assert_eq!(ask().await, Effect::Waits, "nobody paid yet");
    let session = world.payment(id).await.session_ref.unwrap();
    world.peer.change(&session, |page| {
        page["payment_status"] = json!("paid");
        page["payment_intent"] = json!(format!("pi_{session}"));
    });
    assert_eq!(ask().await, Effect::Done);
    assert_eq!(ask().await, Effect::Before);
    assert_eq!(
        world.hear(&world.paid(id).await).await,
        signalbox_platform::purchase::Heard::Did(Effect::Before)
    );
    assert_eq!(world.balance().await, "20");
    world.audit().await;
}

#[tokio::test]
async fn an_offer_that_ended_unpaid_is_expired() {
    let world = World::new().await;
    let offer = world.checkout("20").await;
    let session = world.payment(&offer.purchase.id).await.session_ref.unwrap();
    world.peer.change(&session, |page| page["status"] = json!("expired"));
    world.purchases.reconcile(&world.account, &offer.purchase.id).await.unwrap();
    assert_eq!(world.payment(&offer.purchase.id).await.status, Status::Expired);
}

#[tokio::test]
async fn somebody_elses_purchase_is_not_found() {
    let world = World::new().await;
    let id = world.buy("20").await;
    let other = crate::world::new_account(&world.store).await;
    for error in [
        world.purchases.reconcile(&other, &id).await.unwrap_err(),
        world.purchases.refund(&by(&other), &id).await.unwrap_err(),
        world.purchases.purchase(&other, &id).await.unwrap_err(),
    ] {
        assert_eq!(ApiError::from(error).status(), 404);
    }
    assert_eq!(world.balance().await, "20");
}
