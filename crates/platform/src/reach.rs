//! How far somebody reaches into an account: the roles of an organization (platform spec 1.3).

use signalbox_core::id::{AccountId, KeyHash, UserId, WorkspaceId};
use signalbox_store::{KeyRecord, WorkspaceRecord};

use crate::{Platform, PlatformError};

/// How far somebody reaches into an account.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Reach {
    /// Everywhere: a management key, a person in their own account, an admin of the organization.
    Whole,
    /// A member of the organization who is no admin: the keys that they made, and the workspaces that
    /// they belong to. Everything else is not there.
    Own(UserId),
}

impl Reach {
    /// The member whose own things they are; none for who reaches everything.
    #[must_use]
    pub const fn member(&self) -> Option<&UserId> {
        match self {
            Self::Whole => None,
            Self::Own(user) => Some(user),
        }
    }

    pub(crate) fn has_key(&self, key: &KeyRecord) -> bool {
        self.member().is_none_or(|user| key.creator.as_ref() == Some(user))
    }
}

impl Platform {
    /// Refuses a workspace that a member does not belong to, as if it were not there.
    pub(crate) async fn within(
        &self,
        reach: &Reach,
        workspace: WorkspaceRecord,
    ) -> Result<WorkspaceRecord, PlatformError> {
        match reach.member() {
            Some(user) if !workspace.is_default => {
                let belongs = self.store().is_in_workspace(&workspace.id, user).await?;
                if belongs { Ok(workspace) } else { Err(PlatformError::NotFound("workspace")) }
            }
            _ => Ok(workspace),
        }
    }

    /// A workspace by its UUID or its slug, for somebody who reaches so far.
    ///
    /// # Errors
    /// [`PlatformError::NotFound`] for one of somebody else, and for one that a member does not belong
    /// to.
    pub async fn workspace_within(
        &self,
        account: &AccountId,
        reach: &Reach,
        name: &str,
    ) -> Result<WorkspaceRecord, PlatformError> {
        let workspace = self.workspace(account, name).await?;
        self.within(reach, workspace).await
    }

    /// The workspace of new keys, or of a list of them, as keys name it.
    pub(crate) async fn workspace_of_keys(
        &self,
        account: &AccountId,
        reach: &Reach,
        named: Option<&str>,
    ) -> Result<Option<WorkspaceId>, PlatformError> {
        let workspace = self.workspace_or_default(account, named).await?;
        Ok(self.within(reach, workspace).await?.of_keys())
    }

    /// A key of the account that somebody reaches.
    pub(crate) async fn key_within(
        &self,
        account: &AccountId,
        reach: &Reach,
        hash: &KeyHash,
    ) -> Result<KeyRecord, PlatformError> {
        let key = self.store().key(hash).await?;
        let key = key.filter(|key| key.account == *account && !key.management);
        key.filter(|key| reach.has_key(key)).ok_or(PlatformError::NotFound("key"))
    }

    /// Refuses to let a member have a key again that is switched off: unless they did that themselves
    /// (platform spec 2.4: after a deactivation an admin has to) and are in its workspace still.
    pub(crate) async fn may_revive(
        &self,
        reach: &Reach,
        key: &KeyRecord,
    ) -> Result<(), PlatformError> {
        let Some(user) = reach.member() else { return Ok(()) };
        if let Some(workspace) = &key.workspace
            && !self.store().is_in_workspace(workspace, user).await?
        {
            let text = "You are not in the workspace of this key any more";
            return Err(PlatformError::forbidden(text));
        }
        if key.disabled {
            let by = self.store().switched_off_by(&key.account, &key.hash).await?;
            if by.as_ref() != Some(user) {
                return Err(PlatformError::forbidden("Ask an admin to switch this key on"));
            }
        }
        Ok(())
    }
}
