//! `/api/v1/scim`: what a directory provisioned, and what its groups open (platform spec 17.4).

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use signalbox_core::Secret;
use signalbox_core::id::{AccountId, WorkspaceId, random_uuid};
use signalbox_core::plan::Tier;
use signalbox_runtime::entropy;
use signalbox_store::scim::{MappingMade, ScimGroup, ScimMapping, ScimToken};
use signalbox_store::workspaces::WorkspaceRole;
use signalbox_store::{Actor, By, StoreError};

use super::{Data, Deleted, Listed, Page};
use crate::people::{digest, token};
use crate::{Platform, PlatformError};

/// What tokens of directories start with.
const PREFIX: &str = "scim-";
/// Longest name of a token, in characters.
const NAME: usize = 100;

/// A group.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[expect(missing_docs, reason = "the fields are those of the published schema")]
pub struct GroupObject {
    pub id: String,
    pub organization_id: AccountId,
    pub external_id: Option<String>,
    pub display_name: String,
    pub created_at: String,
    pub updated_at: String,
}

impl From<ScimGroup> for GroupObject {
    fn from(one: ScimGroup) -> Self {
        Self {
            id: one.id,
            organization_id: one.account,
            external_id: one.external_id,
            display_name: one.display_name,
            created_at: one.created_at.to_rfc3339(),
            updated_at: one.updated_at.to_rfc3339(),
        }
    }
}

/// What a group opens.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[expect(missing_docs, reason = "the fields are those of the published schema")]
pub struct MappingObject {
    pub id: String,
    pub organization_id: AccountId,
    pub scim_group_id: String,
    pub workspace_id: WorkspaceId,
    pub role: WorkspaceRole,
    pub created_at: String,
    pub updated_at: String,
}

impl From<ScimMapping> for MappingObject {
    fn from(one: ScimMapping) -> Self {
        Self {
            id: one.id,
            organization_id: one.account,
            scim_group_id: one.group,
            workspace_id: one.workspace,
            role: one.role,
            created_at: one.created_at.to_rfc3339(),
            updated_at: one.updated_at.to_rfc3339(),
        }
    }
}

/// `POST /scim/group-mappings`.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
#[expect(missing_docs, reason = "the fields are those of the published schema")]
pub struct CreateMapping {
    pub scim_group_id: String,
    pub workspace_id: String,
    pub role: WorkspaceRole,
}

/// `PATCH /scim/group-mappings/{id}`.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
#[expect(missing_docs, reason = "the fields are those of the published schema")]
pub struct UpdateMapping {
    pub role: WorkspaceRole,
}

/// `DELETE /scim/group-mappings/{id}?keep_members`.
#[derive(Debug, Clone, Deserialize)]
pub struct DeleteMapping {
    /// Whether those whom the mapping brought stay. There is no default, so that nobody is removed by
    /// accident.
    pub keep_members: bool,
}

/// `POST /scim/tokens`.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct CreateToken {
    /// The connection of the organization that the directory provisions over.
    pub connection_id: String,
    /// What people call it.
    pub name: Option<String>,
}

/// A token, without what is secret.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
pub struct TokenObject {
    /// Its id.
    pub id: String,
    /// What people call it.
    pub name: String,
    /// The connection.
    pub connection_id: String,
    /// Who made it.
    pub created_by: String,
    /// When.
    pub created_at: String,
    /// When a directory last used it, to a minute.
    pub last_used_at: Option<String>,
}

impl From<ScimToken> for TokenObject {
    fn from(one: ScimToken) -> Self {
        Self {
            id: one.id,
            name: one.name,
            connection_id: one.connection,
            created_by: one.created_by,
            created_at: one.created_at.to_rfc3339(),
            last_used_at: one.used_at.map(signalbox_core::Timestamp::to_rfc3339),
        }
    }
}

/// A new token: the only answer that ever shows it.
#[derive(Debug, Clone, Serialize, JsonSchema)]
pub struct CreatedToken {
    /// What is known of it.
    pub data: TokenObject,
    /// The whole token.
    #[serde(serialize_with = "exposed")]
    #[schemars(with = "String")]
    pub token: Secret<String>,
}

fn exposed<S: serde::Serializer>(
    secret: &Secret<String>,
    serializer: S,
) -> Result<S::Ok, S::Error> {
    serializer.serialize_str(secret.expose())
}

impl Platform {
    /// Directories are for organizations with the Enterprise plan: for others there is nothing here.
    async fn directed(&self, account: &AccountId) -> Result<(), PlatformError> {
        let nothing = PlatformError::NotFound("organization");
        if self.store().organization(account).await?.is_none() {
            return Err(nothing);
        }
        match self.plan(account).await?.plan.tier {
            Tier::Enterprise => Ok(()),
            _ => Err(nothing),
        }
    }

    /// The groups of an organization.
    ///
    /// # Errors
    /// [`PlatformError::NotFound`] for who is no Enterprise organization; [`PlatformError::Refused`]
    /// for a page that can't be.
    pub async fn list_scim_groups(
        &self,
        account: &AccountId,
        page: Page,
    ) -> Result<Listed<GroupObject>, PlatformError> {
        self.directed(account).await?;
        let (offset, limit) = page.checked()?;
        let (found, total_count) = self.store().scim_groups_of(account, offset, limit).await?;
        Ok(Listed { data: found.into_iter().map(Into::into).collect(), total_count })
    }

    /// The mappings of an organization.
    ///
    /// # Errors
    /// As [`Platform::list_scim_groups`].
    pub async fn list_scim_mappings(
        &self,
        account: &AccountId,
        page: Page,
    ) -> Result<Listed<MappingObject>, PlatformError> {
        self.directed(account).await?;
        let (offset, limit) = page.checked()?;
        let (found, total_count) = self.store().scim_mappings(account, offset, limit).await?;
        Ok(Listed { data: found.into_iter().map(Into::into).collect(), total_count })
    }

    /// Lets a group into a workspace.
    ///
    /// # Errors
    /// [`PlatformError::NotFound`] for a group or a workspace that the organization has not;
    /// [`PlatformError::Conflict`] for a second mapping of the two; [`PlatformError::Refused`] for the
    /// default workspace, which everybody is in, and while nobody signs in over the connection.
    pub async fn make_scim_mapping(
        &self,
        by: By,
        wish: CreateMapping,
    ) -> Result<Data<MappingObject>, PlatformError> {
        self.directed(&by.account).await?;
        let found = self.store().workspace(&by.account, &wish.workspace_id).await?;
        let found = found.filter(|one| one.id.as_str() == wish.workspace_id);
        let workspace = found.ok_or(PlatformError::NotFound("workspace"))?;
        if workspace.is_default {
            let text = "Everybody of the organization is in its default workspace";
            return Err(PlatformError::Refused(text.to_owned()));
        }
        let now = self.store().clock().now();
        let mapping = ScimMapping {
            id: random_uuid(entropy::bytes()),
            account: by.account.clone(),
            group: wish.scim_group_id,
            workspace: workspace.id,
            role: wish.role,
            created_at: now,
            updated_at: now,
        };
        match self.store().make_scim_mapping(by, mapping.clone()).await? {
            MappingMade::Done => Ok(Data { data: mapping.into() }),
            MappingMade::NoGroup => Err(PlatformError::NotFound("group")),
            MappingMade::NotActive => {
                let text = "Single sign-on over the connection of the group is not active";
                Err(PlatformError::Refused(text.to_owned()))
            }
            MappingMade::Taken => {
                let text = "The group is mapped to this workspace already";
                Err(PlatformError::Conflict(text.to_owned()))
            }
        }
    }

    /// One mapping.
    ///
    /// # Errors
    /// [`PlatformError::NotFound`] for one of somebody else, too.
    pub async fn get_scim_mapping(
        &self,
        account: &AccountId,
        id: &str,
    ) -> Result<Data<MappingObject>, PlatformError> {
        self.directed(account).await?;
        let found = self.store().scim_mapping(account, id).await?;
        Ok(Data { data: found.ok_or(PlatformError::NotFound("mapping"))?.into() })
    }

    /// Gives a mapping another role, and everybody whom it brought.
    ///
    /// # Errors
    /// As [`Platform::get_scim_mapping`].
    pub async fn update_scim_mapping(
        &self,
        by: By,
        id: String,
        wish: UpdateMapping,
    ) -> Result<Data<MappingObject>, PlatformError> {
        self.directed(&by.account).await?;
        let found = self.store().edit_scim_mapping(by, id, wish.role).await?;
        Ok(Data { data: found.ok_or(PlatformError::NotFound("mapping"))?.into() })
    }

    /// Removes a mapping.
    ///
    /// # Errors
    /// As [`Platform::get_scim_mapping`].
    pub async fn delete_scim_mapping(
        &self,
        by: By,
        id: String,
        wish: DeleteMapping,
    ) -> Result<Deleted, PlatformError> {
        self.directed(&by.account).await?;
        let done = self.store().remove_scim_mapping(by, id, wish.keep_members).await?;
        if done { Ok(Deleted::TRUE) } else { Err(PlatformError::NotFound("mapping")) }
    }

    /// The tokens of directories.
    ///
    /// # Errors
    /// [`PlatformError::NotFound`] for who is no Enterprise organization.
    pub async fn list_scim_tokens(
        &self,
        account: &AccountId,
    ) -> Result<Data<Vec<TokenObject>>, PlatformError> {
        self.directed(account).await?;
        let found = self.store().scim_tokens(account).await?;
        Ok(Data { data: found.into_iter().map(Into::into).collect() })
    }

    /// A token for the directory behind a connection. It is good once the domain of the connection is
    /// proven.
    ///
    /// # Errors
    /// As [`Platform::list_scim_tokens`]; [`PlatformError::NotFound`] for a connection that the
    /// organization has not; [`PlatformError::Refused`] for a name that can't be.
    pub async fn make_scim_token(
        &self,
        by: By,
        wish: CreateToken,
    ) -> Result<CreatedToken, PlatformError> {
        self.directed(&by.account).await?;
        let name = wish.name.unwrap_or_default().trim().to_owned();
        if name.chars().count() > NAME || name.chars().any(char::is_control) {
            return Err(PlatformError::Refused(format!("name: at most {NAME} characters")));
        }
        let connection = self.store().sso_connection(&wish.connection_id).await?;
        let connection = connection.filter(|one| one.account == by.account);
        let connection = connection.ok_or(PlatformError::NotFound("connection"))?;
        let created_by = match &by.actor {
            Actor::Key(hash) => format!("key:{hash}"),
            Actor::User(user) => user.to_string(),
            other => format!("{other:?}"),
        };
        let one = ScimToken {
            id: random_uuid(entropy::bytes()),
            account: by.account.clone(),
            connection: connection.id,
            name,
            created_by,
            created_at: self.store().clock().now(),
            used_at: None,
        };
        let secret = Secret::new(format!("{PREFIX}{}", token().expose()));
        match self.store().add_scim_token(by, one.clone(), digest(secret.expose())).await {
            Err(StoreError::Constraint(_)) => Err(PlatformError::NotFound("connection")),
            done => Ok(done.map(|()| CreatedToken { data: one.into(), token: secret })?),
        }
    }

    /// Takes a token back.
    ///
    /// # Errors
    /// [`PlatformError::NotFound`] for one of somebody else, too.
    pub async fn delete_scim_token(&self, by: By, id: String) -> Result<Deleted, PlatformError> {
        self.directed(&by.account).await?;
        let done = self.store().revoke_scim_token(by, id).await?;
        if done { Ok(Deleted::TRUE) } else { Err(PlatformError::NotFound("token")) }
    }
}
