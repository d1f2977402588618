//! Limits on what a scope spends: workspaces, and guardrails for a key or a member.

use serde_json::json;
use sha2::{Digest, Sha256};
use signalbox_core::id::{AccountId, KeyHash, WorkspaceId, named_uuid};
use signalbox_core::time::ResetInterval;
use signalbox_core::{Timestamp, Usd};
use signalbox_ledger::{Counts, Draw};

use crate::changes::{Change, announce};
use crate::error::StoreError;
use crate::manage::Deed;
use crate::sql::{Connection, Line, On, Row, query};
use crate::store::Store;
use crate::writer::Durability;

/// One budget (platform spec 1.6, 7.4).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Budget {
    /// Whose spending it limits: `workspace:<id>`, `guardrail:<id>:key:<hash>`,
    /// `guardrail:<id>:member:<id>`.
    pub scope: String,
    /// How often it starts again; absent for a lifetime budget.
    pub interval: Option<ResetInterval>,
    /// The most in one window. Above zero.
    pub limit: Usd,
    /// Whether spending on the caller's own provider keys counts too, at list price.
    pub include_byok: bool,
    /// When it was last set.
    pub updated_at: Timestamp,
}

pub(crate) const fn counting(include_byok: bool) -> Counts {
    if include_byok { Counts::CreditsAndByok } else { Counts::Credits }
}

impl Budget {
    /// The purse that it makes.
    #[must_use]
    pub fn draw(&self) -> Draw {
        let counts = counting(self.include_byok);
        Draw::limit(&self.scope, self.interval, self.limit, counts, self.updated_at)
    }
}

const LIFETIME: &str = "lifetime";

/// An interval as it is stored; lifetime is none.
pub(crate) fn read_interval(name: &str) -> Result<Option<ResetInterval>, StoreError> {
    match (ResetInterval::from_name(name), name) {
        (None, LIFETIME) => Ok(None),
        (None, _) => Err(StoreError::Damaged(format!("interval {name}"))),
        (known, _) => Ok(known),
    }
}

fn read_budget(row: &Line) -> Result<Budget, StoreError> {
    let interval: String = row.try_get(1)?;
    Ok(Budget {
        scope: row.try_get(0)?,
        interval: read_interval(&interval)?,
        limit: Usd::from_nanos(row.try_get(2)?),
        include_byok: row.try_get(3)?,
        updated_at: Timestamp::from_micros(row.try_get(4)?),
    })
}

/// A budget as it was set.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SetBudget {
    /// The budget.
    pub budget: Budget,
    /// When there was first one of this scope and interval.
    pub created_at: Timestamp,
}

impl Budget {
    /// Its id, which follows from scope and interval.
    #[must_use]
    pub fn id(&self) -> String {
        let name = format!("budget:{}:{}", self.scope, name_of(self.interval));
        named_uuid(&Sha256::digest(name).into())
    }
}

fn name_of(interval: Option<ResetInterval>) -> &'static str {
    interval.map_or(LIFETIME, ResetInterval::name)
}

/// How broad an interval is: the broadest has the smallest number.
const fn breadth(interval: Option<ResetInterval>) -> u8 {
    match interval {
        None => 0,
        Some(ResetInterval::Monthly) => 1,
        Some(ResetInterval::Weekly) => 2,
        Some(ResetInterval::Daily) => 3,
    }
}

pub(crate) async fn put(
    connection: &mut Connection,
    budget: &Budget,
    now: Timestamp,
) -> Result<(), StoreError> {
    query(
        "INSERT INTO budgets (scope, interval, limit_nanos, include_byok, created_at, \
         updated_at) VALUES ($1, $2, $3, $4, $5, $5) ON CONFLICT (scope, interval) \
         DO UPDATE SET limit_nanos = excluded.limit_nanos, \
         include_byok = excluded.include_byok, updated_at = excluded.updated_at",
    )
    .bind(&budget.scope)
    .bind(name_of(budget.interval))
    .bind(budget.limit.nanos())
    .bind(i64::from(budget.include_byok))
    .bind(now.micros())
    .execute(connection)
    .await?;
    Ok(())
}

pub(crate) async fn remove(
    connection: &mut Connection,
    scope: &str,
    interval: Option<ResetInterval>,
) -> Result<bool, StoreError> {
    let done = query("DELETE FROM budgets WHERE scope = $1 AND interval = $2")
        .bind(scope)
        .bind(name_of(interval))
        .execute(connection)
        .await?;
    Ok(done.rows_affected() == 1)
}

/// Lets all budgets of a scope count spending on own provider keys, or none.
pub(crate) async fn count_byok(
    connection: &mut Connection,
    scope: &str,
    include_byok: bool,
    now: Timestamp,
) -> Result<(), StoreError> {
    query(
        "UPDATE budgets SET include_byok = $1, updated_at = $2 \
         WHERE scope = $3 AND include_byok <> $1",
    )
    .bind(include_byok)
    .bind(now.micros())
    .bind(scope)
    .execute(connection)
    .await?;
    Ok(())
}

/// The budgets of a scope, the broadest first.
pub(crate) async fn of_scope<'c>(
    on: impl Into<On<'c>>,
    scope: &str,
) -> Result<Vec<SetBudget>, StoreError> {
    let rows = query(
        "SELECT scope, interval, limit_nanos, include_byok, updated_at, created_at FROM budgets \
         WHERE scope = $1",
    );
    let rows = rows.bind(scope).fetch_all(on).await?;
    let set = |row: &Line| {
        let created_at = Timestamp::from_micros(row.try_get(5)?);
        Ok(SetBudget { budget: read_budget(row)?, created_at })
    };
    let mut all = rows.iter().map(set).collect::<Result<Vec<_>, StoreError>>()?;
    all.sort_by_key(|one| breadth(one.budget.interval));
    Ok(all)
}

/// What the audit log says of a change of a workspace's budget.
pub(crate) fn deed(
    workspace: &WorkspaceId,
    before: Option<&Budget>,
    after: Option<&Budget>,
) -> Deed {
    let shown = |one: &Budget| {
        json!({"limit_usd": one.limit, "reset_interval": one.interval,
            "include_byok_in_budgets": one.include_byok})
    };
    let (before, after) = (before.map(shown), after.map(shown));
    Deed { kind: "workspace_budget", id: workspace.to_string(), before, after }
}

impl Store {
    /// Sets a budget of an account; its keys are checked against it from their next request on.
    ///
    /// # Errors
    /// [`StoreError::Constraint`] when the limit is not above zero.
    pub async fn set_budget(&self, account: AccountId, budget: Budget) -> Result<(), StoreError> {
        let now = self.clock().now();
        self.write(Durability::Power, move |connection| {
            Box::pin(async move {
                put(connection, &budget, now).await?;
                announce(connection, &Change::Account(account), now).await
            })
        })
        .await
    }

    /// Removes a budget of an account. Says whether there was one.
    ///
    /// # Errors
    /// [`StoreError`] when the database does not answer.
    pub async fn remove_budget(
        &self,
        account: AccountId,
        scope: String,
        interval: Option<ResetInterval>,
    ) -> Result<bool, StoreError> {
        let now = self.clock().now();
        self.write(Durability::Power, move |connection| {
            Box::pin(async move {
                let done = remove(connection, &scope, interval).await?;
                announce(connection, &Change::Account(account), now).await?;
                Ok(done)
            })
        })
        .await
    }

    /// The budgets that a key's requests are checked against: those of its workspace, the broadest
    /// first, then those of guardrails on the key.
    ///
    /// # Errors
    /// [`StoreError`] when the database does not answer.
    pub async fn budgets_of(
        &self,
        workspace: &str,
        key: &KeyHash,
    ) -> Result<Vec<Budget>, StoreError> {
        let rows = query(
            "SELECT scope, interval, limit_nanos, include_byok, updated_at FROM budgets \
             WHERE scope = $1 OR scope LIKE $2",
        )
        .bind(format!("workspace:{workspace}"))
        .bind(format!("guardrail:%:key:{key}"))
        .fetch_all(self.readers())
        .await?;
        let mut budgets = rows.iter().map(read_budget).collect::<Result<Vec<_>, _>>()?;
        budgets.sort_by_key(|one| (one.scope.starts_with("guardrail:"), breadth(one.interval)));
        Ok(budgets)
    }

    /// What a scope was charged on each day (days since 1970, nano-dollars), in order.
    ///
    /// # Errors
    /// [`StoreError`] when the database does not answer.
    pub async fn spent_by_day(&self, scope: &str) -> Result<Vec<(i64, i64)>, StoreError> {
        let rows = query("SELECT day, charged FROM usage WHERE scope = $1 ORDER BY day")
            .bind(scope)
            .fetch_all(self.readers())
            .await?;
        rows.iter().map(|row| Ok((row.try_get(0)?, row.try_get(1)?))).collect()
    }
}
