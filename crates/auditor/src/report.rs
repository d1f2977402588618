//! What an audit found.

use serde::Serialize;

/// One broken invariant at one subject.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Breach {
    /// The invariant: `I1` to `I12`.
    pub invariant: &'static str,
    /// What breaks it: an account, a transfer, a generation or a key.
    pub subject: String,
    /// What is wrong, with the numbers.
    pub detail: String,
}

/// How many rows were read.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize)]
pub struct Checked {
    /// Accounts.
    pub accounts: u64,
    /// Transfers.
    pub transfers: u64,
    /// Reservations.
    pub reservations: u64,
    /// Generations.
    pub generations: u64,
    /// Payments.
    pub payments: u64,
    /// Vouchers.
    pub vouchers: u64,
    /// Invoices.
    pub invoices: u64,
    /// Days of spending, by scope.
    pub usage: u64,
}

/// The outcome of an audit.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize)]
pub struct Report {
    /// How many rows were read.
    pub checked: Checked,
    /// The first [`Report::MOST_BREACHES`] breaches, in the order of the checks.
    pub breaches: Vec<Breach>,
    /// All breaches, also those beyond the list.
    pub breach_count: u64,
}

impl Report {
    /// How many breaches are listed; a wrecked database must not fill the memory with prose.
    pub const MOST_BREACHES: usize = 1000;

    /// Whether every invariant holds.
    #[must_use]
    pub fn is_clean(&self) -> bool {
        self.breach_count == 0
    }

    pub(crate) fn breach(
        &mut self,
        invariant: &'static str,
        subject: impl Into<String>,
        detail: impl Into<String>,
    ) {
        self.breach_count = self.breach_count.saturating_add(1);
        if self.breaches.len() < Self::MOST_BREACHES {
            let breach = Breach { invariant, subject: subject.into(), detail: detail.into() };
            self.breaches.push(breach);
        }
    }
}
