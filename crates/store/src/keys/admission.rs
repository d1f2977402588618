//! Whether there can be such a key at the moment that it is written. Whoever asked looked before; a
//! workspace may have ended since, and so may a membership.

use signalbox_core::id::{AccountId, UserId, WorkspaceId};

use super::KeyRecord;
use crate::error::StoreError;
use crate::manage::Actor;
use crate::members::Role;
use crate::sql::{Connection, Row, query};

/// Refuses a key of a workspace that is gone, or of somebody who has no place there. All writers take
/// turns, so nothing comes between this look and the commit.
pub(crate) async fn admit(
    connection: &mut Connection,
    actor: &Actor,
    key: &KeyRecord,
) -> Result<(), StoreError> {
    if let Some(workspace) = &key.workspace
        && !is_live(connection, &key.account, workspace).await?
    {
        return Err(gone("workspace"));
    }
    match &key.creator {
        Some(creator) if !has_place(connection, actor, key, creator).await? => Err(gone("member")),
        _ => Ok(()),
    }
}

fn gone(what: &str) -> StoreError {
    StoreError::Constraint(format!("the {what} of the key is gone"))
}

async fn is_live(
    connection: &mut Connection,
    account: &AccountId,
    workspace: &WorkspaceId,
) -> Result<bool, StoreError> {
    let found =
        query("SELECT 1 FROM workspaces WHERE id = $1 AND account_id = $2 AND deleted_at IS NULL");
    let found = found.bind(workspace.as_str()).bind(account.as_str());
    Ok(found.fetch_optional(connection).await?.is_some())
}

/// Whether somebody may have a key where this one is: the owner of a personal account or an active member
/// of the organization. A member who makes it for themselves has to belong to the workspace, as
/// everybody does to the default one; who manages the account decides for others.
async fn has_place(
    connection: &mut Connection,
    actor: &Actor,
    key: &KeyRecord,
    creator: &UserId,
) -> Result<bool, StoreError> {
    let found = query(
        "SELECT accounts.owner_id, members.role, workspace_members.user_id FROM accounts \
         LEFT JOIN members ON members.account_id = accounts.id AND members.user_id = $2 \
         AND members.deactivated_at IS NULL \
         LEFT JOIN workspace_members ON workspace_members.workspace_id = $3 \
         AND workspace_members.user_id = $2 WHERE accounts.id = $1",
    )
    .bind(key.account.as_str())
    .bind(creator.as_str())
    .bind(key.workspace.as_ref().map(WorkspaceId::as_str))
    .fetch_optional(connection)
    .await?;
    let Some(row) = found else { return Ok(false) };
    if let Some(owner) = row.try_get::<Option<String>, _>(0)? {
        return Ok(owner == creator.as_str());
    }
    let role = row.try_get::<Option<String>, _>(1)?.map(|role| Role::read(&role)).transpose()?;
    let listed = row.try_get::<Option<String>, _>(2)?.is_some();
    Ok(match role {
        None => false,
        Some(Role::Admin) => true,
        Some(Role::Member) => {
            let own_hand = *actor == Actor::User(creator.clone());
            !own_hand || key.workspace.is_none() || listed
        }
    })
}
