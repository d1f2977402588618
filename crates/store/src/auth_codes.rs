//! Authorization codes: what an app exchanges for a key of the person who consented. Only their
//! SHA-256 is stored.

use serde_json::json;
use signalbox_core::id::{AccountId, KeyHash, UserId, WorkspaceId};
use signalbox_core::time::ResetInterval;
use signalbox_core::{Timestamp, Usd};

use crate::changes::{Change, announce};
use crate::error::StoreError;
use crate::keys::{self, KeyRecord, admit};
use crate::manage::{By, Deed, Managed};
use crate::sql::{AssertSqlSafe, Connection, Line, Row, query};
use crate::store::Store;

/// How long a code that is over is remembered: for so long its reuse is noticed.
const REMEMBERED: i64 = 30 * 86_400 * 1_000_000;

/// One code (platform spec 3.2).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CodeRecord {
    /// SHA-256 of it, in hex.
    pub hash: String,
    /// Whose key it becomes.
    pub account: AccountId,
    /// Who consented; absent for a management key of an organization.
    pub user: Option<UserId>,
    /// Where the person is sent back to; absent when the code is shown instead.
    pub callback_url: Option<String>,
    /// The challenge, as it was given, in the alphabet of URLs.
    pub challenge: Option<String>,
    /// The method, as it was given.
    pub method: Option<String>,
    /// The name of the key.
    pub key_name: String,
    /// The limit of the key.
    pub limit: Option<Usd>,
    /// When that starts again.
    pub limit_reset: Option<ResetInterval>,
    /// When the key ends.
    pub key_expires_at: Option<Timestamp>,
    /// The workspace of the key; absent for the default one.
    pub workspace: Option<WorkspaceId>,
    /// When it was issued.
    pub created_at: Timestamp,
    /// Until when it is good.
    pub expires_at: Timestamp,
    /// When it was exchanged.
    pub used_at: Option<Timestamp>,
    /// For which key.
    pub key: Option<KeyHash>,
}

const COLUMNS: &str = "hash, account_id, user_id, callback_url, challenge, method, key_name, \
     limit_nanos, limit_reset, key_expires_at, workspace_id, created_at, expires_at, used_at, \
     key_hash";

fn read(row: &Line) -> Result<CodeRecord, StoreError> {
    let time = |micros: Option<i64>| micros.map(Timestamp::from_micros);
    let reset: Option<String> = row.try_get(8)?;
    let limit_reset = match reset {
        None => None,
        Some(name) => Some(
            ResetInterval::from_name(&name).ok_or(StoreError::Damaged(format!("reset {name}")))?,
        ),
    };
    Ok(CodeRecord {
        hash: row.try_get(0)?,
        account: AccountId::new(row.try_get::<String, _>(1)?),
        user: row.try_get::<Option<String>, _>(2)?.map(UserId::new),
        callback_url: row.try_get(3)?,
        challenge: row.try_get(4)?,
        method: row.try_get(5)?,
        key_name: row.try_get(6)?,
        limit: row.try_get::<Option<i64>, _>(7)?.map(Usd::from_nanos),
        limit_reset,
        key_expires_at: time(row.try_get(9)?),
        workspace: row.try_get::<Option<String>, _>(10)?.map(WorkspaceId::new),
        created_at: Timestamp::from_micros(row.try_get(11)?),
        expires_at: Timestamp::from_micros(row.try_get(12)?),
        used_at: time(row.try_get(13)?),
        key: row.try_get::<Option<String>, _>(14)?.map(KeyHash::new),
    })
}

/// The number of the app with this origin, which gets one if it has none.
async fn app(
    connection: &mut Connection,
    origin: &str,
    title: &str,
    now: Timestamp,
) -> Result<i64, StoreError> {
    query(
        "INSERT INTO apps (origin, title, created_at) VALUES ($1, $2, $3) \
         ON CONFLICT (origin) DO NOTHING",
    )
    .bind(origin)
    .bind(title)
    .bind(now.micros())
    .execute(&mut *connection)
    .await?;
    let row = query("SELECT id FROM apps WHERE origin = $1").bind(origin);
    row.fetch_one(connection).await?.try_get(0)
}

async fn insert(
    connection: &mut Connection,
    code: &CodeRecord,
    app: i64,
) -> Result<(), StoreError> {
    let sql = format!(
        "INSERT INTO auth_codes ({COLUMNS}, app_id) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, \
         $10, $11, $12, $13, $14, $15, $16)"
    );
    query(AssertSqlSafe(sql))
        .bind(&code.hash)
        .bind(code.account.as_str())
        .bind(code.user.as_ref().map(UserId::as_str))
        .bind(&code.callback_url)
        .bind(&code.challenge)
        .bind(&code.method)
        .bind(&code.key_name)
        .bind(code.limit.map(Usd::nanos))
        .bind(code.limit_reset.map(ResetInterval::name))
        .bind(code.key_expires_at.map(Timestamp::micros))
        .bind(code.workspace.as_ref().map(WorkspaceId::as_str))
        .bind(code.created_at.micros())
        .bind(code.expires_at.micros())
        .bind(code.used_at.map(Timestamp::micros))
        .bind(code.key.as_ref().map(KeyHash::as_str))
        .bind(app)
        .execute(connection)
        .await?;
    Ok(())
}

impl Store {
    /// Adds a code for the app with this origin and title: the number of the app.
    ///
    /// # Errors
    /// [`StoreError`] when the database does not answer.
    pub async fn add_code(
        &self,
        by: By,
        code: CodeRecord,
        origin: String,
        title: String,
    ) -> Result<i64, StoreError> {
        self.manage(by, "auth_code.create", move |connection| {
            Box::pin(async move {
                let now = code.created_at;
                query("DELETE FROM auth_codes WHERE account_id = $1 AND expires_at <= $2")
                    .bind(code.account.as_str())
                    .bind(now.micros().saturating_sub(REMEMBERED))
                    .execute(&mut *connection)
                    .await?;
                let app = app(connection, &origin, &title, now).await?;
                insert(connection, &code, app).await?;
                let after = Some(json!({
                    "app": origin,
                    "key_name": code.key_name,
                    "limit": code.limit,
                    "limit_reset": code.limit_reset,
                }));
                let id = code.hash.clone();
                Ok(Managed::one(app, Deed { kind: "auth_code", id, before: None, after }))
            })
        })
        .await
    }

    /// The code with this hash, whatever became of it.
    ///
    /// # Errors
    /// [`StoreError`] when the database does not answer.
    pub async fn code(&self, hash: &str) -> Result<Option<CodeRecord>, StoreError> {
        let sql = format!("SELECT {COLUMNS} FROM auth_codes WHERE hash = $1");
        let row = query(AssertSqlSafe(sql)).bind(hash).fetch_optional(self.readers()).await?;
        row.as_ref().map(read).transpose()
    }

    /// Uses a code up and adds the key: whether the code was still good. Of two at the same time one
    /// hears no.
    ///
    /// # Errors
    /// [`StoreError::Constraint`] when the workspace, or the person's place in it, is gone.
    pub async fn exchange_code(
        &self,
        by: By,
        hash: String,
        key: KeyRecord,
    ) -> Result<bool, StoreError> {
        let (actor, now) = (by.actor.clone(), self.clock().now());
        self.manage(by, "auth_code.exchange", move |connection| {
            Box::pin(async move {
                let done = query(
                    "UPDATE auth_codes SET used_at = $1, key_hash = $2 WHERE hash = $3 \
                     AND used_at IS NULL AND expires_at > $1",
                )
                .bind(now.micros())
                .bind(key.hash.as_str())
                .bind(&hash)
                .execute(&mut *connection)
                .await?;
                if done.rows_affected() == 0 {
                    return Ok(Managed::nothing(false));
                }
                admit(connection, &actor, &key).await?;
                keys::insert(connection, &key).await?;
                announce(connection, &Change::Key(key.hash.clone()), now).await?;
                Ok(Managed::one(true, keys::made(&key)))
            })
        })
        .await
    }
}
