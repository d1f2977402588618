//! Test 24, `load::db_down`: who is known and has credit here is served and charged; all others hear
//! at once that it is not their fault.

use std::time::Duration;

use signalbox_core::Usd;
use signalbox_pgserver::Server;
use signalbox_runtime::{Clock, task};
use signalbox_testkit::{Caller, Offer, Setup, Stand, TestServer, eventually};

use crate::speech::{Answered, ask};

/// The promise for an answer to somebody who can't be served.
const TOLD_WITHIN: Duration = Duration::from_millis(200);
/// The promise for charges to be in the database after the end of an outage.
const POSTED_WITHIN: Duration = Duration::from_secs(30);
/// Requests of somebody known during each outage, so many a second.
const REQUESTS: u32 = 60;
const RATE: u32 = 30;
/// Streams that are open when it begins.
const STREAMS: usize = 5;

type Do = fn(&Server);

struct Ail {
    what: &'static str,
    begin: Do,
    end: Do,
    /// Whether keys can still be looked up.
    reads: bool,
}

const AILS: [Ail; 4] = [
    Ail { what: "stopped", begin: Server::stop, end: Server::start_again, reads: false },
    Ail { what: "frozen", begin: Server::freeze, end: Server::thaw, reads: false },
    Ail {
        what: "read-only",
        begin: |server| server.read_only(true),
        end: |server| server.read_only(false),
        reads: true,
    },
    Ail { what: "crowded", begin: Server::crowd_out, end: Server::admit, reads: false },
];

/// Many good answers at a steady rate; what they cost together.
async fn keep_asking(caller: Caller) -> Usd {
    let mut asking = tokio::task::JoinSet::new();
    let mut tick = tokio::time::interval(Duration::from_secs(1) / RATE);
    for number in 0..REQUESTS {
        tick.tick().await;
        let caller = caller.clone();
        asking.spawn(async move {
            let stream = number % 2 == 0;
            Answered::read(&caller.chat(&ask("acme/quick", stream)).await).cost()
        });
    }
    sum(asking.join_all().await)
}

fn sum(costs: impl IntoIterator<Item = Usd>) -> Usd {
    costs.into_iter().fold(Usd::ZERO, |sum, cost| sum.checked_add(cost).unwrap())
}

/// Streams that have begun.
async fn begin_streams(caller: &Caller) -> tokio::task::JoinSet<Usd> {
    let mut streams = tokio::task::JoinSet::new();
    for _ in 0..STREAMS {
        let mut opened = caller.chat_open(&ask("acme/slow", true)).await;
        assert!(opened.chunk().await.is_some());
        streams.spawn(async move { Answered::read(&opened.rest().await).cost() });
    }
    streams
}

/// Somebody who can't be served: 503 with a hint, soon.
async fn is_told(caller: &Caller, what: &str, who: &str) {
    let clock = Clock::system();
    let start = clock.monotonic();
    let reply = caller.chat(&ask("acme/quick", false)).await;
    let took = clock.monotonic().saturating_sub(start);
    let said = String::from_utf8_lossy(&reply.body);
    assert_eq!(reply.status, 503, "{what}, {who}: {said}");
    assert!(reply.header("retry-after").is_some(), "{what}, {who}: {said}");
    let kept = if took <= TOLD_WITHIN { "kept" } else { "NOT KEPT" };
    eprintln!("{what}: {who} was told after {took:?} ({TOLD_WITHIN:?}: {kept})");
    assert!(took <= TOLD_WITHIN * 3, "{what}, {who}: told after {took:?}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_outage_of_the_database_stops_only_who_is_not_known_yet() {
    let machine = Server::start();
    let database = machine.database();
    let offer = Offer::new()
        .model("acme/quick", [Stand::new("well", "tokens-5")])
        .model("acme/slow", [Stand::new("well", "tokens-40+slow-ms-50")]);
    let setup = Setup { database: Some(database.url()), ..Setup::default() };
    let server = TestServer::start_as(offer, setup).await;
    let known = server.caller();
    let mut cost = Answered::read(&known.chat(&ask("acme/quick", false)).await).cost();
    for ail in AILS {
        let what = ail.what;
        let stranger = server.account(&format!("{what}@example.com"), "1").await;
        let stranger = known.with_key(&stranger.api_key);
        let streams = begin_streams(&known).await;
        (ail.begin)(&machine);
        let asking = task::spawn("known", keep_asking(known.clone()));
        for round in 0..5 {
            is_told(&stranger, what, &format!("stranger {round}")).await;
        }
        if !ail.reads {
            is_told(&known.with_key("sk-sb-v1-of-nobody"), what, "nobody").await;
        }
        assert_eq!(known.get("/health/live").await.status, 200, "{what}");
        assert_eq!(known.get("/health/ready").await.status, 503, "{what}");
        cost = sum([cost, asking.await.unwrap().unwrap()]);
        cost = sum([cost, sum(streams.join_all().await)]);
        (ail.end)(&machine);
        let clock = Clock::system();
        let start = clock.monotonic();
        eventually(POSTED_WITHIN, "every charge in the database", async || {
            let found = server.platform.store().balance(&server.owner.account_id).await.ok()??;
            (found.charged == cost).then_some(())
        })
        .await;
        eprintln!("{what}: posted {:?} after the end", clock.monotonic().saturating_sub(start));
        eventually(POSTED_WITHIN, "the stranger's turn", async || {
            (stranger.chat(&ask("acme/quick", false)).await.status == 200).then_some(())
        })
        .await;
        assert_eq!(known.get("/health/ready").await.status, 200, "{what}");
    }
    server.closes_clean().await;
}
