//! Who is in which workspace, and why.

use std::collections::BTreeMap;

use serde_json::json;
use signalbox_core::Timestamp;
use signalbox_core::id::{AccountId, UserId, WorkspaceId, random_uuid};
use signalbox_runtime::entropy;

use super::{WorkspaceRecord, named};
use crate::error::StoreError;
use crate::generations::parse;
use crate::manage::{By, Deed, Managed};
use crate::members::Role;
use crate::sql::{Connection, Line, On, Row, query};
use crate::store::Store;

/// Somebody is in a workspace because somebody said so.
pub(super) const MANUAL: &str = "manual";

/// What a person may do in a workspace.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, serde::Serialize, serde::Deserialize,
)]
#[serde(rename_all = "lowercase")]
pub enum WorkspaceRole {
    /// Use it.
    Member,
    /// Everything.
    Admin,
}

impl WorkspaceRole {
    /// `admin` or `member`.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Admin => "admin",
            Self::Member => "member",
        }
    }

    pub(crate) fn read(name: &str) -> Result<Self, StoreError> {
        match name {
            "admin" => Ok(Self::Admin),
            "member" => Ok(Self::Member),
            _ => Err(StoreError::Damaged(format!("workspace role {name}"))),
        }
    }

    /// The role that follows from one in the organization.
    #[must_use]
    pub const fn of(role: Role) -> Self {
        match role {
            Role::Admin => Self::Admin,
            Role::Member => Self::Member,
        }
    }
}

/// One person in one workspace.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct WorkspaceMember {
    /// The id of the membership.
    pub id: String,
    /// The workspace.
    pub workspace: WorkspaceId,
    /// The person.
    pub user: UserId,
    /// What the person may do in it.
    pub role: WorkspaceRole,
    /// Why the person is in it, and the role by each: `manual`, ids of group mappings.
    pub sources: BTreeMap<String, WorkspaceRole>,
    /// Since when.
    pub created_at: Timestamp,
}

impl WorkspaceMember {
    /// The role is the highest that any source gives.
    pub(super) fn settle(&mut self) {
        self.role = self.sources.values().copied().max().unwrap_or(WorkspaceRole::Member);
    }
}

/// What became of people who were to be removed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Removal {
    /// So many were.
    Done(u64),
    /// This one has active API keys in the workspace.
    HasKeys(UserId),
    /// This one is in it because of a group of the identity provider.
    Provisioned(UserId),
}

pub(super) fn read(row: &Line) -> Result<WorkspaceMember, StoreError> {
    Ok(WorkspaceMember {
        id: row.try_get(0)?,
        workspace: WorkspaceId::new(row.try_get::<String, _>(1)?),
        user: UserId::new(row.try_get::<String, _>(2)?),
        role: WorkspaceRole::read(&row.try_get::<String, _>(3)?)?,
        sources: parse("sources", &row.try_get::<String, _>(4)?)?,
        created_at: Timestamp::from_micros(row.try_get(5)?),
    })
}

pub(super) fn deed(before: Option<&WorkspaceMember>, after: Option<&WorkspaceMember>) -> Deed {
    let shown = |one: &WorkspaceMember| {
        json!({"user_id": one.user, "workspace_id": one.workspace, "role": one.role,
            "sources": one.sources})
    };
    let id = before.or(after).map(|one| one.id.clone()).unwrap_or_default();
    Deed { kind: "workspace_member", id, before: before.map(shown), after: after.map(shown) }
}

async fn one(
    connection: &mut Connection,
    workspace: &WorkspaceId,
    user: &UserId,
) -> Result<Option<WorkspaceMember>, StoreError> {
    let row = query(
        "SELECT id, workspace_id, user_id, role, sources, created_at FROM workspace_members \
         WHERE workspace_id = $1 AND user_id = $2",
    )
    .bind(workspace.as_str())
    .bind(user.as_str());
    row.fetch_optional(connection).await?.as_ref().map(read).transpose()
}

pub(super) async fn put(
    connection: &mut Connection,
    one: &WorkspaceMember,
) -> Result<(), StoreError> {
    let sources = serde_json::to_string(&one.sources);
    query(
        "INSERT INTO workspace_members (id, workspace_id, user_id, role, sources, created_at) \
         VALUES ($1, $2, $3, $4, $5, $6) ON CONFLICT (workspace_id, user_id) \
         DO UPDATE SET role = excluded.role, sources = excluded.sources",
    )
    .bind(&one.id)
    .bind(one.workspace.as_str())
    .bind(one.user.as_str())
    .bind(one.role.name())
    .bind(sources.map_err(|error| StoreError::Damaged(error.to_string()))?)
    .bind(one.created_at.micros())
    .execute(connection)
    .await?;
    Ok(())
}

pub(super) async fn remove(
    connection: &mut Connection,
    one: &WorkspaceMember,
) -> Result<(), StoreError> {
    query("DELETE FROM workspace_members WHERE workspace_id = $1 AND user_id = $2")
        .bind(one.workspace.as_str())
        .bind(one.user.as_str())
        .execute(connection)
        .await?;
    Ok(())
}

async fn has_keys(
    connection: &mut Connection,
    workspace: &WorkspaceId,
    user: &UserId,
) -> Result<bool, StoreError> {
    let row = query(
        "SELECT count(*) FROM api_keys WHERE workspace_id = $1 AND creator_id = $2 \
         AND deleted_at IS NULL AND disabled = 0",
    );
    let row = row.bind(workspace.as_str()).bind(user.as_str()).fetch_one(connection).await?;
    Ok(row.try_get::<i64, _>(0)? > 0)
}

/// Who is still in an account, the first first: the members of an organization, or the owner of a
/// person's own account; each with the role.
async fn everybody<'c>(
    on: impl Into<On<'c>>,
    account: &AccountId,
) -> Result<Vec<(UserId, WorkspaceRole, Timestamp)>, StoreError> {
    let rows = query(
        "SELECT user_id, role, created_at FROM members \
         WHERE account_id = $1 AND deactivated_at IS NULL \
         UNION ALL SELECT owner_id, 'org:admin', created_at FROM accounts \
         WHERE id = $1 AND owner_id IS NOT NULL ORDER BY 3, 1",
    )
    .bind(account.as_str())
    .fetch_all(on)
    .await?;
    let person = |row: &Line| {
        let role = Role::read(&row.try_get::<String, _>(1)?)?;
        let since = Timestamp::from_micros(row.try_get(2)?);
        let user = UserId::new(row.try_get::<String, _>(0)?);
        Ok((user, WorkspaceRole::of(role), since))
    };
    rows.iter().map(person).collect()
}

/// Somebody is in the default workspace by being in the account.
fn implicit(
    workspace: &WorkspaceRecord,
    user: UserId,
    role: WorkspaceRole,
    created_at: Timestamp,
) -> WorkspaceMember {
    let id = named("member", &format!("{}:{user}", workspace.id));
    let (workspace, sources) = (workspace.id.clone(), BTreeMap::new());
    WorkspaceMember { id, workspace, user, role, sources, created_at }
}

impl Store {
    /// Who is in a workspace, the first first. Everybody of the account is in its default one.
    ///
    /// # Errors
    /// [`StoreError`] when the database does not answer.
    pub async fn workspace_members(
        &self,
        workspace: &WorkspaceRecord,
    ) -> Result<Vec<WorkspaceMember>, StoreError> {
        if workspace.is_default {
            let all = everybody(self.readers(), &workspace.account).await?;
            let member = |(user, role, since)| implicit(workspace, user, role, since);
            return Ok(all.into_iter().map(member).collect());
        }
        let rows = query(
            "SELECT id, workspace_id, user_id, role, sources, created_at FROM workspace_members \
             WHERE workspace_id = $1 ORDER BY created_at, user_id",
        );
        let rows = rows.bind(workspace.id.as_str()).fetch_all(self.readers()).await?;
        rows.iter().map(read).collect()
    }

    /// Adds people of the account of `by` to one of its workspaces, each with the role that the person
    /// has in the organization: as they are now, or the one who is not in the account.
    ///
    /// # Errors
    /// [`StoreError`] when the database does not answer.
    pub async fn add_workspace_members(
        &self,
        by: By,
        workspace: WorkspaceRecord,
        users: Vec<UserId>,
    ) -> Result<Result<Vec<WorkspaceMember>, UserId>, StoreError> {
        let now = self.clock().now();
        self.manage(by, "workspace.members.add", move |connection| {
            Box::pin(async move {
                let people = everybody(&mut *connection, &workspace.account).await?;
                let mut done = Managed::nothing(Ok(Vec::new()));
                let mut added = Vec::with_capacity(users.len());
                for user in users {
                    let Some((user, role, since)) =
                        people.iter().find(|(one, ..)| *one == user).cloned()
                    else {
                        return Ok(Managed::nothing(Err(user)));
                    };
                    if workspace.is_default {
                        added.push(implicit(&workspace, user, role, since));
                        continue;
                    }
                    let old = one(connection, &workspace.id, &user).await?;
                    let mut new = old.clone().unwrap_or_else(|| WorkspaceMember {
                        id: random_uuid(entropy::bytes()),
                        workspace: workspace.id.clone(),
                        user,
                        role,
                        sources: BTreeMap::new(),
                        created_at: now,
                    });
                    new.sources.insert(MANUAL.to_owned(), role);
                    new.settle();
                    put(connection, &new).await?;
                    done.deeds.push(deed(old.as_ref(), Some(&new)));
                    added.push(new);
                }
                done.value = Ok(added);
                Ok(done)
            })
        })
        .await
    }

    /// Removes people from a workspace of the account of `by`, all or none. Who is not in it is passed
    /// over.
    ///
    /// # Errors
    /// [`StoreError`] when the database does not answer.
    pub async fn remove_workspace_members(
        &self,
        by: By,
        workspace: WorkspaceRecord,
        users: Vec<UserId>,
    ) -> Result<Removal, StoreError> {
        self.manage(by, "workspace.members.remove", move |connection| {
            Box::pin(async move {
                let mut done = Managed::nothing(Removal::Done(0));
                let mut leaving = Vec::with_capacity(users.len());
                for user in users {
                    let Some(old) = one(connection, &workspace.id, &user).await? else { continue };
                    if old.sources.keys().any(|source| source != MANUAL) {
                        return Ok(Managed::nothing(Removal::Provisioned(user)));
                    }
                    if has_keys(connection, &workspace.id, &user).await? {
                        return Ok(Managed::nothing(Removal::HasKeys(user)));
                    }
                    leaving.push(old);
                }
                for old in &leaving {
                    remove(connection, old).await?;
                    done.deeds.push(deed(Some(old), None));
                }
                done.value = Removal::Done(leaving.len() as u64);
                Ok(done)
            })
        })
        .await
    }
}
