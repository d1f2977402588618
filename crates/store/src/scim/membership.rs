//! What a directory says of somebody, as a membership of the organization.

use signalbox_core::Timestamp;
use signalbox_core::id::{AccountId, UserId};

use crate::error::StoreError;
use crate::manage::Deed;
use crate::members::Role;
use crate::organizations::{Standing, active, cut_off, standing};
use crate::sql::{Connection, query};

/// Whether a directory that can still be heard decides about this member.
pub(crate) async fn directed(
    connection: &mut Connection,
    account: &AccountId,
    user: &UserId,
) -> Result<bool, StoreError> {
    let row = query(
        "SELECT 1 FROM scim_users JOIN sso_connections ON sso_connections.id = connection_id \
         WHERE scim_users.account_id = $1 AND user_id = $2 AND sso_connections.deleted_at IS NULL \
         AND EXISTS (SELECT 1 FROM scim_tokens WHERE revoked_at IS NULL \
         AND scim_tokens.connection_id = scim_users.connection_id)",
    )
    .bind(account.as_str())
    .bind(user.as_str())
    .fetch_optional(connection)
    .await?;
    Ok(row.is_some())
}

/// Whether the plan allows one more member, or this person is one.
pub(super) async fn room(
    connection: &mut Connection,
    account: &AccountId,
    user: Option<&UserId>,
    most: u32,
) -> Result<bool, StoreError> {
    if let Some(user) = user
        && standing(connection, account, user).await?.is_some_and(|one| one.active)
    {
        return Ok(true);
    }
    Ok(active(connection, account).await? < most)
}

/// Makes somebody an active member; one who was one before keeps the role.
pub(super) async fn switch_on(
    connection: &mut Connection,
    account: &AccountId,
    user: &UserId,
    now: Timestamp,
) -> Result<Deed, StoreError> {
    let old = standing(connection, account, user).await?;
    query(
        "INSERT INTO members (account_id, user_id, role, source, created_at) \
         VALUES ($1, $2, 'org:member', 'scim', $3) ON CONFLICT (account_id, user_id) \
         DO UPDATE SET source = 'scim', deactivated_at = NULL",
    )
    .bind(account.as_str())
    .bind(user.as_str())
    .bind(now.micros())
    .execute(connection)
    .await?;
    let role = old.as_ref().map_or(Role::Member, |one| one.role);
    let after = Some(Standing { role, active: true }.shown());
    let before = old.map(|one| one.shown());
    Ok(Deed { kind: "member", id: user.to_string(), before, after })
}

/// Ends what somebody has in an organization: the membership, the keys made there in any workspace, codes
/// for apps, sessions that act for it, invitations into it. The person and their own account stay.
pub(super) async fn switch_off(
    connection: &mut Connection,
    account: &AccountId,
    user: &UserId,
    now: Timestamp,
) -> Result<Vec<Deed>, StoreError> {
    let mut deeds = Vec::new();
    if let Some(old) = standing(connection, account, user).await?
        && old.active
    {
        let new = Standing { role: old.role, active: false };
        let (before, after) = (Some(old.shown()), Some(new.shown()));
        deeds.push(Deed { kind: "member", id: user.to_string(), before, after });
    }
    for sql in [
        // Also for whoever was never a member: nobody becomes one by signing in, then.
        "INSERT INTO members (account_id, user_id, role, source, created_at, deactivated_at) \
         VALUES ($2, $3, 'org:member', 'scim', $1, $1) ON CONFLICT (account_id, user_id) \
         DO UPDATE SET source = 'scim', \
         deactivated_at = coalesce(members.deactivated_at, excluded.deactivated_at)",
        "UPDATE invitations SET revoked_at = $1 WHERE account_id = $2 AND accepted_at IS NULL \
         AND revoked_at IS NULL AND email = (SELECT email FROM users WHERE id = $3)",
    ] {
        let query = query(sql).bind(now.micros()).bind(account.as_str()).bind(user.as_str());
        query.execute(&mut *connection).await?;
    }
    query("DELETE FROM sessions WHERE account_id = $1 AND user_id = $2")
        .bind(account.as_str())
        .bind(user.as_str())
        .execute(&mut *connection)
        .await?;
    deeds.extend(cut_off(connection, account, user, now).await?);
    Ok(deeds)
}
