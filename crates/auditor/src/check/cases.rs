//! I2, I3, I4, I5, I7, I9, I10 and I12 over generations: what was held, what was charged, what it was
//! for. A few numbers are kept of each until the end.

use std::collections::{BTreeMap, HashMap};

use signalbox_core::Timestamp;

use super::ACCOUNT;
use super::usage::{Spend, Spending};
use crate::recompute::{cost_nanos, is_insured, list_nanos};
use crate::report::Report;
use crate::row::{GenerationRow, ReservationRow, TransferRow};

/// Longest life of a reservation in a system at rest (invariant I10).
const LONGEST_OPEN_MICROS: i64 = 60 * 1_000_000;
/// The end of a reservation may be on its way to storage for this long, while what it freed is held
/// again by another. Younger reservations are left out of the sum of what is held.
const ON_ITS_WAY_MICROS: i64 = 5 * 1_000_000;

/// The place of an account or a key in a list of names.
type Name = u32;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum End {
    Open,
    Settled,
    GivenBack,
    /// The columns contradict each other.
    Broken,
}

#[derive(Debug, Clone, Copy)]
struct Held {
    account: Name,
    key: Name,
    amount: i64,
    opened_at: i64,
    end: End,
    /// The place of its list of budgets, where one was noted.
    budgets: Option<Name>,
}

#[derive(Debug, Clone, Copy)]
struct Charged {
    account: Name,
    amount: i64,
    byok_fee: bool,
}

#[derive(Debug, Default)]
struct Case {
    held: Option<Held>,
    charged: Option<Charged>,
    /// What own keys paid for, once the generation was read.
    recorded: Option<OwnKeys>,
}

/// The list price of own keys, and what of it was free where an allowance was drawn on.
#[derive(Debug, Clone, Copy, Default)]
struct OwnKeys {
    list: i64,
    free: Option<i64>,
}

/// All generations, by id.
#[derive(Debug, Default)]
pub(super) struct Cases {
    cases: HashMap<Box<str>, Case>,
    names: Vec<String>,
    places: HashMap<String, Name>,
    /// The lists of budgets that reservations counted for.
    budgets: Vec<Vec<String>>,
    lists: HashMap<Vec<String>, Name>,
}

impl Cases {
    fn place(&mut self, name: &str) -> Name {
        if let Some(place) = self.places.get(name) {
            return *place;
        }
        let place = Name::try_from(self.names.len()).unwrap_or(Name::MAX);
        self.names.push(name.to_owned());
        self.places.insert(name.to_owned(), place);
        place
    }

    /// The place of a list of budgets. There are few lists, and many reservations of each.
    fn list(&mut self, scopes: Vec<String>) -> Name {
        let next = Name::try_from(self.budgets.len()).unwrap_or(Name::MAX);
        *self.lists.entry(scopes).or_insert_with_key(|scopes| {
            self.budgets.push(scopes.clone());
            next
        })
    }

    fn budgets(&self, held: Held) -> Option<&[String]> {
        let place = usize::try_from(held.budgets?).ok()?;
        self.budgets.get(place).map(Vec::as_slice)
    }

    fn name(&self, place: Name) -> &str {
        let name = usize::try_from(place).ok().and_then(|place| self.names.get(place));
        name.map_or("", String::as_str)
    }

    pub(super) fn charge(&mut self, row: TransferRow, report: &mut Report) {
        let account = self.place(row.debit.strip_prefix(ACCOUNT).unwrap_or_default());
        let charged = Charged { account, amount: row.amount, byok_fee: row.kind == "byok_fee" };
        let generation = row.generation.unwrap_or_default();
        let case = self.cases.entry(generation.as_str().into()).or_default();
        if case.charged.is_some() {
            report.breach("I3", generation, format!("charged again by transfer {}", row.id));
            return;
        }
        case.charged = Some(charged);
    }

    pub(super) fn reservation(&mut self, row: ReservationRow, report: &mut Report) {
        let end = match (row.outcome.as_deref(), row.ended_at) {
            (None, None) => End::Open,
            (Some("settled"), Some(_)) => End::Settled,
            (Some("released" | "recovered"), Some(_)) => End::GivenBack,
            (outcome, ended_at) => {
                let detail = format!("outcome {outcome:?} with an end at {ended_at:?}");
                report.breach("I3", &row.generation, detail);
                // Without an end it still holds its amount.
                if ended_at.is_none() { End::Open } else { End::Broken }
            }
        };
        if row.amount < 0 {
            report.breach("I4", &row.generation, format!("it holds {}", row.amount));
        }
        let (account, key) = (self.place(&row.account), self.place(&row.key));
        check_budgets(&row, report);
        let budgets = row.scopes.map(|scopes| self.list(scopes));
        let (amount, opened_at) = (row.amount, row.opened_at);
        let held = Held { account, key, amount, opened_at, end, budgets };
        let case = self.cases.entry(row.generation.as_str().into()).or_default();
        if case.held.is_some() {
            report.breach("I12", row.generation, "two reservations have this id");
            return;
        }
        case.held = Some(held);
    }

    pub(super) fn generation(&mut self, row: &GenerationRow, report: &mut Report) {
        let (account, key) = (self.place(&row.account), self.place(&row.key));
        let case = self.cases.entry(row.id.as_str().into()).or_default();
        if case.recorded.is_some() {
            report.breach("I12", &row.id, "two generations have this id");
        }
        case.recorded = Some(OwnKeys { list: row.byok.unwrap_or(0), free: row.byok_free });
        let charged = case.charged.map_or(0, |charged| charged.amount);
        if row.cost != charged {
            let detail = format!("shows a cost of {}, charged {charged}", row.cost);
            report.breach("I9", &row.id, detail);
        }
        if case.charged.is_some_and(|charged| charged.byok_fee != row.byok.is_some()) {
            report.breach("I3", &row.id, "charged as what it is not");
        }
        if case.held.is_some_and(|held| held.account != account || held.key != key) {
            report.breach("I3", &row.id, "recorded for another account or key than it was held of");
        }
        check_cost(row, charged, case.held, report);
        check_own_keys(row, report);
    }

    /// Checks how each of them ended, adds up what was spent and answers what is still held of each
    /// account.
    pub(super) fn finish(
        &self,
        now: Timestamp,
        spending: &mut Spending,
        report: &mut Report,
    ) -> BTreeMap<String, i128> {
        let mut sum: BTreeMap<String, i128> = BTreeMap::new();
        let mut ids: Vec<_> = self.cases.keys().collect();
        ids.sort_unstable();
        for id in ids {
            let Some(case) = self.cases.get(id) else { continue };
            if case.charged.is_some() && case.recorded.is_none() {
                report.breach("I5", &**id, "charged, yet nothing says what for");
            }
            let Some(held) = case.held else {
                if case.charged.is_some() {
                    report.breach("I3", &**id, "charged without a reservation");
                }
                continue;
            };
            check_end(id, case, held, report);
            if let Some(charged) = case.charged {
                check_charge(id, charged, held, report);
            }
            let age = now.micros().saturating_sub(held.opened_at);
            if held.end == End::Open && age > LONGEST_OPEN_MICROS {
                report.breach("I10", &**id, format!("open for {} s", age / 1_000_000));
            }
            if held.end == End::Open && age > ON_ITS_WAY_MICROS {
                let account = self.name(held.account).to_owned();
                *sum.entry(account).or_default() += i128::from(held.amount);
            }
            self.spend(case, held, spending);
        }
        sum
    }

    /// A request counts when it was answered or tried; its day is that of its reservation.
    fn spend(&self, case: &Case, held: Held, spending: &mut Spending) {
        let happened = case.recorded.is_some() || case.charged.is_some();
        let requests = i128::from(happened || held.end == End::Settled);
        let charged = case.charged.map_or(0, |charged| i128::from(charged.amount));
        let own = case.recorded.filter(|_| requests > 0).unwrap_or_default();
        if charged != 0 || requests != 0 {
            let (account, key) = (self.name(held.account), self.name(held.key));
            let spent = [charged, i128::from(own.list), requests];
            let (budgets, at) = (self.budgets(held), held.opened_at);
            spending.add(Spend { account, key, budgets, at, spent });
            if let Some(free) = own.free {
                spending.add_free(account, at, free);
            }
        }
    }
}

/// The budget of a key counts what that key spends, and no scope counts anything twice.
fn check_budgets(row: &ReservationRow, report: &mut Report) {
    let scopes = row.scopes.as_deref().unwrap_or_default();
    for (index, scope) in scopes.iter().enumerate() {
        let whose = scope.rsplit_once(":key:").map(|(_, key)| key);
        if scope.starts_with("guardrail:") && whose.is_some_and(|key| key != row.key) {
            report.breach("I9", &row.generation, format!("counts for {scope}, of another key"));
        }
        if scopes.iter().take(index).any(|before| before == scope) {
            report.breach("I9", &row.generation, format!("counts for {scope} twice"));
        }
    }
}

fn check_end(id: &str, case: &Case, held: Held, report: &mut Report) {
    let wrong = match held.end {
        End::Open if case.charged.is_some() => "charged, yet still open",
        End::Settled if case.recorded.is_none() => "settled, yet no generation is recorded",
        End::GivenBack if case.charged.is_some() => "charged, yet given back",
        End::Open | End::Settled | End::GivenBack | End::Broken => return,
    };
    report.breach("I3", id, wrong);
}

fn check_charge(id: &str, charged: Charged, held: Held, report: &mut Report) {
    if charged.amount > held.amount {
        let detail = format!("charged {}, held {}", charged.amount, held.amount);
        report.breach("I4", id, detail);
    }
    if charged.account != held.account {
        report.breach("I3", id, "held of another account than it is charged to");
    }
}

/// The list price is what the usage costs, and no more of it is free than there is.
fn check_own_keys(row: &GenerationRow, report: &mut Report) {
    let list = row.byok.unwrap_or(0);
    if row.byok_free.is_some_and(|free| free < 0 || free > list) {
        let detail = format!("{:?} of {:?} is free of the fee", row.byok_free, row.byok);
        report.breach("I5", &row.id, detail);
    }
    if row.byok.is_none() {
        return;
    }
    match list_nanos(row) {
        Ok(Some(computed)) if computed != list => {
            let detail = format!("a list price of {list}, should be {computed}");
            report.breach("I5", &row.id, detail);
        }
        Ok(_) => {}
        Err(reason) => report.breach("I5", &row.id, format!("no list price: {reason:?}")),
    }
}

fn check_cost(row: &GenerationRow, charged: i64, held: Option<Held>, report: &mut Report) {
    let expected = match cost_nanos(row) {
        Ok(cost) => held.map_or(cost, |held| cost.min(held.amount.max(0))),
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
