//! I12: a payment, a voucher and an invoice have one effect each, and no effect is without its cause.

use std::collections::{BTreeMap, HashSet};

use super::ACCOUNT;
use super::kinds::{Kind, payment_of_refund};
use crate::report::Report;
use crate::row::{InvoiceRow, PaymentRow, TransferRow, VoucherRow};

/// What money came from, and what transfers say of it so far.
#[derive(Debug, Default)]
pub(super) struct Effects {
    payments: BTreeMap<String, Payment>,
    vouchers: BTreeMap<String, Voucher>,
    invoices: BTreeMap<String, Invoice>,
}

#[derive(Debug)]
struct Payment {
    row: PaymentRow,
    credited: i128,
    refunded: i128,
}

#[derive(Debug)]
struct Voucher {
    row: VoucherRow,
    redeemers: HashSet<String>,
    paid: i64,
}

#[derive(Debug)]
struct Invoice {
    row: InvoiceRow,
    settled: bool,
}

impl Effects {
    pub(super) fn payment(&mut self, row: PaymentRow, report: &mut Report) {
        let payment = Payment { credited: 0, refunded: 0, row };
        let id = payment.row.id.clone();
        if let Some(first) = self.payments.insert(id, payment) {
            report.breach("I12", first.row.id, "two payments have this id");
        }
    }

    pub(super) fn voucher(&mut self, row: VoucherRow, report: &mut Report) {
        let redeemers: HashSet<String> = row.accounts.iter().cloned().collect();
        if redeemers.len() != row.accounts.len() {
            report.breach("I12", &row.code_hash, "an account redeemed it twice");
        }
        self.vouchers.insert(row.code_hash.clone(), Voucher { redeemers, paid: 0, row });
    }

    pub(super) fn invoice(&mut self, row: InvoiceRow) {
        self.invoices.insert(row.id.clone(), Invoice { row, settled: false });
    }

    /// A transfer that has a cause of its own.
    pub(super) fn transfer(&mut self, kind: Kind, row: &TransferRow, report: &mut Report) {
        let sound = match kind {
            Kind::Purchase => self.purchase(row),
            Kind::Refund => self.refund(row),
            Kind::Chargeback | Kind::Adjustment => self.reversed(row),
            Kind::Voucher => self.redeemed(row),
            Kind::Settlement => self.settled(row),
            _ => Ok(()),
        };
        if let Err(detail) = sound {
            report.breach("I12", &row.id, detail);
        }
    }

    fn purchase(&mut self, row: &TransferRow) -> Result<(), &'static str> {
        let id = row.id.strip_prefix("purchase:").unwrap_or_default();
        let payment = self.payments.get_mut(id).ok_or("there is no such payment")?;
        payment.credited += i128::from(row.amount);
        let rail = row.debit.strip_prefix("system:");
        if rail != Some(&payment.row.rail) {
            return Err("the payment came by another rail");
        }
        if !is_to(row, &payment.row.account) {
            return Err("the payment is another account's");
        }
        if row.amount != payment.row.amount {
            return Err("the payment is for another amount");
        }
        if payment.row.paid { Ok(()) } else { Err("the payment was never paid") }
    }

    fn refund(&mut self, row: &TransferRow) -> Result<(), &'static str> {
        let id = payment_of_refund(&row.id).unwrap_or_default();
        let payment = self.payments.get_mut(id).ok_or("there is no such payment")?;
        payment.refunded += i128::from(row.amount);
        if is_from(row, &payment.row.account) {
            Ok(())
        } else {
            Err("of another account's payment")
        }
    }

    /// A charge that was disputed, or a refund that did not happen after all. The id has the payment
    /// where there is one: `chargeback:<payment>:…`, `adjustment:reversal:<payment>:…`.
    fn reversed(&mut self, row: &TransferRow) -> Result<(), &'static str> {
        let taken = row.id.strip_prefix("chargeback:");
        let given = row.id.strip_prefix("adjustment:reversal:");
        let Some(rest) = taken.or(given) else { return Ok(()) };
        let id = rest.split(':').next().unwrap_or_default();
        if let Some(payment) = self.payments.get_mut(id) {
            let amount = i128::from(row.amount);
            match (taken.is_some(), row.debit.starts_with(ACCOUNT)) {
                (true, true) => payment.refunded += amount,
                // What the account had no more is owed and not taken.
                (true, false) => {}
                (false, _) => payment.refunded -= amount,
            }
        }
        Ok(())
    }

    fn redeemed(&mut self, row: &TransferRow) -> Result<(), &'static str> {
        let rest = row.id.strip_prefix("voucher:").unwrap_or_default();
        let (code_hash, account) = rest.split_once(':').unwrap_or_default();
        let voucher = self.vouchers.get_mut(code_hash).ok_or("there is no such voucher")?;
        voucher.paid = voucher.paid.saturating_add(1);
        let redeemed = voucher.redeemers.remove(account);
        if row.amount != voucher.row.amount {
            return Err("the voucher is worth another amount");
        }
        if redeemed { Ok(()) } else { Err("it was not redeemed") }
    }

    fn settled(&mut self, row: &TransferRow) -> Result<(), &'static str> {
        let id = row.id.strip_prefix("settlement:").unwrap_or_default();
        let invoice = self.invoices.get_mut(id).ok_or("there is no such invoice")?;
        invoice.settled = true;
        let same = row.amount == invoice.row.amount && is_to(row, &invoice.row.account);
        if same && invoice.row.paid { Ok(()) } else { Err("not what the invoice says") }
    }

    /// Causes without their effect, or with more than one.
    pub(super) fn finish(&self, report: &mut Report) {
        for (id, payment) in &self.payments {
            let PaymentRow { amount, refunded, paid, .. } = payment.row;
            let due = if paid { i128::from(amount) } else { 0 };
            // Of the rails only these two bring credit by a purchase.
            if payment.row.rail != "manual" && payment.credited != due {
                let detail = format!("it brought {}, should be {due}", payment.credited);
                report.breach("I12", id, detail);
            }
            // Less may have been taken: what is still to be, and what the account had no more.
            let refunded = i128::from(refunded);
            if payment.refunded > refunded || payment.refunded < 0 || refunded > due {
                let detail = format!("{} went back, stored {refunded}", payment.refunded);
                report.breach("I12", id, detail);
            }
        }
        for (id, voucher) in &self.vouchers {
            let VoucherRow { uses, redeemed, .. } = voucher.row;
            if voucher.paid != redeemed || redeemed > uses || !voucher.redeemers.is_empty() {
                let detail = format!("paid {} times, stored {redeemed} of {uses}", voucher.paid);
                report.breach("I12", id, detail);
            }
        }
        for (id, invoice) in &self.invoices {
            let due = invoice.row.paid && invoice.row.amount > 0;
            if due != invoice.settled {
                report.breach("I12", id, "paid and not settled, or the reverse");
            }
        }
    }
}

fn is_to(row: &TransferRow, account: &str) -> bool {
    row.credit.strip_prefix(ACCOUNT) == Some(account)
}

fn is_from(row: &TransferRow, account: &str) -> bool {
    row.debit.strip_prefix(ACCOUNT) == Some(account)
}
