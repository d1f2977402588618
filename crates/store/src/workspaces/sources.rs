//! Memberships of workspaces that follow from groups of an identity provider (platform spec 17.3).

use std::collections::{BTreeMap, BTreeSet};

use signalbox_core::Timestamp;
use signalbox_core::id::{AccountId, UserId, WorkspaceId, random_uuid};
use signalbox_runtime::entropy;

use super::membership::{MANUAL, WorkspaceMember, WorkspaceRole, deed, put, read, remove};
use crate::error::StoreError;
use crate::manage::Deed;
use crate::sql::{Connection, Row, query};

/// Of so many people each is looked at by themselves; of more, the whole account is.
const FEW: usize = 8;

type Sources = BTreeMap<String, WorkspaceRole>;

/// What groups give people of an account, or the one person.
async fn granted(
    connection: &mut Connection,
    account: &AccountId,
    user: Option<&UserId>,
) -> Result<BTreeMap<(UserId, WorkspaceId), Sources>, StoreError> {
    let rows = query(
        "SELECT scim_users.user_id, scim_mappings.workspace_id, scim_mappings.id, \
         scim_mappings.role FROM scim_mappings \
         JOIN scim_group_members ON scim_group_members.group_id = scim_mappings.group_id \
         JOIN scim_users ON scim_users.id = scim_group_members.member_id \
         WHERE scim_mappings.account_id = $1 AND scim_users.active = 1 \
         AND ($2 = '' OR scim_users.user_id = $2)",
    )
    .bind(account.as_str())
    .bind(user.map_or("", UserId::as_str))
    .fetch_all(connection)
    .await?;
    let mut granted: BTreeMap<_, Sources> = BTreeMap::new();
    for row in &rows {
        let user = UserId::new(row.try_get::<String, _>(0)?);
        let workspace = WorkspaceId::new(row.try_get::<String, _>(1)?);
        let role = WorkspaceRole::read(row.try_get::<&str, _>(3)?)?;
        granted.entry((user, workspace)).or_default().insert(row.try_get(2)?, role);
    }
    Ok(granted)
}

/// The memberships that there are.
async fn present(
    connection: &mut Connection,
    account: &AccountId,
    user: Option<&UserId>,
) -> Result<Vec<WorkspaceMember>, StoreError> {
    let rows = query(
        "SELECT id, workspace_id, user_id, role, sources, created_at FROM workspace_members \
         WHERE workspace_id IN (SELECT id FROM workspaces WHERE account_id = $1) \
         AND ($2 = '' OR user_id = $2) ORDER BY workspace_id, user_id",
    )
    .bind(account.as_str())
    .bind(user.map_or("", UserId::as_str))
    .fetch_all(connection)
    .await?;
    rows.iter().map(read).collect()
}

/// Writes a membership as it is from now on: what was done, if anything was.
async fn write(
    connection: &mut Connection,
    old: Option<&WorkspaceMember>,
    mut new: WorkspaceMember,
) -> Result<Option<Deed>, StoreError> {
    new.settle();
    if old == Some(&new) {
        return Ok(None);
    }
    if new.sources.is_empty() {
        remove(connection, &new).await?;
        return Ok(Some(deed(old, None)));
    }
    put(connection, &new).await?;
    Ok(Some(deed(old, Some(&new))))
}

async fn settle(
    connection: &mut Connection,
    account: &AccountId,
    user: Option<&UserId>,
    concerns: impl Fn(&UserId) -> bool,
    now: Timestamp,
) -> Result<Vec<Deed>, StoreError> {
    let mut granted = granted(connection, account, user).await?;
    let mut deeds = Vec::new();
    for old in present(connection, account, user).await? {
        if !concerns(&old.user) {
            continue;
        }
        let mut new = old.clone();
        let place = (old.user.clone(), old.workspace.clone());
        new.sources = granted.remove(&place).unwrap_or_default();
        if let Some(role) = old.sources.get(MANUAL) {
            new.sources.insert(MANUAL.to_owned(), *role);
        }
        deeds.extend(write(connection, Some(&old), new).await?);
    }
    for ((user, workspace), sources) in granted {
        if concerns(&user) {
            let new = WorkspaceMember {
                id: random_uuid(entropy::bytes()),
                workspace,
                user,
                role: WorkspaceRole::Member,
                sources,
                created_at: now,
            };
            deeds.extend(write(connection, None, new).await?);
        }
    }
    Ok(deeds)
}

/// Brings the memberships of these people in line with their groups. What somebody was added to by hand
/// stays.
pub(crate) async fn entitle(
    connection: &mut Connection,
    account: &AccountId,
    users: &BTreeSet<UserId>,
    now: Timestamp,
) -> Result<Vec<Deed>, StoreError> {
    if users.len() > FEW {
        return settle(connection, account, None, |user| users.contains(user), now).await;
    }
    let mut deeds = Vec::new();
    for user in users {
        deeds.extend(settle(connection, account, Some(user), |_| true, now).await?);
    }
    Ok(deeds)
}

/// What a mapping gives becomes given by hand, each with the role that it is now.
pub(crate) async fn keep_members(
    connection: &mut Connection,
    account: &AccountId,
    mapping: &str,
) -> Result<Vec<Deed>, StoreError> {
    let mut deeds = Vec::new();
    for old in present(connection, account, None).await? {
        let mut new = old.clone();
        if new.sources.remove(mapping).is_some() {
            new.sources.insert(MANUAL.to_owned(), old.role);
            deeds.extend(write(connection, Some(&old), new).await?);
        }
    }
    Ok(deeds)
}

/// The role that follows from the one in the organization, wherever the person was added by hand.
pub(crate) async fn follow_role(
    connection: &mut Connection,
    account: &AccountId,
    user: &UserId,
    role: WorkspaceRole,
) -> Result<Vec<Deed>, StoreError> {
    let mut deeds = Vec::new();
    for old in present(connection, account, Some(user)).await? {
        let mut new = old.clone();
        if let Some(by_hand) = new.sources.get_mut(MANUAL) {
            *by_hand = role;
            deeds.extend(write(connection, Some(&old), new).await?);
        }
    }
    Ok(deeds)
}

/// Removes somebody from all workspaces of an account.
pub(crate) async fn leave_all(
    connection: &mut Connection,
    account: &AccountId,
    user: &UserId,
) -> Result<Vec<Deed>, StoreError> {
    let mut deeds = Vec::new();
    for old in present(connection, account, Some(user)).await? {
        remove(connection, &old).await?;
        deeds.push(deed(Some(&old), None));
    }
    Ok(deeds)
}
