//! Every movement of money besides generations, on real databases.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::print_stdout,
    missing_docs
)]

#[allow(dead_code, reason = "shared with the ledger's tests, which use all of it")]
#[path = "it/world.rs"]
mod world;

#[path = "money/movements.rs"]
mod movements;

#[path = "money/vouchers.rs"]
mod vouchers;

#[path = "money/transfers.rs"]
mod transfers;

#[path = "money/once.rs"]
mod once;

#[path = "money/invoices.rs"]
mod invoices;

#[path = "money/payments.rs"]
mod payments;

#[path = "money/lots.rs"]
mod lots;

#[path = "money/audit.rs"]
mod audit;

#[path = "money/statement.rs"]
mod statement;

#[path = "money/kinds.rs"]
mod kinds;
