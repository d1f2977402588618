//! The file: a small SQLite database that one process has to itself.

use std::fs::{File, TryLockError};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use sqlx::ConnectOptions;
use sqlx::sqlite::{SqliteConnectOptions, SqliteJournalMode, SqliteSynchronous};

use super::wire;
use crate::error::{StoreError, one_line};
use crate::ledger::entry::Entry;
use crate::sql::{Connection, Line, Row, query};

/// `batches` holds what was committed together: a JSON array of entries, numbered from `first` on.
/// `refused` keeps what the database would not take, for whoever looks into it.
const SCHEMA: &str = "\
    CREATE TABLE IF NOT EXISTS self (one INTEGER NOT NULL PRIMARY KEY CHECK (one = 1), \
        holder TEXT, posted INTEGER NOT NULL) STRICT; \
    INSERT INTO self (one, holder, posted) VALUES (1, NULL, 0) ON CONFLICT DO NOTHING; \
    CREATE TABLE IF NOT EXISTS batches (first INTEGER NOT NULL PRIMARY KEY, \
        entries INTEGER NOT NULL, body TEXT NOT NULL) STRICT; \
    CREATE TABLE IF NOT EXISTS refused (number INTEGER NOT NULL PRIMARY KEY, \
        reason TEXT NOT NULL, body TEXT NOT NULL) STRICT";
/// Bytes of batches that are read at once; one batch is read however large it is.
const READ_BYTES: usize = 8 * 1024 * 1024;

const LOCK_TRIES: u32 = 50;
const LOCK_PAUSE: Duration = Duration::from_millis(20);

/// The open file.
pub(crate) struct OutboxFile {
    connection: Connection,
    /// Number of the next entry.
    next: i64,
    /// Keeps other processes out for as long as it lives.
    _lock: File,
}

/// What an earlier process left in the file.
pub(crate) struct Remains {
    /// Who it was.
    pub holder: Arc<str>,
    /// Entries that are still there, some of which the database may have.
    pub entries: i64,
}

/// A committed batch.
pub(super) struct Batch {
    pub first: i64,
    pub entries: Vec<Entry>,
    pub bytes: u64,
}

fn unwritable(path: &Path, reason: &str) -> StoreError {
    StoreError::Unwritable { path: path.to_owned(), reason: one_line(reason) }
}

/// Takes the lock beside the file; waits a moment for one that is about to let go.
async fn lock(path: &Path) -> Result<File, StoreError> {
    let mut beside = path.as_os_str().to_owned();
    beside.push(".lock");
    let beside = PathBuf::from(beside);
    let file = File::options().create(true).truncate(false).write(true).open(&beside);
    let file = file.map_err(|error| unwritable(&beside, &error.to_string()))?;
    for _ in 0..LOCK_TRIES {
        match file.try_lock() {
            Ok(()) => return Ok(file),
            Err(TryLockError::WouldBlock) => tokio::time::sleep(LOCK_PAUSE).await,
            Err(TryLockError::Error(error)) => {
                return Err(unwritable(&beside, &error.to_string()));
            }
        }
    }
    Err(StoreError::OutboxInUse { path: path.to_owned() })
}

fn options(path: &Path) -> SqliteConnectOptions {
    SqliteConnectOptions::new()
        .filename(path)
        .busy_timeout(Duration::from_secs(5))
        .disable_statement_logging()
}

/// A second connection, which only reads.
pub(super) async fn reader(path: &Path) -> Result<Connection, StoreError> {
    Ok(Connection::Sqlite(options(path).read_only(true).connect().await?))
}

impl OutboxFile {
    /// Opens the file for this process alone; makes it when it is not there. With `power` each commit
    /// waits for the disk.
    pub async fn open(path: &Path, power: bool) -> Result<Self, StoreError> {
        if let Some(folder) = path.parent().filter(|folder| !folder.as_os_str().is_empty()) {
            std::fs::create_dir_all(folder)
                .map_err(|error| unwritable(folder, &error.to_string()))?;
        }
        let lock = lock(path).await?;
        let synchronous = if power { SqliteSynchronous::Full } else { SqliteSynchronous::Normal };
        let connection = options(path)
            .create_if_missing(true)
            .journal_mode(SqliteJournalMode::Wal)
            .synchronous(synchronous)
            .connect()
            .await
            .map_err(|error| unwritable(path, &error.to_string()))?;
        let mut connection = Connection::Sqlite(connection);
        connection.script(SCHEMA).await?;
        let row = query(
            "SELECT max(posted, coalesce((SELECT max(first + entries - 1) FROM batches), 0), \
             coalesce((SELECT max(number) FROM refused), 0)) FROM self",
        )
        .fetch_one(&mut connection)
        .await?;
        let last: i64 = row.try_get(0)?;
        Ok(Self { connection, next: last.saturating_add(1), _lock: lock })
    }

    /// What an earlier process left; `None` when it ended in order.
    pub async fn remains(&mut self) -> Result<Option<Remains>, StoreError> {
        let row = query("SELECT holder, (SELECT coalesce(sum(entries), 0) FROM batches) FROM self")
            .fetch_one(&mut self.connection)
            .await?;
        let (holder, entries): (Option<String>, i64) = (row.try_get(0)?, row.try_get(1)?);
        Ok(holder.map(|holder| Remains { holder: holder.into(), entries }))
    }

    /// Writes down who this process is, before others can see it; `None` once nothing is left of it.
    pub async fn name(&mut self, holder: Option<&str>) -> Result<(), StoreError> {
        query("UPDATE self SET holder = $1").bind(holder).execute(&mut self.connection).await?;
        Ok(())
    }

    /// Adds entries in one commit; answers the number of the last and the size of all.
    pub(super) async fn append(&mut self, entries: &[Entry]) -> Result<(i64, u64), StoreError> {
        let body = wire::write(entries)?;
        let size = u64::try_from(body.len()).unwrap_or(u64::MAX);
        let count = i64::try_from(entries.len()).unwrap_or(i64::MAX);
        query("INSERT INTO batches (first, entries, body) VALUES ($1, $2, $3)")
            .bind(self.next)
            .bind(count)
            .bind(body)
            .execute(&mut self.connection)
            .await?;
        self.next = self.next.saturating_add(count);
        Ok((self.next.saturating_sub(1), size))
    }

    /// Takes out what the database has: all entries up to this number.
    pub(super) async fn posted(&mut self, last: i64) -> Result<(), StoreError> {
        query("DELETE FROM batches WHERE first + entries - 1 <= $1")
            .bind(last)
            .execute(&mut self.connection)
            .await?;
        query("UPDATE self SET posted = max(posted, $1)")
            .bind(last)
            .execute(&mut self.connection)
            .await?;
        Ok(())
    }

    /// Puts an entry aside that the database will never take.
    pub(super) async fn refuse(
        &mut self,
        number: i64,
        entry: &Entry,
        reason: &str,
    ) -> Result<(), StoreError> {
        query(
            "INSERT INTO refused (number, reason, body) VALUES ($1, $2, $3) ON CONFLICT DO NOTHING",
        )
        .bind(number)
        .bind(reason)
        .bind(wire::write(std::slice::from_ref(entry))?)
        .execute(&mut self.connection)
        .await?;
        Ok(())
    }

    pub(super) fn connection(&mut self) -> &mut Connection {
        &mut self.connection
    }
}

/// The oldest batches behind `after`, in order: up to `most` entries, and at least one batch.
pub(super) async fn oldest(
    connection: &mut Connection,
    after: i64,
    most: usize,
) -> Result<Vec<Batch>, StoreError> {
    let heads = query(
        "SELECT first, entries, length(body) FROM batches WHERE first + entries - 1 > $1 \
         ORDER BY first LIMIT 64",
    )
    .bind(after)
    .fetch_all(&mut *connection)
    .await?;
    let (mut range, mut entries, mut bytes) = (None, 0_usize, 0_usize);
    for head in heads {
        let first: i64 = head.try_get(0)?;
        let count = |index| head.try_get::<i64, _>(index).map(|n| usize::try_from(n).unwrap_or(0));
        entries = entries.saturating_add(count(1)?);
        bytes = bytes.saturating_add(count(2)?);
        range = match range {
            None => Some((first, first)),
            Some((start, _)) if entries <= most && bytes <= READ_BYTES => Some((start, first)),
            Some(_) => break,
        };
    }
    let Some((start, end)) = range else { return Ok(Vec::new()) };
    let rows =
        query("SELECT first, body FROM batches WHERE first >= $1 AND first <= $2 ORDER BY first")
            .bind(start)
            .bind(end)
            .fetch_all(connection)
            .await?;
    let batch = |row: &Line| {
        let body: &str = row.try_get(1)?;
        let bytes = u64::try_from(body.len()).unwrap_or(u64::MAX);
        Ok(Batch { first: row.try_get(0)?, entries: wire::read(body)?, bytes })
    };
    rows.iter().map(batch).collect()
}
