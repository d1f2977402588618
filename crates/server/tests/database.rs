//! A whole server on PostgreSQL: outages under load and clients who vanish (reliability design, tests
//! 24 and 27). The figures are printed; what a shared machine can keep of them is asserted.
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

#[path = "database/away.rs"]
mod away;

#[path = "database/vanish.rs"]
mod vanish;
