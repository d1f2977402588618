//! Credit from the operator.

use serde::Serialize;
use signalbox_core::Usd;
use signalbox_core::id::AccountId;
use signalbox_ledger::Grant;
use signalbox_runtime::entropy;
use signalbox_store::StoreError;

use crate::{Platform, PlatformError};

/// A grant as the command line prints it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct GrantDone {
    /// The transfer's own id.
    pub grant_id: String,
    /// Who received it.
    pub account_id: AccountId,
    /// How much.
    pub amount: Usd,
    /// The balance after it, holds of running requests not taken off.
    pub balance: Usd,
}

impl Platform {
    /// Adds credit to an account. Running servers see it within a second. Returns when it would
    /// survive a power cut.
    ///
    /// # Errors
    /// [`PlatformError::NotFound`] for an unknown account; [`PlatformError::Refused`] for an amount
    /// that is not above zero or beyond the range of money.
    pub async fn grant(
        &self,
        account: &AccountId,
        amount: Usd,
        reason: &str,
        operator: &str,
    ) -> Result<GrantDone, PlatformError> {
        let id = hex::encode(entropy::bytes());
        self.grant_once(&id, account, amount, reason, operator).await
    }

    /// The same, once for each id: the same grant again changes nothing.
    ///
    /// # Errors
    /// As [`Platform::grant`]; [`PlatformError::Refused`] when the id stands for another grant.
    pub async fn grant_once(
        &self,
        id: &str,
        account: &AccountId,
        amount: Usd,
        reason: &str,
        operator: &str,
    ) -> Result<GrantDone, PlatformError> {
        if amount <= Usd::ZERO {
            return Err(PlatformError::Refused("a grant is above zero".to_owned()));
        }
        if self.store.account(account).await?.is_none() {
            return Err(PlatformError::NotFound("account"));
        }
        let grant = Grant {
            id: id.to_owned(),
            account: account.clone(),
            amount,
            reason: reason.to_owned(),
            operator: operator.to_owned(),
            at: self.store.clock().now(),
        };
        match self.store.grant(grant).await {
            Err(StoreError::Refused(reason)) => {
                return Err(PlatformError::Refused(reason.to_string()));
            }
            done => done?,
        };
        let balance = self.store.balance(account).await?.unwrap_or_default().posted();
        Ok(GrantDone { grant_id: id.to_owned(), account_id: account.clone(), amount, balance })
    }
}
