//! What an app asks of a person, checked and named, for the page where the person decides.

use schemars::JsonSchema;
use serde::Serialize;
use signalbox_core::Usd;
use signalbox_core::id::WorkspaceId;
use signalbox_core::time::ResetInterval;

use super::CodeWish;
use crate::PlatformError;
use crate::people::{People, Person};
use crate::v1::Data;

/// Most workspaces that a person chooses among.
const CHOICES: u32 = 100;

/// A workspace that the key may be in.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
pub struct WorkspaceChoice {
    /// Its id.
    pub id: WorkspaceId,
    /// Its name.
    pub name: String,
}

/// `POST /session/consent`: the request of an app as it would be fulfilled.
#[derive(Debug, Clone, PartialEq, Serialize, JsonSchema)]
pub struct ConsentObject {
    /// What to call the app: the host of its callback URL.
    pub app_title: String,
    /// The callback URL in its one spelling; without one the person copies the code.
    pub callback_url: Option<String>,
    /// The name that the key gets.
    pub key_label: String,
    /// The limit that the app proposes, in dollars.
    pub limit: Option<Usd>,
    /// How often the limit begins anew; absent: never.
    pub usage_limit_type: Option<ResetInterval>,
    /// When the key ends.
    pub expires_at: Option<String>,
    /// The workspace that the key is in unless the person chooses another.
    pub workspace_id: WorkspaceId,
    /// Those that the person may choose.
    pub workspaces: Vec<WorkspaceChoice>,
}

impl People {
    /// What a person is asked for. Nothing comes of it.
    ///
    /// # Errors
    /// As [`People::consent`].
    pub async fn requested(
        &self,
        person: &Person,
        wish: CodeWish,
    ) -> Result<Data<ConsentObject>, PlatformError> {
        person.proven()?;
        let asked = self.asked(&wish)?;
        let workspaces = self.choices(person).await?;
        let named = wish.workspace_id.as_deref();
        let chosen = match named {
            Some(id) => workspaces.iter().find(|one| one.id.as_str() == id),
            None => workspaces.first(),
        };
        let workspace_id =
            chosen.map(|one| one.id.clone()).ok_or(PlatformError::NotFound("workspace"))?;
        let data = ConsentObject {
            app_title: asked.title,
            callback_url: asked.callback_url,
            key_label: asked.key_name,
            limit: asked.limit,
            usage_limit_type: wish.usage_limit_type,
            expires_at: asked.end.map(|end| end.to_rfc3339()),
            workspace_id,
            workspaces,
        };
        Ok(Data { data })
    }

    /// The workspaces of the person's context that they may have keys in, the default one first.
    async fn choices(&self, person: &Person) -> Result<Vec<WorkspaceChoice>, PlatformError> {
        let store = self.platform().store();
        let (account, reach) = (&person.context.account, person.reach());
        let (all, _) = store.workspaces_page(account, reach.member(), 0, CHOICES).await?;
        Ok(all.into_iter().map(|one| WorkspaceChoice { id: one.id, name: one.name }).collect())
    }
}
