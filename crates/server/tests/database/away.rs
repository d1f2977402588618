//! Test 24, `load::db_down`: who is known and has credit here is served and charged; all others hear
//! at once that it is not their fault. All at a hundred requests a second.

use std::time::Duration;

use signalbox_core::Usd;
use signalbox_pgserver::Server;
use signalbox_runtime::{Clock, task};
use signalbox_testkit::{Caller, Offer, Setup, Stand, TestServer, eventually};

use crate::speech::{Answered, ask};

/// The promise for an answer to somebody who can't be served: 99 of 100 are that fast.
const TOLD_WITHIN: Duration = Duration::from_millis(200);
/// How much slower a shared machine may be, beside what it needs for the simplest of answers.
const NOISE: u32 = 3;
/// The promise for charges to be in the database after the end of an outage.
const POSTED_WITHIN: Duration = Duration::from_secs(30);
/// Requests of somebody known, so many a second.
const RATE: u32 = 100;
/// Time between two strangers.
const NEXT_STRANGER: Duration = Duration::from_millis(100);
/// Streams that are open when it begins.
const STREAMS: usize = 5;

type Do = fn(&Server);

struct Ail {
    what: &'static str,
    begin: Do,
    end: Do,
    /// Whether keys can still be looked up.
    reads: bool,
    /// For how many seconds. Only the first is as long as the design says: what the others have to
    /// show, they show in ten seconds, and CI has other tests to run.
    lasts: u32,
    /// The model whose streams are open from before it to its end.
    streams: &'static str,
}

const AILS: [Ail; 4] = [
    Ail {
        what: "stopped",
        begin: Server::stop,
        end: Server::start_again,
        reads: false,
        lasts: 30,
        streams: "acme/slower",
    },
    Ail {
        what: "frozen",
        begin: Server::freeze,
        end: Server::thaw,
        reads: false,
        lasts: 10,
        streams: "acme/slow",
    },
    Ail {
        what: "read-only",
        begin: |server| server.read_only(true),
        end: |server| server.read_only(false),
        reads: true,
        lasts: 10,
        streams: "acme/slow",
    },
    Ail {
        what: "crowded",
        begin: Server::crowd_out,
        end: Server::admit,
        reads: false,
        lasts: 10,
        streams: "acme/slow",
    },
];

/// How long things took.
#[derive(Debug, Default)]
struct Times(Vec<Duration>);

impl Times {
    async fn of<T>(&mut self, work: impl Future<Output = T>) -> T {
        let clock = Clock::system();
        let start = clock.monotonic();
        let done = work.await;
        self.0.push(clock.monotonic().saturating_sub(start));
        done
    }

    /// What 99 of 100 did not exceed.
    fn p99(&self) -> Duration {
        let mut sorted = self.0.clone();
        sorted.sort();
        sorted[(sorted.len() - 1) * 99 / 100]
    }
}

/// Many good answers at a steady rate; what they cost together, and the time of each.
async fn keep_asking(caller: Caller, seconds: u32) -> (Usd, Times) {
    let mut asking = tokio::task::JoinSet::new();
    let mut tick = tokio::time::interval(Duration::from_secs(1) / RATE);
    for number in 0..RATE * seconds {
        tick.tick().await;
        let caller = caller.clone();
        asking.spawn(async move {
            let (stream, mut took) = (number % 2 == 0, Times::default());
            let reply = took.of(caller.chat(&ask("acme/quick", stream))).await;
            (Answered::read(&reply).cost(), took.0)
        });
    }
    let (costs, times): (Vec<_>, Vec<_>) = asking.join_all().await.into_iter().unzip();
    (sum(costs), Times(times.concat()))
}

fn sum(costs: impl IntoIterator<Item = Usd>) -> Usd {
    costs.into_iter().fold(Usd::ZERO, |sum, cost| sum.checked_add(cost).unwrap())
}

/// Streams that have begun.
async fn begin_streams(caller: &Caller, model: &'static str) -> tokio::task::JoinSet<Usd> {
    let mut streams = tokio::task::JoinSet::new();
    for _ in 0..STREAMS {
        let mut opened = caller.chat_open(&ask(model, true)).await;
        assert!(opened.chunk().await.is_some());
        streams.spawn(async move { Answered::read(&opened.rest().await).cost() });
    }
    streams
}

/// Somebody who can't be served: 503 with a hint.
async fn is_told(caller: &Caller, what: &str, who: &str, times: &mut Times) {
    let reply = times.of(caller.chat(&ask("acme/quick", false))).await;
    let said = String::from_utf8_lossy(&reply.body);
    assert_eq!(reply.status, 503, "{what}, {who}: {said}");
    assert!(reply.header("retry-after").is_some(), "{what}, {who}: {said}");
}

/// What strangers hear for as long as the outage lasts, and what the server says of itself.
async fn strangers_ask(
    stranger: &Caller,
    ail: &Ail,
    mut over: impl FnMut() -> bool,
) -> (Times, Times) {
    let (mut times, mut alive, mut rounds) = (Times::default(), Times::default(), 0);
    let mut tick = tokio::time::interval(NEXT_STRANGER);
    while !over() {
        is_told(stranger, ail.what, "stranger", &mut times).await;
        if !ail.reads {
            let nobody = stranger.with_key(&format!("sk-sb-v1-of-nobody-{rounds}"));
            is_told(&nobody, ail.what, "nobody", &mut times).await;
        }
        assert_eq!(alive.of(stranger.get("/health/live")).await.status, 200, "{}", ail.what);
        assert_eq!(stranger.get("/health/ready").await.status, 503, "{}", ail.what);
        rounds += 1;
        tick.tick().await;
    }
    (times, alive)
}

/// One outage under load; answers what the known caller was charged, and when it ended.
async fn suffer(
    ail: &Ail,
    machine: &Server,
    known: &Caller,
    stranger: &Caller,
    clock: &Clock,
) -> (Usd, Duration) {
    let what = ail.what;
    let streams = begin_streams(known, ail.streams).await;
    let asking = task::spawn("known", keep_asking(known.clone(), ail.lasts));
    tokio::task::block_in_place(|| (ail.begin)(machine));
    let (told, alive) = strangers_ask(stranger, ail, || asking.is_finished()).await;
    let (cost, served) = asking.await.unwrap().unwrap();
    tokio::task::block_in_place(|| (ail.end)(machine));
    let end = clock.monotonic();
    let kept = if told.p99() <= TOLD_WITHIN { "kept" } else { "NOT KEPT" };
    eprintln!(
        "{what}: {} answers, p99 {:?}; {} strangers told with p99 {:?} ({TOLD_WITHIN:?}: {kept}), \
         worst {:?}; /health/live with p99 {:?}",
        served.0.len(),
        served.p99(),
        told.0.len(),
        told.p99(),
        told.0.iter().max(),
        alive.p99(),
    );
    let most = (TOLD_WITHIN + alive.p99()) * NOISE;
    assert!(told.p99() <= most, "{what}: told with p99 {:?}, more than {most:?}", told.p99());
    (sum([cost, sum(streams.join_all().await)]), end)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_outage_of_the_database_stops_only_who_is_not_known_yet() {
    let machine = Server::start();
    let database = machine.database();
    let offer = Offer::new()
        .model("acme/quick", [Stand::new("well", "tokens-5")])
        .model("acme/slow", [Stand::new("well", "tokens-40+slow-ms-250")])
        .model("acme/slower", [Stand::new("well", "tokens-40+slow-ms-750")]);
    let setup = Setup { database: Some(database.url()), journal: false, ..Setup::default() };
    let server = TestServer::start_as(offer, setup).await;
    let known = server.caller();
    let mut cost = Answered::read(&known.chat(&ask("acme/quick", false)).await).cost();
    let clock = Clock::system();
    for ail in AILS {
        let what = ail.what;
        let stranger = server.account(&format!("{what}@example.com"), "1").await;
        let stranger = known.with_key(&stranger.api_key);
        let (more, end) = suffer(&ail, &machine, &known, &stranger, &clock).await;
        cost = sum([cost, more]);
        eventually(POSTED_WITHIN, "every charge in the database", async || {
            let found = server.platform.store().balance(&server.owner.account_id).await.ok()??;
            (found.charged == cost).then_some(())
        })
        .await;
        let took = clock.monotonic().saturating_sub(end);
        eprintln!("{what}: posted {took:?} after the end");
        assert!(took <= POSTED_WITHIN, "{what}: posted after {took:?}");
        eventually(POSTED_WITHIN, "the stranger's turn", async || {
            (stranger.chat(&ask("acme/quick", false)).await.status == 200).then_some(())
        })
        .await;
        assert_eq!(known.get("/health/ready").await.status, 200, "{what}");
    }
    server.closes_clean().await;
}
