//! What PostgreSQL has not yet been told: a local file that the ledger writes to first.
//!
//! An entry is durable, and its caller is answered, as soon as it is in the file. A task posts what is
//! there to the database in order, for ever, and takes it out again. So an outage of the database
//! delays the ledger and loses nothing, and no request waits for the network when it ends.
//!
//! Entries are numbered. The database keeps the number of the last one that it has of each process,
//! in the transaction that wrote it, so that none is written twice however a commit ended.

#[cfg(test)]
mod cases;
mod drain;
mod file;
mod gauge;
mod post;
mod wire;
mod writer;

use std::path::Path;
use std::sync::Arc;

use signalbox_runtime::task;
use tokio::sync::{mpsc, oneshot};

use self::drain::Drain;
pub(crate) use self::file::{OutboxFile, Remains};
pub(crate) use self::gauge::Gauge;
use self::writer::Command;
use crate::error::StoreError;
use crate::ledger::batch;
use crate::ledger::entry::Entry;
use crate::store::Store;

/// Most bytes that may wait for the database before new reservations are refused.
const MOST_BYTES: u64 = 64 * 1024 * 1024;

/// Entries that the database is given at once.
const BATCH: usize = batch::LARGEST;

/// Posts everything that an earlier process left in the file.
///
/// # Errors
/// [`StoreError`] when file or database do not answer. Nothing is lost.
pub(crate) async fn post_remains(
    file: &mut OutboxFile,
    store: &Store,
    remains: &Remains,
) -> Result<(), StoreError> {
    drain::remains(file, store, remains).await
}

/// The sending side. Clones share it.
#[derive(Clone)]
pub(crate) struct Outbox {
    queue: mpsc::UnboundedSender<Command>,
    gauge: Arc<Gauge>,
    _tasks: Arc<Tasks>,
}

struct Tasks(Vec<tokio::task::AbortHandle>);

impl Drop for Tasks {
    fn drop(&mut self) {
        for task in &self.0 {
            task.abort();
        }
    }
}

impl Outbox {
    /// Starts writing to a file and posting from it, as this holder.
    pub fn start(file: OutboxFile, path: &Path, store: &Store, holder: &Arc<str>) -> Self {
        let (queue, commands) = mpsc::unbounded_channel();
        let gauge = Arc::new(Gauge::default());
        let drain = Drain::new(path, store, holder, gauge.clone(), queue.clone());
        let writer = writer::run(file, commands, gauge.clone());
        // The writer ends by itself once everything that was queued is in the file.
        drop(task::spawn("outbox-writer", writer));
        let drain = task::spawn("outbox-drain", drain.run()).abort_handle();
        Self { queue, gauge, _tasks: Arc::new(Tasks(vec![drain])) }
    }

    /// Queues an entry without waiting.
    pub fn post(&self, entry: Entry) -> Result<(), StoreError> {
        self.gauge.queued(1);
        self.queue.send(Command::Entry(entry)).map_err(|_| StoreError::Closed)
    }

    /// Entries that the database has not got yet. Beyond all bounds when they are too large, or when
    /// the database will never take them.
    pub fn backlog(&self) -> usize {
        let full = self.gauge.bytes() > MOST_BYTES || self.gauge.is_closed();
        if full { usize::MAX } else { self.gauge.entries() }
    }

    /// Forgets who this process was, once the database has everything of it, and lets go of the file.
    pub async fn retire(&self) -> Result<(), StoreError> {
        let (done, answer) = oneshot::channel();
        self.queue.send(Command::Retire(done)).map_err(|_| StoreError::Closed)?;
        answer.await.map_err(|_| StoreError::Closed)?
    }

    /// Waits until everything that was queued before is in the file.
    pub async fn flush(&self) -> Result<(), StoreError> {
        let (done, answer) = oneshot::channel();
        self.queue.send(Command::Flush(done)).map_err(|_| StoreError::Closed)?;
        answer.await.map_err(|_| StoreError::Closed)
    }

    /// How far the file is ahead of the database.
    pub const fn gauge(&self) -> &Arc<Gauge> {
        &self.gauge
    }
}
