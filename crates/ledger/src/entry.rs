//! The money facts that storage keeps.

use signalbox_core::id::{AccountId, GenerationId, KeyHash};
use signalbox_core::{Timestamp, Usd};

/// An amount held for one generation before its first byte goes to a provider.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Reservation {
    /// The generation it is for; also its identity.
    pub generation: GenerationId,
    /// Whose balance it is held of.
    pub account: AccountId,
    /// Whose limit it counts against.
    pub key: KeyHash,
    /// The upper bound that is held. Never negative.
    pub amount: Usd,
    /// When it was opened.
    pub opened_at: Timestamp,
}

impl Reservation {
    /// The posting that ends this reservation with a charge of `amount` at `at`.
    #[must_use]
    pub fn charge(self, amount: Usd, at: Timestamp) -> Charge {
        Charge {
            generation: self.generation,
            account: self.account,
            key: self.key,
            reserved: self.amount,
            amount,
            at,
        }
    }
}

/// What one generation cost: money goes from the account to the operator's revenue.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Charge {
    /// The generation that was paid for. It has one charge at most, for ever.
    pub generation: GenerationId,
    /// Who paid.
    pub account: AccountId,
    /// Through which key.
    pub key: KeyHash,
    /// What was held for it.
    pub reserved: Usd,
    /// What was charged: from zero to `reserved`. A zero charge is no transfer.
    pub amount: Usd,
    /// When it was settled. It counts in the key's window of this moment.
    pub at: Timestamp,
}

/// Credit that an operator gives to an account.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Grant {
    /// Identity of the grant; a second grant with the same id has no effect.
    pub id: String,
    /// Who receives it.
    pub account: AccountId,
    /// How much. Above zero.
    pub amount: Usd,
    /// Why, in the operator's words.
    pub reason: String,
    /// Who granted it.
    pub operator: String,
    /// When.
    pub at: Timestamp,
}
