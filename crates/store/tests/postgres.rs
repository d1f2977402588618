//! What only PostgreSQL does: its schema, outages, connections.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::print_stdout,
    missing_docs
)]

#[path = "postgres/opening.rs"]
mod opening;

#[path = "postgres/outage.rs"]
mod outage;
