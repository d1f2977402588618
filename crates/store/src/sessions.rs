//! Sessions of people in browsers. Only the SHA-256 of a session's token is stored.

use signalbox_core::Timestamp;
use signalbox_core::id::{AccountId, UserId};

use crate::error::StoreError;
use crate::members::Role;
use crate::people::UserRecord;
use crate::sql::{AssertSqlSafe, Line, Row, query};
use crate::store::Store;
use crate::writer::Durability;

/// Most sessions of one person; the oldest end.
const MOST: u32 = 50;

/// One session.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SessionRecord {
    /// SHA-256 of its token, in hex.
    pub hash: String,
    /// Its public id.
    pub id: String,
    /// Whose it is.
    pub user: UserId,
    /// Which account it acts for.
    pub account: AccountId,
    /// When it began.
    pub created_at: Timestamp,
    /// When it was last used, to a few minutes.
    pub seen_at: Timestamp,
    /// When it ends at the latest.
    pub expires_at: Timestamp,
    /// The address that it began from.
    pub address: Option<String>,
    /// What the browser said of itself.
    pub agent: Option<String>,
    /// Who vouched for the person: the id of a provider or of a connection; none for a password.
    pub source: Option<String>,
}

/// An account that a person may act for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Context {
    /// The account.
    pub account: AccountId,
    /// The name of the organization; absent for the person's own account.
    pub organization: Option<String>,
    /// What the person may do there; everything in their own account.
    pub role: Role,
}

const COLUMNS: &str = "hash, id, user_id, account_id, created_at, seen_at, expires_at, address, \
     agent, source";

fn read(row: &Line) -> Result<SessionRecord, StoreError> {
    Ok(SessionRecord {
        hash: row.try_get(0)?,
        id: row.try_get(1)?,
        user: UserId::new(row.try_get::<String, _>(2)?),
        account: AccountId::new(row.try_get::<String, _>(3)?),
        created_at: Timestamp::from_micros(row.try_get(4)?),
        seen_at: Timestamp::from_micros(row.try_get(5)?),
        expires_at: Timestamp::from_micros(row.try_get(6)?),
        address: row.try_get(7)?,
        agent: row.try_get(8)?,
        source: row.try_get(9)?,
    })
}

impl Store {
    /// Adds a session, in place of another one if the browser had one. Those of the person that are
    /// over are forgotten: `idle_since` is when they must have been used last.
    ///
    /// # Errors
    /// [`StoreError`] when the database does not answer.
    pub async fn open_session(
        &self,
        session: SessionRecord,
        instead_of: Option<String>,
        idle_since: Timestamp,
    ) -> Result<(), StoreError> {
        self.write(Durability::Power, move |connection| {
            Box::pin(async move {
                let now = session.created_at;
                query(
                    "DELETE FROM sessions WHERE hash = $1 OR (user_id = $2 AND (expires_at <= $3 \
                     OR seen_at <= $4 OR id IN (SELECT id FROM sessions WHERE user_id = $2 \
                     ORDER BY created_at DESC LIMIT 1000 OFFSET $5)))",
                )
                .bind(instead_of.unwrap_or_default())
                .bind(session.user.as_str())
                .bind(now.micros())
                .bind(idle_since.micros())
                .bind(MOST.saturating_sub(1))
                .execute(&mut *connection)
                .await?;
                let sql = format!(
                    "INSERT INTO sessions ({COLUMNS}) VALUES \
                     ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)"
                );
                query(AssertSqlSafe(sql))
                    .bind(&session.hash)
                    .bind(&session.id)
                    .bind(session.user.as_str())
                    .bind(session.account.as_str())
                    .bind(now.micros())
                    .bind(session.seen_at.micros())
                    .bind(session.expires_at.micros())
                    .bind(&session.address)
                    .bind(&session.agent)
                    .bind(&session.source)
                    .execute(connection)
                    .await?;
                Ok(())
            })
        })
        .await
    }

    /// The session with this hash, and whose it is. Whether it is over is for the caller to say.
    ///
    /// # Errors
    /// [`StoreError`] when the database does not answer.
    pub async fn session(
        &self,
        hash: &str,
    ) -> Result<Option<(SessionRecord, UserRecord)>, StoreError> {
        let sql = format!("SELECT {COLUMNS} FROM sessions WHERE hash = $1");
        let row = query(AssertSqlSafe(sql)).bind(hash).fetch_optional(self.readers()).await?;
        let Some(session) = row.as_ref().map(read).transpose()? else { return Ok(None) };
        let user = self.user(&session.user).await?;
        Ok(user.map(|user| (session, user)))
    }

    /// Notes that a session is in use.
    ///
    /// # Errors
    /// [`StoreError`] when the database does not answer.
    pub async fn touch_session(&self, hash: String) -> Result<(), StoreError> {
        let now = self.clock().now();
        self.write(Durability::Process, move |connection| {
            Box::pin(async move {
                query("UPDATE sessions SET seen_at = $1 WHERE hash = $2 AND seen_at < $1")
                    .bind(now.micros())
                    .bind(&hash)
                    .execute(connection)
                    .await?;
                Ok(())
            })
        })
        .await
    }

    /// The sessions of a person, the latest first.
    ///
    /// # Errors
    /// [`StoreError`] when the database does not answer.
    pub async fn sessions_of(&self, user: &UserId) -> Result<Vec<SessionRecord>, StoreError> {
        let sql = format!(
            "SELECT {COLUMNS} FROM sessions WHERE user_id = $1 ORDER BY created_at DESC, id"
        );
        let rows = query(AssertSqlSafe(sql)).bind(user.as_str()).fetch_all(self.readers()).await?;
        rows.iter().map(read).collect()
    }

    /// Ends one session of a person: whether there was such a session.
    ///
    /// # Errors
    /// [`StoreError`] when the database does not answer.
    pub async fn end_session(&self, user: UserId, id: String) -> Result<bool, StoreError> {
        self.write(Durability::Power, move |connection| {
            Box::pin(async move {
                let done = query("DELETE FROM sessions WHERE user_id = $1 AND id = $2")
                    .bind(user.as_str())
                    .bind(&id)
                    .execute(connection)
                    .await?;
                Ok(done.rows_affected() == 1)
            })
        })
        .await
    }

    /// Ends all sessions of a person but the one with this id.
    ///
    /// # Errors
    /// [`StoreError`] when the database does not answer.
    pub async fn end_other_sessions(&self, user: UserId, id: String) -> Result<(), StoreError> {
        self.write(Durability::Power, move |connection| {
            Box::pin(async move {
                query("DELETE FROM sessions WHERE user_id = $1 AND id <> $2")
                    .bind(user.as_str())
                    .bind(&id)
                    .execute(connection)
                    .await?;
                Ok(())
            })
        })
        .await
    }

    /// Lets a session act for another account.
    ///
    /// # Errors
    /// [`StoreError`] when the database does not answer.
    pub async fn switch_session(&self, hash: String, account: AccountId) -> Result<(), StoreError> {
        self.write(Durability::Power, move |connection| {
            Box::pin(async move {
                query("UPDATE sessions SET account_id = $1 WHERE hash = $2")
                    .bind(account.as_str())
                    .bind(&hash)
                    .execute(connection)
                    .await?;
                Ok(())
            })
        })
        .await
    }

    /// The accounts that a person may act for: their own, then organizations by name.
    ///
    /// # Errors
    /// [`StoreError`] when the database does not answer.
    pub async fn contexts(&self, user: &UserId) -> Result<Vec<Context>, StoreError> {
        let account = self.account_of(user).await?;
        let mut contexts = vec![Context { account, organization: None, role: Role::Admin }];
        let rows = query(
            "SELECT accounts.id, accounts.name, members.role FROM members \
             JOIN accounts ON accounts.id = members.account_id \
             WHERE members.user_id = $1 AND members.deactivated_at IS NULL \
             ORDER BY accounts.name, accounts.id",
        )
        .bind(user.as_str())
        .fetch_all(self.readers())
        .await?;
        for row in &rows {
            contexts.push(Context {
                account: AccountId::new(row.try_get::<String, _>(0)?),
                organization: Some(row.try_get::<Option<String>, _>(1)?.unwrap_or_default()),
                role: Role::read(row.try_get::<&str, _>(2)?)?,
            });
        }
        Ok(contexts)
    }
}
