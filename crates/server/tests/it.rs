//! A whole server in this process: requests over loopback, a provider that does as it is told, and
//! the audit after everything.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    missing_docs
)]

#[allow(dead_code, reason = "shared with the other test binaries, which use all of it")]
#[path = "it/speech.rs"]
mod speech;

#[path = "it/failover.rs"]
mod failover;

#[path = "it/broken_off.rs"]
mod broken_off;

#[path = "it/guardrails.rs"]
mod guardrails;

#[path = "it/crowd.rs"]
mod crowd;

#[path = "it/bad_input.rs"]
mod bad_input;

#[path = "it/money.rs"]
mod money;

#[path = "it/leaving.rs"]
mod leaving;

#[path = "it/surface.rs"]
mod surface;

#[path = "it/told.rs"]
mod told;

#[path = "it/retrieval.rs"]
mod retrieval;

#[path = "it/leaks.rs"]
mod leaks;

#[path = "it/credits.rs"]
mod credits;

#[path = "it/purchases.rs"]
mod purchases;

#[path = "it/routes.rs"]
mod routes;
