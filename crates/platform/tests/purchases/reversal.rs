//! Money that the processor takes back by itself: refunds of its own, disputed charges; in any order.

use serde_json::{Value, json};
use signalbox_platform::purchase::Heard;
use signalbox_store::Movement;
use signalbox_store::payments::{Effect, Status};

use crate::world::{World, by, event, usd};

async fn intent(world: &World, id: &str) -> String {
    let session = world.payment(id).await.session_ref.unwrap();
    format!("pi_{session}")
}

async fn dispute(world: &World, id: &str, cents: i64) -> Value {
    json!({"id": "dp_1", "status": "needs_response", "amount": cents, "currency": "usd",
        "charge": "ch_1", "payment_intent": intent(world, id).await})
}

async fn refund(world: &World, id: &str, cents: i64) -> Value {
    json!({"id": "re_outside", "status": "succeeded", "amount": cents, "currency": "usd",
        "payment_intent": intent(world, id).await, "metadata": {}})
}

#[tokio::test]
async fn a_dispute_takes_the_credit_once_and_freezes_the_account() {
    let world = World::new().await;
    let id = world.buy("100").await;
    let disputed = dispute(&world, &id, 10_550).await;
    for (event_id, kind, expected) in [
        ("evt_1", "charge.dispute.created", Effect::Waits),
        ("evt_1", "charge.dispute.created", Effect::Told),
        ("evt_2", "charge.dispute.funds_withdrawn", Effect::Before),
    ] {
        let heard = world.hear(&event(event_id, kind, disputed.clone())).await;
        assert_eq!(heard, Heard::Did(expected), "{event_id} {kind}");
    }
    assert_eq!(world.balance().await, "0");
    assert_eq!(world.payment(&id).await.status, Status::Disputed);
    let standing = world.store.standing(&world.account).await.unwrap().unwrap();
    assert!(standing.frozen.is_some());
    let reversals = world.store.reversals_of(&id).await.unwrap();
    assert_eq!((reversals[0].taken, reversals[0].owed), (usd("100"), usd("0")));
    world.audit().await;
}

#[tokio::test]
async fn what_the_account_has_no_more_is_owed() {
    let world = World::new().await;
    let id = world.buy("100").await;
    let spent = Movement::adjustment("spent", &world.account, usd("-30"), world.clock.now());
    world.store.post_movement(spent).await.unwrap();
    let disputed = dispute(&world, &id, 10_550).await;
    world.hear(&event("evt_1", "charge.dispute.created", disputed)).await;
    assert_eq!(world.balance().await, "0", "never below nothing");
    let reversals = world.store.reversals_of(&id).await.unwrap();
    assert_eq!((reversals[0].taken, reversals[0].owed), (usd("70"), usd("30")));
    world.audit().await;
}

#[tokio::test]
async fn a_dispute_and_a_refund_that_come_before_the_payment_wait_for_it() {
    let world = World::new().await;
    for (name, kind) in [("dispute", "charge.dispute.created"), ("refund", "refund.created")] {
        let offer = world.checkout("20").await;
        let id = offer.purchase.id;
        let mut taken = if name == "dispute" {
            dispute(&world, &id, 2110).await
        } else {
            refund(&world, &id, 2110).await
        };
        taken["id"] = json!(format!("early_{name}"));
        let early = event(&format!("evt_early_{name}"), kind, taken);
        assert_eq!(world.hear(&early).await, Heard::Did(Effect::Waits), "{name}");
        assert_eq!(world.balance().await, "0", "{name}");
        world.pass(60);
        world.purchases.round().await;
        assert_eq!(world.payment(&id).await.status, Status::Open, "{name}");
        let heard = world.hear(&world.paid(&id).await).await;
        assert_eq!(heard, Heard::Did(Effect::Done), "{name}");
        assert_eq!(world.balance().await, "0", "{name}: it came and went");
        assert_eq!(world.payment(&id).await.refunded, usd("20"), "{name}");
        world.store.unfreeze(&world.account).await.unwrap();
    }
    world.audit().await;
}

#[tokio::test]
async fn a_refund_that_the_operator_makes_at_the_processor_takes_the_credit_once() {
    let world = World::new().await;
    let id = world.buy("100").await;
    let made = refund(&world, &id, 4_000).await;
    for (event_id, kind, expected) in [
        ("evt_1", "refund.created", Effect::Waits),
        ("evt_2", "refund.updated", Effect::Before),
        ("evt_1", "refund.created", Effect::Told),
    ] {
        let heard = world.hear(&event(event_id, kind, made.clone())).await;
        assert_eq!(heard, Heard::Did(expected), "{event_id} {kind}");
    }
    assert_eq!(world.balance().await, "60");
    let standing = world.store.standing(&world.account).await.unwrap().unwrap();
    assert!(standing.frozen.is_none(), "that is no dispute");
    // Ours gives back the rest, and no more.
    let ours = world.purchases.refund(&by(&world.account), &id).await.unwrap();
    assert_eq!(ours.amount, usd("60"));
    world.audit().await;
}

#[tokio::test]
async fn a_dispute_that_is_won_brings_the_credit_back() {
    let world = World::new().await;
    let id = world.buy("100").await;
    let disputed = dispute(&world, &id, 10_550).await;
    world.hear(&event("evt_1", "charge.dispute.created", disputed.clone())).await;
    let won = event("evt_2", "charge.dispute.funds_reinstated", disputed);
    assert_eq!(world.hear(&won).await, Heard::Did(Effect::Done));
    assert_eq!(world.balance().await, "100");
    let standing = world.store.standing(&world.account).await.unwrap().unwrap();
    assert!(standing.frozen.is_some(), "an operator decides that");
    world.audit().await;
}

#[tokio::test]
async fn money_of_nobody_here_takes_nothing() {
    let world = World::new().await;
    world.buy("100").await;
    let stray = json!({"id": "re_1", "status": "succeeded", "amount": 5_000, "currency": "usd",
        "payment_intent": "pi_of_another_shop"});
    let heard = world.hear(&event("evt_1", "refund.created", stray.clone())).await;
    assert_eq!(heard, Heard::Did(Effect::Waits), "its payment may still come");
    let mut none = stray;
    none["payment_intent"] = json!(null);
    assert_eq!(world.hear(&event("evt_2", "refund.created", none)).await, Heard::Kept);
    world.purchases.round().await;
    assert_eq!(world.balance().await, "100");
}
