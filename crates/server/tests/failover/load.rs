//! Many clients at a steady rate, and what each of them saw.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use serde_json::Value;
use signalbox_runtime::{Clock, task};
use signalbox_testkit::{Caller, Reply};
use tokio::sync::{Semaphore, mpsc};

/// Most requests at a time: a machine that is too slow for the rate gets a lower one.
const AT_A_TIME: usize = 1_200;

/// What a client saw.
#[derive(Debug, Clone)]
pub struct Seen {
    /// When it asked, since the load began.
    pub asked: Duration,
    /// How long it took.
    pub took: Duration,
    pub status: u16,
    /// Whether it is a good and complete answer.
    pub good: bool,
    /// The generation's id, if there was one.
    pub id: Option<String>,
    /// Whether it was told when to come back.
    pub told: bool,
}

/// So many requests, so many a second. `body` makes each of them from its number.
#[derive(Debug, Clone)]
pub struct Load {
    pub rate: u32,
    pub count: usize,
    /// How often a client tries again, as official clients do, when it is told that it may help.
    pub retries: u32,
}

/// How many requests were sent so far, repetitions included.
pub type Sent = Arc<AtomicUsize>;

impl Load {
    /// Runs to the end of the last answer.
    pub async fn run(
        &self,
        caller: &Caller,
        sent: &Sent,
        body: impl Fn(usize) -> Value,
    ) -> Vec<Seen> {
        let clock = Clock::system();
        let places = Arc::new(Semaphore::new(AT_A_TIME));
        let (results, mut seen) = mpsc::unbounded_channel();
        for number in 0..self.count {
            let due = Duration::from_secs(1) * u32::try_from(number).unwrap() / self.rate;
            tokio::time::sleep(due.saturating_sub(clock.monotonic())).await;
            let place = Arc::clone(&places).acquire_owned().await.unwrap();
            let (caller, body, results) = (caller.clone(), body(number), results.clone());
            let (clock, sent, retries) = (clock.clone(), Arc::clone(sent), self.retries);
            drop(task::spawn("client", async move {
                for tried in 0..=retries {
                    sent.fetch_add(1, Ordering::Relaxed);
                    let asked = clock.monotonic();
                    let reply = caller.chat(&body).await;
                    let took = clock.monotonic().saturating_sub(asked);
                    let one = judge(&reply, asked, took);
                    let again = wait(&reply).filter(|_| !one.good && tried < retries);
                    results.send(one).unwrap();
                    match again {
                        Some(wait) => tokio::time::sleep(wait).await,
                        None => break,
                    }
                }
                drop(place);
            }));
        }
        drop(results);
        let mut all = Vec::with_capacity(self.count);
        while let Some(one) = seen.recv().await {
            all.push(one);
        }
        all
    }
}

fn judge(reply: &Reply, asked: Duration, took: Duration) -> Seen {
    let good = reply.status == 200
        && reply.ended
        && if reply.is_stream() {
            let events = reply.events();
            events.done && events.errors().is_empty() && events.finishes() == ["stop"]
        } else {
            reply.json()["choices"][0]["finish_reason"] == "stop"
        };
    let id = reply.header("x-generation-id").map(str::to_owned);
    let told = reply.header("retry-after").is_some();
    Seen { asked, took, status: reply.status, good, id, told }
}

/// How long a client waits before it tries again: as told, unless it is told not to.
fn wait(reply: &Reply) -> Option<Duration> {
    if reply.header("x-should-retry") == Some("false") || reply.status < 429 {
        return None;
    }
    let seconds = reply.header("retry-after").and_then(|text| text.parse().ok());
    Some(seconds.map_or(Duration::from_millis(500), Duration::from_secs))
}

/// The time below which this share of them took.
pub fn quantile(seen: &[Seen], share: f64) -> Duration {
    let mut times: Vec<Duration> = seen.iter().map(|one| one.took).collect();
    times.sort_unstable();
    #[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss, clippy::cast_precision_loss)]
    let place = (times.len() as f64 * share) as usize;
    times.get(place.min(times.len().saturating_sub(1))).copied().unwrap_or_default()
}
