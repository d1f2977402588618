//! I1, I9 and I12: stored sums against the transfers.

use std::collections::{BTreeMap, HashMap, HashSet};

use super::history::{GRANTS, History, REVENUE};
use super::one_more;
use super::reservations::Holds;
use crate::report::Report;
use crate::row::{AccountRow, KeyUsageRow};

const MICROS_PER_DAY: i64 = 24 * 60 * 60 * 1_000_000;

/// Stored balances by account.
#[derive(Debug, Default)]
pub(super) struct Balances(HashMap<String, AccountRow>);

impl Balances {
    pub(super) fn read(rows: impl IntoIterator<Item = AccountRow>, report: &mut Report) -> Self {
        let mut balances = HashMap::new();
        for row in rows {
            one_more(&mut report.checked.accounts);
            if balances.contains_key(&row.id) {
                report.breach("I12", row.id, "two accounts have this id");
                continue;
            }
            balances.insert(row.id.clone(), row);
        }
        Self(balances)
    }

    pub(super) fn knows(&self, account: &str) -> bool {
        self.0.contains_key(account)
    }
}

/// Stored balances are the sums of the transfers, and all of them together are nothing.
pub(super) fn check(balances: &Balances, history: &History, report: &mut Report) {
    let system = |name: &str| history.moved.get(name).copied().unwrap_or_default().balance();
    let mut all = system(GRANTS) + system(REVENUE);
    let mut accounts: Vec<_> = balances.0.values().collect();
    accounts.sort_unstable_by(|one, other| one.id.cmp(&other.id));
    for row in accounts {
        let (credited, charged) = (i128::from(row.credited_nanos), i128::from(row.charged_nanos));
        all += credited - charged;
        let moved = history.moved_by(&row.id);
        if (credited, charged) != (moved.received, moved.paid) {
            let detail = format!(
                "stored {credited} in and {charged} out; its transfers say {} and {}",
                moved.received, moved.paid
            );
            report.breach("I9", &row.id, detail);
        }
    }
    if all != 0 {
        report.breach("I1", "all accounts", format!("the balances add up to {all}"));
    }
    let mut strangers: Vec<_> =
        history.accounts().filter(|account| !balances.knows(account)).collect();
    strangers.sort_unstable();
    for account in strangers {
        report.breach("I9", account, "it has transfers and no stored balance");
    }
}

/// Stored spending by key and day is the sum of the charges.
pub(super) fn check_keys(
    rows: impl IntoIterator<Item = KeyUsageRow>,
    history: &History,
    holds: &Holds,
    report: &mut Report,
) {
    let mut left: BTreeMap<(String, i64), i128> = BTreeMap::new();
    for (generation, charge) in &history.charges {
        // A charge without a reservation has been reported already and belongs to no key.
        if let Some(held) = holds.of(generation) {
            let day = held.opened_at_micros.div_euclid(MICROS_PER_DAY);
            *left.entry((held.key.clone(), day)).or_default() += i128::from(charge.amount);
        }
    }
    let mut seen = HashSet::new();
    for row in rows {
        one_more(&mut report.checked.key_usage);
        let day = (row.key, row.day);
        if seen.contains(&day) {
            report.breach("I12", &day.0, format!("two rows for day {}", day.1));
            continue;
        }
        let charged = left.remove(&day).unwrap_or_default();
        if charged != i128::from(row.charged_nanos) {
            let detail =
                format!("stored {} for day {}, charges say {charged}", row.charged_nanos, day.1);
            report.breach("I9", &day.0, detail);
        }
        seen.insert(day);
    }
    for ((key, day), charged) in left {
        report.breach("I9", key, format!("nothing stored for day {day}, charges say {charged}"));
    }
}
