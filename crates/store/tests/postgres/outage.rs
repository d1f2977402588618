//! A server that is away, silent, read-only or full.

use std::time::Duration;

use signalbox_core::id::AccountId;
use signalbox_pgserver::Server;
use signalbox_runtime::Clock;
use signalbox_store::{Store, StoreError};

/// What a caller may wait for the news that the database is away: 200 ms, three times over for a
/// machine that is busy with other tests.
const PATIENCE: Duration = Duration::from_millis(600);

async fn refused_soon(store: &Store, what: &str) {
    let (clock, account) = (Clock::system(), AccountId::new("acc_1"));
    let start = clock.monotonic();
    let read = store.account(&account).await;
    let took = clock.monotonic() - start;
    println!("{what}: a read is refused after {took:?}");
    assert!(matches!(read, Err(StoreError::Unavailable(_))), "{what}: {read:?}");
    assert!(took < PATIENCE, "{what}: a read waits {took:?}");
    refused_to_write(store, what).await;
}

async fn refused_to_write(store: &Store, what: &str) {
    let clock = Clock::system();
    let start = clock.monotonic();
    let write = store.create_account(AccountId::new("acc_2"), "b@example.com").await;
    let took = clock.monotonic() - start;
    println!("{what}: a write is refused after {took:?}");
    assert!(matches!(write, Err(StoreError::Unavailable(_))), "{what}: {write:?}");
    assert!(took < PATIENCE, "{what}: a write waits {took:?}");
}

async fn works_again(store: &Store, what: &str) {
    let clock = Clock::system();
    let deadline = clock.monotonic() + Duration::from_secs(20);
    let account = AccountId::new("acc_1");
    while store.account(&account).await.is_err() {
        assert!(clock.monotonic() < deadline, "{what}: reads do not come back");
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    let id = AccountId::new(format!("acc_{what}"));
    loop {
        match store.create_account(id.clone(), &format!("{what}@example.com")).await {
            Ok(_) => break,
            Err(error) => assert!(clock.monotonic() < deadline, "{what}: {error}"),
        }
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    assert!(store.account(&id).await.unwrap().is_some());
    assert!(store.account(&AccountId::new("acc_2")).await.unwrap().is_none(), "{what}: came late");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_outage_is_told_at_once_and_ends_without_a_restart() {
    let server = Server::start();
    let database = server.database();
    let store = Store::open(&database.url(), Clock::system()).await.unwrap();
    store.create_account(AccountId::new("acc_1"), "a@example.com").await.unwrap();

    server.freeze();
    refused_soon(&store, "frozen").await;
    server.thaw();
    works_again(&store, "frozen").await;

    server.stop();
    refused_soon(&store, "stopped").await;
    server.start_again();
    works_again(&store, "stopped").await;

    server.read_only(true);
    assert!(store.account(&AccountId::new("acc_1")).await.unwrap().is_some());
    refused_to_write(&store, "read-only").await;
    server.read_only(false);
    works_again(&store, "read-only").await;

    server.crowd_out();
    refused_soon(&store, "crowded").await;
    server.admit();
    works_again(&store, "crowded").await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn callers_who_vanish_leave_no_transaction_open() {
    let database = signalbox_pgserver::database();
    let store = Store::open(&database.url(), Clock::system()).await.unwrap();
    let account = AccountId::new("acc_1");
    store.create_account(account.clone(), "a@example.com").await.unwrap();
    let mut callers = tokio::task::JoinSet::new();
    for caller in 0..100_u64 {
        let (store, account) = (store.clone(), account.clone());
        callers.spawn(async move {
            for turn in 0..100_u64 {
                // From nothing at all to about what a call takes.
                let patience = Duration::from_micros((caller * 7919 + turn * 104_729) % 3_000);
                if turn % 2 == 0 {
                    let read = tokio::time::timeout(patience, store.account(&account)).await;
                    assert!(!matches!(read, Ok(Err(_))), "{read:?}");
                } else {
                    let id = AccountId::new(format!("acc_{caller}_{turn}"));
                    let email = format!("{id}@example.com");
                    let write = store.create_account(id, &email);
                    let write = tokio::time::timeout(patience, write).await;
                    assert!(!matches!(write, Ok(Err(_))), "{write:?}");
                }
            }
        });
    }
    callers.join_all().await;
    for turn in 0..1_000 {
        let id = AccountId::new(format!("acc_after_{turn}"));
        store.create_account(id.clone(), &format!("{id}@example.com")).await.unwrap();
    }
    let open = "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() \
                AND state LIKE 'idle in transaction%'";
    assert_eq!(database.sql(open), "0");
    let made = "SELECT count(*) FROM accounts WHERE id LIKE 'acc_after_%'";
    assert_eq!(database.sql(made), "1000");
}
