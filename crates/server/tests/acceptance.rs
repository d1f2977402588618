//! The acceptance checks of the inference specification's appendix G, on a whole server: one file per
//! topic, each test named after its check.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    missing_docs
)]

#[allow(dead_code, reason = "shared with the other test binary, which uses all of it")]
#[path = "it/speech.rs"]
mod speech;

#[path = "acceptance/cache.rs"]
mod cache;

#[path = "acceptance/fallback.rs"]
mod fallback;

#[path = "acceptance/kept.rs"]
mod kept;

#[path = "acceptance/own_keys.rs"]
mod own_keys;

#[path = "acceptance/stickiness.rs"]
mod stickiness;

#[path = "acceptance/models.rs"]
mod models;
#[path = "acceptance/routers.rs"]
mod routers;
#[path = "acceptance/tiers.rs"]
mod tiers;
#[path = "acceptance/variants.rs"]
mod variants;

#[path = "acceptance/explanation.rs"]
mod explanation;

#[path = "acceptance/health.rs"]
mod health;
