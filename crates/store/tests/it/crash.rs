use std::sync::Arc;

use signalbox_core::Usd;
use signalbox_core::plan::ByokFree;
use signalbox_ledger::{Charge, byok_fee};
use signalbox_runtime::Clock;
use signalbox_store::{Ledger, Store};

use crate::allowance::{BPS, LIST, draw, one, request, row};
use crate::world::{CENT, World, audit, usd};

fn runtime() -> tokio::runtime::Runtime {
    tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap()
}

/// A process that ends without a word: its runtime goes away with writers, ledgers and holds in it.
#[test]
fn what_was_answered_is_there_after_a_crash_and_the_rest_is_free_again() {
    let first = runtime();
    let (world, account, key, settled) = first.block_on(async {
        let world = World::with_clock(Clock::system()).await;
        let account = world.account(100 * CENT).await;
        let key = world.key(&account, None, None).await;
        let ledger = Ledger::open(&world.store).await.unwrap();
        world.warm(&ledger, &key).await.unwrap();
        let mut settled = Vec::new();
        for n in 0..50 {
            settled.push(world.spend(&ledger, &key, CENT, n + 1).await);
        }
        // Open when the process dies, some of them long enough to have a row.
        for _ in 0..10 {
            std::mem::forget(ledger.reserve(&world.request(&key, CENT)).unwrap());
        }
        let written = wait_for_open_rows(&world.store, 10).await;
        assert_eq!(written, 10);
        std::mem::forget(ledger.reserve(&world.request(&key, CENT)).unwrap());
        (world, account, key, settled)
    });
    let url = world.url();
    let (folder, clock) = (world.folder, world.clock);
    drop(world.store);
    first.shutdown_background();

    runtime().block_on(async {
        let store = Store::open(&url, clock.clone()).await.unwrap();
        for id in &settled {
            assert!(store.generation(&account, id).await.unwrap().is_some(), "{id}");
        }
        let ledger = open_when_dead(&store).await;
        ledger.warm(&account, &key.spender(&[]), clock.now()).await.unwrap();
        let spent: i64 = (1..=50).sum();
        assert_eq!(ledger.available(&account), Some(usd(100 * CENT - spent)));
        let facts = store.facts().await.unwrap();
        let recovered =
            facts.reservations.iter().filter(|row| row.outcome.as_deref() == Some("recovered"));
        assert_eq!(recovered.count(), 10);
        assert!(facts.reservations.iter().all(|row| row.ended_at.is_some()));
        let report = audit(&store).await;
        assert!(report.is_clean(), "{report:?}");
    });
    drop(folder);
}

/// The forgotten holds keep the first ledger's lock in this process, so the lock is broken by hand
/// the way the kernel does it for a process that ends.
async fn open_when_dead(store: &Store) -> Ledger {
    let folder = format!("{}-holders", store.path().display());
    for entry in std::fs::read_dir(folder).unwrap() {
        std::fs::remove_file(entry.unwrap().path()).unwrap();
    }
    Ledger::open(store).await.unwrap()
}

async fn wait_for_open_rows(store: &Store, wanted: usize) -> usize {
    for _ in 0..200 {
        let facts = store.facts().await.unwrap();
        let open = facts.reservations.iter().filter(|row| row.ended_at.is_none()).count();
        if open >= wanted {
            return open;
        }
        tokio::time::sleep(std::time::Duration::from_millis(20)).await;
    }
    0
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_stop_gives_the_lease_back_and_a_start_takes_it_again() {
    let world = World::new().await;
    let account = world.account(100).await;
    let key = world.key(&account, None, None).await;
    for round in 0..5 {
        let ledger = Ledger::open(&world.store).await.unwrap();
        world.warm(&ledger, &key).await.unwrap();
        assert_eq!(ledger.available(&account), Some(usd(100 - round * 10)));
        world.spend(&ledger, &key, 10, 10).await;
        if round % 2 == 0 {
            ledger.shutdown().await.unwrap();
        }
        // Dropped: at once for those that were shut down, found dead by the next for the others.
        drop(ledger);
        world.store.flush().await.unwrap();
        wait_until_unlocked(&world.store).await;
    }
    assert_eq!(world.store.balance(&account).await.unwrap().unwrap().posted(), usd(50));
    assert!(world.audit().await.is_clean());
}

/// The tail task may hold the ledger for one more turn.
async fn wait_until_unlocked(store: &Store) {
    let folder = format!("{}-holders", store.path().display());
    let locked = || {
        std::fs::read_dir(&folder).unwrap().any(|entry| {
            std::fs::File::open(entry.unwrap().path()).is_ok_and(|file| file.try_lock().is_err())
        })
    };
    for _ in 0..500 {
        if !locked() {
            return;
        }
        tokio::time::sleep(std::time::Duration::from_millis(5)).await;
    }
    panic!("the ledger is still alive");
}

/// Another process keeps the database locked for a while: charges wait and none is lost.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_locked_database_delays_a_charge_and_does_not_lose_it() {
    use sqlx::ConnectOptions;
    let world = Arc::new(World::with_clock(Clock::system()).await);
    let account = world.account(100).await;
    let key = world.key(&account, None, None).await;
    let ledger = Ledger::open(&world.store).await.unwrap();
    world.warm(&ledger, &key).await.unwrap();
    let mut blocker =
        sqlx::sqlite::SqliteConnectOptions::new().filename(world.file()).connect().await.unwrap();
    sqlx::raw_sql("BEGIN IMMEDIATE").execute(&mut blocker).await.unwrap();
    let hold = ledger.reserve(&world.request(&key, 10)).unwrap();
    let settling = {
        let (ledger, row) = (ledger.clone(), world.row(10));
        signalbox_runtime::task::spawn(
            "settle",
            async move { ledger.settle(hold, usd(10), row).await },
        )
    };
    assert_eq!(world.store.balance(&account).await.unwrap().unwrap().charged, Usd::ZERO);
    tokio::time::sleep(std::time::Duration::from_millis(50)).await;
    assert!(!settling.is_finished());
    sqlx::raw_sql("ROLLBACK").execute(&mut blocker).await.unwrap();
    assert_eq!(settling.await.unwrap().unwrap().unwrap().charged, usd(10));
    assert_eq!(world.store.balance(&account).await.unwrap().unwrap().charged, usd(10));
}

/// A process dies after a checkpoint: what it had come to is charged with the part that was free, and
/// the rest of the allowance is free for others.
#[test]
fn what_a_dead_process_used_of_the_allowance_stays_used_and_the_rest_comes_back() {
    let first = runtime();
    let free = ByokFree::ListPriceUsd(usd(100));
    let (world, key) = first.block_on(async {
        let world = World::with_clock(Clock::system()).await;
        let account = world.account(1_000_000).await;
        let key = world.key(&account, None, None).await;
        let ledger = Ledger::open(&world.store).await.unwrap();
        let allowance = draw(&key, free);
        let wish = |free| request(&world, &key, Some((&allowance, free)));
        let reached = ledger.reserve_or_refill(&wish(60)).await.unwrap();
        let charge = Charge {
            credits: byok_fee(usd(LIST), usd(60), BPS),
            byok: usd(LIST),
            free: Some(usd(60)),
        };
        reached.checkpoint(charge, row(&world));
        std::mem::forget(reached);
        // Nothing of this one was ever seen.
        std::mem::forget(ledger.reserve_or_refill(&wish(40)).await.unwrap());
        ledger.flush().await.unwrap();
        assert_eq!(wait_for_open_rows(&world.store, 2).await, 2);
        (world, key)
    });
    let (url, folder, clock) = (world.url(), world.folder, world.clock);
    drop(world.store);
    first.shutdown_background();

    runtime().block_on(async {
        let world = World::place(folder, url, None, clock).await;
        let ledger = open_when_dead(&world.store).await;
        let facts = world.store.facts().await.unwrap();
        let recovered: Vec<_> =
            facts.generations.iter().map(|row| (row.cost, row.byok, row.byok_free)).collect();
        assert_eq!(recovered, [(1, Some(LIST), Some(60))]);
        assert_eq!(one(&world, &ledger, &key, &draw(&key, free), true).await, usd(40));
        let report = world.audit().await;
        assert!(report.is_clean(), "{report:?}");
    });
}
