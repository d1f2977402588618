//! What this process may spend of one purse in one window.

use signalbox_core::{Timestamp, Usd};

use super::Leased;
use crate::purse::Draw;

/// The lease of a purse, as the book in memory has spent it so far. Amounts are nano-dollars, for a
/// purse that counts requests one for each.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Pot {
    /// The start of the window; the epoch for a purse that never starts again.
    pub window: Timestamp,
    /// What is leased and not spent, held amounts included.
    pub left: Usd,
    /// What open reservations hold of it.
    pub pending: Usd,
    /// What other processes held of the purse when it was last asked for.
    pub others: Usd,
    /// When somebody last drew on it, by the time of his request; absent for nobody.
    pub used: Option<Timestamp>,
    /// Whether nothing may be taken of it: the account is frozen or owes more than it may.
    pub blocked: bool,
    /// The limit it was leased under, and when that was set.
    limit: Option<(Usd, Timestamp)>,
}

impl Pot {
    pub(super) fn empty(draw: &Draw, window: Timestamp) -> Self {
        let limit = draw.cap().map(|limit| (limit, draw.version));
        Self {
            window,
            left: Usd::ZERO,
            pending: Usd::ZERO,
            others: Usd::ZERO,
            used: None,
            blocked: false,
            limit,
        }
    }

    /// What can be reserved.
    #[must_use]
    pub fn available(&self) -> Usd {
        self.left.saturating_sub(self.pending)
    }

    /// Whether the limit it was leased under is that of the draw, or newer.
    #[must_use]
    pub fn fits(&self, draw: &Draw) -> bool {
        match (self.limit, draw.cap()) {
            (Some((known, since)), Some(limit)) => known == limit || since > draw.version,
            _ => true,
        }
    }

    /// Whether nothing is left here and nobody else holds any of it.
    #[must_use]
    pub fn is_exhausted(&self) -> bool {
        self.left <= Usd::ZERO && self.others <= Usd::ZERO
    }

    /// Whether nothing is in it and nothing is held of it.
    #[must_use]
    pub fn is_idle(&self) -> bool {
        self.left == Usd::ZERO && self.pending == Usd::ZERO
    }

    pub(super) fn fill(&mut self, draw: &Draw, leased: Leased) {
        self.left = self.left.saturating_add(leased.added);
        self.others = leased.others;
        self.blocked = leased.blocked;
        self.limit = draw.cap().map(|limit| (limit, draw.version));
    }

    pub(super) fn withdraw(&mut self, most: Usd) -> Usd {
        let taken = self.available().min(most).max(Usd::ZERO);
        self.left = self.left.saturating_sub(taken);
        taken
    }

    pub(super) fn hold(&mut self, amount: Usd, now: Timestamp) {
        self.pending = self.pending.saturating_add(amount);
        self.used = Some(now);
    }

    pub(super) fn end(&mut self, held: Usd, counted: Usd) {
        self.pending = self.pending.saturating_sub(held);
        self.left = self.left.saturating_sub(counted);
    }
}
