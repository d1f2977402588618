//! One of three equal providers is dead, in each of five ways (reliability design, test 6).

use std::sync::Arc;
use std::time::Duration;

use serde_json::json;
use signalbox_testkit::{Blackhole, Offer, Setup, Stand, TestServer, refused};

use crate::load::{Load, Seen, Sent, quantile};
use crate::speech::{ask, attempts};

const REQUESTS: usize = 10_000;
const RATE: u32 = 200;
/// Until then a dead provider must have been found out.
const FOUND_OUT: Duration = Duration::from_secs(5);
/// What a shared machine may add to the bounds on time.
const NOISE: u32 = 3;

/// What is expected of one way to be dead.
struct Way {
    name: &'static str,
    /// Most attempts for a thousand requests.
    attempts: usize,
    /// Most of a thousand requests that may take longer than a second beyond the usual.
    slow: usize,
    /// Longest that they may take beyond the usual.
    added: Duration,
}

async fn one_of_three_is(way: Way, dead: Stand, elsewhere: Option<String>) {
    let mut offer = Offer::new()
        .model("acme/m", [dead, Stand::new("b", "tokens-3"), Stand::new("c", "tokens-3")]);
    offer = offer.model("acme/well", [Stand::new("b", "tokens-3"), Stand::new("c", "tokens-3")]);
    if let Some(address) = elsewhere {
        offer = offer.provider_at("dead", &address);
    }
    let setup = Setup { journal: false, ..Setup::default() };
    let server = TestServer::start_as(offer, setup).await;
    let sent = Sent::default();
    let usual = Load { rate: RATE, count: 400, retries: 0 };
    let usual =
        usual.run(&server.caller(), &sent, |number| ask("acme/well", number % 10 < 3)).await;
    let load = Load { rate: RATE, count: REQUESTS, retries: 0 };
    let seen = load.run(&server.caller(), &sent, |number| ask("acme/m", number % 10 < 3)).await;
    let bad: Vec<&Seen> = seen.iter().filter(|one| !one.good).collect();
    assert_eq!(seen.len(), REQUESTS);
    assert!(bad.is_empty(), "{}: {} clients saw an error: {:?}", way.name, bad.len(), bad[0]);
    server.closes_clean().await;
    let mut counted = Counted::default();
    for one in &seen {
        let row = server.generation(one.id.as_ref().unwrap()).await;
        counted.add(one, &attempts(&row));
    }
    let limit = quantile(&usual, 0.99) + Duration::from_secs(1);
    let slow = seen.iter().filter(|one| one.took > limit).count();
    let longest = quantile(&seen, 1.0).saturating_sub(quantile(&usual, 0.5));
    eprintln!(
        "{}: 0 errors in {REQUESTS}; {} attempts ({} at the dead one), {} of {} after it was found \
         out; {slow} took a second more than usual, the longest {longest:?} more; p50 {:?}, p99 {:?} \
         (all well: {:?}, {:?})",
        way.name,
        counted.attempts,
        counted.dead,
        counted.late_attempts,
        counted.late_requests,
        quantile(&seen, 0.5),
        quantile(&seen, 0.99),
        quantile(&usual, 0.5),
        quantile(&usual, 0.99),
    );
    assert!(counted.attempts * 1_000 <= REQUESTS * way.attempts, "{}", way.name);
    assert!(
        counted.late_attempts * 1_000 <= counted.late_requests * 1_002,
        "{}: {} attempts for {} requests once it was found out",
        way.name,
        counted.late_attempts,
        counted.late_requests
    );
    assert!(slow * 1_000 <= REQUESTS * way.slow * NOISE as usize, "{}: {slow} were slow", way.name);
    assert!(longest <= way.added * NOISE, "{}: {longest:?}", way.name);
}

#[derive(Default)]
struct Counted {
    attempts: usize,
    dead: usize,
    late_requests: usize,
    late_attempts: usize,
}

impl Counted {
    fn add(&mut self, seen: &Seen, attempts: &[serde_json::Value]) {
        self.attempts += attempts.len();
        self.dead += attempts.iter().filter(|one| one["provider_name"] == "Provider dead").count();
        if seen.asked > FOUND_OUT {
            self.late_requests += 1;
            self.late_attempts += attempts.len();
        }
    }
}

fn at_once(name: &'static str) -> Way {
    Way { name, attempts: 1_020, slow: 1, added: Duration::from_millis(700) }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn one_of_three_dead_refuses_connections() {
    let nobody = Some(refused().await);
    one_of_three_is(at_once("refused"), Stand::new("dead", "tokens-3"), nobody).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn one_of_three_dead_is_a_black_hole() {
    let hole = Arc::new(Blackhole::open().await);
    let way =
        Way { name: "blackholed", attempts: 1_020, slow: 8, added: Duration::from_millis(1_500) };
    one_of_three_is(way, Stand::new("dead", "tokens-3"), Some(hole.address())).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn one_of_three_dead_says_200_and_is_silent() {
    let way =
        Way { name: "silent", attempts: 1_030, slow: 20, added: Duration::from_millis(2_500) };
    one_of_three_is(way, Stand::new("dead", "tokens-3+hang-after-0"), None).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn one_of_three_dead_answers_503() {
    one_of_three_is(at_once("503"), Stand::new("dead", "status-503"), None).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn one_of_three_dead_answers_429_and_is_left_alone() {
    let dead = Stand::new("dead", "status-429-retry-30").with("max_output", json!(1000));
    one_of_three_is(at_once("429"), dead, None).await;
}
