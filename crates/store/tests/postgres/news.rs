//! News that PostgreSQL announces: nobody has to look for it.

use std::time::Duration;

use signalbox_core::id::AccountId;
use signalbox_runtime::Clock;
use signalbox_store::{Change, Store, StoreSettings};

/// Nobody looks in the time of a test.
const NEVER: Duration = Duration::from_secs(86_400);
const PATIENCE: Duration = Duration::from_secs(60);

async fn open(url: &str, poll: Duration) -> Store {
    let settings = StoreSettings { poll, ..StoreSettings::default() };
    Store::open_as(url, Clock::system(), settings).await.unwrap()
}

/// Makes an account with one store until the other one hears of it: whoever has just come, or comes
/// back, may miss the first.
async fn hears(one: &Store, other: &Store, name: &str) {
    let mut news = other.subscribe();
    let heard = async {
        for number in 0.. {
            let id = AccountId::new(format!("acc_{name}{number}"));
            one.create_account(id.clone(), &format!("{name}{number}@example.com")).await.unwrap();
            let soon = tokio::time::timeout(Duration::from_secs(2), async {
                while news.recv().await.unwrap() != Change::Account(id.clone()) {}
            });
            if soon.await.is_ok() {
                return;
            }
        }
    };
    tokio::time::timeout(PATIENCE, heard).await.expect("news");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_change_reaches_a_process_that_never_looks_for_it() {
    let database = signalbox_pgserver::database();
    let one = open(&database.url(), NEVER).await;
    let other = open(&database.url(), NEVER).await;
    hears(&one, &other, "first").await;
    // Whoever was cut off listens again, and reads what was missed.
    let cut = "SELECT count(pg_terminate_backend(pid)) FROM pg_stat_activity \
               WHERE query LIKE 'LISTEN%'";
    assert_ne!(database.sql(cut), "0");
    hears(&one, &other, "second").await;
}
