//! What purchases refuse.

use signalbox_core::{ApiError, ErrorKind};
use signalbox_store::StoreError;
use signalbox_store::payments::NoRefund;

use super::chain::ChainError;
use super::fee::{Method, QuoteError};
use super::stripe::RailError;
use crate::PlatformError;

/// Why something about a purchase was not done.
#[derive(Debug, Clone, thiserror::Error)]
pub enum PurchaseError {
    /// This installation does not take money that way.
    #[error("{} payments are not set up on this server", .0.name())]
    NotSetUp(Method),
    /// There is no such thing, or it is somebody else's.
    #[error("{0} not found")]
    NotFound(&'static str),
    /// Not allowed as asked.
    #[error("{0}")]
    Refused(String),
    /// It can't be done in the state that things are in.
    #[error("{0}")]
    Conflict(String),
    /// The account may not move money.
    #[error("the account is frozen")]
    Frozen,
    /// The amount can't be bought.
    #[error(transparent)]
    Quote(#[from] QuoteError),
    /// Nothing can be given back.
    #[error("{}", refund_text(*.0))]
    NoRefund(NoRefund),
    /// The card processor.
    #[error(transparent)]
    Rail(#[from] RailError),
    /// The chain.
    #[error(transparent)]
    Chain(#[from] ChainError),
    /// Storage.
    #[error(transparent)]
    Store(#[from] StoreError),
}

const fn refund_text(reason: NoRefund) -> &'static str {
    match reason {
        NoRefund::Unknown => "Resource not found",
        NoRefund::NotPaid => "This purchase is not paid, or was given back or disputed already",
        NoRefund::Crypto => "Purchases with crypto currency are never refunded",
        NoRefund::TooLate => "A purchase can be refunded within 24 hours",
        NoRefund::UsedUp => "Nothing of this purchase is unused",
    }
}

impl From<PurchaseError> for ApiError {
    fn from(error: PurchaseError) -> Self {
        let text = error.to_string();
        let conflict = |text: String| Self::invalid(text).with_status(409);
        match error {
            PurchaseError::NotSetUp(_) => Self::new(ErrorKind::NotFound, text),
            PurchaseError::NotFound(_) | PurchaseError::NoRefund(NoRefund::Unknown) => {
                Self::new(ErrorKind::NotFound, "Resource not found")
            }
            PurchaseError::Refused(_) | PurchaseError::Quote(_) => Self::invalid(text),
            PurchaseError::NoRefund(_) | PurchaseError::Conflict(_) => conflict(text),
            PurchaseError::Frozen => Self::new(ErrorKind::PermissionDenied, text),
            PurchaseError::Rail(RailError::Declined { .. }) => {
                Self::new(ErrorKind::PaymentRequired, text)
            }
            PurchaseError::Rail(RailError::Refused { .. }) => {
                Self::new(ErrorKind::ProviderUnavailable, text)
            }
            PurchaseError::Rail(RailError::Unsure { .. })
            | PurchaseError::Chain(ChainError::Unreachable) => {
                let mut error = Self::new(ErrorKind::ProviderUnavailable, text);
                error.retry_after = Some(10);
                error
            }
            PurchaseError::Chain(ChainError::Unconfirmed { .. } | ChainError::Pending) => {
                let mut error = conflict(text);
                error.retry_after = Some(30);
                error
            }
            PurchaseError::Chain(_) => Self::invalid(text),
            PurchaseError::Store(StoreError::Constraint(reason)) => {
                tracing::warn!(%reason, "a row of a purchase was refused");
                conflict("This was used before".to_owned())
            }
            PurchaseError::Store(error) => PlatformError::Store(error).into(),
        }
    }
}
