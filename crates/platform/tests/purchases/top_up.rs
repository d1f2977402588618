//! Automatic top-ups (platform spec 4.3; reliability design, test 28).

use serde_json::json;
use signalbox_core::ApiError;
use signalbox_platform::purchase::{Heard, Look, RuleWish};
use signalbox_runtime::task;
use signalbox_store::payments::{Effect, Status};

use crate::peer::Fault;
use crate::world::{World, by, event, usd};

const INTENTS: &str = "/v1/payment_intents";

async fn tell_success(world: &World, nth: usize) -> Heard {
    let intent = world.peer.things("pi")[nth].clone();
    world.hear(&event(&format!("evt_top_up_{nth}"), "payment_intent.succeeded", intent)).await
}

#[tokio::test]
async fn twenty_crossings_at_once_in_two_processes_charge_the_card_once() {
    let world = World::new().await;
    world.rule().await;
    let (_store, other) = world.again().await;
    let mut tasks = Vec::new();
    for at in 0..20 {
        let purchases = if at % 2 == 0 { world.purchases.clone() } else { other.clone() };
        let account = world.account.clone();
        tasks.push(task::spawn("look", async move { purchases.look(&account).await.unwrap() }));
    }
    let mut tried = 0;
    for task in tasks {
        tried += usize::from(task.await.unwrap().unwrap() == Look::Tried);
    }
    assert_eq!((tried, world.peer.calls("POST", INTENTS).len()), (1, 1));
    assert_eq!(world.balance().await, "0", "an answer is no event");
    assert_eq!(tell_success(&world, 0).await, Heard::Did(Effect::Done));
    assert_eq!(world.balance().await, "25");
    assert_eq!(world.purchases.look(&world.account).await.unwrap(), Look::Fine, "it is enough now");
    let call = &world.peer.calls("POST", INTENTS)[0];
    for (name, expected) in [
        ("amount", "2638"),
        ("off_session", "true"),
        ("confirm", "true"),
        ("payment_method", "pm_1"),
    ] {
        assert_eq!(call.fields[name], expected, "{name}");
    }
    world.audit().await;
}

#[tokio::test]
async fn an_attempt_in_flight_is_the_only_one_even_for_a_new_rule() {
    let world = World::new().await;
    world.rule().await;
    assert_eq!(world.purchases.look(&world.account).await.unwrap(), Look::Tried);
    assert_eq!(world.purchases.look(&world.account).await.unwrap(), Look::Fine);
    world.purchases.drop_rule(&by(&world.account)).await.unwrap();
    world.rule().await;
    let acts = ["top_up.set", "top_up.delete", "top_up.set", "credit.checkout"];
    assert_eq!(world.acts().await, acts);
    assert_eq!(world.purchases.look(&world.account).await.unwrap(), Look::Fine);
    assert_eq!(world.peer.calls("POST", INTENTS).len(), 1);
    tell_success(&world, 0).await;
    assert_eq!(world.balance().await, "25");
}

#[tokio::test]
async fn declines_rest_longer_each_time_and_end_with_a_reason() {
    let world = World::new().await;
    world.rule().await;
    for (nth, rest) in [(1, 600), (2, 3600), (3, 0)] {
        world.peer.fail_next(INTENTS, Fault::Declined);
        assert_eq!(world.purchases.look(&world.account).await.unwrap(), Look::Tried, "{nth}");
        let rule = world.purchases.rule(&world.account).await.unwrap();
        assert_eq!((rule.failures, rule.enabled), (nth, nth < 3));
        assert_eq!(rule.in_flight, None);
        // The event that tells the same changes nothing.
        let intent = &world.peer.things("pi")[usize::try_from(nth - 1).unwrap()];
        let mut failed = intent.clone();
        failed["metadata"]["by"] = json!("top_up");
        let told = event(&format!("evt_{nth}"), "payment_intent.payment_failed", failed);
        assert_eq!(world.hear(&told).await, Heard::Did(Effect::Before));
        world.pass(rest.max(1) - 1);
        assert_eq!(world.purchases.look(&world.account).await.unwrap(), Look::Fine, "it rests");
        world.pass(1);
    }
    world.pass(86_400);
    assert_eq!(world.purchases.look(&world.account).await.unwrap(), Look::Fine);
    let rule = world.purchases.rule(&world.account).await.unwrap();
    let reason = rule.disabled_reason.unwrap();
    assert_eq!(reason, "3 payments in a row failed: insufficient_funds");
    assert_eq!(world.peer.calls("POST", INTENTS).len(), 3);
    world.rule().await;
    assert_eq!(world.purchases.look(&world.account).await.unwrap(), Look::Tried, "set anew");
    tell_success(&world, 3).await;
    assert_eq!(world.balance().await, "25");
}

#[tokio::test]
async fn a_lost_answer_is_asked_for_under_the_same_name() {
    let world = World::new().await;
    world.rule().await;
    world.peer.fail_next(INTENTS, Fault::Lost);
    assert_eq!(world.purchases.look(&world.account).await.unwrap(), Look::Tried);
    world.purchases.round().await;
    assert_eq!(world.peer.calls("POST", INTENTS).len(), 1, "it may still be under way");
    world.pass(121);
    let (_store, other) = world.again().await;
    other.round().await;
    let calls = world.peer.calls("POST", INTENTS);
    assert_eq!((calls.len(), calls[0].key == calls[1].key), (2, true));
    assert_eq!(world.peer.things("pi").len(), 1, "one charge");
    // And the event never comes.
    other.round().await;
    assert_eq!(world.balance().await, "25");
    tell_success(&world, 0).await;
    assert_eq!(world.balance().await, "25");
    world.audit().await;
}

#[tokio::test]
async fn an_attempt_that_the_processor_has_forgotten_by_its_key_is_found_by_its_name() {
    let world = World::new().await;
    world.rule().await;
    world.peer.fail_next(INTENTS, Fault::Lost);
    world.purchases.look(&world.account).await.unwrap();
    world.pass(25 * 3600);
    world.peer.forget_keys();
    world.purchases.round().await;
    assert_eq!(world.peer.things("pi").len(), 1, "one charge");
    assert_eq!(world.balance().await, "25");
    world.audit().await;
}

#[tokio::test]
async fn a_rule_needs_a_card_of_its_own_account() {
    let world = World::new().await;
    let wish = |method: Option<&str>| RuleWish {
        threshold: usd("2"),
        amount: usd("25"),
        enabled: true,
        method: method.map(str::to_owned),
    };
    let set = async |method| {
        let done = world.purchases.set_rule(&by(&world.account), wish(method)).await;
        ApiError::from(done.unwrap_err())
    };
    assert!(set(None).await.message.contains("no card"));
    world.checkout("10").await;
    world.peer.add(json!({"id": "pm_9", "customer": "cus_of_somebody_else"}));
    assert!(set(Some("pm_9")).await.message.contains("no card of this account"));
    assert!(set(Some("pm_404")).await.message.contains("no card of this account"));
    let small = RuleWish { amount: usd("1"), ..wish(None) };
    assert!(world.purchases.set_rule(&by(&world.account), small).await.is_err());
    assert!(world.purchases.rule(&world.account).await.is_err());
}

#[tokio::test]
async fn a_purchase_with_the_wish_keeps_its_card() {
    let world = World::new().await;
    let offer = world.checkout("10").await;
    let customer = world.store.customer(&world.account).await.unwrap().unwrap().customer_ref;
    let metadata = json!({"payment": offer.purchase.id, "by": "checkout", "keep_card": "yes"});
    let intent = json!({"id": "pi_1", "amount_received": 1080, "currency": "usd",
        "customer": customer, "payment_method": "pm_kept", "metadata": metadata});
    let heard = world.hear(&event("evt_1", "payment_intent.succeeded", intent)).await;
    assert_eq!(heard, Heard::Did(Effect::Done));
    let kept = world.store.customer(&world.account).await.unwrap().unwrap().method_ref;
    assert_eq!(kept.as_deref(), Some("pm_kept"));
    assert_eq!(world.payment(&offer.purchase.id).await.status, Status::Paid);
}

#[tokio::test]
async fn a_frozen_account_and_a_removed_rule_buy_nothing() {
    let world = World::new().await;
    world.rule().await;
    world.store.freeze(&world.account, "a dispute").await.unwrap();
    assert_eq!(world.purchases.look(&world.account).await.unwrap(), Look::Fine);
    let rule = world.purchases.rule(&world.account).await.unwrap();
    assert_eq!(rule.disabled_reason.as_deref(), Some("the account is frozen"));
    world.purchases.drop_rule(&by(&world.account)).await.unwrap();
    assert_eq!(world.purchases.look(&world.account).await.unwrap(), Look::Fine);
    assert!(world.peer.calls("POST", INTENTS).is_empty());
}
