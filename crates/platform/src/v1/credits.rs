//! `GET /api/v1/credits`.

use schemars::JsonSchema;
use serde::Serialize;
use signalbox_core::Usd;
use signalbox_core::id::AccountId;

use super::Data;
use crate::{Platform, PlatformError};

/// All-time sums; the balance is their difference (platform spec 4.7).
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Credits {
    /// Everything that was granted or bought and has not gone out again.
    pub total_credits: Usd,
    /// Everything that was charged.
    pub total_usage: Usd,
}

/// The answer to a voucher that was redeemed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
pub struct Redeemed {
    /// The credit that it gave.
    pub amount: Usd,
}

/// The answer to a transfer between accounts.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
pub struct Transferred {
    /// Its id.
    pub transfer_id: String,
    /// To whom.
    pub account_id: AccountId,
    /// How much.
    pub amount: Usd,
    /// The balance of the account that it came from.
    pub balance: Usd,
}

impl Platform {
    /// The credits of the caller's account. That the caller holds a management key is checked by the
    /// route.
    ///
    /// # Errors
    /// [`PlatformError::NotFound`] when the account is gone; [`PlatformError::Store`].
    pub async fn credits(&self, account: &AccountId) -> Result<Data<Credits>, PlatformError> {
        let balance = self.store().balance(account).await?;
        let balance = balance.ok_or(PlatformError::NotFound("account"))?;
        // What went out other than by usage is no credit any more: the difference is the balance.
        let total_credits = balance.credited.saturating_sub(balance.withdrawn);
        Ok(Data { data: Credits { total_credits, total_usage: balance.charged } })
    }
}
