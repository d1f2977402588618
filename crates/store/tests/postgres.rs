//! The store against PostgreSQL: the tests of `it.rs`, and what only a server does.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::print_stdout,
    missing_docs
)]

#[allow(dead_code, reason = "shared with the tests of SQLite, which use all of it")]
#[path = "it/world.rs"]
mod world;

#[path = "it/settle.rs"]
mod settle;

#[path = "it/race.rs"]
mod race;

#[path = "it/processes.rs"]
mod processes;

#[path = "it/limits.rs"]
mod limits;

#[path = "it/allowance.rs"]
mod allowance;

#[path = "it/kill.rs"]
mod kill;

#[path = "it/health.rs"]
mod health;

#[path = "it/pace.rs"]
mod pace;

#[path = "money/movements.rs"]
mod movements;

#[path = "money/vouchers.rs"]
mod vouchers;

#[path = "it/windows.rs"]
mod windows;

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

#[path = "postgres/ledger.rs"]
mod ledger;

#[path = "postgres/opening.rs"]
mod opening;

#[path = "postgres/outage.rs"]
mod outage;

#[path = "it/sso.rs"]
mod sso;

#[path = "it/keys.rs"]
mod keys;

#[path = "it/people.rs"]
mod people;

#[path = "postgres/news.rs"]
mod news;
#[path = "it/presets.rs"]
mod presets;
#[path = "it/secrets.rs"]
mod secrets;
