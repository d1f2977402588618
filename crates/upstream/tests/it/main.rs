//! The client against servers of the tests.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    missing_docs
)]

mod address;
mod connect;
mod rows;
mod seen;
mod ssrf;
mod token;
