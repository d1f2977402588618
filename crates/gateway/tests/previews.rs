//! What providers are sent, without sending it: all rows of data, and how reasoning is asked for.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    missing_docs
)]

#[path = "previews/reasoning.rs"]
mod reasoning;
#[path = "previews/rows.rs"]
mod rows;
#[path = "previews/tiers.rs"]
mod tiers;
#[path = "previews/world.rs"]
mod world;
