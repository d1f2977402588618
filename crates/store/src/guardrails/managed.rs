//! Guardrails as they are managed: listed, made, changed and deleted.

use serde_json::{Value, json};
use signalbox_core::id::{AccountId, WorkspaceId};
use signalbox_core::time::ResetInterval;
use signalbox_core::{Timestamp, Usd};

use super::{COLUMNS, GuardrailRecord, read};
use crate::error::StoreError;
use crate::manage::{By, Deed, Managed};
use crate::sql::{AssertSqlSafe, Connection, Row, query};
use crate::store::Store;

fn shown(one: &GuardrailRecord) -> Value {
    json!({
        "name": one.name,
        "description": one.description,
        "workspace_id": one.workspace,
        "rules": one.rules,
        "limit_usd": one.limit,
        "reset_interval": one.reset_interval,
        "include_byok_in_budgets": one.include_byok,
    })
}

fn deed(id: &str, before: Option<&GuardrailRecord>, after: Option<&GuardrailRecord>) -> Deed {
    let (before, after) = (before.map(shown), after.map(shown));
    Deed { kind: "guardrail", id: id.to_owned(), before, after }
}

/// A guardrail of an account, in a transaction that will change it.
pub(super) async fn owned(
    connection: &mut Connection,
    account: &AccountId,
    id: &str,
) -> Result<Option<GuardrailRecord>, StoreError> {
    let sql = format!("SELECT {COLUMNS} FROM guardrails WHERE account_id = $1 AND id = $2");
    let row = query(AssertSqlSafe(sql)).bind(account.as_str()).bind(id);
    row.fetch_optional(connection).await?.as_ref().map(read).transpose()
}

async fn put(connection: &mut Connection, one: &GuardrailRecord) -> Result<(), StoreError> {
    let rules = serde_json::to_string(&one.rules);
    query(
        "INSERT INTO guardrails (id, account_id, workspace_id, name, description, rules, \
         limit_nanos, reset_interval, include_byok, created_at, updated_at) \
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11) ON CONFLICT (id) DO UPDATE SET \
         name = excluded.name, description = excluded.description, rules = excluded.rules, \
         limit_nanos = excluded.limit_nanos, reset_interval = excluded.reset_interval, \
         include_byok = excluded.include_byok, updated_at = excluded.updated_at",
    )
    .bind(&one.id)
    .bind(one.account.as_str())
    .bind(one.workspace.as_ref().map(WorkspaceId::as_str))
    .bind(&one.name)
    .bind(&one.description)
    .bind(rules.map_err(|error| StoreError::Damaged(error.to_string()))?)
    .bind(one.limit.map(Usd::nanos))
    .bind(one.reset_interval.map(ResetInterval::name))
    .bind(one.include_byok)
    .bind(one.created_at.micros())
    .bind(one.updated_at.map(Timestamp::micros))
    .execute(connection)
    .await?;
    Ok(())
}

impl Store {
    /// A guardrail of an account.
    ///
    /// # Errors
    /// [`StoreError`] when the database does not answer.
    pub async fn guardrail(
        &self,
        account: &AccountId,
        id: &str,
    ) -> Result<Option<GuardrailRecord>, StoreError> {
        let sql = format!("SELECT {COLUMNS} FROM guardrails WHERE account_id = $1 AND id = $2");
        let row = query(AssertSqlSafe(sql)).bind(account.as_str()).bind(id);
        row.fetch_optional(self.readers()).await?.as_ref().map(read).transpose()
    }

    /// The guardrails that are kept in a workspace, the newest first; and how many there are.
    ///
    /// # Errors
    /// [`StoreError`] when the database does not answer.
    pub async fn guardrails_page(
        &self,
        workspace: &WorkspaceId,
        offset: u32,
        limit: u32,
    ) -> Result<(Vec<GuardrailRecord>, u64), StoreError> {
        let count = query("SELECT count(*) FROM guardrails WHERE workspace_id = $1")
            .bind(workspace.as_str())
            .fetch_one(self.readers())
            .await?;
        let sql = format!(
            "SELECT {COLUMNS} FROM guardrails WHERE workspace_id = $1 \
             ORDER BY created_at DESC, id LIMIT $2 OFFSET $3"
        );
        let rows = query(AssertSqlSafe(sql)).bind(workspace.as_str()).bind(limit).bind(offset);
        let rows = rows.fetch_all(self.readers()).await?;
        let total: i64 = count.try_get(0)?;
        Ok((rows.iter().map(read).collect::<Result<_, _>>()?, u64::try_from(total).unwrap_or(0)))
    }

    /// Adds a guardrail to the account of `by`.
    ///
    /// # Errors
    /// [`StoreError::Constraint`] when its workspace does not exist.
    pub async fn make_guardrail(&self, by: By, one: GuardrailRecord) -> Result<(), StoreError> {
        self.manage(by, "guardrail.create", move |connection| {
            Box::pin(async move {
                put(connection, &one).await?;
                Ok(Managed::one((), deed(&one.id, None, Some(&one))))
            })
        })
        .await
    }

    /// Changes a guardrail of the account of `by`, or the one that `unset` makes when there is none yet:
    /// as it is now, or `None`.
    ///
    /// # Errors
    /// [`StoreError`] when the database does not answer.
    pub async fn edit_guardrail(
        &self,
        by: By,
        id: String,
        unset: Option<GuardrailRecord>,
        edit: impl FnOnce(&mut GuardrailRecord) + Send + 'static,
    ) -> Result<Option<GuardrailRecord>, StoreError> {
        let (account, now) = (by.account.clone(), self.clock().now());
        self.manage(by, "guardrail.update", move |connection| {
            Box::pin(async move {
                let old = owned(connection, &account, &id).await?;
                let Some(mut one) = old.clone().or(unset) else {
                    return Ok(Managed::nothing(None));
                };
                edit(&mut one);
                one.updated_at = Some(now);
                put(connection, &one).await?;
                let deed = deed(&id, old.as_ref(), Some(&one));
                Ok(Managed::one(Some(one), deed))
            })
        })
        .await
    }

    /// Deletes a guardrail of the account of `by` with its assignments. Says whether there was one.
    ///
    /// # Errors
    /// [`StoreError`] when the database does not answer.
    pub async fn end_guardrail(&self, by: By, id: String) -> Result<bool, StoreError> {
        let account = by.account.clone();
        self.manage(by, "guardrail.delete", move |connection| {
            Box::pin(async move {
                let Some(old) = owned(connection, &account, &id).await? else {
                    return Ok(Managed::nothing(false));
                };
                for sql in [
                    "DELETE FROM guardrail_keys WHERE guardrail_id = $1",
                    "DELETE FROM guardrail_members WHERE guardrail_id = $1",
                    "DELETE FROM guardrails WHERE id = $1",
                ] {
                    query(sql).bind(&id).execute(&mut *connection).await?;
                }
                Ok(Managed::one(true, deed(&id, Some(&old), None)))
            })
        })
        .await
    }
}
