//! Provider keys as they are managed: listed, made, changed, put in order and deleted.

use serde_json::{Value, json};
use signalbox_core::id::{AccountId, KeyHash, UserId, WorkspaceId};
use signalbox_core::{Secret, Timestamp};

use super::{ByokRecord, COLUMNS, KIND, read};
use crate::error::StoreError;
use crate::manage::{By, Deed, Managed};
use crate::secrets;
use crate::sql::{AssertSqlSafe, Connection, Row, query};
use crate::store::Store;

/// Most provider keys that an account has.
pub const MAX_KEYS: u32 = 500;

/// Which provider keys of an account are listed, by provider and order.
#[derive(Debug, Clone)]
pub struct ByokPage {
    /// Those that requests of this workspace may use.
    pub workspace: WorkspaceId,
    /// Those of this provider alone.
    pub provider: Option<String>,
    /// How many are skipped.
    pub offset: u32,
    /// Most that are listed.
    pub limit: u32,
}

/// A change of a provider key; what is absent stays (platform spec 5.1).
#[derive(Debug, Clone, Default)]
pub struct ByokEdit {
    /// The name, or none.
    pub name: Option<Option<String>>,
    /// Whether it is switched off.
    pub disabled: Option<bool>,
    /// Whether it comes after shared capacity.
    pub is_fallback: Option<bool>,
    /// Whether shared capacity of the provider is never used.
    pub always_use: Option<bool>,
    /// The models that it may be used for, or all.
    pub allowed_models: Option<Option<Vec<String>>>,
    /// The API keys that may use it, or all.
    pub allowed_api_key_hashes: Option<Option<Vec<KeyHash>>>,
    /// The people whose API keys may use it, or all.
    pub allowed_user_ids: Option<Option<Vec<UserId>>>,
    /// Another key in its place, with its masked form.
    pub secret: Option<(Secret<String>, String)>,
}

impl ByokEdit {
    /// Changes the row; gives the key that is to be sealed.
    fn apply(self, one: &mut ByokRecord) -> Option<Secret<String>> {
        one.name = self.name.unwrap_or_else(|| one.name.take());
        one.disabled = self.disabled.unwrap_or(one.disabled);
        one.is_fallback = self.is_fallback.unwrap_or(one.is_fallback);
        one.always_use = self.always_use.unwrap_or(one.always_use);
        one.allowed_models = self.allowed_models.unwrap_or_else(|| one.allowed_models.take());
        let hashes = self.allowed_api_key_hashes;
        one.allowed_api_key_hashes = hashes.unwrap_or_else(|| one.allowed_api_key_hashes.take());
        one.allowed_user_ids = self.allowed_user_ids.unwrap_or_else(|| one.allowed_user_ids.take());
        let (secret, label) = self.secret?;
        one.label = label;
        one.version = one.version.saturating_add(1);
        Some(secret)
    }
}

/// What the audit log says of a provider key.
fn shown(one: &ByokRecord) -> Value {
    json!({
        "provider": one.provider,
        "workspace_id": one.workspace,
        "label": one.label,
        "name": one.name,
        "disabled": one.disabled,
        "is_fallback": one.is_fallback,
        "always_use": one.always_use,
        "sort_order": one.sort_order,
        "allowed_models": one.allowed_models,
        "allowed_api_key_hashes": one.allowed_api_key_hashes,
        "allowed_user_ids": one.allowed_user_ids,
        "version": one.version,
    })
}

fn deed(id: &str, before: Option<&ByokRecord>, after: Option<&ByokRecord>) -> Deed {
    let (before, after) = (before.map(shown), after.map(shown));
    Deed { kind: "byok", id: id.to_owned(), before, after }
}

/// A provider key of an account, in a transaction that will change it.
async fn owned(
    connection: &mut Connection,
    account: &AccountId,
    id: &str,
) -> Result<Option<ByokRecord>, StoreError> {
    let sql = format!(
        "SELECT {COLUMNS} FROM byok_keys WHERE account_id = $1 AND id = $2 AND deleted_at IS NULL"
    );
    let row = query(AssertSqlSafe(sql)).bind(account.as_str()).bind(id);
    row.fetch_optional(connection).await?.as_ref().map(read).transpose()
}

fn written<T: serde::Serialize>(list: Option<&Vec<T>>) -> Result<Option<String>, StoreError> {
    let text = list.map(serde_json::to_string).transpose();
    text.map_err(|error| StoreError::Damaged(error.to_string()))
}

async fn put(connection: &mut Connection, one: &ByokRecord) -> Result<(), StoreError> {
    query(
        "INSERT INTO byok_keys (id, account_id, workspace_id, provider, label, name, disabled, \
         is_fallback, always_use, sort_order, allowed_models, allowed_api_key_hashes, \
         allowed_user_ids, version, created_at, updated_at) VALUES ($1, $2, $3, $4, $5, $6, $7, \
         $8, $9, $10, $11, $12, $13, $14, $15, $16) ON CONFLICT (id) DO UPDATE SET \
         label = excluded.label, name = excluded.name, disabled = excluded.disabled, \
         is_fallback = excluded.is_fallback, always_use = excluded.always_use, \
         sort_order = excluded.sort_order, allowed_models = excluded.allowed_models, \
         allowed_api_key_hashes = excluded.allowed_api_key_hashes, \
         allowed_user_ids = excluded.allowed_user_ids, version = excluded.version, \
         updated_at = excluded.updated_at",
    )
    .bind(&one.id)
    .bind(one.account.as_str())
    .bind(one.workspace.as_ref().map(WorkspaceId::as_str))
    .bind(&one.provider)
    .bind(&one.label)
    .bind(&one.name)
    .bind(one.disabled)
    .bind(one.is_fallback)
    .bind(one.always_use)
    .bind(one.sort_order)
    .bind(written(one.allowed_models.as_ref())?)
    .bind(written(one.allowed_api_key_hashes.as_ref())?)
    .bind(written(one.allowed_user_ids.as_ref())?)
    .bind(one.version)
    .bind(one.created_at.micros())
    .bind(one.updated_at.map(Timestamp::micros))
    .execute(connection)
    .await?;
    Ok(())
}

/// How many live keys an account has, and the place after the last one of a provider.
async fn room(
    connection: &mut Connection,
    account: &AccountId,
    provider: &str,
) -> Result<(i64, i64), StoreError> {
    let row = query(
        "SELECT count(*), CAST(coalesce(max(CASE WHEN provider = $1 THEN sort_order + 1 ELSE 0 \
         END), 0) AS BIGINT) FROM byok_keys WHERE account_id = $2 AND deleted_at IS NULL",
    )
    .bind(provider)
    .bind(account.as_str())
    .fetch_one(connection)
    .await?;
    Ok((row.try_get(0)?, row.try_get(1)?))
}

async fn wipe(connection: &mut Connection, id: &str, now: Timestamp) -> Result<(), StoreError> {
    query("UPDATE byok_keys SET deleted_at = $1 WHERE id = $2")
        .bind(now.micros())
        .bind(id)
        .execute(&mut *connection)
        .await?;
    secrets::erase(connection, KIND, id).await
}

/// Deletes the provider keys of a workspace.
pub(crate) async fn end_of(
    connection: &mut Connection,
    workspace: &WorkspaceId,
    now: Timestamp,
) -> Result<Vec<Deed>, StoreError> {
    let sql =
        format!("SELECT {COLUMNS} FROM byok_keys WHERE workspace_id = $1 AND deleted_at IS NULL");
    let rows = query(AssertSqlSafe(sql)).bind(workspace.as_str());
    let mut deeds = Vec::new();
    for row in rows.fetch_all(&mut *connection).await? {
        let old = read(&row)?;
        wipe(connection, &old.id, now).await?;
        deeds.push(deed(&old.id, Some(&old), None));
    }
    Ok(deeds)
}

impl Store {
    /// A provider key of an account.
    ///
    /// # Errors
    /// [`StoreError`] when the database does not answer.
    pub async fn byok(
        &self,
        account: &AccountId,
        id: &str,
    ) -> Result<Option<ByokRecord>, StoreError> {
        let sql = format!(
            "SELECT {COLUMNS} FROM byok_keys \
             WHERE account_id = $1 AND id = $2 AND deleted_at IS NULL"
        );
        let row = query(AssertSqlSafe(sql)).bind(account.as_str()).bind(id);
        row.fetch_optional(self.readers()).await?.as_ref().map(read).transpose()
    }

    /// The provider keys of an account that a workspace may use; and how many there are.
    ///
    /// # Errors
    /// [`StoreError`] when the database does not answer.
    pub async fn byok_page(
        &self,
        account: &AccountId,
        page: &ByokPage,
    ) -> Result<(Vec<ByokRecord>, u64), StoreError> {
        let which = "FROM byok_keys WHERE account_id = $1 AND deleted_at IS NULL \
             AND (workspace_id IS NULL OR workspace_id = $2) AND ($3 = '' OR provider = $3)";
        let bound = |sql: String| {
            let query = query(AssertSqlSafe(sql)).bind(account.as_str());
            query.bind(page.workspace.as_str()).bind(page.provider.as_deref().unwrap_or(""))
        };
        let count = bound(format!("SELECT count(*) {which}")).fetch_one(self.readers()).await?;
        let sql = format!(
            "SELECT {COLUMNS} {which} ORDER BY provider, sort_order, id LIMIT $4 OFFSET $5"
        );
        let rows = bound(sql).bind(page.limit).bind(page.offset).fetch_all(self.readers()).await?;
        let total: i64 = count.try_get(0)?;
        Ok((rows.iter().map(read).collect::<Result<_, _>>()?, u64::try_from(total).unwrap_or(0)))
    }

    /// Which of these API keys an account has; deleted ones it has no more.
    ///
    /// # Errors
    /// [`StoreError`] when the database does not answer.
    pub async fn has_api_keys(
        &self,
        account: &AccountId,
        hashes: &[KeyHash],
    ) -> Result<bool, StoreError> {
        let mut wanted: Vec<&str> = hashes.iter().map(KeyHash::as_str).collect();
        wanted.sort_unstable();
        wanted.dedup();
        let markers: Vec<String> = (0..wanted.len()).map(|at| format!("${}", at + 2)).collect();
        let sql = format!(
            "SELECT count(*) FROM api_keys WHERE account_id = $1 AND management = 0 \
             AND deleted_at IS NULL AND hash IN ({})",
            markers.join(", ")
        );
        let query = query(AssertSqlSafe(sql)).bind(account.as_str());
        let query = wanted.iter().fold(query, |query, hash| query.bind(*hash));
        let count: i64 = query.fetch_one(self.readers()).await?.try_get(0)?;
        Ok(usize::try_from(count).is_ok_and(|count| count == wanted.len()))
    }

    /// Adds a provider key to the account of `by`, after the others of its provider: as it is then, or
    /// `None` when the account has [`MAX_KEYS`].
    ///
    /// # Errors
    /// [`StoreError::Constraint`] when the workspace does not exist; [`StoreError::Damaged`] when the
    /// store was not unlocked.
    pub async fn make_byok(
        &self,
        by: By,
        mut one: ByokRecord,
        secret: Secret<String>,
    ) -> Result<Option<ByokRecord>, StoreError> {
        let (vault, now) = (self.vault(), self.clock().now());
        self.manage(by, "byok.create", move |connection| {
            Box::pin(async move {
                let (count, next) = room(connection, &one.account, &one.provider).await?;
                if count >= i64::from(MAX_KEYS) {
                    return Ok(Managed::nothing(None));
                }
                one.sort_order = u32::try_from(next).unwrap_or(u32::MAX);
                put(connection, &one).await?;
                secrets::put(connection, &vault, &one.secret_label(), &secret, now).await?;
                let deed = deed(&one.id, None, Some(&one));
                Ok(Managed::one(Some(one), deed))
            })
        })
        .await
    }

    /// Changes a provider key of the account of `by`: as it is now, or `None`.
    ///
    /// # Errors
    /// As [`Store::make_byok`].
    pub async fn edit_byok(
        &self,
        by: By,
        id: String,
        edit: ByokEdit,
    ) -> Result<Option<ByokRecord>, StoreError> {
        let (account, vault, now) = (by.account.clone(), self.vault(), self.clock().now());
        self.manage(by, "byok.update", move |connection| {
            Box::pin(async move {
                let Some(old) = owned(connection, &account, &id).await? else {
                    return Ok(Managed::nothing(None));
                };
                let mut one = old.clone();
                let secret = edit.apply(&mut one);
                one.updated_at = Some(now);
                put(connection, &one).await?;
                if let Some(secret) = secret {
                    secrets::put(connection, &vault, &one.secret_label(), &secret, now).await?;
                }
                let deed = deed(&id, Some(&old), Some(&one));
                Ok(Managed::one(Some(one), deed))
            })
        })
        .await
    }

    /// Puts provider keys of the account of `by` in this order, before all others of their provider:
    /// all keys of that provider as they are now, or `None` when one of them is not there or they are
    /// of several providers.
    ///
    /// # Errors
    /// [`StoreError`] when the database does not answer.
    pub async fn order_byok(
        &self,
        by: By,
        ids: Vec<String>,
    ) -> Result<Option<Vec<ByokRecord>>, StoreError> {
        let (account, now) = (by.account.clone(), self.clock().now());
        self.manage(by, "byok.order", move |connection| {
            Box::pin(async move {
                let sql = format!(
                    "SELECT {COLUMNS} FROM byok_keys WHERE account_id = $1 \
                     AND deleted_at IS NULL AND provider = (SELECT provider FROM byok_keys \
                     WHERE account_id = $1 AND deleted_at IS NULL AND id = $2) \
                     ORDER BY sort_order, id"
                );
                let first = ids.first().map_or("", String::as_str);
                let rows = query(AssertSqlSafe(sql)).bind(account.as_str()).bind(first);
                let rows = rows.fetch_all(&mut *connection).await?;
                let mut all: Vec<ByokRecord> = rows.iter().map(read).collect::<Result<_, _>>()?;
                let there = |id: &String| all.iter().any(|one| one.id == *id);
                if !ids.iter().all(there) {
                    return Ok(Managed::nothing(None));
                }
                let place = |one: &ByokRecord| ids.iter().position(|id| *id == one.id);
                // The sort keeps the others in the order that they have.
                all.sort_by_key(|one| place(one).unwrap_or(usize::MAX));
                let mut deeds = Vec::new();
                for (order, one) in (0..).zip(&mut all) {
                    if one.sort_order != order {
                        let old = one.clone();
                        (one.sort_order, one.updated_at) = (order, Some(now));
                        put(connection, one).await?;
                        deeds.push(deed(&one.id, Some(&old), Some(one)));
                    }
                }
                Ok(Managed { value: Some(all), deeds })
            })
        })
        .await
    }

    /// Deletes a provider key of the account of `by` and erases its secret; its row stays for the
    /// records. Says whether there was one.
    ///
    /// # Errors
    /// [`StoreError`] when the database does not answer.
    pub async fn end_byok(&self, by: By, id: String) -> Result<bool, StoreError> {
        let (account, now) = (by.account.clone(), self.clock().now());
        self.manage(by, "byok.delete", move |connection| {
            Box::pin(async move {
                let Some(old) = owned(connection, &account, &id).await? else {
                    return Ok(Managed::nothing(false));
                };
                wipe(connection, &id, now).await?;
                Ok(Managed::one(true, deed(&id, Some(&old), None)))
            })
        })
        .await
    }
}
