//! Health that survives a restart: saved beside the requests, never on their way.

use std::sync::Arc;
use std::time::Duration;

use signalbox_policy::health::Seat;
use signalbox_store::{HealthRow, Store, StoreError};

use crate::gateway::Gateway;

/// Time between two savings: as much may be lost when the process is killed.
const EVERY: Duration = Duration::from_secs(30);

/// Saves the health board's changes.
#[derive(Debug, Clone)]
pub struct HealthKeeper {
    gateway: Arc<Gateway>,
    store: Store,
}

impl HealthKeeper {
    /// Puts back what was saved, as old as it is by now. What can't be read is left out: health is
    /// found out anew in a minute.
    pub async fn restore(gateway: &Arc<Gateway>, store: &Store) -> Self {
        let keeper = Self { gateway: Arc::clone(gateway), store: store.clone() };
        let rows = match store.health().await {
            Ok(rows) => rows,
            Err(error) => {
                tracing::warn!(%error, "the endpoints' health could not be loaded");
                return keeper;
            }
        };
        let now = gateway.clock.now();
        let mut unreadable = 0_usize;
        for row in &rows {
            let seat = Seat { endpoint: &row.endpoint, credential: row.credential.as_deref() };
            if gateway.health.restore(seat, &row.state, now).is_err() {
                unreadable = unreadable.saturating_add(1);
            }
        }
        if unreadable > 0 {
            tracing::warn!(unreadable, "the saved health of some endpoints could not be read");
        }
        keeper
    }

    /// Saves what changed, every half minute, until it is dropped.
    pub async fn run(self) {
        let mut failing = false;
        loop {
            tokio::time::sleep(EVERY).await;
            let saved = self.save().await;
            if let (Err(error), false) = (&saved, failing) {
                tracing::warn!(%error, "the endpoints' health could not be saved");
            }
            failing = saved.is_err();
        }
    }

    /// Saves what changed since the last time.
    ///
    /// # Errors
    /// [`StoreError`] when the store can't be written; the next time tries the same again.
    pub async fn save(&self) -> Result<(), StoreError> {
        let board = &self.gateway.health;
        let changed = board.unsaved(self.gateway.clock.now());
        let row = |one: &signalbox_policy::health::Saved| HealthRow {
            endpoint: one.endpoint.clone(),
            credential: one.credential.clone(),
            state: one.state.clone(),
        };
        let saved = self.store.save_health(changed.iter().map(row).collect()).await;
        if saved.is_err() {
            changed.iter().for_each(|one| board.not_saved(one));
        }
        saved
    }
}
