//! Who a person is at identity providers.

use serde_json::json;
use signalbox_core::Timestamp;
use signalbox_core::id::{AccountId, UserId};

use crate::error::StoreError;
use crate::invitations::withdraw_from;
use crate::manage::{By, Deed, Managed};
use crate::organizations::{active, hold};
use crate::second_factor::forget;
use crate::sql::{AssertSqlSafe, Connection, Line, Row, query};
use crate::store::Store;
use crate::writer::Durability;

/// A person as an identity provider knows them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct IdentityRecord {
    /// Its id here: a UUID.
    pub id: String,
    /// Empty for a provider of the operator, else the id of a connection.
    pub source: String,
    /// The issuer.
    pub issuer: String,
    /// Who the person is there; never given to anybody else (OpenID Connect Core 1.0, section 2).
    pub subject: String,
    /// Who the person is here.
    pub user: UserId,
    /// What the provider is called here: its id in the configuration, or a domain.
    pub provider: String,
    /// The address that the provider told last.
    pub email: Option<String>,
    /// When it was linked.
    pub created_at: Timestamp,
    /// When it was used last.
    pub used_at: Timestamp,
}

/// What became of a wish to unlink an identity.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Unlinked {
    /// It is so.
    Done,
    /// There is no such identity.
    NotThere,
    /// Without it the person could not sign in any more.
    LastWayIn,
}

/// What became of somebody whom an identity provider sends into its organization.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Seated {
    /// They are a member.
    Done,
    /// They were, and were switched off.
    Deactivated,
    /// The plan allows no more members.
    Full,
}

const COLUMNS: &str = "id, source, issuer, subject, user_id, provider, email, created_at, used_at";

fn read(row: &Line) -> Result<IdentityRecord, StoreError> {
    Ok(IdentityRecord {
        id: row.try_get(0)?,
        source: row.try_get(1)?,
        issuer: row.try_get(2)?,
        subject: row.try_get(3)?,
        user: UserId::new(row.try_get::<String, _>(4)?),
        provider: row.try_get(5)?,
        email: row.try_get(6)?,
        created_at: Timestamp::from_micros(row.try_get(7)?),
        used_at: Timestamp::from_micros(row.try_get(8)?),
    })
}

pub(crate) async fn insert(
    connection: &mut Connection,
    one: &IdentityRecord,
) -> Result<Deed, StoreError> {
    let sql =
        format!("INSERT INTO identities ({COLUMNS}) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9)");
    query(AssertSqlSafe(sql))
        .bind(&one.id)
        .bind(&one.source)
        .bind(&one.issuer)
        .bind(&one.subject)
        .bind(one.user.as_str())
        .bind(&one.provider)
        .bind(&one.email)
        .bind(one.created_at.micros())
        .bind(one.used_at.micros())
        .execute(connection)
        .await?;
    let after = Some(json!({ "provider": one.provider, "user": one.user }));
    Ok(Deed { kind: "identity", id: one.id.clone(), before: None, after })
}

/// Whatever was set up before an address was proven was set up by nobody knows whom: it goes.
async fn clear(
    connection: &mut Connection,
    user: &UserId,
    now: Timestamp,
) -> Result<(), StoreError> {
    forget(connection, user).await?;
    for sql in [
        "DELETE FROM sessions WHERE user_id = $1",
        "DELETE FROM mail_tokens WHERE user_id = $1",
        "DELETE FROM identities WHERE user_id = $1",
    ] {
        query(sql).bind(user.as_str()).execute(&mut *connection).await?;
    }
    query("UPDATE users SET password_hash = NULL, email_verified_at = $1 WHERE id = $2")
        .bind(now.micros())
        .bind(user.as_str())
        .execute(connection)
        .await?;
    Ok(())
}

impl Store {
    /// Who this is. The person may be gone.
    ///
    /// # Errors
    /// [`StoreError`] when the database does not answer.
    pub async fn identity(
        &self,
        source: &str,
        issuer: &str,
        subject: &str,
    ) -> Result<Option<IdentityRecord>, StoreError> {
        let sql = format!(
            "SELECT {COLUMNS} FROM identities WHERE source = $1 AND issuer = $2 AND subject = $3"
        );
        let row = query(AssertSqlSafe(sql)).bind(source).bind(issuer).bind(subject);
        row.fetch_optional(self.readers()).await?.as_ref().map(read).transpose()
    }

    /// The identities of a person, the first one first.
    ///
    /// # Errors
    /// [`StoreError`] when the database does not answer.
    pub async fn identities_of(&self, user: &UserId) -> Result<Vec<IdentityRecord>, StoreError> {
        let sql =
            format!("SELECT {COLUMNS} FROM identities WHERE user_id = $1 ORDER BY created_at, id");
        let rows = query(AssertSqlSafe(sql)).bind(user.as_str()).fetch_all(self.readers()).await?;
        rows.iter().map(read).collect()
    }

    /// Notes that an identity was used, with the address that came with it.
    ///
    /// # Errors
    /// [`StoreError`] when the database does not answer.
    pub async fn touch_identity(
        &self,
        id: String,
        email: Option<String>,
    ) -> Result<(), StoreError> {
        let now = self.clock().now();
        self.write(Durability::Process, move |connection| {
            Box::pin(async move {
                query(
                    "UPDATE identities SET used_at = $1, email = coalesce($2, email) \
                     WHERE id = $3",
                )
                .bind(now.micros())
                .bind(&email)
                .bind(&id)
                .execute(connection)
                .await?;
                Ok(())
            })
        })
        .await
    }

    /// Links an identity to a person: whether it was nobody's yet.
    ///
    /// # Errors
    /// [`StoreError`] when the database does not answer.
    pub async fn add_identity(&self, by: By, one: IdentityRecord) -> Result<bool, StoreError> {
        let done = self.manage(by, "identity.link", move |connection| {
            Box::pin(async move {
                let deed = insert(connection, &one).await?;
                Ok(Managed::one(true, deed))
            })
        });
        match done.await {
            Err(StoreError::Constraint(_)) => Ok(false),
            done => done,
        }
    }

    /// Gives an account whose address nobody has proven to whom the owner of the address's domain vouches
    /// for: password, second factor, sessions and identities from before go.
    ///
    /// # Errors
    /// [`StoreError::Constraint`] when the identity is somebody's.
    pub async fn claim_by_identity(&self, by: By, one: IdentityRecord) -> Result<(), StoreError> {
        let now = self.clock().now();
        self.manage(by, "user.claim", move |connection| {
            Box::pin(async move {
                clear(connection, &one.user, now).await?;
                let linked = insert(connection, &one).await?;
                let after = Some(json!({ "changed": "claimed" }));
                let id = one.user.to_string();
                let claimed = Deed { kind: "user", id, before: None, after };
                Ok(Managed { value: (), deeds: vec![claimed, linked] })
            })
        })
        .await
    }

    /// Unlinks an identity of a person, unless they could not sign in without it.
    ///
    /// # Errors
    /// [`StoreError`] when the database does not answer.
    pub async fn remove_identity(
        &self,
        by: By,
        user: UserId,
        id: String,
    ) -> Result<Unlinked, StoreError> {
        self.manage(by, "identity.unlink", move |connection| {
            Box::pin(async move {
                // Keeps others from unlinking the other one of two at the same time.
                query("UPDATE users SET updated_at = updated_at WHERE id = $1")
                    .bind(user.as_str())
                    .execute(&mut *connection)
                    .await?;
                let row = query(
                    "SELECT count(*), coalesce(max(CASE WHEN identities.id = $1 THEN 1 ELSE 0 END), 0), \
                     max(CASE WHEN password_hash IS NULL THEN 0 ELSE 1 END) \
                     FROM identities JOIN users ON users.id = user_id WHERE user_id = $2",
                )
                .bind(&id)
                .bind(user.as_str())
                .fetch_one(&mut *connection)
                .await?;
                let (count, there): (i64, i64) = (row.try_get(0)?, row.try_get(1)?);
                if there == 0 {
                    return Ok(Managed::nothing(Unlinked::NotThere));
                }
                if count == 1 && row.try_get::<Option<i64>, _>(2)? == Some(0) {
                    return Ok(Managed::nothing(Unlinked::LastWayIn));
                }
                query("DELETE FROM identities WHERE id = $1 AND user_id = $2")
                    .bind(&id)
                    .bind(user.as_str())
                    .execute(connection)
                    .await?;
                let before = Some(json!({ "user": user }));
                let deed = Deed { kind: "identity", id, before, after: None };
                Ok(Managed::one(Unlinked::Done, deed))
            })
        })
        .await
    }

    /// Makes somebody a member of the organization that `by` manages, because its identity provider
    /// vouches for them. `most` is how many members the plan allows.
    ///
    /// # Errors
    /// [`StoreError`] when the database does not answer.
    pub async fn seat_by_sso(&self, by: By, user: UserId, most: u32) -> Result<Seated, StoreError> {
        let (account, now) = (by.account.clone(), self.clock().now());
        self.manage(by, "member.add", move |connection| {
            Box::pin(async move {
                hold(connection, &account).await?;
                match is_off(connection, &account, &user).await? {
                    Some(true) => return Ok(Managed::nothing(Seated::Deactivated)),
                    Some(false) => return Ok(Managed::nothing(Seated::Done)),
                    None => {}
                }
                if active(connection, &account).await? >= most {
                    return Ok(Managed::nothing(Seated::Full));
                }
                query(
                    "INSERT INTO members (account_id, user_id, role, source, created_at) \
                     VALUES ($1, $2, 'org:member', 'sso', $3)",
                )
                .bind(account.as_str())
                .bind(user.as_str())
                .bind(now.micros())
                .execute(&mut *connection)
                .await?;
                let mut deeds = withdraw_from(connection, &account, &user, now).await?;
                let after = Some(json!({ "role": "org:member", "active": true, "source": "sso" }));
                deeds.push(Deed { kind: "member", id: user.to_string(), before: None, after });
                Ok(Managed { value: Seated::Done, deeds })
            })
        })
        .await
    }
}

/// Whether a member is switched off; `None` for whoever is none.
async fn is_off(
    connection: &mut Connection,
    account: &AccountId,
    user: &UserId,
) -> Result<Option<bool>, StoreError> {
    let row = query("SELECT deactivated_at FROM members WHERE account_id = $1 AND user_id = $2")
        .bind(account.as_str())
        .bind(user.as_str())
        .fetch_optional(connection)
        .await?;
    row.map(|row| Ok(row.try_get::<Option<i64>, _>(0)?.is_some())).transpose()
}
