//! Opening the database that a URL names.

mod postgres;
mod sqlite;

use std::path::PathBuf;

use crate::error::{StoreError, one_line};
use crate::settings::StoreSettings;
use crate::sql::{Connection, Pool, Remote};
use crate::writer::Pen;

/// An open database with an up-to-date schema.
pub(crate) struct Opened {
    /// SQLite's file; empty for PostgreSQL.
    pub path: PathBuf,
    pub pen: Pen,
    pub keeper: Keeper,
    pub readers: Pool,
}

/// What runs beside the writer for as long as the database is open.
pub(crate) enum Keeper {
    /// Moves SQLite's log into the file.
    Log(Connection),
    /// Feels PostgreSQL's pulse.
    Pulse(Remote),
}

/// Opens, checks that the database is ours and brings the schema up to date.
pub(crate) async fn open(
    url: &str,
    now: i64,
    settings: &StoreSettings,
) -> Result<Opened, StoreError> {
    match url.split_once(':') {
        Some(("postgres" | "postgresql", _)) => postgres::open(url, now, settings).await,
        Some(("sqlite", _)) => sqlite::open(url, now, settings.sync).await,
        _ => Err(StoreError::Url(one_line(url))),
    }
}
