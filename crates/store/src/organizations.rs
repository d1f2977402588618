//! Organizations, and what becomes of their members.

use serde_json::{Value, json};
use signalbox_core::Timestamp;
use signalbox_core::id::{AccountId, UserId};

use crate::accounts::{self, AccountRecord};
use crate::error::StoreError;
use crate::invitations::withdraw_from;
use crate::keys::{KeyKind, disable_of};
use crate::manage::{By, Deed, Managed};
use crate::members::Role;
use crate::scim::directed;
use crate::sql::{Connection, Row, query};
use crate::store::Store;
use crate::workspaces::{WorkspaceRole, follow_role, leave_all};

/// What became of a wish to change a member.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum MemberChange {
    /// It is so.
    Done,
    /// There is no such member.
    NotThere,
    /// Nobody would be left to administer the organization.
    LastAdmin,
    /// An identity provider decides that.
    Elsewhere,
    /// The plan allows no more members.
    Full,
}

/// Keeps other transactions from changing the members of this organization until this one ends.
/// Whether there is such an organization.
pub(crate) async fn hold(
    connection: &mut Connection,
    account: &AccountId,
) -> Result<bool, StoreError> {
    let done = query("UPDATE accounts SET name = name WHERE id = $1 AND kind = 'org'")
        .bind(account.as_str())
        .execute(connection)
        .await?;
    Ok(done.rows_affected() == 1)
}

/// How many members are active.
pub(crate) async fn active(
    connection: &mut Connection,
    account: &AccountId,
) -> Result<u32, StoreError> {
    let row = query(crate::members::ACTIVE).bind(account.as_str()).fetch_one(connection).await?;
    Ok(u32::try_from(row.try_get::<i64, _>(0)?).unwrap_or(u32::MAX))
}

/// A member as far as changes care.
pub(crate) struct Standing {
    pub role: Role,
    pub active: bool,
}

impl Standing {
    pub fn shown(&self) -> Value {
        json!({ "role": self.role, "active": self.active })
    }
}

pub(crate) async fn standing(
    connection: &mut Connection,
    account: &AccountId,
    user: &UserId,
) -> Result<Option<Standing>, StoreError> {
    let row =
        query("SELECT role, deactivated_at FROM members WHERE account_id = $1 AND user_id = $2")
            .bind(account.as_str())
            .bind(user.as_str())
            .fetch_optional(connection)
            .await?;
    let Some(row) = row else { return Ok(None) };
    Ok(Some(Standing {
        role: Role::read(row.try_get::<&str, _>(0)?)?,
        active: row.try_get::<Option<i64>, _>(1)?.is_none(),
    }))
}

/// Whether an active administrator other than this one is there.
async fn another_admin(
    connection: &mut Connection,
    account: &AccountId,
    user: &UserId,
) -> Result<bool, StoreError> {
    let row = query(
        "SELECT 1 FROM members WHERE account_id = $1 AND user_id <> $2 AND role = 'org:admin' \
         AND deactivated_at IS NULL LIMIT 1",
    )
    .bind(account.as_str())
    .bind(user.as_str())
    .fetch_optional(connection)
    .await?;
    Ok(row.is_some())
}

/// What a person began in an organization ends: keys are disabled, codes for apps and invitations to their
/// address are no good any more.
pub(crate) async fn cut_off(
    connection: &mut Connection,
    account: &AccountId,
    user: &UserId,
    now: Timestamp,
) -> Result<Vec<Deed>, StoreError> {
    drop_codes(connection, account, user).await?;
    let mut deeds = withdraw_from(connection, account, user, now).await?;
    deeds.extend(disable_of(connection, account, user, None, now).await?);
    Ok(deeds)
}

/// Ends the sessions of somebody who is switched off: those that act for the organization, and those that
/// began at its identity providers.
pub(crate) async fn end_sessions(
    connection: &mut Connection,
    account: &AccountId,
    user: &UserId,
) -> Result<(), StoreError> {
    query(
        "DELETE FROM sessions WHERE user_id = $1 AND (account_id = $2 \
         OR source IN (SELECT id FROM sso_connections WHERE account_id = $2))",
    )
    .bind(user.as_str())
    .bind(account.as_str())
    .execute(connection)
    .await?;
    Ok(())
}

async fn drop_codes(
    connection: &mut Connection,
    account: &AccountId,
    user: &UserId,
) -> Result<(), StoreError> {
    query("DELETE FROM auth_codes WHERE account_id = $1 AND user_id = $2 AND used_at IS NULL")
        .bind(account.as_str())
        .bind(user.as_str())
        .execute(connection)
        .await?;
    Ok(())
}

/// Adds somebody, or takes back somebody who was deactivated.
pub(crate) async fn join(
    connection: &mut Connection,
    account: &AccountId,
    user: &UserId,
    role: Role,
    now: Timestamp,
) -> Result<Deed, StoreError> {
    let before = standing(connection, account, user).await?.map(|one| one.shown());
    query(
        "INSERT INTO members (account_id, user_id, role, source, created_at) \
         VALUES ($1, $2, $3, 'manual', $4) ON CONFLICT (account_id, user_id) \
         DO UPDATE SET role = excluded.role, source = 'manual', deactivated_at = NULL",
    )
    .bind(account.as_str())
    .bind(user.as_str())
    .bind(role.name())
    .bind(now.micros())
    .execute(connection)
    .await?;
    let after = Some(Standing { role, active: true }.shown());
    Ok(Deed { kind: "member", id: user.to_string(), before, after })
}

impl Store {
    /// Makes an organization whose first administrator is this person.
    ///
    /// # Errors
    /// [`StoreError`] when the database does not answer.
    pub async fn create_organization(
        &self,
        by: By,
        organization: AccountRecord,
        name: String,
        admin: UserId,
    ) -> Result<(), StoreError> {
        self.manage(by, "organization.create", move |connection| {
            Box::pin(async move {
                let now = organization.created_at;
                accounts::add_organization(connection, &organization, &name).await?;
                let joined = join(connection, &organization.id, &admin, Role::Admin, now).await?;
                let after = Some(json!({ "name": name }));
                let id = organization.id.to_string();
                let made = Deed { kind: "organization", id, before: None, after };
                Ok(Managed { value: (), deeds: vec![made, joined] })
            })
        })
        .await
    }

    /// The name of an organization; `None` for what is none.
    ///
    /// # Errors
    /// [`StoreError`] when the database does not answer.
    pub async fn organization(&self, account: &AccountId) -> Result<Option<String>, StoreError> {
        let row = query("SELECT name FROM accounts WHERE id = $1 AND kind = 'org'")
            .bind(account.as_str())
            .fetch_optional(self.readers())
            .await?;
        let name = row.map(|row| row.try_get::<Option<String>, _>(0)).transpose()?;
        Ok(name.map(Option::unwrap_or_default))
    }

    /// Gives a member another role, switches them off or on again. Whoever is switched off loses their
    /// keys, and who is no admin any more their management keys; nothing gives them back. `most` is how many members the plan allows.
    ///
    /// # Errors
    /// [`StoreError`] when the database does not answer.
    pub async fn change_member(
        &self,
        by: By,
        user: UserId,
        role: Option<Role>,
        on: Option<bool>,
        most: u32,
    ) -> Result<MemberChange, StoreError> {
        let (account, now) = (by.account.clone(), self.clock().now());
        self.manage(by, "member.update", move |connection| {
            Box::pin(async move {
                hold(connection, &account).await?;
                let Some(old) = standing(connection, &account, &user).await? else {
                    return Ok(Managed::nothing(MemberChange::NotThere));
                };
                let role = role.unwrap_or(old.role);
                let new = Standing { role, active: on.unwrap_or(old.active) };
                let was_admin = old.active && old.role == Role::Admin;
                let stays_admin = new.active && new.role == Role::Admin;
                if was_admin && !stays_admin && !another_admin(connection, &account, &user).await? {
                    return Ok(Managed::nothing(MemberChange::LastAdmin));
                }
                let elsewhere = directed(connection, &account, &user).await?;
                if elsewhere && new.active != old.active {
                    return Ok(Managed::nothing(MemberChange::Elsewhere));
                }
                if new.active && !old.active && active(connection, &account).await? >= most {
                    return Ok(Managed::nothing(MemberChange::Full));
                }
                let (before, after) = (Some(old.shown()), Some(new.shown()));
                let mut deeds = Vec::new();
                if before != after {
                    deeds.push(Deed { kind: "member", id: user.to_string(), before, after });
                    deeds.extend(write(connection, &account, &user, &new, now).await?);
                }
                if old.active && !new.active {
                    end_sessions(connection, &account, &user).await?;
                    deeds.extend(cut_off(connection, &account, &user, now).await?);
                } else if was_admin && !stays_admin {
                    drop_codes(connection, &account, &user).await?;
                    let management = Some(KeyKind::Management);
                    deeds.extend(disable_of(connection, &account, &user, management, now).await?);
                }
                Ok(Managed { value: MemberChange::Done, deeds })
            })
        })
        .await
    }

    /// Removes a member with everything that hung on the membership; their keys are disabled.
    ///
    /// # Errors
    /// [`StoreError`] when the database does not answer.
    pub async fn remove_member(&self, by: By, user: UserId) -> Result<MemberChange, StoreError> {
        let (account, now) = (by.account.clone(), self.clock().now());
        self.manage(by, "member.remove", move |connection| {
            Box::pin(async move {
                hold(connection, &account).await?;
                let Some(old) = standing(connection, &account, &user).await? else {
                    return Ok(Managed::nothing(MemberChange::NotThere));
                };
                if directed(connection, &account, &user).await? {
                    return Ok(Managed::nothing(MemberChange::Elsewhere));
                }
                let alone = old.active && old.role == Role::Admin;
                if alone && !another_admin(connection, &account, &user).await? {
                    return Ok(Managed::nothing(MemberChange::LastAdmin));
                }
                let before = Some(old.shown());
                let gone = Deed { kind: "member", id: user.to_string(), before, after: None };
                let mut deeds = vec![gone];
                deeds.extend(cut_off(connection, &account, &user, now).await?);
                deeds.extend(delete(connection, &account, &user).await?);
                Ok(Managed { value: MemberChange::Done, deeds })
            })
        })
        .await
    }
}

async fn write(
    connection: &mut Connection,
    account: &AccountId,
    user: &UserId,
    member: &Standing,
    now: Timestamp,
) -> Result<Vec<Deed>, StoreError> {
    query(
        "UPDATE members SET role = $1, deactivated_at = CASE WHEN $2 = 1 THEN NULL \
         ELSE coalesce(deactivated_at, $3) END WHERE account_id = $4 AND user_id = $5",
    )
    .bind(member.role.name())
    .bind(member.active)
    .bind(now.micros())
    .bind(account.as_str())
    .bind(user.as_str())
    .execute(&mut *connection)
    .await?;
    // The role in a workspace that somebody was added to is a copy.
    follow_role(connection, account, user, WorkspaceRole::of(member.role)).await
}

async fn delete(
    connection: &mut Connection,
    account: &AccountId,
    user: &UserId,
) -> Result<Vec<Deed>, StoreError> {
    let deeds = leave_all(connection, account, user).await?;
    query("DELETE FROM members WHERE account_id = $1 AND user_id = $2")
        .bind(account.as_str())
        .bind(user.as_str())
        .execute(connection)
        .await?;
    Ok(deeds)
}
