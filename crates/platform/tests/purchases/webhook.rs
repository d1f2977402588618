//! Reliability design, test 14: what an event of a payment rail may do.

use serde_json::json;
use signalbox_core::Timestamp;
use signalbox_platform::purchase::fee::Method;
use signalbox_platform::purchase::signature::{self, Forged};
use signalbox_platform::purchase::{Heard, Wish};
use signalbox_store::payments::{Effect, Status};

use crate::node::Chain;
use crate::world::{SECRET, World, by, event, secret, usd};

#[tokio::test]
async fn a_paid_page_is_credited_once_however_often_it_is_told() {
    let world = World::new().await;
    let offer = world.checkout("20").await;
    assert_eq!(world.balance().await, "0", "an offer is no money");
    let paid = world.paid(&offer.purchase.id).await;
    assert_eq!(world.hear(&paid).await, Heard::Did(Effect::Done));
    assert_eq!(world.hear(&paid).await, Heard::Did(Effect::Told));
    let mut other = paid.clone();
    other["id"] = json!("evt_another");
    assert_eq!(world.hear(&other).await, Heard::Did(Effect::Before), "another event, one payment");
    let mut intent = paid["data"]["object"].clone();
    intent["id"] = intent["payment_intent"].clone();
    intent["amount_received"] = intent["amount_total"].clone();
    let intent = event("evt_intent", "payment_intent.succeeded", intent);
    assert_eq!(world.hear(&intent).await, Heard::Did(Effect::Before));
    assert_eq!(world.balance().await, "20");
    let payment = world.payment(&offer.purchase.id).await;
    assert_eq!((payment.status, payment.fee), (Status::Paid, usd("1.1")));
    world.audit().await;
}

#[tokio::test]
async fn one_event_a_hundred_times_at_once_from_two_processes_is_one_credit() {
    let world = World::new().await;
    let offer = world.checkout("20").await;
    let (_store, other) = world.again().await;
    let body = world.paid(&offer.purchase.id).await.to_string();
    let header = signature::sign(&secret(SECRET), body.as_bytes(), world.clock.now());
    let mut tasks = Vec::new();
    for at in 0..100 {
        let purchases = if at % 2 == 0 { world.purchases.clone() } else { other.clone() };
        let (header, body) = (header.clone(), body.clone());
        tasks.push(signalbox_runtime::task::spawn("hear", async move {
            purchases.hear(&header, body.as_bytes()).await.unwrap()
        }));
    }
    let mut done = 0;
    for task in tasks {
        match task.await.unwrap().unwrap() {
            Heard::Did(Effect::Done) => done += 1,
            heard => assert_eq!(heard, Heard::Did(Effect::Told)),
        }
    }
    assert_eq!((done, world.balance().await.as_str()), (1, "20"));
    world.audit().await;
}

#[tokio::test]
async fn another_amount_currency_or_payment_is_no_payment_of_this_order() {
    let world = World::new().await;
    let offer = world.checkout("20").await;
    let other = world.checkout("20").await;
    let good = world.paid(&offer.purchase.id).await;
    let theirs = world.payment(&other.purchase.id).await.session_ref.unwrap();
    for (name, place, value, reason) in [
        ("less", "amount_total", json!(2109), "another amount"),
        ("more", "amount_total", json!(211_000), "another amount"),
        ("currency", "currency", json!("eur"), "another currency"),
        ("tax", "total_details", json!({"amount_tax": 10}), "another amount"),
        ("offer", "id", json!(theirs), "another offer"),
    ] {
        let mut bad = good.clone();
        bad["id"] = json!(format!("evt_{name}"));
        bad["data"]["object"][place] = value;
        assert_eq!(world.hear(&bad).await, Heard::Did(Effect::Mismatch(reason)), "{name}");
    }
    let mut unknown = good.clone();
    unknown["id"] = json!("evt_unknown");
    unknown["data"]["object"]["metadata"]["payment"] = json!("pay_of_nobody");
    assert_eq!(world.hear(&unknown).await, Heard::Did(Effect::Unknown));
    assert_eq!(world.balance().await, "0");
    assert_eq!(world.hear(&good).await, Heard::Did(Effect::Done), "the true one still counts");
    world.audit().await;
}

#[tokio::test]
async fn an_order_of_another_rail_is_not_paid_by_card() {
    let chain = Chain::start().await;
    let world = World::with(|settings| settings.crypto = Some(chain.settings())).await;
    let wish = Wish { amount: usd("20"), method: Method::Crypto, keep_card: false, once: None };
    let order = world.purchases.checkout(&by(&world.account), wish).await.unwrap();
    let payment = order.purchase.id;
    let paid = json!({"id": "pi_1", "amount_received": 2100, "currency": "usdc",
        "metadata": {"payment": payment}});
    let heard = world.hear(&event("evt_1", "payment_intent.succeeded", paid)).await;
    assert_eq!(heard, Heard::Did(Effect::Mismatch("another rail")));
    assert_eq!(world.balance().await, "0");
}

#[tokio::test]
async fn tax_comes_on_top_and_is_no_credit() {
    let world = World::new().await;
    let offer = world.checkout("100").await;
    let mut paid = world.paid(&offer.purchase.id).await;
    paid["data"]["object"]["amount_total"] = json!(10_550 + 2_005);
    paid["data"]["object"]["total_details"]["amount_tax"] = json!(2_005);
    assert_eq!(world.hear(&paid).await, Heard::Did(Effect::Done));
    assert_eq!(world.balance().await, "100");
    assert_eq!(world.payment(&offer.purchase.id).await.tax, usd("20.05"));
}

#[tokio::test]
async fn only_what_the_processor_signed_within_five_minutes_is_believed() {
    let world = World::new().await;
    let offer = world.checkout("20").await;
    let event = world.paid(&offer.purchase.id).await;
    let body = event.to_string();
    let now = world.clock.now();
    let at = |seconds: i64| {
        let at = Timestamp::from_seconds(now.seconds() + seconds);
        signature::sign(&secret(SECRET), body.as_bytes(), at)
    };
    let again = serde_json::to_string_pretty(&event).unwrap();
    let forged = signature::sign(&secret("whsec_of_somebody"), body.as_bytes(), now);
    let empty = signature::sign(&secret(""), body.as_bytes(), now);
    for (name, header, body, reason) in [
        ("301 s old", at(-301), &body, Forged::Time),
        ("301 s ahead", at(301), &body, Forged::Time),
        ("written anew", at(0), &again, Forged::Signature),
        ("another secret", forged, &body, Forged::Signature),
        ("an empty secret", empty, &body, Forged::Signature),
        ("no signature", String::new(), &body, Forged::Malformed),
    ] {
        let heard = world.purchases.hear(&header, body.as_bytes()).await.unwrap();
        assert_eq!(heard, Heard::Forged(reason), "{name}");
    }
    assert_eq!(world.balance().await, "0");
    // While a secret is replaced, both sign.
    let (old, new) = (at(0), signature::sign(&secret("whsec_next"), body.as_bytes(), now));
    let both = format!("{new},{}", old.split_once(',').unwrap().1);
    let heard = world.purchases.hear(&both, body.as_bytes()).await.unwrap();
    assert_eq!(heard, Heard::Did(Effect::Done));
}

#[tokio::test]
async fn without_a_secret_nothing_is_believed_whatever_signs_it() {
    let world = World::with(|settings| {
        settings.stripe.as_mut().unwrap().webhook_secrets.clear();
    })
    .await;
    assert!(world.purchases.is_deaf() && !world.purchases.hears_webhooks());
    let offer = world.checkout("20").await;
    let body = world.paid(&offer.purchase.id).await.to_string();
    for key in ["", SECRET] {
        let header = signature::sign(&secret(key), body.as_bytes(), world.clock.now());
        let heard = world.purchases.hear(&header, body.as_bytes()).await.unwrap();
        assert_eq!(heard, Heard::NoSecret);
    }
    assert_eq!(world.balance().await, "0");
}

#[tokio::test]
async fn events_that_mean_nothing_here_are_kept() {
    let world = World::new().await;
    let odd = event("evt_odd", "customer.updated", json!({"id": "cus_1"}));
    assert_eq!(world.hear(&odd).await, Heard::Kept);
    assert_eq!(world.hear(&odd).await, Heard::Kept);
    let unpaid =
        event("evt_unpaid", "checkout.session.completed", json!({"payment_status": "unpaid"}));
    assert_eq!(world.hear(&unpaid).await, Heard::Kept);
    assert_eq!(world.balance().await, "0");
}

#[tokio::test]
async fn an_offer_that_expired_counts_all_the_same_when_it_was_paid() {
    let world = World::new().await;
    let offer = world.checkout("20").await;
    let session = world.payment(&offer.purchase.id).await.session_ref.unwrap();
    let expired = event("evt_expired", "checkout.session.expired", json!({"id": session}));
    assert_eq!(world.hear(&expired).await, Heard::Did(Effect::Done));
    assert_eq!(world.payment(&offer.purchase.id).await.status, Status::Expired);
    assert_eq!(world.hear(&world.paid(&offer.purchase.id).await).await, Heard::Did(Effect::Done));
    assert_eq!(world.balance().await, "20");
    let mut late = expired.clone();
    late["id"] = json!("evt_late");
    assert_eq!(world.hear(&late).await, Heard::Did(Effect::Before), "and is not undone");
    assert_eq!(world.balance().await, "20");
}
