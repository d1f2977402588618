//! The task that owns the writing connection.
//!
//! Everything that changes a row travels through one queue, so no transaction is ever awaited inside
//! a request's own future, and a future that is dropped can't leave one open.

mod postgres;
mod sqlite;

use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};

use tokio::sync::{mpsc, oneshot};

use crate::error::StoreError;
use crate::ledger::entry::Entry;
use crate::settings::Sync;
use crate::sql::{Connection, Remote, silent};

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

/// Work on the connection, or on the news that there is none. Answers whether the connection is
/// still sound.
type Run = Box<dyn for<'c> FnOnce(Result<&'c mut Connection, StoreError>) -> Ran<'c> + Send>;
type Ran<'c> = Pin<Box<dyn Future<Output = bool> + Send + 'c>>;

/// A transaction that waits for its turn.
pub(crate) struct Job {
    run: Run,
    /// Set when the caller was told that the database is away: then it must not happen later.
    given_up: Arc<AtomicBool>,
}

#[expect(clippy::large_enum_variant, reason = "nearly all of them are entries")]
pub(crate) enum Command {
    /// One ledger entry; entries that wait together are written in one commit.
    Entry(Entry),
    /// Any other transaction.
    Job(Job),
    /// Answers when everything before it is durable.
    Flush(oneshot::Sender<()>),
}

/// What the task writes with.
pub(crate) enum Pen {
    /// The only connection of this process that writes to the file.
    Sqlite(Connection, Sync),
    /// The server, to which a connection is made whenever there is none.
    Postgres(Remote),
}

/// The sending side.
#[derive(Clone)]
pub(crate) struct Writer {
    queue: mpsc::UnboundedSender<Command>,
    /// Entries that are queued and not yet durable.
    backlog: Arc<AtomicUsize>,
    /// The server, when it is one.
    remote: Option<Remote>,
    /// What every commit to a file survives.
    sync: Sync,
}

impl Writer {
    /// Starts the task. It ends when every sender is gone and the queue is empty.
    pub fn start(pen: Pen) -> Self {
        let (queue, commands) = mpsc::unbounded_channel();
        let backlog = Arc::new(AtomicUsize::new(0));
        let (remote, sync) = match pen {
            Pen::Sqlite(connection, sync) => {
                let task = sqlite::run(connection, commands, backlog.clone());
                drop(signalbox_runtime::task::spawn("store-writer", task));
                (None, sync)
            }
            Pen::Postgres(remote) => {
                let task = postgres::run(remote.clone(), commands);
                drop(signalbox_runtime::task::spawn("store-writer", task));
                (Some(remote), Sync::default())
            }
        };
        Self { queue, backlog, remote, sync }
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
    /// `Unavailable` says that it did not begin, or that the server went silent in the middle of it.
    pub async fn transact<T, F>(&self, durability: Durability, work: F) -> Result<T, StoreError>
    where
        T: Send + 'static,
        F: for<'c> FnOnce(&'c mut Connection) -> Work<'c, T> + Send + 'static,
    {
        if self.remote.as_ref().is_some_and(Remote::is_down) {
            return Err(silent());
        }
        let (done, answer) = oneshot::channel();
        let raised = durability == Durability::Power && self.sync == Sync::Process;
        let run: Run = Box::new(move |connection| {
            Box::pin(async move {
                let (result, sound) = match connection {
                    Ok(connection) if connection.is_postgres() => {
                        postgres::transaction(connection, work).await
                    }
                    Ok(connection) => (sqlite::transaction(connection, raised, work).await, true),
                    Err(error) => (Err(error), true),
                };
                drop(done.send(result));
                sound
            })
        });
        let given_up = Arc::new(AtomicBool::new(false));
        let job = Job { run, given_up: given_up.clone() };
        self.queue.send(Command::Job(job)).map_err(|_| StoreError::Closed)?;
        let answer = async { answer.await.map_err(|_| StoreError::Closed)? };
        let Some(remote) = &self.remote else { return answer.await };
        let result = remote.unless_silent(answer).await;
        given_up.store(matches!(result, Err(StoreError::Unavailable(_))), Ordering::Release);
        result
    }

    /// Waits until everything that was queued before is durable.
    pub async fn flush(&self) -> Result<(), StoreError> {
        let (done, answer) = oneshot::channel();
        self.queue.send(Command::Flush(done)).map_err(|_| StoreError::Closed)?;
        answer.await.map_err(|_| StoreError::Closed)
    }
}
