//! API keys. Only the SHA-256 of a key is ever stored.

mod admission;
mod leaked;
mod managed;
mod rotated;
mod usage;

pub(crate) use admission::admit;
pub use leaked::{Found, Leak};
pub use managed::{KeyEdit, KeyKind, KeyPage};
pub(crate) use managed::{disable_of, end_of, made};
pub use rotated::Rotated;
pub use usage::KeyUsage;

use signalbox_core::id::{AccountId, KeyHash, UserId, WorkspaceId};
use signalbox_core::time::ResetInterval;
use signalbox_core::{Timestamp, Usd};
use signalbox_ledger::purse::key_scope;
use signalbox_ledger::{Draw, Spender};

use crate::budgets::{Budget, counting};
use crate::changes::{Change, announce};
use crate::error::StoreError;
use crate::sql::{AssertSqlSafe, Connection, Line, Row, query};
use crate::store::Store;
use crate::writer::Durability;

/// One API key as it is stored (platform spec 2.2).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct KeyRecord {
    /// SHA-256 of the whole key in lower-case hex: the public id.
    pub hash: KeyHash,
    /// The account that pays.
    pub account: AccountId,
    /// The name people gave it.
    pub name: String,
    /// The masked key.
    pub label: String,
    /// Most that may be spent in one window, or in all when `limit_reset` is absent.
    pub limit: Option<Usd>,
    /// When the window starts again.
    pub limit_reset: Option<ResetInterval>,
    /// Requests allowed per minute; 0 refuses all, absent is no limit.
    pub rpm: Option<u32>,
    /// Whether it opens the platform API instead of inference.
    pub management: bool,
    /// Whether it is switched off.
    pub disabled: bool,
    /// Whether spending on the caller's own provider keys counts towards the limit.
    pub include_byok_in_limit: bool,
    /// When it ends by itself.
    pub expires_at: Option<Timestamp>,
    /// When it was made.
    pub created_at: Timestamp,
    /// When it was last changed.
    pub updated_at: Option<Timestamp>,
    /// The workspace it belongs to; absent for the account's default one.
    pub workspace: Option<WorkspaceId>,
    /// The person who made it; absent for the keys of the account itself.
    pub creator: Option<UserId>,
    /// The first of the keys in whose place this one came; usage and limit are those of that one.
    pub lineage: Option<KeyHash>,
}

impl KeyRecord {
    /// Whether the key opens anything at this moment.
    #[must_use]
    pub fn is_active(&self, now: Timestamp) -> bool {
        !self.disabled && self.expires_at.is_none_or(|end| now < end)
    }

    /// The workspace that its spending counts for.
    #[must_use]
    pub fn workspace_id(&self) -> String {
        let named = self.workspace.as_ref().map(ToString::to_string);
        named.unwrap_or_else(|| format!("default:{}", self.account))
    }

    /// The key that usage and limit are counted with.
    #[must_use]
    pub fn counted_as(&self) -> &KeyHash {
        self.lineage.as_ref().unwrap_or(&self.hash)
    }

    /// What its requests draw on: the key's limit, the account's credit, then the budgets.
    #[must_use]
    pub fn spender(&self, budgets: &[Budget]) -> Spender {
        let mut spender = Spender::new(&self.account, self.counted_as(), &self.workspace_id());
        if let Some(limit) = self.limit {
            let counts = counting(self.include_byok_in_limit);
            let version = self.updated_at.unwrap_or(self.created_at);
            let scope = key_scope(self.counted_as());
            let draw = Draw::limit(&scope, self.limit_reset, limit, counts, version);
            spender = spender.limited(draw, true);
        }
        budgets.iter().fold(spender, |spender, budget| spender.limited(budget.draw(), false))
    }
}

const COLUMNS: &str = "hash, account_id, name, label, limit_nanos, limit_reset, rpm, management, \
     disabled, include_byok_in_limit, expires_at, created_at, updated_at, workspace_id, \
     creator_id, lineage";

fn read_key(row: &Line) -> Result<KeyRecord, StoreError> {
    let reset: Option<String> = row.try_get("limit_reset")?;
    let limit: Option<i64> = row.try_get("limit_nanos")?;
    let rpm: Option<i64> = row.try_get("rpm")?;
    let time = |micros: Option<i64>| micros.map(Timestamp::from_micros);
    Ok(KeyRecord {
        hash: KeyHash::new(row.try_get::<String, _>("hash")?),
        account: AccountId::new(row.try_get::<String, _>("account_id")?),
        name: row.try_get("name")?,
        label: row.try_get("label")?,
        limit: limit.map(Usd::from_nanos),
        limit_reset: match reset {
            None => None,
            Some(name) => Some(
                ResetInterval::from_name(&name)
                    .ok_or(StoreError::Damaged(format!("reset {name}")))?,
            ),
        },
        rpm: rpm.map(|rpm| u32::try_from(rpm).unwrap_or(u32::MAX)),
        management: row.try_get("management")?,
        disabled: row.try_get("disabled")?,
        include_byok_in_limit: row.try_get("include_byok_in_limit")?,
        expires_at: time(row.try_get("expires_at")?),
        created_at: Timestamp::from_micros(row.try_get("created_at")?),
        updated_at: time(row.try_get("updated_at")?),
        workspace: row.try_get::<Option<String>, _>("workspace_id")?.map(WorkspaceId::new),
        creator: row.try_get::<Option<String>, _>("creator_id")?.map(UserId::new),
        lineage: row.try_get::<Option<String>, _>("lineage")?.map(KeyHash::new),
    })
}

pub(crate) async fn insert(connection: &mut Connection, key: &KeyRecord) -> Result<(), StoreError> {
    query(
        "INSERT INTO api_keys (hash, account_id, name, label, limit_nanos, limit_reset, rpm, \
         management, disabled, include_byok_in_limit, expires_at, created_at, updated_at, \
         workspace_id, creator_id, lineage) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, \
         $12, $13, $14, $15, $16)",
    )
    .bind(key.hash.as_str())
    .bind(key.account.as_str())
    .bind(&key.name)
    .bind(&key.label)
    .bind(key.limit.map(Usd::nanos))
    .bind(key.limit_reset.map(ResetInterval::name))
    .bind(key.rpm.map(i64::from))
    .bind(key.management)
    .bind(key.disabled)
    .bind(key.include_byok_in_limit)
    .bind(key.expires_at.map(Timestamp::micros))
    .bind(key.created_at.micros())
    .bind(key.updated_at.map(Timestamp::micros))
    .bind(key.workspace.as_ref().map(WorkspaceId::as_str))
    .bind(key.creator.as_ref().map(UserId::as_str))
    .bind(key.lineage.as_ref().map(KeyHash::as_str))
    .execute(connection)
    .await?;
    Ok(())
}

impl Store {
    /// Adds keys, all or none.
    ///
    /// # Errors
    /// [`StoreError::Constraint`] when an account does not exist or a hash is taken.
    pub async fn create_keys(&self, keys: Vec<KeyRecord>) -> Result<(), StoreError> {
        let now = self.clock().now();
        self.write(Durability::Power, move |connection| {
            Box::pin(async move {
                for key in &keys {
                    insert(connection, key).await?;
                    announce(connection, &Change::Key(key.hash.clone()), now).await?;
                }
                Ok(())
            })
        })
        .await
    }

    /// The key with this hash; deleted keys are not found, disabled and expired ones are.
    ///
    /// # Errors
    /// [`StoreError`] when the database does not answer.
    pub async fn key(&self, hash: &KeyHash) -> Result<Option<KeyRecord>, StoreError> {
        let sql = format!("SELECT {COLUMNS} FROM api_keys WHERE hash = $1 AND deleted_at IS NULL");
        let row =
            query(AssertSqlSafe(sql)).bind(hash.as_str()).fetch_optional(self.readers()).await?;
        row.as_ref().map(read_key).transpose()
    }

    /// The keys of an account, newest first, deleted ones left out.
    ///
    /// # Errors
    /// [`StoreError`] when the database does not answer.
    pub async fn keys_of(&self, account: &AccountId) -> Result<Vec<KeyRecord>, StoreError> {
        let sql = format!(
            "SELECT {COLUMNS} FROM api_keys WHERE account_id = $1 AND deleted_at IS NULL \
             ORDER BY created_at DESC, hash"
        );
        let rows =
            query(AssertSqlSafe(sql)).bind(account.as_str()).fetch_all(self.readers()).await?;
        rows.iter().map(read_key).collect()
    }

    /// Replaces name, limit, reset, rpm, and whether a key is disabled. The rest of a key never
    /// changes. Says whether there was such a key.
    ///
    /// # Errors
    /// [`StoreError`] when the row is refused or the database does not answer.
    pub async fn update_key(&self, key: KeyRecord) -> Result<bool, StoreError> {
        let now = self.clock().now();
        self.write(Durability::Power, move |connection| {
            Box::pin(async move {
                let done = query(
                    "UPDATE api_keys SET name = $1, limit_nanos = $2, limit_reset = $3, rpm = $4, \
                     disabled = $5, include_byok_in_limit = $6, updated_at = $7 \
                     WHERE hash = $8 AND deleted_at IS NULL",
                )
                .bind(&key.name)
                .bind(key.limit.map(Usd::nanos))
                .bind(key.limit_reset.map(ResetInterval::name))
                .bind(key.rpm.map(i64::from))
                .bind(key.disabled)
                .bind(key.include_byok_in_limit)
                .bind(now.micros())
                .bind(key.hash.as_str())
                .execute(&mut *connection)
                .await?;
                announce(connection, &Change::Key(key.hash), now).await?;
                Ok(done.rows_affected() == 1)
            })
        })
        .await
    }

    /// Deletes a key for ever; its row stays for the records. Says whether there was such a key.
    ///
    /// # Errors
    /// [`StoreError`] when the database does not answer.
    pub async fn delete_key(&self, hash: KeyHash) -> Result<bool, StoreError> {
        let now = self.clock().now();
        self.write(Durability::Power, move |connection| {
            Box::pin(async move {
                let done = query(
                    "UPDATE api_keys SET deleted_at = $1 WHERE hash = $2 AND deleted_at IS NULL",
                )
                .bind(now.micros())
                .bind(hash.as_str())
                .execute(&mut *connection)
                .await?;
                announce(connection, &Change::Key(hash), now).await?;
                Ok(done.rows_affected() == 1)
            })
        })
        .await
    }
}

/// Days since 1970 in UTC.
pub(crate) const fn day_of(at: Timestamp) -> i64 {
    at.seconds().div_euclid(86_400)
}
