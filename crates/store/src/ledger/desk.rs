//! The vault over the database.

use std::sync::Arc;

use signalbox_ledger::Leased;
use signalbox_runtime::Clock;
use tokio::sync::{Mutex, broadcast};

use super::entry::Entry;
use super::holder::{self, Holder};
use super::vault::{Answer, LeaseOp, Vault};
use super::{lease_rows, recovery};
use crate::changes::{self, Change, Pruner};
use crate::error::StoreError;
use crate::store::Store;
use crate::writer::Durability;

/// The database, as one process among those that hold leases of it.
pub(super) struct Desk {
    store: Store,
    holder: Holder,
    pruner: Mutex<Pruner>,
}

impl Desk {
    /// Enters this process among the holders.
    pub async fn open(store: &Store) -> Result<Self, StoreError> {
        let holder = Holder::register(store).await?;
        Ok(Self { holder, store: store.clone(), pruner: Mutex::default() })
    }
}

impl Vault for Desk {
    fn clock(&self) -> &Clock {
        self.store.clock()
    }

    fn holder(&self) -> &Arc<str> {
        self.holder.id()
    }

    fn lease(&self, op: LeaseOp) -> Answer<'_, Option<Leased>> {
        let (holder, now) = (self.holder.id().clone(), self.clock().now());
        Box::pin(self.store.write(Durability::Process, move |connection| {
            Box::pin(async move { lease_rows::change(connection, &holder, &op, now).await })
        }))
    }

    fn announce(&self, change: Change) -> Answer<'_, ()> {
        let now = self.clock().now();
        Box::pin(self.store.write(Durability::Process, move |connection| {
            Box::pin(async move { changes::announce(connection, &change, now).await })
        }))
    }

    fn post(&self, entry: Entry) -> Result<(), StoreError> {
        self.store.writer().post(entry)
    }

    fn written(&self) -> Answer<'_, ()> {
        self.flush()
    }

    fn backlog(&self) -> usize {
        self.store.writer().backlog()
    }

    fn subscribe(&self) -> broadcast::Receiver<Change> {
        self.store.subscribe()
    }

    fn look_around(&self) -> Answer<'_, ()> {
        Box::pin(async {
            for dead in holder::dead(&self.store, &self.holder).await? {
                recovery::bury(&self.store, &dead).await?;
                holder::forget(&self.store, &dead);
            }
            let due = self.pruner.lock().await.due(&self.store).await?;
            let Some(last) = due else { return Ok(()) };
            changes::prune(&self.store, last).await
        })
    }

    fn flush(&self) -> Answer<'_, ()> {
        Box::pin(self.store.flush())
    }

    fn retire(&self) -> Answer<'_, ()> {
        Box::pin(async {
            recovery::bury(&self.store, self.holder.id()).await?;
            self.holder.retire();
            Ok(())
        })
    }
}
