//! What the planner decides: acceptance checks G13 to G29 of the inference spec as plans, distributions,
//! and laws over random catalogues.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    missing_docs
)]

mod routing {
    pub mod world;

    mod account;
    mod draws;
    mod exacto;
    mod guardrails;
    mod health;
    mod laws;
    mod own_keys;
    mod preferences;
    mod shown;
    mod tiers;
}
