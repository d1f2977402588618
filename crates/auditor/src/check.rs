//! The checks, in the order of the money: what there is, history, reservations, generations, sums.

mod accounts;
mod cases;
mod effects;
mod kinds;
mod usage;

use std::collections::HashSet;

use signalbox_core::Timestamp;

use self::accounts::Accounts;
use self::cases::Cases;
use self::effects::Effects;
use self::kinds::Kind;
use self::usage::Spending;
use crate::chain::{self, GENESIS};
use crate::report::Report;
use crate::row::{
    AccountRow, GenerationRow, InvoiceRow, KeyRow, PaymentRow, ReservationRow, Rows, TransferRow,
    UsageRow, VoucherRow,
};

const ACCOUNT: &str = "acct:";

/// An audit of one consistent view of storage. Rows are pushed one by one and not kept, so that a
/// database may be much larger than the memory: what is remembered of a generation is a few numbers.
///
/// The order is that of the functions: accounts and what their money comes from, then the transfers
/// by their `seq`, then reservations, generations and usage in any order within each.
#[derive(Debug)]
pub struct Audit {
    now: Timestamp,
    report: Report,
    accounts: Accounts,
    effects: Effects,
    cases: Cases,
    spending: Spending,
    /// Ids of transfers that are not for a generation: those are told apart by their generation.
    ids: HashSet<String>,
    last: Option<(i64, String)>,
}

impl Audit {
    /// An audit of rows that were read at `now`.
    #[must_use]
    pub fn new(now: Timestamp) -> Self {
        Self {
            now,
            report: Report::default(),
            accounts: Accounts::default(),
            effects: Effects::default(),
            cases: Cases::default(),
            spending: Spending::default(),
            ids: HashSet::new(),
            last: None,
        }
    }

    /// An account with its stored sums.
    pub fn account(&mut self, row: AccountRow) {
        one_more(&mut self.report.checked.accounts);
        self.accounts.add(row, &mut self.report);
    }

    /// An API key.
    pub fn key(&mut self, row: KeyRow) {
        self.spending.key(row);
    }

    /// A payment.
    pub fn payment(&mut self, row: PaymentRow) {
        one_more(&mut self.report.checked.payments);
        self.effects.payment(row, &mut self.report);
    }

    /// A voucher with its redemptions.
    pub fn voucher(&mut self, row: VoucherRow) {
        one_more(&mut self.report.checked.vouchers);
        self.effects.voucher(row, &mut self.report);
    }

    /// An invoice.
    pub fn invoice(&mut self, row: InvoiceRow) {
        one_more(&mut self.report.checked.invoices);
        self.effects.invoice(row);
    }

    /// The next transfer.
    pub fn transfer(&mut self, row: TransferRow) {
        one_more(&mut self.report.checked.transfers);
        self.link(&row);
        let kind = Kind::of(&row, &self.accounts, &mut self.report);
        self.accounts.post(&row, kind, &mut self.report);
        match kind {
            Some(Kind::Charge | Kind::ByokFee) => self.cases.charge(row, &mut self.report),
            Some(Kind::Waste) | None => self.once(row.id),
            Some(kind) => {
                self.effects.transfer(kind, &row, &mut self.report);
                self.once(row.id);
            }
        }
    }

    /// A reservation.
    pub fn reservation(&mut self, row: ReservationRow) {
        one_more(&mut self.report.checked.reservations);
        self.cases.reservation(row, &mut self.report);
    }

    /// A generation.
    pub fn generation(&mut self, row: &GenerationRow) {
        one_more(&mut self.report.checked.generations);
        self.cases.generation(row, &mut self.report);
    }

    /// Stored spending of a scope on a day.
    pub fn usage(&mut self, row: UsageRow) {
        one_more(&mut self.report.checked.usage);
        self.spending.row(row, &mut self.report);
    }

    /// What was found.
    #[must_use]
    pub fn finish(mut self) -> Report {
        let report = &mut self.report;
        let held = self.cases.finish(self.now, &mut self.spending, report);
        self.accounts.finish(&held, report);
        self.effects.finish(report);
        self.spending.finish(report);
        self.report
    }

    fn once(&mut self, id: String) {
        if let Some(id) = self.ids.replace(id) {
            self.report.breach("I12", id, "two transfers have this id");
        }
    }

    fn link(&mut self, transfer: &TransferRow) {
        let (last_seq, last_hash) = match &self.last {
            Some((seq, hash)) => (*seq, hash.as_str()),
            None => (0, GENESIS),
        };
        let report = &mut self.report;
        if transfer.seq <= last_seq {
            let detail = format!("seq {} comes after seq {last_seq}", transfer.seq);
            report.breach("I11", &transfer.id, detail);
        }
        if transfer.prev_hash != last_hash {
            let detail = format!("seq {} does not follow the transfer before it", transfer.seq);
            report.breach("I11", &transfer.id, detail);
        }
        if !chain::verify_hash(transfer) {
            let detail = format!("seq {} is not what its hash was made of", transfer.seq);
            report.breach("I11", &transfer.id, detail);
        }
        self.last = Some((transfer.seq, transfer.hash.clone()));
    }
}

/// Checks rows that are all in memory.
#[must_use]
pub fn audit(rows: Rows, now: Timestamp) -> Report {
    let mut audit = Audit::new(now);
    rows.accounts.into_iter().for_each(|row| audit.account(row));
    rows.keys.into_iter().for_each(|row| audit.key(row));
    rows.payments.into_iter().for_each(|row| audit.payment(row));
    rows.vouchers.into_iter().for_each(|row| audit.voucher(row));
    rows.invoices.into_iter().for_each(|row| audit.invoice(row));
    rows.transfers.into_iter().for_each(|row| audit.transfer(row));
    rows.reservations.into_iter().for_each(|row| audit.reservation(row));
    rows.generations.iter().for_each(|row| audit.generation(row));
    rows.usage.into_iter().for_each(|row| audit.usage(row));
    audit.finish()
}

/// A stored count as one that can be added to.
fn one_more(count: &mut u64) {
    *count = count.saturating_add(1);
}
