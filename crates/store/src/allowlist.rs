//! An account's phrases that are never taken for an injection (platform spec 7.8).

use serde_json::{Value, json};
use signalbox_core::Timestamp;
use signalbox_core::id::{AccountId, random_uuid};
use signalbox_guard::Allowlist;
use signalbox_guard::allowlist::MAX_ACTIVE;
use signalbox_runtime::entropy;

use crate::error::StoreError;
use crate::manage::{Actor, By, Deed, Managed};
use crate::sql::{AssertSqlSafe, Connection, Line, Row, query};
use crate::store::Store;

/// One phrase.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Phrase {
    /// Its id.
    pub id: String,
    /// As it was written. Its case does not matter.
    pub text: String,
    /// Whether it is in force.
    pub active: bool,
    /// Who added it, if a person did.
    pub created_by: Option<String>,
    /// When it was added.
    pub created_at: Timestamp,
}

/// What becomes of a phrase.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct PhraseEdit {
    /// What it says from now on.
    pub text: Option<String>,
    /// Whether it is in force from now on.
    pub active: Option<bool>,
}

/// Why a phrase is not as it was wished for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum PhraseRefused {
    /// There is no such phrase.
    Missing,
    /// The account has it already, whatever its case.
    Duplicate,
    /// As many are active as can be.
    TooMany,
}

const COLUMNS: &str = "id, phrase, active, created_by, created_at";

fn read(row: &Line) -> Result<Phrase, StoreError> {
    Ok(Phrase {
        id: row.try_get(0)?,
        text: row.try_get(1)?,
        active: row.try_get(2)?,
        created_by: row.try_get(3)?,
        created_at: Timestamp::from_micros(row.try_get(4)?),
    })
}

fn deed(id: &str, before: Option<&Phrase>, after: Option<&Phrase>) -> Deed {
    let shown = |one: &Phrase| -> Value { json!({"phrase": one.text, "active": one.active}) };
    let (before, after) = (before.map(shown), after.map(shown));
    Deed { kind: "allowlist_phrase", id: id.to_owned(), before, after }
}

async fn owned(
    connection: &mut Connection,
    account: &AccountId,
    id: &str,
) -> Result<Option<Phrase>, StoreError> {
    let sql = format!("SELECT {COLUMNS} FROM allowlist WHERE account_id = $1 AND id = $2");
    let row = query(AssertSqlSafe(sql)).bind(account.as_str()).bind(id);
    row.fetch_optional(connection).await?.as_ref().map(read).transpose()
}

/// Why an account can't have this phrase besides the others that it has.
async fn refusal(
    connection: &mut Connection,
    account: &AccountId,
    one: &Phrase,
) -> Result<Option<PhraseRefused>, StoreError> {
    let row = query(
        "SELECT count(CASE WHEN identity = $3 THEN 1 END), count(CASE WHEN active = 1 THEN 1 END) \
         FROM allowlist WHERE account_id = $1 AND id <> $2",
    );
    let row = row.bind(account.as_str()).bind(&one.id).bind(Allowlist::identity(&one.text));
    let row = row.fetch_one(connection).await?;
    let (same, active): (i64, i64) = (row.try_get(0)?, row.try_get(1)?);
    Ok(if same > 0 {
        Some(PhraseRefused::Duplicate)
    } else if one.active && usize::try_from(active).unwrap_or(0) >= MAX_ACTIVE {
        Some(PhraseRefused::TooMany)
    } else {
        None
    })
}

impl Store {
    /// The phrases of an account, the newest first; and how many there are.
    ///
    /// # Errors
    /// [`StoreError`] when the database does not answer.
    pub async fn phrases_page(
        &self,
        account: &AccountId,
        offset: u32,
        limit: u32,
    ) -> Result<(Vec<Phrase>, u64), StoreError> {
        let count = query("SELECT count(*) FROM allowlist WHERE account_id = $1");
        let count = count.bind(account.as_str()).fetch_one(self.readers()).await?;
        let sql = format!(
            "SELECT {COLUMNS} FROM allowlist WHERE account_id = $1 \
             ORDER BY created_at DESC, id LIMIT $2 OFFSET $3"
        );
        let rows = query(AssertSqlSafe(sql)).bind(account.as_str()).bind(limit).bind(offset);
        let rows = rows.fetch_all(self.readers()).await?;
        let total: i64 = count.try_get(0)?;
        Ok((rows.iter().map(read).collect::<Result<_, _>>()?, u64::try_from(total).unwrap_or(0)))
    }

    /// The phrases of an account that are in force, no more than can be.
    ///
    /// # Errors
    /// [`StoreError`] when the database does not answer.
    pub async fn active_phrases(&self, account: &AccountId) -> Result<Vec<String>, StoreError> {
        let rows = query(
            "SELECT phrase FROM allowlist WHERE account_id = $1 AND active = 1 \
             ORDER BY created_at, id LIMIT $2",
        );
        let most = u32::try_from(MAX_ACTIVE).unwrap_or(u32::MAX);
        let rows = rows.bind(account.as_str()).bind(most).fetch_all(self.readers()).await?;
        rows.iter().map(|row| row.try_get(0)).collect()
    }

    /// Adds a phrase to the account of `by`.
    ///
    /// # Errors
    /// [`StoreError`] when the database does not answer.
    pub async fn add_phrase(
        &self,
        by: By,
        text: String,
        active: bool,
    ) -> Result<Result<Phrase, PhraseRefused>, StoreError> {
        let (account, now) = (by.account.clone(), self.clock().now());
        let created_by = match &by.actor {
            Actor::User(user) => Some(user.to_string()),
            _ => None,
        };
        let id = random_uuid(entropy::bytes());
        let one = Phrase { id, text, active, created_by, created_at: now };
        self.manage(by, "allowlist.create", move |connection| {
            Box::pin(async move {
                if let Some(refused) = refusal(connection, &account, &one).await? {
                    return Ok(Managed::nothing(Err(refused)));
                }
                let added = query(
                    "INSERT INTO allowlist (id, account_id, phrase, identity, active, created_by, \
                     created_at) VALUES ($1, $2, $3, $4, $5, $6, $7) \
                     ON CONFLICT (account_id, identity) DO NOTHING",
                );
                let added = added
                    .bind(&one.id)
                    .bind(account.as_str())
                    .bind(&one.text)
                    .bind(Allowlist::identity(&one.text))
                    .bind(one.active)
                    .bind(&one.created_by)
                    .bind(now.micros())
                    .execute(&mut *connection)
                    .await?;
                if added.rows_affected() == 0 {
                    return Ok(Managed::nothing(Err(PhraseRefused::Duplicate)));
                }
                let deed = deed(&one.id, None, Some(&one));
                Ok(Managed::one(Ok(one), deed))
            })
        })
        .await
    }

    /// Changes a phrase of the account of `by`.
    ///
    /// # Errors
    /// [`StoreError`] when the database does not answer.
    pub async fn edit_phrase(
        &self,
        by: By,
        id: String,
        edit: PhraseEdit,
    ) -> Result<Result<Phrase, PhraseRefused>, StoreError> {
        let account = by.account.clone();
        self.manage(by, "allowlist.update", move |connection| {
            Box::pin(async move {
                let Some(old) = owned(connection, &account, &id).await? else {
                    return Ok(Managed::nothing(Err(PhraseRefused::Missing)));
                };
                let text = edit.text.unwrap_or_else(|| old.text.clone());
                let active = edit.active.unwrap_or(old.active);
                let one = Phrase { text, active, ..old.clone() };
                if one == old {
                    return Ok(Managed::nothing(Ok(one)));
                }
                if let Some(refused) = refusal(connection, &account, &one).await? {
                    return Ok(Managed::nothing(Err(refused)));
                }
                query(
                    "UPDATE allowlist SET phrase = $3, identity = $4, active = $5 \
                     WHERE account_id = $1 AND id = $2",
                )
                .bind(account.as_str())
                .bind(&id)
                .bind(&one.text)
                .bind(Allowlist::identity(&one.text))
                .bind(one.active)
                .execute(&mut *connection)
                .await?;
                let deed = deed(&id, Some(&old), Some(&one));
                Ok(Managed::one(Ok(one), deed))
            })
        })
        .await
    }

    /// Deletes a phrase of the account of `by`. Says whether there was one.
    ///
    /// # Errors
    /// [`StoreError`] when the database does not answer.
    pub async fn delete_phrase(&self, by: By, id: String) -> Result<bool, StoreError> {
        let account = by.account.clone();
        self.manage(by, "allowlist.delete", move |connection| {
            Box::pin(async move {
                let Some(old) = owned(connection, &account, &id).await? else {
                    return Ok(Managed::nothing(false));
                };
                query("DELETE FROM allowlist WHERE account_id = $1 AND id = $2")
                    .bind(account.as_str())
                    .bind(&id)
                    .execute(&mut *connection)
                    .await?;
                Ok(Managed::one(true, deed(&id, Some(&old), None)))
            })
        })
        .await
    }
}
