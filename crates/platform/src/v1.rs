//! The JSON of `/api/v1`, for whoever the caller is.

pub mod allowlist;
pub mod assignments;
pub mod audit_log;
pub mod budgets;
pub mod byok;
pub mod credits;
pub mod defaults;
pub mod generation;
pub mod guardrails;
pub mod key;
mod key_budgets;
pub mod keys;
pub mod management_keys;
pub mod organization;
pub mod presets;
pub mod privacy;
pub mod rules;
pub mod scim;
pub mod session;
pub mod sign_in;
pub mod sso;
pub mod workspaces;

use schemars::JsonSchema;
use serde::{Deserialize, Deserializer, Serialize};

use crate::PlatformError;

/// The envelope of single objects: `{"data": …}`.
#[derive(Debug, Clone, PartialEq, Serialize, JsonSchema)]
#[schemars(inline)]
pub struct Data<T> {
    /// The object.
    pub data: T,
}

/// A page of a list, and how long the list is: `{"data": […], "total_count": …}`.
#[derive(Debug, Clone, PartialEq, Serialize, JsonSchema)]
#[schemars(inline)]
pub struct Listed<T> {
    /// The page.
    pub data: Vec<T>,
    /// How many there are.
    pub total_count: u64,
}

/// Which page of a list: `?offset&limit` (platform spec 0.3).
#[derive(Debug, Clone, Copy, Default, Deserialize, JsonSchema)]
pub struct Page {
    /// How many are skipped; 0.
    pub offset: Option<u32>,
    /// How many are wanted, 1 to 100; 50.
    pub limit: Option<u32>,
}

impl Page {
    pub(crate) fn checked(self) -> Result<(u32, u32), PlatformError> {
        let limit = self.limit.unwrap_or(50);
        if (1..=100).contains(&limit) {
            return Ok((self.offset.unwrap_or(0), limit));
        }
        Err(PlatformError::Refused("limit: 1 to 100".to_owned()))
    }
}

/// The answer to a deletion.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, JsonSchema)]
pub struct Deleted {
    deleted: bool,
}

impl Deleted {
    /// `{"deleted": true}`
    pub const TRUE: Self = Self { deleted: true };
}

/// Tells null from absent: a member that is there is `Some`, whatever its value. To be used with
/// `#[serde(default)]`.
pub(crate) fn given<'de, D, T>(deserializer: D) -> Result<Option<Option<T>>, D::Error>
where
    D: Deserializer<'de>,
    T: Deserialize<'de>,
{
    Option::deserialize(deserializer).map(Some)
}
