//! The task that owns the writing connection.
//!
//! Everything that changes a row travels through one queue, so no transaction is ever awaited inside
//! a request's own future, and a future that is dropped can't leave one open.

use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use crate::sql::{Connection, query};
use signalbox_core::limits;
use tokio::sync::{mpsc, oneshot};

use crate::error::StoreError;
use crate::ledger::batch::sqlite::Scribe;
use crate::ledger::batch::{self};
use crate::ledger::entry::Entry;

/// A future that borrows the connection it works on.
pub(crate) type Work<'c, T> = Pin<Box<dyn Future<Output = Result<T, StoreError>> + Send + 'c>>;

/// What a commit survives.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Durability {
    /// Process death always; a power cut but for the last second.
    Process,
    /// A power cut too: the commit waits for the disk.
    Power,
}

type Job = Box<dyn for<'c> FnOnce(&'c mut Connection) -> JobDone<'c> + Send>;
type JobDone<'c> = Pin<Box<dyn Future<Output = ()> + Send + 'c>>;

pub(crate) enum Command {
    /// One ledger entry; entries that wait together are written in one commit.
    Entry(Entry),
    /// Any other transaction.
    Job(Job),
    /// Answers when everything before it is durable.
    Flush(oneshot::Sender<()>),
}

/// The sending side.
#[derive(Clone)]
pub(crate) struct Writer {
    queue: mpsc::UnboundedSender<Command>,
    /// Entries that are queued and not yet durable.
    backlog: Arc<AtomicUsize>,
}

impl Writer {
    /// Starts the task. It ends when every sender is gone and the queue is empty.
    pub fn start(connection: Connection) -> Self {
        let (queue, commands) = mpsc::unbounded_channel();
        let backlog = Arc::new(AtomicUsize::new(0));
        let task = run(connection, commands, backlog.clone());
        drop(signalbox_runtime::task::spawn("store-writer", task));
        Self { queue, backlog }
    }

    /// Queues a ledger entry without waiting.
    pub fn post(&self, entry: Entry) -> Result<(), StoreError> {
        self.backlog.fetch_add(1, Ordering::Relaxed);
        self.queue.send(Command::Entry(entry)).map_err(|_| StoreError::Closed)
    }

    /// How many entries wait for their commit.
    pub fn backlog(&self) -> usize {
        self.backlog.load(Ordering::Relaxed)
    }

    /// Runs one transaction and waits for its commit. Dropping the returned future does not stop it.
    pub async fn transact<T, F>(&self, durability: Durability, work: F) -> Result<T, StoreError>
    where
        T: Send + 'static,
        F: for<'c> FnOnce(&'c mut Connection) -> Work<'c, T> + Send + 'static,
    {
        let (done, answer) = oneshot::channel();
        let job: Job = Box::new(move |connection| {
            Box::pin(async move {
                let result = transaction(connection, durability, work).await;
                drop(done.send(result));
            })
        });
        self.queue.send(Command::Job(job)).map_err(|_| StoreError::Closed)?;
        answer.await.map_err(|_| StoreError::Closed)?
    }

    /// Waits until everything that was queued before is durable.
    pub async fn flush(&self) -> Result<(), StoreError> {
        let (done, answer) = oneshot::channel();
        self.queue.send(Command::Flush(done)).map_err(|_| StoreError::Closed)?;
        answer.await.map_err(|_| StoreError::Closed)
    }
}

async fn run(
    mut connection: Connection,
    mut commands: mpsc::UnboundedReceiver<Command>,
    backlog: Arc<AtomicUsize>,
) {
    let mut scribe = Scribe::default();
    let mut waiting = Vec::with_capacity(limits::LEDGER_BATCH);
    let mut entries = Vec::with_capacity(limits::LEDGER_BATCH);
    while commands.recv_many(&mut waiting, limits::LEDGER_BATCH).await > 0 {
        for command in waiting.drain(..) {
            match command {
                Command::Entry(entry) => entries.push(entry),
                Command::Job(job) => {
                    batch::write(&mut scribe.on(&mut connection), &mut entries, &backlog).await;
                    job(&mut connection).await;
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

/// Runs `work` between BEGIN IMMEDIATE and COMMIT; anything that fails rolls all of it back.
pub(crate) async fn transaction<T, F>(
    connection: &mut Connection,
    durability: Durability,
    work: F,
) -> Result<T, StoreError>
where
    F: for<'c> FnOnce(&'c mut Connection) -> Work<'c, T>,
{
    if durability == Durability::Power {
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
    if durability == Durability::Power {
        // The commit stands whatever this says; staying at FULL would only be slower.
        drop(query("PRAGMA synchronous = NORMAL").execute(&mut *connection).await);
    }
    result
}
