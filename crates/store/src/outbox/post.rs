//! From the file into the database.

use std::sync::Arc;

use crate::error::StoreError;
use crate::ledger::batch::postgres;
use crate::ledger::entry::Entry;
use crate::sql::{Connection, Row, query};
use crate::store::Store;
use crate::writer::Durability;

/// Entries in the order of their numbers, without gaps.
pub(super) struct Run {
    pub first: i64,
    pub entries: Vec<Entry>,
}

impl Run {
    /// The number of the last entry.
    pub fn last(&self) -> i64 {
        let count = i64::try_from(self.entries.len()).unwrap_or(i64::MAX);
        self.first.saturating_add(count).saturating_sub(1)
    }
}

/// What came of a run.
#[derive(Debug, Default)]
pub(super) struct Posted {
    /// Numbers of entries that the database will never take, with the reason.
    pub refused: Vec<(i64, String)>,
    /// Whether an operator has released this process: the database takes nothing of it any more.
    pub released: bool,
}

/// Posts a run. What was posted before is left out.
///
/// # Errors
/// [`StoreError`] other than `Constraint`: nothing is lost, and it has to be tried again.
pub(super) async fn post(
    store: &Store,
    holder: &Arc<str>,
    run: &Arc<Run>,
) -> Result<Posted, StoreError> {
    match take(store, holder, run, 0, run.entries.len()).await {
        Err(StoreError::Constraint(_)) => one_by_one(store, holder, run).await,
        Ok(false) => Ok(all_refused(run)),
        Ok(true) => Ok(Posted::default()),
        Err(error) => Err(error),
    }
}

/// The entries of a process that was released.
fn all_refused(run: &Run) -> Posted {
    let reason = "this process was released by an operator";
    let numbers = run.first..=run.last();
    Posted { refused: numbers.map(|number| (number, reason.to_owned())).collect(), released: true }
}

/// The database refused one of them: the others are written without it.
async fn one_by_one(
    store: &Store,
    holder: &Arc<str>,
    run: &Arc<Run>,
) -> Result<Posted, StoreError> {
    let mut posted = Posted::default();
    for (number, index) in (run.first..).zip(0..run.entries.len()) {
        match take(store, holder, run, index, 1).await {
            Ok(true) => {}
            Ok(false) => return Ok(all_refused(run)),
            Err(StoreError::Constraint(reason)) => {
                take(store, holder, run, index, 0).await?;
                posted.refused.push((number, reason));
            }
            Err(error) => return Err(error),
        }
    }
    Ok(posted)
}

/// One transaction: `count` entries from `index` on, or with a count of zero the note that the one at
/// `index` is left out. False when the process was released.
async fn take(
    store: &Store,
    holder: &Arc<str>,
    run: &Arc<Run>,
    index: usize,
    count: usize,
) -> Result<bool, StoreError> {
    let (holder, run) = (holder.clone(), run.clone());
    store
        .write(Durability::Process, move |connection| {
            Box::pin(async move {
                let row = query("SELECT posted FROM holders WHERE id = $1")
                    .bind(holder.clone())
                    .fetch_optional(&mut *connection)
                    .await?;
                let Some(row) = row else { return Ok(false) };
                let posted: i64 = row.try_get(0)?;
                let index_number = i64::try_from(index).unwrap_or(i64::MAX);
                let start = run.first.saturating_add(index_number);
                let done = usize::try_from(posted.saturating_sub(start).saturating_add(1));
                let done = done.unwrap_or(0).min(count.max(1));
                let end = index.saturating_add(count);
                let left = run.entries.get(index.saturating_add(done)..end).unwrap_or_default();
                postgres::write(connection, left).await?;
                let covered = i64::try_from(count.max(1)).unwrap_or(i64::MAX);
                let last = start.saturating_add(covered).saturating_sub(1);
                remember(connection, &holder, last.max(posted)).await?;
                Ok(true)
            })
        })
        .await
}

async fn remember(
    connection: &mut Connection,
    holder: &Arc<str>,
    last: i64,
) -> Result<(), StoreError> {
    query("UPDATE holders SET posted = $1 WHERE id = $2")
        .bind(last)
        .bind(holder.clone())
        .execute(connection)
        .await?;
    Ok(())
}
