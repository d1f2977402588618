//! Purchases in storage: whoever is told whatever how often, in whichever process, one effect.

use std::sync::Arc;

use signalbox_core::Usd;
use signalbox_core::id::AccountId;
use signalbox_runtime::task;
use signalbox_store::Store;
use signalbox_store::payments::{
    Claimed, Effect, EventMark, Payment, Rail, Receipt, Refs, Refund, Status,
};

use crate::movements::balance;
use crate::transfers::by;
use crate::world::{CENT, World, usd};

fn order(world: &World, id: &str, account: &AccountId, automatic: bool) -> Payment {
    Payment {
        id: id.to_owned(),
        account: account.clone(),
        rail: Rail::Stripe,
        status: Status::Open,
        amount: usd(2_500 * CENT),
        fee: usd(138 * CENT),
        tax: Usd::ZERO,
        refunded: Usd::ZERO,
        currency: "usd".to_owned(),
        automatic,
        session_ref: None,
        intent_ref: None,
        failure: None,
        receipt_url: None,
        created_at: world.clock.now(),
        paid_at: None,
    }
}

fn receipt(event: &str, payment: &str) -> Receipt {
    let event = EventMark { id: event.to_owned(), kind: "paid".to_owned() };
    let intent = Some(format!("pi_{payment}"));
    Receipt {
        event: Some(event),
        refs: Refs { payment: Some(payment.to_owned()), session: None, intent },
        rail: Rail::Stripe,
        currency: "usd".to_owned(),
        total: usd(2_638 * CENT),
        tax: Usd::ZERO,
    }
}

/// Does it this often at once, in two processes by turns; answers what each came to.
async fn rush<T, F, A>(world: &Arc<World>, times: usize, work: F) -> Vec<T>
where
    T: Send + 'static,
    F: Fn(Store, usize) -> A,
    A: Future<Output = T> + Send + 'static,
{
    let other = world.again().await;
    let one = |at: usize| {
        let store = if at.is_multiple_of(2) { world.store.clone() } else { other.clone() };
        task::spawn("rush", work(store, at))
    };
    let tasks: Vec<_> = (0..times).map(one).collect();
    let mut done = Vec::new();
    for task in tasks {
        done.push(task.await.unwrap().unwrap());
    }
    done
}

#[tokio::test]
async fn a_payment_that_is_told_a_hundred_times_in_two_processes_is_one_credit() {
    let world = Arc::new(World::new().await);
    let account = world.account(0).await;
    world
        .store
        .create_payment(by(&account), order(&world, "pay_1", &account, false))
        .await
        .unwrap();
    // Ten events, each of them ten times.
    let effects = rush(&world, 100, |store, at| async move {
        store.pay(receipt(&format!("evt_{}", at % 10), "pay_1")).await.unwrap()
    })
    .await;
    let count = |wanted| effects.iter().filter(|one| **one == wanted).count();
    assert_eq!((count(Effect::Done), count(Effect::Before), count(Effect::Told)), (1, 9, 90));
    assert_eq!(balance(&world.store, &account).await.posted(), usd(2_500 * CENT));
    assert!(world.audit().await.is_clean());
}

#[tokio::test]
async fn twenty_crossings_in_two_processes_begin_one_top_up() {
    let world = Arc::new(World::new().await);
    let account = world.account(0).await;
    let (threshold, amount) = (usd(200 * CENT), usd(2_500 * CENT));
    world.store.set_top_up_rule(by(&account), threshold, amount, true).await.unwrap();
    let claims = rush(&world, 20, |store, at| {
        let payment = order(&world, &format!("pay_{at}"), &account, true);
        async move { store.begin_top_up(payment).await.unwrap() }
    })
    .await;
    assert_eq!(claims.iter().filter(|one| **one == Claimed::Now).count(), 1);
    let (payments, count) = world.store.payments_of(&account, 0, 50).await.unwrap();
    assert_eq!(count, 1);
    let rule = world.store.top_up_rule(&account).await.unwrap().unwrap();
    assert_eq!(rule.attempt.as_deref(), Some(payments[0].id.as_str()));
    let paid = receipt("evt_1", &payments[0].id);
    assert_eq!(world.store.pay(paid).await.unwrap(), Effect::Done);
    let rule = world.store.top_up_rule(&account).await.unwrap().unwrap();
    assert_eq!(rule.attempt, None);
    assert_eq!(balance(&world.store, &account).await.posted(), usd(2_500 * CENT));
}

#[tokio::test]
async fn twenty_wishes_in_two_processes_begin_one_refund() {
    let world = Arc::new(World::new().await);
    let account = world.account(0).await;
    world
        .store
        .create_payment(by(&account), order(&world, "pay_1", &account, false))
        .await
        .unwrap();
    world.store.pay(receipt("evt_1", "pay_1")).await.unwrap();
    let before = world.clock.now().plus_millis(-1000);
    let refunds = rush(&world, 20, |store, _| {
        let account = account.clone();
        async move { store.begin_refund(&by(&account), "pay_1", before).await.unwrap() }
    })
    .await;
    let begun = |one: &&Refund| matches!(one, Refund::Begun(_));
    assert_eq!(refunds.iter().filter(begun).count(), 1);
    assert_eq!(balance(&world.store, &account).await.posted(), Usd::ZERO);
    assert_eq!(world.store.reversals_of("pay_1").await.unwrap().len(), 1);
    assert!(world.store.finish_refund("refund:pay_1:1", "re_1").await.unwrap());
    assert!(!world.store.finish_refund("refund:pay_1:1", "re_1").await.unwrap());
    assert!(world.audit().await.is_clean());
}
