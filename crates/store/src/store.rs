//! The open database.

use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError, RwLock};
use std::time::Duration;

use crate::sql::Pool;
use crate::sql::{Connection, Row, by, query};
use signalbox_runtime::{Clock, task};
use signalbox_vault::Vault;
use tokio::sync::{Notify, broadcast};

use crate::changes::{self, Change};
use crate::error::StoreError;
use crate::open::{self, Keeper};
use crate::outbox::Gauge;
use crate::settings::StoreSettings;
use crate::writer::{Durability, Work, Writer};

/// Time between two copies of the write-ahead log into the file: it bounds what a power cut takes.
const CHECKPOINT_EVERY: Duration = Duration::from_secs(1);

/// How long a read waits for charges that are on their way.
const CATCH_UP: Duration = Duration::from_secs(1);

/// The database: one writer task, a few readers, and news of changes. Clones share it.
#[derive(Clone)]
pub struct Store {
    inner: Arc<Inner>,
}

struct Inner {
    path: PathBuf,
    clock: Clock,
    writer: Writer,
    readers: Pool,
    news: broadcast::Sender<Change>,
    nudge: Arc<Notify>,
    tasks: Vec<tokio::task::AbortHandle>,
    _pulse: Option<task::Beside>,
    settings: StoreSettings,
    /// Where the charges of this process wait for PostgreSQL.
    outbox: Mutex<Option<Arc<Gauge>>>,
    /// What secrets are sealed and opened with; without a key until it is unlocked.
    vault: RwLock<Arc<Vault>>,
}

impl Drop for Inner {
    fn drop(&mut self) {
        for task in &self.tasks {
            task.abort();
        }
    }
}

impl std::fmt::Debug for Store {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Store").field("path", &self.inner.path).finish_non_exhaustive()
    }
}

impl Store {
    /// Opens `sqlite://path`, for which folder and file are made when they are missing, or
    /// `postgres://user@host/database`, and brings the schema up to date. Must be called inside a tokio
    /// runtime.
    ///
    /// # Errors
    /// [`StoreError`]: a bad URL, a place that cannot be written, another program's file, a schema of
    /// a newer version.
    pub async fn open(url: &str, clock: Clock) -> Result<Self, StoreError> {
        Self::open_as(url, clock, StoreSettings::default()).await
    }

    /// The same with these settings.
    ///
    /// # Errors
    /// As [`Store::open`].
    pub async fn open_as(
        url: &str,
        clock: Clock,
        settings: StoreSettings,
    ) -> Result<Self, StoreError> {
        let opened = open::open(url, clock.now().micros(), &settings).await?;
        let news = broadcast::Sender::new(1024);
        let nudge = Arc::new(Notify::new());
        let seen = changes::latest(&opened.readers).await?;
        let readers = opened.readers.clone();
        let (told, poll) = (nudge.clone(), settings.poll);
        let tail = changes::tail(readers, clock.clone(), seen, news.clone(), told, poll);
        let mut tasks = vec![task::spawn("store-changes", tail).abort_handle()];
        let mut pulse = None;
        match opened.keeper {
            Keeper::Log(connection) => {
                tasks.push(task::spawn("store-checkpoint", keep(connection)).abort_handle());
            }
            // Else a process that is busy would take its own delay for the server's silence.
            Keeper::Pulse(remote) => {
                let listen = remote.clone().listen(nudge.clone());
                tasks.push(task::spawn("store-listener", listen).abort_handle());
                pulse = Some(task::beside("store-pulse", remote.watch())?);
            }
        }
        let writer = Writer::start(opened.pen);
        let inner = Inner {
            path: opened.path,
            clock,
            writer,
            readers: opened.readers,
            news,
            nudge,
            tasks,
            _pulse: pulse,
            settings,
            outbox: Mutex::default(),
            vault: RwLock::default(),
        };
        Ok(Self { inner: Arc::new(inner) })
    }

    /// News of changed keys and accounts, this process's own and, within a second, those of others.
    /// A receiver that lags must treat everything as changed.
    #[must_use]
    pub fn subscribe(&self) -> broadcast::Receiver<Change> {
        self.inner.news.subscribe()
    }

    /// Waits until everything that was written before is durable.
    ///
    /// # Errors
    /// [`StoreError::Closed`] when the writer has ended.
    pub async fn flush(&self) -> Result<(), StoreError> {
        self.inner.writer.flush().await
    }

    /// The file of SQLite; empty with PostgreSQL.
    #[must_use]
    pub fn path(&self) -> &Path {
        &self.inner.path
    }

    /// The clock that stamps rows.
    #[must_use]
    pub fn clock(&self) -> &Clock {
        &self.inner.clock
    }

    pub(crate) fn vault(&self) -> Arc<Vault> {
        Arc::clone(&self.inner.vault.read().unwrap_or_else(PoisonError::into_inner))
    }

    pub(crate) fn set_vault(&self, vault: Arc<Vault>) {
        *self.inner.vault.write().unwrap_or_else(PoisonError::into_inner) = vault;
    }

    pub(crate) fn settings(&self) -> &StoreSettings {
        &self.inner.settings
    }

    pub(crate) fn is_postgres(&self) -> bool {
        matches!(self.inner.readers, Pool::Postgres(_))
    }

    /// Reads wait for this outbox from now on.
    pub(crate) fn follow(&self, outbox: Arc<Gauge>) {
        *self.inner.outbox.lock().unwrap_or_else(PoisonError::into_inner) = Some(outbox);
    }

    /// Waits until the database has all charges that were answered before, for a second at most. With
    /// SQLite it has them already.
    pub(crate) async fn caught_up(&self) {
        let outbox = self.inner.outbox.lock().unwrap_or_else(PoisonError::into_inner).clone();
        let Some(outbox) = outbox else { return };
        let caught_up = async { Ok(outbox.caught_up(CATCH_UP).await) };
        if let Pool::Postgres(remote) = self.readers() {
            // Without the server there is nothing to wait for.
            drop(remote.unless_silent(caught_up).await);
        }
    }

    pub(crate) fn readers(&self) -> &Pool {
        &self.inner.readers
    }

    pub(crate) fn writer(&self) -> &Writer {
        &self.inner.writer
    }

    /// Runs one transaction on the writer task and tells subscribers at once.
    pub(crate) async fn write<T, F>(&self, durability: Durability, work: F) -> Result<T, StoreError>
    where
        T: Send + 'static,
        F: for<'c> FnOnce(&'c mut Connection) -> Work<'c, T> + Send + 'static,
    {
        let done = self.inner.writer.transact(durability, work).await;
        self.inner.nudge.notify_one();
        done
    }

    /// Whether the database answers, and takes rows.
    ///
    /// # Errors
    /// [`StoreError`] when it does not.
    pub async fn ping(&self) -> Result<(), StoreError> {
        let row = query(by(
            "SELECT 1",
            "SELECT CASE current_setting('transaction_read_only') WHEN 'off' THEN 1 ELSE 0 END",
        ))
        .fetch_one(self.readers())
        .await?;
        let writes: bool = row.try_get(0)?;
        if writes { Ok(()) } else { Err(StoreError::Unavailable("it is read-only".to_owned())) }
    }
}

/// Moves the log into the file every second, beside the writer and without blocking it.
async fn keep(mut connection: Connection) {
    let mut tick = tokio::time::interval(CHECKPOINT_EVERY);
    tick.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
    loop {
        tick.tick().await;
        if let Err(error) =
            query("PRAGMA wal_checkpoint(PASSIVE)").fetch_optional(&mut connection).await
        {
            tracing::warn!(%error, "the write-ahead log could not be moved into the database");
        }
    }
}
