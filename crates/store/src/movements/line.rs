//! What an invoiced account may owe.

use signalbox_core::id::AccountId;
use signalbox_core::{Timestamp, Usd};

use super::Refused;
use super::take::LEASED;
use crate::changes::{Change, announce};
use crate::error::StoreError;
use crate::sql::{AssertSqlSafe, Connection, Row, query};
use crate::store::Store;
use crate::writer::Durability;

impl Store {
    /// Sets the credit line of an account; 0 makes it prepaid. A line that is taken back waits for
    /// running processes like money that goes out.
    ///
    /// # Errors
    /// [`StoreError::Refused`]: `Insufficient` while more than the new line is owed.
    pub async fn set_line(&self, account: &AccountId, line: Usd) -> Result<(), StoreError> {
        if line.is_negative() {
            return Err(Refused::Amount.into());
        }
        let now = self.clock().now();
        self.patiently(account, || {
            let account = account.clone();
            self.write(Durability::Power, move |connection| {
                Box::pin(async move { set(connection, account, line, now).await })
            })
        })
        .await
    }
}

async fn set(
    connection: &mut Connection,
    account: AccountId,
    line: Usd,
    now: Timestamp,
) -> Result<(), StoreError> {
    let sql = format!(
        "UPDATE balances SET line = $1, \
         most_line = CASE WHEN $1 > most_line THEN $1 ELSE most_line END WHERE account_id = $2 \
         AND credited - charged - withdrawn + $1 - {LEASED} >= 0"
    );
    let done = query(AssertSqlSafe(sql))
        .bind(line.nanos())
        .bind(account.as_str())
        .execute(&mut *connection)
        .await?;
    if done.rows_affected() == 1 {
        return announce(connection, &Change::Account(account), now).await;
    }
    let row = query("SELECT credited - charged - withdrawn FROM balances WHERE account_id = $1")
        .bind(account.as_str())
        .fetch_optional(connection)
        .await?;
    let row = row.ok_or_else(|| Refused::UnknownAccount(account.to_string()))?;
    let own = Usd::from_nanos(row.try_get(0)?);
    if own.saturating_add(line).is_negative() {
        return Err(Refused::Insufficient { available: own }.into());
    }
    Err(Refused::InUse { leased: own.saturating_add(line) }.into())
}
