//! Guardrails, data policies, moderation and regions on a whole server, as they change requests.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    missing_docs
)]

#[path = "guards/doors.rs"]
mod doors;

#[path = "guards/matrix.rs"]
mod matrix;

#[path = "guards/together.rs"]
mod together;

#[path = "guards/names.rs"]
mod names;
#[path = "guards/presidio.rs"]
mod presidio;

#[path = "guards/judge.rs"]
mod judge;

#[path = "guards/moderation.rs"]
mod moderation;

#[path = "guards/regions.rs"]
mod regions;

#[path = "guards/budgets.rs"]
mod budgets;

#[path = "guards/data_policy.rs"]
mod data_policy;

#[path = "guards/isolation.rs"]
mod isolation;
