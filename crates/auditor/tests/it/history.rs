//! A sound history that tests break in one place.

use signalbox_auditor::chain::{GENESIS, hash_after};
use signalbox_auditor::{
    AccountRow, GenerationRow, InvoiceRow, KeyRow, PaymentRow, Report, ReservationRow, Rows,
    TransferRow, UsageRow, VoucherRow, audit,
};
use signalbox_core::{PriceKind, PriceTable, Timestamp, Usage};

/// 2026-08-08 00:00 UTC, day 20,673.
pub const DAY: i64 = 20_673;
pub const START: i64 = DAY * 86_400_000_000;
pub const DOLLAR: i64 = 1_000_000_000;

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

pub fn transfer(id: &str, kind: &str, debit: &str, credit: &str, amount: i64) -> TransferRow {
    TransferRow {
        seq: 0,
        id: id.into(),
        kind: kind.into(),
        debit: debit.into(),
        credit: credit.into(),
        amount,
        generation: None,
        reason: String::new(),
        at: START,
        prev_hash: String::new(),
        hash: String::new(),
    }
}

pub fn grant(id: &str, account: &str, amount: i64) -> TransferRow {
    transfer(id, "grant", "system:grants", &format!("acct:{account}"), amount)
}

pub fn charge(generation: &str, account: &str, amount: i64, at: i64) -> TransferRow {
    let payer = format!("acct:{account}");
    TransferRow {
        generation: Some(generation.into()),
        at,
        ..transfer(&format!("charge:{generation}"), "charge", &payer, "system:revenue", amount)
    }
}

pub fn reservation(generation: &str, amount: i64, outcome: Option<&str>) -> ReservationRow {
    ReservationRow {
        generation: generation.into(),
        account: "a".into(),
        key: "k".into(),
        amount,
        opened_at: START,
        ended_at: outcome.map(|_| START + 1),
        outcome: outcome.map(Into::into),
        scopes: Some(Vec::new()),
    }
}

pub fn generation(id: &str, usage: Usage, finish: Option<&str>, cost: i64) -> GenerationRow {
    GenerationRow {
        id: id.into(),
        account: "a".into(),
        key: "k".into(),
        created_at: START,
        finish_reason: finish.map(Into::into),
        usage,
        prices: Some(prices()),
        cost,
        byok: None,
        fee_bps: None,
        byok_free: None,
    }
}

pub fn usage(input_uncached: u64, output: u64, searches: u64) -> Usage {
    Usage { input_uncached, output, searches, ..Usage::default() }
}

/// What `sound` is made of.
#[derive(Debug, Clone, Default)]
pub struct History(pub Rows);

impl std::ops::Deref for History {
    type Target = Rows;

    fn deref(&self) -> &Rows {
        &self.0
    }
}

impl std::ops::DerefMut for History {
    fn deref_mut(&mut self) -> &mut Rows {
        &mut self.0
    }
}

fn usage_row(scope: &str, day: i64, charged: i64, requests: i64) -> UsageRow {
    UsageRow { scope: scope.into(), day, charged, byok: 0, requests }
}

impl History {
    /// $10 for account `a`; of its five generations two were charged ($2 and, on the next day, $3),
    /// one failed and cost its search alone, one was released and one is still open.
    pub fn sound() -> Self {
        let next_day = START + 86_400_000_000;
        let account = |id: &str| AccountRow { id: id.into(), ..AccountRow::default() };
        let mut history = Self(Rows {
            accounts: vec![
                AccountRow {
                    credited: 10 * DOLLAR,
                    charged: 5 * DOLLAR + DOLLAR / 10,
                    ..account("a")
                },
                account("b"),
            ],
            keys: vec![KeyRow {
                key: "k".into(),
                account: "a".into(),
                workspace: None,
                lineage: None,
            }],
            transfers: vec![
                grant("grant:1", "a", 10 * DOLLAR),
                charge("g1", "a", 2 * DOLLAR, START),
                charge("g2", "a", DOLLAR / 10, START),
                charge("g3", "a", 3 * DOLLAR, next_day),
            ],
            reservations: vec![
                reservation("g1", 4 * DOLLAR, Some("settled")),
                reservation("g2", DOLLAR, Some("settled")),
                ReservationRow {
                    opened_at: next_day,
                    ended_at: Some(next_day + 1),
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
            ..Rows::default()
        });
        for scope in ["key:k", "account:a", "workspace:default:a"] {
            let first = usage_row(scope, DAY, 2 * DOLLAR + DOLLAR / 10, 3);
            history.usage.extend([first, usage_row(scope, DAY + 1, 3 * DOLLAR, 1)]);
        }
        history.seal();
        history
    }

    /// The same, with every kind of movement: `a` bought $20 and got $5 of it back, redeemed a voucher
    /// of $3, got $1 for nothing, gave $4 to `b`, lost $2 to a bank and owes it $6 more, was corrected
    /// up by $2 and down by $1, and $7 became too old. `b` owed $9 of a line of $10 and paid them;
    /// it used its own provider key for $8, of which $3 were free and 5 % of the others charged.
    pub fn eventful() -> Self {
        let mut history = Self::sound();
        let side = |id: &str, kind: &str, from: &str, to: &str, dollars: i64| {
            transfer(id, kind, from, to, dollars * DOLLAR)
        };
        let fee = TransferRow {
            kind: "byok_fee".into(),
            credit: "system:byok_fees".into(),
            ..charge("g6", "b", DOLLAR / 4, START)
        };
        let waste = TransferRow {
            generation: Some("g6".into()),
            ..side("waste:g6:0", "waste", "system:waste", "system:providers", 1)
        };
        history.transfers.extend([
            side("purchase:p", "purchase", "system:stripe", "acct:a", 20),
            side("refund:p:1", "refund", "acct:a", "system:stripe", 5),
            side("voucher:v:a", "voucher", "system:vouchers", "acct:a", 3),
            side("promo:a", "promo", "system:promotions", "acct:a", 1),
            side("transfer:t", "transfer", "acct:a", "acct:b", 4),
            side("chargeback:e", "chargeback", "acct:a", "system:stripe", 2),
            side("chargeback:e:receivable", "chargeback", "system:receivable", "system:stripe", 6),
            side("adjustment:1", "adjustment", "system:adjustments", "acct:a", 2),
            side("adjustment:2", "adjustment", "acct:a", "system:adjustments", 1),
            side("expiry:purchase:p", "expiry", "acct:a", "system:expired", 7),
            side("adjustment:3", "adjustment", "acct:b", "system:adjustments", 13),
            side("settlement:i", "settlement", "system:invoices", "acct:b", 9),
            fee,
            waste,
        ]);
        let a = &mut history.accounts[0];
        a.credited += 26 * DOLLAR;
        a.withdrawn = 19 * DOLLAR;
        a.purchased = 20 * DOLLAR;
        let b = &mut history.accounts[1];
        (b.credited, b.withdrawn) = (13 * DOLLAR, 13 * DOLLAR);
        (b.charged, b.line, b.most_line) = (DOLLAR / 4, DOLLAR, 10 * DOLLAR);
        history.payments.push(PaymentRow {
            id: "p".into(),
            account: "a".into(),
            rail: "stripe".into(),
            amount: 20 * DOLLAR,
            refunded: 5 * DOLLAR,
            paid: true,
        });
        history.vouchers.push(VoucherRow {
            code_hash: "v".into(),
            amount: 3 * DOLLAR,
            uses: 2,
            redeemed: 1,
            accounts: vec!["a".into()],
        });
        history.invoices.push(InvoiceRow {
            id: "i".into(),
            account: "b".into(),
            amount: 9 * DOLLAR,
            paid: true,
        });
        history.keys.push(KeyRow {
            key: "own".into(),
            account: "b".into(),
            workspace: Some("w".into()),
            lineage: None,
        });
        history.reservations.push(ReservationRow {
            account: "b".into(),
            key: "own".into(),
            ..reservation("g6", DOLLAR, Some("settled"))
        });
        history.generations.push(GenerationRow {
            account: "b".into(),
            key: "own".into(),
            byok: Some(8 * DOLLAR),
            fee_bps: Some(500),
            byok_free: Some(3 * DOLLAR),
            ..generation("g6", usage(2000, 3000, 0), Some("stop"), DOLLAR / 4)
        });
        for scope in ["key:own", "account:b", "workspace:w"] {
            let row = usage_row(scope, DAY, DOLLAR / 4, 1);
            history.usage.push(UsageRow { byok: 8 * DOLLAR, ..row });
        }
        history.usage.push(UsageRow { byok: 3 * DOLLAR, ..usage_row("byok:b", DAY, 0, 1) });
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
        audit(self.0.clone(), Timestamp::from_micros(START + seconds * 1_000_000))
    }
}
