//! The whole table over one server.

use std::sync::Arc;

use signalbox_core::Usd;
use signalbox_runtime::task;
use signalbox_testkit::TestServer;

use crate::cell::play;
use crate::sell::offer;
use crate::table::Cell;

/// How many cells are played side by side.
const AT_ONCE: usize = 16;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn whatever_is_asked_in_any_language_is_answered_in_it_by_a_provider_of_any_other() {
    let cells = Cell::all();
    let server = Arc::new(TestServer::start(offer(&cells)).await);
    let queue = Arc::new(std::sync::Mutex::new(cells));
    let mut workers = Vec::new();
    for _ in 0..AT_ONCE {
        let (server, queue) = (Arc::clone(&server), Arc::clone(&queue));
        workers.push(task::spawn("cells", async move {
            let (mut charged, mut failed) = (Usd::ZERO, Vec::new());
            loop {
                let next = queue.lock().unwrap().pop();
                let Some(cell) = next else { return (charged, failed) };
                match task::catch(play(&server, &cell)).await {
                    Ok(Ok(cost)) => charged = charged.checked_add(cost).unwrap(),
                    Ok(Err(error)) => failed.push(format!("{}: {error:#}", cell.name())),
                    Err(panic) => failed.push(format!("{}: {panic}", cell.name())),
                }
            }
        }));
    }
    let (mut charged, mut failed) = (Usd::ZERO, Vec::new());
    for worker in workers {
        let (cost, failures) = worker.await.unwrap().unwrap();
        charged = charged.checked_add(cost).unwrap();
        failed.extend(failures);
    }
    failed.sort();
    assert!(failed.is_empty(), "{} cells failed:\n{}", failed.len(), failed.join("\n"));
    server.closes_clean().await;
    assert_eq!(server.balance().await.charged, charged, "what was told is what was charged");
}
