//! `/api/v1/session/management-keys`: the management keys of an account (platform spec 2.7). They act
//! on the whole account, so only people make them, never another key.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use signalbox_core::Timestamp;
use signalbox_core::id::{AccountId, KeyHash};
use signalbox_store::idempotency::Answer;
use signalbox_store::{Actor, By, KeyKind, KeyPage, KeyRecord};

use super::keys::{checked_end, checked_name};
use super::{Data, Deleted};
use crate::keys::NewKey;
use crate::{Platform, PlatformError};

/// Keys that are listed at most.
const MOST: u32 = 1000;

/// A management key as its account sees it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
pub struct ManagementKeyObject {
    /// SHA-256 of the key, hex.
    pub hash: String,
    /// What people call it.
    pub name: String,
    /// The key, masked.
    pub label: String,
    /// Whether it is switched off.
    pub disabled: bool,
    /// Who made it; null for the operator.
    pub creator_user_id: Option<String>,
    /// When it was made, RFC 3339.
    pub created_at: String,
    /// When it ends by itself, RFC 3339.
    pub expires_at: Option<String>,
}

impl From<KeyRecord> for ManagementKeyObject {
    fn from(key: KeyRecord) -> Self {
        Self {
            hash: key.hash.to_string(),
            name: key.name,
            label: key.label,
            disabled: key.disabled,
            creator_user_id: key.creator.map(|user| user.to_string()),
            created_at: key.created_at.to_rfc3339(),
            expires_at: key.expires_at.map(Timestamp::to_rfc3339),
        }
    }
}

/// `POST /session/management-keys`.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ManagementKeyWish {
    /// What people call it, 1 to 255 characters.
    pub name: String,
    /// When it ends by itself: a moment in UTC.
    pub expires_at: Option<String>,
}

/// A new management key: the only answer that ever shows it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
pub struct CreatedManagementKey {
    /// What is known of it.
    pub data: ManagementKeyObject,
    /// The whole key.
    pub key: String,
}

impl Platform {
    /// The management keys of an account, the newest first.
    ///
    /// # Errors
    /// [`PlatformError::Store`].
    pub async fn list_management_keys(
        &self,
        account: &AccountId,
    ) -> Result<Data<Vec<ManagementKeyObject>>, PlatformError> {
        let page = KeyPage {
            workspace: None,
            include_disabled: true,
            kind: KeyKind::Management,
            creator: None,
            offset: 0,
            limit: MOST,
        };
        let keys = self.store().keys_page(account, &page).await?;
        Ok(Data { data: keys.into_iter().map(Into::into).collect() })
    }

    /// A new management key.
    ///
    /// # Errors
    /// [`PlatformError::Refused`] for a name or an end that can't be.
    pub async fn make_management_key(
        &self,
        by: By,
        wish: ManagementKeyWish,
    ) -> Result<CreatedManagementKey, PlatformError> {
        let now = self.store().clock().now();
        let creator = match &by.actor {
            Actor::User(user) => Some(user.clone()),
            _ => None,
        };
        let wanted = NewKey {
            name: checked_name(&wish.name)?,
            management: true,
            expires_at: wish.expires_at.as_deref().map(|end| checked_end(end, now)).transpose()?,
            creator,
            ..NewKey::default()
        };
        let draft = self.draft(&by.account, wanted)?;
        let (data, key) = (draft.record.clone().into(), draft.key.expose().clone());
        let unkept = Answer { status: 201, body: String::new() };
        self.store().make_key(by, draft.record, None, unkept).await?;
        Ok(CreatedManagementKey { data, key })
    }

    /// Deletes a management key for ever.
    ///
    /// # Errors
    /// [`PlatformError::NotFound`] for a key of somebody else, too.
    pub async fn delete_management_key(
        &self,
        by: By,
        hash: KeyHash,
    ) -> Result<Deleted, PlatformError> {
        let done = self.store().end_key(by, hash, KeyKind::Management).await?;
        if done { Ok(Deleted::TRUE) } else { Err(PlatformError::NotFound("key")) }
    }
}
