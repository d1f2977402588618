//! How fast the writer is. Run by hand: `cargo test --release -p signalbox-store -- --ignored --nocapture pace`.

use std::sync::Arc;
use std::time::Duration;

use signalbox_runtime::{Clock, task};
use signalbox_store::Ledger;

use crate::world::{World, usd};

/// User and system time of this process.
fn cpu() -> Duration {
    let stat = std::fs::read_to_string("/proc/self/stat").unwrap_or_default();
    let after = stat.rsplit(')').next().unwrap_or_default();
    let ticks = |field: usize| -> u64 {
        after.split_whitespace().nth(field).and_then(|text| text.parse().ok()).unwrap_or(0)
    };
    Duration::from_millis((ticks(11) + ticks(12)) * 10)
}

async fn measure(tasks: usize, rounds: usize) {
    let world = Arc::new(World::with_clock(Clock::system()).await);
    let account = world.account(1_000_000_000_000).await;
    let key = world.key(&account, None, None).await;
    let ledger = Ledger::open(&world.store).await.unwrap();
    world.warm(&ledger, &key).await.unwrap();
    let (began, busy) = (world.clock.monotonic(), cpu());
    let handles: Vec<_> = (0..tasks)
        .map(|_| {
            let (world, ledger, key) = (world.clone(), ledger.clone(), key.clone());
            task::spawn("pace", async move {
                let mut waits = Vec::with_capacity(rounds);
                for _ in 0..rounds {
                    let hold = ledger.reserve(&world.request(&key, 100)).unwrap();
                    let row = world.row(60);
                    let start = world.clock.monotonic();
                    ledger.settle(hold, usd(60), row).await.unwrap();
                    waits.push(world.clock.monotonic() - start);
                }
                waits
            })
        })
        .collect();
    let mut waits = Vec::new();
    for handle in handles {
        waits.extend(handle.await.unwrap().unwrap());
    }
    let (took, busy) = (world.clock.monotonic() - began, cpu() - busy);
    let start = world.clock.monotonic();
    ledger.flush().await.unwrap();
    let behind = world.clock.monotonic() - start;
    waits.sort_unstable();
    let count = waits.len();
    let at = |per_mille: usize| waits[(count * per_mille / 1000).min(count - 1)];
    println!(
        "{tasks:>4} at once: {:>6.0}/s, cpu {:>5.1} us each, wait p50 {:?} p99 {:?} max {:?}, \
         in the database {behind:?} after the last answer",
        count as f64 / took.as_secs_f64(),
        busy.as_secs_f64() * 1e6 / count as f64,
        at(500),
        at(990),
        at(999),
    );
}

#[ignore = "measures"]
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn settlements_of_one_hot_account() {
    for (tasks, rounds) in [(1, 2000), (8, 2000), (64, 500), (512, 100), (2000, 25)] {
        measure(tasks, rounds).await;
    }
}
