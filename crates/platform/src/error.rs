//! What the control plane refuses.

use signalbox_core::{ApiError, ErrorKind};
use signalbox_store::StoreError;

/// Why an operation was not done.
#[derive(Debug, Clone, thiserror::Error)]
pub enum PlatformError {
    /// There is no such thing, or it belongs to somebody else.
    #[error("{0} not found")]
    NotFound(&'static str),
    /// The operation is not allowed as asked.
    #[error("{0}")]
    Refused(String),
    /// The store failed.
    #[error(transparent)]
    Store(#[from] StoreError),
}

impl From<PlatformError> for ApiError {
    /// 404, 400, and for a store that can't be reached 503: an outage is never the caller's fault.
    fn from(error: PlatformError) -> Self {
        match error {
            PlatformError::NotFound(_) => Self::new(ErrorKind::NotFound, "Resource not found"),
            PlatformError::Refused(reason) => Self::invalid(reason),
            PlatformError::Store(StoreError::Damaged(reason)) => Self::internal(reason),
            PlatformError::Store(_) => {
                let message = "The database can't be reached. Please try again.";
                let mut error = Self::new(ErrorKind::ProviderOverloaded, message);
                error.retry_after = Some(1);
                error
            }
        }
    }
}
