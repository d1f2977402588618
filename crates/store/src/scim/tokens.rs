//! The tokens that directories show. Of a token there is only its SHA-256.

use serde_json::{Value, json};
use signalbox_core::Timestamp;
use signalbox_core::id::AccountId;

use crate::error::StoreError;
use crate::manage::{By, Deed, Managed};
use crate::sql::{AssertSqlSafe, Line, Row, query};
use crate::store::Store;
use crate::writer::Durability;

/// A token, without what is secret.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ScimToken {
    /// Its id: a UUID.
    pub id: String,
    /// Whose organization it provisions.
    pub account: AccountId,
    /// Over which connection.
    pub connection: String,
    /// What people call it.
    pub name: String,
    /// Who made it.
    pub created_by: String,
    /// When.
    pub created_at: Timestamp,
    /// When it was last used, to a minute.
    pub used_at: Option<Timestamp>,
}

/// Whoever shows a good token.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Directory {
    /// The token.
    pub token: ScimToken,
    /// The domain whose people it vouches for, in lower case; proven.
    pub domain: String,
}

const COLUMNS: &str = "scim_tokens.id, scim_tokens.account_id, connection_id, name, \
     scim_tokens.created_by, scim_tokens.created_at, used_at";

fn read(row: &Line) -> Result<ScimToken, StoreError> {
    Ok(ScimToken {
        id: row.try_get(0)?,
        account: AccountId::new(row.try_get::<String, _>(1)?),
        connection: row.try_get(2)?,
        name: row.try_get(3)?,
        created_by: row.try_get(4)?,
        created_at: Timestamp::from_micros(row.try_get(5)?),
        used_at: row.try_get::<Option<i64>, _>(6)?.map(Timestamp::from_micros),
    })
}

fn shown(token: &ScimToken) -> Option<Value> {
    Some(json!({ "connection_id": token.connection, "name": token.name }))
}

impl Store {
    /// Adds a token with this SHA-256.
    ///
    /// # Errors
    /// [`StoreError::Constraint`] when there is no such connection.
    pub async fn add_scim_token(
        &self,
        by: By,
        token: ScimToken,
        hash: String,
    ) -> Result<(), StoreError> {
        self.manage(by, "scim.token.create", move |connection| {
            Box::pin(async move {
                query(
                    "INSERT INTO scim_tokens (id, hash, account_id, connection_id, name, \
                     created_by, created_at) VALUES ($1, $2, $3, $4, $5, $6, $7)",
                )
                .bind(&token.id)
                .bind(&hash)
                .bind(token.account.as_str())
                .bind(&token.connection)
                .bind(&token.name)
                .bind(&token.created_by)
                .bind(token.created_at.micros())
                .execute(connection)
                .await?;
                let (id, after) = (token.id.clone(), shown(&token));
                Ok(Managed::one((), Deed { kind: "scim_token", id, before: None, after }))
            })
        })
        .await
    }

    /// The tokens of an organization that are good, the newest first.
    ///
    /// # Errors
    /// [`StoreError`] when the database does not answer.
    pub async fn scim_tokens(&self, account: &AccountId) -> Result<Vec<ScimToken>, StoreError> {
        let sql = format!(
            "SELECT {COLUMNS} FROM scim_tokens WHERE account_id = $1 AND revoked_at IS NULL \
             ORDER BY created_at DESC, id"
        );
        let rows = query(AssertSqlSafe(sql)).bind(account.as_str());
        rows.fetch_all(self.readers()).await?.iter().map(read).collect()
    }

    /// Takes a token back: whether there was such a one.
    ///
    /// # Errors
    /// [`StoreError`] when the database does not answer.
    pub async fn revoke_scim_token(&self, by: By, id: String) -> Result<bool, StoreError> {
        let (account, now) = (by.account.clone(), self.clock().now());
        self.manage(by, "scim.token.revoke", move |connection| {
            Box::pin(async move {
                let sql = format!(
                    "UPDATE scim_tokens SET revoked_at = $1 \
                     WHERE id = $2 AND account_id = $3 AND revoked_at IS NULL RETURNING {COLUMNS}"
                );
                let row = query(AssertSqlSafe(sql)).bind(now.micros()).bind(&id);
                let row = row.bind(account.as_str()).fetch_optional(connection).await?;
                let Some(row) = row else { return Ok(Managed::nothing(false)) };
                let before = shown(&read(&row)?);
                Ok(Managed::one(true, Deed { kind: "scim_token", id, before, after: None }))
            })
        })
        .await
    }

    /// Whose token has this SHA-256, as long as it is good: not taken back, of a connection that is
    /// there and whose domain is proven.
    ///
    /// # Errors
    /// [`StoreError`] when the database does not answer.
    pub async fn directory(&self, hash: &str) -> Result<Option<Directory>, StoreError> {
        let sql = format!(
            "SELECT {COLUMNS}, domain FROM scim_tokens JOIN sso_connections \
             ON sso_connections.id = connection_id WHERE hash = $1 AND revoked_at IS NULL \
             AND sso_connections.deleted_at IS NULL AND verified_at IS NOT NULL"
        );
        let row = query(AssertSqlSafe(sql)).bind(hash);
        let Some(row) = row.fetch_optional(self.readers()).await? else { return Ok(None) };
        Ok(Some(Directory { token: read(&row)?, domain: row.try_get(7)? }))
    }

    /// Notes that a token is in use.
    ///
    /// # Errors
    /// [`StoreError`] when the database does not answer.
    pub async fn touch_scim_token(&self, id: String) -> Result<(), StoreError> {
        let now = self.clock().now();
        self.write(Durability::Process, move |connection| {
            Box::pin(async move {
                query("UPDATE scim_tokens SET used_at = $1 WHERE id = $2")
                    .bind(now.micros())
                    .bind(&id)
                    .execute(connection)
                    .await?;
                Ok(())
            })
        })
        .await
    }
}
