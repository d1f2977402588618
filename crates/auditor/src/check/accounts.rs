//! I1, I2, I9 and I12 over the accounts: stored sums against the transfers, and nothing below zero.

use std::collections::{BTreeMap, HashMap};

use super::ACCOUNT;
use super::kinds::{HOUSE, Kind};
use crate::report::Report;
use crate::row::{AccountRow, TransferRow};

/// What the transfers say about one account.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
struct Moved {
    received: i128,
    charged: i128,
    withdrawn: i128,
    purchased: i128,
}

impl Moved {
    fn balance(self) -> i128 {
        self.received - self.charged - self.withdrawn
    }
}

/// Accounts as stored and as their transfers say, and the operator's own.
#[derive(Debug, Default)]
pub(super) struct Accounts {
    stored: HashMap<String, AccountRow>,
    moved: HashMap<String, Moved>,
    house: HashMap<String, i128>,
}

impl Accounts {
    pub(super) fn add(&mut self, row: AccountRow, report: &mut Report) {
        if self.stored.contains_key(&row.id) {
            report.breach("I12", row.id, "two accounts have this id");
            return;
        }
        self.stored.insert(row.id.clone(), row);
    }

    pub(super) fn knows(&self, account: &str) -> bool {
        self.stored.contains_key(account)
    }

    /// Adds a transfer to both of its sides. Also one of no kind: it is in the history.
    pub(super) fn post(&mut self, row: &TransferRow, kind: Option<Kind>, report: &mut Report) {
        let amount = i128::from(row.amount);
        match row.credit.strip_prefix(ACCOUNT) {
            None => *self.house.entry(row.credit.clone()).or_default() += amount,
            Some(account) => {
                let moved = self.moved.entry(account.to_owned()).or_default();
                moved.received += amount;
                if kind == Some(Kind::Purchase) {
                    moved.purchased += amount;
                }
            }
        }
        let Some(account) = row.debit.strip_prefix(ACCOUNT) else {
            *self.house.entry(row.debit.clone()).or_default() -= amount;
            return;
        };
        let moved = self.moved.entry(account.to_owned()).or_default();
        if matches!(kind, Some(Kind::Charge | Kind::ByokFee)) {
            moved.charged += amount;
        } else {
            moved.withdrawn += amount;
        }
        let left = moved.balance();
        let line = self.stored.get(account).map_or(0, |row| row.most_line);
        if left < -i128::from(line) {
            let detail = format!("balance {left} after seq {}", row.seq);
            report.breach("I2", &row.debit, detail);
        }
    }

    /// Compares stored sums with the transfers. `held` is what is held of each account.
    pub(super) fn finish(&self, held: &BTreeMap<String, i128>, report: &mut Report) {
        let house = |name: &&str| self.house.get(*name).copied().unwrap_or_default();
        let mut all: i128 = HOUSE.iter().map(house).sum();
        let mut rows: Vec<_> = self.stored.values().collect();
        rows.sort_unstable_by(|one, other| one.id.cmp(&other.id));
        for row in rows {
            let stored = stored(row);
            all += stored.balance();
            let moved = self.moved.get(&row.id).copied().unwrap_or_default();
            compare(&row.id, stored, moved, report);
            if stored.balance() < -i128::from(row.line) {
                let detail =
                    format!("stored balance {}, it may owe {}", stored.balance(), row.line);
                report.breach("I2", &row.id, detail);
            }
        }
        if all != 0 {
            report.breach("I1", "all accounts", format!("the balances add up to {all}"));
        }
        for (account, amount) in held {
            let balance = self.moved.get(account).copied().unwrap_or_default().balance();
            let line = self.stored.get(account).map_or(0, |row| row.line);
            let free = balance + i128::from(line);
            if *amount > free {
                report.breach("I2", account, format!("{amount} is held of {free}"));
            }
        }
        let mut strangers: Vec<_> =
            self.moved.keys().filter(|account| !self.knows(account)).collect();
        strangers.sort_unstable();
        for account in strangers {
            report.breach("I9", account, "it has transfers and no stored balance");
        }
    }
}

fn stored(row: &AccountRow) -> Moved {
    Moved {
        received: row.credited.into(),
        charged: row.charged.into(),
        withdrawn: row.withdrawn.into(),
        purchased: row.purchased.into(),
    }
}

fn compare(account: &str, stored: Moved, moved: Moved, report: &mut Report) {
    for (what, stored, moved) in [
        ("came in", stored.received, moved.received),
        ("was charged", stored.charged, moved.charged),
        ("went out", stored.withdrawn, moved.withdrawn),
        ("was purchased", stored.purchased, moved.purchased),
    ] {
        if stored != moved {
            let detail = format!("stored {stored} that {what}; its transfers say {moved}");
            report.breach("I9", account, detail);
        }
    }
}
