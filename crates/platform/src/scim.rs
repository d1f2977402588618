//! Directories: the inbound side of SCIM 2.0 (RFC 7643, RFC 7644; platform spec 17).
//!
//! A directory shows the token of a connection and says who belongs to the organization. What it sends
//! beyond what is read here is passed over, as the RFC wants it, and not kept.

mod directory;
pub mod discovery;
pub mod filter;
pub mod patch;
pub mod resource;
mod shape;
pub mod wire;

pub use directory::{Heard, ListQuery, ScimDirectory};
pub use shape::Shape;

use crate::PlatformError;
use wire::ScimProblem;

/// A wish of a directory that is not granted (RFC 7644, section 3.12).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ScimError {
    /// The HTTP status.
    pub status: u16,
    /// What kind of error, for those that the RFC has a word for.
    pub kind: Option<&'static str>,
    /// For people.
    pub detail: String,
}

impl ScimError {
    /// An error without a word.
    #[must_use]
    pub fn new(status: u16, detail: impl Into<String>) -> Self {
        Self { status, kind: None, detail: detail.into() }
    }

    /// 400 with a word of the RFC.
    #[must_use]
    pub fn invalid(kind: &'static str, detail: impl Into<String>) -> Self {
        Self { status: 400, kind: Some(kind), detail: detail.into() }
    }

    fn value(detail: impl Into<String>) -> Self {
        Self::invalid("invalidValue", detail)
    }

    fn taken(detail: impl Into<String>) -> Self {
        Self { status: 409, kind: Some("uniqueness"), detail: detail.into() }
    }

    fn not_there() -> Self {
        Self::new(404, "Resource not found")
    }

    /// As the RFC has it on the wire.
    #[must_use]
    pub fn body(&self) -> ScimProblem {
        ScimProblem {
            schemas: vec!["urn:ietf:params:scim:api:messages:2.0:Error".to_owned()],
            status: self.status.to_string(),
            scim_type: self.kind.map(str::to_owned),
            detail: self.detail.clone(),
        }
    }
}

impl From<PlatformError> for ScimError {
    fn from(error: PlatformError) -> Self {
        let error = signalbox_core::ApiError::from(error);
        if error.kind.is_public() {
            return Self::new(error.status(), error.message);
        }
        tracing::error!(%error, "a directory was not heard by our fault");
        Self::new(error.status(), "Internal Server Error")
    }
}

impl From<signalbox_store::StoreError> for ScimError {
    fn from(error: signalbox_store::StoreError) -> Self {
        PlatformError::from(error).into()
    }
}
