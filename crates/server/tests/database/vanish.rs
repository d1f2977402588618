//! Test 27, `load::cancel_poison`: clients who vanish leave nothing open in the database. The store's
//! own test of this drops ten thousand futures; here the clients are real.

use std::time::Duration;

use signalbox_testkit::{Leave, Offer, Setup, Stand, TestServer};

use crate::speech::{Answered, ask};

const CLIENTS: u64 = 50;
const TURNS: u64 = 20;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn clients_who_vanish_leave_no_transaction_open() {
    let database = signalbox_pgserver::database();
    let offer = Offer::new().model("acme/quick", [Stand::new("well", "tokens-5")]);
    let setup = Setup { database: Some(database.url()), ..Setup::default() };
    let server = TestServer::start_as(offer, setup).await;
    let mut clients = tokio::task::JoinSet::new();
    for client in 0..CLIENTS {
        let known = server.caller();
        clients.spawn(async move {
            for turn in 0..TURNS {
                let after = Duration::from_micros((client * 7919 + turn * 104_729) % 20_000);
                // Half of them have keys that the database has to be asked about.
                let key = format!("sk-sb-v1-{client}-{turn}");
                let caller = if turn % 2 == 0 { known.with_key(&key) } else { known.clone() };
                let body = ask("acme/quick", turn % 4 == 1);
                drop(caller.chat_until(&body, Leave::After(after)).await);
            }
        });
    }
    clients.join_all().await;
    for _ in 0..50 {
        Answered::read(&server.caller().chat(&ask("acme/quick", false)).await);
    }
    server.closes_clean().await;
    let open = "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() \
                AND state LIKE 'idle in transaction%'";
    assert_eq!(database.sql(open), "0");
}
