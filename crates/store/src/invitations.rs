//! Invitations into organizations. Each is bound to an address and used once.

use serde_json::json;
use signalbox_core::Timestamp;
use signalbox_core::id::{AccountId, UserId};

use crate::error::StoreError;
use crate::manage::{By, Deed, Managed};
use crate::members::Role;
use crate::organizations::{active, hold, join, standing};
use crate::scim::directed;
use crate::sql::{AssertSqlSafe, Connection, Line, Row, query};
use crate::store::Store;

/// One invitation.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct InvitationRecord {
    /// Its public id: a UUID.
    pub id: String,
    /// Into which organization.
    pub account: AccountId,
    /// Whom: an address in lower case.
    pub email: String,
    /// As what.
    pub role: Role,
    /// Who invited.
    pub invited_by: UserId,
    /// When.
    pub created_at: Timestamp,
    /// Until when it can be accepted.
    pub expires_at: Timestamp,
}

/// What became of an invitation.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Invited {
    /// It is on its way.
    Done,
    /// Whoever has that address is a member.
    Already,
    /// Members and open invitations are as many as the plan allows members.
    Full,
}

/// What became of somebody who accepted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Joined {
    /// They are a member.
    Done,
    /// The invitation is not, or no longer, good, or is for somebody else.
    NotThere,
    /// The plan allows no more members.
    Full,
}

const COLUMNS: &str = "id, account_id, email, role, invited_by, created_at, expires_at";
/// Not accepted, not revoked, and not yet too old: `$2` is now.
const OPEN: &str = "accepted_at IS NULL AND revoked_at IS NULL AND expires_at > $2";

fn read(row: &Line) -> Result<InvitationRecord, StoreError> {
    Ok(InvitationRecord {
        id: row.try_get(0)?,
        account: AccountId::new(row.try_get::<String, _>(1)?),
        email: row.try_get(2)?,
        role: Role::read(row.try_get::<&str, _>(3)?)?,
        invited_by: UserId::new(row.try_get::<String, _>(4)?),
        created_at: Timestamp::from_micros(row.try_get(5)?),
        expires_at: Timestamp::from_micros(row.try_get(6)?),
    })
}

async fn is_member(
    connection: &mut Connection,
    invitation: &InvitationRecord,
) -> Result<bool, StoreError> {
    let row = query(
        "SELECT 1 FROM members JOIN users ON users.id = members.user_id \
         WHERE members.account_id = $1 AND users.email = $2 AND members.deactivated_at IS NULL",
    )
    .bind(invitation.account.as_str())
    .bind(&invitation.email)
    .fetch_optional(connection)
    .await?;
    Ok(row.is_some())
}

/// Takes back what was sent to this address of an organization and not yet accepted.
async fn withdraw(
    connection: &mut Connection,
    account: &AccountId,
    email: &str,
    now: Timestamp,
) -> Result<Vec<Deed>, StoreError> {
    let sql = format!(
        "UPDATE invitations SET revoked_at = $2 WHERE account_id = $1 AND email = $3 AND {OPEN} \
         RETURNING {COLUMNS}"
    );
    let rows = query(AssertSqlSafe(sql)).bind(account.as_str()).bind(now.micros()).bind(email);
    let rows = rows.fetch_all(connection).await?;
    rows.iter().map(|row| Ok(withdrawn(&read(row)?))).collect()
}

/// The same for whoever becomes a member otherwise, or is one no longer: nobody comes back by an
/// invitation from before.
pub(crate) async fn withdraw_from(
    connection: &mut Connection,
    account: &AccountId,
    user: &UserId,
    now: Timestamp,
) -> Result<Vec<Deed>, StoreError> {
    let row = query("SELECT email FROM users WHERE id = $1").bind(user.as_str());
    let Some(row) = row.fetch_optional(&mut *connection).await? else { return Ok(Vec::new()) };
    let email: String = row.try_get(0)?;
    withdraw(connection, account, &email, now).await
}

fn withdrawn(invitation: &InvitationRecord) -> Deed {
    let (id, before) = (invitation.id.clone(), Some(shown(invitation)));
    Deed { kind: "invitation", id, before, after: None }
}

async fn open(
    connection: &mut Connection,
    account: &AccountId,
    now: Timestamp,
) -> Result<u32, StoreError> {
    let sql = format!("SELECT count(*) FROM invitations WHERE account_id = $1 AND {OPEN}");
    let row = query(AssertSqlSafe(sql)).bind(account.as_str()).bind(now.micros());
    let count: i64 = row.fetch_one(connection).await?.try_get(0)?;
    Ok(u32::try_from(count).unwrap_or(u32::MAX))
}

fn shown(invitation: &InvitationRecord) -> serde_json::Value {
    json!({ "email": invitation.email, "role": invitation.role })
}

impl Store {
    /// Invites an address; what was sent to it before is no good any more. `hash` is that of the token;
    /// `most` is how many members the plan allows.
    ///
    /// # Errors
    /// [`StoreError`] when the database does not answer.
    pub async fn invite(
        &self,
        by: By,
        invitation: InvitationRecord,
        hash: String,
        most: u32,
    ) -> Result<Invited, StoreError> {
        let now = invitation.created_at;
        self.manage(by, "invitation.create", move |connection| {
            Box::pin(async move {
                let account = &invitation.account;
                hold(connection, account).await?;
                if is_member(connection, &invitation).await? {
                    return Ok(Managed::nothing(Invited::Already));
                }
                let mut deeds = withdraw(connection, account, &invitation.email, now).await?;
                let taken = active(connection, account).await?;
                let taken = taken.saturating_add(open(connection, account, now).await?);
                if taken >= most {
                    return Ok(Managed { value: Invited::Full, deeds });
                }
                insert(connection, &invitation, &hash).await?;
                let (id, after) = (invitation.id.clone(), Some(shown(&invitation)));
                deeds.push(Deed { kind: "invitation", id, before: None, after });
                Ok(Managed { value: Invited::Done, deeds })
            })
        })
        .await
    }

    /// The open invitations into an organization, the latest first.
    ///
    /// # Errors
    /// [`StoreError`] when the database does not answer.
    pub async fn invitations(
        &self,
        account: &AccountId,
    ) -> Result<Vec<InvitationRecord>, StoreError> {
        let sql = format!(
            "SELECT {COLUMNS} FROM invitations WHERE account_id = $1 AND {OPEN} \
             ORDER BY created_at DESC, id"
        );
        let rows = query(AssertSqlSafe(sql)).bind(account.as_str());
        let rows = rows.bind(self.clock().now().micros()).fetch_all(self.readers()).await?;
        rows.iter().map(read).collect()
    }

    /// The open invitation with this token.
    ///
    /// # Errors
    /// [`StoreError`] when the database does not answer.
    pub async fn invitation(&self, hash: &str) -> Result<Option<InvitationRecord>, StoreError> {
        let sql = format!("SELECT {COLUMNS} FROM invitations WHERE hash = $1 AND {OPEN}");
        let row = query(AssertSqlSafe(sql)).bind(hash).bind(self.clock().now().micros());
        row.fetch_optional(self.readers()).await?.as_ref().map(read).transpose()
    }

    /// Whether an open invitation is for this address.
    ///
    /// # Errors
    /// [`StoreError`] when the database does not answer.
    pub async fn is_invited(&self, email: &str) -> Result<bool, StoreError> {
        let sql = format!("SELECT 1 FROM invitations WHERE email = $1 AND {OPEN} LIMIT 1");
        let row = query(AssertSqlSafe(sql)).bind(email).bind(self.clock().now().micros());
        Ok(row.fetch_optional(self.readers()).await?.is_some())
    }

    /// Takes an invitation back: whether there was such an open one.
    ///
    /// # Errors
    /// [`StoreError`] when the database does not answer.
    pub async fn revoke_invitation(&self, by: By, id: String) -> Result<bool, StoreError> {
        let (account, now) = (by.account.clone(), self.clock().now());
        self.manage(by, "invitation.revoke", move |connection| {
            Box::pin(async move {
                let sql = format!(
                    "UPDATE invitations SET revoked_at = $2 WHERE id = $1 AND account_id = $3 \
                     AND {OPEN} RETURNING {COLUMNS}"
                );
                let row = query(AssertSqlSafe(sql)).bind(&id).bind(now.micros());
                let row = row.bind(account.as_str()).fetch_optional(connection).await?;
                let Some(row) = row else { return Ok(Managed::nothing(false)) };
                Ok(Managed::one(true, withdrawn(&read(&row)?)))
            })
        })
        .await
    }

    /// Makes a person a member by the invitation with this token, which must be for their address.
    /// Whoever is a member stays what they are. Whom a directory keeps out stays out.
    ///
    /// # Errors
    /// [`StoreError`] when the database does not answer.
    pub async fn accept_invitation(
        &self,
        by: By,
        invitation: InvitationRecord,
        user: UserId,
        hash: String,
        most: u32,
    ) -> Result<Joined, StoreError> {
        let now = self.clock().now();
        self.manage(by, "invitation.accept", move |connection| {
            Box::pin(async move {
                let account = &invitation.account;
                hold(connection, account).await?;
                let is_in = standing(connection, account, &user).await?;
                let is_in = is_in.is_some_and(|one| one.active);
                if !is_in && directed(connection, account, &user).await? {
                    return Ok(Managed::nothing(Joined::NotThere));
                }
                if !is_in && active(connection, account).await? >= most {
                    return Ok(Managed::nothing(Joined::Full));
                }
                let done = query(
                    "UPDATE invitations SET accepted_at = $2 WHERE hash = $1 AND accepted_at IS NULL \
                     AND revoked_at IS NULL AND expires_at > $2 \
                     AND email = (SELECT email FROM users WHERE id = $3)",
                )
                .bind(&hash)
                .bind(now.micros())
                .bind(user.as_str())
                .execute(&mut *connection)
                .await?;
                if done.rows_affected() == 0 {
                    return Ok(Managed::nothing(Joined::NotThere));
                }
                let mut deeds = vec![withdrawn(&invitation)];
                if !is_in {
                    deeds.push(join(connection, account, &user, invitation.role, now).await?);
                }
                Ok(Managed { value: Joined::Done, deeds })
            })
        })
        .await
    }
}

async fn insert(
    connection: &mut Connection,
    invitation: &InvitationRecord,
    hash: &str,
) -> Result<(), StoreError> {
    query(
        "INSERT INTO invitations (id, hash, account_id, email, role, invited_by, created_at, \
         expires_at) VALUES ($1, $2, $3, $4, $5, $6, $7, $8)",
    )
    .bind(&invitation.id)
    .bind(hash)
    .bind(invitation.account.as_str())
    .bind(&invitation.email)
    .bind(invitation.role.name())
    .bind(invitation.invited_by.as_str())
    .bind(invitation.created_at.micros())
    .bind(invitation.expires_at.micros())
    .execute(connection)
    .await?;
    Ok(())
}
