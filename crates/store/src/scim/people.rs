//! People whom a directory provisions.

use std::collections::BTreeSet;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::json;
use signalbox_core::id::{AccountId, UserId};
use signalbox_core::{Timestamp, Usd};

use super::membership::{room, switch_off, switch_on};
use super::place::Shelf;
use super::{Directed, Selection};
use crate::accounts::{self, AccountRecord};
use crate::error::StoreError;
use crate::generations::parse;
use crate::manage::{By, Deed, Managed};
use crate::organizations::hold;
use crate::second_factor::forget;
use crate::sql::{AssertSqlSafe, Connection, Line, Row, query};
use crate::store::Store;
use crate::workspaces::entitle;

/// What a directory says of a person, under the names of RFC 7643, section 4.1.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", default)]
pub struct Profile {
    /// The name in the directory, as it is written there.
    pub user_name: String,
    /// The person's name.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub name: Option<ProfileName>,
    /// What the person is called.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub display_name: Option<String>,
    /// Addresses.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub emails: Vec<ProfileEmail>,
}

/// The parts of a name.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", default)]
#[expect(missing_docs, reason = "the fields are those of RFC 7643")]
pub struct ProfileName {
    #[serde(skip_serializing_if = "Option::is_none")]
    pub formatted: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub family_name: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub given_name: Option<String>,
}

/// An address.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(default)]
#[expect(missing_docs, reason = "the fields are those of RFC 7643")]
pub struct ProfileEmail {
    pub value: String,
    #[serde(rename = "type", skip_serializing_if = "Option::is_none")]
    pub kind: Option<String>,
    pub primary: bool,
}

/// A person as a directory knows them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ScimUser {
    /// The id that the directory has from here: a UUID.
    pub id: String,
    /// The organization.
    pub account: AccountId,
    /// The connection.
    pub connection: String,
    /// Who it is.
    pub user: UserId,
    /// What the directory calls it.
    pub external_id: Option<String>,
    /// Whether the person may be here.
    pub active: bool,
    /// What else it says.
    pub profile: Profile,
    /// When it came.
    pub created_at: Timestamp,
    /// When it was changed last.
    pub updated_at: Timestamp,
}

/// Somebody who is to be provisioned.
#[derive(Debug, Clone)]
pub struct NewScimUser {
    /// The new row's id.
    pub id: String,
    /// The connection.
    pub connection: String,
    /// What the directory calls it.
    pub external_id: Option<String>,
    /// Whether the person may be here.
    pub active: bool,
    /// What else it says.
    pub profile: Profile,
    /// The account of the person if nobody has the address yet; with the address in lower case, of the
    /// domain that the connection has proven.
    pub account: AccountRecord,
}

const SHELF: Shelf = Shelf {
    table: "scim_users",
    columns: "id, account_id, connection_id, user_id, external_id, active, profile, created_at, \
              updated_at",
    name: "user_key",
};

fn read(row: &Line) -> Result<ScimUser, StoreError> {
    Ok(ScimUser {
        id: row.try_get(0)?,
        account: AccountId::new(row.try_get::<String, _>(1)?),
        connection: row.try_get(2)?,
        user: UserId::new(row.try_get::<String, _>(3)?),
        external_id: row.try_get(4)?,
        active: row.try_get(5)?,
        profile: parse("profile", &row.try_get::<String, _>(6)?)?,
        created_at: Timestamp::from_micros(row.try_get(7)?),
        updated_at: Timestamp::from_micros(row.try_get(8)?),
    })
}

fn deed(before: Option<&ScimUser>, after: Option<&ScimUser>) -> Deed {
    let shown = |one: &ScimUser| {
        json!({"user_id": one.user, "user_name": one.profile.user_name, "active": one.active,
            "external_id": one.external_id})
    };
    let id = before.or(after).map(|one| one.id.clone()).unwrap_or_default();
    Deed { kind: "scim_user", id, before: before.map(shown), after: after.map(shown) }
}

async fn one(
    connection: &mut Connection,
    directory: &str,
    id: &str,
) -> Result<Option<ScimUser>, StoreError> {
    let sql =
        format!("SELECT {} FROM scim_users WHERE connection_id = $1 AND id = $2", SHELF.columns);
    let row = query(AssertSqlSafe(sql)).bind(directory).bind(id);
    row.fetch_optional(connection).await?.as_ref().map(read).transpose()
}

/// Whether somebody else of the connection has this name, or the person is there under another one.
async fn taken(connection: &mut Connection, one: &ScimUser) -> Result<bool, StoreError> {
    let row = query(
        "SELECT 1 FROM scim_users WHERE id <> $1 \
         AND ((connection_id = $2 AND user_key = $3) OR (account_id = $4 AND user_id = $5))",
    )
    .bind(&one.id)
    .bind(&one.connection)
    .bind(one.profile.user_name.to_lowercase())
    .bind(one.account.as_str())
    .bind(one.user.as_str());
    Ok(row.fetch_optional(connection).await?.is_some())
}

async fn put(connection: &mut Connection, one: &ScimUser) -> Result<(), StoreError> {
    let profile = serde_json::to_string(&one.profile);
    query(
        "INSERT INTO scim_users (id, account_id, connection_id, user_id, user_key, external_id, \
         active, profile, created_at, updated_at) \
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10) ON CONFLICT (id) DO UPDATE SET \
         user_key = excluded.user_key, external_id = excluded.external_id, \
         active = excluded.active, profile = excluded.profile, updated_at = excluded.updated_at",
    )
    .bind(&one.id)
    .bind(one.account.as_str())
    .bind(&one.connection)
    .bind(one.user.as_str())
    .bind(one.profile.user_name.to_lowercase())
    .bind(&one.external_id)
    .bind(one.active)
    .bind(profile.map_err(|error| StoreError::Damaged(error.to_string()))?)
    .bind(one.created_at.micros())
    .bind(one.updated_at.micros())
    .execute(connection)
    .await?;
    Ok(())
}

/// Who has this address, and whether it is proven.
async fn of_address(
    connection: &mut Connection,
    email: &str,
) -> Result<Option<(UserId, bool)>, StoreError> {
    let row =
        query("SELECT id, email_verified_at FROM users WHERE email = $1 AND deleted_at IS NULL");
    let Some(row) = row.bind(email).fetch_optional(connection).await? else { return Ok(None) };
    let proven = row.try_get::<Option<i64>, _>(1)?.is_some();
    Ok(Some((UserId::new(row.try_get::<String, _>(0)?), proven)))
}

/// Whether somebody of the connection has the name, or the person is provisioned.
async fn is_known(
    connection: &mut Connection,
    account: &AccountId,
    new: &NewScimUser,
    user: Option<&UserId>,
) -> Result<bool, StoreError> {
    let row = query(
        "SELECT 1 FROM scim_users WHERE (connection_id = $1 AND user_key = $2) \
         OR (account_id = $3 AND user_id = $4)",
    )
    .bind(&new.connection)
    .bind(new.profile.user_name.to_lowercase())
    .bind(account.as_str())
    .bind(user.map_or("", UserId::as_str));
    Ok(row.fetch_optional(connection).await?.is_some())
}

/// The person who is provisioned: a new one if nobody has the address. Whoever signed up with it and
/// never proved it may be anybody: the domain's directory has the last word, and what they set up goes.
async fn person(
    connection: &mut Connection,
    known: Option<(UserId, bool)>,
    new: &NewScimUser,
    now: Timestamp,
) -> Result<(UserId, Option<Deed>), StoreError> {
    let (user, what) = match known {
        Some((user, true)) => return Ok((user, None)),
        Some((user, false)) => {
            forget(connection, &user).await?;
            for sql in [
                "DELETE FROM sessions WHERE user_id = $1",
                "DELETE FROM identities WHERE user_id = $1",
                "UPDATE users SET password_hash = NULL WHERE id = $1",
            ] {
                query(sql).bind(user.as_str()).execute(&mut *connection).await?;
            }
            (user, "email_verified")
        }
        None => {
            accounts::add(connection, &new.account, Usd::ZERO).await?;
            let name = new.profile.name.clone().unwrap_or_default();
            query("UPDATE users SET first_name = $1, last_name = $2 WHERE id = $3")
                .bind(name.given_name)
                .bind(name.family_name)
                .bind(new.account.owner().as_str())
                .execute(&mut *connection)
                .await?;
            (new.account.owner(), "made")
        }
    };
    query("UPDATE users SET email_verified_at = $1, updated_at = $1 WHERE id = $2")
        .bind(now.micros())
        .bind(user.as_str())
        .execute(connection)
        .await?;
    let after = Some(json!({ "changed": what }));
    let deed = Deed { kind: "user", id: user.to_string(), before: None, after };
    Ok((user, Some(deed)))
}

/// What follows from whether somebody is active, for their membership and their workspaces.
async fn follow(
    connection: &mut Connection,
    one: &ScimUser,
    now: Timestamp,
) -> Result<Vec<Deed>, StoreError> {
    let (account, user) = (&one.account, &one.user);
    let mut deeds = if one.active {
        switch_on(connection, account, user, now).await?
    } else {
        switch_off(connection, account, user, now).await?
    };
    let only = BTreeSet::from([user.clone()]);
    deeds.extend(entitle(connection, account, &only, now).await?);
    Ok(deeds)
}

impl Store {
    /// People of a connection, the oldest first, and how many there are in all.
    ///
    /// # Errors
    /// [`StoreError`] when the database does not answer.
    pub async fn scim_users(
        &self,
        directory: &str,
        selection: &Selection,
    ) -> Result<(Vec<ScimUser>, u64), StoreError> {
        let (rows, total) = SHELF.page(self.readers(), directory, selection).await?;
        Ok((rows.iter().map(read).collect::<Result<_, _>>()?, total))
    }

    /// Makes somebody known to the organization of `by`: a new person, or whoever has the address.
    /// `most` is how many members the plan allows.
    ///
    /// # Errors
    /// [`StoreError`] when the database does not answer.
    pub async fn provision(
        &self,
        by: By,
        new: NewScimUser,
        most: u32,
    ) -> Result<Directed<ScimUser>, StoreError> {
        let (account, now) = (by.account.clone(), self.clock().now());
        self.manage(by, "scim.user.create", move |connection| {
            Box::pin(async move {
                hold(connection, &account).await?;
                let known = of_address(connection, &new.account.email).await?;
                let user = known.as_ref().map(|(user, _)| user);
                if is_known(connection, &account, &new, user).await? {
                    return Ok(Managed::nothing(Directed::Taken));
                }
                // Said before anything is written.
                if new.active && !room(connection, &account, user, most).await? {
                    return Ok(Managed::nothing(Directed::Full(most)));
                }
                let (user, made) = person(connection, known, &new, now).await?;
                let one = ScimUser {
                    id: new.id,
                    account,
                    connection: new.connection,
                    user,
                    external_id: new.external_id,
                    active: new.active,
                    profile: new.profile,
                    created_at: now,
                    updated_at: now,
                };
                put(connection, &one).await?;
                let mut deeds = vec![deed(None, Some(&one))];
                deeds.extend(made);
                deeds.extend(follow(connection, &one, now).await?);
                Ok(Managed { value: Directed::Done(one), deeds })
            })
        })
        .await
    }

    /// Changes what the directory says of somebody. Whoever becomes inactive loses membership, sessions
    /// and keys there; whoever becomes active again gets the membership back.
    ///
    /// # Errors
    /// [`StoreError`] when the database does not answer.
    pub async fn edit_scim_user<E, F>(
        &self,
        by: By,
        directory: String,
        id: String,
        most: u32,
        edit: F,
    ) -> Result<Directed<ScimUser, E>, StoreError>
    where
        E: Send + 'static,
        F: FnOnce(&mut ScimUser) -> Result<(), E> + Send + 'static,
    {
        let (account, now) = (by.account.clone(), self.clock().now());
        self.manage(by, "scim.user.update", move |connection| {
            Box::pin(async move {
                hold(connection, &account).await?;
                let Some(old) = one(connection, &directory, &id).await? else {
                    return Ok(Managed::nothing(Directed::NotThere));
                };
                let mut new = old.clone();
                if let Err(refusal) = edit(&mut new) {
                    return Ok(Managed::nothing(Directed::Refused(refusal)));
                }
                if new == old {
                    return Ok(Managed::nothing(Directed::Done(old)));
                }
                new.updated_at = now;
                if taken(connection, &new).await? {
                    return Ok(Managed::nothing(Directed::Taken));
                }
                let mut deeds = vec![deed(Some(&old), Some(&new))];
                let comes = new.active && !old.active;
                if comes && !room(connection, &account, Some(&new.user), most).await? {
                    return Ok(Managed::nothing(Directed::Full(most)));
                }
                put(connection, &new).await?;
                if new.active != old.active {
                    deeds.extend(follow(connection, &new, now).await?);
                }
                Ok(Managed { value: Directed::Done(new), deeds })
            })
        })
        .await
    }

    /// Lets a directory forget somebody, who loses membership, sessions and keys there: whether there
    /// was such a one.
    ///
    /// # Errors
    /// [`StoreError`] when the database does not answer.
    pub async fn remove_scim_user(
        &self,
        by: By,
        directory: String,
        id: String,
    ) -> Result<bool, StoreError> {
        let (account, now) = (by.account.clone(), self.clock().now());
        self.manage(by, "scim.user.delete", move |connection| {
            Box::pin(async move {
                hold(connection, &account).await?;
                let Some(old) = one(connection, &directory, &id).await? else {
                    return Ok(Managed::nothing(false));
                };
                for sql in [
                    "DELETE FROM scim_group_members WHERE member_id = $1",
                    "DELETE FROM scim_users WHERE id = $1",
                ] {
                    query(sql).bind(&id).execute(&mut *connection).await?;
                }
                let gone = ScimUser { active: false, ..old.clone() };
                let mut deeds = vec![deed(Some(&old), None)];
                deeds.extend(follow(connection, &gone, now).await?);
                Ok(Managed { value: true, deeds })
            })
        })
        .await
    }
}
