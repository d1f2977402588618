//! Several stores on one file behave as several processes: they share nothing but the file.

use std::sync::Arc;
use std::time::Duration;

use signalbox_core::Usd;
use signalbox_ledger::Grant;
use signalbox_runtime::{Clock, task};
use signalbox_store::{Change, Granted, Ledger};

use crate::world::{CENT, World, audit, grant, usd};

async fn within_a_second(mut done: impl FnMut() -> bool) -> bool {
    for _ in 0..100 {
        if done() {
            return true;
        }
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    false
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_grant_of_another_process_is_spendable_within_a_second() {
    let world = World::with_clock(Clock::system()).await;
    let account = world.account(10).await;
    let key = world.key(&account, None, None).await;
    let ledger = Ledger::open(&world.store).await.unwrap();
    world.warm(&ledger, &key).await.unwrap();
    let held = ledger.reserve(&world.request(&key, 10)).unwrap();
    let admin = world.again().await;
    grant(&admin, &account, 500).await;
    assert!(within_a_second(|| ledger.available(&account) == Some(usd(500))).await);
    ledger.settle(held, usd(4), world.row(4)).await.unwrap();
    world.spend(&ledger, &key, 506, 506).await;
    let report = audit(&admin).await;
    assert!(report.is_clean(), "{report:?}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn many_grants_while_spending_are_all_counted_once() {
    let world = Arc::new(World::with_clock(Clock::system()).await);
    let account = world.account(1000).await;
    let key = world.key(&account, None, None).await;
    let ledger = Ledger::open(&world.store).await.unwrap();
    world.warm(&ledger, &key).await.unwrap();
    let admin = world.again().await;
    let granting = {
        let (admin, account) = (admin.clone(), account.clone());
        task::spawn("granting", async move {
            for _ in 0..60 {
                grant(&admin, &account, 10).await;
            }
        })
    };
    for _ in 0..100 {
        world.spend(&ledger, &key, 7, 7).await;
    }
    granting.await.unwrap().unwrap();
    assert!(within_a_second(|| ledger.available(&account) == Some(usd(1000 + 600 - 700))).await);
    let report = world.audit().await;
    assert!(report.is_clean(), "{report:?}");
}

#[tokio::test]
async fn the_same_grant_counts_once() {
    let world = World::new().await;
    let account = world.account(0).await;
    let one = Grant {
        id: "order-1".to_owned(),
        account: account.clone(),
        amount: usd(5),
        reason: "order".to_owned(),
        operator: "shop".to_owned(),
        at: world.clock.now(),
    };
    assert_eq!(world.store.grant(one.clone()).await.unwrap(), Granted::Now);
    assert_eq!(world.again().await.grant(one.clone()).await.unwrap(), Granted::Before);
    assert_eq!(world.store.balance(&account).await.unwrap().unwrap().credited, usd(5));
    for amount in [0, -5, i64::MAX] {
        let odd = Grant { id: format!("odd{amount}"), amount: usd(amount), ..one.clone() };
        assert!(world.store.grant(odd).await.is_err(), "{amount}");
    }
    assert!(world.audit().await.is_clean());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn news_reaches_other_processes_in_order() {
    let world = World::with_clock(Clock::system()).await;
    let mut news = world.again().await.subscribe();
    let other = world.again().await;
    let mut heard = other.subscribe();
    let account = world.account(3).await;
    let key = world.key(&account, None, None).await;
    let wanted = [
        Change::Account(account.clone()),
        Change::Account(account.clone()),
        Change::Key(key.hash.clone()),
    ];
    for change in wanted {
        let next = tokio::time::timeout(Duration::from_secs(1), heard.recv()).await;
        assert_eq!(next.unwrap().unwrap(), change);
    }
    // The other store was dropped: its news end instead of hanging.
    while let Ok(next) = news.recv().await {
        drop(next);
    }
}

/// Two gateways, one dollar: together they serve what one could, and never more.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn two_processes_share_one_balance_and_never_overdraw_it() {
    let world = Arc::new(World::with_clock(Clock::system()).await);
    let account = world.account(100 * CENT).await;
    let key = world.key(&account, None, None).await;
    let other = world.again().await;
    let ledgers = [Ledger::open(&world.store).await.unwrap(), Ledger::open(&other).await.unwrap()];
    for ledger in &ledgers {
        world.warm(ledger, &key).await.unwrap();
    }
    assert_eq!(ledgers[0].available(&account), Some(usd(100 * CENT)));
    assert_eq!(ledgers[1].available(&account), Some(Usd::ZERO));
    let tasks: Vec<_> = (0..250)
        .map(|n| {
            let (world, ledger, key) = (world.clone(), ledgers[n % 2].clone(), key.clone());
            task::spawn("storm", async move {
                let Ok(hold) = ledger.reserve_or_refill(&world.request(&key, CENT)).await else {
                    return Usd::ZERO;
                };
                ledger.settle(hold, usd(CENT), world.row(CENT)).await.unwrap().charged
            })
        })
        .collect();
    let mut charged = 0;
    for task in tasks {
        charged += task.await.unwrap().unwrap().nanos();
    }
    assert!(charged <= 100 * CENT, "{charged}");
    assert!(charged >= 50 * CENT, "{charged}");
    assert_eq!(world.store.balance(&account).await.unwrap().unwrap().charged, usd(charged));
    let report = world.audit().await;
    assert!(report.is_clean(), "{report:?}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn credit_moves_to_the_process_that_asks_for_it() {
    let world = World::with_clock(Clock::system()).await;
    let account = world.account(100 * CENT).await;
    let key = world.key(&account, None, None).await;
    let other = world.again().await;
    let rich = Ledger::open(&world.store).await.unwrap();
    world.warm(&rich, &key).await.unwrap();
    let poor = Ledger::open(&other).await.unwrap();
    world.warm(&poor, &key).await.unwrap();
    let hold = poor.reserve_or_refill(&world.request(&key, 10 * CENT)).await.unwrap();
    poor.settle(hold, usd(CENT), world.row(CENT)).await.unwrap();
    // What the one leaves, the other gets when it stops.
    let left =
        rich.available(&account).unwrap().nanos() + poor.available(&account).unwrap().nanos();
    assert_eq!(left, 99 * CENT);
    poor.shutdown().await.unwrap();
    assert!(within_a_second(|| rich.available(&account) == Some(usd(99 * CENT))).await);
    assert!(world.audit().await.is_clean());
}
