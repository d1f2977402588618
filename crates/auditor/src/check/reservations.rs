//! I2, I3, I4, I10 and I12 over the reservations.

use std::collections::{HashMap, HashSet};

use signalbox_core::Timestamp;

use super::history::History;
use super::one_more;
use crate::report::Report;
use crate::row::ReservationRow;

/// Longest life of a reservation in a system at rest (invariant I10).
const LONGEST_OPEN_MICROS: i64 = 60 * 1_000_000;
/// The end of a reservation may be on its way to storage for this long, while what it freed is held
/// again by another. Younger reservations are left out of the sum of what is held.
const ON_ITS_WAY_MICROS: i64 = 5 * 1_000_000;

/// Reservations by generation.
#[derive(Debug, Default)]
pub(super) struct Holds(HashMap<String, ReservationRow>);

impl Holds {
    pub(super) fn read(
        rows: impl IntoIterator<Item = ReservationRow>,
        report: &mut Report,
    ) -> Self {
        let mut holds = HashMap::new();
        for row in rows {
            one_more(&mut report.checked.reservations);
            if holds.contains_key(&row.generation) {
                report.breach("I12", row.generation, "two reservations have this id");
                continue;
            }
            holds.insert(row.generation.clone(), row);
        }
        Self(holds)
    }

    pub(super) fn of(&self, generation: &str) -> Option<&ReservationRow> {
        self.0.get(generation)
    }
}

/// Checks how reservations ended, and those that have not. `recorded` are the generations that have
/// a row.
pub(super) fn check(
    holds: &Holds,
    history: &History,
    recorded: &HashSet<String>,
    now: Timestamp,
    report: &mut Report,
) {
    let mut held: HashMap<&str, i128> = HashMap::new();
    for row in sorted(holds) {
        let charged = history.charges.get(&row.generation);
        if let Some(wrong) = wrong_end(row, charged.is_some(), recorded) {
            report.breach("I3", &row.generation, wrong);
        }
        if let Some(charge) = charged {
            check_charge(row, &charge.account, charge.amount, report);
        }
        if row.amount_nanos < 0 {
            report.breach("I4", &row.generation, format!("it holds {}", row.amount_nanos));
        }
        if row.ended_at_micros.is_none() {
            let age = now.micros().saturating_sub(row.opened_at_micros);
            if age > LONGEST_OPEN_MICROS {
                let detail = format!("open for {} s", age / 1_000_000);
                report.breach("I10", &row.generation, detail);
            }
            if age > ON_ITS_WAY_MICROS {
                *held.entry(&row.account).or_default() += i128::from(row.amount_nanos);
            }
        }
    }
    let mut held: Vec<_> = held.into_iter().collect();
    held.sort_unstable();
    for (account, amount) in held {
        let balance = history.balance(account);
        if amount > balance {
            report.breach("I2", account, format!("{amount} is held of a balance of {balance}"));
        }
    }
    let mut unheld: Vec<_> =
        history.charges.keys().filter(|generation| holds.of(generation).is_none()).collect();
    unheld.sort_unstable();
    for generation in unheld {
        report.breach("I3", generation, "charged without a reservation");
    }
}

/// Breaches in a stable order, whatever the map does.
fn sorted(holds: &Holds) -> Vec<&ReservationRow> {
    let mut rows: Vec<_> = holds.0.values().collect();
    rows.sort_unstable_by(|one, other| one.generation.cmp(&other.generation));
    rows
}

fn wrong_end(row: &ReservationRow, charged: bool, recorded: &HashSet<String>) -> Option<String> {
    match (row.outcome.as_deref(), row.ended_at_micros) {
        (None, None) if charged => Some("charged, yet still open".to_owned()),
        (None, None) => None,
        (Some("settled"), Some(_)) if recorded.contains(&row.generation) => None,
        (Some("settled"), Some(_)) => Some("settled, yet no generation is recorded".to_owned()),
        (Some(outcome @ ("released" | "recovered")), Some(_)) if charged => {
            Some(format!("charged, yet {outcome}"))
        }
        (Some("released" | "recovered"), Some(_)) => None,
        (outcome, ended_at) => Some(format!("outcome {outcome:?} with an end at {ended_at:?}")),
    }
}

fn check_charge(row: &ReservationRow, account: &str, amount: i64, report: &mut Report) {
    if amount > row.amount_nanos {
        let detail = format!("charged {amount}, held {}", row.amount_nanos);
        report.breach("I4", &row.generation, detail);
    }
    if account != row.account {
        let detail = format!("held of {}, charged to {account}", row.account);
        report.breach("I3", &row.generation, detail);
    }
}
