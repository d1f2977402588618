//! Connections of organizations to their identity providers: one for each domain (platform spec 17.1).

mod words;

pub use words::{SsoOrigin, SsoStatus};

use serde_json::{Value, json};
use signalbox_core::id::AccountId;
use signalbox_core::{Secret, Timestamp};
use signalbox_vault::Label;

use crate::error::StoreError;
use crate::manage::{By, Deed, Managed};
use crate::scim;
use crate::secrets;
use crate::sql::{AssertSqlSafe, Connection, Line, Row, query};
use crate::store::Store;

/// One connection.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SsoConnection {
    /// Its id: a UUID.
    pub id: String,
    /// Of which organization.
    pub account: AccountId,
    /// The domain, in lower case.
    pub domain: String,
    /// Who set it up.
    pub origin: SsoOrigin,
    /// Whether it is in use.
    pub status: SsoStatus,
    /// What a TXT record of the domain has to say.
    pub dns_token: String,
    /// When it did.
    pub verified_at: Option<Timestamp>,
    /// The issuer of the identity provider.
    pub issuer: Option<String>,
    /// Who this installation is there.
    pub client_id: Option<String>,
    /// Which secret the client has there: 1 for the first; none for a public client.
    pub secret_version: Option<i64>,
    /// When somebody of the domain came back from the identity provider as it is set up now.
    pub tested_at: Option<Timestamp>,
    /// Who made it: the id of a person, or the operator.
    pub created_by: Option<String>,
    /// When.
    pub created_at: Timestamp,
    /// When it was changed last.
    pub updated_at: Timestamp,
}

/// The kind of their secrets.
const KIND: &str = "sso";

impl SsoConnection {
    /// What its secret is bound to: the issuer alone is shown it.
    fn label(&self) -> Label {
        Label {
            kind: KIND.to_owned(),
            audience: self.issuer.clone().unwrap_or_default(),
            owner: self.account.to_string(),
            id: self.id.clone(),
            version: self.secret_version.unwrap_or(0),
        }
    }

    fn shown(&self) -> Value {
        json!({
            "domain": self.domain, "origin": self.origin, "status": self.status,
            "verified": self.verified_at.is_some(), "issuer": self.issuer,
            "client_id": self.client_id, "tested": self.tested_at.is_some(),
        })
    }
}

/// What became of a wish to change connections.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SsoChange {
    /// It is so.
    Done,
    /// There is no such connection.
    NotThere,
    /// The organization has one of this domain, or another organization has proven the domain.
    Taken,
    /// Somebody else changed it meanwhile.
    Moved,
}

const COLUMNS: &str = "id, account_id, domain, origin, status, dns_token, verified_at, issuer, \
     client_id, secret_version, tested_at, created_by, created_at, updated_at";

fn read(row: &Line) -> Result<SsoConnection, StoreError> {
    let time = |micros: Option<i64>| micros.map(Timestamp::from_micros);
    Ok(SsoConnection {
        id: row.try_get(0)?,
        account: AccountId::new(row.try_get::<String, _>(1)?),
        domain: row.try_get(2)?,
        origin: SsoOrigin::read(row.try_get::<&str, _>(3)?)?,
        status: SsoStatus::read(row.try_get::<&str, _>(4)?)?,
        dns_token: row.try_get(5)?,
        verified_at: time(row.try_get(6)?),
        issuer: row.try_get(7)?,
        client_id: row.try_get(8)?,
        secret_version: row.try_get(9)?,
        tested_at: time(row.try_get(10)?),
        created_by: row.try_get(11)?,
        created_at: Timestamp::from_micros(row.try_get(12)?),
        updated_at: Timestamp::from_micros(row.try_get(13)?),
    })
}

async fn insert(connection: &mut Connection, one: &SsoConnection) -> Result<(), StoreError> {
    let sql = format!(
        "INSERT INTO sso_connections ({COLUMNS}) VALUES \
         ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14)"
    );
    query(AssertSqlSafe(sql))
        .bind(&one.id)
        .bind(one.account.as_str())
        .bind(&one.domain)
        .bind(one.origin.name())
        .bind(one.status.name())
        .bind(&one.dns_token)
        .bind(one.verified_at.map(Timestamp::micros))
        .bind(&one.issuer)
        .bind(&one.client_id)
        .bind(one.secret_version)
        .bind(one.tested_at.map(Timestamp::micros))
        .bind(&one.created_by)
        .bind(one.created_at.micros())
        .bind(one.updated_at.micros())
        .execute(connection)
        .await?;
    Ok(())
}

async fn write(connection: &mut Connection, one: &SsoConnection) -> Result<(), StoreError> {
    query(
        "UPDATE sso_connections SET status = $1, verified_at = $2, issuer = $3, client_id = $4, \
         secret_version = $5, tested_at = $6, updated_at = $7 WHERE id = $8 AND account_id = $9",
    )
    .bind(one.status.name())
    .bind(one.verified_at.map(Timestamp::micros))
    .bind(&one.issuer)
    .bind(&one.client_id)
    .bind(one.secret_version)
    .bind(one.tested_at.map(Timestamp::micros))
    .bind(one.updated_at.micros())
    .bind(&one.id)
    .bind(one.account.as_str())
    .execute(connection)
    .await?;
    Ok(())
}

/// The connection with this id, as the transaction that changes it sees it.
async fn held(
    connection: &mut Connection,
    account: &AccountId,
    id: &str,
) -> Result<Option<SsoConnection>, StoreError> {
    // Keeps other transactions from changing it until this one ends.
    query("UPDATE sso_connections SET updated_at = updated_at WHERE id = $1 AND account_id = $2")
        .bind(id)
        .bind(account.as_str())
        .execute(&mut *connection)
        .await?;
    let sql = format!(
        "SELECT {COLUMNS} FROM sso_connections WHERE id = $1 AND account_id = $2 \
         AND deleted_at IS NULL"
    );
    let row = query(AssertSqlSafe(sql)).bind(id).bind(account.as_str());
    row.fetch_optional(connection).await?.as_ref().map(read).transpose()
}

/// A constraint that was violated is a domain that is taken.
fn or_taken(done: Result<SsoChange, StoreError>) -> Result<SsoChange, StoreError> {
    match done {
        Err(StoreError::Constraint(_)) => Ok(SsoChange::Taken),
        done => done,
    }
}

impl Store {
    async fn sso_where(&self, rest: &str, value: &str) -> Result<Vec<SsoConnection>, StoreError> {
        let sql = format!(
            "SELECT {COLUMNS} FROM sso_connections WHERE {rest} AND deleted_at IS NULL \
             ORDER BY domain, id"
        );
        let rows = query(AssertSqlSafe(sql)).bind(value).fetch_all(self.readers()).await?;
        rows.iter().map(read).collect()
    }

    /// The connection with this id.
    ///
    /// # Errors
    /// [`StoreError`] when the database does not answer.
    pub async fn sso_connection(&self, id: &str) -> Result<Option<SsoConnection>, StoreError> {
        Ok(self.sso_where("id = $1", id).await?.pop())
    }

    /// The connections of an organization, by their domains.
    ///
    /// # Errors
    /// [`StoreError`] when the database does not answer.
    pub async fn sso_connections_of(
        &self,
        account: &AccountId,
    ) -> Result<Vec<SsoConnection>, StoreError> {
        self.sso_where("account_id = $1", account.as_str()).await
    }

    /// The active connection for addresses of this domain, in lower case.
    ///
    /// # Errors
    /// [`StoreError`] when the database does not answer.
    pub async fn sso_connection_for(
        &self,
        domain: &str,
    ) -> Result<Option<SsoConnection>, StoreError> {
        Ok(self.sso_where("status = 'active' AND domain = $1", domain).await?.pop())
    }

    /// Adds a connection to the organization that `by` manages.
    ///
    /// # Errors
    /// [`StoreError`] when the database does not answer.
    pub async fn add_sso_connection(
        &self,
        by: By,
        one: SsoConnection,
    ) -> Result<SsoChange, StoreError> {
        let done = self.manage(by, "sso.create", move |connection| {
            Box::pin(async move {
                insert(connection, &one).await?;
                let (id, after) = (one.id.clone(), Some(one.shown()));
                let deed = Deed { kind: "sso_connection", id, before: None, after };
                Ok(Managed::one(SsoChange::Done, deed))
            })
        });
        or_taken(done.await)
    }

    /// Changes a connection of the organization that `by` manages: `edit` is given it as it is.
    ///
    /// # Errors
    /// [`StoreError`] when the database does not answer.
    pub async fn change_sso_connection(
        &self,
        by: By,
        id: String,
        edit: impl FnOnce(&mut SsoConnection) + Send + 'static,
    ) -> Result<SsoChange, StoreError> {
        let (account, now) = (by.account.clone(), self.clock().now());
        let done = self.manage(by, "sso.update", move |connection| {
            Box::pin(async move {
                let Some(old) = held(connection, &account, &id).await? else {
                    return Ok(Managed::nothing(SsoChange::NotThere));
                };
                let mut new = old.clone();
                edit(&mut new);
                new.updated_at = now;
                write(connection, &new).await?;
                let (before, after) = (Some(old.shown()), Some(new.shown()));
                let deed = Deed { kind: "sso_connection", id, before, after };
                Ok(Managed::one(SsoChange::Done, deed))
            })
        });
        or_taken(done.await)
    }

    /// Sets a connection of the organization that `by` manages to `new`, unless it is not `old` any more;
    /// and its secret, if one is given: none is a public client.
    ///
    /// # Errors
    /// [`StoreError`] when the database does not answer, or no secret can be kept.
    pub async fn set_sso_connection(
        &self,
        by: By,
        old: &SsoConnection,
        new: SsoConnection,
        secret: Option<Option<Secret<String>>>,
    ) -> Result<SsoChange, StoreError> {
        let (account, now, seen) = (by.account.clone(), self.clock().now(), old.clone());
        let vault = self.vault();
        let done = self.manage(by, "sso.update", move |connection| {
            Box::pin(async move {
                let Some(old) = held(connection, &account, &seen.id).await? else {
                    return Ok(Managed::nothing(SsoChange::NotThere));
                };
                if old != seen {
                    return Ok(Managed::nothing(SsoChange::Moved));
                }
                let mut new = SsoConnection { updated_at: now, ..new };
                match secret {
                    None => {}
                    Some(None) => {
                        new.secret_version = None;
                        secrets::erase(connection, KIND, &new.id).await?;
                    }
                    Some(Some(secret)) => {
                        new.secret_version =
                            Some(old.secret_version.unwrap_or(0).saturating_add(1));
                        secrets::put(connection, &vault, &new.label(), &secret, now).await?;
                    }
                }
                write(connection, &new).await?;
                let (id, before, after) = (new.id.clone(), Some(old.shown()), Some(new.shown()));
                let deed = Deed { kind: "sso_connection", id, before, after };
                Ok(Managed::one(SsoChange::Done, deed))
            })
        });
        or_taken(done.await)
    }

    /// The secret of a connection's client, opened.
    ///
    /// # Errors
    /// [`StoreError`] when the database does not answer, or it can't be opened.
    pub async fn sso_secret(
        &self,
        one: &SsoConnection,
    ) -> Result<Option<Secret<String>>, StoreError> {
        match one.secret_version {
            None => Ok(None),
            Some(_) => self.secret(&one.label()).await,
        }
    }

    /// Deletes a connection of the organization that `by` manages. Identities that it vouched for stay
    /// without use.
    ///
    /// # Errors
    /// [`StoreError`] when the database does not answer.
    pub async fn delete_sso_connection(&self, by: By, id: String) -> Result<SsoChange, StoreError> {
        let (account, now) = (by.account.clone(), self.clock().now());
        self.manage(by, "sso.delete", move |connection| {
            Box::pin(async move {
                let Some(old) = held(connection, &account, &id).await? else {
                    return Ok(Managed::nothing(SsoChange::NotThere));
                };
                secrets::erase(connection, KIND, &id).await?;
                query(
                    "UPDATE sso_connections SET status = 'disabled', secret_version = NULL, \
                     deleted_at = $1, updated_at = $1 WHERE id = $2",
                )
                .bind(now.micros())
                .bind(&id)
                .execute(&mut *connection)
                .await?;
                let mut deeds = scim::forget(connection, &account, &id, now).await?;
                let before = Some(old.shown());
                deeds.push(Deed { kind: "sso_connection", id, before, after: None });
                Ok(Managed { value: SsoChange::Done, deeds })
            })
        })
        .await
    }

    /// Since when an organization shows its settings for single sign-on.
    ///
    /// # Errors
    /// [`StoreError`] when the database does not answer.
    pub async fn sso_enabled_at(
        &self,
        account: &AccountId,
    ) -> Result<Option<Timestamp>, StoreError> {
        let row = query("SELECT sso_enabled_at FROM accounts WHERE id = $1")
            .bind(account.as_str())
            .fetch_optional(self.readers())
            .await?;
        let micros: Option<i64> = row.map(|row| row.try_get(0)).transpose()?.flatten();
        Ok(micros.map(Timestamp::from_micros))
    }

    /// Lets the organization that `by` manages show them from now on.
    ///
    /// # Errors
    /// [`StoreError`] when the database does not answer.
    pub async fn enable_sso(&self, by: By) -> Result<(), StoreError> {
        let (account, now) = (by.account.clone(), self.clock().now());
        self.manage(by, "sso.enable", move |connection| {
            Box::pin(async move {
                let done = query(
                    "UPDATE accounts SET sso_enabled_at = $1 WHERE id = $2 AND kind = 'org' \
                     AND sso_enabled_at IS NULL",
                )
                .bind(now.micros())
                .bind(account.as_str())
                .execute(connection)
                .await?;
                if done.rows_affected() == 0 {
                    return Ok(Managed::nothing(()));
                }
                let after = Some(json!({ "sso_enabled": true }));
                let id = account.to_string();
                Ok(Managed::one((), Deed { kind: "organization", id, before: None, after }))
            })
        })
        .await
    }
}
