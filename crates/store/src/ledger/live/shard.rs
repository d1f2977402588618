//! One shard: the state behind its lock, and the ends of reservations, each of which is one step.

use std::ops::DerefMut;
use std::sync::{Mutex, MutexGuard, PoisonError};

use signalbox_core::id::GenerationId;
use signalbox_ledger::{Charge, Settled, Terminal};

use super::State;

/// A lock around a value. There are two: the system's, and that of a test which decides itself who
/// gets it next.
pub(in crate::ledger) trait Lock<T> {
    /// The value while it is held.
    type Held<'a>: DerefMut<Target = T>
    where
        Self: 'a;

    /// Waits for the lock. A panic elsewhere does not lock the money up.
    fn hold(&self) -> Self::Held<'_>;
}

impl<T> Lock<T> for Mutex<T> {
    type Held<'a>
        = MutexGuard<'a, T>
    where
        Self: 'a;

    fn hold(&self) -> MutexGuard<'_, T> {
        self.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// One shard.
#[derive(Default)]
pub(in crate::ledger) struct Shard<L = Mutex<State>> {
    state: L,
    /// Held while a lease of one of its purses changes, so that memory and rows change together.
    pub leasing: tokio::sync::Mutex<()>,
}

impl<L: Lock<State>> Shard<L> {
    /// The state.
    pub fn lock(&self) -> L::Held<'_> {
        self.state.hold()
    }

    /// Ends a reservation with a charge.
    ///
    /// # Errors
    /// When it has ended or was never opened.
    pub fn settle(&self, generation: &GenerationId, charge: Charge) -> Result<Settled, Terminal> {
        self.lock().book.settle(generation, charge)
    }

    /// Ends a reservation without one; it counts as a request if a provider was asked.
    ///
    /// # Errors
    /// When it has ended or was never opened.
    pub fn release(&self, generation: &GenerationId, attempted: bool) -> Result<(), Terminal> {
        self.lock().book.release(generation, attempted).map(drop)
    }
}

#[cfg(test)]
impl<L> Shard<L> {
    /// A shard behind this lock.
    pub fn behind(state: L) -> Self {
        Self { state, leasing: tokio::sync::Mutex::default() }
    }
}
