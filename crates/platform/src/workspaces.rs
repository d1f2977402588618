//! The workspaces of an account.

use signalbox_core::id::{AccountId, is_uuid};
use signalbox_store::WorkspaceRecord;

use crate::{Platform, PlatformError};

impl Platform {
    /// The workspace that a list is of, or a new thing is in: the one that is named by its UUID, else
    /// the default one.
    ///
    /// # Errors
    /// [`PlatformError::Refused`] for what is no UUID, and when nothing is named and the default one is
    /// gone; [`PlatformError::NotFound`] for one that the account has not.
    pub async fn workspace_or_default(
        &self,
        account: &AccountId,
        named: Option<&str>,
    ) -> Result<WorkspaceRecord, PlatformError> {
        let Some(id) = named else {
            let found = self.store().default_workspace_of(account).await?;
            let gone = "workspace_id: required, the default workspace was deleted";
            return found.ok_or_else(|| PlatformError::Refused(gone.to_owned()));
        };
        if !is_uuid(id) {
            return Err(PlatformError::Refused("workspace_id: a UUID".to_owned()));
        }
        let found = self.store().workspace(account, id).await?;
        found.ok_or(PlatformError::NotFound("workspace"))
    }
}
