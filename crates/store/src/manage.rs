//! The one door of management: a change of what an account owns, with its row in the audit log and
//! its news, in one commit.

use serde_json::Value;
use signalbox_core::Timestamp;
use signalbox_core::id::{AccountId, KeyHash, UserId};

use crate::changes::{Change, announce};
use crate::error::StoreError;
use crate::sql::{Connection, Line, Row, query};
use crate::store::Store;
use crate::writer::{Durability, Work};

/// Who does something.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Actor {
    /// Whoever holds this management key.
    Key(KeyHash),
    /// A person, signed in.
    User(UserId),
    /// The operator, by this name.
    Operator(String),
    /// An identity provider, through this connection.
    Directory(String),
    /// The platform itself.
    Platform(&'static str),
}

impl Actor {
    const fn kind(&self) -> &'static str {
        match self {
            Self::Key(_) => "key",
            Self::User(_) => "user",
            Self::Operator(_) => "operator",
            Self::Directory(_) => "directory",
            Self::Platform(_) => "platform",
        }
    }

    /// Which one of its kind.
    #[must_use]
    pub fn name(&self) -> &str {
        match self {
            Self::Key(hash) => hash.as_str(),
            Self::User(user) => user.as_str(),
            Self::Operator(name) | Self::Directory(name) => name,
            Self::Platform(part) => part,
        }
    }
}

/// Who does something, for which account, from where.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct By {
    /// Whose things are managed.
    pub account: AccountId,
    /// Who does it.
    pub actor: Actor,
    /// The address that the request came from.
    pub address: Option<String>,
}

/// What was done to one object. Secrets are never part of it.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Deed {
    /// What it is: `key`, `workspace`, …
    pub kind: &'static str,
    /// Which one.
    pub id: String,
    /// How it was; absent when it was made.
    pub before: Option<Value>,
    /// How it is; absent when it was deleted.
    pub after: Option<Value>,
}

/// What a change answers, and what it did. Nothing done leaves no trace.
pub(crate) struct Managed<T> {
    pub value: T,
    pub deeds: Vec<Deed>,
}

impl<T> Managed<T> {
    pub fn nothing(value: T) -> Self {
        Self { value, deeds: Vec::new() }
    }

    pub fn one(value: T, deed: Deed) -> Self {
        Self { value, deeds: vec![deed] }
    }
}

/// One row of the audit log.
#[derive(Debug, Clone, PartialEq)]
pub struct AuditRow {
    /// Its number; it grows with time.
    pub seq: i64,
    /// When.
    pub at: Timestamp,
    /// `key`, `user`, `operator`, `directory` or `platform`.
    pub actor_kind: String,
    /// Which one: the hash of a key, the id of a user, …
    pub actor_id: String,
    /// The address that the request came from.
    pub address: Option<String>,
    /// What was done, such as `key.update`.
    pub action: String,
    /// What it was done to.
    pub object_kind: String,
    /// Which one.
    pub object_id: String,
    /// How it was.
    pub before: Option<Value>,
    /// How it is.
    pub after: Option<Value>,
}

fn json(value: &Option<Value>) -> Option<String> {
    value.as_ref().map(Value::to_string)
}

async fn note(
    connection: &mut Connection,
    by: &By,
    action: &str,
    deed: &Deed,
    now: Timestamp,
) -> Result<(), StoreError> {
    query(
        "INSERT INTO audit_log (account_id, at, actor_kind, actor_id, address, action, \
         object_kind, object_id, before, after) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)",
    )
    .bind(by.account.as_str())
    .bind(now.micros())
    .bind(by.actor.kind())
    .bind(by.actor.name())
    .bind(&by.address)
    .bind(action)
    .bind(deed.kind)
    .bind(&deed.id)
    .bind(json(&deed.before))
    .bind(json(&deed.after))
    .execute(connection)
    .await?;
    Ok(())
}

fn read(row: &Line) -> Result<AuditRow, StoreError> {
    let value = |text: Option<String>| match text {
        None => Ok(None),
        Some(text) => serde_json::from_str(&text)
            .map(Some)
            .map_err(|error| StoreError::Damaged(format!("audit log: {error}"))),
    };
    Ok(AuditRow {
        seq: row.try_get(0)?,
        at: Timestamp::from_micros(row.try_get(1)?),
        actor_kind: row.try_get(2)?,
        actor_id: row.try_get(3)?,
        address: row.try_get(4)?,
        action: row.try_get(5)?,
        object_kind: row.try_get(6)?,
        object_id: row.try_get(7)?,
        before: value(row.try_get(8)?)?,
        after: value(row.try_get(9)?)?,
    })
}

impl Store {
    /// Changes what an account owns, notes what was done and by whom, and announces it: all or
    /// nothing.
    pub(crate) async fn manage<T, F>(
        &self,
        by: By,
        action: &'static str,
        work: F,
    ) -> Result<T, StoreError>
    where
        T: Send + 'static,
        F: for<'c> FnOnce(&'c mut Connection) -> Work<'c, Managed<T>> + Send + 'static,
    {
        let now = self.clock().now();
        self.write(Durability::Power, move |connection| {
            Box::pin(async move {
                let managed = work(&mut *connection).await?;
                for deed in &managed.deeds {
                    note(connection, &by, action, deed, now).await?;
                }
                if !managed.deeds.is_empty() {
                    announce(connection, &Change::Account(by.account), now).await?;
                }
                Ok(managed.value)
            })
        })
        .await
    }

    /// What was done to an account's things, the latest first: at most `limit` rows with a number
    /// below `before`.
    ///
    /// # Errors
    /// [`StoreError`] when the database does not answer.
    pub async fn audit_log(
        &self,
        account: &AccountId,
        before: Option<i64>,
        limit: u32,
    ) -> Result<Vec<AuditRow>, StoreError> {
        let rows = query(
            "SELECT seq, at, actor_kind, actor_id, address, action, object_kind, object_id, \
             before, after FROM audit_log WHERE account_id = $1 AND seq < $2 \
             ORDER BY seq DESC LIMIT $3",
        )
        .bind(account.as_str())
        .bind(before.unwrap_or(i64::MAX))
        .bind(i64::from(limit))
        .fetch_all(self.readers())
        .await?;
        rows.iter().map(read).collect()
    }
}
