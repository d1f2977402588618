//! What decides an account's plan, and whether it may spend.

use signalbox_core::id::AccountId;
use signalbox_core::plan::{Frozen, PlanTerms, Standing, Tier};
use signalbox_core::{Timestamp, Usd};

use crate::changes::{Change, announce};
use crate::error::StoreError;
use crate::generations::parse;
use crate::sql::{Connection, Row, query};
use crate::store::Store;
use crate::writer::Durability;

/// A change of what was agreed with an account. What is absent stays.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Agreement {
    /// The plan by contract; `Some(None)` lets it follow from purchases again.
    pub contract: Option<Option<Tier>>,
    /// The account's own terms, replaced as a whole.
    pub terms: Option<PlanTerms>,
    /// Whether it shares its data.
    pub shares_data: Option<bool>,
}

impl Store {
    /// What decides an account's plan; `None` when there is no such account.
    ///
    /// # Errors
    /// [`StoreError`] when the database does not answer or the terms are damaged.
    pub async fn standing(&self, account: &AccountId) -> Result<Option<Standing>, StoreError> {
        let row = query(
            "SELECT plan, terms, shares_data, purchased, frozen_at, frozen_reason, line \
             FROM accounts JOIN balances ON balances.account_id = accounts.id WHERE id = $1",
        )
        .bind(account.as_str())
        .fetch_optional(self.readers())
        .await?;
        let Some(row) = row else { return Ok(None) };
        let plan: Option<String> = row.try_get(0)?;
        let terms: Option<String> = row.try_get(1)?;
        let frozen_at: Option<i64> = row.try_get(4)?;
        let reason: Option<String> = row.try_get(5)?;
        let tier = |name: String| {
            Tier::from_name(&name).ok_or_else(|| StoreError::Damaged(format!("plan {name}")))
        };
        Ok(Some(Standing {
            contract: plan.map(tier).transpose()?,
            terms: terms.map(|text| parse("terms", &text)).transpose()?.unwrap_or_default(),
            shares_data: row.try_get::<i64, _>(2)? != 0,
            purchased: Usd::from_nanos(row.try_get(3)?),
            frozen: frozen_at.map(|at| Frozen {
                at: Timestamp::from_micros(at),
                reason: reason.unwrap_or_default(),
            }),
            line: Usd::from_nanos(row.try_get(6)?),
        }))
    }

    /// Changes what was agreed with an account. Says whether there is one.
    ///
    /// # Errors
    /// [`StoreError`] when the database does not answer.
    pub async fn agree(
        &self,
        account: &AccountId,
        agreement: Agreement,
    ) -> Result<bool, StoreError> {
        let (account, now) = (account.clone(), self.clock().now());
        let terms = agreement.terms.map(|terms| serde_json::to_string(&terms));
        let terms = terms.transpose().map_err(|error| StoreError::Damaged(error.to_string()))?;
        let (keep_plan, plan) = match agreement.contract {
            None => (1_i64, None),
            Some(tier) => (0, tier.map(Tier::name)),
        };
        self.write(Durability::Power, move |connection| {
            Box::pin(async move {
                let done = query(
                    "UPDATE accounts SET plan = CASE WHEN $1 = 1 THEN plan ELSE $2 END, \
                     terms = coalesce($3, terms), shares_data = coalesce($4, shares_data) \
                     WHERE id = $5",
                )
                .bind(keep_plan)
                .bind(plan)
                .bind(terms)
                .bind(agreement.shares_data.map(i64::from))
                .bind(account.as_str())
                .execute(&mut *connection)
                .await?;
                announce(connection, &Change::Account(account), now).await?;
                Ok(done.rows_affected() == 1)
            })
        })
        .await
    }

    /// Stops an account from spending. One that is frozen keeps its first reason. Says whether it
    /// became frozen now.
    ///
    /// # Errors
    /// [`StoreError`] when the database does not answer.
    pub async fn freeze(&self, account: &AccountId, reason: &str) -> Result<bool, StoreError> {
        let (account, reason, now) = (account.clone(), reason.to_owned(), self.clock().now());
        self.write(Durability::Power, move |connection| {
            Box::pin(async move { freeze(connection, &account, &reason, now).await })
        })
        .await
    }

    /// Lets an account spend again. Says whether it was frozen.
    ///
    /// # Errors
    /// [`StoreError`] when the database does not answer.
    pub async fn unfreeze(&self, account: &AccountId) -> Result<bool, StoreError> {
        let (account, now) = (account.clone(), self.clock().now());
        self.write(Durability::Power, move |connection| {
            Box::pin(async move {
                let done = query(
                    "UPDATE accounts SET frozen_at = NULL, frozen_reason = NULL \
                     WHERE id = $1 AND frozen_at IS NOT NULL",
                )
                .bind(account.as_str())
                .execute(&mut *connection)
                .await?;
                announce(connection, &Change::Account(account), now).await?;
                Ok(done.rows_affected() == 1)
            })
        })
        .await
    }
}

async fn freeze(
    connection: &mut Connection,
    account: &AccountId,
    reason: &str,
    now: Timestamp,
) -> Result<bool, StoreError> {
    let done = query(
        "UPDATE accounts SET frozen_at = $1, frozen_reason = $2 \
         WHERE id = $3 AND frozen_at IS NULL",
    )
    .bind(now.micros())
    .bind(reason)
    .bind(account.as_str())
    .execute(&mut *connection)
    .await?;
    announce(connection, &Change::Account(account.clone()), now).await?;
    Ok(done.rows_affected() == 1)
}
