//! I5, I7, I9 and I12 over the generations.

use std::collections::HashSet;

use super::history::History;
use super::one_more;
use super::reservations::Holds;
use crate::recompute::{cost_nanos, is_insured};
use crate::report::Report;
use crate::row::GenerationRow;

/// Checks every generation and answers the ids that were seen.
pub(super) fn check(
    rows: impl IntoIterator<Item = GenerationRow>,
    history: &History,
    holds: &Holds,
    report: &mut Report,
) -> HashSet<String> {
    let mut seen = HashSet::new();
    for row in rows {
        one_more(&mut report.checked.generations);
        let charged = history.charges.get(&row.id).map_or(0, |charge| charge.amount);
        if row.cost_nanos != charged {
            let detail = format!("shows a cost of {}, charged {charged}", row.cost_nanos);
            report.breach("I9", &row.id, detail);
        }
        check_cost(&row, charged, holds, report);
        if let Some(held) = holds.of(&row.id)
            && (held.account != row.account || held.key != row.key)
        {
            report.breach("I3", &row.id, "recorded for another account or key than it was held of");
        }
        if seen.contains(&row.id) {
            report.breach("I12", &row.id, "two generations have this id");
        }
        seen.insert(row.id);
    }
    let mut unrecorded: Vec<_> =
        history.charges.keys().filter(|generation| !seen.contains(*generation)).collect();
    unrecorded.sort_unstable();
    for generation in unrecorded {
        report.breach("I5", generation, "charged, yet nothing says what for");
    }
    seen
}

fn check_cost(row: &GenerationRow, charged: i64, holds: &Holds, report: &mut Report) {
    let expected = match cost_nanos(row) {
        Ok(cost) => holds.of(&row.id).map_or(cost, |held| cost.min(held.amount_nanos.max(0))),
        Err(reason) => {
            report.breach("I5", &row.id, format!("charged {charged}; no cost: {reason:?}"));
            return;
        }
    };
    if charged == expected {
        return;
    }
    let detail = format!("charged {charged}, should be {expected}");
    let invariant = if charged > expected && is_insured(row) { "I7" } else { "I5" };
    report.breach(invariant, &row.id, detail);
}
