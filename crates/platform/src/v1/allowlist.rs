//! `/api/v1/privacy/allowlist`: phrases that are never taken for an injection, whatever the guardrail
//! (platform spec 7.8).

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use signalbox_core::Timestamp;
use signalbox_core::id::AccountId;
use signalbox_guard::Allowlist;
use signalbox_guard::allowlist::MAX_ACTIVE;
use signalbox_store::{By, Phrase, PhraseEdit, PhraseRefused};

use super::{Data, Deleted, Listed, Page};
use crate::{Platform, PlatformError};

/// One phrase.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
pub struct PhraseObject {
    /// A UUID.
    pub id: String,
    /// As it was written. Its case does not matter.
    pub phrase: String,
    /// Whether it is in force.
    pub active: bool,
    /// The person who added it, if one did.
    pub created_by: Option<String>,
    /// When it was added.
    pub created_at: String,
}

impl From<Phrase> for PhraseObject {
    fn from(one: Phrase) -> Self {
        Self {
            id: one.id,
            phrase: one.text,
            active: one.active,
            created_by: one.created_by,
            created_at: Timestamp::to_rfc3339(one.created_at),
        }
    }
}

/// A phrase as it is wished for: what is absent stays. A new one is active unless it says otherwise.
#[derive(Debug, Clone, Default, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct PhraseWish {
    /// 1 to 1,000 bytes of UTF-8.
    pub phrase: Option<String>,
    /// Whether it is in force.
    pub active: Option<bool>,
}

impl PhraseWish {
    fn check(&self) -> Result<(), PlatformError> {
        let phrase = self.phrase.as_deref().map(Allowlist::check).transpose();
        phrase.map(drop).map_err(|problem| PlatformError::Refused(format!("phrase: {problem}")))
    }
}

fn made(done: Result<Phrase, PhraseRefused>) -> Result<Data<PhraseObject>, PlatformError> {
    match done {
        Ok(one) => Ok(Data { data: one.into() }),
        Err(PhraseRefused::Missing) => Err(MISSING),
        Err(PhraseRefused::Duplicate) => {
            Err(PlatformError::Conflict("phrase: is in the list already".to_owned()))
        }
        Err(PhraseRefused::TooMany) => {
            Err(PlatformError::Refused(format!("at most {MAX_ACTIVE} phrases can be active")))
        }
    }
}

const MISSING: PlatformError = PlatformError::NotFound("phrase");

impl Platform {
    /// The phrases of an account, the newest first.
    ///
    /// # Errors
    /// [`PlatformError::Refused`] for a page that can't be.
    pub async fn list_phrases(
        &self,
        account: &AccountId,
        page: Page,
    ) -> Result<Listed<PhraseObject>, PlatformError> {
        let (offset, limit) = page.checked()?;
        let (found, total_count) = self.store().phrases_page(account, offset, limit).await?;
        Ok(Listed { data: found.into_iter().map(Into::into).collect(), total_count })
    }

    /// Adds a phrase.
    ///
    /// # Errors
    /// [`PlatformError::Refused`] for one that is too long or one too many, [`PlatformError::Conflict`]
    /// for one that is there.
    pub async fn add_phrase(
        &self,
        by: By,
        wish: PhraseWish,
    ) -> Result<Data<PhraseObject>, PlatformError> {
        wish.check()?;
        let required = || PlatformError::Refused("phrase: required".to_owned());
        let text = wish.phrase.ok_or_else(required)?;
        made(self.store().add_phrase(by, text, wish.active.unwrap_or(true)).await?)
    }

    /// Changes a phrase, or switches it.
    ///
    /// # Errors
    /// As [`Platform::add_phrase`]; [`PlatformError::NotFound`] for somebody else's, too.
    pub async fn update_phrase(
        &self,
        by: By,
        id: String,
        wish: PhraseWish,
    ) -> Result<Data<PhraseObject>, PlatformError> {
        wish.check()?;
        let edit = PhraseEdit { text: wish.phrase, active: wish.active };
        made(self.store().edit_phrase(by, id, edit).await?)
    }

    /// Deletes a phrase.
    ///
    /// # Errors
    /// [`PlatformError::NotFound`] for somebody else's, too.
    pub async fn delete_phrase(&self, by: By, id: String) -> Result<Deleted, PlatformError> {
        if self.store().delete_phrase(by, id).await? { Ok(Deleted::TRUE) } else { Err(MISSING) }
    }
}
