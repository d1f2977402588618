//! The live ledger: reserve in memory, settle durably, once.
//!
//! A running process leases what is free of a purse (the credit of an account, the limit of a key, a
//! budget) in a durable row and reserves from it in memory, so nothing can be overspent however many
//! requests or processes there are. A settlement resolves when its postings, its generation row and
//! the projections are committed together. Nothing settles in `Drop`.
//!
//! The live half knows the durable half as a [`vault::Vault`]: the database, or in the simulation one
//! that fails on purpose.
//!
//! **Invariant:** the lease row of a purse is at least what the book in memory has left of it.
//! **Invariant:** no lock is held across an await except a shard's `leasing`.

pub(crate) mod batch;
pub(crate) mod desk;
pub(crate) mod entry;
pub(crate) mod holder;
mod lease;
pub(crate) mod lease_rows;
mod live;
mod post;
pub(crate) mod recovery;
pub(crate) mod rows;
mod server_desk;
#[cfg(test)]
mod simulation;
mod tail;
#[cfg(test)]
mod terminal_race;
pub(crate) mod vault;
mod wish;

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use signalbox_core::id::{AccountId, GenerationId};
use signalbox_core::{Timestamp, Usd, limits};
use signalbox_ledger::{Charge, Draw, Refusal, Reservation, Reserve, Settled, Spender, Terminal};
use signalbox_runtime::task;
use tokio::sync::{Notify, Semaphore};

use self::desk::Desk;
use self::live::Shards;
use self::server_desk::ServerDesk;
use self::vault::Vault;
use self::wish::Wishes;
use crate::error::StoreError;
use crate::generations::GenerationRow;
use crate::store::Store;

/// How long a settlement waits for its commit before it answers [`LedgerError::Delayed`].
const COMMIT_WAIT: Duration = Duration::from_secs(60);
/// How long a reservation waits for other processes to give back what they don't need.
const REFILL_WAIT: Duration = Duration::from_secs(1);
/// Purses that one reservation may have to load or refill, with some to spare.
const TRIES: usize = 16;

/// Why the ledger did not do what was asked.
#[derive(Debug, Clone, thiserror::Error)]
pub enum LedgerError {
    /// There is no such account.
    #[error("the account is not known")]
    UnknownAccount,
    /// The amount is not held.
    #[error(transparent)]
    Refused(#[from] Refusal),
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

/// What a generation came to.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Settlement {
    /// What the caller pays and what is counted for the caller's own key.
    pub charge: Charge,
    /// What attempts cost the platform that nobody got an answer of; each becomes a transfer of the
    /// platform's own.
    pub waste: Vec<Usd>,
}

impl From<Usd> for Settlement {
    fn from(credits: Usd) -> Self {
        Self { charge: Charge::credits(credits), waste: Vec::new() }
    }
}

/// The live ledger of one process. Clones share it.
#[derive(Clone)]
pub struct Ledger {
    inner: Arc<Inner>,
}

struct Inner {
    vault: Box<dyn Vault>,
    shards: Shards,
    /// Bounds the settlements that wait for a commit.
    slots: Semaphore,
    wishes: Wishes,
    credit_arrived: Notify,
    /// The spender of what holds nothing.
    nobody: Arc<Spender>,
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
        f.debug_struct("Ledger").field("holder", self.inner.vault.holder()).finish_non_exhaustive()
    }
}

/// An amount that is held for one generation. It must end in [`Ledger::settle`] or
/// [`Ledger::release`]; one that is dropped gives its amount back and logs an error.
#[must_use = "a hold must be settled or released"]
pub struct Hold {
    reservation: Option<Reservation>,
    generation: GenerationId,
    amount: Usd,
    free: Option<Usd>,
    checkpointed: AtomicBool,
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

    /// The list price of own keys that is free of the fee; absent where no allowance is held.
    #[must_use]
    pub const fn free(&self) -> Option<Usd> {
        self.free
    }

    fn checkpointed(&self) -> bool {
        self.checkpointed.load(Ordering::Relaxed)
    }

    /// Notes what the generation has come to so far, without waiting. Should the process die, it is
    /// settled with this, and its row says `recovered`. Ask at most once a second for a generation.
    pub fn checkpoint(&self, charge: Charge, row: GenerationRow) {
        let Some(held) = &self.reservation else { return };
        self.checkpointed.store(true, Ordering::Relaxed);
        if let Err(error) = self.ledger.inner.post_checkpoint(held, charge, row) {
            tracing::warn!(generation = %self.generation, %error, "a checkpoint was not written");
        }
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
            self.ledger.inner.abandon(reservation, self.checkpointed());
        }
    }
}

impl Ledger {
    /// The name of this process among the holders of leases; it is gone when all that the process
    /// charged is posted.
    #[must_use]
    pub fn holder(&self) -> Arc<str> {
        self.inner.vault.holder().clone()
    }

    /// Starts the live ledger of this process and ends what dead processes left.
    ///
    /// # Errors
    /// [`LedgerError::Store`] when the database does not answer.
    pub async fn open(store: &Store) -> Result<Self, LedgerError> {
        let vault: Box<dyn Vault> = if store.is_postgres() {
            Box::new(ServerDesk::open(store).await?)
        } else {
            Box::new(Desk::open(store).await?)
        };
        Self::with_vault(vault).await
    }

    async fn with_vault(vault: Box<dyn Vault>) -> Result<Self, LedgerError> {
        vault.look_around().await?;
        let inner = Arc::new(Inner {
            shards: Shards::default(),
            slots: Semaphore::new(limits::LEDGER_QUEUE),
            wishes: Wishes::default(),
            credit_arrived: Notify::new(),
            nobody: Arc::new(Spender { draws: Vec::new(), scopes: Vec::new() }),
            tail: std::sync::OnceLock::new(),
            vault,
        });
        let follow = tail::follow(Arc::downgrade(&inner), inner.vault.subscribe());
        drop(inner.tail.set(task::spawn("ledger-tail", follow).abort_handle()));
        Ok(Self { inner })
    }

    /// Makes the purses of a spender ready for [`Ledger::reserve`]. The first call leases what is free
    /// of them, together with whoever else asks at that time; later ones touch memory only, until a
    /// window starts or a limit changes.
    ///
    /// # Errors
    /// [`LedgerError::UnknownAccount`]; [`LedgerError::Delayed`] while more postings wait for the
    /// database than its queue should hold, so that an outage can't fill the memory;
    /// [`LedgerError::Store`] when the database does not answer.
    pub async fn warm(
        &self,
        account: &AccountId,
        spender: &Spender,
        now: Timestamp,
    ) -> Result<(), LedgerError> {
        if self.inner.vault.backlog() > limits::LEDGER_QUEUE {
            return Err(LedgerError::Delayed);
        }
        let place = Shards::place(account);
        for _ in 0..TRIES {
            let ready = self.inner.shards.at(place).lock().book.ready(spender, now);
            let Err(Refusal::Unloaded { purse }) = ready else { return Ok(()) };
            let Some(draw) = spender.draw(&purse) else { return Ok(()) };
            self.inner.refill(place, draw, draw.window(now)).await?;
        }
        Ok(())
    }

    /// Holds an amount, in memory only.
    ///
    /// # Errors
    /// The book's [`Refusal`]; `Unloaded` when [`Ledger::warm`] was not called.
    pub fn reserve(&self, request: &Reserve) -> Result<Hold, Refusal> {
        let reservation = self.inner.shards.of(&request.account).lock().reserve(request)?;
        Ok(Hold {
            generation: reservation.generation.clone(),
            amount: reservation.amount,
            free: reservation.free,
            reservation: Some(reservation),
            checkpointed: AtomicBool::new(false),
            ledger: self.clone(),
        })
    }

    /// Like [`Ledger::reserve`], but loads what is not loaded, and when a purse does not cover the
    /// amount and other processes hold part of it, waits up to a second for them to give some back.
    /// With one process it never waits.
    ///
    /// # Errors
    /// [`LedgerError::Refused`] with the book's refusal; [`LedgerError::Store`] when the database does
    /// not answer.
    pub async fn reserve_or_refill(&self, request: &Reserve) -> Result<Hold, LedgerError> {
        let waiting = self.reserve_waiting(request);
        match tokio::time::timeout(REFILL_WAIT, waiting).await {
            Ok(done) => done,
            Err(_) => Ok(self.reserve(request)?),
        }
    }

    async fn reserve_waiting(&self, request: &Reserve) -> Result<Hold, LedgerError> {
        for _ in 0..TRIES {
            let refusal = match self.reserve(request) {
                Ok(hold) => return Ok(hold),
                Err(refusal) => refusal,
            };
            match &refusal {
                Refusal::Unloaded { purse } => {
                    let Some(draw) = request.spender.draw(purse) else {
                        return Err(refusal.into());
                    };
                    let (place, window) = Inner::slot(request, draw);
                    self.inner.refill(place, draw, window).await?;
                }
                Refusal::Short { .. } if self.others_can_help(request) => {
                    self.inner.refill_or_wait(request).await?;
                }
                _ => return Err(refusal.into()),
            }
        }
        Ok(self.reserve(request)?)
    }

    /// Whether other processes hold part of every purse that is short, as far as this one knows.
    fn others_can_help(&self, request: &Reserve) -> bool {
        self.inner.missing(request).iter().all(|(.., elsewhere)| *elsewhere)
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
        settlement: impl Into<Settlement>,
        row: GenerationRow,
    ) -> Result<Settled, LedgerError> {
        let (settlement, row) = (settlement.into(), Box::new(row));
        let _slot = self.inner.slots.acquire().await.map_err(|_| StoreError::Closed)?;
        let (settled, answer) = self.inner.post_settlement(hold, settlement, row)?;
        self.inner.durable(answer).await?;
        Ok(settled)
    }

    /// Gives back the whole hold. With a row it resolves when the row is durable, and the request
    /// counts where requests are counted; without one it does not wait.
    ///
    /// # Errors
    /// As [`Ledger::settle`].
    pub async fn release(
        &self,
        hold: Hold,
        waste: Vec<Usd>,
        row: Option<GenerationRow>,
    ) -> Result<(), LedgerError> {
        let row = row.map(Box::new);
        let _slot = self.inner.slots.acquire().await.map_err(|_| StoreError::Closed)?;
        match self.inner.post_release(hold, waste, row)? {
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

    /// What can be reserved of the account's credit now; `None` when it is not warm.
    #[must_use]
    pub fn available(&self, account: &AccountId) -> Option<Usd> {
        let draw = Draw::credit(account);
        let state = self.inner.shards.of(account).lock();
        Some(state.book.pot(&draw.purse, Timestamp::default())?.available())
    }

    /// The most that a spender may reserve now: the budget for `affordable_output`.
    ///
    /// # Errors
    /// The refusal that any reservation would get.
    pub fn spendable(
        &self,
        account: &AccountId,
        spender: &Spender,
        now: Timestamp,
    ) -> Result<Usd, Refusal> {
        self.inner.shards.of(account).lock().book.spendable(spender, now)
    }

    /// The same for credits and the list price of own keys together, where a limit counts both.
    ///
    /// # Errors
    /// [`Refusal::Unloaded`].
    pub fn spendable_together(
        &self,
        account: &AccountId,
        spender: &Spender,
        now: Timestamp,
    ) -> Result<Usd, Refusal> {
        self.inner.shards.of(account).lock().book.spendable_together(spender, now)
    }

    /// Reservations that are open in this process.
    #[must_use]
    pub fn open_count(&self) -> usize {
        self.inner.shards.open_count()
    }

    /// Settlements that wait for their commit.
    #[must_use]
    pub fn waiting(&self) -> usize {
        limits::LEDGER_QUEUE.saturating_sub(self.inner.slots.available_permits())
    }

    /// Waits until everything queued before is durable.
    ///
    /// # Errors
    /// [`LedgerError::Store`] when the writer has ended.
    pub async fn flush(&self) -> Result<(), LedgerError> {
        Ok(self.inner.vault.flush().await?)
    }

    /// Writes what is queued and gives back the leases. Reservations that are still open end as
    /// recovered: what was delivered of them by their last checkpoint is charged, else nothing.
    ///
    /// # Errors
    /// [`LedgerError::Store`] when the database does not answer.
    pub async fn shutdown(&self) -> Result<(), LedgerError> {
        if let Some(tail) = self.inner.tail.get() {
            tail.abort();
        }
        self.inner.post_young(None);
        self.flush().await?;
        Ok(self.inner.vault.retire().await?)
    }
}
