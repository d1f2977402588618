//! The vault over PostgreSQL: leases are rows there, entries go to this process's outbox first.
//!
//! **Invariant:** a lease row is at least what the book has left of it and what the outbox has not
//! posted of it. So a lease can be shared and returned while charges wait, and nobody else may touch
//! it: what a lost machine held stays reserved until an operator releases it.

use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};
use std::time::Duration;

use signalbox_core::Timestamp;
use signalbox_ledger::Leased;
use signalbox_runtime::{Clock, entropy};
use tokio::sync::{Mutex, broadcast};

use super::entry::Entry;
use super::vault::{Answer, LeaseOp, Vault};
use super::{lease_rows, recovery};
use crate::changes::{self, Change, Pruner};
use crate::error::StoreError;
use crate::outbox::{self, Outbox, OutboxFile};
use crate::settings::Sync;
use crate::sql::query;
use crate::store::Store;
use crate::writer::Durability;

/// How long a stop waits for the database to take what is left.
const LAST_POST: Duration = Duration::from_secs(10);
/// Time between two signs of life among the holders, in milliseconds.
const SIGN_MILLIS: i64 = 10_000;

/// The database, as one process among those that hold leases of it.
pub(super) struct ServerDesk {
    store: Store,
    holder: Arc<str>,
    outbox: Outbox,
    /// When the last sign of life was given.
    seen: AtomicI64,
    pruner: Mutex<Pruner>,
}

impl ServerDesk {
    /// Takes the outbox, ends what an earlier process left in it, and enters this one among the
    /// holders.
    pub async fn open(store: &Store) -> Result<Self, StoreError> {
        let settings = store.settings();
        let path = &settings.outbox;
        let mut file = OutboxFile::open(path, settings.sync == Sync::Power).await?;
        if let Some(remains) = file.remains().await? {
            let entries = remains.entries;
            tracing::warn!(
                entries,
                "an earlier process did not end in order; its charges are posted"
            );
            outbox::post_remains(&mut file, store, &remains).await?;
            recovery::bury(store, &remains.holder).await?;
            file.name(None).await?;
        }
        let holder: Arc<str> = hex::encode(entropy::bytes()).into();
        // First in the file: a holder without a file would hold its leases for ever.
        file.name(Some(&holder)).await?;
        enter(store, &holder).await?;
        let outbox = Outbox::start(file, path, store, &holder);
        store.follow(outbox.gauge().clone());
        let seen = AtomicI64::new(store.clock().now().micros());
        Ok(Self { store: store.clone(), holder, outbox, seen, pruner: Mutex::default() })
    }

    async fn give_sign(&self, now: Timestamp) -> Result<(), StoreError> {
        let holder = self.holder.clone();
        self.store
            .write(Durability::Process, move |connection| {
                Box::pin(async move {
                    query("UPDATE holders SET seen_at = $1 WHERE id = $2")
                        .bind(now.micros())
                        .bind(holder)
                        .execute(connection)
                        .await?;
                    Ok(())
                })
            })
            .await
    }
}

async fn enter(store: &Store, holder: &Arc<str>) -> Result<(), StoreError> {
    let (holder, now) = (holder.clone(), store.clock().now());
    let place = std::path::absolute(&store.settings().outbox);
    let place = place.map(|path| path.display().to_string()).unwrap_or_default();
    store
        .write(Durability::Process, move |connection| {
            Box::pin(async move {
                query(
                    "INSERT INTO holders (id, started_at, seen_at, place) VALUES ($1, $2, $2, $3)",
                )
                .bind(holder)
                .bind(now.micros())
                .bind(place)
                .execute(connection)
                .await?;
                Ok(())
            })
        })
        .await
}

impl Vault for ServerDesk {
    fn clock(&self) -> &Clock {
        self.store.clock()
    }

    fn holder(&self) -> &Arc<str> {
        &self.holder
    }

    fn lease(&self, op: LeaseOp) -> Answer<'_, Option<Leased>> {
        let (holder, now) = (self.holder.clone(), self.clock().now());
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
        self.outbox.post(entry)
    }

    fn written(&self) -> Answer<'_, ()> {
        Box::pin(self.outbox.flush())
    }

    fn backlog(&self) -> usize {
        self.outbox.backlog()
    }

    fn subscribe(&self) -> broadcast::Receiver<Change> {
        self.store.subscribe()
    }

    fn look_around(&self) -> Answer<'_, ()> {
        let now = self.clock().now();
        let before = self.seen.load(Ordering::Relaxed);
        if now.plus_millis(-SIGN_MILLIS).micros() < before {
            return Box::pin(async { Ok(()) });
        }
        self.seen.store(now.micros(), Ordering::Relaxed);
        Box::pin(async move {
            self.give_sign(now).await?;
            let due = self.pruner.lock().await.due(&self.store).await?;
            let Some(last) = due else { return Ok(()) };
            changes::prune(&self.store, last).await
        })
    }

    fn flush(&self) -> Answer<'_, ()> {
        Box::pin(async {
            self.outbox.flush().await?;
            if self.outbox.gauge().caught_up(LAST_POST).await {
                return Ok(());
            }
            Err(StoreError::Unavailable("charges wait in the outbox".to_owned()))
        })
    }

    fn retire(&self) -> Answer<'_, ()> {
        Box::pin(async {
            self.flush().await?;
            recovery::bury(&self.store, &self.holder).await?;
            self.outbox.retire().await
        })
    }
}
