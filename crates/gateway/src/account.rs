//! An account as requests see it: what was agreed with it. One value in memory for all of its keys;
//! news of the account replace what is in it.

use std::sync::Arc;
use std::sync::atomic::{AtomicI64, AtomicU64, Ordering};

use arc_swap::{ArcSwap, Guard};
use signalbox_core::Usd;
use signalbox_core::discount::Discount;
use signalbox_core::plan::{FreeLimits, Plan, Plans, Standing};

use crate::limit::Window;
use crate::own_keys::Ring;

/// The account that pays.
#[derive(Debug)]
pub struct Account {
    terms: ArcSwap<Terms>,
    /// Its requests to free models in this minute.
    pub(crate) free: Window,
    /// Grows with every news: budgets may have changed with it.
    version: AtomicU64,
    /// No request waits for what other processes hold of its allowance before this moment
    /// (microseconds).
    rest: AtomicI64,
    /// What was made of its own provider keys.
    pub(crate) own: Ring,
}

/// What a request, and its bill, have to know of the account.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Terms {
    /// Its plan, with what was negotiated.
    pub plan: Plan,
    /// What it ever purchased.
    pub purchased: Usd,
    /// What comes off its prices.
    pub discount: Discount,
    /// What comes off them for requests of a workspace that lets its data be used.
    pub sharing: Discount,
}

impl Terms {
    /// The terms that follow from what is stored.
    #[must_use]
    pub fn of(plans: &Plans, standing: &Standing) -> Self {
        let plan = plans.of(standing);
        let discount = |shares_data| {
            // A basis point is 100,000 billionths.
            let parts = i64::from(plan.discount_bps(shares_data)).saturating_mul(100_000);
            Discount::from_billionths(parts).unwrap_or(Discount::NONE)
        };
        let (sharing, discount) = (discount(true), discount(standing.shares_data));
        Self { plan, purchased: standing.purchased, discount, sharing }
    }

    /// How many requests to free models it may make.
    #[must_use]
    pub fn free_limits(&self) -> FreeLimits {
        self.plan.free_limits(self.purchased)
    }
}

impl Account {
    /// An account with these terms.
    #[must_use]
    pub fn new(terms: Terms) -> Self {
        let terms = ArcSwap::from_pointee(terms);
        let (version, rest) = (AtomicU64::new(0), AtomicI64::new(i64::MIN));
        Self { terms, free: Window::default(), version, rest, own: Ring::default() }
    }

    /// It was waited for in vain.
    pub(crate) fn rest_until(&self, micros: i64) {
        self.rest.store(micros, Ordering::Relaxed);
    }

    /// Whether a request may wait for it.
    pub(crate) fn is_rested(&self, micros: i64) -> bool {
        micros >= self.rest.load(Ordering::Relaxed)
    }

    /// What was agreed, as known now.
    #[must_use]
    pub fn terms(&self) -> Guard<Arc<Terms>> {
        self.terms.load()
    }

    /// Newer terms.
    pub(crate) fn learn(&self, terms: Terms) {
        self.terms.store(Arc::new(terms));
        self.version.fetch_add(1, Ordering::Release);
    }

    /// How many news there were.
    pub(crate) fn version(&self) -> u64 {
        self.version.load(Ordering::Acquire)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn who_shares_data_pays_one_percent_less_and_nobody_else_does() {
        let plans = Plans::default();
        let standing = Standing { shares_data: true, ..Standing::default() };
        assert_eq!(Terms::of(&plans, &standing).discount, Discount::DATA_SHARING);
        assert_eq!(Terms::of(&plans, &Standing::default()).discount, Discount::NONE);
    }
}
