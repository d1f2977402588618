//! What the control plane refuses.

use signalbox_core::{ApiError, ErrorKind};
use signalbox_store::vouchers::NotRedeemed;
use signalbox_store::{Refused, StoreError};

/// Why an operation was not done.
#[derive(Debug, Clone, thiserror::Error)]
pub enum PlatformError {
    /// There is no such thing, or it belongs to somebody else.
    #[error("{0} not found")]
    NotFound(&'static str),
    /// The operation is not allowed as asked.
    #[error("{0}")]
    Refused(String),
    /// Whoever asks did not prove who they are.
    #[error("{0}")]
    Denied(&'static str),
    /// The password was right; a code of the second factor is needed too.
    #[error("A code of the second factor is needed")]
    NeedsCode,
    /// People of this domain sign in through their organization's identity provider: this connection.
    #[error("Accounts of this domain sign in through their identity provider (single sign-on)")]
    SsoRequired(String),
    /// A service outside is out of reach or out of order.
    #[error("{0}")]
    Elsewhere(String),
    /// It does not go with what there is.
    #[error("{0}")]
    Conflict(String),
    /// Too often; again after so many seconds.
    #[error("Rate limit exceeded")]
    TooOften(u64),
    /// Too much is going on; again in a second.
    #[error("Too much is going on. Please try again.")]
    Busy,
    /// Nobody may do that.
    #[error("{0}")]
    Forbidden(String),
    /// The store failed.
    #[error(transparent)]
    Store(#[from] StoreError),
}

impl PlatformError {
    pub(crate) fn forbidden(why: &str) -> Self {
        Self::Forbidden(why.to_owned())
    }
}

/// Money that does not move: 402 when there is too little, 409 when it is in use or done with, 403
/// when the account is frozen, 422 for an idempotency key of another request.
fn money_refused(refused: &Refused) -> ApiError {
    let text = refused.to_string();
    match refused {
        Refused::UnknownAccount(_)
        | Refused::UnknownInvoice
        | Refused::Voucher(NotRedeemed::Unknown) => {
            ApiError::new(ErrorKind::NotFound, "Resource not found")
        }
        Refused::Insufficient { .. } => ApiError::new(ErrorKind::PaymentRequired, text),
        Refused::InUse { .. } => {
            let mut error = ApiError::new(ErrorKind::InvalidRequest, text).with_status(409);
            error.retry_after = Some(1);
            error
        }
        Refused::Different(_) | Refused::Voucher(_) => ApiError::invalid(text).with_status(409),
        Refused::Frozen => ApiError::new(ErrorKind::PermissionDenied, text),
        Refused::OtherRequest => ApiError::new(ErrorKind::Unprocessable, text),
        Refused::Amount | Refused::Itself | Refused::Invoiced | Refused::Period => {
            ApiError::invalid(text)
        }
    }
}

impl From<PlatformError> for ApiError {
    /// 404, 400, and for a store that can't be reached 503: an outage is never the caller's fault.
    fn from(error: PlatformError) -> Self {
        match error {
            PlatformError::NotFound(_) => Self::new(ErrorKind::NotFound, "Resource not found"),
            PlatformError::Refused(reason) => Self::invalid(reason),
            PlatformError::Denied(reason) => Self::new(ErrorKind::Authentication, reason),
            PlatformError::NeedsCode => Self::new(ErrorKind::Authentication, error.to_string())
                .with_metadata("second_factor", true),
            PlatformError::SsoRequired(ref connection) => {
                let begin = format!("/api/v1/session/begin/{connection}");
                Self::new(ErrorKind::PermissionDenied, error.to_string())
                    .with_metadata("sso", serde_json::json!({ "id": connection, "url": begin }))
            }
            PlatformError::Elsewhere(reason) => Self::invalid(reason).with_status(502),
            PlatformError::Conflict(reason) => Self::invalid(reason).with_status(409),
            PlatformError::TooOften(seconds) => {
                let mut error = Self::new(ErrorKind::RateLimitExceeded, error.to_string());
                error.retry_after = Some(seconds);
                error
            }
            PlatformError::Busy => {
                let mut error = Self::new(ErrorKind::ProviderOverloaded, error.to_string());
                error.retry_after = Some(1);
                error
            }
            PlatformError::Forbidden(reason) => Self::new(ErrorKind::PermissionDenied, reason),
            PlatformError::Store(StoreError::Damaged(reason)) => Self::internal(reason),
            PlatformError::Store(StoreError::Refused(refused)) => money_refused(&refused),
            // It has changed since it was looked at.
            PlatformError::Store(StoreError::Constraint(_)) => {
                let message = "Resource conflict. Please try again later.";
                Self::new(ErrorKind::InvalidRequest, message).with_status(409)
            }
            PlatformError::Store(_) => {
                let message = "The database can't be reached. Please try again.";
                let mut error = Self::new(ErrorKind::ProviderOverloaded, message);
                error.retry_after = Some(1);
                error
            }
        }
    }
}
