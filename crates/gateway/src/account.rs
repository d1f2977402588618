//! An account as requests see it: what was agreed with it. One value in memory for all of its keys;
//! news of the account replace what is in it.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use arc_swap::ArcSwap;
use signalbox_store::AccountTerms;

/// The account that pays.
#[derive(Debug, Default)]
pub struct Account {
    terms: ArcSwap<AccountTerms>,
    /// Grows with every news: budgets may have changed with it.
    version: AtomicU64,
}

impl Account {
    /// An account with these terms.
    #[must_use]
    pub fn new(terms: AccountTerms) -> Self {
        Self { terms: ArcSwap::from_pointee(terms), version: AtomicU64::new(0) }
    }

    /// What was agreed, as known now.
    #[must_use]
    pub fn terms(&self) -> AccountTerms {
        **self.terms.load()
    }

    /// Newer terms.
    pub(crate) fn learn(&self, terms: AccountTerms) {
        self.terms.store(Arc::new(terms));
        self.version.fetch_add(1, Ordering::Release);
    }

    /// How many news there were.
    pub(crate) fn version(&self) -> u64 {
        self.version.load(Ordering::Acquire)
    }
}
