//! Refunds that are asked for here (platform spec 4.4).

use serde_json::json;
use signalbox_core::ApiError;
use signalbox_platform::purchase::Heard;
use signalbox_store::Movement;
use signalbox_store::payments::{Effect, Status};

use crate::peer::Fault;
use crate::world::{World, by, event, usd};

const REFUNDS: &str = "/v1/refunds";

/// Uses credit up, as far as the rows know.
async fn spend(world: &World, amount: &str) {
    let change = usd(&format!("-{amount}"));
    let id = format!("spent-{amount}");
    let movement = Movement::adjustment(&id, &world.account, change, world.clock.now());
    world.store.post_movement(movement).await.unwrap();
}

#[tokio::test]
async fn an_untouched_purchase_goes_back_whole_and_the_fee_is_kept() {
    let world = World::new().await;
    let id = world.buy("100").await;
    let refund = world.purchases.refund(&by(&world.account), &id).await.unwrap();
    assert_eq!((refund.amount, refund.status), (usd("100"), "done"));
    let calls = world.peer.calls("POST", REFUNDS);
    assert_eq!((calls.len(), calls[0].fields["amount"].as_str()), (1, "10000"));
    assert_eq!(calls[0].key.as_deref(), Some(refund.id.as_str()));
    assert_eq!(world.balance().await, "0");
    assert_eq!(world.payment(&id).await.status, Status::Refunded);
    let again = world.purchases.refund(&by(&world.account), &id).await.unwrap_err();
    assert_eq!(ApiError::from(again).status(), 409);
    assert_eq!(world.acts().await, ["credit.refund", "credit.checkout"]);
    // The event that tells of it changes nothing.
    let made = world.peer.things("re")[0].clone();
    let heard = world.hear(&event("evt_1", "refund.created", made)).await;
    assert_eq!(heard, Heard::Did(Effect::Before));
    assert_eq!(world.balance().await, "0");
    world.audit().await;
}

#[tokio::test]
async fn what_was_used_is_not_given_back() {
    let world = World::new().await;
    let id = world.buy("100").await;
    spend(&world, "30").await;
    let refund = world.purchases.refund(&by(&world.account), &id).await.unwrap();
    assert_eq!(refund.amount, usd("70"));
    assert_eq!(world.balance().await, "0");
    let payment = world.payment(&id).await;
    assert_eq!((payment.status, payment.refunded), (Status::Paid, usd("70")));
    let again = world.purchases.refund(&by(&world.account), &id).await.unwrap_err();
    assert_eq!(again.to_string(), "Nothing of this purchase is unused");
    world.audit().await;
}

#[tokio::test]
async fn older_credit_is_used_first() {
    let world = World::new().await;
    let (first, second) = (world.buy("50").await, world.buy("20").await);
    spend(&world, "40").await;
    let refund = async |id: &str| world.purchases.refund(&by(&world.account), id).await;
    assert_eq!(refund(&second).await.unwrap().amount, usd("20"));
    assert_eq!(refund(&first).await.unwrap().amount, usd("10"));
    assert_eq!(world.balance().await, "0");
    world.audit().await;
}

#[tokio::test]
async fn a_day_later_nothing_is_given_back() {
    let world = World::new().await;
    let (first, second) = (world.buy("50").await, world.buy("20").await);
    world.pass(24 * 3600);
    assert!(world.purchases.refund(&by(&world.account), &first).await.is_ok(), "to the second");
    world.pass(1);
    let late = world.purchases.refund(&by(&world.account), &second).await.unwrap_err();
    assert_eq!(late.to_string(), "A purchase can be refunded within 24 hours");
    assert_eq!(world.balance().await, "20");
}

#[tokio::test]
async fn parts_of_a_cent_stay() {
    let world = World::new().await;
    let id = world.buy("10").await;
    spend(&world, "0.000000001").await;
    let refund = world.purchases.refund(&by(&world.account), &id).await.unwrap();
    assert_eq!(refund.amount, usd("9.99"));
    assert_eq!(world.balance().await, "0.009999999");
}

#[tokio::test]
async fn twenty_wishes_at_once_are_one_refund() {
    let world = World::new().await;
    let id = world.buy("100").await;
    let (_store, other) = world.again().await;
    let mut tasks = Vec::new();
    for at in 0..20 {
        let purchases = if at % 2 == 0 { world.purchases.clone() } else { other.clone() };
        let (account, id) = (world.account.clone(), id.clone());
        tasks.push(signalbox_runtime::task::spawn("refund", async move {
            purchases.refund(&by(&account), &id).await.is_ok()
        }));
    }
    let mut done = 0;
    for task in tasks {
        done += usize::from(task.await.unwrap().unwrap());
    }
    assert_eq!((done, world.peer.things("re").len()), (1, 1));
    assert_eq!(world.balance().await, "0");
    world.audit().await;
}

#[tokio::test]
async fn a_refund_whose_answer_was_lost_is_gone_on_with_and_never_doubled() {
    for (name, fault, forget) in [
        ("not received", Fault::Status(503), false),
        ("done, answer lost", Fault::Lost, false),
        ("done, answer lost, the key forgotten", Fault::Lost, true),
    ] {
        let world = World::new().await;
        let id = world.buy("100").await;
        world.peer.fail_next(REFUNDS, fault);
        let refund = world.purchases.refund(&by(&world.account), &id).await.unwrap();
        assert_eq!(refund.status, "pending", "{name}");
        assert_eq!(world.balance().await, "0", "{name}: the money left the account first");
        if forget {
            world.peer.forget_keys();
        }
        world.pass(121);
        let (store, other) = world.again().await;
        other.round().await;
        other.round().await;
        let made = world.peer.things("re");
        assert_eq!(made.len(), 1, "{name}: one refund at the processor");
        let reversals = store.reversals_of(&id).await.unwrap();
        assert_eq!((reversals.len(), reversals[0].status.as_str()), (1, "done"), "{name}");
        assert_eq!(world.balance().await, "0", "{name}");
        world.audit().await;
    }
}

#[tokio::test]
async fn a_refund_that_the_processor_refuses_brings_the_credit_back_and_may_be_tried_again() {
    let world = World::new().await;
    let id = world.buy("100").await;
    world.peer.fail_next(REFUNDS, Fault::Status(400));
    let error = world.purchases.refund(&by(&world.account), &id).await.unwrap_err();
    assert_eq!(ApiError::from(error).status(), 502);
    assert_eq!(world.balance().await, "100");
    assert_eq!(world.payment(&id).await.status, Status::Paid);
    let refund = world.purchases.refund(&by(&world.account), &id).await.unwrap();
    assert_eq!(refund.amount, usd("100"));
    assert_eq!(world.balance().await, "0");
    world.audit().await;
}

#[tokio::test]
async fn a_refund_that_fails_later_at_the_bank_brings_the_credit_back_once() {
    let world = World::new().await;
    let id = world.buy("100").await;
    world.purchases.refund(&by(&world.account), &id).await.unwrap();
    let mut made = world.peer.things("re")[0].clone();
    made["status"] = json!("failed");
    made["failure_reason"] = json!("lost_or_stolen_card");
    for (event_id, expected) in [("evt_1", Effect::Done), ("evt_2", Effect::Before)] {
        let heard = world.hear(&event(event_id, "refund.failed", made.clone())).await;
        assert_eq!(heard, Heard::Did(expected));
    }
    assert_eq!(world.balance().await, "100");
    world.audit().await;
}
