//! What is remembered of endpoints.

use signalbox_core::Timestamp;

use crate::error::StoreError;
use crate::sql::{Line, Row, query};
use crate::store::Store;
use crate::writer::Durability;

/// How long a row is kept that nobody renews, in milliseconds: nothing in it is about longer than a
/// day.
const KEPT_MILLIS: i64 = 2 * 86_400_000;
/// Rows of one transaction, so that the ledger never waits long.
const BATCH: usize = 64;

/// What is remembered of one endpoint with one credential.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct HealthRow {
    /// The endpoint's id.
    pub endpoint: String,
    /// The id of a tenant's key; `None` is the operator's own.
    pub credential: Option<String>,
    /// Whatever the gateway wrote.
    pub state: String,
}

impl Store {
    /// Writes rows, over those that are there, and drops those that nobody renewed for two days.
    ///
    /// # Errors
    /// [`StoreError`] when the database can't be written. Some rows may be written then.
    pub async fn save_health(&self, rows: Vec<HealthRow>) -> Result<(), StoreError> {
        let now = self.clock().now();
        let mut rows = rows.into_iter();
        loop {
            let batch: Vec<HealthRow> = rows.by_ref().take(BATCH).collect();
            if batch.is_empty() {
                return Ok(());
            }
            self.write(Durability::Process, move |connection| {
                Box::pin(async move {
                    for row in batch {
                        query(
                            "INSERT INTO endpoint_health (endpoint_id, credential, state, updated_at) \
                             VALUES ($1, $2, $3, $4) ON CONFLICT (endpoint_id, credential) \
                             DO UPDATE SET state = excluded.state, updated_at = excluded.updated_at",
                        )
                        .bind(row.endpoint)
                        .bind(row.credential.unwrap_or_default())
                        .bind(row.state)
                        .bind(now.micros())
                        .execute(&mut *connection)
                        .await?;
                    }
                    query("DELETE FROM endpoint_health WHERE updated_at < $1")
                        .bind(now.plus_millis(-KEPT_MILLIS).micros())
                        .execute(connection)
                        .await?;
                    Ok(())
                })
            })
            .await?;
        }
    }

    /// Every row.
    ///
    /// # Errors
    /// [`StoreError`] when the database does not answer.
    pub async fn health(&self) -> Result<Vec<HealthRow>, StoreError> {
        let oldest = Timestamp::plus_millis(self.clock().now(), -KEPT_MILLIS);
        let rows = query(
            "SELECT endpoint_id, credential, state FROM endpoint_health WHERE updated_at >= $1 \
             ORDER BY endpoint_id, credential",
        )
        .bind(oldest.micros())
        .fetch_all(self.readers())
        .await?;
        let read = |row: &Line| {
            let credential: String = row.try_get("credential")?;
            Ok(HealthRow {
                endpoint: row.try_get("endpoint_id")?,
                credential: Some(credential).filter(|one| !one.is_empty()),
                state: row.try_get("state")?,
            })
        };
        rows.iter().map(read).collect()
    }
}
