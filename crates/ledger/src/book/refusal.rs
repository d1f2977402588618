//! Why the book says no.

use signalbox_core::Usd;

/// Why an amount is not held.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Refusal {
    /// The balance does not cover this request (402).
    #[error("the balance does not cover this request; ${available} is available")]
    InsufficientCredit {
        /// Posted less what is held.
        available: Usd,
    },
    /// The balance is below zero: nothing is served, not even what is free (402).
    #[error("the balance is below zero")]
    NegativeBalance,
    /// The key's limit is used up (403).
    #[error("the key has used ${used} of its limit of ${limit}")]
    KeyLimitExceeded {
        /// The limit.
        limit: Usd,
        /// Settled spending in the limit's window.
        used: Usd,
    },
    /// The key's limit does not cover this request (402).
    #[error("the key's limit does not cover this request; ${remaining} is left of it")]
    KeyLimitTooLow {
        /// The limit less what is spent and held.
        remaining: Usd,
    },
    /// The account is not open in this book.
    #[error("the account is not known")]
    UnknownAccount,
    /// The key is not open in this book, or belongs to another account.
    #[error("the key is not known for this account")]
    UnknownKey,
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

/// Why money is not added.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum CreditError {
    /// The account is not open in this book.
    #[error("the account is not known")]
    UnknownAccount,
    /// Zero or less.
    #[error("a credit must be above zero")]
    NotPositive,
    /// The balance would be beyond what an amount can hold.
    #[error("the balance would be beyond what an amount can hold")]
    OutOfRange,
}
