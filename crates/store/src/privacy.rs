//! An account's privacy settings.

use serde_json::json;
use signalbox_core::Timestamp;
use signalbox_core::id::AccountId;
use signalbox_guard::Guardrail;

use crate::error::StoreError;
use crate::generations::parse;
use crate::guardrails::says_anything;
use crate::manage::{By, Deed, Managed};
use crate::sql::{Line, Row, query};
use crate::store::Store;

/// What an account permits, whatever its workspaces, members and keys do (platform spec 9.2).
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Privacy {
    /// What everybody's requests are held to.
    pub settings: Guardrail,
    /// Whether nobody may change it but the operator.
    pub locked: bool,
    /// When it was last changed.
    pub updated_at: Option<Timestamp>,
}

impl Privacy {
    /// The rules, if there are any.
    pub(crate) fn rules(self) -> Option<Guardrail> {
        says_anything(&self.settings).then_some(self.settings)
    }
}

fn read(row: &Line) -> Result<Privacy, StoreError> {
    Ok(Privacy {
        settings: parse("privacy", &row.try_get::<String, _>(0)?)?,
        locked: row.try_get(1)?,
        updated_at: Some(Timestamp::from_micros(row.try_get(2)?)),
    })
}

const SELECT: &str = "SELECT rules, locked, updated_at FROM privacy WHERE account_id = $1";

impl Store {
    /// The privacy settings of an account.
    ///
    /// # Errors
    /// [`StoreError`] when the database does not answer.
    pub async fn privacy(&self, account: &AccountId) -> Result<Privacy, StoreError> {
        let row = query(SELECT).bind(account.as_str()).fetch_optional(self.readers()).await?;
        Ok(row.as_ref().map(read).transpose()?.unwrap_or_default())
    }

    /// Changes the privacy settings of the account of `by`: as they are now, or `None` when they are
    /// locked.
    ///
    /// # Errors
    /// [`StoreError`] when the database does not answer.
    pub async fn edit_privacy(
        &self,
        by: By,
        edit: impl FnOnce(&mut Guardrail) + Send + 'static,
    ) -> Result<Option<Privacy>, StoreError> {
        let (account, now) = (by.account.clone(), self.clock().now());
        self.manage(by, "privacy.update", move |connection| {
            Box::pin(async move {
                let row = query(SELECT).bind(account.as_str());
                let row = row.fetch_optional(&mut *connection).await?;
                let old = row.as_ref().map(read).transpose()?.unwrap_or_default();
                if old.locked {
                    return Ok(Managed::nothing(None));
                }
                let mut settings = old.settings.clone();
                edit(&mut settings);
                let text = serde_json::to_string(&settings);
                query(
                    "INSERT INTO privacy (account_id, rules, updated_at) VALUES ($1, $2, $3) \
                     ON CONFLICT (account_id) DO UPDATE SET rules = excluded.rules, \
                     updated_at = excluded.updated_at",
                )
                .bind(account.as_str())
                .bind(text.map_err(|error| StoreError::Damaged(error.to_string()))?)
                .bind(now.micros())
                .execute(&mut *connection)
                .await?;
                let deed = Deed {
                    kind: "privacy",
                    id: account.to_string(),
                    before: Some(json!(old.settings)),
                    after: Some(json!(settings)),
                };
                let new = Privacy { settings, locked: false, updated_at: Some(now) };
                Ok(Managed::one(Some(new), deed))
            })
        })
        .await
    }

    /// Locks the privacy settings of the account of `by`, or unlocks them: as they are now.
    ///
    /// # Errors
    /// [`StoreError::Constraint`] when there is no such account.
    pub async fn lock_privacy(&self, by: By, locked: bool) -> Result<Privacy, StoreError> {
        let (account, now) = (by.account.clone(), self.clock().now());
        let action = if locked { "privacy.lock" } else { "privacy.unlock" };
        self.manage(by, action, move |connection| {
            Box::pin(async move {
                let row = query(SELECT).bind(account.as_str());
                let row = row.fetch_optional(&mut *connection).await?;
                let old = row.as_ref().map(read).transpose()?.unwrap_or_default();
                if old.locked == locked {
                    return Ok(Managed::nothing(old));
                }
                let text = serde_json::to_string(&old.settings);
                query(
                    "INSERT INTO privacy (account_id, rules, locked, updated_at) \
                     VALUES ($1, $2, $3, $4) ON CONFLICT (account_id) DO UPDATE SET \
                     locked = excluded.locked, updated_at = excluded.updated_at",
                )
                .bind(account.as_str())
                .bind(text.map_err(|error| StoreError::Damaged(error.to_string()))?)
                .bind(locked)
                .bind(now.micros())
                .execute(&mut *connection)
                .await?;
                let shown = |locked: bool| Some(json!({ "locked": locked }));
                let (before, after) = (shown(old.locked), shown(locked));
                let deed = Deed { kind: "privacy", id: account.to_string(), before, after };
                let new = Privacy { locked, updated_at: Some(now), ..old };
                Ok(Managed::one(new, deed))
            })
        })
        .await
    }
}
