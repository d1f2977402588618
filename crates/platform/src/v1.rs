//! The JSON of `/api/v1`, for whoever the caller is.

pub mod credits;
pub mod generation;
pub mod key;
pub mod keys;
pub mod organization;
pub mod session;

use serde::{Deserialize, Deserializer, Serialize};

/// The envelope of single objects: `{"data": …}`.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Data<T> {
    /// The object.
    pub data: T,
}

/// The answer to a deletion.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
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
