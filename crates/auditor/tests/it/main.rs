//! The auditor against sound and broken histories, and against the ledger's arithmetic.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    missing_docs
)]

mod agreement;
mod breach;
mod history;
mod movements;
