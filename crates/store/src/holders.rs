//! The processes that hold leases, for the operator.

use std::sync::Arc;

use signalbox_core::{Timestamp, Usd};

use crate::error::StoreError;
use crate::ledger::recovery;
use crate::sql::{Line, Row, by, query};
use crate::store::Store;

/// A process that holds leases.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct HolderRow {
    /// Its id.
    pub id: String,
    /// When it started.
    pub started_at: Timestamp,
    /// When it last gave a sign of life; with SQLite nobody needs one.
    pub seen_at: Option<Timestamp>,
    /// The path of its outbox, on its own machine.
    pub place: Option<String>,
    /// What it holds of all balances together.
    pub credit: Usd,
    /// Its reservations that are open in the database.
    pub reservations: u64,
}

fn read_holder(row: &Line) -> Result<HolderRow, StoreError> {
    let place: String = row.try_get("place")?;
    let seen: i64 = row.try_get("seen_at")?;
    Ok(HolderRow {
        id: row.try_get("id")?,
        started_at: Timestamp::from_micros(row.try_get("started_at")?),
        seen_at: Some(seen).filter(|seen| *seen > 0).map(Timestamp::from_micros),
        place: Some(place).filter(|place| !place.is_empty()),
        credit: Usd::from_nanos(row.try_get("credit")?),
        reservations: u64::try_from(row.try_get::<i64, _>("reservations")?).unwrap_or(0),
    })
}

impl Store {
    /// The processes that hold leases, the oldest first.
    ///
    /// # Errors
    /// [`StoreError`] when the database does not answer.
    pub async fn holders(&self) -> Result<Vec<HolderRow>, StoreError> {
        let rows = query(by(
            "SELECT id, started_at, 0 AS seen_at, '' AS place, \
             (SELECT coalesce(sum(amount), 0) FROM leases \
             WHERE holder = holders.id AND purse LIKE 'credit:%') AS credit, \
             (SELECT count(*) FROM reservations \
             WHERE holder = holders.id AND ended_at IS NULL) AS reservations \
             FROM holders ORDER BY started_at, id",
            "SELECT id, started_at, seen_at, place, \
             (SELECT CAST(coalesce(sum(amount), 0) AS BIGINT) FROM leases \
             WHERE holder = holders.id AND purse LIKE 'credit:%') AS credit, \
             (SELECT count(*) FROM reservations \
             WHERE holder = holders.id AND ended_at IS NULL) AS reservations \
             FROM holders ORDER BY started_at, id",
        ))
        .fetch_all(self.readers())
        .await?;
        rows.iter().map(read_holder).collect()
    }

    /// Ends a process that will never come back: what it held is free again, and charges that were
    /// only in its outbox are given up. A process that still lives must be stopped first; it is refused
    /// by the database from then on. Says whether there was such a process.
    ///
    /// # Errors
    /// [`StoreError`] when the database does not answer.
    pub async fn release_holder(&self, id: &str) -> Result<bool, StoreError> {
        if !self.holders().await?.iter().any(|holder| holder.id == id) {
            return Ok(false);
        }
        recovery::bury(self, &Arc::from(id)).await?;
        Ok(true)
    }
}
