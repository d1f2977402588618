//! What a directory says of somebody, as a membership of the organization.

use signalbox_core::Timestamp;
use signalbox_core::id::{AccountId, UserId};

use crate::error::StoreError;
use crate::invitations::withdraw_from;
use crate::manage::Deed;
use crate::members::Role;
use crate::organizations::{Standing, active, cut_off, end_sessions, standing};
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

/// Makes somebody an active member; one who was one before keeps the role. Invitations to their address
/// have no use any more.
pub(super) async fn switch_on(
    connection: &mut Connection,
    account: &AccountId,
    user: &UserId,
    now: Timestamp,
) -> Result<Vec<Deed>, StoreError> {
    let old = standing(connection, account, user).await?;
    query(
        "INSERT INTO members (account_id, user_id, role, source, created_at) \
         VALUES ($1, $2, 'org:member', 'scim', $3) ON CONFLICT (account_id, user_id) \
         DO UPDATE SET source = 'scim', deactivated_at = NULL",
    )
    .bind(account.as_str())
    .bind(user.as_str())
    .bind(now.micros())
    .execute(&mut *connection)
    .await?;
    let role = old.as_ref().map_or(Role::Member, |one| one.role);
    let after = Some(Standing { role, active: true }.shown());
    let before = old.map(|one| one.shown());
    let mut deeds = withdraw_from(connection, account, user, now).await?;
    if before != after {
        deeds.push(Deed { kind: "member", id: user.to_string(), before, after });
    }
    Ok(deeds)
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
    // Also for whoever was never a member: nobody becomes one by signing in, then.
    query(
        "INSERT INTO members (account_id, user_id, role, source, created_at, deactivated_at) \
         VALUES ($2, $3, 'org:member', 'scim', $1, $1) ON CONFLICT (account_id, user_id) \
         DO UPDATE SET source = 'scim', \
         deactivated_at = coalesce(members.deactivated_at, excluded.deactivated_at)",
    )
    .bind(now.micros())
    .bind(account.as_str())
    .bind(user.as_str())
    .execute(&mut *connection)
    .await?;
    end_sessions(connection, account, user).await?;
    deeds.extend(cut_off(connection, account, user, now).await?);
    Ok(deeds)
}
