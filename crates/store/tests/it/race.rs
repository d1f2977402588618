use std::sync::Arc;

use signalbox_core::Usd;
use signalbox_ledger::Refusal;
use signalbox_runtime::task;
use signalbox_store::Ledger;
use tokio::sync::Barrier;

use crate::world::{CENT, World, usd};

/// One dollar, 500 requests at once over 50 keys, a cent held for each, less charged.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_storm_of_requests_can_not_overdraw_an_account() {
    let world = Arc::new(World::new().await);
    let account = world.account(100 * CENT).await;
    let mut keys = Vec::new();
    for _ in 0..50 {
        keys.push(world.key(&account, None, None).await);
    }
    let ledger = Ledger::open(&world.store).await.unwrap();
    let barrier = Arc::new(Barrier::new(500));
    let tasks: Vec<_> = (0..500usize)
        .map(|n| {
            let (world, ledger, barrier) = (world.clone(), ledger.clone(), barrier.clone());
            let key = keys[n % 50].clone();
            task::spawn("storm", async move {
                world.warm(&ledger, &key).await.unwrap();
                let request = world.request(&key, CENT);
                barrier.wait().await;
                let hold = ledger.reserve(&request);
                // Nobody settles before everybody asked: this is the first wave.
                barrier.wait().await;
                match hold {
                    Ok(hold) => {
                        let cost = CENT * 4 / 10 + i64::try_from(n).unwrap();
                        let settled =
                            ledger.settle(hold, usd(cost), world.row(cost)).await.unwrap();
                        Some(settled.charged)
                    }
                    Err(Refusal::Short { .. }) => None,
                    Err(other) => panic!("{other}"),
                }
            })
        })
        .collect();
    let mut admitted = 0;
    let mut charged = Usd::ZERO;
    for task in tasks {
        if let Some(amount) = task.await.unwrap().unwrap() {
            admitted += 1;
            charged = charged.checked_add(amount).unwrap();
        }
    }
    assert_eq!(admitted, 100);
    let balance = world.store.balance(&account).await.unwrap().unwrap();
    assert_eq!(balance.charged, charged);
    assert!(balance.posted() >= Usd::ZERO);
    assert_eq!(ledger.available(&account), Some(balance.posted()));
    assert_eq!(ledger.open_count(), 0);
    let report = world.audit().await;
    assert!(report.is_clean(), "{report:?}");
    assert_eq!(report.checked.generations, 100);
}

/// Sixteen tasks spend one balance down to the last cent, waves after waves.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_last_cent_is_spent_once() {
    let world = Arc::new(World::new().await);
    let account = world.account(100 * CENT).await;
    let key = world.key(&account, None, None).await;
    let ledger = Ledger::open(&world.store).await.unwrap();
    world.warm(&ledger, &key).await.unwrap();
    let tasks: Vec<_> = (0..16)
        .map(|_| {
            let (world, ledger, key) = (world.clone(), ledger.clone(), key.clone());
            task::spawn("spender", async move {
                let mut served = 0;
                while let Ok(hold) = ledger.reserve(&world.request(&key, CENT)) {
                    ledger.settle(hold, usd(CENT), world.row(CENT)).await.unwrap();
                    served += 1;
                }
                served
            })
        })
        .collect();
    let mut served = 0;
    for task in tasks {
        served += task.await.unwrap().unwrap();
    }
    assert_eq!(served, 100);
    assert_eq!(world.store.balance(&account).await.unwrap().unwrap().posted(), Usd::ZERO);
    assert!(world.audit().await.is_clean());
}

/// The same generation reserved by many tasks is held once; a generation that was charged in an
/// earlier life of the process is refused by the database.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_generation_is_held_once_and_charged_once_for_ever() {
    let world = Arc::new(World::new().await);
    let account = world.account(100 * CENT).await;
    let key = world.key(&account, None, None).await;
    let ledger = Ledger::open(&world.store).await.unwrap();
    world.warm(&ledger, &key).await.unwrap();
    let request = world.request(&key, CENT);
    let tasks: Vec<_> = (0..64)
        .map(|_| {
            let (ledger, request, world) = (ledger.clone(), request.clone(), world.clone());
            task::spawn("rival", async move {
                let hold = ledger.reserve(&request).ok()?;
                Some(ledger.settle(hold, usd(5), world.row(5)).await.unwrap().charged)
            })
        })
        .collect();
    let mut won = Vec::new();
    for task in tasks {
        won.extend(task.await.unwrap().unwrap());
    }
    assert_eq!(won, [usd(5)]);

    ledger.shutdown().await.unwrap();
    let next = Ledger::open(&world.store).await.unwrap();
    world.warm(&next, &key).await.unwrap();
    let again = next.reserve(&request).unwrap();
    let fine = next.reserve(&world.request(&key, CENT)).unwrap();
    // Both travel in one batch or in two: the good one is written either way.
    let (refused, settled) = tokio::join!(
        next.settle(again, usd(5), world.row(5)),
        next.settle(fine, usd(7), world.row(7))
    );
    // An outbox answers before the database has looked; the charge is refused all the same.
    assert!(refused.is_err() || crate::world::POSTGRES);
    assert_eq!(settled.unwrap().charged, usd(7));
    assert_eq!(world.store.balance(&account).await.unwrap().unwrap().charged, usd(12));
    let report = world.audit().await;
    assert!(report.is_clean(), "{report:?}");
}

/// A request future that is dropped in the middle of its settlement does not undo it.
#[tokio::test]
async fn a_dropped_settlement_is_written_anyway() {
    let world = World::new().await;
    let account = world.account(100).await;
    let key = world.key(&account, None, None).await;
    let ledger = Ledger::open(&world.store).await.unwrap();
    world.warm(&ledger, &key).await.unwrap();
    let hold = ledger.reserve(&world.request(&key, 10)).unwrap();
    let mut settling = Box::pin(ledger.settle(hold, usd(10), world.row(10)));
    tokio::select! {
        biased;
        _ = &mut settling => panic!("a commit takes longer than one poll"),
        () = std::future::ready(()) => {}
    }
    drop(settling);
    ledger.flush().await.unwrap();
    assert_eq!(world.store.balance(&account).await.unwrap().unwrap().charged, usd(10));
    assert!(world.audit().await.is_clean());
}

/// Many callers of a cold account: it is loaded once and its balance is taken once.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_cold_account_is_loaded_once() {
    let world = Arc::new(World::new().await);
    let account = world.account(100).await;
    let key = world.key(&account, None, None).await;
    let ledger = Ledger::open(&world.store).await.unwrap();
    let tasks: Vec<_> = (0..100)
        .map(|n| {
            let (world, ledger, key) = (world.clone(), ledger.clone(), key.clone());
            task::spawn("warm", async move {
                let mut warming = Box::pin(world.warm(&ledger, &key));
                if n % 3 == 0 {
                    // Impatient: gone after the first poll.
                    tokio::select! { biased; _ = &mut warming => {}, () = std::future::ready(()) => {} }
                } else {
                    warming.await.unwrap();
                }
            })
        })
        .collect();
    for task in tasks {
        task.await.unwrap().unwrap();
    }
    assert_eq!(ledger.available(&account), Some(usd(100)));
    world.spend(&ledger, &key, 100, 100).await;
    assert!(world.audit().await.is_clean());
}

/// The writer remembers the end of the chain. When somebody else has moved it, nothing is lost.
#[tokio::test]
async fn two_writers_of_one_chain_take_turns() {
    let world = World::new().await;
    let account = world.account(100 * CENT).await;
    let key = world.key(&account, None, None).await;
    let rich = world.account(100 * CENT).await;
    let rich_key = world.key(&rich, None, None).await;
    let other = world.again().await;
    let one = Ledger::open(&world.store).await.unwrap();
    world.warm(&one, &key).await.unwrap();
    let two = Ledger::open(&other).await.unwrap();
    world.warm(&two, &rich_key).await.unwrap();
    for _ in 0..5 {
        world.spend(&one, &key, CENT, CENT).await;
        world.spend(&two, &rich_key, CENT, CENT).await;
        world.spend(&two, &rich_key, CENT, CENT).await;
    }
    one.flush().await.unwrap();
    two.flush().await.unwrap();
    let report = world.audit().await;
    assert!(report.is_clean(), "{report:?}");
    assert_eq!(report.checked.transfers, 17);
}

/// The last entry also carries a NUL, as JSON allows it in a request: it is kept whole, but for
/// PostgreSQL, which can't.
#[tokio::test]
async fn more_than_one_statement_holds_is_written_in_order() {
    let world = World::new().await;
    let account = world.account(1000 * CENT).await;
    let key = world.key(&account, None, None).await;
    let ledger = Ledger::open(&world.store).await.unwrap();
    world.warm(&ledger, &key).await.unwrap();
    for _ in 0..700 {
        drop(ledger.reserve(&world.request(&key, 1)).unwrap());
    }
    let hold = ledger.reserve(&world.request(&key, CENT)).unwrap();
    let id = hold.generation().clone();
    let mut row = world.row(CENT);
    row.session_id = Some("a\0b".to_owned());
    ledger.settle(hold, usd(CENT), row).await.unwrap();
    let stored = world.store.generation(&account, &id).await.unwrap().unwrap();
    let kept = if crate::world::POSTGRES { "a\u{fffd}b" } else { "a\0b" };
    assert_eq!(stored.session_id.as_deref(), Some(kept));
    let report = world.audit().await;
    assert!(report.is_clean(), "{report:?}");
    assert_eq!((report.checked.reservations, report.checked.transfers), (701, 2));
}
