//! Group commit: what waited while the last batch was written becomes the next one.

use std::future::Future;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use super::entry::Entry;
use crate::error::StoreError;

mod columns;
pub(crate) mod intake;
pub(crate) mod postgres;
pub(crate) mod posting;
pub(crate) mod sqlite;

/// Where batches go.
pub(crate) trait Commit: Send {
    /// Writes all entries or none. One that ended before is refused with
    /// [`StoreError::Constraint`].
    fn commit(&mut self, entries: &[Entry]) -> impl Future<Output = Result<(), StoreError>> + Send;
}

/// Most entries of one batch. SQLite binds at most 32,766 values to a statement, which is what keeps
/// it from being larger (`intake` checks it when it is compiled).
pub(crate) const LARGEST: usize = 448;

/// First and longest pause after a failed commit.
const PAUSES: (Duration, Duration) = (Duration::from_millis(20), Duration::from_secs(1));

/// Writes all entries, answers them and counts down `backlog`. A database that is away is tried again
/// until it is back: a charge is delayed, never lost. An entry that the database refuses is told so;
/// the others of its batch are written without it.
pub(crate) async fn write<C: Commit>(
    desk: &mut C,
    entries: &mut Vec<Entry>,
    backlog: &Arc<AtomicUsize>,
) {
    if entries.is_empty() {
        return;
    }
    let count = entries.len();
    write_all(desk, entries).await;
    backlog.fetch_sub(count, Ordering::Relaxed);
}

async fn write_all<C: Commit>(desk: &mut C, entries: &mut Vec<Entry>) {
    match persist(desk, entries).await {
        Ok(()) => entries.drain(..).for_each(|entry| entry.answer(Ok(()))),
        Err(_) if entries.len() > 1 => {
            for entry in std::mem::take(entries) {
                let result = persist(desk, std::slice::from_ref(&entry)).await;
                entry.answer(result);
            }
        }
        Err(error) => {
            entries.drain(..).for_each(|entry| entry.answer(Err(error.clone())));
        }
    }
}

/// One commit, repeated while the database is away.
async fn persist<C: Commit>(desk: &mut C, entries: &[Entry]) -> Result<(), StoreError> {
    let mut pause = PAUSES.0;
    loop {
        match desk.commit(entries).await {
            Err(error) if error.is_transient() => {
                tracing::error!(%error, entries = entries.len(), "charges wait for the database");
                tokio::time::sleep(pause).await;
                pause = pause.saturating_mul(2).min(PAUSES.1);
            }
            done => return done,
        }
    }
}
