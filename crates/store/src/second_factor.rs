//! Second factors: a shared secret that makes a code for every half minute, and codes for the day when
//! the telephone is lost.

use std::sync::Arc;

use serde_json::json;
use signalbox_core::Secret;
use signalbox_core::id::UserId;
use signalbox_vault::{Label, Vault};

use crate::error::StoreError;
use crate::manage::{By, Deed, Managed};
use crate::secrets;
use crate::sql::{Connection, Row, query};
use crate::store::Store;
use crate::writer::Durability;

/// The kind of its secret.
const KIND: &str = "totp";
/// Secrets in clear that are sealed in one transaction.
const AT_ONCE: u32 = 100;

fn label(user: &UserId) -> Label {
    let (kind, audience, version) = (KIND.to_owned(), String::new(), 1);
    Label { kind, audience, owner: user.to_string(), id: user.to_string(), version }
}

/// Seals some of the secrets that earlier versions stored in clear: whether there were any.
pub(crate) async fn seal_some(store: &Store, vault: &Arc<Vault>) -> Result<bool, StoreError> {
    let clear = "SELECT id, totp_secret FROM users WHERE totp_secret IS NOT NULL LIMIT $1";
    if query(clear).bind(1u32).fetch_optional(store.readers()).await?.is_none() {
        return Ok(false);
    }
    let (vault, now) = (Arc::clone(vault), store.clock().now());
    let seal = store.write(Durability::Power, move |connection| {
        Box::pin(async move {
            let rows = query(clear).bind(AT_ONCE).fetch_all(&mut *connection).await?;
            for row in &rows {
                let user = UserId::new(row.try_get::<String, _>(0)?);
                let secret = Secret::new(row.try_get::<String, _>(1)?);
                secrets::put(connection, &vault, &label(&user), &secret, now).await?;
                query("UPDATE users SET totp_secret = NULL WHERE id = $1")
                    .bind(user.as_str())
                    .execute(&mut *connection)
                    .await?;
            }
            Ok(!rows.is_empty())
        })
    });
    seal.await
}

/// Forgets a person's second factor.
pub(crate) async fn forget(connection: &mut Connection, user: &UserId) -> Result<(), StoreError> {
    query(
        "UPDATE users SET totp_secret = NULL, totp_confirmed_at = NULL, totp_step = 0 \
         WHERE id = $1",
    )
    .bind(user.as_str())
    .execute(&mut *connection)
    .await?;
    secrets::erase(connection, KIND, user.as_str()).await?;
    query("DELETE FROM recovery_codes WHERE user_id = $1")
        .bind(user.as_str())
        .execute(connection)
        .await?;
    Ok(())
}

fn deed(user: &UserId, state: bool) -> Deed {
    let shown = |on: bool| Some(json!({ "second_factor": on }));
    Deed { kind: "user", id: user.to_string(), before: shown(!state), after: shown(state) }
}

impl Store {
    /// The secret of a person's second factor, in hex, as soon as it was shown.
    ///
    /// # Errors
    /// [`StoreError::Damaged`] when it was changed, or is another person's.
    pub async fn totp_secret(&self, user: &UserId) -> Result<Option<Secret<String>>, StoreError> {
        self.secret(&label(user)).await
    }

    /// Keeps a secret that was shown to a person but is not asked for yet. One that is in use stays.
    ///
    /// # Errors
    /// [`StoreError`] when the database does not answer, or the store was not unlocked.
    pub async fn offer_totp(
        &self,
        user: UserId,
        secret: Secret<String>,
    ) -> Result<bool, StoreError> {
        let (vault, now) = (self.vault(), self.clock().now());
        self.write(Durability::Power, move |connection| {
            Box::pin(async move {
                let done = query(
                    "UPDATE users SET totp_step = 0 WHERE id = $1 AND totp_confirmed_at IS NULL",
                )
                .bind(user.as_str())
                .execute(&mut *connection)
                .await?;
                if done.rows_affected() == 0 {
                    return Ok(false);
                }
                secrets::put(connection, &vault, &label(&user), &secret, now).await?;
                Ok(true)
            })
        })
        .await
    }

    /// From now on the second factor is asked for. `step` is that of the code that was shown; `codes`
    /// are the hashes of the recovery codes. Says whether it was on offer.
    ///
    /// # Errors
    /// [`StoreError`] when the database does not answer.
    pub async fn confirm_totp(
        &self,
        by: By,
        user: UserId,
        step: i64,
        codes: Vec<String>,
    ) -> Result<bool, StoreError> {
        let now = self.clock().now();
        self.manage(by, "user.second_factor", move |connection| {
            Box::pin(async move {
                let done = query(
                    "UPDATE users SET totp_confirmed_at = $1, totp_step = $2 WHERE id = $3 \
                     AND totp_confirmed_at IS NULL \
                     AND EXISTS (SELECT 1 FROM secrets WHERE kind = $4 AND secrets.id = users.id)",
                )
                .bind(now.micros())
                .bind(step)
                .bind(user.as_str())
                .bind(KIND)
                .execute(&mut *connection)
                .await?;
                if done.rows_affected() == 0 {
                    return Ok(Managed::nothing(false));
                }
                query("DELETE FROM recovery_codes WHERE user_id = $1")
                    .bind(user.as_str())
                    .execute(&mut *connection)
                    .await?;
                for code in &codes {
                    query("INSERT INTO recovery_codes (user_id, hash) VALUES ($1, $2)")
                        .bind(user.as_str())
                        .bind(code)
                        .execute(&mut *connection)
                        .await?;
                }
                Ok(Managed::one(true, deed(&user, true)))
            })
        })
        .await
    }

    /// Ends the second factor of a person.
    ///
    /// # Errors
    /// [`StoreError`] when the database does not answer.
    pub async fn remove_totp(&self, by: By, user: UserId) -> Result<(), StoreError> {
        self.manage(by, "user.second_factor", move |connection| {
            Box::pin(async move {
                forget(connection, &user).await?;
                Ok(Managed::one((), deed(&user, false)))
            })
        })
        .await
    }

    /// Uses up all codes up to this step: whether this one was not used yet.
    ///
    /// # Errors
    /// [`StoreError`] when the database does not answer.
    pub async fn use_totp_step(&self, user: UserId, step: i64) -> Result<bool, StoreError> {
        self.write(Durability::Power, move |connection| {
            Box::pin(async move {
                let done = query(
                    "UPDATE users SET totp_step = $1 WHERE id = $2 AND totp_step < $1 \
                     AND totp_confirmed_at IS NOT NULL",
                )
                .bind(step)
                .bind(user.as_str())
                .execute(connection)
                .await?;
                Ok(done.rows_affected() == 1)
            })
        })
        .await
    }

    /// Uses up the recovery code with this hash: whether there was one.
    ///
    /// # Errors
    /// [`StoreError`] when the database does not answer.
    pub async fn use_recovery_code(&self, user: UserId, hash: String) -> Result<bool, StoreError> {
        let now = self.clock().now();
        self.write(Durability::Power, move |connection| {
            Box::pin(async move {
                let done = query(
                    "UPDATE recovery_codes SET used_at = $1 WHERE user_id = $2 AND hash = $3 \
                     AND used_at IS NULL",
                )
                .bind(now.micros())
                .bind(user.as_str())
                .bind(&hash)
                .execute(connection)
                .await?;
                Ok(done.rows_affected() == 1)
            })
        })
        .await
    }
}
