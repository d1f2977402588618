//! Providers that fail in every way, under load and one by one: reliability design, tests 6, 7 and 19
//! to 23, and the hedge of E25. The numbers that a shared machine can keep are asserted; all of them
//! are printed.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::print_stderr,
    clippy::indexing_slicing,
    missing_docs
)]

#[allow(dead_code, reason = "shared with the other test binaries, which use all of it")]
#[path = "it/speech.rs"]
mod speech;

#[path = "failover/load.rs"]
mod load;

#[path = "failover/raw.rs"]
mod raw;

#[path = "failover/dead.rs"]
mod dead;

#[path = "failover/outage.rs"]
mod outage;

#[path = "failover/first_content.rs"]
mod first_content;

#[path = "failover/ladder.rs"]
mod ladder;

#[path = "failover/cool_down.rs"]
mod cool_down;

#[path = "failover/billing.rs"]
mod billing;
