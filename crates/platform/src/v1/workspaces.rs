//! `/api/v1/workspaces`: the workspaces of an account and who is in them (platform spec 1.5).

use serde::{Deserialize, Serialize};
use signalbox_core::Timestamp;
use signalbox_core::id::{AccountId, UserId, WorkspaceId, random_uuid};
use signalbox_runtime::entropy;
use signalbox_store::workspaces::{
    Removal, WorkspaceDefaults, WorkspaceEnd, WorkspaceMember, WorkspaceRole, WorkspaceSettings,
};
use signalbox_store::{Actor, By, StoreError, WorkspaceRecord};

use super::{Data, Deleted, Listed, Page, given};
use crate::{Platform, PlatformError, Reach};

/// A workspace as its account sees it.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[expect(missing_docs, reason = "the fields are those of the published schema")]
pub struct WorkspaceObject {
    pub id: WorkspaceId,
    pub name: String,
    pub slug: String,
    pub description: Option<String>,
    pub created_by: Option<UserId>,
    pub created_at: String,
    pub updated_at: Option<String>,
    /// The guardrail that all requests of the workspace pass; it may not have been set yet.
    pub default_guardrail_id: String,
    pub include_byok_in_budgets: bool,
    #[serde(flatten)]
    pub settings: WorkspaceSettings,
}

impl From<WorkspaceRecord> for WorkspaceObject {
    fn from(one: WorkspaceRecord) -> Self {
        Self {
            default_guardrail_id: one.default_guardrail(),
            id: one.id,
            name: one.name,
            slug: one.slug,
            description: one.description,
            created_by: one.created_by,
            created_at: one.created_at.to_rfc3339(),
            updated_at: one.updated_at.map(Timestamp::to_rfc3339),
            include_byok_in_budgets: one.include_byok_in_budgets,
            settings: one.settings,
        }
    }
}

/// `POST /workspaces`, where `name` and `slug` are required, and `PATCH /workspaces/{id}`: what is
/// absent stays, null clears.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(deny_unknown_fields)]
#[expect(missing_docs, reason = "the fields are those of the published schema")]
pub struct WorkspaceWish {
    pub name: Option<String>,
    pub slug: Option<String>,
    #[serde(default, deserialize_with = "given")]
    pub description: Option<Option<String>>,
    #[serde(default, deserialize_with = "given")]
    pub default_text_model: Option<Option<String>>,
    #[serde(default, deserialize_with = "given")]
    pub default_image_model: Option<Option<String>>,
    #[serde(default, deserialize_with = "given")]
    pub default_provider_sort: Option<Option<String>>,
    pub io_logging_sampling_rate: Option<f64>,
    #[serde(default, deserialize_with = "given")]
    pub io_logging_api_key_ids: Option<Option<Vec<u64>>>,
    pub is_observability_io_logging_enabled: Option<bool>,
    pub is_observability_broadcast_enabled: Option<bool>,
    pub is_data_discount_logging_enabled: Option<bool>,
}

/// Longest name of a model, in characters.
const MAX_MODEL: usize = 256;
/// What providers can be sorted by.
const SORTS: [&str; 4] = ["price", "throughput", "latency", "exacto"];

fn refused(text: impl Into<String>) -> PlatformError {
    PlatformError::Refused(text.into())
}

/// A text of so many characters.
fn short(field: &str, text: &str, least: usize, most: usize) -> Result<(), PlatformError> {
    let length = text.chars().count();
    if (least..=most).contains(&length) {
        return Ok(());
    }
    Err(refused(format!("{field}: {least} to {most} characters")))
}

/// Words of letters and digits in lower case, joined by single dashes (platform spec 1.5).
fn is_slug(text: &str) -> bool {
    let word = |part: &str| {
        !part.is_empty() && part.bytes().all(|b| b.is_ascii_digit() || b.is_ascii_lowercase())
    };
    text.split('-').all(word)
}

impl WorkspaceWish {
    fn check(&self) -> Result<(), PlatformError> {
        if let Some(name) = &self.name {
            short("name", name, 1, 100)?;
        }
        if let Some(slug) = &self.slug {
            short("slug", slug, 1, 50)?;
            if !is_slug(slug) {
                return Err(refused("slug: words of a-z and 0-9, joined by dashes"));
            }
        }
        if let Some(Some(text)) = &self.description {
            short("description", text, 0, 500)?;
        }
        for (field, model) in [
            ("default_text_model", &self.default_text_model),
            ("default_image_model", &self.default_image_model),
        ] {
            if let Some(Some(model)) = model {
                short(field, model, 1, MAX_MODEL)?;
            }
        }
        if let Some(Some(sort)) = &self.default_provider_sort
            && !SORTS.contains(&sort.as_str())
        {
            return Err(refused(format!("default_provider_sort: one of {}", SORTS.join(", "))));
        }
        match self.io_logging_sampling_rate {
            Some(rate) if !(0.0001..=1.0).contains(&rate) => {
                Err(refused("io_logging_sampling_rate: from 0.0001 to 1"))
            }
            _ => Ok(()),
        }
    }

    fn apply(self, one: &mut WorkspaceRecord) {
        fn set<T>(place: &mut T, wish: Option<T>) {
            if let Some(value) = wish {
                *place = value;
            }
        }
        set(&mut one.name, self.name);
        set(&mut one.slug, self.slug);
        set(&mut one.description, self.description);
        let to = &mut one.settings;
        set(&mut to.default_text_model, self.default_text_model);
        set(&mut to.default_image_model, self.default_image_model);
        set(&mut to.default_provider_sort, self.default_provider_sort);
        set(&mut to.io_logging_sampling_rate, self.io_logging_sampling_rate);
        set(&mut to.io_logging_api_key_ids, self.io_logging_api_key_ids);
        set(&mut to.is_observability_io_logging_enabled, self.is_observability_io_logging_enabled);
        set(&mut to.is_observability_broadcast_enabled, self.is_observability_broadcast_enabled);
        set(&mut to.is_data_discount_logging_enabled, self.is_data_discount_logging_enabled);
    }
}

/// `POST /workspaces/{id}/members/add` and `/remove`.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct People {
    /// Who, 1 to 100.
    pub user_ids: Vec<UserId>,
}

impl People {
    fn checked(self) -> Result<Vec<UserId>, PlatformError> {
        if self.user_ids.is_empty() || self.user_ids.len() > 100 {
            return Err(refused("user_ids: 1 to 100"));
        }
        Ok(self.user_ids)
    }
}

/// Somebody in a workspace.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[expect(missing_docs, reason = "the fields are those of the published schema")]
pub struct MemberObject {
    pub id: String,
    pub workspace_id: WorkspaceId,
    pub user_id: UserId,
    pub role: WorkspaceRole,
    pub created_at: String,
}

impl From<WorkspaceMember> for MemberObject {
    fn from(one: WorkspaceMember) -> Self {
        Self {
            id: one.id,
            workspace_id: one.workspace,
            user_id: one.user,
            role: one.role,
            created_at: one.created_at.to_rfc3339(),
        }
    }
}

/// People who were added, as they are now.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Added {
    /// How many, those included who were there before.
    pub added_count: usize,
    /// They.
    pub data: Vec<MemberObject>,
}

/// People who were removed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Removed {
    /// How many.
    pub removed_count: u64,
}

fn taken(slug: &str) -> PlatformError {
    refused(format!("slug: there is a workspace called {slug} already"))
}

impl Platform {
    /// A workspace by its UUID or its slug.
    ///
    /// # Errors
    /// [`PlatformError::NotFound`] for one of somebody else, too.
    pub async fn workspace(
        &self,
        account: &AccountId,
        name: &str,
    ) -> Result<WorkspaceRecord, PlatformError> {
        let found = self.store().workspace(account, name).await?;
        found.ok_or(PlatformError::NotFound("workspace"))
    }

    /// One workspace.
    ///
    /// # Errors
    /// As [`Platform::workspace_within`].
    pub async fn get_workspace(
        &self,
        account: &AccountId,
        reach: &Reach,
        name: &str,
    ) -> Result<Data<WorkspaceObject>, PlatformError> {
        Ok(Data { data: self.workspace_within(account, reach, name).await?.into() })
    }

    /// The workspaces of an account that somebody reaches, the default one first.
    ///
    /// # Errors
    /// [`PlatformError::Refused`] for a page that can't be.
    pub async fn list_workspaces(
        &self,
        account: &AccountId,
        reach: &Reach,
        page: Page,
    ) -> Result<Listed<WorkspaceObject>, PlatformError> {
        let (offset, limit) = page.checked()?;
        let page = self.store().workspaces_page(account, reach.member(), offset, limit);
        let (found, total_count) = page.await?;
        Ok(Listed { data: found.into_iter().map(Into::into).collect(), total_count })
    }

    /// A new workspace.
    ///
    /// # Errors
    /// [`PlatformError::Refused`] that names the field that can't be.
    pub async fn make_workspace(
        &self,
        by: By,
        wish: WorkspaceWish,
    ) -> Result<Data<WorkspaceObject>, PlatformError> {
        let name = wish.name.clone().ok_or_else(|| refused("name: required"))?;
        let slug = wish.slug.clone().ok_or_else(|| refused("slug: required"))?;
        wish.check()?;
        let created_by = match &by.actor {
            Actor::User(user) => Some(user.clone()),
            _ => self.store().owner(&by.account).await?,
        };
        let mut one = WorkspaceRecord {
            id: WorkspaceId::new(random_uuid(entropy::bytes())),
            account: by.account.clone(),
            slug,
            name,
            description: None,
            is_default: false,
            settings: WorkspaceSettings::default(),
            defaults: WorkspaceDefaults::default(),
            include_byok_in_budgets: false,
            created_by,
            created_at: self.store().clock().now(),
            updated_at: None,
        };
        wish.apply(&mut one);
        match self.store().make_workspace(by, one.clone()).await {
            Err(StoreError::Constraint(_)) => Err(taken(&one.slug)),
            done => Ok(done.map(|()| Data { data: one.into() })?),
        }
    }

    /// Changes a workspace.
    ///
    /// # Errors
    /// As [`Platform::make_workspace`] and [`Platform::workspace`].
    pub async fn update_workspace(
        &self,
        by: By,
        name: &str,
        wish: WorkspaceWish,
    ) -> Result<Data<WorkspaceObject>, PlatformError> {
        wish.check()?;
        let id = self.workspace(&by.account, name).await?.id;
        let slug = wish.slug.clone().unwrap_or_default();
        let edit = move |one: &mut WorkspaceRecord| wish.apply(one);
        match self.store().edit_workspace(by, id, edit).await {
            Err(StoreError::Constraint(_)) => Err(taken(&slug)),
            done => {
                let data = done?.ok_or(PlatformError::NotFound("workspace"))?.into();
                Ok(Data { data })
            }
        }
    }

    /// Deletes a workspace with its budgets and memberships.
    ///
    /// # Errors
    /// [`PlatformError::Refused`] while active keys are in it, [`PlatformError::Forbidden`] for the
    /// default one; as [`Platform::workspace`].
    pub async fn delete_workspace(&self, by: By, name: &str) -> Result<Deleted, PlatformError> {
        let id = self.workspace(&by.account, name).await?.id;
        match self.store().end_workspace(by, id).await? {
            WorkspaceEnd::Deleted => Ok(Deleted::TRUE),
            WorkspaceEnd::Unknown => Err(PlatformError::NotFound("workspace")),
            WorkspaceEnd::Default => {
                let text = "The default workspace can't be deleted";
                Err(PlatformError::Forbidden(text.to_owned()))
            }
            WorkspaceEnd::HasKeys => {
                Err(refused("The workspace has active API keys. Delete or disable them first."))
            }
        }
    }

    /// Who is in a workspace.
    ///
    /// # Errors
    /// As [`Platform::workspace`]; [`PlatformError::Refused`] for a page that can't be.
    pub async fn list_workspace_members(
        &self,
        account: &AccountId,
        name: &str,
        page: Page,
    ) -> Result<Listed<MemberObject>, PlatformError> {
        let (offset, limit) = page.checked()?;
        let workspace = self.workspace(account, name).await?;
        let all = self.store().workspace_members(&workspace).await?;
        let total_count = all.len() as u64;
        let page = all.into_iter().skip(offset as usize).take(limit as usize);
        Ok(Listed { data: page.map(Into::into).collect(), total_count })
    }

    /// Adds people of the account to a workspace.
    ///
    /// # Errors
    /// [`PlatformError::NotFound`] for somebody who is not in the account.
    pub async fn add_workspace_members(
        &self,
        by: By,
        name: &str,
        people: People,
    ) -> Result<Added, PlatformError> {
        let users = people.checked()?;
        let workspace = self.workspace(&by.account, name).await?;
        let added = self.store().add_workspace_members(by, workspace, users).await?;
        let added = added.map_err(|_| PlatformError::NotFound("user"))?;
        let data: Vec<MemberObject> = added.into_iter().map(Into::into).collect();
        Ok(Added { added_count: data.len(), data })
    }

    /// Removes people from a workspace.
    ///
    /// # Errors
    /// [`PlatformError::Refused`] for the default one, and for somebody who has active keys in it or is
    /// in it by the identity provider: then nobody is removed.
    pub async fn remove_workspace_members(
        &self,
        by: By,
        name: &str,
        people: People,
    ) -> Result<Removed, PlatformError> {
        let users = people.checked()?;
        let workspace = self.workspace(&by.account, name).await?;
        if workspace.is_default {
            return Err(refused("Everybody of the account is in its default workspace"));
        }
        match self.store().remove_workspace_members(by, workspace, users).await? {
            Removal::Done(removed_count) => Ok(Removed { removed_count }),
            Removal::HasKeys(user) => Err(refused(format!(
                "{user} has active API keys in the workspace. Delete them first."
            ))),
            Removal::Provisioned(user) => Err(refused(format!(
                "{user} is in the workspace by the identity provider. Remove the person there."
            ))),
        }
    }
}
