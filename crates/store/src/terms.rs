//! What was agreed with an account, as far as a request has to know.

use signalbox_core::Usd;
use signalbox_core::id::AccountId;

use crate::error::StoreError;
use crate::sql::{Row, query};
use crate::store::Store;

/// What a request has to know of the account that pays.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct AccountTerms {
    /// All that was ever bought; granted credit is not.
    pub purchased: Usd,
    /// Whether prompts and answers may be used by the platform, for a discount.
    pub shares_data: bool,
}

impl Store {
    /// The terms of an account; `None` when there is no such account.
    ///
    /// # Errors
    /// [`StoreError`] when the database does not answer.
    pub async fn account_terms(&self, id: &AccountId) -> Result<Option<AccountTerms>, StoreError> {
        let row = query("SELECT purchased, shares_data FROM accounts WHERE id = $1")
            .bind(id.as_str())
            .fetch_optional(self.readers())
            .await?;
        let Some(row) = row else { return Ok(None) };
        Ok(Some(AccountTerms {
            purchased: Usd::from_nanos(row.try_get(0)?),
            shares_data: row.try_get::<i64, _>(1)? != 0,
        }))
    }
}
