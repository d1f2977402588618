//! A SQLite file: one connection that writes, a few that only read.

use std::path::{Path, PathBuf};
use std::time::Duration;

use sqlx::ConnectOptions;
use sqlx::sqlite::{SqliteConnectOptions, SqliteJournalMode, SqlitePoolOptions, SqliteSynchronous};

use super::{Keeper, Opened};
use crate::error::{StoreError, one_line};
use crate::ledger::batch::intake;
use crate::migrate;
use crate::settings::Sync;
use crate::sql::{Connection, Pool};
use crate::writer::Pen;

/// How long SQLite itself waits for another process's write.
const BUSY: Duration = Duration::from_secs(5);
/// Connections that only read.
const READERS: u32 = 4;
/// Prepared statements kept by the writing connection: that of a batch exists in eighteen sizes.
const STATEMENTS: usize = 128;
/// The writer's page cache in KiB, negative as SQLite wants it. When a page of a table splits, the
/// commit walks the whole cache, so a large one costs more than it saves; ids grow with time, so
/// few pages are hot.
const CACHE: &str = "-8000";
/// Pages after which the writer moves the log into the file itself, should the keeper lag.
const AUTO_CHECKPOINT: &str = "16000";

/// The file that a `sqlite://path` URL names.
fn file_of(url: &str) -> Result<PathBuf, StoreError> {
    let path = url.strip_prefix("sqlite://").or_else(|| url.strip_prefix("sqlite:"));
    match path {
        Some(path) if !path.is_empty() && !path.contains('?') && path != ":memory:" => {
            Ok(PathBuf::from(path))
        }
        _ => Err(StoreError::Url(one_line(url))),
    }
}

fn unwritable(path: &Path, reason: &dyn std::fmt::Display) -> StoreError {
    StoreError::Unwritable { path: path.to_owned(), reason: one_line(&reason.to_string()) }
}

/// Creates the folder and sees whether the file can be opened for writing.
fn prepare(path: &Path) -> Result<(), StoreError> {
    if let Some(folder) = path.parent().filter(|folder| !folder.as_os_str().is_empty()) {
        std::fs::create_dir_all(folder).map_err(|error| unwritable(folder, &error))?;
    }
    if path.is_dir() {
        return Err(unwritable(path, &"it is a folder"));
    }
    let file = std::fs::OpenOptions::new().create(true).append(true).open(path);
    file.map(|_| ()).map_err(|error| unwritable(path, &error))
}

fn options(path: &Path) -> SqliteConnectOptions {
    SqliteConnectOptions::new()
        .filename(path)
        .busy_timeout(BUSY)
        .foreign_keys(true)
        .disable_statement_logging()
}

/// A connection error, told apart: not a database at all, or not to be had now.
fn explain(path: &Path, error: sqlx::Error) -> StoreError {
    let text = error.to_string();
    if text.contains("file is not a database") {
        return StoreError::Foreign { path: path.to_owned(), reason: "not a SQLite file".into() };
    }
    if text.contains("readonly") || text.contains("unable to open") {
        return unwritable(path, &one_line(&text));
    }
    StoreError::from(error)
}

async fn connect_writer(path: &Path, sync: Sync) -> Result<Connection, StoreError> {
    let plain = options(path).connect().await.map_err(|error| explain(path, error))?;
    let mut plain = Connection::Sqlite(plain);
    migrate::refuse_foreign(path, &mut plain).await?;
    plain.close().await.map_err(|error| explain(path, error))?;
    let synchronous = match sync {
        Sync::Process => SqliteSynchronous::Normal,
        Sync::Power => SqliteSynchronous::Full,
    };
    let options = options(path)
        .journal_mode(SqliteJournalMode::Wal)
        .synchronous(synchronous)
        .statement_cache_capacity(STATEMENTS)
        .pragma("wal_autocheckpoint", AUTO_CHECKPOINT)
        .pragma("cache_size", CACHE)
        .pragma("temp_store", "memory");
    // Entering WAL mode needs an exclusive moment that SQLite does not wait for, so two processes
    // that open a new file together may collide.
    let mut tries = 0;
    loop {
        match options.connect().await {
            Ok(connection) => return Ok(Connection::Sqlite(connection)),
            Err(error) if tries < 50 && error.to_string().contains("locked") => {
                tries += 1;
                tokio::time::sleep(Duration::from_millis(20)).await;
            }
            Err(error) => return Err(explain(path, error)),
        }
    }
}

/// Opens, checks that the file is ours and brings the schema up to date.
pub(super) async fn open(url: &str, now: i64, sync: Sync) -> Result<Opened, StoreError> {
    let path = file_of(url)?;
    prepare(&path)?;
    let mut writer = connect_writer(&path, sync).await?;
    migrate::run(&mut writer, now).await?;
    intake::prepare(writer.sqlite()?).await?;
    let keeper = options(&path).synchronous(SqliteSynchronous::Normal).connect().await?;
    let readers = SqlitePoolOptions::new()
        .max_connections(READERS)
        .min_connections(1)
        .acquire_timeout(BUSY)
        .test_before_acquire(false)
        .connect_with(options(&path).read_only(true))
        .await?;
    let (pen, keeper) = (Pen::Sqlite(writer, sync), Keeper::Log(Connection::Sqlite(keeper)));
    Ok(Opened { path, pen, keeper, readers: Pool::Sqlite(readers) })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_sqlite_urls_with_a_path_are_taken() {
        assert_eq!(file_of("sqlite://data/a.db").unwrap(), PathBuf::from("data/a.db"));
        assert_eq!(file_of("sqlite:///tmp/a.db").unwrap(), PathBuf::from("/tmp/a.db"));
        for url in ["postgres://x", "sqlite://", "sqlite://:memory:", "a.db", "sqlite://a?mode=ro"]
        {
            assert!(matches!(file_of(url), Err(StoreError::Url(_))), "{url}");
        }
    }
}
