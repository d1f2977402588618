//! Accounts that pay afterwards.

use std::time::Duration;

use signalbox_core::time::ResetInterval;
use signalbox_core::{Timestamp, Usd};
use signalbox_runtime::Clock;
use signalbox_store::{Ledger, Posted, Refused};

use crate::movements::{balance, refused};
use crate::world::{World, usd};

fn month(at: Timestamp) -> (Timestamp, Timestamp) {
    let start = at.window_start(ResetInterval::Monthly);
    (start, start.plus_millis(35 * 86_400_000).window_start(ResetInterval::Monthly))
}

#[tokio::test]
async fn every_charge_is_on_one_invoice_and_credit_is_used_up_first() {
    let world = World::new().await;
    let store = &world.store;
    let ann = world.account(100).await;
    store.set_line(&ann, usd(1000)).await.unwrap();
    let key = world.key(&ann, None, None).await;
    let ledger = Ledger::open(store).await.unwrap();
    let spend = async |cost: i64| {
        world.warm(&ledger, &key).await.unwrap();
        world.spend(&ledger, &key, cost, cost).await;
    };
    let august = month(world.clock.now());
    spend(250).await;
    let early = store.issue_invoice("inv1", &ann, august).await;
    assert_eq!(refused(early), Refused::Period, "August has not ended");
    world.clock.advance(Duration::from_secs(31 * 86_400));
    let september = month(world.clock.now());
    assert_eq!(august.1, september.0);
    spend(70).await;
    let first = store.issue_invoice("inv1", &ann, august).await.unwrap();
    assert_eq!((first.amount, first.status.as_str()), (usd(150), "open"));
    let again = store.issue_invoice("other", &ann, august).await.unwrap();
    assert_eq!(again, first, "a period is billed once");

    assert_eq!(store.settle_invoice("inv1", "ops").await.unwrap(), Posted::Now);
    assert_eq!(store.settle_invoice("inv1", "ops").await.unwrap(), Posted::Before);
    let now = balance(store, &ann).await;
    assert_eq!((now.credited, now.posted()), (usd(250), usd(-70)));
    assert!(!store.void_invoice("inv1").await.unwrap(), "it is paid");

    world.clock.advance(Duration::from_secs(31 * 86_400));
    let second = store.issue_invoice("inv2", &ann, september).await.unwrap();
    assert_eq!(second.amount, usd(70));
    assert!(store.void_invoice("inv2").await.unwrap());
    assert_eq!(refused(store.settle_invoice("inv2", "ops").await), Refused::UnknownInvoice);
    let october = month(world.clock.now());
    world.clock.advance(Duration::from_secs(31 * 86_400));
    let third = store.issue_invoice("inv3", &ann, october).await.unwrap();
    assert_eq!(third.amount, usd(70), "what was taken back is on the next one");
    assert_eq!(store.invoices(&ann).await.unwrap().len(), 3);
    ledger.shutdown().await.unwrap();
}

/// A charge may wait in the outbox of another machine for as long as it likes.
#[tokio::test]
async fn a_charge_that_is_posted_after_its_month_was_billed_is_on_the_next_invoice() {
    let world = World::new().await;
    let store = &world.store;
    let ann = world.account(0).await;
    store.set_line(&ann, usd(1000)).await.unwrap();
    let key = world.key(&ann, None, None).await;
    // A gateway that is cut off: for it, it stays August.
    let cut_off = world.again_at(Clock::manual(world.clock.now())).await;
    let late = Ledger::open(&cut_off).await.unwrap();
    world.warm(&late, &key).await.unwrap();
    let held = [45, 7].map(|cost| (cost, late.reserve(&world.request(&key, cost)).unwrap()));
    let [first, second] = held;
    let post = async |(cost, hold)| {
        late.settle(hold, usd(cost), world.row(cost)).await.unwrap();
        late.flush().await.unwrap();
    };
    let ledger = Ledger::open(store).await.unwrap();
    let mut billed = Vec::new();
    let mut bill = async |spent: i64| {
        if spent > 0 {
            world.warm(&ledger, &key).await.unwrap();
            world.spend(&ledger, &key, spent, spent).await;
            ledger.flush().await.unwrap();
        }
        let period = month(world.clock.now());
        world.clock.advance(Duration::from_secs(31 * 86_400));
        let id = format!("inv-{}", billed.len());
        billed.push(store.issue_invoice(&id, &ann, period).await.unwrap().amount);
    };
    bill(30).await;
    post(first).await;
    bill(0).await;
    bill(11).await;
    post(second).await;
    bill(0).await;
    bill(0).await;
    assert_eq!(billed, [30, 45, 11, 7, 0].map(usd));
    let charged = balance(store, &ann).await.charged;
    assert_eq!(charged, usd(93), "every charge is on one invoice");
    late.shutdown().await.unwrap();
    ledger.shutdown().await.unwrap();
}

#[tokio::test]
async fn a_line_is_not_taken_back_below_what_is_owed() {
    let world = World::new().await;
    let store = &world.store;
    let ann = world.account(0).await;
    store.set_line(&ann, usd(100)).await.unwrap();
    let key = world.key(&ann, None, None).await;
    let ledger = Ledger::open(store).await.unwrap();
    world.warm(&ledger, &key).await.unwrap();
    world.spend(&ledger, &key, 60, 60).await;
    ledger.shutdown().await.unwrap();
    let short = refused(store.set_line(&ann, usd(59)).await);
    assert_eq!(short, Refused::Insufficient { available: usd(-60) });
    store.set_line(&ann, usd(60)).await.unwrap();
    assert_eq!(refused(store.set_line(&ann, usd(-1)).await), Refused::Amount);
    assert_eq!(balance(store, &ann).await.line, usd(60));
    assert_eq!(
        store
            .issue_invoice("i", &ann, (Timestamp::default(), Timestamp::default()))
            .await
            .map_err(|e| e.to_string()),
        Err("the period has not ended".to_owned())
    );
    assert_eq!(balance(store, &ann).await.posted().saturating_add(usd(60)), Usd::ZERO);
}
