//! Whatever one language made of an answer of another, the response cache gives it again: every cell of
//! the table whose client has a cache, twice.

use std::sync::Arc;

use anyhow::{Context, Result, ensure};
use serde_json::Value;
use signalbox_core::Usd;
use signalbox_runtime::task;
use signalbox_testkit::{Reply, TestServer};

use crate::cell::ask;
use crate::hear::{Heard, hear};
use crate::sell::offer;
use crate::table::{Cell, Feature, Inbound, Shown};

/// How many cells are played side by side.
const AT_ONCE: usize = 16;

/// The cells that end in an answer.
fn cells() -> Vec<Cell> {
    let answered = |cell: &Cell| {
        let fails = matches!(cell.feature, Feature::ErrorBefore | Feature::ErrorAfter);
        let refused = cell.limit().is_some_and(|one| matches!(one.shown, Shown::Refused(..)));
        cell.inbound != Inbound::Completions && !fails && !refused
    };
    Cell::all().into_iter().filter(answered).collect()
}

/// Every number in a `usage` that is not nothing.
fn counted(value: &Value, inside: bool, found: &mut Vec<String>) {
    match value {
        Value::Object(members) => {
            for (key, value) in members {
                counted(value, inside || key == "usage", found);
            }
        }
        Value::Array(list) => list.iter().for_each(|one| counted(one, inside, found)),
        Value::Number(number) if inside && number.as_f64() != Some(0.0) => {
            found.push(number.to_string());
        }
        _ => {}
    }
}

fn consumed(reply: &Reply) -> Result<Vec<String>> {
    let text = std::str::from_utf8(&reply.body)?;
    let mut found = Vec::new();
    if !reply.is_stream() {
        counted(&serde_json::from_str(text)?, false, &mut found);
    }
    for data in text.lines().filter_map(|line| line.strip_prefix("data: {")) {
        counted(&serde_json::from_str(&format!("{{{data}"))?, false, &mut found);
    }
    Ok(found)
}

async fn twice(server: &TestServer, cell: &Cell) -> Result<()> {
    let caller = server.caller().with("x-openrouter-cache", "true");
    let caller = caller.with("x-openrouter-metadata", "enabled");
    let body = ask(cell).body(cell.inbound);
    let mut heard: Vec<Heard> = Vec::new();
    for status in ["MISS", "HIT", "HIT"] {
        let reply = caller.post(cell.inbound.path(), &body).await;
        let one = hear(cell.inbound, &reply, cell.stream)?;
        let told = reply.header("x-openrouter-cache-status");
        ensure!(told == Some(status), "{told:?} is not {status}");
        ensure!(one.error.is_none() && one.metadata.is_some() == (status == "MISS"), "{one:?}");
        if status == "HIT" {
            let consumed = consumed(&reply)?;
            ensure!(consumed.is_empty(), "{consumed:?}: {}", String::from_utf8_lossy(&reply.body));
        }
        heard.push(one);
    }
    let [first, again, last] = heard.as_slice() else { return Err(anyhow::anyhow!("three")) };
    for hit in [again, last] {
        ensure!(hit.text == first.text && hit.thoughts == first.thoughts, "{hit:?} {first:?}");
        ensure!(hit.calls == first.calls && hit.seals == first.seals, "{hit:?} {first:?}");
        ensure!(hit.end == first.end && hit.id != first.id, "{hit:?} {first:?}");
        let usage = hit.usage.as_ref().context("no usage")?;
        ensure!((usage.input, usage.output, usage.cost) == (0, 0, Usd::ZERO), "{usage:?}");
    }
    ensure!(again.id != last.id, "each hit has an id of its own");
    Ok(())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_answer_in_every_language_is_given_again_without_its_counts() {
    let cells = cells();
    assert!(cells.len() > 200, "{}", cells.len());
    let server = Arc::new(TestServer::start(offer(&cells)).await);
    let calls = cells.len();
    let queue = Arc::new(std::sync::Mutex::new(cells));
    let mut workers = Vec::new();
    for _ in 0..AT_ONCE {
        let (server, queue) = (Arc::clone(&server), Arc::clone(&queue));
        workers.push(task::spawn("cells", async move {
            let mut failed = Vec::new();
            loop {
                let next = queue.lock().unwrap().pop();
                let Some(cell) = next else { return failed };
                match task::catch(twice(&server, &cell)).await {
                    Ok(Ok(())) => {}
                    Ok(Err(error)) => failed.push(format!("{}: {error:#}", cell.name())),
                    Err(panic) => failed.push(format!("{}: {panic}", cell.name())),
                }
            }
        }));
    }
    let mut failed = Vec::new();
    for worker in workers {
        failed.extend(worker.await.unwrap().unwrap());
    }
    failed.sort();
    assert!(failed.is_empty(), "{} cells failed:\n{}", failed.len(), failed.join("\n"));
    assert_eq!(server.journal().entries().len(), calls, "each was asked once");
    server.closes_clean().await;
}
