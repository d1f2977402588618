//! The live ledger: reserve in memory, settle durably, once.
//!
//! A running process takes a lease of an account's balance (all that is free) in a durable row and
//! reserves from it in memory, so overspending is impossible however many requests or processes
//! there are. A settlement resolves when its postings, its generation row and the projections are
//! committed together. Nothing settles in `Drop`.
//!
//! **Invariant:** the lease row of an account is at least what the book in memory has posted.
//! **Invariant:** no lock is held across an await except a shard's `warming`.

pub(crate) mod batch;
pub(crate) mod holder;
mod lease;
mod live;
mod post;
mod rows;
mod tail;

use std::collections::HashMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use signalbox_core::id::{AccountId, GenerationId, KeyHash};
use signalbox_core::{Timestamp, Usd, limits};
use signalbox_ledger::{Refusal, Reservation, Reserve, Settled, Terminal};
use signalbox_runtime::task;
use tokio::sync::{Notify, Semaphore};

use self::holder::Holder;
use self::live::Shards;
use crate::error::StoreError;
use crate::generations::GenerationRow;
use crate::keys::KeyRecord;
use crate::store::Store;

/// How long a settlement waits for its commit before it answers [`LedgerError::Delayed`].
const COMMIT_WAIT: Duration = Duration::from_secs(60);
/// How long a reservation waits for other processes to give back credit they don't need.
const REFILL_WAIT: Duration = Duration::from_secs(1);

/// Why the ledger did not do what was asked.
#[derive(Debug, Clone, thiserror::Error)]
pub enum LedgerError {
    /// There is no such account, or the key belongs to another.
    #[error("the account is not known")]
    UnknownAccount,
    /// The reservation had ended before.
    #[error(transparent)]
    Terminal(#[from] Terminal),
    /// The database is slow or away. The posting is queued and is written when it is back.
    #[error("the posting is queued but not yet durable")]
    Delayed,
    /// The database refused.
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// The live ledger of one process. Clones share it.
#[derive(Clone)]
pub struct Ledger {
    inner: Arc<Inner>,
}

struct Inner {
    store: Store,
    holder: Holder,
    shards: Shards,
    /// Bounds the settlements that wait for a commit.
    slots: Semaphore,
    /// Whether other processes may hold part of the money.
    others: AtomicBool,
    /// Accounts that requests of this process wait for credit of.
    wanted: std::sync::Mutex<HashMap<AccountId, usize>>,
    credit_arrived: Notify,
    tail: std::sync::OnceLock<tokio::task::AbortHandle>,
}

impl Drop for Inner {
    fn drop(&mut self) {
        if let Some(tail) = self.tail.get() {
            tail.abort();
        }
    }
}

impl std::fmt::Debug for Ledger {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Ledger").field("holder", &self.inner.holder.id()).finish_non_exhaustive()
    }
}

/// An amount that is held for one generation. It must end in [`Ledger::settle`] or
/// [`Ledger::release`]; one that is dropped gives its amount back and logs an error.
#[must_use = "a hold must be settled or released"]
pub struct Hold {
    reservation: Option<Reservation>,
    generation: GenerationId,
    amount: Usd,
    ledger: Ledger,
}

impl Hold {
    /// The generation it is for.
    #[must_use]
    pub fn generation(&self) -> &GenerationId {
        &self.generation
    }

    /// The amount held.
    #[must_use]
    pub const fn amount(&self) -> Usd {
        self.amount
    }
}

impl std::fmt::Debug for Hold {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Hold({}, {:?})", self.generation, self.amount)
    }
}

impl Drop for Hold {
    fn drop(&mut self) {
        if let Some(reservation) = self.reservation.take() {
            tracing::error!(generation = %self.generation, "a hold was dropped and is given back");
            self.ledger.inner.abandon(reservation);
        }
    }
}

impl Ledger {
    /// Starts the live ledger of this process and gives back what dead processes held.
    ///
    /// # Errors
    /// [`LedgerError::Store`] when the database does not answer.
    pub async fn open(store: &Store) -> Result<Self, LedgerError> {
        let holder = Holder::register(store).await?;
        let others = holder::bury_the_dead(store, &holder).await?;
        let inner = Arc::new(Inner {
            store: store.clone(),
            holder,
            shards: Shards::default(),
            slots: Semaphore::new(limits::LEDGER_QUEUE),
            others: AtomicBool::new(others),
            wanted: std::sync::Mutex::default(),
            credit_arrived: Notify::new(),
            tail: std::sync::OnceLock::new(),
        });
        let follow = tail::follow(Arc::downgrade(&inner), store.subscribe());
        drop(inner.tail.set(task::spawn("ledger-tail", follow).abort_handle()));
        Ok(Self { inner })
    }

    /// Makes an account and a key ready for [`Ledger::reserve`]. The first call loads them, together
    /// with whoever else asks at that time; later ones touch memory only. A record with newer terms
    /// (limit, reset) replaces the older terms.
    ///
    /// # Errors
    /// [`LedgerError::UnknownAccount`]; [`LedgerError::Delayed`] while more postings wait for the
    /// database than its queue should hold, so that an outage can't fill the memory; [`LedgerError::Store`] when the database does not answer.
    pub async fn warm(&self, account: &AccountId, key: &KeyRecord) -> Result<(), LedgerError> {
        self.inner.warm(account, key).await
    }

    /// Holds an amount, in memory only.
    ///
    /// # Errors
    /// The book's [`Refusal`]; `UnknownAccount` or `UnknownKey` when [`Ledger::warm`] was not called.
    pub fn reserve(&self, request: Reserve) -> Result<Hold, Refusal> {
        let reservation = self.inner.shards.of(&request.account).lock().reserve(request)?;
        Ok(Hold {
            generation: reservation.generation.clone(),
            amount: reservation.amount,
            reservation: Some(reservation),
            ledger: self.clone(),
        })
    }

    /// Like [`Ledger::reserve`], but when the balance does not cover the amount and other processes
    /// hold part of it, waits up to a second for them to give some back. With one process it never
    /// waits.
    ///
    /// # Errors
    /// The book's [`Refusal`].
    pub async fn reserve_or_refill(&self, request: Reserve) -> Result<Hold, Refusal> {
        let first = self.reserve(request.clone());
        if !matches!(first, Err(Refusal::InsufficientCredit { .. })) {
            return first;
        }
        if self.inner.others.load(Ordering::Relaxed) {
            let refill = self.inner.wait_for_credit(&request.account, request.amount);
            drop(tokio::time::timeout(REFILL_WAIT, refill).await);
            return self.reserve(request);
        }
        first
    }

    /// Charges a generation and frees the rest of its hold. Resolves when the charge, the generation
    /// row and the projections are durable. The row's id, account, key and cost are taken from the
    /// hold and the charge. Once polled past its first wait it completes even if it is dropped.
    ///
    /// # Errors
    /// [`LedgerError::Delayed`] when the commit takes longer than a minute;
    /// [`LedgerError::Terminal`] and [`LedgerError::Store`] when the database knows better.
    pub async fn settle(
        &self,
        hold: Hold,
        charge: Usd,
        row: GenerationRow,
    ) -> Result<Settled, LedgerError> {
        let row = Box::new(row);
        let _slot = self.inner.slots.acquire().await.map_err(|_| StoreError::Closed)?;
        let (settled, answer) = self.inner.post_settlement(hold, charge, row)?;
        self.inner.durable(answer).await?;
        Ok(settled)
    }

    /// Gives back the whole hold. With a row it resolves when the row is durable; without one it does
    /// not wait.
    ///
    /// # Errors
    /// As [`Ledger::settle`].
    pub async fn release(&self, hold: Hold, row: Option<GenerationRow>) -> Result<(), LedgerError> {
        let row = row.map(Box::new);
        let _slot = self.inner.slots.acquire().await.map_err(|_| StoreError::Closed)?;
        match self.inner.post_release(hold, row)? {
            Some(answer) => self.inner.durable(answer).await,
            None => Ok(()),
        }
    }

    /// Records a generation for which nothing was held and nothing is charged, such as one that the
    /// response cache answered. Resolves when the row is durable; its cost is zero whatever it says.
    /// Once polled past its first wait it completes even if it is dropped.
    ///
    /// # Errors
    /// As [`Ledger::settle`].
    pub async fn record(&self, row: GenerationRow) -> Result<(), LedgerError> {
        let row = Box::new(row);
        let _slot = self.inner.slots.acquire().await.map_err(|_| StoreError::Closed)?;
        let answer = self.inner.post_record(row)?;
        self.inner.durable(answer).await
    }

    /// What can be reserved of the account now; `None` when it is not warm.
    #[must_use]
    pub fn available(&self, account: &AccountId) -> Option<Usd> {
        self.inner.shards.of(account).lock().book.available(account)
    }

    /// The most that a key may reserve now: the budget for `affordable_output`.
    ///
    /// # Errors
    /// The refusal that any reservation would get.
    pub fn spendable(
        &self,
        account: &AccountId,
        key: &KeyHash,
        now: Timestamp,
    ) -> Result<Usd, Refusal> {
        self.inner.shards.of(account).lock().book.spendable(account, key, now)
    }

    /// Reservations that are open in this process.
    #[must_use]
    pub fn open_count(&self) -> usize {
        self.inner.shards.open_count()
    }

    /// Waits until everything queued before is durable.
    ///
    /// # Errors
    /// [`LedgerError::Store`] when the writer has ended.
    pub async fn flush(&self) -> Result<(), LedgerError> {
        Ok(self.inner.store.flush().await?)
    }

    /// Writes what is queued and gives back the leases. Reservations that are still open end as
    /// recovered: nothing is charged for them.
    ///
    /// # Errors
    /// [`LedgerError::Store`] when the database does not answer.
    pub async fn shutdown(&self) -> Result<(), LedgerError> {
        if let Some(tail) = self.inner.tail.get() {
            tail.abort();
        }
        self.flush().await?;
        self.inner.post_young(None);
        holder::bury(&self.inner.store, self.inner.holder.id()).await?;
        self.inner.holder.retire();
        Ok(())
    }
}
