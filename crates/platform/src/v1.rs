//! The JSON of `/api/v1`, for whoever the caller is.

pub mod credits;
pub mod generation;
pub mod key;

use serde::Serialize;

/// The envelope of single objects: `{"data": …}`.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Data<T> {
    /// The object.
    pub data: T,
}
