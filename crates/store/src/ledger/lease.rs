//! Leases: the durable part of a balance that this process may spend from memory.

use std::sync::atomic::Ordering;
use std::sync::{Arc, PoisonError};
use std::time::Duration;

use signalbox_core::id::{AccountId, GenerationId, KeyHash};
use signalbox_core::time::ResetInterval;
use signalbox_core::{Timestamp, Usd, limits};
use signalbox_ledger::{KeyTerms, Reserve, Spend};
use signalbox_runtime::entropy;

use super::{Inner, LedgerError};
use crate::changes::{Change, announce};
use crate::error::StoreError;
use crate::keys::{self, KeyRecord};
use crate::sql::{Connection, Row, query};
use crate::writer::Durability;

/// How long a process that gave credit back leaves it to others. They hear of it within 200 ms.
const YIELD: Duration = Duration::from_millis(500);

/// Adds what is free of the balance to the lease; answers what was added and the lease after it.
/// `None` when there is no such account.
async fn take(
    connection: &mut Connection,
    account: &AccountId,
    holder: &Arc<str>,
) -> Result<Option<(Usd, Usd)>, StoreError> {
    let row = query(
        "SELECT credited - charged - withdrawn + line - (SELECT coalesce(sum(amount), 0) FROM leases \
         WHERE leases.account_id = balances.account_id) FROM balances WHERE account_id = $1",
    )
    .bind(account.as_str())
    .fetch_optional(&mut *connection)
    .await?;
    let Some(row) = row else { return Ok(None) };
    let free: i64 = row.try_get::<i64, _>(0)?.max(0);
    let after = query(
        "INSERT INTO leases (account_id, holder, amount) VALUES ($1, $2, $3) \
         ON CONFLICT (account_id, holder) DO UPDATE SET amount = leases.amount + excluded.amount \
         RETURNING amount",
    )
    .bind(account.as_str())
    .bind(holder.clone())
    .bind(free)
    .fetch_one(connection)
    .await?;
    Ok(Some((Usd::from_nanos(free), Usd::from_nanos(after.try_get(0)?))))
}

impl Inner {
    pub(super) async fn warm(
        &self,
        account: &AccountId,
        key: &KeyRecord,
    ) -> Result<(), LedgerError> {
        if &key.account != account {
            return Err(LedgerError::UnknownAccount);
        }
        if self.store.writer().backlog() > limits::LEDGER_QUEUE {
            return Err(LedgerError::Delayed);
        }
        let shard = self.shards.of(account);
        if shard.lock().is_warm(account, key) {
            return Ok(());
        }
        let _turn = shard.warming.lock().await;
        if shard.lock().is_warm(account, key) {
            return Ok(());
        }
        if !shard.lock().has_account(account) {
            let (name, holder) = (account.clone(), self.holder.id().clone());
            let taken = self
                .store
                .write(Durability::Process, move |connection| {
                    Box::pin(async move { take(connection, &name, &holder).await })
                })
                .await?;
            // The whole lease, not what was added: an earlier call may have been dropped right here.
            let (_, lease) = taken.ok_or(LedgerError::UnknownAccount)?;
            shard.lock().open_account(account, lease);
        }
        let (hash, now) = (key.hash.clone(), self.store.clock().now());
        let spend = self
            .store
            .write(Durability::Process, move |connection| {
                Box::pin(async move { keys::spend(connection, &hash, now).await })
            })
            .await?;
        shard.lock().open_key(key, spend);
        Ok(())
    }

    /// Brings free credit (a grant, a dead process's lease) into the live balance. Only called by the
    /// tail, which nobody drops between the row and the book.
    pub(super) async fn top_up(&self, account: &AccountId) -> Result<(), StoreError> {
        let shard = self.shards.of(account);
        let _turn = shard.warming.lock().await;
        let ours = {
            let state = shard.lock();
            state.has_account(account) && !state.is_yielded(account)
        };
        if !ours {
            return Ok(());
        }
        let (name, holder) = (account.clone(), self.holder.id().clone());
        let taken = self
            .store
            .write(Durability::Process, move |connection| {
                Box::pin(async move { take(connection, &name, &holder).await })
            })
            .await?;
        let Some((added, _)) = taken.filter(|(added, _)| *added > Usd::ZERO) else {
            return Ok(());
        };
        if let Err(error) = shard.lock().book.credit(account, added) {
            tracing::error!(%account, %error, "credit came in that the book does not take");
        }
        Ok(())
    }

    /// Gives half of what is not held back, because another process asked for it.
    pub(super) async fn give_back_half(&self, account: &AccountId) -> Result<(), StoreError> {
        let shard = self.shards.of(account);
        let _turn = shard.warming.lock().await;
        let now = self.store.clock().now();
        let Some(given) = withdraw_half(shard, account, now) else { return Ok(()) };
        // Else we would hear of our own gift first and take it back.
        let until = self.store.clock().monotonic().saturating_add(YIELD);
        shard.lock().yield_until(account, until);
        let (name, holder) = (account.clone(), self.holder.id().clone());
        let done = self
            .store
            .write(Durability::Process, move |connection| {
                Box::pin(async move {
                    query(
                        "UPDATE leases SET amount = amount - $1 \
                         WHERE account_id = $2 AND holder = $3",
                    )
                    .bind(given.nanos())
                    .bind(name.as_str())
                    .bind(holder)
                    .execute(&mut *connection)
                    .await?;
                    announce(connection, &Change::Account(name), now).await
                })
            })
            .await;
        if done.is_err() {
            let _ = shard.lock().book.credit(account, given);
        }
        done
    }

    /// Asks other processes for credit and waits until `amount` can be reserved. Never ends by
    /// itself while there is too little: the caller bounds the wait.
    pub(super) async fn wait_for_credit(&self, account: &AccountId, amount: Usd) {
        if !self.others_hold(account).await.unwrap_or(false) {
            return;
        }
        let _wish = Wish::new(self, account);
        let (name, now) = (account.clone(), self.store.clock().now());
        let asked = self.store.write(Durability::Process, move |connection| {
            Box::pin(async move { announce(connection, &Change::Wanted(name), now).await })
        });
        if asked.await.is_err() {
            return;
        }
        let arrived = self.credit_arrived.notified();
        tokio::pin!(arrived);
        loop {
            arrived.as_mut().enable();
            let available = self.shards.of(account).lock().book.available(account);
            if available.is_some_and(|available| available >= amount) {
                return;
            }
            arrived.as_mut().await;
            arrived.set(self.credit_arrived.notified());
        }
    }

    pub(super) fn is_wanted_here(&self, account: &AccountId) -> bool {
        self.wanted.lock().unwrap_or_else(PoisonError::into_inner).contains_key(account)
    }

    async fn others_hold(&self, account: &AccountId) -> Result<bool, StoreError> {
        let row = query(
            "SELECT coalesce(sum(amount), 0) FROM leases WHERE account_id = $1 AND holder <> $2",
        )
        .bind(account.as_str())
        .bind(self.holder.id().clone())
        .fetch_one(self.store.readers())
        .await?;
        let held = row.try_get::<i64, _>(0)? > 0;
        self.others.fetch_or(held, Ordering::Relaxed);
        Ok(held)
    }
}

/// Marks an account as wanted by this process, so that it doesn't give its own share away meanwhile.
struct Wish<'l> {
    ledger: &'l Inner,
    account: &'l AccountId,
}

impl<'l> Wish<'l> {
    fn new(ledger: &'l Inner, account: &'l AccountId) -> Self {
        let mut wanted = ledger.wanted.lock().unwrap_or_else(PoisonError::into_inner);
        let count = wanted.entry(account.clone()).or_default();
        *count = count.saturating_add(1);
        Self { ledger, account }
    }
}

impl Drop for Wish<'_> {
    fn drop(&mut self) {
        let mut wanted = self.ledger.wanted.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(count) = wanted.get_mut(self.account) {
            *count = count.saturating_sub(1);
            if *count == 0 {
                wanted.remove(self.account);
            }
        }
    }
}

/// Takes half of the available balance out of the book, by a charge to a key of the house.
fn withdraw_half(shard: &super::live::Shard, account: &AccountId, now: Timestamp) -> Option<Usd> {
    let mut state = shard.lock();
    let half = Usd::from_nanos(state.book.available(account)?.nanos() / 2);
    if half <= Usd::ZERO {
        return None;
    }
    let key = KeyHash::new(format!("lease of {account}"));
    let terms = KeyTerms {
        key: key.clone(),
        account: account.clone(),
        limit: None,
        reset: None::<ResetInterval>,
    };
    state.book.open_key(terms, Spend::none(now));
    let generation = GenerationId::new(format!("lease-{}", hex::encode(entropy::bytes())));
    let account = account.clone();
    let request = Reserve { generation: generation.clone(), account, key, amount: half, now };
    state.book.reserve(request).ok()?;
    state.book.settle(&generation, half, now).ok().map(|settled| settled.charged)
}
