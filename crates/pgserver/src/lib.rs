//! Floor 3, beside the house: a private PostgreSQL server for tests.
//!
//! [`database`] gives an empty database on a server that all test processes of a run share: the first
//! of them starts it, a watchdog stops it when it was left alone. [`Server::start`] gives a server of
//! its own to a test that stops, freezes or breaks it. Without an installed PostgreSQL such tests are
//! skipped with one line, unless `SIGNALBOX_REQUIRE_POSTGRES` is set.
//!
//! A broken premise ends the test at once, with a sentence.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod database;
mod program;
mod server;
mod shared;

pub use database::Database;
pub use server::Server;

/// An empty database on the shared server; gone when dropped. Ends the test when PostgreSQL is not
/// installed.
///
/// # Panics
/// When the server does not start.
#[must_use]
pub fn database() -> Database {
    program::require();
    Database::create(shared::port())
}
