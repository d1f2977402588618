//! Credit that one account gives to another.

use signalbox_core::Usd;
use signalbox_core::id::AccountId;
use signalbox_store::idempotency::{Answer, Once, Remembered};
use signalbox_store::transfers::Wish;
use signalbox_store::{Actor, By};
use signalbox_store::{Balance, Dispute, House, Ledger, Movement, Refused};

use crate::movements::{balance, refused};
use crate::world::{World, usd};

pub fn by(account: &AccountId) -> By {
    By { account: account.clone(), actor: Actor::Operator("ann".to_owned()), address: None }
}

pub fn wish(id: &str, from: &AccountId, to: &AccountId, amount: i64) -> Wish {
    Wish {
        id: id.to_owned(),
        from: from.clone(),
        to: to.clone(),
        amount: usd(amount),
        reason: "gift".to_owned(),
        by: by(from),
        any_credit: false,
    }
}

pub fn told(balance: Balance) -> Answer {
    Answer { status: 200, body: balance.posted().to_string() }
}

pub async fn buy(world: &World, account: &AccountId, amount: i64) {
    let id = format!("pay{}", signalbox_runtime::entropy::dice());
    let movement = Movement::purchase(&id, House::Stripe, account, usd(amount), world.clock.now());
    world.store.post_movement(movement).await.unwrap();
}

#[tokio::test]
async fn only_what_was_purchased_and_is_left_can_be_given_away() {
    let world = World::new().await;
    let store = &world.store;
    let ann = world.account(30).await;
    let eve = world.account(0).await;
    let short = refused(store.transfer(wish("1", &ann, &eve, 10), None, told).await);
    assert_eq!(short, Refused::Insufficient { available: Usd::ZERO }, "granted credit stays");
    buy(&world, &ann, 50).await;
    let short = refused(store.transfer(wish("1", &ann, &eve, 51), None, told).await);
    assert_eq!(short, Refused::Insufficient { available: usd(50) });
    let given = store.transfer(wish("1", &ann, &eve, 30), None, told).await.unwrap();
    assert_eq!(given, Remembered::Now(Answer { status: 200, body: usd(50).to_string() }));
    // What left counts as the oldest credit, the granted one: all that was bought is still there.
    let any = Wish { any_credit: true, ..wish("2", &ann, &eve, 50) };
    store.transfer(any, None, told).await.unwrap();
    assert_eq!(balance(store, &ann).await.posted(), Usd::ZERO);
    assert_eq!(balance(store, &eve).await.posted(), usd(80));
}

#[tokio::test]
async fn a_transfer_has_two_accounts_that_may_take_part() {
    let world = World::new().await;
    let store = &world.store;
    let ann = world.account(0).await;
    let eve = world.account(0).await;
    buy(&world, &ann, 50).await;
    let transfer =
        async |from, to| refused(store.transfer(wish("1", from, to, 5), None, told).await);
    assert_eq!(transfer(&ann, &ann).await, Refused::Itself);
    let nobody = AccountId::new("acc_x");
    assert_eq!(transfer(&ann, &nobody).await, Refused::UnknownAccount("acc_x".to_owned()));
    assert_eq!(transfer(&nobody, &ann).await, Refused::UnknownAccount("acc_x".to_owned()));
    store.set_line(&eve, usd(1000)).await.unwrap();
    assert_eq!(transfer(&ann, &eve).await, Refused::Invoiced);
    store.set_line(&eve, Usd::ZERO).await.unwrap();
    store.freeze(&ann, "why").await.unwrap();
    assert_eq!(transfer(&ann, &eve).await, Refused::Frozen);
    store.unfreeze(&ann).await.unwrap();
    store.transfer(wish("1", &ann, &eve, 5), None, told).await.unwrap();
}

#[tokio::test]
async fn a_transfer_with_an_idempotency_key_happens_once() {
    let world = World::new().await;
    let store = &world.store;
    let ann = world.account(0).await;
    let eve = world.account(0).await;
    buy(&world, &ann, 50).await;
    let once = |hash: &str| Once {
        account: ann.clone(),
        key: "k".to_owned(),
        request_hash: hash.to_owned(),
    };
    // A refusal is no effect: the key stays good.
    let short = store.transfer(wish("k", &ann, &eve, 60), Some(once("60")), told).await;
    assert_eq!(refused(short), Refused::Insufficient { available: usd(50) });
    let first = store.transfer(wish("k", &ann, &eve, 20), Some(once("20")), told).await.unwrap();
    let again = store.transfer(wish("k", &ann, &eve, 20), Some(once("20")), told).await.unwrap();
    assert_eq!((&again, first.clone()), (&Remembered::Before(first.clone().answer()), first));
    let other = store.transfer(wish("k", &ann, &eve, 21), Some(once("21")), told).await;
    assert_eq!(refused(other), Refused::OtherRequest);
    assert_eq!(balance(store, &eve).await.credited, usd(20));
}

#[tokio::test]
async fn money_that_a_running_process_leases_is_given_back_for_a_transfer() {
    let world = World::new().await;
    let ann = world.account(0).await;
    let eve = world.account(0).await;
    buy(&world, &ann, 1_000_000).await;
    let key = world.key(&ann, None, None).await;
    let serving = world.again().await;
    let ledger = Ledger::open(&serving).await.unwrap();
    world.warm(&ledger, &key).await.unwrap();
    assert_eq!(ledger.available(&ann), Some(usd(1_000_000)), "all of it is leased");
    world.store.transfer(wish("t", &ann, &eve, 400_000), None, told).await.unwrap();
    assert_eq!(balance(&world.store, &eve).await.posted(), usd(400_000));
    assert!(ledger.available(&ann).unwrap() <= usd(600_000));
    ledger.shutdown().await.unwrap();
}

#[tokio::test]
async fn money_that_is_held_for_a_running_request_stays_with_it() {
    let world = World::new().await;
    let (ann, eve, bob) =
        (world.account(0).await, world.account(0).await, world.account(100).await);
    buy(&world, &ann, 100).await;
    let (key, other) = (world.key(&ann, None, None).await, world.key(&bob, None, None).await);
    let serving = world.again().await;
    let ledger = Ledger::open(&serving).await.unwrap();
    world.warm(&ledger, &key).await.unwrap();
    world.warm(&ledger, &other).await.unwrap();
    let held = ledger.reserve_or_refill(&world.request(&key, 40)).await.unwrap();
    let theirs = ledger.reserve_or_refill(&world.request(&other, 40)).await.unwrap();
    let dispute = Dispute {
        event: "e".to_owned(),
        account: bob.clone(),
        amount: usd(100),
        reason: "disputed".to_owned(),
        at: world.clock.now(),
    };
    // Both wait for the processes that lease the money, and no longer than three seconds.
    let (moved, charged_back) = tokio::join!(
        world.store.transfer(wish("t", &ann, &eve, 61), None, told),
        world.store.charge_back(dispute),
    );
    assert!(matches!(refused(moved), Refused::InUse { leased } if leased >= usd(40)));
    let charged_back = charged_back.unwrap();
    assert_eq!((charged_back.taken, charged_back.owed), (usd(60), usd(40)));
    world.store.transfer(wish("t", &ann, &eve, 60), None, told).await.unwrap();
    for hold in [held, theirs] {
        let settled = ledger.settle(hold, usd(40), world.row(40)).await.unwrap();
        assert_eq!(settled.charged, usd(40), "what was held is there to be charged");
    }
    ledger.shutdown().await.unwrap();
    for account in [&ann, &bob] {
        assert_eq!(balance(&world.store, account).await.posted(), Usd::ZERO);
    }
}
