//! Presets as they are changed: a new version, another name or status, the end.

use serde_json::{Value, json};
use signalbox_core::Timestamp;
use signalbox_core::id::{UserId, WorkspaceId, random_uuid};
use signalbox_runtime::entropy;

use super::{COLUMNS, OF_A_VERSION, PresetRecord, PresetStatus, PresetVersion};
use super::{read, read_version, total};
use crate::error::StoreError;
use crate::manage::{By, Deed, Managed};
use crate::sql::{AssertSqlSafe, Connection, Row, query};
use crate::store::Store;

/// Most presets of a workspace.
const MAX_PRESETS: u64 = 1_000;
/// Most versions of a preset.
const MAX_VERSIONS: i64 = 1_000;

/// A version that is to be added. Where there is no preset of that slug, it is the first one of a new
/// preset with the slug as its name.
#[derive(Debug, Clone)]
pub struct NewVersion {
    /// Where.
    pub workspace: WorkspaceId,
    /// Of which preset.
    pub slug: String,
    /// Who makes it.
    pub creator: Option<UserId>,
    /// What comes before the instructions of a request.
    pub system_prompt: Option<String>,
    /// Members of a chat request: a JSON object.
    pub config: String,
}

/// Why a version was not added: there are as many as there can be.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum TooMany {
    /// So many presets in the workspace.
    Presets(u64),
    /// So many versions of the preset.
    Versions(i64),
}

/// A preset with the version that was added.
pub type Saved = Result<(PresetRecord, PresetVersion), TooMany>;

/// What a change names that is not there.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Absent {
    /// The preset.
    Preset,
    /// The version of it.
    Version,
}

/// A change of a preset; what is absent stays.
#[derive(Debug, Clone, Default)]
pub struct PresetEdit {
    /// The slug.
    pub slug: Option<String>,
    /// The name.
    pub name: Option<String>,
    /// The description, or none.
    pub description: Option<Option<String>>,
    /// Whether it can be used.
    pub status: Option<PresetStatus>,
    /// The number of the version that requests get.
    pub designated: Option<i64>,
}

fn shown(one: &PresetRecord) -> Value {
    json!({
        "workspace_id": one.workspace,
        "slug": one.slug,
        "name": one.name,
        "description": one.description,
        "status": one.status,
        "designated_version": one.designated,
    })
}

fn deed(before: Option<&PresetRecord>, after: Option<&PresetRecord>) -> Deed {
    let id = before.or(after).map(|one| one.id.clone()).unwrap_or_default();
    Deed { kind: "preset", id, before: before.map(shown), after: after.map(shown) }
}

async fn owned(
    connection: &mut Connection,
    by: &By,
    workspace: &WorkspaceId,
    slug: &str,
) -> Result<Option<PresetRecord>, StoreError> {
    let sql = format!(
        "SELECT {COLUMNS} FROM presets WHERE account_id = $1 AND workspace_id = $2 AND slug = $3"
    );
    let row = query(AssertSqlSafe(sql)).bind(by.account.as_str()).bind(workspace.as_str());
    row.bind(slug).fetch_optional(connection).await?.as_ref().map(read).transpose()
}

async fn version(
    connection: &mut Connection,
    preset: &str,
    number: i64,
) -> Result<Option<PresetVersion>, StoreError> {
    let sql =
        format!("SELECT {OF_A_VERSION} FROM preset_versions WHERE preset_id = $1 AND number = $2");
    let row = query(AssertSqlSafe(sql)).bind(preset).bind(number);
    row.fetch_optional(connection).await?.as_ref().map(read_version).transpose()
}

async fn insert(connection: &mut Connection, one: &PresetRecord) -> Result<(), StoreError> {
    query(
        "INSERT INTO presets (id, account_id, workspace_id, slug, name, description, status, \
         status_updated_at, creator_id, designated_version, created_at, updated_at) \
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12)",
    )
    .bind(&one.id)
    .bind(one.account.as_str())
    .bind(one.workspace.as_str())
    .bind(&one.slug)
    .bind(&one.name)
    .bind(&one.description)
    .bind(one.status.name())
    .bind(one.status_updated_at.map(Timestamp::micros))
    .bind(one.creator.as_ref().map(UserId::as_str))
    .bind(one.designated)
    .bind(one.created_at.micros())
    .bind(one.updated_at.micros())
    .execute(connection)
    .await?;
    Ok(())
}

async fn write(connection: &mut Connection, one: &PresetRecord) -> Result<(), StoreError> {
    query(
        "UPDATE presets SET slug = $1, name = $2, description = $3, status = $4, \
         status_updated_at = $5, designated_version = $6, updated_at = $7 WHERE id = $8",
    )
    .bind(&one.slug)
    .bind(&one.name)
    .bind(&one.description)
    .bind(one.status.name())
    .bind(one.status_updated_at.map(Timestamp::micros))
    .bind(one.designated)
    .bind(one.updated_at.micros())
    .bind(&one.id)
    .execute(connection)
    .await?;
    Ok(())
}

async fn insert_version(
    connection: &mut Connection,
    one: &PresetVersion,
) -> Result<(), StoreError> {
    query(
        "INSERT INTO preset_versions (id, preset_id, number, creator_id, system_prompt, config, \
         created_at) VALUES ($1, $2, $3, $4, $5, $6, $7)",
    )
    .bind(&one.id)
    .bind(&one.preset)
    .bind(one.number)
    .bind(&one.creator)
    .bind(&one.system_prompt)
    .bind(&one.config)
    .bind(one.created_at.micros())
    .execute(connection)
    .await?;
    Ok(())
}

/// Whether the workspace can have one more preset.
async fn has_room(
    connection: &mut Connection,
    workspace: &WorkspaceId,
) -> Result<bool, StoreError> {
    let row = query("SELECT count(*) FROM presets WHERE workspace_id = $1");
    Ok(total(&row.bind(workspace.as_str()).fetch_one(connection).await?)? < MAX_PRESETS)
}

/// The number of the next version.
async fn next(connection: &mut Connection, preset: &str) -> Result<i64, StoreError> {
    let row = query("SELECT coalesce(max(number), 0) FROM preset_versions WHERE preset_id = $1");
    let last: i64 = row.bind(preset).fetch_one(connection).await?.try_get(0)?;
    Ok(last.saturating_add(1))
}

async fn save(
    connection: &mut Connection,
    by: &By,
    wish: NewVersion,
    now: Timestamp,
) -> Result<Managed<Saved>, StoreError> {
    let old = owned(connection, by, &wish.workspace, &wish.slug).await?;
    if old.is_none() && !has_room(connection, &wish.workspace).await? {
        return Ok(Managed::nothing(Err(TooMany::Presets(MAX_PRESETS))));
    }
    let mut one = old.clone().unwrap_or_else(|| PresetRecord {
        id: random_uuid(entropy::bytes()),
        account: by.account.clone(),
        workspace: wish.workspace.clone(),
        slug: wish.slug.clone(),
        name: wish.slug.clone(),
        description: None,
        status: PresetStatus::Active,
        status_updated_at: None,
        creator: wish.creator.clone(),
        designated: 0,
        designated_id: None,
        created_at: now,
        updated_at: now,
    });
    let number = next(connection, &one.id).await?;
    if number > MAX_VERSIONS {
        return Ok(Managed::nothing(Err(TooMany::Versions(MAX_VERSIONS))));
    }
    (one.designated, one.updated_at) = (number, now);
    let version = PresetVersion {
        id: random_uuid(entropy::bytes()),
        preset: one.id.clone(),
        number,
        creator: wish.creator.map_or_else(|| by.account.to_string(), |user| user.to_string()),
        system_prompt: wish.system_prompt,
        config: wish.config,
        created_at: now,
    };
    one.designated_id = Some(version.id.clone());
    if old.is_some() {
        write(connection, &one).await?;
    } else {
        insert(connection, &one).await?;
    }
    insert_version(connection, &version).await?;
    let deed = deed(old.as_ref(), Some(&one));
    Ok(Managed::one(Ok((one, version)), deed))
}

impl Store {
    /// Adds a version to a preset of the account of `by` and designates it; makes the preset when
    /// there is none.
    ///
    /// # Errors
    /// [`StoreError::Constraint`] when somebody else does the same at this moment.
    pub async fn save_preset(&self, by: By, wish: NewVersion) -> Result<Saved, StoreError> {
        let now = self.clock().now();
        let owner = by.clone();
        self.manage(by, "preset.save", move |connection| {
            Box::pin(async move { save(connection, &owner, wish, now).await })
        })
        .await
    }

    /// Changes a preset of the account of `by`: as it is now, or what of the wish is
    /// not there.
    ///
    /// # Errors
    /// [`StoreError::Constraint`] when its new slug is taken.
    pub async fn edit_preset(
        &self,
        by: By,
        workspace: WorkspaceId,
        slug: String,
        edit: PresetEdit,
    ) -> Result<Result<PresetRecord, Absent>, StoreError> {
        let now = self.clock().now();
        let owner = by.clone();
        self.manage(by, "preset.update", move |connection| {
            Box::pin(async move {
                let Some(old) = owned(connection, &owner, &workspace, &slug).await? else {
                    return Ok(Managed::nothing(Err(Absent::Preset)));
                };
                let mut one = old.clone();
                if let Some(number) = edit.designated {
                    let Some(version) = version(connection, &one.id, number).await? else {
                        return Ok(Managed::nothing(Err(Absent::Version)));
                    };
                    (one.designated, one.designated_id) = (number, Some(version.id));
                }
                if let Some(status) = edit.status
                    && status != one.status
                {
                    (one.status, one.status_updated_at) = (status, Some(now));
                }
                one.slug = edit.slug.unwrap_or(one.slug);
                one.name = edit.name.unwrap_or(one.name);
                one.description = edit.description.unwrap_or(one.description);
                one.updated_at = now;
                write(connection, &one).await?;
                let deed = deed(Some(&old), Some(&one));
                Ok(Managed::one(Ok(one), deed))
            })
        })
        .await
    }

    /// Deletes a preset of the account of `by` with its versions. Says whether there was one.
    ///
    /// # Errors
    /// [`StoreError`] when the database does not answer.
    pub async fn delete_preset(
        &self,
        by: By,
        workspace: WorkspaceId,
        slug: String,
    ) -> Result<bool, StoreError> {
        let owner = by.clone();
        self.manage(by, "preset.delete", move |connection| {
            Box::pin(async move {
                let Some(old) = owned(connection, &owner, &workspace, &slug).await? else {
                    return Ok(Managed::nothing(false));
                };
                for sql in [
                    "DELETE FROM preset_versions WHERE preset_id = $1",
                    "DELETE FROM presets WHERE id = $1",
                ] {
                    query(sql).bind(&old.id).execute(&mut *connection).await?;
                }
                Ok(Managed::one(true, deed(Some(&old), None)))
            })
        })
        .await
    }
}
