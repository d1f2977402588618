//! Who belongs to an account: its owner, or the members of an organization.

use signalbox_core::Timestamp;
use signalbox_core::id::{AccountId, UserId, WorkspaceId};

use crate::error::StoreError;
use crate::sql::{Line, Row, query};
use crate::store::Store;

/// What a member of an organization may do (platform spec 1.3).
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, serde::Serialize, serde::Deserialize, schemars::JsonSchema,
)]
pub enum Role {
    /// Everything.
    #[serde(rename = "org:admin")]
    Admin,
    /// Use it, and manage the own keys.
    #[serde(rename = "org:member")]
    Member,
}

impl Role {
    /// `org:admin` or `org:member`.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Admin => "org:admin",
            Self::Member => "org:member",
        }
    }

    pub(crate) fn read(name: &str) -> Result<Self, StoreError> {
        match name {
            "org:admin" => Ok(Self::Admin),
            "org:member" => Ok(Self::Member),
            _ => Err(StoreError::Damaged(format!("role {name}"))),
        }
    }
}

/// One member of an organization.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MemberRecord {
    /// Who.
    pub user: UserId,
    /// The person's address.
    pub email: String,
    /// The first name.
    pub first_name: Option<String>,
    /// The last name.
    pub last_name: Option<String>,
    /// What the person may do.
    pub role: Role,
    /// Why the person is a member: `manual`, `scim` or `sso`.
    pub source: String,
    /// Since when.
    pub created_at: Timestamp,
    /// Since when no longer.
    pub deactivated_at: Option<Timestamp>,
}

const MEMBER: &str = "SELECT users.id, email, first_name, last_name, role, source, \
     members.created_at, deactivated_at FROM members JOIN users ON users.id = members.user_id";

fn read(row: &Line) -> Result<MemberRecord, StoreError> {
    Ok(MemberRecord {
        user: UserId::new(row.try_get::<String, _>(0)?),
        email: row.try_get(1)?,
        first_name: row.try_get(2)?,
        last_name: row.try_get(3)?,
        role: Role::read(&row.try_get::<String, _>(4)?)?,
        source: row.try_get(5)?,
        created_at: Timestamp::from_micros(row.try_get(6)?),
        deactivated_at: row.try_get::<Option<i64>, _>(7)?.map(Timestamp::from_micros),
    })
}

impl Store {
    /// The person whose own account this is; none for an organization.
    ///
    /// # Errors
    /// [`StoreError`] when the database does not answer.
    pub async fn owner(&self, account: &AccountId) -> Result<Option<UserId>, StoreError> {
        let row = query("SELECT owner_id FROM accounts WHERE id = $1").bind(account.as_str());
        let row = row.fetch_optional(self.readers()).await?;
        let owner: Option<String> = row.map(|row| row.try_get(0)).transpose()?.flatten();
        Ok(owner.map(UserId::new))
    }

    /// A member of an organization, deactivated ones too.
    ///
    /// # Errors
    /// [`StoreError`] when the database does not answer.
    pub async fn member(
        &self,
        account: &AccountId,
        user: &UserId,
    ) -> Result<Option<MemberRecord>, StoreError> {
        let sql = format!("{MEMBER} WHERE members.account_id = $1 AND members.user_id = $2");
        let row = query(crate::sql::AssertSqlSafe(sql)).bind(account.as_str()).bind(user.as_str());
        row.fetch_optional(self.readers()).await?.as_ref().map(read).transpose()
    }

    /// The members of an organization that are active, by their addresses, and how many there are in
    /// all.
    ///
    /// # Errors
    /// [`StoreError`] when the database does not answer.
    pub async fn members_page(
        &self,
        account: &AccountId,
        offset: u32,
        limit: u32,
    ) -> Result<(Vec<MemberRecord>, u32), StoreError> {
        let sql = format!(
            "{MEMBER} WHERE members.account_id = $1 AND deactivated_at IS NULL \
             ORDER BY email, users.id LIMIT $2 OFFSET $3"
        );
        let rows = query(crate::sql::AssertSqlSafe(sql)).bind(account.as_str()).bind(limit);
        let rows = rows.bind(offset).fetch_all(self.readers()).await?;
        let count = query(ACTIVE).bind(account.as_str()).fetch_one(self.readers()).await?;
        let total: i64 = count.try_get(0)?;
        let members = rows.iter().map(read).collect::<Result<_, _>>()?;
        Ok((members, u32::try_from(total).unwrap_or(u32::MAX)))
    }

    /// Whether somebody was made a member of a workspace.
    ///
    /// # Errors
    /// [`StoreError`] when the database does not answer.
    pub async fn is_in_workspace(
        &self,
        workspace: &WorkspaceId,
        user: &UserId,
    ) -> Result<bool, StoreError> {
        let row = query("SELECT 1 FROM workspace_members WHERE workspace_id = $1 AND user_id = $2")
            .bind(workspace.as_str())
            .bind(user.as_str())
            .fetch_optional(self.readers())
            .await?;
        Ok(row.is_some())
    }

    /// All members of an organization, deactivated ones too, by their addresses.
    ///
    /// # Errors
    /// [`StoreError`] when the database does not answer.
    pub async fn members(&self, account: &AccountId) -> Result<Vec<MemberRecord>, StoreError> {
        let sql = format!("{MEMBER} WHERE members.account_id = $1 ORDER BY email, users.id");
        let rows = query(crate::sql::AssertSqlSafe(sql)).bind(account.as_str());
        rows.fetch_all(self.readers()).await?.iter().map(read).collect()
    }
}

/// How many members of an organization are active.
pub(crate) const ACTIVE: &str =
    "SELECT count(*) FROM members WHERE account_id = $1 AND deactivated_at IS NULL";
