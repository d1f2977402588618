//! Charges as chained transfers, and the projections that follow from them.

use signalbox_core::{FastMap, Usd};

use super::{End, Entry, Outcome};
use crate::chain::{self, Posting};
use crate::keys::day_of;

/// The position and hash of the last transfer.
pub(super) type Head = (i64, String);

/// The place of one charge in the chain.
pub(super) struct Link {
    pub seq: i64,
    pub previous: String,
    pub hash: String,
}

/// Appends a charge to the chain and moves its head.
pub(super) fn link(head: &mut Head, entry: &Entry, end: &End) -> Link {
    let seq = head.0.saturating_add(1);
    let hash = chain::link(&head.1, &chain::line(seq, &charge(entry, end)));
    let (_, previous) = std::mem::replace(head, (seq, hash.clone()));
    Link { seq, previous, hash }
}

/// The transfer as the trigger `intake_charge` writes it.
fn charge(entry: &Entry, end: &End) -> Posting {
    let held = &entry.reservation;
    Posting {
        id: format!("charge:{}", held.generation),
        kind: "charge",
        debit: format!("acct:{}", held.account),
        credit: chain::REVENUE.to_owned(),
        amount: end.charged,
        generation: Some(held.generation.clone()),
        reason: String::new(),
        operator: None,
        at: end.at,
    }
}

/// What a batch adds to each projection.
#[derive(Default)]
pub(super) struct Sums<'a> {
    accounts: FastMap<&'a str, i64>,
    leases: FastMap<(&'a str, &'a str), i64>,
    keys: FastMap<(&'a str, i64), (i64, i64)>,
}

/// The sums that travel with one row of a batch.
#[derive(Default)]
pub(super) struct Sum {
    pub account: Option<i64>,
    pub lease: Option<i64>,
    /// Day, sum and number of requests.
    pub key: Option<(i64, i64, i64)>,
}

impl<'a> Sums<'a> {
    /// Adds up the ends of a batch. A settlement counts as a request of its key even when it is free.
    pub fn of(entries: &'a [Entry]) -> Self {
        let mut sums = Self::default();
        let ends = entries.iter().filter_map(|entry| Some((entry, entry.end.as_ref()?)));
        for (entry, end) in ends.filter(|(_, end)| end.outcome == Outcome::Settled) {
            let held = &entry.reservation;
            let charged = end.charged.nanos();
            let used = sums.keys.entry((held.key.as_str(), day_of(end.at))).or_default();
            used.0 = used.0.saturating_add(charged);
            used.1 = used.1.saturating_add(1);
            if end.charged > Usd::ZERO {
                let account = held.account.as_str();
                add(sums.accounts.entry(account).or_default(), charged);
                add(sums.leases.entry((account, &*entry.holder)).or_default(), charged);
            }
        }
        sums
    }

    /// Takes out what belongs to the account, the lease and the key of this end: each sum once.
    pub fn take(&mut self, entry: &'a Entry, end: &End) -> Sum {
        let held = &entry.reservation;
        let (account, day) = (held.account.as_str(), day_of(end.at));
        let key = self.keys.remove(&(held.key.as_str(), day));
        Sum {
            account: self.accounts.remove(account),
            lease: self.leases.remove(&(account, &*entry.holder)),
            key: key.map(|(charged, requests)| (day, charged, requests)),
        }
    }
}

fn add(sum: &mut i64, amount: i64) {
    *sum = sum.saturating_add(amount);
}
