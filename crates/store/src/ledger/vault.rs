//! The durable half of the ledger, as the live half sees it.

use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;

use signalbox_core::id::PurseId;
use signalbox_core::{Timestamp, Usd};
use signalbox_ledger::{Draw, Leased};
use signalbox_runtime::Clock;
use tokio::sync::broadcast;

use super::entry::Entry;
use crate::changes::Change;
use crate::error::StoreError;

/// An answer of the vault.
pub(crate) type Answer<'v, T> = Pin<Box<dyn Future<Output = Result<T, StoreError>> + Send + 'v>>;

/// One change of a lease of this process.
#[derive(Debug, Clone)]
pub(crate) struct LeaseOp {
    /// Names the change, so that it is made once however often it is asked for.
    pub id: Arc<str>,
    pub draw: Draw,
    pub window: Timestamp,
    /// What is given back of it.
    pub give: Usd,
    /// Whether to take what is free, after that.
    pub take: bool,
}

/// The durable half: rows that survive the process. Every call is one transaction.
///
/// **Invariant:** what is spent of a purse and all leases of it are never more than its source.
/// **Invariant:** a lease is at least what the book of its process has left of it.
pub(crate) trait Vault: Send + Sync + 'static {
    fn clock(&self) -> &Clock;

    /// The name of this process among those that hold leases.
    fn holder(&self) -> &Arc<str>;

    /// Changes a lease. `None` when what fills the purse does not exist.
    fn lease(&self, op: LeaseOp) -> Answer<'_, Option<Leased>>;

    /// Tells other processes something.
    fn announce(&self, change: Change) -> Answer<'_, ()>;

    /// Queues an entry without waiting.
    fn post(&self, entry: Entry) -> Result<(), StoreError>;

    /// Waits until everything queued before survives the death of this process.
    fn written(&self) -> Answer<'_, ()>;

    /// How many entries are queued and not yet durable.
    fn backlog(&self) -> usize;

    /// News of grants, changed keys and wishes of other processes.
    fn subscribe(&self) -> broadcast::Receiver<Change>;

    /// Ends what dead processes left.
    fn look_around(&self) -> Answer<'_, ()>;

    /// Waits until everything queued before is durable.
    fn flush(&self) -> Answer<'_, ()>;

    /// Gives back all leases of this process. Reservations that are still open end as recovered.
    fn retire(&self) -> Answer<'_, ()>;
}

/// The place of a lease: a purse and a window.
pub(crate) type Slot = (PurseId, Timestamp);
