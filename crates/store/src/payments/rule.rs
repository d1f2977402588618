//! Rules that buy credit by themselves. There is one attempt in flight for an account at most, in all
//! processes together: a guarded UPDATE lets one of them begin.

use serde_json::json;
use signalbox_core::id::AccountId;
use signalbox_core::{Timestamp, Usd};

use super::{Missed, Payment, posting};
use crate::error::StoreError;
use crate::manage::{By, Deed, Managed};
use crate::sql::{AssertSqlSafe, Connection, Line, On, Row, query};
use crate::store::Store;
use crate::writer::Durability;

/// Buys `amount` when the balance falls below `threshold`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Rule {
    /// For which account.
    pub account: AccountId,
    /// Below which balance.
    pub threshold: Usd,
    /// How much.
    pub amount: Usd,
    /// Whether it is on.
    pub enabled: bool,
    /// The payment in flight.
    pub attempt: Option<String>,
    /// Failures since the last success.
    pub failures: i64,
    /// It rests until then.
    pub not_before: Timestamp,
    /// Why it was switched off by itself.
    pub disabled_reason: Option<String>,
    /// When it was last changed.
    pub updated_at: Timestamp,
}

/// Whether an attempt began.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Claimed {
    /// It did: the payment is open and ours to carry out.
    Now,
    /// Nothing is to be done, or somebody else does it.
    No,
}

const COLUMNS: &str = "account_id, threshold, amount, enabled, attempt, failures, not_before, \
     disabled_reason, updated_at";

fn read(row: &Line) -> Result<Rule, StoreError> {
    Ok(Rule {
        account: AccountId::new(row.try_get::<String, _>("account_id")?),
        threshold: Usd::from_nanos(row.try_get("threshold")?),
        amount: Usd::from_nanos(row.try_get("amount")?),
        enabled: row.try_get::<i64, _>("enabled")? != 0,
        attempt: row.try_get("attempt")?,
        failures: row.try_get("failures")?,
        not_before: Timestamp::from_micros(row.try_get("not_before")?),
        disabled_reason: row.try_get("disabled_reason")?,
        updated_at: Timestamp::from_micros(row.try_get("updated_at")?),
    })
}

async fn one<'c>(on: impl Into<On<'c>>, account: &AccountId) -> Result<Option<Rule>, StoreError> {
    let sql = format!("SELECT {COLUMNS} FROM top_up_rules WHERE account_id = $1");
    let row = query(AssertSqlSafe(sql)).bind(account.as_str()).fetch_optional(on).await?;
    row.as_ref().map(read).transpose()
}

fn deed(account: &AccountId, before: Option<&Rule>, after: Option<&Rule>) -> Deed {
    let shown = |rule: &Rule| json!({"threshold": rule.threshold, "amount": rule.amount, "enabled": rule.enabled});
    let (before, after) = (before.map(shown), after.map(shown));
    Deed { kind: "top_up_rule", id: account.to_string(), before, after }
}

impl Store {
    /// The rule of an account.
    ///
    /// # Errors
    /// [`StoreError`] when the database does not answer.
    pub async fn top_up_rule(&self, account: &AccountId) -> Result<Option<Rule>, StoreError> {
        one(self.readers(), account).await
    }

    /// All rules that are on.
    ///
    /// # Errors
    /// [`StoreError`] when the database does not answer.
    pub async fn top_up_rules(&self) -> Result<Vec<Rule>, StoreError> {
        let sql = format!("SELECT {COLUMNS} FROM top_up_rules WHERE enabled = 1");
        let rows = query(AssertSqlSafe(sql)).fetch_all(self.readers()).await?;
        rows.iter().map(read).collect()
    }

    /// Sets the rule of an account. It begins anew: no failures, no rest. An attempt in flight stays.
    ///
    /// # Errors
    /// [`StoreError::Constraint`] for an unknown account.
    pub async fn set_top_up_rule(
        &self,
        by: By,
        threshold: Usd,
        amount: Usd,
        enabled: bool,
    ) -> Result<(), StoreError> {
        let (account, now) = (by.account.clone(), self.clock().now());
        self.manage(by, "top_up.set", move |connection| {
            Box::pin(async move {
                let before = one(&mut *connection, &account).await?;
                query(
                    "INSERT INTO top_up_rules (account_id, threshold, amount, enabled, updated_at) \
                     VALUES ($1, $2, $3, $4, $5) ON CONFLICT (account_id) DO UPDATE SET \
                     threshold = excluded.threshold, amount = excluded.amount, \
                     enabled = excluded.enabled, updated_at = excluded.updated_at, failures = 0, \
                     not_before = 0, disabled_reason = NULL",
                )
                .bind(account.as_str())
                .bind(threshold.nanos())
                .bind(amount.nanos())
                .bind(enabled)
                .bind(now.micros())
                .execute(&mut *connection)
                .await?;
                let after = one(connection, &account).await?;
                Ok(Managed::one((), deed(&account, before.as_ref(), after.as_ref())))
            })
        })
        .await
    }

    /// Removes the rule of an account. An attempt in flight is not called off: its money counts.
    ///
    /// # Errors
    /// [`StoreError`] when the database does not answer.
    pub async fn drop_top_up_rule(&self, by: By) -> Result<bool, StoreError> {
        let account = by.account.clone();
        self.manage(by, "top_up.delete", move |connection| {
            Box::pin(async move {
                let Some(before) = one(&mut *connection, &account).await? else {
                    return Ok(Managed::nothing(false));
                };
                query("DELETE FROM top_up_rules WHERE account_id = $1")
                    .bind(account.as_str())
                    .execute(connection)
                    .await?;
                Ok(Managed::one(true, deed(&account, Some(&before), None)))
            })
        })
        .await
    }

    /// Begins an attempt: when the rule is on and rested, has none in flight, still wants this amount,
    /// and the balance is below the threshold, the payment is added and becomes the attempt. All of it
    /// is one statement's guard, so of any number of callers in any number of processes one begins.
    ///
    /// # Errors
    /// [`StoreError`] when the database does not answer.
    pub async fn begin_top_up(&self, payment: Payment) -> Result<Claimed, StoreError> {
        self.write(Durability::Power, move |connection| {
            Box::pin(async move {
                let done = query(
                    "UPDATE top_up_rules SET attempt = $1, updated_at = $2 WHERE account_id = $3 \
                     AND enabled = 1 AND attempt IS NULL AND not_before <= $2 AND amount = $4 \
                     AND threshold > (SELECT credited - charged - withdrawn FROM balances \
                     WHERE balances.account_id = top_up_rules.account_id) \
                     AND NOT EXISTS (SELECT 1 FROM payments WHERE payments.account_id = $3 \
                     AND automatic = 1 AND status = 'open')",
                )
                .bind(&payment.id)
                .bind(payment.created_at.micros())
                .bind(payment.account.as_str())
                .bind(payment.amount.nanos())
                .execute(&mut *connection)
                .await?;
                if done.rows_affected() != 1 {
                    return Ok(Claimed::No);
                }
                posting::insert(connection, &payment).await?;
                Ok(Claimed::Now)
            })
        })
        .await
    }

    /// Automatic payments whose end nobody told yet.
    ///
    /// # Errors
    /// [`StoreError`] when the database does not answer.
    pub async fn open_attempts(&self) -> Result<Vec<String>, StoreError> {
        let rows = query(
            "SELECT id FROM payments WHERE status = 'open' AND automatic = 1 \
             ORDER BY created_at LIMIT 100",
        )
        .fetch_all(self.readers())
        .await?;
        rows.iter().map(|row| row.try_get(0)).collect()
    }

    /// Switches a rule off and says why.
    ///
    /// # Errors
    /// [`StoreError`] when the database does not answer.
    pub async fn stop_top_up_rule(
        &self,
        account: &AccountId,
        reason: &'static str,
    ) -> Result<(), StoreError> {
        let (account, now) = (account.clone(), self.clock().now());
        self.write(Durability::Power, move |connection| {
            Box::pin(async move {
                query(
                    "UPDATE top_up_rules SET enabled = 0, disabled_reason = $1, updated_at = $2 \
                     WHERE account_id = $3 AND enabled = 1",
                )
                .bind(reason)
                .bind(now.micros())
                .bind(account.as_str())
                .execute(connection)
                .await?;
                Ok(())
            })
        })
        .await
    }
}

/// Lets the rule whose attempt ended badly rest, or switches it off.
pub(super) async fn rest(
    connection: &mut Connection,
    payment: &str,
    missed: &Missed,
    now: Timestamp,
) -> Result<(), StoreError> {
    let row = query("SELECT failures FROM top_up_rules WHERE attempt = $1")
        .bind(payment)
        .fetch_optional(&mut *connection)
        .await?;
    let Some(row) = row else { return Ok(()) };
    let failures: i64 = row.try_get::<i64, _>(0)?.saturating_add(1);
    let over = failures >= missed.most_failures;
    let nth = usize::try_from(failures.saturating_sub(1)).unwrap_or(usize::MAX);
    let until = missed.retry_at.get(nth).or(missed.retry_at.last()).copied().unwrap_or(now);
    let reason = over.then(|| format!("{failures} payments in a row failed: {}", missed.reason));
    query(
        "UPDATE top_up_rules SET attempt = NULL, failures = $1, not_before = $2, \
         enabled = CASE WHEN $3 = 1 THEN 0 ELSE enabled END, \
         disabled_reason = coalesce($4, disabled_reason), updated_at = $5 WHERE attempt = $6",
    )
    .bind(failures)
    .bind(until.micros())
    .bind(over)
    .bind(reason)
    .bind(now.micros())
    .bind(payment)
    .execute(connection)
    .await?;
    Ok(())
}
