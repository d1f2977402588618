//! Workspaces: the environments inside an account. Every account has a default one.

mod defaults;
mod managed;
mod membership;
mod settings;
mod sources;

pub use defaults::{Final, PluginDefault, WorkspaceDefaults};
pub use managed::WorkspaceEnd;
pub use membership::{Removal, WorkspaceMember, WorkspaceRole};
pub use settings::WorkspaceSettings;
pub(crate) use sources::{entitle, follow_role, keep_members, leave_all};

use sha2::{Digest, Sha256};
use signalbox_core::Timestamp;
use signalbox_core::id::{AccountId, UserId, WorkspaceId, named_uuid};

use crate::error::StoreError;
use crate::generations::parse;
use crate::sql::{AssertSqlSafe, Connection, Line, Row, query};
use crate::store::Store;

/// One workspace (platform spec 1.5).
#[derive(Debug, Clone, PartialEq)]
pub struct WorkspaceRecord {
    /// Its id.
    pub id: WorkspaceId,
    /// Whose it is.
    pub account: AccountId,
    /// Its name in addresses; unique in the account.
    pub slug: String,
    /// Its name.
    pub name: String,
    /// What it is for.
    pub description: Option<String>,
    /// Whether it is the account's default one.
    pub is_default: bool,
    /// What it presets for its requests.
    pub settings: WorkspaceSettings,
    /// What it presets of plugins and routing.
    pub defaults: WorkspaceDefaults,
    /// Whether its budgets count spending on own provider keys.
    pub include_byok_in_budgets: bool,
    /// Who made it.
    pub created_by: Option<UserId>,
    /// When it was made.
    pub created_at: Timestamp,
    /// When it was last changed.
    pub updated_at: Option<Timestamp>,
}

impl WorkspaceRecord {
    /// How keys name it: the default one is absent.
    #[must_use]
    pub fn of_keys(&self) -> Option<WorkspaceId> {
        (!self.is_default).then(|| self.id.clone())
    }

    /// What its spending is counted under.
    #[must_use]
    pub fn scope(&self) -> String {
        if self.is_default {
            format!("workspace:default:{}", self.account)
        } else {
            format!("workspace:{}", self.id)
        }
    }

    /// The id of the guardrail that all of its requests pass, known before there is one.
    #[must_use]
    pub fn default_guardrail(&self) -> String {
        default_guardrail(&self.id)
    }
}

/// The id of the guardrail that stands for a workspace's default.
#[must_use]
pub fn default_guardrail(workspace: &WorkspaceId) -> String {
    named("guardrail", workspace.as_str())
}

/// The UUID of what a thing has by itself, such as the default guardrail of a workspace.
pub(crate) fn named(kind: &str, of: &str) -> String {
    named_uuid(&Sha256::digest(format!("{kind}:default:{of}")).into())
}

/// The id of an account's default workspace; it follows from the account.
#[must_use]
pub fn default_workspace(account: &AccountId) -> WorkspaceId {
    WorkspaceId::new(named("workspace", account.as_str()))
}

pub(crate) const COLUMNS: &str = "id, account_id, slug, name, description, is_default, settings, \
     include_byok_in_budgets, created_by, created_at, updated_at, defaults";

pub(crate) fn read(row: &Line) -> Result<WorkspaceRecord, StoreError> {
    let settings: String = row.try_get(6)?;
    Ok(WorkspaceRecord {
        id: WorkspaceId::new(row.try_get::<String, _>(0)?),
        account: AccountId::new(row.try_get::<String, _>(1)?),
        slug: row.try_get(2)?,
        name: row.try_get(3)?,
        description: row.try_get(4)?,
        is_default: row.try_get(5)?,
        settings: parse("workspace", &settings)?,
        defaults: parse("workspace", &row.try_get::<String, _>(11)?)?,
        include_byok_in_budgets: row.try_get(7)?,
        created_by: row.try_get::<Option<String>, _>(8)?.map(UserId::new),
        created_at: Timestamp::from_micros(row.try_get(9)?),
        updated_at: row.try_get::<Option<i64>, _>(10)?.map(Timestamp::from_micros),
    })
}

/// Gives an account its default workspace, unless it has it.
pub(crate) async fn make_default(
    connection: &mut Connection,
    account: &AccountId,
    now: Timestamp,
) -> Result<(), StoreError> {
    query(
        "INSERT INTO workspaces (id, account_id, slug, name, is_default, settings, created_at) \
         VALUES ($1, $2, 'default', 'Default', 1, '{}', $3) ON CONFLICT DO NOTHING",
    )
    .bind(default_workspace(account).as_str())
    .bind(account.as_str())
    .bind(now.micros())
    .execute(connection)
    .await?;
    Ok(())
}

/// Gives every account that was made before there were workspaces its default one.
pub(crate) async fn complete(connection: &mut Connection, now: i64) -> Result<(), StoreError> {
    let rows = query(
        "SELECT id FROM accounts WHERE NOT EXISTS (SELECT 1 FROM workspaces \
         WHERE workspaces.account_id = accounts.id AND is_default = 1)",
    )
    .fetch_all(&mut *connection)
    .await?;
    for row in &rows {
        let account = AccountId::new(row.try_get::<String, _>(0)?);
        make_default(connection, &account, Timestamp::from_micros(now)).await?;
    }
    Ok(())
}

impl Store {
    /// A workspace of an account, by its id or its slug.
    ///
    /// # Errors
    /// [`StoreError`] when the database does not answer.
    pub async fn workspace(
        &self,
        account: &AccountId,
        name: &str,
    ) -> Result<Option<WorkspaceRecord>, StoreError> {
        let sql = format!(
            "SELECT {COLUMNS} FROM workspaces WHERE account_id = $1 AND (id = $2 OR slug = $2) \
             AND deleted_at IS NULL"
        );
        let row = query(AssertSqlSafe(sql)).bind(account.as_str()).bind(name);
        row.fetch_optional(self.readers()).await?.as_ref().map(read).transpose()
    }

    /// The default workspace of an account, unless it was deleted.
    ///
    /// # Errors
    /// [`StoreError`] when the database does not answer.
    pub async fn default_workspace_of(
        &self,
        account: &AccountId,
    ) -> Result<Option<WorkspaceRecord>, StoreError> {
        self.workspace(account, default_workspace(account).as_str()).await
    }

    /// The workspace of an account whose default guardrail has this id, if it is one's.
    ///
    /// # Errors
    /// [`StoreError`] when the database does not answer.
    pub async fn workspace_of_guardrail(
        &self,
        account: &AccountId,
        guardrail: &str,
    ) -> Result<Option<WorkspaceRecord>, StoreError> {
        let sql = format!(
            "SELECT {COLUMNS} FROM workspaces WHERE account_id = $1 AND deleted_at IS NULL"
        );
        let rows = query(AssertSqlSafe(sql)).bind(account.as_str());
        for row in &rows.fetch_all(self.readers()).await? {
            let one = read(row)?;
            if one.default_guardrail() == guardrail {
                return Ok(Some(one));
            }
        }
        Ok(None)
    }
}
