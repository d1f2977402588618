//! Keys as they are managed: listed, made, changed and deleted, each with its trace.

use serde_json::{Value, json};
use signalbox_core::id::{AccountId, KeyHash, UserId, WorkspaceId};
use signalbox_core::time::ResetInterval;
use signalbox_core::{Timestamp, Usd};

use super::admission::admit;
use super::{COLUMNS, KeyRecord, insert, read_key};
use crate::changes::{Change, announce};
use crate::error::StoreError;
use crate::idempotency::{Answer, Once, Remembered};
use crate::manage::{By, Deed, Managed};
use crate::sql::{AssertSqlSafe, Connection, Row as _, query};
use crate::store::Store;

/// What a key opens.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum KeyKind {
    /// Inference.
    Api,
    /// The management API. No management key reaches another one.
    Management,
}

/// Which keys of an account are listed, the newest first.
#[derive(Debug, Clone)]
pub struct KeyPage {
    /// Those of this workspace; `None` for the default one.
    pub workspace: Option<WorkspaceId>,
    /// Whether those that are disabled are listed too.
    pub include_disabled: bool,
    /// Which kind.
    pub kind: KeyKind,
    /// Those that this person made; `None` for everybody's.
    pub creator: Option<UserId>,
    /// How many are skipped.
    pub offset: u32,
    /// Most that are listed.
    pub limit: u32,
}

/// A change of a key; what is absent stays (platform spec 2.3).
#[derive(Debug, Clone, Default)]
pub struct KeyEdit {
    /// The name.
    pub name: Option<String>,
    /// Whether it is switched off.
    pub disabled: Option<bool>,
    /// The limit, or none.
    pub limit: Option<Option<Usd>>,
    /// When the limit starts again, or never.
    pub limit_reset: Option<Option<ResetInterval>>,
    /// Whether spending on own provider keys counts.
    pub include_byok_in_limit: Option<bool>,
}

impl KeyEdit {
    fn apply(self, key: &mut KeyRecord) {
        if let Some(name) = self.name {
            key.name = name;
        }
        key.disabled = self.disabled.unwrap_or(key.disabled);
        key.limit = self.limit.unwrap_or(key.limit);
        key.limit_reset = self.limit_reset.unwrap_or(key.limit_reset);
        key.include_byok_in_limit = self.include_byok_in_limit.unwrap_or(key.include_byok_in_limit);
    }
}

/// What the audit log says of a key.
fn shown(key: &KeyRecord) -> Value {
    json!({
        "name": key.name,
        "label": key.label,
        "limit": key.limit,
        "limit_reset": key.limit_reset,
        "include_byok_in_limit": key.include_byok_in_limit,
        "disabled": key.disabled,
        "management": key.management,
        "expires_at": key.expires_at.map(Timestamp::to_rfc3339),
        "workspace_id": key.workspace.as_ref().map(WorkspaceId::as_str),
        "creator_user_id": key.creator.as_ref().map(UserId::as_str),
    })
}

pub(super) fn deed(hash: &KeyHash, before: Option<&KeyRecord>, after: Option<&KeyRecord>) -> Deed {
    let (before, after) = (before.map(shown), after.map(shown));
    Deed { kind: "key", id: hash.to_string(), before, after }
}

/// A live key of an account, in a transaction that will change it.
pub(super) async fn owned(
    connection: &mut Connection,
    account: &AccountId,
    hash: &KeyHash,
    kind: KeyKind,
) -> Result<Option<KeyRecord>, StoreError> {
    let sql = format!(
        "SELECT {COLUMNS} FROM api_keys \
         WHERE hash = $1 AND account_id = $2 AND management = $3 AND deleted_at IS NULL"
    );
    let row = query(AssertSqlSafe(sql)).bind(hash.as_str()).bind(account.as_str());
    let row = row.bind(kind == KeyKind::Management);
    row.fetch_optional(connection).await?.as_ref().map(read_key).transpose()
}

pub(super) async fn write(connection: &mut Connection, key: &KeyRecord) -> Result<(), StoreError> {
    query(
        "UPDATE api_keys SET name = $1, limit_nanos = $2, limit_reset = $3, disabled = $4, \
         include_byok_in_limit = $5, updated_at = $6 WHERE hash = $7 AND deleted_at IS NULL",
    )
    .bind(&key.name)
    .bind(key.limit.map(Usd::nanos))
    .bind(key.limit_reset.map(ResetInterval::name))
    .bind(key.disabled)
    .bind(key.include_byok_in_limit)
    .bind(key.updated_at.map(Timestamp::micros))
    .bind(key.hash.as_str())
    .execute(connection)
    .await?;
    Ok(())
}

/// What the audit log says of a key that was made.
pub(crate) fn made(key: &KeyRecord) -> Deed {
    deed(&key.hash, None, Some(key))
}

/// Disables all keys of an account that a person made there, of this kind or of both.
pub(crate) async fn disable_of(
    connection: &mut Connection,
    account: &AccountId,
    creator: &UserId,
    kind: Option<KeyKind>,
    now: Timestamp,
) -> Result<Vec<Deed>, StoreError> {
    let sql = format!(
        "SELECT {COLUMNS} FROM api_keys WHERE account_id = $1 AND creator_id = $2 \
         AND disabled = 0 AND deleted_at IS NULL"
    );
    let rows = query(AssertSqlSafe(sql)).bind(account.as_str()).bind(creator.as_str());
    let mut deeds = Vec::new();
    for row in rows.fetch_all(&mut *connection).await? {
        let old = read_key(&row)?;
        if kind.is_some_and(|kind| (kind == KeyKind::Management) != old.management) {
            continue;
        }
        let key = KeyRecord { disabled: true, updated_at: Some(now), ..old.clone() };
        write(connection, &key).await?;
        announce(connection, &Change::Key(key.hash.clone()), now).await?;
        deeds.push(deed(&key.hash, Some(&old), Some(&key)));
    }
    Ok(deeds)
}

/// Deletes a key for ever; its row stays for the records.
async fn end(
    connection: &mut Connection,
    key: &KeyRecord,
    now: Timestamp,
) -> Result<Deed, StoreError> {
    query("UPDATE api_keys SET deleted_at = $1 WHERE hash = $2 AND deleted_at IS NULL")
        .bind(now.micros())
        .bind(key.hash.as_str())
        .execute(&mut *connection)
        .await?;
    announce(connection, &Change::Key(key.hash.clone()), now).await?;
    Ok(deed(&key.hash, Some(key), None))
}

/// Deletes all keys of a workspace.
pub(crate) async fn end_of(
    connection: &mut Connection,
    workspace: &WorkspaceId,
    now: Timestamp,
) -> Result<Vec<Deed>, StoreError> {
    let sql =
        format!("SELECT {COLUMNS} FROM api_keys WHERE workspace_id = $1 AND deleted_at IS NULL");
    let rows = query(AssertSqlSafe(sql)).bind(workspace.as_str());
    let mut deeds = Vec::new();
    for row in rows.fetch_all(&mut *connection).await? {
        deeds.push(end(connection, &read_key(&row)?, now).await?);
    }
    Ok(deeds)
}

impl Store {
    /// The keys of an account in a workspace.
    ///
    /// # Errors
    /// [`StoreError`] when the database does not answer.
    pub async fn keys_page(
        &self,
        account: &AccountId,
        page: &KeyPage,
    ) -> Result<Vec<KeyRecord>, StoreError> {
        let sql = format!(
            "SELECT {COLUMNS} FROM api_keys WHERE account_id = $1 AND deleted_at IS NULL \
             AND coalesce(workspace_id, '') = $2 AND management = $3 \
             AND (disabled = 0 OR $4 = 1) AND ($5 = '' OR creator_id = $5) \
             ORDER BY created_at DESC, hash LIMIT $6 OFFSET $7"
        );
        let rows = query(AssertSqlSafe(sql))
            .bind(account.as_str())
            .bind(page.workspace.as_ref().map_or("", WorkspaceId::as_str))
            .bind(page.kind == KeyKind::Management)
            .bind(page.include_disabled)
            .bind(page.creator.as_ref().map_or("", UserId::as_str))
            .bind(page.limit)
            .bind(page.offset)
            .fetch_all(self.readers())
            .await?;
        rows.iter().map(read_key).collect()
    }

    /// The person who switched a key off that is off now, as the audit log has it; none when it was
    /// somebody else: a management key, a directory, the platform.
    ///
    /// # Errors
    /// [`StoreError`] when the database does not answer.
    pub async fn switched_off_by(
        &self,
        account: &AccountId,
        key: &KeyHash,
    ) -> Result<Option<UserId>, StoreError> {
        let rows = query(
            "SELECT actor_kind, actor_id, before, after FROM audit_log WHERE account_id = $1 \
             AND object_kind = 'key' AND object_id = $2 ORDER BY seq DESC LIMIT 100",
        );
        let rows = rows.bind(account.as_str()).bind(key.as_str()).fetch_all(self.readers()).await?;
        for row in &rows {
            let disabled = |column| -> Result<bool, StoreError> {
                let shown = row.try_get::<Option<String>, _>(column)?;
                let shown = shown.and_then(|text| serde_json::from_str::<Value>(&text).ok());
                Ok(shown.is_some_and(|one| one.get("disabled") == Some(&Value::Bool(true))))
            };
            if !disabled(3)? {
                return Ok(None);
            }
            if !disabled(2)? {
                let person = row.try_get::<&str, _>(0)? == "user";
                let id = row.try_get::<String, _>(1)?;
                return Ok(person.then(|| UserId::new(id)));
            }
        }
        Ok(None)
    }

    /// Adds a key to the account of `by`. With `once` it remembers `answer` in the same commit; when it
    /// remembers one already, that one is given and nothing is added.
    ///
    /// # Errors
    /// [`StoreError::Constraint`] when the workspace, the account or the creator's place there does not
    /// exist;
    /// [`StoreError::Refused`] when the idempotency key is that of another request.
    pub async fn make_key(
        &self,
        by: By,
        key: KeyRecord,
        once: Option<Once>,
        answer: Answer,
    ) -> Result<Remembered, StoreError> {
        let (actor, now) = (by.actor.clone(), self.clock().now());
        self.manage(by, "key.create", move |connection| {
            Box::pin(async move {
                if let Some(known) = Once::look(connection, once.as_ref()).await? {
                    return Ok(Managed::nothing(known));
                }
                admit(connection, &actor, &key).await?;
                insert(connection, &key).await?;
                announce(connection, &Change::Key(key.hash.clone()), now).await?;
                let answer = Once::keep(connection, once.as_ref(), answer, now).await?;
                Ok(Managed::one(answer, deed(&key.hash, None, Some(&key))))
            })
        })
        .await
    }

    /// Changes a key of this kind of the account of `by`: the key as it is now, or `None` when there is no such key.
    ///
    /// # Errors
    /// [`StoreError`] when the row is refused or the database does not answer.
    pub async fn edit_key(
        &self,
        by: By,
        hash: KeyHash,
        kind: KeyKind,
        edit: KeyEdit,
    ) -> Result<Option<KeyRecord>, StoreError> {
        let (account, now) = (by.account.clone(), self.clock().now());
        self.manage(by, "key.update", move |connection| {
            Box::pin(async move {
                let Some(old) = owned(connection, &account, &hash, kind).await? else {
                    return Ok(Managed::nothing(None));
                };
                let mut key = old.clone();
                edit.apply(&mut key);
                key.updated_at = Some(now);
                write(connection, &key).await?;
                announce(connection, &Change::Key(hash.clone()), now).await?;
                let deed = deed(&hash, Some(&old), Some(&key));
                Ok(Managed::one(Some(key), deed))
            })
        })
        .await
    }

    /// Deletes a key of this kind of the account of `by` for ever; its row stays for the records. Says whether there
    /// was such a key.
    ///
    /// # Errors
    /// [`StoreError`] when the database does not answer.
    pub async fn end_key(&self, by: By, hash: KeyHash, kind: KeyKind) -> Result<bool, StoreError> {
        let (account, now) = (by.account.clone(), self.clock().now());
        self.manage(by, "key.delete", move |connection| {
            Box::pin(async move {
                let Some(old) = owned(connection, &account, &hash, kind).await? else {
                    return Ok(Managed::nothing(false));
                };
                Ok(Managed::one(true, end(connection, &old, now).await?))
            })
        })
        .await
    }
}
