//! Money into and out of one account, and the wait for what running processes have leased of it.

use std::future::Future;
use std::time::Duration;

use signalbox_core::Usd;
use signalbox_core::id::AccountId;
use signalbox_ledger::Draw;
use tokio::sync::broadcast::Receiver;
use tokio::sync::broadcast::error::RecvError;

use super::{Movement, Posted, Refused, post};
use crate::changes::{Change, announce};
use crate::error::StoreError;
use crate::sql::{AssertSqlSafe, Connection, Row, query};
use crate::store::Store;
use crate::writer::Durability;

/// How often processes are asked for what they lease, and how long each time: 3 s in all.
const ASKS: usize = 15;
const ANSWER: Duration = Duration::from_millis(200);

/// What is leased of an account's balance.
pub(super) const LEASED: &str = "(SELECT CAST(coalesce(sum(amount), 0) AS BIGINT) FROM leases \
     WHERE leases.purse = 'credit:' || balances.account_id)";

/// What an account has, and what processes lease of it and of its credit line.
struct Figures {
    own: i64,
    leased: i64,
}

async fn figures(connection: &mut Connection, account: &AccountId) -> Result<Figures, StoreError> {
    let sql = format!(
        "SELECT credited - charged - withdrawn, {LEASED} FROM balances WHERE account_id = $1"
    );
    let row = query(AssertSqlSafe(sql)).bind(account.as_str()).fetch_optional(connection).await?;
    let row = row.ok_or_else(|| Refused::UnknownAccount(account.to_string()))?;
    Ok(Figures { own: row.try_get(0)?, leased: row.try_get(1)? })
}

/// Takes an amount that is the account's own and not leased.
pub(super) async fn take(
    connection: &mut Connection,
    account: &AccountId,
    amount: Usd,
) -> Result<(), StoreError> {
    let sql = format!(
        "UPDATE balances SET withdrawn = withdrawn + $1 WHERE account_id = $2 \
         AND credited - charged - withdrawn >= $1 \
         AND credited - charged - withdrawn + line - {LEASED} >= $1"
    );
    let done = query(AssertSqlSafe(sql))
        .bind(amount.nanos())
        .bind(account.as_str())
        .execute(&mut *connection)
        .await?;
    if done.rows_affected() == 1 {
        return Ok(());
    }
    let Figures { own, leased } = figures(connection, account).await?;
    if own < amount.nanos() {
        return Err(Refused::Insufficient { available: Usd::from_nanos(own.max(0)) }.into());
    }
    Err(Refused::InUse { leased: Usd::from_nanos(leased) }.into())
}

/// What could be taken now: the account's own and not leased.
pub(super) async fn takeable(
    connection: &mut Connection,
    account: &AccountId,
) -> Result<(Usd, Usd), StoreError> {
    let line: i64 = query("SELECT line FROM balances WHERE account_id = $1")
        .bind(account.as_str())
        .fetch_optional(&mut *connection)
        .await?
        .ok_or_else(|| Refused::UnknownAccount(account.to_string()))?
        .try_get(0)?;
    let Figures { own, leased } = figures(connection, account).await?;
    let free = own.saturating_add(line).saturating_sub(leased);
    Ok((Usd::from_nanos(own.max(0)), Usd::from_nanos(own.min(free).max(0))))
}

/// Adds an amount, as long as the sum is an amount.
pub(super) async fn put(
    connection: &mut Connection,
    account: &AccountId,
    amount: Usd,
) -> Result<(), StoreError> {
    let most = Usd::MAX.checked_sub(amount).ok_or(Refused::Amount)?;
    let done = query(
        "UPDATE balances SET credited = credited + $1 WHERE account_id = $2 AND credited <= $3",
    )
    .bind(amount.nanos())
    .bind(account.as_str())
    .bind(most.nanos())
    .execute(&mut *connection)
    .await?;
    if done.rows_affected() == 1 {
        return Ok(());
    }
    figures(connection, account).await?;
    Err(Refused::Amount.into())
}

/// Counts a purchase towards what the account ever bought.
pub(super) async fn count_purchase(
    connection: &mut Connection,
    account: &AccountId,
    amount: Usd,
) -> Result<(), StoreError> {
    query("UPDATE accounts SET purchased = purchased + $1 WHERE id = $2")
        .bind(amount.nanos())
        .bind(account.as_str())
        .execute(connection)
        .await?;
    Ok(())
}

impl Store {
    /// Posts a movement, once for its id. Where running processes lease what is to go out, they are
    /// asked for it, for up to three seconds. Returns when it would survive a power cut.
    ///
    /// # Errors
    /// [`StoreError::Refused`]: nothing has changed.
    pub async fn post_movement(&self, movement: Movement) -> Result<Posted, StoreError> {
        let from = movement.from.account().cloned();
        let attempt = || {
            let movement = movement.clone();
            self.write(Durability::Power, move |connection| {
                Box::pin(async move { post(connection, &movement).await })
            })
        };
        match from {
            Some(account) => self.patiently(&account, attempt).await,
            None => attempt().await,
        }
    }

    /// Tries until processes have given back what they lease of the account, at most 3 s. Only the
    /// pauses are bounded: no attempt is ever left halfway.
    pub(crate) async fn patiently<T, F, Fut>(
        &self,
        account: &AccountId,
        attempt: F,
    ) -> Result<T, StoreError>
    where
        F: Fn() -> Fut,
        Fut: Future<Output = Result<T, StoreError>>,
    {
        let mut news = self.subscribe();
        for _ in 0..ASKS {
            match attempt().await {
                Err(StoreError::Refused(Refused::InUse { .. })) => {}
                done => return done,
            }
            self.ask_back(account).await?;
            drop(tokio::time::timeout(ANSWER, heard_of(&mut news, account)).await);
        }
        attempt().await
    }

    async fn ask_back(&self, account: &AccountId) -> Result<(), StoreError> {
        let purse = Draw::credit(account).purse;
        // Requests that wait go first.
        let wanted = Change::Wanted { purse, amount: Usd::MAX, rank: u64::MAX };
        let now = self.clock().now();
        self.write(Durability::Process, move |connection| {
            Box::pin(async move { announce(connection, &wanted, now).await })
        })
        .await
    }
}

/// Waits for news of the account.
async fn heard_of(news: &mut Receiver<Change>, account: &AccountId) {
    let purse = Draw::credit(account).purse;
    loop {
        match news.recv().await {
            Ok(Change::Account(heard)) if heard == *account => return,
            Ok(Change::Freed(heard)) if heard == purse => return,
            Ok(Change::All) => return,
            Ok(_) => {}
            Err(RecvError::Lagged(_)) => return,
            // Nobody tells any more: the pause runs out.
            Err(RecvError::Closed) => std::future::pending().await,
        }
    }
}
