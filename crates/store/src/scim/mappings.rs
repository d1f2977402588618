//! What groups open: a role in a workspace.

use std::collections::BTreeSet;

use serde_json::json;
use signalbox_core::Timestamp;
use signalbox_core::id::{AccountId, UserId, WorkspaceId};

use super::groups::people;
use crate::error::StoreError;
use crate::manage::{By, Deed, Managed};
use crate::organizations::hold;
use crate::sql::{AssertSqlSafe, Connection, Line, Row, query};
use crate::store::Store;
use crate::workspaces::{WorkspaceRole, entitle, keep_members};

/// Whoever is in the group has the role in the workspace.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ScimMapping {
    /// Its id: a UUID.
    pub id: String,
    /// The organization.
    pub account: AccountId,
    /// The group.
    pub group: String,
    /// The workspace.
    pub workspace: WorkspaceId,
    /// The role.
    pub role: WorkspaceRole,
    /// When it was made.
    pub created_at: Timestamp,
    /// When it was changed last.
    pub updated_at: Timestamp,
}

/// What became of a mapping that was to be made.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum MappingMade {
    /// It is there.
    Done,
    /// The organization has no such group.
    NoGroup,
    /// Nobody signs in over the connection of the group.
    NotActive,
    /// The group is mapped to the workspace already.
    Taken,
}

const COLUMNS: &str = "id, account_id, group_id, workspace_id, role, created_at, updated_at";

fn read(row: &Line) -> Result<ScimMapping, StoreError> {
    Ok(ScimMapping {
        id: row.try_get(0)?,
        account: AccountId::new(row.try_get::<String, _>(1)?),
        group: row.try_get(2)?,
        workspace: WorkspaceId::new(row.try_get::<String, _>(3)?),
        role: WorkspaceRole::read(row.try_get::<&str, _>(4)?)?,
        created_at: Timestamp::from_micros(row.try_get(5)?),
        updated_at: Timestamp::from_micros(row.try_get(6)?),
    })
}

fn deed(before: Option<&ScimMapping>, after: Option<&ScimMapping>) -> Deed {
    let shown = |one: &ScimMapping| json!({"scim_group_id": one.group, "workspace_id": one.workspace, "role": one.role});
    let id = before.or(after).map(|one| one.id.clone()).unwrap_or_default();
    Deed { kind: "scim_group_mapping", id, before: before.map(shown), after: after.map(shown) }
}

async fn one(
    connection: &mut Connection,
    account: &AccountId,
    id: &str,
) -> Result<Option<ScimMapping>, StoreError> {
    let sql = format!("SELECT {COLUMNS} FROM scim_mappings WHERE account_id = $1 AND id = $2");
    let row = query(AssertSqlSafe(sql)).bind(account.as_str()).bind(id);
    row.fetch_optional(connection).await?.as_ref().map(read).transpose()
}

/// Brings everybody of a group in line with what it opens.
async fn settle(
    connection: &mut Connection,
    account: &AccountId,
    group: &str,
    now: Timestamp,
) -> Result<Vec<Deed>, StoreError> {
    let users: BTreeSet<UserId> = people(connection, group).await?.into_values().collect();
    entitle(connection, account, &users, now).await
}

/// Removes the mappings of a group that goes.
pub(super) async fn remove_of_group(
    connection: &mut Connection,
    group: &str,
) -> Result<Vec<Deed>, StoreError> {
    let sql = format!("SELECT {COLUMNS} FROM scim_mappings WHERE group_id = $1");
    let rows = query(AssertSqlSafe(sql)).bind(group).fetch_all(&mut *connection).await?;
    query("DELETE FROM scim_mappings WHERE group_id = $1").bind(group).execute(connection).await?;
    rows.iter().map(|row| Ok(deed(Some(&read(row)?), None))).collect()
}

impl Store {
    /// The mappings of an organization, the oldest first, and how many there are in all.
    ///
    /// # Errors
    /// [`StoreError`] when the database does not answer.
    pub async fn scim_mappings(
        &self,
        account: &AccountId,
        offset: u32,
        limit: u32,
    ) -> Result<(Vec<ScimMapping>, u64), StoreError> {
        let count = query("SELECT count(*) FROM scim_mappings WHERE account_id = $1");
        let count = count.bind(account.as_str()).fetch_one(self.readers()).await?;
        let sql = format!(
            "SELECT {COLUMNS} FROM scim_mappings WHERE account_id = $1 ORDER BY created_at, id \
             LIMIT $2 OFFSET $3"
        );
        let rows = query(AssertSqlSafe(sql)).bind(account.as_str()).bind(limit).bind(offset);
        let rows = rows.fetch_all(self.readers()).await?;
        let total = u64::try_from(count.try_get::<i64, _>(0)?).unwrap_or(0);
        Ok((rows.iter().map(read).collect::<Result<_, _>>()?, total))
    }

    /// A mapping of an organization.
    ///
    /// # Errors
    /// [`StoreError`] when the database does not answer.
    pub async fn scim_mapping(
        &self,
        account: &AccountId,
        id: &str,
    ) -> Result<Option<ScimMapping>, StoreError> {
        let sql = format!("SELECT {COLUMNS} FROM scim_mappings WHERE account_id = $1 AND id = $2");
        let row = query(AssertSqlSafe(sql)).bind(account.as_str()).bind(id);
        row.fetch_optional(self.readers()).await?.as_ref().map(read).transpose()
    }

    /// Adds a mapping to a workspace of the organization of `by`; everybody in the group is in it from
    /// now on.
    ///
    /// # Errors
    /// [`StoreError`] when the database does not answer.
    pub async fn make_scim_mapping(
        &self,
        by: By,
        mapping: ScimMapping,
    ) -> Result<MappingMade, StoreError> {
        self.manage(by, "scim.mapping.create", move |connection| {
            Box::pin(async move {
                let (account, now) = (mapping.account.clone(), mapping.created_at);
                hold(connection, &account).await?;
                let status = query(
                    "SELECT status FROM scim_groups JOIN sso_connections \
                     ON sso_connections.id = connection_id \
                     WHERE scim_groups.account_id = $1 AND scim_groups.id = $2",
                )
                .bind(account.as_str())
                .bind(&mapping.group)
                .fetch_optional(&mut *connection)
                .await?;
                let Some(status) = status else {
                    return Ok(Managed::nothing(MappingMade::NoGroup));
                };
                if status.try_get::<&str, _>(0)? != "active" {
                    return Ok(Managed::nothing(MappingMade::NotActive));
                }
                let done = query(
                    "INSERT INTO scim_mappings (id, account_id, group_id, workspace_id, role, \
                     created_at, updated_at) VALUES ($1, $2, $3, $4, $5, $6, $6) \
                     ON CONFLICT (group_id, workspace_id) DO NOTHING",
                )
                .bind(&mapping.id)
                .bind(account.as_str())
                .bind(&mapping.group)
                .bind(mapping.workspace.as_str())
                .bind(mapping.role.name())
                .bind(now.micros())
                .execute(&mut *connection)
                .await?;
                if done.rows_affected() == 0 {
                    return Ok(Managed::nothing(MappingMade::Taken));
                }
                let mut deeds = vec![deed(None, Some(&mapping))];
                deeds.extend(settle(connection, &account, &mapping.group, now).await?);
                Ok(Managed { value: MappingMade::Done, deeds })
            })
        })
        .await
    }

    /// Gives a mapping another role: the mapping as it is now, or `None` when there is no such one.
    ///
    /// # Errors
    /// [`StoreError`] when the database does not answer.
    pub async fn edit_scim_mapping(
        &self,
        by: By,
        id: String,
        role: WorkspaceRole,
    ) -> Result<Option<ScimMapping>, StoreError> {
        let (account, now) = (by.account.clone(), self.clock().now());
        self.manage(by, "scim.mapping.update", move |connection| {
            Box::pin(async move {
                hold(connection, &account).await?;
                let Some(old) = one(connection, &account, &id).await? else {
                    return Ok(Managed::nothing(None));
                };
                if old.role == role {
                    return Ok(Managed::nothing(Some(old)));
                }
                let new = ScimMapping { role, updated_at: now, ..old.clone() };
                query("UPDATE scim_mappings SET role = $1, updated_at = $2 WHERE id = $3")
                    .bind(role.name())
                    .bind(now.micros())
                    .bind(&id)
                    .execute(&mut *connection)
                    .await?;
                let mut deeds = vec![deed(Some(&old), Some(&new))];
                deeds.extend(settle(connection, &account, &new.group, now).await?);
                Ok(Managed { value: Some(new), deeds })
            })
        })
        .await
    }

    /// Removes a mapping: whether there was such a one. With `keep` those whom it brought stay as if they
    /// had been added by hand; else those go whom nothing else keeps.
    ///
    /// # Errors
    /// [`StoreError`] when the database does not answer.
    pub async fn remove_scim_mapping(
        &self,
        by: By,
        id: String,
        keep: bool,
    ) -> Result<bool, StoreError> {
        let (account, now) = (by.account.clone(), self.clock().now());
        self.manage(by, "scim.mapping.delete", move |connection| {
            Box::pin(async move {
                hold(connection, &account).await?;
                let Some(old) = one(connection, &account, &id).await? else {
                    return Ok(Managed::nothing(false));
                };
                let mut deeds = vec![deed(Some(&old), None)];
                if keep {
                    deeds.extend(keep_members(connection, &account, &id).await?);
                }
                query("DELETE FROM scim_mappings WHERE id = $1")
                    .bind(&id)
                    .execute(&mut *connection)
                    .await?;
                deeds.extend(settle(connection, &account, &old.group, now).await?);
                Ok(Managed { value: true, deeds })
            })
        })
        .await
    }
}
