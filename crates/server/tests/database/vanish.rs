//! Test 27, `load::cancel_poison`: clients who vanish leave nothing open in the database. The store's
//! own test of this drops ten thousand futures; here the clients are real.

use std::time::Duration;

use signalbox_core::Usd;
use signalbox_pgserver::{Database, Server};
use signalbox_testkit::{Caller, Leave, Offer, Setup, Stand, TestServer, eventually};

use crate::speech::{Answered, ask};

const CLIENTS: u64 = 50;
const TURNS: u64 = 200;
/// Connections that read.
const POOL: u32 = 2;
/// Charges afterwards, so many at a time.
const CHARGES: usize = 1_000;
const AT_ONCE: usize = 10;
/// A client leaves within one of these, in microseconds: most at once, before the head, in the middle,
/// some not at all.
const STAYS: [u64; 4] = [3_000, 30_000, 150_000, 600_000];

/// Asks and leaves, again and again. Half of the keys are ones that the database has to be asked about.
async fn come_and_go(known: Caller, client: u64) {
    for turn in 0..TURNS {
        let stay = STAYS[usize::try_from((client + turn) % 4).unwrap()];
        let after = Duration::from_micros((client * 7_919 + turn * 104_729) % stay);
        let key = format!("sk-sb-v1-{client}-{turn}");
        let caller = if turn % 2 == 0 { known.with_key(&key) } else { known.clone() };
        let model = if turn % 3 == 0 { "acme/slow" } else { "acme/quick" };
        drop(caller.chat_until(&ask(model, turn % 4 == 1), Leave::After(after)).await);
    }
}

/// Good answers, each with its charge; what they cost.
async fn charges(known: &Caller, strangers: &Caller) -> Usd {
    let mut asking = tokio::task::JoinSet::new();
    for lane in 0..AT_ONCE {
        let (known, strangers) = (known.clone(), strangers.clone());
        asking.spawn(async move {
            let mut sum = Usd::ZERO;
            for turn in 0..CHARGES / AT_ONCE {
                let reply = known.chat(&ask("acme/quick", turn % 2 == 0)).await;
                sum = sum.checked_add(Answered::read(&reply).cost()).unwrap();
                let nobody = strangers.with_key(&format!("sk-sb-v1-after-{lane}-{turn}"));
                assert_eq!(nobody.chat(&ask("acme/quick", false)).await.status, 401);
            }
            sum
        });
    }
    let costs = asking.join_all().await;
    costs.into_iter().fold(Usd::ZERO, |sum, cost| sum.checked_add(cost).unwrap())
}

/// Transactions that are open for longer than a second.
fn old_transactions(database: &Database) -> String {
    database.sql(
        "SELECT count(*) FROM pg_stat_activity WHERE usename = 'signalbox' \
         AND xact_start < clock_timestamp() - interval '1 second'",
    )
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn clients_who_vanish_leave_no_transaction_open() {
    let machine = Server::start();
    let database = machine.database();
    // The server notes what our statements do wrong, in words that it also says of this one.
    drop(database.sql("ALTER ROLE signalbox SET log_min_messages = error"));
    drop(database.sql("ALTER ROLE postgres SET log_min_messages = error"));
    assert!(!database.accepts("BEGIN; SELECT 1/0"));
    assert!(machine.log().contains("division by zero"), "{}", machine.log());
    let offer = Offer::new()
        .model("acme/quick", [Stand::new("well", "tokens-5")])
        .model("acme/slow", [Stand::new("well", "tokens-20+slow-ms-10")]);
    let url = Some(database.url());
    let setup = Setup { database: url, readers: POOL, journal: false, ..Setup::default() };
    let server = TestServer::start_as(offer, setup).await;
    let known = server.caller();
    let mut clients = tokio::task::JoinSet::new();
    for client in 0..CLIENTS {
        clients.spawn(come_and_go(known.clone(), client));
    }
    clients.join_all().await;
    eventually(Duration::from_secs(30), "the end of what was begun", async || {
        (server.ledger.open_count() == 0 && server.draining() == 0).then_some(())
    })
    .await;
    server.settled().await;
    let before = server.balance().await.charged;
    let cost = charges(&known, &known).await;
    assert_eq!(old_transactions(&database), "0");
    server.closes_clean().await;
    let charged = server.balance().await.charged;
    assert_eq!(charged.checked_sub(before), Some(cost), "all {CHARGES} are charged");
    assert_eq!(server.ledger.waiting(), 0, "no settlement keeps its place");
    let open = "SELECT count(*) FROM pg_stat_activity WHERE usename = 'signalbox' \
                AND state LIKE 'idle in transaction%'";
    assert_eq!(database.sql(open), "0");
    // Beside the readers there is the writer, the pulse and who listens for news.
    let all = "SELECT count(*) FROM pg_stat_activity WHERE usename = 'signalbox'";
    let all: u32 = database.sql(all).parse().unwrap();
    assert!(all <= POOL + 3, "{all} connections");
    let log = machine.log();
    assert!(!log.contains("current transaction is aborted"), "25P02: {log}");
}
