//! Places at which a test lets the owner task of a generation panic. Without the feature `failpoints`
//! there is nothing behind them.

use crate::generation::Given;

/// A place on a generation's way.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Failpoint {
    /// The body for a provider is about to be written.
    Prepare,
    /// The beginning of a provider's answer, or a whole one, is about to be read and translated.
    Translate,
    /// What comes after the first content is about to be.
    Relay,
    /// The end of an answer, or a whole one, is about to be written for the client.
    Encode,
    /// The charge is about to be posted.
    BeforeSettle,
    /// The charge is durable; the client has not seen the end.
    AfterSettle,
}

/// Panics if a test has armed this place for the model that the request names.
#[inline]
pub(crate) fn reached(point: Failpoint, given: &Given) {
    #[cfg(feature = "failpoints")]
    armed::fail(point, given.requested());
    #[cfg(not(feature = "failpoints"))]
    let _ = (point, given);
}

#[cfg(feature = "failpoints")]
pub use armed::arm;

#[cfg(feature = "failpoints")]
mod armed {
    use std::collections::HashSet;
    use std::sync::{Mutex, PoisonError};

    use super::Failpoint;

    static ARMED: Mutex<Option<HashSet<(Failpoint, String)>>> = Mutex::new(None);

    /// From now on, requests for this model panic there.
    pub fn arm(point: Failpoint, model: &str) {
        let mut armed = ARMED.lock().unwrap_or_else(PoisonError::into_inner);
        armed.get_or_insert_default().insert((point, model.to_owned()));
    }

    pub(super) fn fail(point: Failpoint, model: &str) {
        let armed = ARMED.lock().unwrap_or_else(PoisonError::into_inner);
        let hit = armed.as_ref().is_some_and(|all| all.contains(&(point, model.to_owned())));
        drop(armed);
        assert!(!hit, "the failpoint {point:?} was armed for {model}");
    }
}
