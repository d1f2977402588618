//! The checks, in the order of the money: history, reservations, generations, projections.

mod generations;
mod history;
mod projections;
mod reservations;

use signalbox_core::Timestamp;

use self::history::History;
use self::projections::Balances;
use self::reservations::Holds;
use crate::report::Report;
use crate::row::{AccountRow, GenerationRow, KeyUsageRow, ReservationRow, Rows, TransferRow};

/// Checks one consistent view of storage, taken at `now`, and reports every breach.
pub fn audit<A, T, R, G, K>(rows: Rows<A, T, R, G, K>, now: Timestamp) -> Report
where
    A: IntoIterator<Item = AccountRow>,
    T: IntoIterator<Item = TransferRow>,
    R: IntoIterator<Item = ReservationRow>,
    G: IntoIterator<Item = GenerationRow>,
    K: IntoIterator<Item = KeyUsageRow>,
{
    let mut report = Report::default();
    let balances = Balances::read(rows.accounts, &mut report);
    let history = History::read(rows.transfers, &balances, &mut report);
    let holds = Holds::read(rows.reservations, &mut report);
    let recorded = generations::check(rows.generations, &history, &holds, &mut report);
    reservations::check(&holds, &history, &recorded, now, &mut report);
    projections::check(&balances, &history, &mut report);
    projections::check_keys(rows.key_usage, &history, &holds, &mut report);
    report
}

/// A stored count as one that can be added to.
fn one_more(count: &mut u64) {
    *count = count.saturating_add(1);
}
