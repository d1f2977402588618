//! Seats as keys of a table that can be searched without owning one.

use std::borrow::Borrow;
use std::hash::{Hash, Hasher};

use super::Seat;

/// A seat that owns its names.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Key {
    endpoint: Box<str>,
    credential: Option<Box<str>>,
}

impl Key {
    /// Whether it is that of a tenant's key.
    pub(super) const fn is_tenants(&self) -> bool {
        self.credential.is_some()
    }
}

impl From<Seat<'_>> for Key {
    fn from(seat: Seat<'_>) -> Self {
        Self { endpoint: seat.endpoint.into(), credential: seat.credential.map(Into::into) }
    }
}

/// Whatever names a seat.
pub(super) trait Named {
    /// The seat.
    fn seat(&self) -> Seat<'_>;
}

impl Named for Key {
    fn seat(&self) -> Seat<'_> {
        Seat { endpoint: &self.endpoint, credential: self.credential.as_deref() }
    }
}

impl Named for Seat<'_> {
    fn seat(&self) -> Seat<'_> {
        *self
    }
}

impl Hash for dyn Named + '_ {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.seat().hash(state);
    }
}

impl PartialEq for dyn Named + '_ {
    fn eq(&self, other: &Self) -> bool {
        self.seat() == other.seat()
    }
}

impl Eq for dyn Named + '_ {}

// The same as that of the seat, as a table that is searched by it demands.
impl Hash for Key {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.seat().hash(state);
    }
}

impl<'a> Borrow<dyn Named + 'a> for Key {
    fn borrow(&self) -> &(dyn Named + 'a) {
        self
    }
}
