//! The ledger's tables, laws and model.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    missing_docs
)]

mod arbitrary;
mod book;
mod bound;
mod cost_cases;
mod hold;
mod hostile;
mod price;
mod table;
mod usage_golden;
