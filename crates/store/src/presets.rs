//! Presets: named configurations of a workspace, each with versions that never change (platform spec 8).

mod managed;

pub use managed::{Absent, NewVersion, PresetEdit, Saved, TooMany};

use serde::{Deserialize, Serialize};
use signalbox_core::Timestamp;
use signalbox_core::id::{AccountId, UserId, WorkspaceId};

use crate::error::StoreError;
use crate::sql::{AssertSqlSafe, Line, Row, query};
use crate::store::Store;

/// Whether a preset can be used.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum PresetStatus {
    /// It can.
    Active,
    /// It is switched off.
    Disabled,
    /// It is kept for its history alone.
    Archived,
}

impl PresetStatus {
    /// The name on the wire and in rows.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Active => "active",
            Self::Disabled => "disabled",
            Self::Archived => "archived",
        }
    }

    fn read(name: &str) -> Result<Self, StoreError> {
        [Self::Active, Self::Disabled, Self::Archived]
            .into_iter()
            .find(|one| one.name() == name)
            .ok_or_else(|| StoreError::Damaged(format!("preset status {name}")))
    }
}

/// One preset.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PresetRecord {
    /// A UUID.
    pub id: String,
    /// Whose it is.
    pub account: AccountId,
    /// The workspace whose keys can use it.
    pub workspace: WorkspaceId,
    /// What requests call it; unique in the workspace.
    pub slug: String,
    /// Its name.
    pub name: String,
    /// What it is for.
    pub description: Option<String>,
    /// Whether it can be used.
    pub status: PresetStatus,
    /// When that was last changed.
    pub status_updated_at: Option<Timestamp>,
    /// Who made it.
    pub creator: Option<UserId>,
    /// The number of the version that requests get.
    pub designated: i64,
    /// The id of that version.
    pub designated_id: Option<String>,
    /// When it was made.
    pub created_at: Timestamp,
    /// When it or its designated version was last changed.
    pub updated_at: Timestamp,
}

/// One version of a preset. It never changes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PresetVersion {
    /// A UUID.
    pub id: String,
    /// The preset's id.
    pub preset: String,
    /// From 1.
    pub number: i64,
    /// Who made it.
    pub creator: String,
    /// What comes before the instructions of a request.
    pub system_prompt: Option<String>,
    /// Members of a chat request: a JSON object.
    pub config: String,
    /// When it was made.
    pub created_at: Timestamp,
}

const COLUMNS: &str = "id, account_id, workspace_id, slug, name, description, status, \
     status_updated_at, creator_id, designated_version, created_at, updated_at, \
     (SELECT preset_versions.id FROM preset_versions WHERE preset_id = presets.id \
     AND number = designated_version)";
const OF_A_VERSION: &str = "id, preset_id, number, creator_id, system_prompt, config, created_at";

fn read(row: &Line) -> Result<PresetRecord, StoreError> {
    Ok(PresetRecord {
        id: row.try_get(0)?,
        account: AccountId::new(row.try_get::<String, _>(1)?),
        workspace: WorkspaceId::new(row.try_get::<String, _>(2)?),
        slug: row.try_get(3)?,
        name: row.try_get(4)?,
        description: row.try_get(5)?,
        status: PresetStatus::read(&row.try_get::<String, _>(6)?)?,
        status_updated_at: row.try_get::<Option<i64>, _>(7)?.map(Timestamp::from_micros),
        creator: row.try_get::<Option<String>, _>(8)?.map(UserId::new),
        designated: row.try_get(9)?,
        designated_id: row.try_get(12)?,
        created_at: Timestamp::from_micros(row.try_get(10)?),
        updated_at: Timestamp::from_micros(row.try_get(11)?),
    })
}

fn read_version(row: &Line) -> Result<PresetVersion, StoreError> {
    Ok(PresetVersion {
        id: row.try_get(0)?,
        preset: row.try_get(1)?,
        number: row.try_get(2)?,
        creator: row.try_get(3)?,
        system_prompt: row.try_get(4)?,
        config: row.try_get(5)?,
        created_at: Timestamp::from_micros(row.try_get(6)?),
    })
}

impl Store {
    /// A preset of a workspace of an account, by its slug.
    ///
    /// # Errors
    /// [`StoreError`] when the database does not answer.
    pub async fn preset(
        &self,
        account: &AccountId,
        workspace: &WorkspaceId,
        slug: &str,
    ) -> Result<Option<PresetRecord>, StoreError> {
        let sql = format!(
            "SELECT {COLUMNS} FROM presets WHERE account_id = $1 AND workspace_id = $2 AND slug = $3"
        );
        let row = query(AssertSqlSafe(sql)).bind(account.as_str()).bind(workspace.as_str());
        row.bind(slug).fetch_optional(self.readers()).await?.as_ref().map(read).transpose()
    }

    /// A version of a preset, by its number.
    ///
    /// # Errors
    /// [`StoreError`] when the database does not answer.
    pub async fn preset_version(
        &self,
        preset: &PresetRecord,
        number: i64,
    ) -> Result<Option<PresetVersion>, StoreError> {
        let sql = format!(
            "SELECT {OF_A_VERSION} FROM preset_versions WHERE preset_id = $1 AND number = $2"
        );
        let row = query(AssertSqlSafe(sql)).bind(&preset.id).bind(number);
        row.fetch_optional(self.readers()).await?.as_ref().map(read_version).transpose()
    }

    /// The presets of a workspace of an account, those that were changed last first; and how many
    /// there are.
    ///
    /// # Errors
    /// [`StoreError`] when the database does not answer.
    pub async fn presets_page(
        &self,
        account: &AccountId,
        workspace: &WorkspaceId,
        offset: u32,
        limit: u32,
    ) -> Result<(Vec<PresetRecord>, u64), StoreError> {
        let count =
            query("SELECT count(*) FROM presets WHERE account_id = $1 AND workspace_id = $2")
                .bind(account.as_str())
                .bind(workspace.as_str())
                .fetch_one(self.readers())
                .await?;
        let sql = format!(
            "SELECT {COLUMNS} FROM presets WHERE account_id = $1 AND workspace_id = $2 \
             ORDER BY presets.updated_at DESC, presets.id LIMIT $3 OFFSET $4"
        );
        let rows = query(AssertSqlSafe(sql)).bind(account.as_str()).bind(workspace.as_str());
        let rows = rows.bind(limit).bind(offset).fetch_all(self.readers()).await?;
        Ok((rows.iter().map(read).collect::<Result<_, _>>()?, total(&count)?))
    }

    /// The versions of a preset, the first first; and how many there are.
    ///
    /// # Errors
    /// [`StoreError`] when the database does not answer.
    pub async fn preset_versions_page(
        &self,
        preset: &PresetRecord,
        offset: u32,
        limit: u32,
    ) -> Result<(Vec<PresetVersion>, u64), StoreError> {
        let count = query("SELECT count(*) FROM preset_versions WHERE preset_id = $1")
            .bind(&preset.id)
            .fetch_one(self.readers())
            .await?;
        let sql = format!(
            "SELECT {OF_A_VERSION} FROM preset_versions WHERE preset_id = $1 \
             ORDER BY number LIMIT $2 OFFSET $3"
        );
        let rows = query(AssertSqlSafe(sql)).bind(&preset.id).bind(limit).bind(offset);
        let rows = rows.fetch_all(self.readers()).await?;
        Ok((rows.iter().map(read_version).collect::<Result<_, _>>()?, total(&count)?))
    }
}

fn total(row: &Line) -> Result<u64, StoreError> {
    Ok(u64::try_from(row.try_get::<i64, _>(0)?).unwrap_or(0))
}
