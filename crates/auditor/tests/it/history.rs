//! A sound history that tests break in one place.

use signalbox_auditor::chain::{GENESIS, hash_after};
use signalbox_auditor::{
    AccountRow, GenerationRow, KeyUsageRow, Report, ReservationRow, Rows, TransferRow, audit,
};
use signalbox_core::{PriceKind, PriceTable, Timestamp, Usage};

/// 2026-08-08 00:00 UTC, day 20,673.
const DAY: i64 = 20_673;
pub const START: i64 = DAY * 86_400_000_000;
const DOLLAR: i64 = 1_000_000_000;

#[derive(Debug, Clone, Default)]
pub struct History {
    pub accounts: Vec<AccountRow>,
    pub transfers: Vec<TransferRow>,
    pub reservations: Vec<ReservationRow>,
    pub generations: Vec<GenerationRow>,
    pub key_usage: Vec<KeyUsageRow>,
}

/// $1 for 1,000 prompt tokens, $2 for 1,000 output tokens, $0.10 for a search.
pub fn prices() -> PriceTable {
    let mut table = PriceTable::default();
    for (kind, price) in [
        (PriceKind::Prompt, "0.001"),
        (PriceKind::Completion, "0.002"),
        (PriceKind::WebSearch, "0.1"),
    ] {
        table.rates.set(kind, price.parse().unwrap());
    }
    table
}

fn transfer(id: &str, kind: &str, debit: &str, credit: &str, amount_nanos: i64) -> TransferRow {
    TransferRow {
        seq: 0,
        id: id.into(),
        kind: kind.into(),
        debit: debit.into(),
        credit: credit.into(),
        amount_nanos,
        generation: None,
        reason: String::new(),
        at_micros: START,
        prev_hash: String::new(),
        hash: String::new(),
    }
}

pub fn grant(id: &str, account: &str, amount_nanos: i64) -> TransferRow {
    transfer(id, "grant", "system:grants", &format!("acct:{account}"), amount_nanos)
}

pub fn charge(generation: &str, account: &str, amount_nanos: i64, at_micros: i64) -> TransferRow {
    let payer = format!("acct:{account}");
    TransferRow {
        generation: Some(generation.into()),
        at_micros,
        ..transfer(
            &format!("charge-{generation}"),
            "charge",
            &payer,
            "system:revenue",
            amount_nanos,
        )
    }
}

pub fn reservation(generation: &str, amount_nanos: i64, outcome: Option<&str>) -> ReservationRow {
    ReservationRow {
        generation: generation.into(),
        account: "a".into(),
        key: "k".into(),
        amount_nanos,
        opened_at_micros: START,
        ended_at_micros: outcome.map(|_| START + 1),
        outcome: outcome.map(Into::into),
    }
}

pub fn generation(id: &str, usage: Usage, finish: Option<&str>, cost_nanos: i64) -> GenerationRow {
    GenerationRow {
        id: id.into(),
        account: "a".into(),
        key: "k".into(),
        priced_at_micros: START,
        finish_reason: finish.map(Into::into),
        usage,
        prices: Some(prices()),
        cost_nanos,
    }
}

pub fn usage(input_uncached: u64, output: u64, searches: u64) -> Usage {
    Usage { input_uncached, output, searches, ..Usage::default() }
}

impl History {
    /// $10 for account `a`; of its five generations two were charged ($2 and, on the next day, $3),
    /// one failed and cost its search alone, one was released and one is still open.
    pub fn sound() -> Self {
        let next_day = START + 86_400_000_000;
        let mut history = Self {
            accounts: vec![
                AccountRow {
                    id: "a".into(),
                    credited_nanos: 10 * DOLLAR,
                    charged_nanos: 5 * DOLLAR + DOLLAR / 10,
                },
                AccountRow { id: "b".into(), credited_nanos: 0, charged_nanos: 0 },
            ],
            transfers: vec![
                grant("grant-1", "a", 10 * DOLLAR),
                charge("g1", "a", 2 * DOLLAR, START),
                charge("g2", "a", DOLLAR / 10, START),
                charge("g3", "a", 3 * DOLLAR, next_day),
            ],
            reservations: vec![
                reservation("g1", 4 * DOLLAR, Some("settled")),
                reservation("g2", DOLLAR, Some("settled")),
                ReservationRow {
                    opened_at_micros: next_day,
                    ended_at_micros: Some(next_day + 1),
                    ..reservation("g3", 3 * DOLLAR, Some("settled"))
                },
                reservation("g4", 4 * DOLLAR, Some("released")),
                reservation("g5", 4 * DOLLAR, None),
            ],
            generations: vec![
                generation("g1", usage(1000, 500, 0), Some("stop"), 2 * DOLLAR),
                generation("g2", usage(1000, 7, 1), Some("error"), DOLLAR / 10),
                // The cost of $3.002 was cut down to the $3 that were held.
                generation("g3", usage(1000, 1001, 0), None, 3 * DOLLAR),
                GenerationRow { prices: None, ..generation("g4", usage(0, 0, 0), None, 0) },
            ],
            key_usage: vec![
                KeyUsageRow { key: "k".into(), day: DAY, charged_nanos: 2 * DOLLAR + DOLLAR / 10 },
                KeyUsageRow { key: "k".into(), day: DAY + 1, charged_nanos: 3 * DOLLAR },
            ],
        };
        history.seal();
        history
    }

    /// Numbers the transfers and chains their hashes anew.
    pub fn seal(&mut self) {
        let mut before = GENESIS.to_owned();
        for (seq, transfer) in (1..).zip(&mut self.transfers) {
            transfer.seq = seq;
            transfer.hash = hash_after(&before, transfer);
            transfer.prev_hash = std::mem::replace(&mut before, transfer.hash.clone());
        }
    }

    /// The audit 30 s after the first reservations were opened.
    pub fn audit(&self) -> Report {
        self.audit_after(30)
    }

    pub fn audit_after(&self, seconds: i64) -> Report {
        let history = self.clone();
        let rows = Rows {
            accounts: history.accounts,
            transfers: history.transfers,
            reservations: history.reservations,
            generations: history.generations,
            key_usage: history.key_usage,
        };
        audit(rows, Timestamp::from_micros(START + seconds * 1_000_000))
    }
}
