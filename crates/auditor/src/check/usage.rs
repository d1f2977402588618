//! I9 and I12: stored spending by scope and day against the charges.

use std::collections::{BTreeMap, HashMap, HashSet};

use crate::report::Report;
use crate::row::{KeyRow, UsageRow};

const MICROS_PER_DAY: i64 = 24 * 60 * 60 * 1_000_000;
/// The scopes that follow from whose the key is, and from what was free. The others are those of budgets.
const OWN: [&str; 4] = ["key:", "account:", "workspace:", "byok:"];

/// Charged, list price of own keys, requests.
pub(super) type Spent = [i128; 3];

/// What was spent, by whom and when.
#[derive(Debug, Clone, Copy)]
pub(super) struct Spend<'a> {
    pub account: &'a str,
    pub key: &'a str,
    /// The scopes of budgets; `None` where nobody noted them.
    pub budgets: Option<&'a [String]>,
    /// When it was reserved.
    pub at: i64,
    pub spent: Spent,
}

/// Spending by scope and day, as computed, and what is stored so far.
#[derive(Debug, Default)]
pub(super) struct Spending {
    workspaces: HashMap<String, String>,
    /// Keys that came in the place of others, and the first of those.
    lineages: HashMap<String, String>,
    computed: BTreeMap<(String, i64), Spent>,
    stored: Vec<((String, i64), Spent)>,
    seen: HashSet<(String, i64)>,
    /// Days of which it is not known what counted for which budget.
    unknown: HashSet<i64>,
}

impl Spending {
    pub(super) fn key(&mut self, row: KeyRow) {
        let workspace = row.workspace.unwrap_or_else(|| format!("default:{}", row.account));
        if let Some(lineage) = row.lineage {
            self.lineages.insert(row.key.clone(), lineage);
        }
        self.workspaces.insert(row.key, workspace);
    }

    pub(super) fn add(&mut self, spend: Spend<'_>) {
        let Spend { account, key, budgets, at, spent } = spend;
        let day = at.div_euclid(MICROS_PER_DAY);
        let workspace = self.workspaces.get(key).map(|id| format!("workspace:{id}"));
        let counted = self.lineages.get(key).map_or(key, String::as_str);
        let scopes =
            [Some(format!("key:{counted}")), Some(format!("account:{account}")), workspace];
        if budgets.is_none() {
            self.unknown.insert(day);
        }
        let budgets = budgets.unwrap_or_default().iter().cloned();
        for scope in scopes.into_iter().flatten().chain(budgets) {
            let sum = self.computed.entry((scope, day)).or_default();
            for (sum, part) in sum.iter_mut().zip(spent) {
                *sum += part;
            }
        }
    }

    /// Part of a list price was free of the fee: the month's allowance counts it, and the request.
    pub(super) fn add_free(&mut self, account: &str, at: i64, free: i64) {
        let place = (format!("byok:{account}"), at.div_euclid(MICROS_PER_DAY));
        let [_, list, requests] = self.computed.entry(place).or_default();
        *list += i128::from(free);
        *requests += 1;
    }

    pub(super) fn row(&mut self, row: UsageRow, report: &mut Report) {
        let place = (row.scope, row.day);
        if !self.seen.insert(place.clone()) {
            report.breach("I12", place.0, format!("two rows for day {}", place.1));
            return;
        }
        let spent = [row.charged.into(), row.byok.into(), row.requests.into()];
        self.stored.push((place, spent));
    }

    pub(super) fn finish(mut self, report: &mut Report) {
        for (place, stored) in self.stored {
            let day = place.1;
            let computed = self.computed.remove(&place).unwrap_or_default();
            let own = OWN.iter().any(|prefix| place.0.starts_with(prefix));
            if stored != computed && (own || !self.unknown.contains(&day)) {
                let detail = format!(
                    "stored {stored:?} (charged, own keys, requests) for day {day}, should be {computed:?}"
                );
                report.breach("I9", place.0, detail);
            }
        }
        for ((scope, day), computed) in self.computed {
            let detail = format!("nothing stored for day {day}, should be {computed:?}");
            report.breach("I9", scope, detail);
        }
    }
}
