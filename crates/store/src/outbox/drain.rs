//! The task that posts what is in the file, for ever.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use tokio::sync::mpsc;

use super::BATCH;
use super::file::{self, OutboxFile, Remains};
use super::gauge::Gauge;
use super::post::{Posted, Run, post};
use super::writer::{self, Command};
use crate::error::StoreError;
use crate::sql::Connection;
use crate::store::Store;

/// First and longest pause after a failure.
const PAUSES: (Duration, Duration) = (Duration::from_millis(20), Duration::from_secs(1));
/// Looks for entries at least this often, whatever it heard.
const LOOK: Duration = Duration::from_secs(1);

pub(super) struct Drain {
    path: PathBuf,
    store: Store,
    holder: Arc<str>,
    gauge: Arc<Gauge>,
    queue: mpsc::UnboundedSender<Command>,
    /// Number of the last entry that was posted.
    last: i64,
    /// The run behind it and its size, once it was read.
    ready: Option<(Arc<Run>, u64)>,
}

/// The oldest entries behind `last` as one run, and their size.
async fn next(connection: &mut Connection, last: i64) -> Result<Option<(Run, u64)>, StoreError> {
    let mut all: Option<(Run, u64)> = None;
    for batch in file::oldest(connection, last, BATCH).await? {
        let (run, bytes) =
            all.get_or_insert_with(|| (Run { first: batch.first, entries: Vec::new() }, 0));
        if !run.entries.is_empty() && batch.first != run.last().saturating_add(1) {
            break;
        }
        run.entries.extend(batch.entries);
        *bytes = bytes.saturating_add(batch.bytes);
    }
    Ok(all)
}

/// Posts everything that an earlier process left in the file.
///
/// # Errors
/// [`StoreError`] when file or database do not answer. Nothing is lost.
pub(super) async fn remains(
    file: &mut OutboxFile,
    store: &Store,
    remains: &Remains,
) -> Result<(), StoreError> {
    let mut last = 0;
    while let Some((run, _)) = next(file.connection(), last).await? {
        let run = Arc::new(run);
        let posted = post(store, &remains.holder, &run).await?;
        writer::forget(file, &run, &posted.refused).await?;
        last = run.last();
    }
    Ok(())
}

impl Drain {
    pub fn new(
        path: &Path,
        store: &Store,
        holder: &Arc<str>,
        gauge: Arc<Gauge>,
        queue: mpsc::UnboundedSender<Command>,
    ) -> Self {
        let (path, store, holder) = (path.to_owned(), store.clone(), holder.clone());
        Self { path, store, holder, gauge, queue, last: 0, ready: None }
    }

    pub async fn run(mut self) {
        let mut reader = None;
        let mut pause = PAUSES.0;
        loop {
            match self.step(&mut reader).await {
                Ok(true) => pause = PAUSES.0,
                Ok(false) => {
                    let look = self.gauge.news.notified();
                    drop(tokio::time::timeout(LOOK, look).await);
                }
                Err(error) => {
                    if pause == PAUSES.0 {
                        let entries = self.gauge.entries();
                        tracing::warn!(%error, entries, "charges wait in the outbox");
                    }
                    tokio::time::sleep(pause).await;
                    pause = pause.saturating_mul(2).min(PAUSES.1);
                }
            }
        }
    }

    /// Posts one run and reads the next one meanwhile; false when there was nothing.
    async fn step(&mut self, reader: &mut Option<Connection>) -> Result<bool, StoreError> {
        let connection = match reader {
            Some(connection) => connection,
            None => reader.insert(file::reader(&self.path).await?),
        };
        if self.ready.is_none() {
            let found = next(connection, self.last).await?;
            self.ready = found.map(|(run, bytes)| (Arc::new(run), bytes));
        }
        let Some((run, bytes)) = self.ready.clone() else { return Ok(false) };
        let posting = post(&self.store, &self.holder, &run);
        let (posted, found) = tokio::join!(posting, next(connection, run.last()));
        let Posted { refused, released } = posted?;
        if released {
            self.gauge.close();
        }
        self.last = run.last();
        // What could not be read is read again.
        self.ready = found.ok().flatten().map(|(run, bytes)| (Arc::new(run), bytes));
        let posted = Command::Posted { run, refused, bytes };
        self.queue.send(posted).map_err(|_| StoreError::Closed)?;
        Ok(true)
    }
}
