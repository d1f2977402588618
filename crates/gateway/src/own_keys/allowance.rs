//! The month's allowance of own provider keys as one request draws on it (platform spec 5.3).
//!
//! A candidate with such a key costs the fee alone, and nothing where the allowance covers it. An
//! allowance that is used up refuses nobody: the fee is held instead.

use std::sync::Arc;

use signalbox_core::{Timestamp, Usd};
use signalbox_ledger::{Counts, Draw, OwnKey, Refusal, Spender};
use signalbox_policy::Plan;

use crate::authenticate::Principal;

/// Parts of the allowance that one request tries to get before it does without.
const TRIES: u8 = 3;
/// After a request waited in vain for what other processes hold of the allowance, so many microseconds
/// pass before another one waits.
const REST: i64 = 1_000_000;

/// What one request with own keys draws on.
pub(crate) struct OwnUse {
    basis_points: u32,
    /// The most that may be credits and list price together, where a limit counts both.
    together: Usd,
    /// What is drawn on: the others, and the allowance while there is one.
    spender: Arc<Spender>,
    /// The most of the list price that the allowance may cover; `None` without an allowance.
    free: Option<Usd>,
    tries: u8,
}

impl OwnUse {
    /// Of a plan in which a candidate has an own key; `None` for all other requests.
    pub(crate) fn of(
        principal: &Principal,
        plan: &Plan,
        spender: &Arc<Spender>,
        together: impl FnOnce() -> Usd,
    ) -> Option<Self> {
        if plan.candidates.iter().all(|one| one.byok.is_none()) {
            return None;
        }
        let basis_points = principal.account.terms().plan.byok_fee_bps;
        let drawing = |draw: &Draw| Arc::new(Spender::clone(spender).limited(draw.clone(), false));
        let allowance = principal.allowance.as_ref();
        Some(Self {
            basis_points,
            together: together(),
            spender: allowance.map_or_else(|| Arc::clone(spender), drawing),
            free: allowance.map(|_| Usd::MAX),
            tries: 0,
        })
    }

    pub(crate) const fn spender(&self) -> &Arc<Spender> {
        &self.spender
    }

    /// The terms of a candidate with an own key.
    pub(crate) fn terms(&self) -> OwnKey {
        let free = self.free.unwrap_or(Usd::ZERO);
        OwnKey { basis_points: self.basis_points, free, together: self.together }
    }

    /// The same when only the fee and what is free count, not what there is.
    pub(crate) fn at_any_cost(&self) -> OwnKey {
        OwnKey { together: Usd::MAX, ..self.terms() }
    }

    /// The part of a list price for which the allowance is to be held.
    pub(crate) fn free_of(&self, list: Usd) -> Option<Usd> {
        self.free.map(|most| most.min(list))
    }

    /// What was refused is tried with what there is; `false` when the refusal is none of its own.
    pub(crate) fn learn(
        &mut self,
        refusal: &Refusal,
        principal: &Principal,
        plain: &Arc<Spender>,
        now: Timestamp,
    ) -> bool {
        let (purse, available) = match refusal {
            Refusal::Exhausted { purse } => (purse, Usd::ZERO),
            Refusal::Short { purse, available } => (purse, *available),
            _ => return false,
        };
        match self.spender.draw(purse).map(|draw| draw.counts) {
            Some(Counts::CreditsAndByok) => {
                self.together = available;
                return false;
            }
            Some(counts) if counts.is_allowance() => {
                self.tries = self.tries.saturating_add(1);
                let part = counts == Counts::FreeList && available > Usd::ZERO;
                if part && self.tries < TRIES {
                    self.free = Some(available);
                } else {
                    (self.free, self.spender) = (None, Arc::clone(plain));
                }
                if matches!(refusal, Refusal::Short { .. }) {
                    principal.account.rest_until(now.micros().saturating_add(REST));
                }
                return true;
            }
            _ => {}
        }
        false
    }

    /// Whether it may wait for what other processes hold of the allowance.
    pub(crate) fn may_wait(&self, principal: &Principal, now: Timestamp) -> bool {
        self.free.is_some() && principal.account.is_rested(now.micros())
    }
}
