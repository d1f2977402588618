//! `/api/v1/privacy`: what an account permits, whatever its workspaces, members and keys do (platform
//! spec 9.2).

use schemars::JsonSchema;
use serde::Serialize;
use signalbox_core::Timestamp;
use signalbox_core::id::AccountId;
use signalbox_store::privacy::Privacy;
use signalbox_store::{Actor, By};

use super::Data;
use super::guardrails::RulesObject;
use super::rules::{Names, RulesWish};
use crate::{Platform, PlatformError};

/// The settings.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
pub struct PrivacyObject {
    /// What everybody's requests are held to.
    #[serde(flatten)]
    pub rules: RulesObject,
    /// Whether only the operator may change them.
    pub locked: bool,
    /// When they were last changed.
    pub updated_at: Option<String>,
}

impl From<Privacy> for PrivacyObject {
    fn from(privacy: Privacy) -> Self {
        Self {
            rules: privacy.settings.into(),
            locked: privacy.locked,
            updated_at: privacy.updated_at.map(Timestamp::to_rfc3339),
        }
    }
}

impl Platform {
    /// The privacy settings of an account.
    ///
    /// # Errors
    /// [`PlatformError::Store`].
    pub async fn get_privacy(
        &self,
        account: &AccountId,
    ) -> Result<Data<PrivacyObject>, PlatformError> {
        Ok(Data { data: self.store().privacy(account).await?.into() })
    }

    /// Locks the privacy settings of an account, or unlocks them, as the operator of this name.
    ///
    /// # Errors
    /// [`PlatformError::NotFound`] when there is no such account.
    pub async fn lock_privacy(
        &self,
        account: &AccountId,
        locked: bool,
        operator: &str,
    ) -> Result<Data<PrivacyObject>, PlatformError> {
        let found = self.store().account(account).await?;
        found.ok_or(PlatformError::NotFound("account"))?;
        let actor = Actor::Operator(operator.to_owned());
        let by = By { account: account.clone(), actor, address: None };
        Ok(Data { data: self.store().lock_privacy(by, locked).await?.into() })
    }

    /// Changes the privacy settings of the account.
    ///
    /// # Errors
    /// [`PlatformError::Refused`] that names what can't be; [`PlatformError::Forbidden`] when they are
    /// locked.
    pub async fn update_privacy(
        &self,
        by: By,
        mut wish: RulesWish,
        names: &dyn Names,
    ) -> Result<Data<PrivacyObject>, PlatformError> {
        wish.check(names)?;
        let done = self.store().edit_privacy(by, move |rules| wish.apply(rules)).await?;
        let locked = || PlatformError::Forbidden("Privacy settings are locked".to_owned());
        Ok(Data { data: done.ok_or_else(locked)?.into() })
    }
}
