//! Checks the money of a database against the invariants, with arithmetic of its own.
//!
//! It shares no code with the ledger beyond the plain words of `signalbox-core`: prices, sums and
//! hashes are computed a second time, from the stored rows alone, so that one mistake can't hide
//! itself. It reads rows and writes a [`Report`]; fetching the rows is the caller's work.
//!
//! | id | what is checked |
//! |---|---|
//! | I1 | every transfer moves a positive amount between the two sides of its kind; all balances add up to 0 |
//! | I2 | no account's balance is below what it may owe after any transfer, nor is more held than is there |
//! | I3 | a generation has one charge at most, and its reservation ended in the way that says so |
//! | I4 | a charge is at most what was held |
//! | I5 | a charge is what the stored usage costs at the stored prices, or the fee on what own keys paid for beyond what was free |
//! | I7 | failed and empty answers cost no tokens |
//! | I9 | stored balances, purchases and spending by key, account, workspace, budget, allowance and day are the sums of the transfers |
//! | I10 | no reservation is open for longer than a minute |
//! | I11 | the hash chain over the transfers holds |
//! | I12 | ids are unique and say what they are for; a payment, a voucher, an invoice has one effect |
//!
//! I6 and I8 need what clients and providers saw; the test harness checks them.

#![deny(clippy::float_arithmetic)]

pub mod chain;
mod check;
pub mod recompute;
pub mod report;
pub mod row;

pub use check::{Audit, audit};
pub use report::{Breach, Checked, Report};
pub use row::{
    AccountRow, GenerationRow, InvoiceRow, KeyRow, PaymentRow, ReservationRow, Rows, TransferRow,
    UsageRow, VoucherRow,
};
