//! The ledger while its server is away, and after its process was lost.

use std::time::Duration;

use signalbox_core::Usd;
use signalbox_ledger::Refusal;
use signalbox_pgserver::{Database, Server};
use signalbox_runtime::Clock;
use signalbox_store::{Ledger, LedgerError, StoreError};

use crate::world::{CENT, World, open, usd};

/// What a cold caller may wait for the news: 200 ms, three times over for a busy machine.
const PATIENCE: Duration = Duration::from_millis(600);
/// Charges are posted this long after the server is back.
const POSTED_WITHIN: Duration = Duration::from_secs(30);

/// A world on a server of the test's own.
async fn on(database: &Database) -> World {
    World::place(tempfile::tempdir().unwrap(), database.url(), None, Clock::system()).await
}

type Do = fn(&Server);

/// Warm accounts are served and charged, cold ones are refused at once, whatever ails the server.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_outage_delays_charges_and_loses_none() {
    let server = Server::start();
    let database = server.database();
    let world = on(&database).await;
    let account = world.account(10_000 * CENT).await;
    let key = world.key(&account, None, None).await;
    let mut cold = Vec::new();
    for _ in 0..4 {
        let account = world.account(100).await;
        cold.push((world.key(&account, None, None).await, account));
    }
    let ledger = Ledger::open(&world.store).await.unwrap();
    world.warm(&ledger, &key).await.unwrap();

    let ails: [(&str, Do, Do); 4] = [
        ("stopped", Server::stop, Server::start_again),
        ("frozen", Server::freeze, Server::thaw),
        ("read-only", |server| server.read_only(true), |server| server.read_only(false)),
        ("crowded", Server::crowd_out, Server::admit),
    ];
    let mut charged = 0;
    for ((what, begin, end), (cold_key, _)) in ails.into_iter().zip(&cold) {
        begin(&server);
        let clock = Clock::system();
        for _ in 0..100 {
            world.spend(&ledger, &key, CENT, CENT).await;
            charged += CENT;
        }
        let before = clock.monotonic();
        let refused = world.warm(&ledger, cold_key).await;
        let took = clock.monotonic() - before;
        let away = matches!(refused, Err(LedgerError::Store(StoreError::Unavailable(_))));
        assert!(away, "{what}: {refused:?}");
        println!("{what}: a cold account is refused after {took:?}");
        assert!(took < PATIENCE, "{what}: {took:?}");
        end(&server);
        let back = clock.monotonic();
        loop {
            let found = world.store.balance(&account).await;
            if found.is_ok_and(|found| found.unwrap().charged == usd(charged)) {
                break;
            }
            assert!(clock.monotonic() - back < POSTED_WITHIN, "{what}: charges are not posted");
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
        println!("{what}: posted {:?} after the end", clock.monotonic() - back);
    }
    for (key, account) in &cold {
        world.warm(&ledger, key).await.unwrap();
        assert_eq!(ledger.available(account), Some(usd(100)));
    }
    ledger.shutdown().await.unwrap();
    let report = world.audit().await;
    assert!(report.is_clean(), "{report:?}");
    assert_eq!(report.checked.generations, 400);
}

/// The outbox is bounded: beyond it new reservations are refused, and those that are held still end.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_full_outbox_refuses_reservations_and_takes_their_ends() {
    let server = Server::start();
    let database = server.database();
    let world = on(&database).await;
    let account = world.account(10_000 * CENT).await;
    let key = world.key(&account, None, None).await;
    let ledger = Ledger::open(&world.store).await.unwrap();
    world.warm(&ledger, &key).await.unwrap();
    let last = ledger.reserve(&world.request(&key, CENT)).unwrap();
    server.stop();
    let mut charged = 0;
    // A generation row of two megabytes: the bytes fill up long before the entries do.
    while world.warm(&ledger, &key).await.is_ok() {
        let hold = ledger.reserve(&world.request(&key, CENT)).unwrap();
        let mut row = world.row(CENT);
        row.routing = Some(format!("\"{}\"", "x".repeat(2 << 20)));
        ledger.settle(hold, usd(CENT), row).await.unwrap();
        charged += CENT;
        assert!(charged <= 40 * CENT, "never full");
    }
    assert!(charged >= 30 * CENT, "full after {charged}");
    let refused = world.warm(&ledger, &key).await;
    assert!(matches!(refused, Err(LedgerError::Delayed)), "{refused:?}");
    ledger.settle(last, usd(CENT), world.row(CENT)).await.unwrap();
    charged += CENT;
    server.start_again();
    ledger.shutdown().await.unwrap();
    let balance = world.store.balance(&account).await.unwrap().unwrap();
    assert_eq!(balance.charged, usd(charged));
    assert!(world.audit().await.is_clean());
}

/// Nobody takes what a lost machine holds until the operator says so; then its charges are refused.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_a_lost_machine_holds_is_free_when_the_operator_releases_it() {
    let server = Server::start();
    let database = server.database();
    let world = on(&database).await;
    let account = world.account(100).await;
    let key = world.key(&account, None, None).await;
    let lost = world.again().await;
    let lost_ledger = Ledger::open(&lost).await.unwrap();
    world.warm(&lost_ledger, &key).await.unwrap();
    world.spend(&lost_ledger, &key, 10, 10).await;
    lost_ledger.flush().await.unwrap();
    let open_one = lost_ledger.reserve(&world.request(&key, 20)).unwrap();

    let ledger = Ledger::open(&world.store).await.unwrap();
    world.warm(&ledger, &key).await.unwrap();
    let refused = ledger.reserve(&world.request(&key, 50)).err();
    assert!(matches!(refused, Some(Refusal::Short { .. } | Refusal::Exhausted { .. })));

    let holders = world.store.holders().await.unwrap();
    assert_eq!(holders.len(), 2);
    let rich = holders.iter().find(|holder| holder.credit > Usd::ZERO).unwrap();
    assert_eq!((rich.credit, rich.place.is_some()), (usd(90), true));
    assert!(world.store.release_holder(&rich.id).await.unwrap());
    assert!(!world.store.release_holder(&rich.id).await.unwrap());
    let hold = ledger.reserve_or_refill(&world.request(&key, 90)).await.unwrap();
    ledger.settle(hold, usd(90), world.row(90)).await.unwrap();

    // The lost machine was not lost: what it still answers is not taken, and it learns of it.
    lost_ledger.settle(open_one, usd(20), world.row(20)).await.unwrap();
    let clock = Clock::system();
    let start = clock.monotonic();
    while world.warm(&lost_ledger, &key).await.is_ok() {
        assert!(clock.monotonic() - start < Duration::from_secs(10), "it goes on and on");
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    ledger.shutdown().await.unwrap();
    let balance = world.store.balance(&account).await.unwrap().unwrap();
    assert_eq!(balance.charged, usd(100));
    assert!(world.audit().await.is_clean());
}

/// Two processes can't have one outbox.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_outbox_belongs_to_one_process() {
    let world = World::new().await;
    let _ledger = Ledger::open(&world.store).await.unwrap();
    let outbox = world.folder.path().join("outbox.db");
    let second = open(&world.url(), world.clock.clone(), &outbox).await;
    let refused = Ledger::open(&second).await.unwrap_err();
    assert!(
        matches!(&refused, LedgerError::Store(StoreError::OutboxInUse { path }) if *path == outbox),
        "{refused:?}"
    );
    assert!(refused.to_string().contains("[database] outbox"), "{refused}");
    assert!(!refused.to_string().contains('\n'), "one line: {refused}");
}
