//! `/api/v1/presets`: the presets of a workspace, as its keys see them and as its account manages them
//! (platform spec 8).

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;
use serde_json::{Map, Value};
use signalbox_core::Timestamp;
use signalbox_core::id::{AccountId, UserId, WorkspaceId};
use signalbox_store::presets::{Absent, NewVersion, PresetEdit, TooMany};
use signalbox_store::workspaces::default_workspace;
use signalbox_store::{
    By, KeyRecord, PresetRecord, PresetStatus, PresetVersion, Store, StoreError,
};

use super::{Data, Deleted, Listed, Page, given};
use crate::{Platform, PlatformError, Reach};

/// Most bytes of a version: its members and its system prompt.
const MAX_BYTES: usize = 256 * 1024;
/// Longest slug, in characters.
const MAX_SLUG: usize = 100;

/// How a status is written.
#[derive(JsonSchema)]
#[serde(rename_all = "lowercase")]
#[expect(dead_code, reason = "only described")]
enum StatusName {
    Active,
    Disabled,
    Archived,
}

/// A preset without its versions.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
#[expect(missing_docs, reason = "the fields are those of the published schema")]
pub struct PresetObject {
    pub id: String,
    pub slug: String,
    pub name: String,
    pub description: Option<String>,
    #[schemars(with = "StatusName")]
    pub status: PresetStatus,
    pub status_updated_at: Option<String>,
    pub creator_user_id: Option<UserId>,
    pub workspace_id: WorkspaceId,
    pub designated_version_id: Option<String>,
    pub created_at: String,
    pub updated_at: String,
}

impl From<PresetRecord> for PresetObject {
    fn from(one: PresetRecord) -> Self {
        Self {
            id: one.id,
            slug: one.slug,
            name: one.name,
            description: one.description,
            status: one.status,
            status_updated_at: one.status_updated_at.map(Timestamp::to_rfc3339),
            creator_user_id: one.creator,
            workspace_id: one.workspace,
            designated_version_id: one.designated_id,
            created_at: one.created_at.to_rfc3339(),
            updated_at: one.updated_at.to_rfc3339(),
        }
    }
}

/// A version of a preset. `config` is as it was saved, byte for byte.
#[derive(Debug, Clone, Serialize, JsonSchema)]
#[expect(missing_docs, reason = "the fields are those of the published schema")]
pub struct VersionObject {
    pub id: String,
    pub preset_id: String,
    pub creator_id: String,
    pub version: i64,
    pub system_prompt: Option<String>,
    #[schemars(with = "Map<String, Value>")]
    pub config: Box<RawValue>,
    pub created_at: String,
    pub updated_at: String,
}

impl TryFrom<PresetVersion> for VersionObject {
    type Error = PlatformError;

    fn try_from(one: PresetVersion) -> Result<Self, PlatformError> {
        let config = RawValue::from_string(one.config);
        let damaged = |error: serde_json::Error| StoreError::Damaged(format!("preset: {error}"));
        let at = one.created_at.to_rfc3339();
        Ok(Self {
            id: one.id,
            preset_id: one.preset,
            creator_id: one.creator,
            version: one.number,
            system_prompt: one.system_prompt,
            config: config.map_err(damaged)?,
            created_at: at.clone(),
            updated_at: at,
        })
    }
}

/// A preset with the version that requests get.
#[derive(Debug, Clone, Serialize, JsonSchema)]
pub struct DesignatedPreset {
    /// The preset.
    #[serde(flatten)]
    pub preset: PresetObject,
    /// Its version.
    pub designated_version: Option<VersionObject>,
}

/// What a body would keep.
#[derive(Debug, Clone)]
pub struct KeptBody {
    /// Members of a chat request: a JSON object.
    pub config: String,
    /// Its system prompt.
    pub system_prompt: Option<String>,
}

/// `PATCH /workspaces/{id}/presets/{slug}`: what is absent stays, null clears.
#[derive(Debug, Clone, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct PresetWish {
    /// Letters, digits, dashes and underscores.
    pub slug: Option<String>,
    /// 1 to 100 characters.
    pub name: Option<String>,
    /// At most 1,000 characters.
    #[serde(default, deserialize_with = "given")]
    pub description: Option<Option<String>>,
    /// `active`, `disabled` or `archived`.
    #[schemars(with = "Option<StatusName>")]
    pub status: Option<PresetStatus>,
    /// The number of the version that requests get.
    pub designated_version: Option<i64>,
}

fn refused(text: impl Into<String>) -> PlatformError {
    PlatformError::Refused(text.into())
}

/// What can stand in a path and after `@preset/` without being quoted.
fn check_slug(slug: &str) -> Result<(), PlatformError> {
    let lawful = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_');
    let begins = slug.bytes().next().is_some_and(|byte| byte.is_ascii_alphanumeric());
    if begins && slug.len() <= MAX_SLUG && slug.bytes().all(lawful) {
        return Ok(());
    }
    let text = "slug: 1 to 100 letters, digits, dashes and underscores, the first no sign";
    Err(refused(text))
}

impl PresetWish {
    fn checked(self) -> Result<PresetEdit, PlatformError> {
        if let Some(slug) = &self.slug {
            check_slug(slug)?;
        }
        if self.name.as_ref().is_some_and(|name| !(1..=100).contains(&name.chars().count())) {
            return Err(refused("name: 1 to 100 characters"));
        }
        let text = self.description.as_ref().and_then(Option::as_ref);
        if text.is_some_and(|text| text.chars().count() > 1_000) {
            return Err(refused("description: at most 1000 characters"));
        }
        Ok(PresetEdit {
            slug: self.slug,
            name: self.name,
            description: self.description,
            status: self.status,
            designated: self.designated_version,
        })
    }
}

/// The workspace whose presets a key can use.
fn workspace_of(key: &KeyRecord) -> WorkspaceId {
    key.workspace.clone().unwrap_or_else(|| default_workspace(&key.account))
}

/// The workspace of somebody's presets.
#[derive(Debug, Clone)]
pub struct Shelf {
    account: AccountId,
    workspace: WorkspaceId,
}

impl Shelf {
    /// That of a key.
    #[must_use]
    pub fn of_key(key: &KeyRecord) -> Self {
        Self { account: key.account.clone(), workspace: workspace_of(key) }
    }

    /// That of the default workspace of an account.
    #[must_use]
    pub fn of_account(account: &AccountId) -> Self {
        Self { account: account.clone(), workspace: default_workspace(account) }
    }

    async fn preset(&self, store: &Store, slug: &str) -> Result<PresetRecord, PlatformError> {
        let found = store.preset(&self.account, &self.workspace, slug).await?;
        found.ok_or(PlatformError::NotFound("preset"))
    }
}

impl Platform {
    /// The presets of a workspace, by its UUID or its slug.
    ///
    /// # Errors
    /// As [`Platform::workspace_within`].
    pub async fn preset_shelf(
        &self,
        account: &AccountId,
        reach: &Reach,
        name: &str,
    ) -> Result<Shelf, PlatformError> {
        let workspace = self.workspace_within(account, reach, name).await?.id;
        Ok(Shelf { account: account.clone(), workspace })
    }

    /// A page of presets, those that were changed last first.
    ///
    /// # Errors
    /// [`PlatformError::Refused`] for a page that can't be.
    pub async fn list_presets(
        &self,
        shelf: &Shelf,
        page: Page,
    ) -> Result<Listed<PresetObject>, PlatformError> {
        let (offset, limit) = page.checked()?;
        let page = self.store().presets_page(&shelf.account, &shelf.workspace, offset, limit);
        let (found, total_count) = page.await?;
        Ok(Listed { data: found.into_iter().map(Into::into).collect(), total_count })
    }

    /// A preset with the version that requests get.
    ///
    /// # Errors
    /// [`PlatformError::NotFound`] for one of somebody else or another workspace, too.
    pub async fn get_preset(
        &self,
        shelf: &Shelf,
        slug: &str,
    ) -> Result<Data<DesignatedPreset>, PlatformError> {
        let preset = shelf.preset(self.store(), slug).await?;
        let version = self.store().preset_version(&preset, preset.designated).await?;
        let designated_version = version.map(TryInto::try_into).transpose()?;
        Ok(Data { data: DesignatedPreset { preset: preset.into(), designated_version } })
    }

    /// A page of the versions of a preset, the first one first.
    ///
    /// # Errors
    /// As [`Platform::get_preset`] and [`Platform::list_presets`].
    pub async fn list_preset_versions(
        &self,
        shelf: &Shelf,
        slug: &str,
        page: Page,
    ) -> Result<Listed<VersionObject>, PlatformError> {
        let (offset, limit) = page.checked()?;
        let preset = shelf.preset(self.store(), slug).await?;
        let page = self.store().preset_versions_page(&preset, offset, limit).await?;
        let data: Result<_, _> = page.0.into_iter().map(TryInto::try_into).collect();
        Ok(Listed { data: data?, total_count: page.1 })
    }

    /// One version of a preset, by its number as a path has it.
    ///
    /// # Errors
    /// As [`Platform::get_preset`].
    pub async fn get_preset_version(
        &self,
        shelf: &Shelf,
        slug: &str,
        number: &str,
    ) -> Result<Data<VersionObject>, PlatformError> {
        let preset = shelf.preset(self.store(), slug).await?;
        let unknown = || PlatformError::NotFound("version");
        let number = number.parse().map_err(|_| unknown())?;
        let found = self.store().preset_version(&preset, number).await?;
        Ok(Data { data: found.ok_or_else(unknown)?.try_into()? })
    }

    /// Keeps a body as a new version of a preset of a workspace, and designates it; makes the
    /// preset when there is none.
    ///
    /// # Errors
    /// [`PlatformError::Refused`] for a slug that can't be and for too much;
    /// [`PlatformError::Conflict`] when somebody else does the same at this moment.
    pub async fn save_preset(
        &self,
        by: By,
        shelf: Shelf,
        creator: Option<UserId>,
        slug: &str,
        kept: KeptBody,
    ) -> Result<Data<DesignatedPreset>, PlatformError> {
        check_slug(slug)?;
        let prompt = kept.system_prompt.as_ref().map_or(0, String::len);
        if kept.config.len().saturating_add(prompt) > MAX_BYTES {
            return Err(refused(format!("a preset has at most {MAX_BYTES} bytes")));
        }
        let creator = match creator {
            Some(user) => Some(user),
            None => self.store().owner(&shelf.account).await?,
        };
        let wish = NewVersion {
            workspace: shelf.workspace,
            slug: slug.to_owned(),
            creator,
            system_prompt: kept.system_prompt,
            config: kept.config,
        };
        match self.store().save_preset(by, wish).await {
            Ok(Ok((preset, version))) => {
                let designated_version = Some(version.try_into()?);
                Ok(Data { data: DesignatedPreset { preset: preset.into(), designated_version } })
            }
            Ok(Err(TooMany::Presets(most))) => {
                Err(refused(format!("a workspace has at most {most} presets")))
            }
            Ok(Err(TooMany::Versions(most))) => {
                Err(refused(format!("a preset has at most {most} versions")))
            }
            Err(StoreError::Constraint(_)) => {
                let text = "Resource conflict. Please try again later.";
                Err(PlatformError::Conflict(text.to_owned()))
            }
            Err(error) => Err(error.into()),
        }
    }

    /// Changes what a preset is called, whether it can be used, and which version requests get.
    ///
    /// # Errors
    /// As [`Platform::get_preset`]; [`PlatformError::Refused`] that names the field which can't be;
    /// [`PlatformError::Conflict`] for a slug that is taken.
    pub async fn update_preset(
        &self,
        by: By,
        shelf: Shelf,
        slug: &str,
        wish: PresetWish,
    ) -> Result<Data<DesignatedPreset>, PlatformError> {
        let edit = wish.checked()?;
        let wanted = edit.slug.clone().unwrap_or_default();
        let (workspace, old) = (shelf.workspace.clone(), slug.to_owned());
        match self.store().edit_preset(by, workspace, old, edit).await {
            Ok(Ok(preset)) => self.get_preset(&shelf, &preset.slug).await,
            Ok(Err(Absent::Preset)) => Err(PlatformError::NotFound("preset")),
            Ok(Err(Absent::Version)) => {
                Err(refused("designated_version: there is no such version"))
            }
            Err(StoreError::Constraint(_)) => {
                let text = format!("slug: there is a preset called {wanted} already");
                Err(PlatformError::Conflict(text))
            }
            Err(error) => Err(error.into()),
        }
    }

    /// Deletes a preset with its versions.
    ///
    /// # Errors
    /// As [`Platform::get_preset`].
    pub async fn delete_preset(
        &self,
        by: By,
        shelf: Shelf,
        slug: &str,
    ) -> Result<Deleted, PlatformError> {
        let work = self.store().delete_preset(by, shelf.workspace, slug.to_owned());
        if work.await? { Ok(Deleted::TRUE) } else { Err(PlatformError::NotFound("preset")) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_slug_stands_in_paths_and_names_unquoted() {
        let long = "a".repeat(MAX_SLUG);
        for good in ["a", "My_preset-2", "0", long.as_str()] {
            assert!(check_slug(good).is_ok(), "{good}");
        }
        let longer = "a".repeat(MAX_SLUG + 1);
        for bad in ["", "-a", "_a", "a/b", "a b", "a:b", "a@b", "ä", "a.b", longer.as_str()] {
            assert!(check_slug(bad).is_err(), "{bad}");
        }
    }
}
