//! People: their addresses, passwords and what was mailed to them.

use serde_json::json;
use signalbox_core::id::{AccountId, UserId};
use signalbox_core::{Secret, Timestamp, Usd};

use crate::accounts::{self, AccountRecord};
use crate::error::StoreError;
use crate::identities::{self, IdentityRecord};
use crate::manage::{By, Deed, Managed};
use crate::second_factor::forget;
use crate::sql::{AssertSqlSafe, Connection, Line, Row, by, query};
use crate::store::Store;
use crate::writer::Durability;

/// One person.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct UserRecord {
    /// Who.
    pub id: UserId,
    /// The address, in lower case; unique.
    pub email: String,
    /// When it was proven that the address is theirs.
    pub email_verified_at: Option<Timestamp>,
    /// The first name.
    pub first_name: Option<String>,
    /// The last name.
    pub last_name: Option<String>,
    /// The Argon2id hash of the password, for those who have one.
    pub password: Option<Secret<String>>,
    /// When the second factor was first used; from then on it is asked for.
    pub totp_confirmed_at: Option<Timestamp>,
    /// When the person came.
    pub created_at: Timestamp,
}

/// Somebody who signs up.
#[derive(Debug, Clone)]
pub struct NewPerson {
    /// The account to be made, with the address in lower case.
    pub account: AccountRecord,
    /// The Argon2id hash of the password, for those who come with one.
    pub password: Option<Secret<String>>,
    /// Who the person is at an identity provider, for those who come from there.
    pub identity: Option<IdentityRecord>,
    /// The first name.
    pub first_name: Option<String>,
    /// The last name.
    pub last_name: Option<String>,
    /// Whether the address is known to be theirs.
    pub verified: bool,
    /// Whether they may come only as long as nobody is there.
    pub only_first: bool,
    /// What the new account gets for nothing.
    pub promo: Usd,
}

/// What became of somebody who signs up.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SignedUp {
    /// They are here.
    Done,
    /// Somebody was here before.
    NotFirst,
}

/// What a mailed token is good for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Purpose {
    /// Proving that an address is somebody's own.
    Verify,
    /// Setting a new password.
    Reset,
}

impl Purpose {
    const fn name(self) -> &'static str {
        match self {
            Self::Verify => "verify",
            Self::Reset => "reset",
        }
    }
}

/// A token that was mailed.
#[derive(Debug, Clone)]
pub struct MailToken {
    /// SHA-256 of it, in hex.
    pub hash: String,
    /// What it is good for.
    pub purpose: Purpose,
    /// For whom.
    pub user: UserId,
    /// Until when.
    pub expires_at: Timestamp,
}

/// Whoever can sign in.
const SOMEBODY: &str = "SELECT 1 FROM users WHERE password_hash IS NOT NULL \
     OR id IN (SELECT user_id FROM identities) LIMIT 1";

/// Lets one transaction at a time find out whether anybody is here; SQLite has but one that writes.
const ALONE: crate::sql::By =
    by("SELECT 1", "SELECT CAST(1 AS BIGINT) FROM pg_advisory_xact_lock(1397178968, 2)");

pub(crate) const COLUMNS: &str = "users.id, users.email, email_verified_at, first_name, \
     last_name, password_hash, totp_confirmed_at, users.created_at";

pub(crate) fn read(row: &Line) -> Result<UserRecord, StoreError> {
    let time = |micros: Option<i64>| micros.map(Timestamp::from_micros);
    Ok(UserRecord {
        id: UserId::new(row.try_get::<String, _>(0)?),
        email: row.try_get(1)?,
        email_verified_at: time(row.try_get(2)?),
        first_name: row.try_get(3)?,
        last_name: row.try_get(4)?,
        password: row.try_get::<Option<String>, _>(5)?.map(Secret::new),
        totp_confirmed_at: time(row.try_get(6)?),
        created_at: Timestamp::from_micros(row.try_get(7)?),
    })
}

/// Uses a mailed token up: whether it was good.
async fn spend(
    connection: &mut Connection,
    user: &UserId,
    purpose: Purpose,
    hash: &str,
    now: Timestamp,
) -> Result<bool, StoreError> {
    let done = query(
        "UPDATE mail_tokens SET used_at = $1 WHERE hash = $2 AND purpose = $3 AND user_id = $4 \
         AND used_at IS NULL AND expires_at > $1",
    )
    .bind(now.micros())
    .bind(hash)
    .bind(purpose.name())
    .bind(user.as_str())
    .execute(connection)
    .await?;
    Ok(done.rows_affected() == 1)
}

fn deed(user: &UserId, what: &str) -> Deed {
    let after = Some(json!({ "changed": what }));
    Deed { kind: "user", id: user.to_string(), before: None, after }
}

async fn one(connection: &mut Connection, user: &UserId) -> Result<UserRecord, StoreError> {
    let sql = format!("SELECT {COLUMNS} FROM users WHERE id = $1");
    read(&query(AssertSqlSafe(sql)).bind(user.as_str()).fetch_one(connection).await?)
}

impl Store {
    async fn user_where(&self, rest: &str, value: &str) -> Result<Option<UserRecord>, StoreError> {
        let sql = format!("SELECT {COLUMNS} FROM users WHERE {rest} AND deleted_at IS NULL");
        let row = query(AssertSqlSafe(sql)).bind(value).fetch_optional(self.readers()).await?;
        row.as_ref().map(read).transpose()
    }

    /// A person.
    ///
    /// # Errors
    /// [`StoreError`] when the database does not answer.
    pub async fn user(&self, id: &UserId) -> Result<Option<UserRecord>, StoreError> {
        self.user_where("id = $1", id.as_str()).await
    }

    /// The person with this address, in lower case.
    ///
    /// # Errors
    /// [`StoreError`] when the database does not answer.
    pub async fn user_of_email(&self, email: &str) -> Result<Option<UserRecord>, StoreError> {
        self.user_where("email = $1", email).await
    }

    /// Whether anybody can sign in yet.
    ///
    /// # Errors
    /// [`StoreError`] when the database does not answer.
    pub async fn has_people(&self) -> Result<bool, StoreError> {
        Ok(query(SOMEBODY).fetch_optional(self.readers()).await?.is_some())
    }

    /// A person's own account.
    ///
    /// # Errors
    /// [`StoreError::Damaged`] for somebody who has none.
    pub async fn account_of(&self, user: &UserId) -> Result<AccountId, StoreError> {
        let row = query("SELECT id FROM accounts WHERE owner_id = $1 AND kind = 'user'")
            .bind(user.as_str())
            .fetch_one(self.readers())
            .await?;
        Ok(AccountId::new(row.try_get::<String, _>(0)?))
    }

    /// Adds a person with an account, and with an identity if they have one.
    ///
    /// # Errors
    /// [`StoreError::Constraint`] when the address or the identity is taken.
    pub async fn sign_up(&self, by: By, person: NewPerson) -> Result<SignedUp, StoreError> {
        self.manage(by, "user.sign_up", move |connection| {
            Box::pin(async move {
                if person.only_first {
                    query(ALONE).fetch_optional(&mut *connection).await?;
                    if query(SOMEBODY).fetch_optional(&mut *connection).await?.is_some() {
                        return Ok(Managed::nothing(SignedUp::NotFirst));
                    }
                }
                let account = &person.account;
                let user = account.owner();
                accounts::add(connection, account, person.promo).await?;
                query(
                    "UPDATE users SET password_hash = $1, first_name = $2, last_name = $3, \
                     email_verified_at = $4 WHERE id = $5",
                )
                .bind(person.password.as_ref().map(|hash| hash.expose().clone()))
                .bind(&person.first_name)
                .bind(&person.last_name)
                .bind(person.verified.then_some(account.created_at.micros()))
                .bind(user.as_str())
                .execute(&mut *connection)
                .await?;
                let after = Some(json!({ "email": account.email, "verified": person.verified }));
                let made = Deed { kind: "user", id: user.to_string(), before: None, after };
                let mut deeds = vec![made];
                if let Some(identity) = &person.identity {
                    deeds.push(identities::insert(connection, identity).await?);
                }
                Ok(Managed { value: SignedUp::Done, deeds })
            })
        })
        .await
    }

    /// Notes a token that is about to be mailed. Those that have expired are forgotten.
    ///
    /// # Errors
    /// [`StoreError`] when the database does not answer.
    pub async fn add_mail_token(&self, token: MailToken) -> Result<(), StoreError> {
        let now = self.clock().now();
        self.write(Durability::Power, move |connection| {
            Box::pin(async move {
                query("DELETE FROM mail_tokens WHERE user_id = $1 AND expires_at <= $2")
                    .bind(token.user.as_str())
                    .bind(now.micros())
                    .execute(&mut *connection)
                    .await?;
                query(
                    "INSERT INTO mail_tokens (hash, purpose, user_id, created_at, expires_at) \
                     VALUES ($1, $2, $3, $4, $5)",
                )
                .bind(&token.hash)
                .bind(token.purpose.name())
                .bind(token.user.as_str())
                .bind(now.micros())
                .bind(token.expires_at.micros())
                .execute(connection)
                .await?;
                Ok(())
            })
        })
        .await
    }

    /// Whose token this is, as long as it is good.
    ///
    /// # Errors
    /// [`StoreError`] when the database does not answer.
    pub async fn mail_token(
        &self,
        purpose: Purpose,
        hash: &str,
    ) -> Result<Option<UserId>, StoreError> {
        let row = query(
            "SELECT user_id FROM mail_tokens WHERE hash = $1 AND purpose = $2 \
             AND used_at IS NULL AND expires_at > $3",
        )
        .bind(hash)
        .bind(purpose.name())
        .bind(self.clock().now().micros())
        .fetch_optional(self.readers())
        .await?;
        let id: Option<String> = row.map(|row| row.try_get(0)).transpose()?;
        Ok(id.map(UserId::new))
    }

    /// Takes the address of a person as proven: whether the token was good.
    ///
    /// # Errors
    /// [`StoreError`] when the database does not answer.
    pub async fn verify_email(
        &self,
        by: By,
        user: UserId,
        hash: String,
    ) -> Result<bool, StoreError> {
        let now = self.clock().now();
        self.manage(by, "user.verify_email", move |connection| {
            Box::pin(async move {
                if !spend(connection, &user, Purpose::Verify, &hash, now).await? {
                    return Ok(Managed::nothing(false));
                }
                query("UPDATE users SET email_verified_at = $1, updated_at = $1 WHERE id = $2")
                    .bind(now.micros())
                    .bind(user.as_str())
                    .execute(connection)
                    .await?;
                Ok(Managed::one(true, deed(&user, "email_verified")))
            })
        })
        .await
    }

    /// Sets another password and ends all sessions.
    ///
    /// # Errors
    /// [`StoreError`] when the database does not answer.
    pub async fn set_password(
        &self,
        by: By,
        user: UserId,
        password: Secret<String>,
    ) -> Result<(), StoreError> {
        let now = self.clock().now();
        self.manage(by, "user.change_password", move |connection| {
            Box::pin(async move {
                replace(connection, &user, &password, now).await?;
                Ok(Managed::one((), deed(&user, "password")))
            })
        })
        .await
    }

    /// Sets a password by a mailed token and ends all sessions: whether the token was good. It proves
    /// the address; whatever was set up before that was done by nobody knows whom, so a second factor
    /// from then goes.
    ///
    /// # Errors
    /// [`StoreError`] when the database does not answer.
    pub async fn reset_password(
        &self,
        by: By,
        user: UserId,
        hash: String,
        password: Secret<String>,
    ) -> Result<bool, StoreError> {
        let now = self.clock().now();
        self.manage(by, "user.reset_password", move |connection| {
            Box::pin(async move {
                if !spend(connection, &user, Purpose::Reset, &hash, now).await? {
                    return Ok(Managed::nothing(false));
                }
                if one(connection, &user).await?.email_verified_at.is_none() {
                    forget(connection, &user).await?;
                    query("UPDATE users SET email_verified_at = $1 WHERE id = $2")
                        .bind(now.micros())
                        .bind(user.as_str())
                        .execute(&mut *connection)
                        .await?;
                }
                replace(connection, &user, &password, now).await?;
                Ok(Managed::one(true, deed(&user, "password")))
            })
        })
        .await
    }
}

/// Another password: sessions and mails about the old one are over.
async fn replace(
    connection: &mut Connection,
    user: &UserId,
    password: &Secret<String>,
    now: Timestamp,
) -> Result<(), StoreError> {
    query("UPDATE users SET password_hash = $1, updated_at = $2 WHERE id = $3")
        .bind(password.expose())
        .bind(now.micros())
        .bind(user.as_str())
        .execute(&mut *connection)
        .await?;
    query("UPDATE mail_tokens SET used_at = $1 WHERE user_id = $2 AND purpose = 'reset' AND used_at IS NULL")
        .bind(now.micros())
        .bind(user.as_str())
        .execute(&mut *connection)
        .await?;
    query("DELETE FROM sessions WHERE user_id = $1")
        .bind(user.as_str())
        .execute(connection)
        .await?;
    Ok(())
}
