//! Groups that a directory provisions.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::json;
use signalbox_core::Timestamp;
use signalbox_core::id::{AccountId, UserId};

use super::place::Shelf;
use super::{Directed, Selection, mappings};
use crate::error::StoreError;
use crate::manage::{By, Deed, Managed};
use crate::organizations::hold;
use crate::sql::{AssertSqlSafe, Connection, Line, Row, query};
use crate::store::Store;
use crate::workspaces::entitle;

/// A group as a directory knows it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ScimGroup {
    /// The id that the directory has from here: a UUID.
    pub id: String,
    /// The organization.
    pub account: AccountId,
    /// The connection.
    pub connection: String,
    /// Its name.
    pub display_name: String,
    /// What the directory calls it.
    pub external_id: Option<String>,
    /// When it came.
    pub created_at: Timestamp,
    /// When it was changed last.
    pub updated_at: Timestamp,
}

/// What of a group a directory may change.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct GroupDraft {
    /// Its name.
    pub display_name: String,
    /// What the directory calls it.
    pub external_id: Option<String>,
    /// The ids of its members.
    pub members: BTreeSet<String>,
}

/// A member of a group.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MemberOfGroup {
    /// The id of the provisioned person.
    pub id: String,
    /// The name in the directory, in lower case.
    pub name: String,
}

const SHELF: Shelf = Shelf {
    table: "scim_groups",
    columns: "id, account_id, connection_id, display_name, external_id, created_at, updated_at",
    name: "display_key",
};

fn read(row: &Line) -> Result<ScimGroup, StoreError> {
    Ok(ScimGroup {
        id: row.try_get(0)?,
        account: AccountId::new(row.try_get::<String, _>(1)?),
        connection: row.try_get(2)?,
        display_name: row.try_get(3)?,
        external_id: row.try_get(4)?,
        created_at: Timestamp::from_micros(row.try_get(5)?),
        updated_at: Timestamp::from_micros(row.try_get(6)?),
    })
}

fn deed(id: &str, before: Option<&GroupDraft>, after: Option<&GroupDraft>) -> Deed {
    let shown = |one: &GroupDraft| {
        json!({"display_name": one.display_name, "external_id": one.external_id,
            "members": one.members.len()})
    };
    let (before, after) = (before.map(shown), after.map(shown));
    Deed { kind: "scim_group", id: id.to_owned(), before, after }
}

/// A member came or went.
fn moved(group: &str, user: &UserId, is_in: bool) -> Deed {
    let shown = |there: bool| there.then(|| json!({ "group": group }));
    Deed {
        kind: "scim_group_member",
        id: user.to_string(),
        before: shown(!is_in),
        after: shown(is_in),
    }
}

async fn one(
    connection: &mut Connection,
    directory: &str,
    id: &str,
) -> Result<Option<ScimGroup>, StoreError> {
    let sql =
        format!("SELECT {} FROM scim_groups WHERE connection_id = $1 AND id = $2", SHELF.columns);
    let row = query(AssertSqlSafe(sql)).bind(directory).bind(id);
    row.fetch_optional(connection).await?.as_ref().map(read).transpose()
}

/// Who is in a group: the ids of the provisioned, and the people.
pub(super) async fn people(
    connection: &mut Connection,
    group: &str,
) -> Result<BTreeMap<String, UserId>, StoreError> {
    let rows = query(
        "SELECT scim_users.id, user_id FROM scim_group_members \
         JOIN scim_users ON scim_users.id = member_id WHERE group_id = $1",
    );
    let rows = rows.bind(group).fetch_all(connection).await?;
    let person = |row: &Line| Ok((row.try_get(0)?, UserId::new(row.try_get::<String, _>(1)?)));
    rows.iter().map(person).collect()
}

/// The person behind a provisioned one of a connection.
async fn known(
    connection: &mut Connection,
    directory: &str,
    member: &str,
) -> Result<Option<UserId>, StoreError> {
    let row = query("SELECT user_id FROM scim_users WHERE connection_id = $1 AND id = $2")
        .bind(directory)
        .bind(member)
        .fetch_optional(connection)
        .await?;
    let user: Option<String> = row.map(|row| row.try_get(0)).transpose()?;
    Ok(user.map(UserId::new))
}

async fn put(
    connection: &mut Connection,
    group: &ScimGroup,
    draft: &GroupDraft,
) -> Result<(), StoreError> {
    query(
        "INSERT INTO scim_groups (id, account_id, connection_id, display_name, display_key, \
         external_id, created_at, updated_at) VALUES ($1, $2, $3, $4, $5, $6, $7, $8) \
         ON CONFLICT (id) DO UPDATE SET display_name = excluded.display_name, \
         display_key = excluded.display_key, external_id = excluded.external_id, \
         updated_at = excluded.updated_at",
    )
    .bind(&group.id)
    .bind(group.account.as_str())
    .bind(&group.connection)
    .bind(&draft.display_name)
    .bind(draft.display_name.to_lowercase())
    .bind(&draft.external_id)
    .bind(group.created_at.micros())
    .bind(group.updated_at.micros())
    .execute(connection)
    .await?;
    Ok(())
}

/// Who comes into a group, whom the connection has to know.
async fn newcomers(
    connection: &mut Connection,
    directory: &str,
    draft: &GroupDraft,
    present: &BTreeMap<String, UserId>,
) -> Result<Result<BTreeMap<String, UserId>, String>, StoreError> {
    let mut coming = BTreeMap::new();
    for member in draft.members.iter().filter(|one| !present.contains_key(*one)) {
        match known(connection, directory, member).await? {
            Some(user) => drop(coming.insert(member.clone(), user)),
            None => return Ok(Err(member.clone())),
        }
    }
    Ok(Ok(coming))
}

/// Writes a group with its members, and what follows for those who come and go.
async fn write(
    connection: &mut Connection,
    group: &ScimGroup,
    draft: &GroupDraft,
    present: &BTreeMap<String, UserId>,
    coming: BTreeMap<String, UserId>,
    now: Timestamp,
) -> Result<Vec<Deed>, StoreError> {
    put(connection, group, draft).await?;
    let (mut deeds, mut concerned) = (Vec::new(), BTreeSet::new());
    for (member, user) in coming {
        query("INSERT INTO scim_group_members (group_id, member_id) VALUES ($1, $2)")
            .bind(&group.id)
            .bind(&member)
            .execute(&mut *connection)
            .await?;
        deeds.push(moved(&group.id, &user, true));
        concerned.insert(user);
    }
    for (member, user) in present.iter().filter(|(one, _)| !draft.members.contains(*one)) {
        query("DELETE FROM scim_group_members WHERE group_id = $1 AND member_id = $2")
            .bind(&group.id)
            .bind(member)
            .execute(&mut *connection)
            .await?;
        deeds.push(moved(&group.id, user, false));
        concerned.insert(user.clone());
    }
    deeds.extend(entitle(connection, &group.account, &concerned, now).await?);
    Ok(deeds)
}

impl Store {
    /// Groups of a connection, the oldest first, and how many there are in all.
    ///
    /// # Errors
    /// [`StoreError`] when the database does not answer.
    pub async fn scim_groups(
        &self,
        directory: &str,
        selection: &Selection,
    ) -> Result<(Vec<ScimGroup>, u64), StoreError> {
        let (rows, total) = SHELF.page(self.readers(), directory, selection).await?;
        Ok((rows.iter().map(read).collect::<Result<_, _>>()?, total))
    }

    /// All groups of an organization, the oldest first, and how many there are in all.
    ///
    /// # Errors
    /// [`StoreError`] when the database does not answer.
    pub async fn scim_groups_of(
        &self,
        account: &AccountId,
        offset: u32,
        limit: u32,
    ) -> Result<(Vec<ScimGroup>, u64), StoreError> {
        let count = query("SELECT count(*) FROM scim_groups WHERE account_id = $1");
        let count = count.bind(account.as_str()).fetch_one(self.readers()).await?;
        let sql = format!(
            "SELECT {} FROM scim_groups WHERE account_id = $1 ORDER BY created_at, id \
             LIMIT $2 OFFSET $3",
            SHELF.columns
        );
        let rows = query(AssertSqlSafe(sql)).bind(account.as_str()).bind(limit).bind(offset);
        let rows = rows.fetch_all(self.readers()).await?;
        let total = u64::try_from(count.try_get::<i64, _>(0)?).unwrap_or(0);
        Ok((rows.iter().map(read).collect::<Result<_, _>>()?, total))
    }

    /// Who is in a group, by name.
    ///
    /// # Errors
    /// [`StoreError`] when the database does not answer.
    pub async fn scim_group_members(&self, group: &str) -> Result<Vec<MemberOfGroup>, StoreError> {
        let rows = query(
            "SELECT scim_users.id, user_key FROM scim_group_members \
             JOIN scim_users ON scim_users.id = member_id WHERE group_id = $1 ORDER BY user_key",
        );
        let rows = rows.bind(group).fetch_all(self.readers()).await?;
        let member = |row: &Line| Ok(MemberOfGroup { id: row.try_get(0)?, name: row.try_get(1)? });
        rows.iter().map(member).collect()
    }

    /// Adds a group to the organization of `by`.
    ///
    /// # Errors
    /// [`StoreError`] when the database does not answer.
    pub async fn make_scim_group(
        &self,
        by: By,
        directory: String,
        id: String,
        draft: GroupDraft,
    ) -> Result<Directed<ScimGroup>, StoreError> {
        let (account, now) = (by.account.clone(), self.clock().now());
        self.manage(by, "scim.group.create", move |connection| {
            Box::pin(async move {
                hold(connection, &account).await?;
                let nobody = BTreeMap::new();
                let coming = newcomers(connection, &directory, &draft, &nobody).await?;
                let coming = match coming {
                    Ok(coming) => coming,
                    Err(stranger) => return Ok(Managed::nothing(Directed::Stranger(stranger))),
                };
                let group = ScimGroup {
                    id,
                    account,
                    connection: directory,
                    display_name: draft.display_name.clone(),
                    external_id: draft.external_id.clone(),
                    created_at: now,
                    updated_at: now,
                };
                let mut deeds = vec![deed(&group.id, None, Some(&draft))];
                deeds.extend(write(connection, &group, &draft, &nobody, coming, now).await?);
                Ok(Managed { value: Directed::Done(group), deeds })
            })
        })
        .await
    }

    /// Changes a group. Whoever comes or goes gets or loses what the group opens.
    ///
    /// # Errors
    /// [`StoreError`] when the database does not answer.
    pub async fn edit_scim_group<E, F>(
        &self,
        by: By,
        directory: String,
        id: String,
        edit: F,
    ) -> Result<Directed<ScimGroup, E>, StoreError>
    where
        E: Send + 'static,
        F: FnOnce(&mut GroupDraft) -> Result<(), E> + Send + 'static,
    {
        let (account, now) = (by.account.clone(), self.clock().now());
        self.manage(by, "scim.group.update", move |connection| {
            Box::pin(async move {
                hold(connection, &account).await?;
                let Some(mut group) = one(connection, &directory, &id).await? else {
                    return Ok(Managed::nothing(Directed::NotThere));
                };
                let present = people(connection, &id).await?;
                let old = GroupDraft {
                    display_name: group.display_name.clone(),
                    external_id: group.external_id.clone(),
                    members: present.keys().cloned().collect(),
                };
                let mut draft = old.clone();
                if let Err(refusal) = edit(&mut draft) {
                    return Ok(Managed::nothing(Directed::Refused(refusal)));
                }
                if draft == old {
                    return Ok(Managed::nothing(Directed::Done(group)));
                }
                let coming = match newcomers(connection, &directory, &draft, &present).await? {
                    Ok(coming) => coming,
                    Err(stranger) => return Ok(Managed::nothing(Directed::Stranger(stranger))),
                };
                group.display_name.clone_from(&draft.display_name);
                group.external_id.clone_from(&draft.external_id);
                group.updated_at = now;
                let mut deeds = vec![deed(&id, Some(&old), Some(&draft))];
                deeds.extend(write(connection, &group, &draft, &present, coming, now).await?);
                Ok(Managed { value: Directed::Done(group), deeds })
            })
        })
        .await
    }

    /// Removes a group with its mappings, and what they gave: whether there was such a one.
    ///
    /// # Errors
    /// [`StoreError`] when the database does not answer.
    pub async fn remove_scim_group(
        &self,
        by: By,
        directory: String,
        id: String,
    ) -> Result<bool, StoreError> {
        let (account, now) = (by.account.clone(), self.clock().now());
        self.manage(by, "scim.group.delete", move |connection| {
            Box::pin(async move {
                hold(connection, &account).await?;
                let Some(group) = one(connection, &directory, &id).await? else {
                    return Ok(Managed::nothing(false));
                };
                let present = people(connection, &id).await?;
                let old = GroupDraft {
                    display_name: group.display_name,
                    external_id: group.external_id,
                    members: present.keys().cloned().collect(),
                };
                let mut deeds = vec![deed(&id, Some(&old), None)];
                deeds.extend(mappings::remove_of_group(connection, &id).await?);
                for sql in [
                    "DELETE FROM scim_group_members WHERE group_id = $1",
                    "DELETE FROM scim_groups WHERE id = $1",
                ] {
                    query(sql).bind(&id).execute(&mut *connection).await?;
                }
                let concerned: BTreeSet<UserId> = present.into_values().collect();
                deeds.extend(entitle(connection, &account, &concerned, now).await?);
                Ok(Managed { value: true, deeds })
            })
        })
        .await
    }
}
