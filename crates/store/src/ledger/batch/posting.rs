//! Charges as chained transfers, and the projections that follow from them.

use std::sync::Arc;

use serde::Serialize;
use signalbox_core::{FastMap, Usd};
use signalbox_ledger::Source;

use crate::chain::{self, Posting};
use crate::keys::day_of;
use crate::ledger::entry::{End, Entry, Outcome};
use crate::movements::{House, Kind};

/// The position and hash of the last transfer.
pub(crate) type Head = (i64, String);

/// One transfer at its place in the chain.
pub(crate) struct Link {
    pub seq: i64,
    pub previous: String,
    pub hash: String,
    pub posting: Posting,
}

fn append(head: &mut Head, posting: Posting) -> Link {
    let seq = head.0.saturating_add(1);
    let hash = chain::link(&head.1, &chain::line(seq, &posting));
    let (_, previous) = std::mem::replace(head, (seq, hash.clone()));
    Link { seq, previous, hash, posting }
}

/// The transfers of one end.
#[derive(Default)]
pub(crate) struct Links {
    pub charge: Option<Link>,
    pub waste: Vec<Link>,
}

impl Links {
    /// Appends what an end transfers to the chain and moves its head: the charge, then what was
    /// wasted. Nothing for amounts of zero.
    pub fn append(head: &mut Head, entry: &Entry, end: &End) -> Self {
        let charged = end.outcome == Outcome::Settled && end.charge.credits > Usd::ZERO;
        let charge = charged.then(|| append(head, charge(entry, end)));
        let wasted = end.waste.iter().enumerate().filter(|(_, amount)| **amount > Usd::ZERO);
        let waste = wasted.map(|(n, amount)| append(head, waste(entry, end, n, *amount))).collect();
        Self { charge, waste }
    }
}

/// The transfer as the trigger `intake_transfers` writes it.
fn charge(entry: &Entry, end: &End) -> Posting {
    let held = &entry.reservation;
    let byok = end.row.as_ref().is_some_and(|written| written.row.byok.is_some());
    let (kind, earned) =
        if byok { (Kind::ByokFee, House::ByokFees) } else { (Kind::Charge, House::Revenue) };
    Posting {
        id: format!("charge:{}", held.generation),
        kind: kind.name(),
        debit: format!("acct:{}", held.account),
        credit: earned.name().to_owned(),
        amount: end.charge.credits,
        generation: Some(held.generation.clone()),
        reason: String::new(),
        operator: None,
        at: end.at,
    }
}

fn waste(entry: &Entry, end: &End, number: usize, amount: Usd) -> Posting {
    let held = &entry.reservation;
    Posting {
        id: format!("waste:{}:{number}", held.generation),
        kind: Kind::Waste.name(),
        debit: House::Waste.name().to_owned(),
        credit: House::Providers.name().to_owned(),
        amount,
        generation: Some(held.generation.clone()),
        reason: String::new(),
        operator: None,
        at: end.at,
    }
}

/// What a batch adds to each projection. Each becomes one JSON array of rows.
#[derive(Default)]
pub(crate) struct Sums {
    /// Account and charges.
    pub balances: Vec<(Arc<str>, i64)>,
    /// Scope, day, charges, list price of own keys, requests. The scope of an allowance counts what
    /// was free, and nothing else.
    pub usage: Vec<(Arc<str>, i64, i64, i64, i64)>,
    /// Purse, start of the window, holder and what was counted.
    pub leases: Vec<(Arc<str>, i64, Arc<str>, i64)>,
}

impl Sums {
    /// Adds up the ends of a batch.
    pub fn of(entries: &[Entry]) -> Self {
        let mut balances = FastMap::default();
        let mut usage = FastMap::default();
        let mut leases = FastMap::default();
        for entry in entries {
            let (held, Some(charge)) = (&entry.reservation, entry.counted()) else { continue };
            let (charged, byok) = (charge.credits.nanos(), charge.byok.nanos());
            if charged > 0 {
                add(balances.entry(held.account.shared()).or_default(), charged);
            }
            let day = day_of(held.opened_at);
            for scope in &held.spender.scopes {
                let sums: &mut (i64, i64, i64) = usage.entry((scope.clone(), day)).or_default();
                add(&mut sums.0, charged);
                add(&mut sums.1, byok);
                add(&mut sums.2, 1);
            }
            for draw in &held.spender.draws {
                if let (Some(free), Source::Limit { scope, .. }) = (charge.free, &draw.source)
                    && draw.counts.is_allowance()
                {
                    let sums: &mut (i64, i64, i64) = usage.entry((scope.clone(), day)).or_default();
                    add(&mut sums.1, free.nanos());
                    add(&mut sums.2, 1);
                }
                let counted = charge.counted(draw.counts).nanos();
                if counted > 0 {
                    let window = draw.window(held.opened_at).micros();
                    let slot = (draw.purse.shared(), window, entry.holder.clone());
                    add(leases.entry(slot).or_default(), counted);
                }
            }
        }
        let rows =
            |((scope, day), (charged, byok, requests))| (scope, day, charged, byok, requests);
        Self {
            balances: balances.into_iter().collect(),
            usage: usage.into_iter().map(rows).collect(),
            leases: leases.into_iter().map(|((purse, at, by), n)| (purse, at, by, n)).collect(),
        }
    }
}

/// A list as JSON; nothing for an empty one.
pub(crate) fn json<T: Serialize>(rows: &[T]) -> Option<String> {
    if rows.is_empty() { None } else { serde_json::to_string(rows).ok() }
}

/// What the caller's own `trace` is written with: the generation, the account, the JSON. Most have none.
pub(crate) fn trace(entry: &Entry) -> Option<(&str, &str, &str)> {
    let trace = entry.end()?.row.as_ref()?.row.trace.as_deref()?;
    let held = &entry.reservation;
    Some((held.generation.as_str(), held.account.as_str(), trace))
}

fn add(sum: &mut i64, amount: i64) {
    *sum = sum.saturating_add(amount);
}
