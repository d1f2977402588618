//! The money facts that storage keeps.

use std::sync::Arc;

use signalbox_core::id::{AccountId, GenerationId, KeyHash};
use signalbox_core::{Timestamp, Usd};

use crate::purse::{Counts, Draw, Spender};

/// Amounts held for one generation before its first byte goes to a provider.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Reservation {
    /// The generation it is for; also its identity.
    pub generation: GenerationId,
    /// Whose balance it is held of.
    pub account: AccountId,
    /// The key that asked.
    pub key: KeyHash,
    /// The upper bound of the charge. Never negative.
    pub amount: Usd,
    /// The upper bound of the list price of what the caller's own key pays for. Never negative.
    pub byok: Usd,
    /// The upper bound of both together, which is less than their sum where candidates with and
    /// without an own key stand side by side.
    pub together: Usd,
    /// The part of `byok` for which the month's allowance is held; absent where none is.
    pub free: Option<Usd>,
    /// When it was opened. What it costs counts in the windows of this moment.
    pub opened_at: Timestamp,
    /// The purses that it draws on and the scopes that it counts for.
    pub spender: Arc<Spender>,
}

impl Reservation {
    /// What is held of a purse.
    #[must_use]
    pub const fn held_of(&self, draw: &Draw) -> Usd {
        draw.counts.of(self.amount, self.together, self.free)
    }

    /// What it may come to at most of what it is said to have come to.
    #[must_use]
    pub fn cut(&self, charge: Charge) -> Charge {
        let credits = charge.credits.clamp(Usd::ZERO, self.amount);
        let room = self.together.saturating_sub(credits).min(self.byok).max(Usd::ZERO);
        let byok = charge.byok.clamp(Usd::ZERO, room);
        let free = charge.free.zip(self.free).map(|(used, held)| used.min(held).min(byok));
        Charge { credits, byok, free: free.map(|free| free.max(Usd::ZERO)) }
    }
}

/// What one generation came to.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Charge {
    /// What the account pays.
    pub credits: Usd,
    /// The list price of what the caller's own provider key paid for.
    pub byok: Usd,
    /// The part of it that the month's allowance covers; absent where it was not drawn on.
    pub free: Option<Usd>,
}

impl Charge {
    /// A charge of credits alone.
    #[must_use]
    pub const fn credits(credits: Usd) -> Self {
        Self { credits, byok: Usd::ZERO, free: None }
    }

    /// What a purse counts of it, as one request.
    #[must_use]
    pub const fn counted(&self, counts: Counts) -> Usd {
        counts.of(self.credits, self.credits.saturating_add(self.byok), self.free)
    }
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
