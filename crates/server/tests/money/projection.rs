//! Test 30, `money::projection_equals_ledger`: thousands of random operations of every kind, and
//! then every sum that is kept or shown is that of the postings; one row for a logical request;
//! where data goes changes nothing but the agreed discount.

use std::sync::Arc;
use std::time::Duration;

use signalbox_core::Timestamp;
use signalbox_runtime::{Clock, task};
use signalbox_testkit::{Draw, Setup, TestServer};
use tokio::sync::Semaphore;

#[path = "projection/deeds.rs"]
mod deeds;
#[path = "projection/doors.rs"]
mod doors;
#[path = "projection/people.rs"]
mod people;
#[path = "projection/sums.rs"]
mod sums;

use deeds::{Deed, Seen};
use people::People;

/// Most operations at a time.
const AT_ONCE: usize = 24;
/// Operations between two days.
const A_DAY: usize = 500;
/// How far the clock goes with each operation.
const TICK: Duration = Duration::from_millis(200);
/// 2027-01-15 08:00 UTC, a Friday.
const START: Timestamp = Timestamp::from_seconds(1_800_000_000);

async fn run(operations: usize, mut draw: Draw, database: Option<String>) {
    eprintln!("{operations} operations, seed {}", draw.seed());
    let clock = Clock::manual(START);
    let setup =
        Setup { credit: "0", clock: clock.clone(), journal: false, database, ..Setup::default() };
    let server = Arc::new(TestServer::start_as(doors::offer(), setup).await);
    let people = Arc::new(People::move_in(&server).await);
    let places = Arc::new(Semaphore::new(AT_ONCE));
    let mut doing = Vec::new();
    let mut seen: Vec<Seen> = Vec::new();
    for number in 0..operations {
        if number % A_DAY == A_DAY - 1 {
            for one in doing.drain(..) {
                seen.extend(end(one).await);
            }
            server.settled().await;
            clock.advance(Duration::from_secs(9 * 3_600));
        }
        let deed = Deed::draw(&mut draw, number, &people);
        let place = Arc::clone(&places).acquire_owned().await.unwrap();
        clock.advance(TICK);
        let (server, people) = (Arc::clone(&server), Arc::clone(&people));
        doing.push(task::spawn("deed", async move {
            let seen = deed.run(&server, &people).await;
            drop(place);
            seen
        }));
    }
    for one in doing {
        seen.extend(end(one).await);
    }
    server.settled().await;
    server.audit().await;
    sums::hold(&server, &people, &seen).await;
    people::logging_changes_nothing(&server, &people).await;
    server.closes_clean().await;
}

/// An operation that panicked said why on stderr.
async fn end(doing: tokio::task::JoinHandle<Option<Option<Seen>>>) -> Option<Seen> {
    doing.await.unwrap().expect("an operation without a complaint")
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_sum_is_that_of_the_postings_after_five_thousand_random_operations() {
    run(5_000, Draw::seeded(0x30), None).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_sum_is_that_of_the_postings_in_postgresql() {
    let database = signalbox_pgserver::database();
    run(1_000, Draw::seeded(0x30_30), Some(database.url())).await;
}
