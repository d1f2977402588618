//! Group commit: what waited while the last batch was written becomes the next one.

use std::collections::HashSet;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use signalbox_core::{Timestamp, Usd};
use signalbox_ledger::Reservation;
use sqlx::{SqliteConnection, query};
use tokio::sync::oneshot;

use super::rows::Written;
use crate::error::StoreError;

mod posting;
mod statement;

use self::posting::Sums;
use self::statement::Statements;

/// How a reservation ended, as its row says.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Outcome {
    Settled,
    Released,
}

impl Outcome {
    const fn name(self) -> &'static str {
        match self {
            Self::Settled => "settled",
            Self::Released => "released",
        }
    }
}

/// One thing to write: the opening of a reservation, or its end with all that belongs to it.
pub(crate) struct Entry {
    pub reservation: Reservation,
    pub holder: Arc<str>,
    pub end: Option<End>,
}

/// The end of a reservation.
pub(crate) struct End {
    pub outcome: Outcome,
    pub at: Timestamp,
    pub charged: Usd,
    pub row: Option<Written>,
    pub done: Option<oneshot::Sender<Result<(), StoreError>>>,
}

impl Entry {
    fn answer(self, result: Result<(), StoreError>) {
        let generation = self.reservation.generation;
        if let Err(error) = &result {
            tracing::error!(%generation, %error, "a ledger entry was refused and is dropped");
        }
        if let Some(done) = self.end.and_then(|end| end.done) {
            drop(done.send(result));
        }
    }
}

/// Writes batches and keeps the texts of their statements.
pub(crate) struct Scribe {
    statements: Statements,
    backlog: Arc<AtomicUsize>,
}

/// First and longest pause after a failed commit.
const PAUSES: (Duration, Duration) = (Duration::from_millis(20), Duration::from_secs(1));

impl Scribe {
    /// A scribe that counts down `backlog` as entries are done with.
    pub fn new(backlog: Arc<AtomicUsize>) -> Self {
        Self { statements: Statements::default(), backlog }
    }

    /// Writes all entries and answers them. A database that is away is tried again until it is back:
    /// a charge is delayed, never lost. An entry that the database refuses is told so; the others of
    /// its batch are written without it.
    pub async fn write(&mut self, connection: &mut SqliteConnection, entries: &mut Vec<Entry>) {
        if entries.is_empty() {
            return;
        }
        let count = entries.len();
        self.write_all(connection, entries).await;
        self.backlog.fetch_sub(count, Ordering::Relaxed);
    }

    async fn write_all(&mut self, connection: &mut SqliteConnection, entries: &mut Vec<Entry>) {
        match self.persist(connection, entries).await {
            Ok(()) => entries.drain(..).for_each(|entry| entry.answer(Ok(()))),
            Err(_) if entries.len() > 1 => {
                for entry in std::mem::take(entries) {
                    let one = std::slice::from_ref(&entry);
                    let result = self.persist(connection, one).await;
                    entry.answer(result);
                }
            }
            Err(error) => {
                entries.drain(..).for_each(|entry| entry.answer(Err(error.clone())));
            }
        }
    }

    /// One commit, repeated while the database is away.
    async fn persist(
        &mut self,
        connection: &mut SqliteConnection,
        entries: &[Entry],
    ) -> Result<(), StoreError> {
        let mut pause = PAUSES.0;
        loop {
            match self.commit(connection, entries).await {
                Err(error) if error.is_transient() => {
                    tracing::error!(%error, entries = entries.len(), "charges wait for the database");
                    tokio::time::sleep(pause).await;
                    pause = pause.saturating_mul(2).min(PAUSES.1);
                }
                done => return done,
            }
        }
    }

    async fn commit(
        &mut self,
        connection: &mut SqliteConnection,
        entries: &[Entry],
    ) -> Result<(), StoreError> {
        query("BEGIN IMMEDIATE").execute(&mut *connection).await?;
        let mut done = self.fill(connection, entries).await;
        if done.is_ok() {
            done = query("COMMIT").execute(&mut *connection).await.map(|_| ()).map_err(Into::into);
        }
        if done.is_err() {
            // Fails when SQLite has rolled back by itself, which is what is wanted.
            drop(query("ROLLBACK").execute(connection).await);
        }
        done
    }

    async fn fill(
        &mut self,
        connection: &mut SqliteConnection,
        entries: &[Entry],
    ) -> Result<(), StoreError> {
        let ended: HashSet<&str> = entries
            .iter()
            .filter(|entry| entry.end.is_some())
            .map(|entry| entry.reservation.generation.as_str())
            .collect();
        let openings: Vec<&Entry> = entries
            .iter()
            .filter(|entry| entry.end.is_none())
            .filter(|entry| !ended.contains(entry.reservation.generation.as_str()))
            .collect();
        let ends: Vec<(&Entry, &End)> =
            entries.iter().filter_map(|entry| Some((entry, entry.end.as_ref()?))).collect();
        let statements = &mut self.statements;
        statement::open(statements, connection, &openings).await?;
        statement::end(statements, connection, &ends).await?;
        let charges: Vec<(&Entry, &End)> =
            ends.iter().copied().filter(|(_, end)| end.charged > Usd::ZERO).collect();
        posting::post(statements, connection, &charges).await?;
        let rows: Vec<&Written> = ends.iter().filter_map(|(_, end)| end.row.as_ref()).collect();
        statement::record(statements, connection, &rows).await?;
        posting::project(statements, connection, &Sums::of(&ends)).await
    }
}
