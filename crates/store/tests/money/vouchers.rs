//! A voucher is redeemed once by each account, and no more often than it has uses.

use std::sync::Arc;
use std::time::Duration;

use signalbox_core::Usd;
use signalbox_runtime::task;
use signalbox_store::idempotency::Answer;
use signalbox_store::vouchers::{NotRedeemed, VoucherRow};
use signalbox_store::{Refused, Store, StoreError};

use crate::movements::{balance, refused};
use crate::world::{World, usd};

async fn voucher(world: &World, code_hash: &str, uses: i64) {
    let now = world.clock.now();
    let voucher = VoucherRow {
        code_hash: code_hash.to_owned(),
        amount: usd(500),
        uses,
        redeemed: 0,
        expires_at: Some(now.plus_millis(60_000)),
        reason: "fair".to_owned(),
        operator: "ops".to_owned(),
        created_at: now,
    };
    world.store.create_voucher(voucher).await.unwrap();
}

fn told(amount: Usd) -> Answer {
    Answer { status: 200, body: amount.to_string() }
}

/// 200 redemptions at once from 50 accounts, over two processes; answers how many were paid out.
async fn rush(uses: i64) -> usize {
    let world = Arc::new(World::new().await);
    voucher(&world, "code", uses).await;
    let other = world.again().await;
    let mut accounts = Vec::new();
    for _ in 0..50 {
        accounts.push(world.account(0).await);
    }
    let tasks: Vec<_> = (0..200)
        .map(|n| {
            let store: Store = if n % 2 == 0 { world.store.clone() } else { other.clone() };
            let account = accounts[n % 50].clone();
            task::spawn("redeem", async move {
                store.redeem("code", crate::transfers::by(&account), None, told).await
            })
        })
        .collect();
    let (mut paid, mut again) = (0, 0);
    for task in tasks {
        match task.await.unwrap().unwrap() {
            Ok(_) => paid += 1,
            Err(StoreError::Refused(Refused::Voucher(NotRedeemed::UsedUp))) => {}
            Err(StoreError::Refused(Refused::Voucher(NotRedeemed::Already))) => again += 1,
            Err(other) => panic!("{other}"),
        }
    }
    let mut credited = 0;
    for account in &accounts {
        let balance = balance(&world.store, account).await;
        assert!(balance.credited <= usd(500), "once for each account");
        credited += usize::from(balance.credited == usd(500));
    }
    assert_eq!(credited, paid);
    assert!(uses < 50 || again == 150, "{again}");
    let listed = world.store.vouchers().await.unwrap();
    assert_eq!(listed[0].redeemed, i64::try_from(paid).unwrap());
    assert_eq!(world.store.facts().await.unwrap().transfers.len(), paid);
    paid
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn two_hundred_redeem_at_once_and_one_gets_it() {
    assert_eq!(rush(1).await, 1);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn two_hundred_redeem_at_once_and_exactly_its_uses_are_paid() {
    assert_eq!(rush(17).await, 17);
    assert_eq!(rush(1000).await, 50);
}

#[tokio::test]
async fn a_voucher_that_is_worth_nothing_says_why() {
    let world = World::new().await;
    let (ann, eve) = (world.account(0).await, world.account(0).await);
    let redeem = async |code: &'static str, account| {
        refused(world.store.redeem(code, crate::transfers::by(account), None, told).await)
    };
    assert_eq!(redeem("none", &ann).await, Refused::Voucher(NotRedeemed::Unknown));
    voucher(&world, "one", 1).await;
    world.store.freeze(&ann, "why").await.unwrap();
    assert_eq!(redeem("one", &ann).await, Refused::Frozen);
    world.store.unfreeze(&ann).await.unwrap();
    world.store.redeem("one", crate::transfers::by(&ann), None, told).await.unwrap();
    assert_eq!(redeem("one", &ann).await, Refused::Voucher(NotRedeemed::Already));
    assert_eq!(redeem("one", &eve).await, Refused::Voucher(NotRedeemed::UsedUp));
    voucher(&world, "two", 1).await;
    world.clock.advance(Duration::from_secs(60));
    assert_eq!(redeem("two", &eve).await, Refused::Voucher(NotRedeemed::Expired));
    let again = VoucherRow { uses: 5, ..world.store.vouchers().await.unwrap()[0].clone() };
    let again = world.store.create_voucher(again).await;
    assert!(matches!(again, Err(StoreError::Constraint(_))), "{again:?}");
}
