//! Every provider fails for a while (reliability design, test 7): no storm, quick answers, and a
//! recovery without anybody's help.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use signalbox_core::limits;
use signalbox_runtime::{Clock, task};
use signalbox_testkit::{Offer, Setup, Stand, TestServer};

use crate::load::{Load, Seen, Sent, quantile};
use crate::speech::ask;

/// A hundred clients a second, each of which asks three times while there is no answer.
const RATE: u32 = 100;
/// All well, then all failing, then all well again.
const BEFORE: Duration = Duration::from_secs(3);
const OUTAGE: Duration = Duration::from_secs(40);
const AFTER: Duration = Duration::from_secs(17);
/// Time in which the process must have found out, and recovered.
const FOUND_OUT: Duration = Duration::from_secs(8);
const RECOVERED: Duration = Duration::from_secs(10);
/// Time between two looks at the counters.
const LOOK: Duration = Duration::from_millis(100);

/// One look: requests of clients and attempts so far.
#[derive(Debug, Clone, Copy)]
struct Look {
    at: Duration,
    requests: u64,
    attempts: u64,
}

/// Attempts for each request between two moments.
fn ratio(looks: &[Look], from: Duration, to: Duration) -> (u64, f64) {
    let at = |moment| looks.iter().rfind(|look| look.at <= moment).copied().unwrap_or(looks[0]);
    let (first, last) = (at(from), at(to));
    let requests = last.requests - first.requests;
    #[allow(clippy::cast_precision_loss)]
    let ratio = (last.attempts - first.attempts) as f64 / requests.max(1) as f64;
    (requests, ratio)
}

async fn no_storm(name: &str, failing: &str) {
    let stands = ["a", "b", "c"].map(|one| Stand::new(one, &format!("tokens-3+switch-{one}")));
    let setup = Setup { journal: false, ..Setup::default() };
    let server = Arc::new(TestServer::start_as(Offer::new().model("acme/m", stands), setup).await);
    let (sent, over, clock) = (Sent::default(), Arc::new(AtomicBool::new(false)), Clock::system());
    let looking = {
        let (server, sent, over, clock) =
            (Arc::clone(&server), Arc::clone(&sent), Arc::clone(&over), clock.clone());
        task::spawn("looks", async move {
            let mut looks = Vec::new();
            while !over.load(Ordering::Relaxed) {
                let requests = u64::try_from(sent.load(Ordering::Relaxed)).unwrap();
                let attempts = server.counted().arrived;
                looks.push(Look { at: clock.monotonic(), requests, attempts });
                tokio::time::sleep(LOOK).await;
            }
            looks
        })
    };
    let switching = {
        let (server, failing) = (Arc::clone(&server), failing.to_owned());
        task::spawn("switches", async move {
            let all = |behaviour: &str| {
                for one in ["a", "b", "c"] {
                    server.switch(one, behaviour);
                }
            };
            all("tokens-3");
            tokio::time::sleep(BEFORE).await;
            all(&failing);
            tokio::time::sleep(OUTAGE).await;
            all("tokens-3");
        })
    };
    let count = usize::try_from((BEFORE + OUTAGE + AFTER).as_secs()).unwrap() * RATE as usize;
    let load = Load { rate: RATE, count, retries: 2 };
    let seen = load.run(&server.caller(), &sent, |number| ask("acme/m", number % 10 < 3)).await;
    over.store(true, Ordering::Relaxed);
    let looks = looking.await.unwrap().unwrap();
    switching.await.unwrap().unwrap();
    server.closes_clean().await;
    judge(name, &looks, &seen);
}

fn judge(name: &str, looks: &[Look], seen: &[Seen]) {
    let heal = BEFORE + OUTAGE;
    let (requests, over_all) = ratio(looks, BEFORE, heal);
    let (_, ejected) = ratio(looks, BEFORE + FOUND_OUT, heal - LOOK);
    let window = Duration::from_secs(2);
    let windows = looks.iter().filter(|look| look.at >= BEFORE && look.at + window <= heal);
    let worst = windows.map(|look| ratio(looks, look.at, look.at + window));
    let worst = worst.filter(|(requests, _)| *requests >= 100).map(|(_, ratio)| ratio);
    let worst = worst.fold(0.0, f64::max);
    let between = |from: Duration, to: Duration| {
        seen.iter().filter(|one| (from..to).contains(&one.asked)).cloned().collect::<Vec<_>>()
    };
    let mut during = between(BEFORE + FOUND_OUT, heal - window);
    during.retain(|one| one.asked + one.took < heal - window);
    let after = between(heal + RECOVERED, Duration::MAX);
    let good = after.iter().filter(|one| one.good).count();
    let first_good = seen.iter().filter(|one| one.good && one.asked > heal).map(|one| one.asked);
    eprintln!(
        "{name}: {requests} requests, {over_all:.3} attempts each; at worst {worst:.3} in two \
         seconds, {ejected:.3} once ejected; answers then p50 {:?}, p99 {:?}; the first good one {:?} \
         after the end; {good} of {} good ten seconds later",
        quantile(&during, 0.5),
        quantile(&during, 0.99),
        first_good.min().map(|at| at - heal),
        after.len(),
    );
    assert!(over_all <= 1.1 && worst <= 1.3 && ejected <= 0.2, "{name}");
    // A stream that took longer than its first keep-alive has a status already.
    let refused = |one: &&Seen| {
        let in_stream = one.status == 200 && !one.good && one.took >= limits::KEEP_ALIVE_EVERY;
        one.status == 503 && one.told || in_stream
    };
    let proper = during.iter().filter(refused).count();
    assert_eq!(proper, during.len(), "{name}: 503 and Retry-After, nothing else");
    // No slower than an answer on the same machine, which costs more.
    let usual = quantile(&after, 0.5).max(Duration::from_millis(50));
    assert!(
        quantile(&during, 0.5) <= usual * 3,
        "{name}: at once, where an answer takes {usual:?}"
    );
    assert!(after.len() > 300 && good * 100 >= after.len() * 99, "{name}: recovered");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn total_outage_no_storm_when_all_say_503_at_once() {
    no_storm("at once", "status-503").await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn total_outage_no_storm_when_all_say_503_after_three_seconds() {
    no_storm("after 3 s", "headers-slow-3000+status-503").await;
}
