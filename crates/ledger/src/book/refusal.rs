//! Why the book says no.

use signalbox_core::Usd;
use signalbox_core::id::PurseId;

/// Why an amount is not held.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Refusal {
    /// A limit is used up: nothing is left of it, whatever is asked for (403).
    #[error("{purse} is used up")]
    Exhausted {
        /// The purse of the limit.
        purse: PurseId,
    },
    /// A purse does not cover this request (402).
    #[error("{purse} does not cover this request; ${available} is available")]
    Short {
        /// The purse.
        purse: PurseId,
        /// What is in it and not held.
        available: Usd,
    },
    /// The balance is below zero or the account is frozen: nothing is served, not even what is free
    /// (402).
    #[error("the account is frozen or its balance is below zero")]
    Blocked,
    /// A purse of this window, or with this limit, is not in the book yet.
    #[error("{purse} is not loaded")]
    Unloaded {
        /// The purse.
        purse: PurseId,
    },
    /// The generation has or had a reservation.
    #[error("the generation was reserved before")]
    AlreadyReserved,
}

/// Why a reservation can't be ended: it has ended, once and for all.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Terminal {
    /// It ended with a charge.
    #[error("the reservation is already settled")]
    AlreadySettled,
    /// It ended without a charge.
    #[error("the reservation is already released")]
    AlreadyReleased,
    /// It was never opened, or ended so long ago that the book has forgotten it.
    #[error("there is no such reservation")]
    UnknownReservation,
}
