//! Workspaces as they are managed: listed, made, changed and deleted, with their budgets.

use serde_json::{Value, json};
use signalbox_core::id::{AccountId, UserId, WorkspaceId};
use signalbox_core::time::ResetInterval;
use signalbox_core::{Timestamp, Usd};

use super::{COLUMNS, WorkspaceRecord, read};
use crate::budgets::{self, Budget, SetBudget};
use crate::error::StoreError;
use crate::manage::{By, Deed, Managed};
use crate::sql::{AssertSqlSafe, Connection, Row, query};
use crate::store::Store;
use crate::{byok, keys};

/// The live workspaces of an account that a member belongs to; of all when the member is ''.
const THEIRS: &str = "account_id = $1 AND deleted_at IS NULL AND ($2 = '' OR is_default = 1 \
     OR id IN (SELECT workspace_id FROM workspace_members WHERE user_id = $2))";

/// What became of a workspace that was to be deleted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum WorkspaceEnd {
    /// It is gone.
    Deleted,
    /// There is none.
    Unknown,
    /// It is the default one.
    Default,
    /// Active API keys are in it.
    HasKeys,
}

fn shown(one: &WorkspaceRecord) -> Value {
    json!({
        "slug": one.slug,
        "name": one.name,
        "description": one.description,
        "settings": one.settings,
        "defaults": one.defaults,
        "include_byok_in_budgets": one.include_byok_in_budgets,
    })
}

fn deed(
    id: &WorkspaceId,
    before: Option<&WorkspaceRecord>,
    after: Option<&WorkspaceRecord>,
) -> Deed {
    let (before, after) = (before.map(shown), after.map(shown));
    Deed { kind: "workspace", id: id.to_string(), before, after }
}

/// A workspace of an account, in a transaction that will change it.
pub(super) async fn owned(
    connection: &mut Connection,
    account: &AccountId,
    id: &WorkspaceId,
) -> Result<Option<WorkspaceRecord>, StoreError> {
    let sql = format!(
        "SELECT {COLUMNS} FROM workspaces \
         WHERE account_id = $1 AND id = $2 AND deleted_at IS NULL"
    );
    let row = query(AssertSqlSafe(sql)).bind(account.as_str()).bind(id.as_str());
    row.fetch_optional(connection).await?.as_ref().map(read).transpose()
}

fn json(value: &impl serde::Serialize) -> Result<String, StoreError> {
    serde_json::to_string(value).map_err(|error| StoreError::Damaged(error.to_string()))
}

async fn insert(connection: &mut Connection, one: &WorkspaceRecord) -> Result<(), StoreError> {
    query(
        "INSERT INTO workspaces (id, account_id, slug, name, description, is_default, settings, \
         include_byok_in_budgets, created_by, created_at, defaults) \
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11)",
    )
    .bind(one.id.as_str())
    .bind(one.account.as_str())
    .bind(&one.slug)
    .bind(&one.name)
    .bind(&one.description)
    .bind(one.is_default)
    .bind(json(&one.settings)?)
    .bind(one.include_byok_in_budgets)
    .bind(one.created_by.as_ref().map(ToString::to_string))
    .bind(one.created_at.micros())
    .bind(json(&one.defaults)?)
    .execute(connection)
    .await?;
    Ok(())
}

async fn write(connection: &mut Connection, one: &WorkspaceRecord) -> Result<(), StoreError> {
    query(
        "UPDATE workspaces SET slug = $1, name = $2, description = $3, settings = $4, \
         include_byok_in_budgets = $5, updated_at = $6, defaults = $7 WHERE id = $8",
    )
    .bind(&one.slug)
    .bind(&one.name)
    .bind(&one.description)
    .bind(json(&one.settings)?)
    .bind(one.include_byok_in_budgets)
    .bind(one.updated_at.map(Timestamp::micros))
    .bind(json(&one.defaults)?)
    .bind(one.id.as_str())
    .execute(connection)
    .await?;
    Ok(())
}

async fn has_keys(connection: &mut Connection, id: &WorkspaceId) -> Result<bool, StoreError> {
    let row = query(
        "SELECT count(*) FROM api_keys \
         WHERE workspace_id = $1 AND deleted_at IS NULL AND disabled = 0",
    );
    let count: i64 = row.bind(id.as_str()).fetch_one(connection).await?.try_get(0)?;
    Ok(count > 0)
}

impl Store {
    /// The workspaces of an account, the default one first, then the oldest; and how many there are.
    /// With a member those that the person belongs to: the default one is everybody's.
    ///
    /// # Errors
    /// [`StoreError`] when the database does not answer.
    pub async fn workspaces_page(
        &self,
        account: &AccountId,
        member: Option<&UserId>,
        offset: u32,
        limit: u32,
    ) -> Result<(Vec<WorkspaceRecord>, u64), StoreError> {
        let member = member.map_or("", UserId::as_str);
        let sql = format!("SELECT count(*) FROM workspaces WHERE {THEIRS}");
        let count = query(AssertSqlSafe(sql)).bind(account.as_str()).bind(member);
        let count = count.fetch_one(self.readers()).await?;
        let sql = format!(
            "SELECT {COLUMNS} FROM workspaces WHERE {THEIRS} \
             ORDER BY is_default DESC, created_at, id LIMIT $3 OFFSET $4"
        );
        let rows = query(AssertSqlSafe(sql)).bind(account.as_str()).bind(member).bind(limit);
        let rows = rows.bind(offset).fetch_all(self.readers()).await?;
        let total: i64 = count.try_get(0)?;
        let page = rows.iter().map(read).collect::<Result<_, _>>()?;
        Ok((page, u64::try_from(total).unwrap_or(0)))
    }

    /// Adds a workspace to the account of `by`.
    ///
    /// # Errors
    /// [`StoreError::Constraint`] when its slug is taken.
    pub async fn make_workspace(&self, by: By, one: WorkspaceRecord) -> Result<(), StoreError> {
        self.manage(by, "workspace.create", move |connection| {
            Box::pin(async move {
                insert(connection, &one).await?;
                Ok(Managed::one((), deed(&one.id, None, Some(&one))))
            })
        })
        .await
    }

    /// Changes a workspace of the account of `by`: as it is now, or `None` when there is none.
    ///
    /// # Errors
    /// [`StoreError::Constraint`] when its new slug is taken.
    pub async fn edit_workspace(
        &self,
        by: By,
        id: WorkspaceId,
        edit: impl FnOnce(&mut WorkspaceRecord) + Send + 'static,
    ) -> Result<Option<WorkspaceRecord>, StoreError> {
        let (account, now) = (by.account.clone(), self.clock().now());
        self.manage(by, "workspace.update", move |connection| {
            Box::pin(async move {
                let Some(old) = owned(connection, &account, &id).await? else {
                    return Ok(Managed::nothing(None));
                };
                let mut one = old.clone();
                edit(&mut one);
                one.updated_at = Some(now);
                write(connection, &one).await?;
                let deed = deed(&id, Some(&old), Some(&one));
                Ok(Managed::one(Some(one), deed))
            })
        })
        .await
    }

    /// Deletes a workspace of the account of `by` with its budgets, members, guardrails, and the keys
    /// that were disabled.
    ///
    /// # Errors
    /// [`StoreError`] when the database does not answer.
    pub async fn end_workspace(&self, by: By, id: WorkspaceId) -> Result<WorkspaceEnd, StoreError> {
        let (account, now) = (by.account.clone(), self.clock().now());
        self.manage(by, "workspace.delete", move |connection| {
            Box::pin(async move {
                let Some(old) = owned(connection, &account, &id).await? else {
                    return Ok(Managed::nothing(WorkspaceEnd::Unknown));
                };
                if old.is_default {
                    return Ok(Managed::nothing(WorkspaceEnd::Default));
                }
                if has_keys(connection, &id).await? {
                    return Ok(Managed::nothing(WorkspaceEnd::HasKeys));
                }
                for sql in [
                    "DELETE FROM budgets WHERE scope = 'workspace:' || $1",
                    "DELETE FROM workspace_members WHERE workspace_id = $1",
                    "DELETE FROM scim_mappings WHERE workspace_id = $1",
                    "DELETE FROM guardrail_keys WHERE guardrail_id IN \
                     (SELECT id FROM guardrails WHERE workspace_id = $1)",
                    "DELETE FROM guardrail_members WHERE guardrail_id IN \
                     (SELECT id FROM guardrails WHERE workspace_id = $1)",
                    "DELETE FROM guardrails WHERE workspace_id = $1",
                    "DELETE FROM preset_versions WHERE preset_id IN \
                     (SELECT id FROM presets WHERE workspace_id = $1)",
                    "DELETE FROM presets WHERE workspace_id = $1",
                ] {
                    query(sql).bind(id.as_str()).execute(&mut *connection).await?;
                }
                let mut deeds = byok::end_of(connection, &id, now).await?;
                deeds.extend(keys::end_of(connection, &id, now).await?);
                query("UPDATE workspaces SET deleted_at = $1 WHERE id = $2")
                    .bind(now.micros())
                    .bind(id.as_str())
                    .execute(&mut *connection)
                    .await?;
                deeds.push(deed(&id, Some(&old), None));
                Ok(Managed { value: WorkspaceEnd::Deleted, deeds })
            })
        })
        .await
    }

    /// Sets a budget of a workspace of the account of `by`, and whether its budgets count spending on
    /// own provider keys. `fits` judges the budgets as they would be.
    ///
    /// # Errors
    /// What `fits` says; [`StoreError`] when the database does not answer.
    pub async fn set_workspace_budget<E: Send + 'static>(
        &self,
        by: By,
        workspace: WorkspaceRecord,
        interval: Option<ResetInterval>,
        limit: Usd,
        include_byok: Option<bool>,
        fits: impl FnOnce(&[Budget]) -> Result<(), E> + Send + 'static,
    ) -> Result<Result<SetBudget, E>, StoreError> {
        let now = self.clock().now();
        self.manage(by, "workspace.budget.set", move |connection| {
            Box::pin(async move {
                let scope = workspace.scope();
                let include_byok = include_byok.unwrap_or(workspace.include_byok_in_budgets);
                let mut all = budgets::of_scope(&mut *connection, &scope).await?;
                let old = all.iter().position(|one| one.budget.interval == interval);
                let old = old.map(|at| all.remove(at));
                let created_at = old.as_ref().map_or(now, |old| old.created_at);
                let budget = Budget { scope, interval, limit, include_byok, updated_at: now };
                let mut would_be: Vec<Budget> = all.into_iter().map(|one| one.budget).collect();
                would_be.push(budget.clone());
                if let Err(refused) = fits(&would_be) {
                    return Ok(Managed::nothing(Err(refused)));
                }
                budgets::put(connection, &budget, now).await?;
                budgets::count_byok(connection, &budget.scope, include_byok, now).await?;
                query("UPDATE workspaces SET include_byok_in_budgets = $1 WHERE id = $2")
                    .bind(include_byok)
                    .bind(workspace.id.as_str())
                    .execute(&mut *connection)
                    .await?;
                let old = old.map(|old| old.budget);
                let deed = budgets::deed(&workspace.id, old.as_ref(), Some(&budget));
                Ok(Managed::one(Ok(SetBudget { budget, created_at }), deed))
            })
        })
        .await
    }

    /// Removes a budget of a workspace of the account of `by`. Says whether there was one.
    ///
    /// # Errors
    /// [`StoreError`] when the database does not answer.
    pub async fn end_workspace_budget(
        &self,
        by: By,
        workspace: WorkspaceRecord,
        interval: Option<ResetInterval>,
    ) -> Result<bool, StoreError> {
        self.manage(by, "workspace.budget.delete", move |connection| {
            Box::pin(async move {
                let all = budgets::of_scope(&mut *connection, &workspace.scope()).await?;
                let Some(old) = all.into_iter().find(|one| one.budget.interval == interval) else {
                    return Ok(Managed::nothing(false));
                };
                budgets::remove(connection, &old.budget.scope, interval).await?;
                let deed = budgets::deed(&workspace.id, Some(&old.budget), None);
                Ok(Managed::one(true, deed))
            })
        })
        .await
    }

    /// The budgets of a workspace, the broadest first.
    ///
    /// # Errors
    /// [`StoreError`] when the database does not answer.
    pub async fn workspace_budgets(
        &self,
        workspace: &WorkspaceRecord,
    ) -> Result<Vec<SetBudget>, StoreError> {
        budgets::of_scope(self.readers(), &workspace.scope()).await
    }
}
