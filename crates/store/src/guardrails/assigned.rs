//! Which key and which member is under which guardrail: at most one each.

use serde_json::json;
use signalbox_core::Timestamp;
use signalbox_core::id::{AccountId, KeyHash, UserId, random_uuid};
use signalbox_runtime::entropy;

use super::managed::owned;
use crate::error::StoreError;
use crate::manage::{Actor, By, Deed, Managed};
use crate::sql::{AssertSqlSafe, Connection, Line, Row, query};
use crate::store::Store;

/// Who is under a guardrail.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Assignee {
    /// A key, with its name and masked form.
    Key {
        /// Its hash.
        hash: KeyHash,
        /// Its name.
        name: String,
        /// Its masked form.
        label: String,
    },
    /// A member, or the owner of a person's own account.
    Member(UserId),
}

/// One assignment.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Assignment {
    /// Its id.
    pub id: String,
    /// The guardrail.
    pub guardrail: String,
    /// Whose it is.
    pub account: AccountId,
    /// Who is under it.
    pub assignee: Assignee,
    /// Who said so, if a person did.
    pub assigned_by: Option<String>,
    /// Since when.
    pub created_at: Timestamp,
}

const KEYS: &str = "SELECT guardrail_keys.id, guardrail_id, guardrail_keys.account_id, assigned_by, \
     guardrail_keys.created_at, key_hash, api_keys.name, api_keys.label FROM guardrail_keys \
     JOIN api_keys ON api_keys.hash = key_hash AND api_keys.deleted_at IS NULL";
const MEMBERS: &str = "SELECT id, guardrail_id, account_id, assigned_by, created_at, user_id \
     FROM guardrail_members";

fn read(row: &Line, assignee: Assignee) -> Result<Assignment, StoreError> {
    Ok(Assignment {
        id: row.try_get(0)?,
        guardrail: row.try_get(1)?,
        account: AccountId::new(row.try_get::<String, _>(2)?),
        assignee,
        assigned_by: row.try_get(3)?,
        created_at: Timestamp::from_micros(row.try_get(4)?),
    })
}

fn read_key(row: &Line) -> Result<Assignment, StoreError> {
    let hash = KeyHash::new(row.try_get::<String, _>(5)?);
    read(row, Assignee::Key { hash, name: row.try_get(6)?, label: row.try_get(7)? })
}

fn read_member(row: &Line) -> Result<Assignment, StoreError> {
    read(row, Assignee::Member(UserId::new(row.try_get::<String, _>(5)?)))
}

/// Who said so, as an assignment keeps it.
fn by_whom(by: &By) -> Option<String> {
    match &by.actor {
        Actor::User(user) => Some(user.to_string()),
        _ => None,
    }
}

fn deed(guardrail: &str, who: &str, before: bool, after: bool) -> Deed {
    let shown = |is: bool| is.then(|| json!({"guardrail_id": guardrail, "assignee": who}));
    let (before, after) = (shown(before), shown(after));
    Deed { kind: "guardrail_assignment", id: guardrail.to_owned(), before, after }
}

/// Whether these keys are live ones of the account.
async fn is_key(
    connection: &mut Connection,
    account: &AccountId,
    hash: &str,
) -> Result<bool, StoreError> {
    let row = query(
        "SELECT count(*) FROM api_keys \
         WHERE hash = $1 AND account_id = $2 AND management = 0 AND deleted_at IS NULL",
    );
    let row = row.bind(hash).bind(account.as_str()).fetch_one(connection).await?;
    Ok(row.try_get::<i64, _>(0)? == 1)
}

/// Whether somebody is in the account: its owner or an active member.
async fn is_member(
    connection: &mut Connection,
    account: &AccountId,
    user: &str,
) -> Result<bool, StoreError> {
    let row = query(
        "SELECT (SELECT count(*) FROM members WHERE account_id = $1 AND user_id = $2 \
         AND deactivated_at IS NULL) + (SELECT count(*) FROM accounts WHERE id = $1 \
         AND owner_id = $2)",
    );
    let row = row.bind(account.as_str()).bind(user).fetch_one(connection).await?;
    Ok(row.try_get::<i64, _>(0)? > 0)
}

/// Keys or members: the two kinds have the same routes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Assignees {
    /// Keys, by their hashes.
    Keys,
    /// Members, by their ids.
    Members,
}

impl Assignees {
    async fn owned(
        self,
        connection: &mut Connection,
        account: &AccountId,
        who: &str,
    ) -> Result<bool, StoreError> {
        match self {
            Self::Keys => is_key(connection, account, who).await,
            Self::Members => is_member(connection, account, who).await,
        }
    }

    const fn put(self) -> &'static str {
        match self {
            Self::Keys => {
                "INSERT INTO guardrail_keys (account_id, key_hash, id, guardrail_id, assigned_by, \
                 created_at) VALUES ($1, $2, $3, $4, $5, $6) ON CONFLICT (key_hash) DO UPDATE SET \
                 id = excluded.id, guardrail_id = excluded.guardrail_id, \
                 assigned_by = excluded.assigned_by, created_at = excluded.created_at"
            }
            Self::Members => {
                "INSERT INTO guardrail_members (account_id, user_id, id, guardrail_id, \
                 assigned_by, created_at) VALUES ($1, $2, $3, $4, $5, $6) \
                 ON CONFLICT (account_id, user_id) DO UPDATE SET \
                 id = excluded.id, guardrail_id = excluded.guardrail_id, \
                 assigned_by = excluded.assigned_by, created_at = excluded.created_at"
            }
        }
    }

    const fn remove(self) -> &'static str {
        match self {
            Self::Keys => {
                "DELETE FROM guardrail_keys \
                 WHERE guardrail_id = $1 AND account_id = $2 AND key_hash = $3"
            }
            Self::Members => {
                "DELETE FROM guardrail_members \
                 WHERE guardrail_id = $1 AND account_id = $2 AND user_id = $3"
            }
        }
    }
}

impl Store {
    /// The assignments of an account, or of one of its guardrails, the newest first.
    ///
    /// # Errors
    /// [`StoreError`] when the database does not answer.
    pub async fn assignments(
        &self,
        account: &AccountId,
        guardrail: Option<&str>,
        kind: Assignees,
    ) -> Result<Vec<Assignment>, StoreError> {
        let (select, table) = match kind {
            Assignees::Keys => (KEYS, "guardrail_keys"),
            Assignees::Members => (MEMBERS, "guardrail_members"),
        };
        let sql = format!(
            "{select} WHERE {table}.account_id = $1 AND ($2 = '' OR guardrail_id = $2) \
             ORDER BY {table}.created_at DESC, {table}.id"
        );
        let rows = query(AssertSqlSafe(sql))
            .bind(account.as_str())
            .bind(guardrail.unwrap_or_default())
            .fetch_all(self.readers())
            .await?;
        match kind {
            Assignees::Keys => rows.iter().map(read_key).collect(),
            Assignees::Members => rows.iter().map(read_member).collect(),
        }
    }

    /// Puts keys or members of the account of `by` under one of its guardrails, all or none; each leaves
    /// the one it was under. Says how many, or `None` when the guardrail or one of them is not there.
    ///
    /// # Errors
    /// [`StoreError`] when the database does not answer.
    pub async fn assign_guardrail(
        &self,
        by: By,
        guardrail: String,
        kind: Assignees,
        who: Vec<String>,
    ) -> Result<Option<u64>, StoreError> {
        let (account, assigned_by, now) = (by.account.clone(), by_whom(&by), self.clock().now());
        self.manage(by, "guardrail.assign", move |connection| {
            Box::pin(async move {
                if owned(connection, &account, &guardrail).await?.is_none() {
                    return Ok(Managed::nothing(None));
                }
                for one in &who {
                    if !kind.owned(connection, &account, one).await? {
                        return Ok(Managed::nothing(None));
                    }
                }
                let mut done = Managed::nothing(Some(who.len() as u64));
                for one in &who {
                    query(kind.put())
                        .bind(account.as_str())
                        .bind(one)
                        .bind(random_uuid(entropy::bytes()))
                        .bind(&guardrail)
                        .bind(&assigned_by)
                        .bind(now.micros())
                        .execute(&mut *connection)
                        .await?;
                    done.deeds.push(deed(&guardrail, one, false, true));
                }
                Ok(done)
            })
        })
        .await
    }

    /// Takes keys or members away from a guardrail of the account of `by`. Says how many were under it,
    /// or `None` when there is no such guardrail.
    ///
    /// # Errors
    /// [`StoreError`] when the database does not answer.
    pub async fn unassign_guardrail(
        &self,
        by: By,
        guardrail: String,
        kind: Assignees,
        who: Vec<String>,
    ) -> Result<Option<u64>, StoreError> {
        let account = by.account.clone();
        self.manage(by, "guardrail.unassign", move |connection| {
            Box::pin(async move {
                if owned(connection, &account, &guardrail).await?.is_none() {
                    return Ok(Managed::nothing(None));
                }
                let mut done = Managed::nothing(None);
                let mut count = 0_u64;
                for one in &who {
                    let removed = query(kind.remove())
                        .bind(&guardrail)
                        .bind(account.as_str())
                        .bind(one)
                        .execute(&mut *connection)
                        .await?;
                    if removed.rows_affected() == 1 {
                        count = count.saturating_add(1);
                        done.deeds.push(deed(&guardrail, one, true, false));
                    }
                }
                done.value = Some(count);
                Ok(done)
            })
        })
        .await
    }
}
