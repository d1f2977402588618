//! Group commit: what waited while the last batch was written becomes the next one.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use signalbox_core::{FastSet, Timestamp, Usd};
use signalbox_ledger::Reservation;
use tokio::sync::oneshot;

use super::rows::Written;
use crate::error::StoreError;
use crate::grants;
use crate::sql::{Connection, query};

pub(crate) mod intake;
mod posting;

use self::intake::{Line, Statements};
use self::posting::{Head, Sum, Sums};

/// How a reservation ended, as its row says.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Outcome {
    Settled,
    Released,
    /// Nothing was held: there is only the generation row.
    Recorded,
}

impl Outcome {
    /// The word in the reservation's row, where there is one.
    const fn name(self) -> Option<&'static str> {
        match self {
            Self::Settled => Some("settled"),
            Self::Released => Some("released"),
            Self::Recorded => None,
        }
    }
}

/// One thing to write: the opening of a reservation, its end with all that belongs to it, or the row
/// of a generation that held nothing; of a `reservation` of nothing only the names count.
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
    /// Whether there is a reservation.
    fn holds(&self) -> bool {
        self.end.as_ref().is_none_or(|end| end.outcome != Outcome::Recorded)
    }

    pub fn answer(self, result: Result<(), StoreError>) {
        let generation = self.reservation.generation;
        if let Err(error) = &result {
            tracing::error!(%generation, %error, "a ledger entry was refused and is dropped");
        }
        if let Some(done) = self.end.and_then(|end| end.done) {
            drop(done.send(result));
        }
    }
}

/// Writes batches, keeps the texts of their statements and remembers the end of the chain.
pub(crate) struct Scribe {
    statements: Statements,
    /// The end of the chain as this process wrote it; another may have appended since.
    head: Option<Head>,
    backlog: Arc<AtomicUsize>,
}

/// First and longest pause after a failed commit.
const PAUSES: (Duration, Duration) = (Duration::from_millis(20), Duration::from_secs(1));

impl Scribe {
    /// A scribe that counts down `backlog` as entries are done with.
    pub fn new(backlog: Arc<AtomicUsize>) -> Self {
        Self { statements: Statements::default(), head: None, backlog }
    }

    /// Writes all entries and answers them. A database that is away is tried again until it is back:
    /// a charge is delayed, never lost. An entry that the database refuses is told so; the others of
    /// its batch are written without it.
    pub async fn write(&mut self, connection: &mut Connection, entries: &mut Vec<Entry>) {
        if entries.is_empty() {
            return;
        }
        let count = entries.len();
        self.write_all(connection, entries).await;
        self.backlog.fetch_sub(count, Ordering::Relaxed);
    }

    async fn write_all(&mut self, connection: &mut Connection, entries: &mut Vec<Entry>) {
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
        connection: &mut Connection,
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

    /// Tries one statement that is its own transaction, linked to the transfer that was the last
    /// when this process wrote. Where that fails, for whatever reason, the same statement runs after
    /// a look at the chain under the write lock, and the error of that attempt counts.
    async fn commit(
        &mut self,
        connection: &mut Connection,
        entries: &[Entry],
    ) -> Result<(), StoreError> {
        if let Some(head) = self.head.take()
            && self.fill(connection, entries, head).await.is_ok()
        {
            return Ok(());
        }
        query("BEGIN IMMEDIATE").execute(&mut *connection).await?;
        let mut done = match grants::head(connection).await {
            Ok(head) => self.fill(connection, entries, head).await,
            Err(error) => Err(error),
        };
        if done.is_ok() {
            done = query("COMMIT").execute(&mut *connection).await.map(|_| ());
        }
        if done.is_err() {
            self.head = None;
            // Fails when SQLite has rolled back by itself, which is what is wanted.
            drop(query("ROLLBACK").execute(connection).await);
        }
        done
    }

    /// Writes the entries behind `head` and remembers the new head.
    async fn fill(
        &mut self,
        connection: &mut Connection,
        entries: &[Entry],
        mut head: Head,
    ) -> Result<(), StoreError> {
        let ended: FastSet<&str> = entries
            .iter()
            .filter(|entry| entry.end.is_some())
            .map(|entry| entry.reservation.generation.as_str())
            .collect();
        let mut sums = Sums::of(entries);
        let mut lines = Vec::with_capacity(entries.len());
        for entry in entries {
            let (link, sum) = match &entry.end {
                None if ended.contains(entry.reservation.generation.as_str()) => continue,
                None => (None, Sum::default()),
                Some(end) => {
                    let charged = end.charged > Usd::ZERO;
                    let link = charged.then(|| posting::link(&mut head, entry, end));
                    (link, sums.take(entry, end))
                }
            };
            lines.push(Line { entry, link, sum });
        }
        self.statements.run(connection.sqlite()?, lines).await?;
        self.head = Some(head);
        Ok(())
    }
}
