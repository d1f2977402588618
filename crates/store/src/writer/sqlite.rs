//! Writing to a file: ledger entries that wait together share a commit; transactions go one by one.

use std::sync::Arc;
use std::sync::atomic::AtomicUsize;

use tokio::sync::mpsc;

use super::{Command, Work};
use crate::error::StoreError;
use crate::ledger::batch;
use crate::ledger::batch::sqlite::Scribe;
use crate::sql::{Connection, query};

pub(super) async fn run(
    mut connection: Connection,
    mut commands: mpsc::UnboundedReceiver<Command>,
    backlog: Arc<AtomicUsize>,
) {
    let mut scribe = Scribe::default();
    let mut waiting = Vec::with_capacity(batch::LARGEST);
    let mut entries = Vec::with_capacity(batch::LARGEST);
    while commands.recv_many(&mut waiting, batch::LARGEST).await > 0 {
        for command in waiting.drain(..) {
            match command {
                Command::Entry(entry) => entries.push(entry),
                Command::Job(job) => {
                    batch::write(&mut scribe.on(&mut connection), &mut entries, &backlog).await;
                    (job.run)(Ok(&mut connection)).await;
                }
                Command::Flush(done) => {
                    batch::write(&mut scribe.on(&mut connection), &mut entries, &backlog).await;
                    let _ = done.send(());
                }
            }
        }
        batch::write(&mut scribe.on(&mut connection), &mut entries, &backlog).await;
    }
}

/// Runs `work` between BEGIN IMMEDIATE and COMMIT; anything that fails rolls all of it back. When
/// `raised`, this commit waits for the disk, unlike others.
pub(super) async fn transaction<T, F>(
    connection: &mut Connection,
    raised: bool,
    work: F,
) -> Result<T, StoreError>
where
    F: for<'c> FnOnce(&'c mut Connection) -> Work<'c, T>,
{
    if raised {
        query("PRAGMA synchronous = FULL").execute(&mut *connection).await?;
    }
    let result = async {
        query("BEGIN IMMEDIATE").execute(&mut *connection).await?;
        let done = work(connection).await?;
        query("COMMIT").execute(&mut *connection).await?;
        Ok(done)
    }
    .await;
    if result.is_err() {
        // Fails when SQLite has rolled back by itself, which is what is wanted.
        drop(query("ROLLBACK").execute(&mut *connection).await);
    }
    if raised {
        // The commit stands whatever this says; staying at FULL would only be slower.
        drop(query("PRAGMA synchronous = NORMAL").execute(&mut *connection).await);
    }
    result
}
