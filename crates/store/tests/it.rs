//! The store against SQLite files. `postgres.rs` runs the same against PostgreSQL.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::print_stdout,
    missing_docs
)]

#[path = "it/world.rs"]
mod world;

#[path = "it/open.rs"]
mod open;

#[path = "it/settle.rs"]
mod settle;

#[path = "it/race.rs"]
mod race;

#[path = "it/crash.rs"]
mod crash;

#[path = "it/processes.rs"]
mod processes;

#[path = "it/limits.rs"]
mod limits;

#[path = "it/allowance.rs"]
mod allowance;

#[path = "it/windows.rs"]
mod windows;

#[path = "it/audit.rs"]
mod audit;

#[path = "it/pace.rs"]
mod pace;

#[path = "it/kill.rs"]
mod kill;

#[path = "it/health.rs"]
mod health;

#[path = "it/sso.rs"]
mod sso;

#[path = "it/keys.rs"]
mod keys;

#[path = "it/people.rs"]
mod people;

#[path = "it/presets.rs"]
mod presets;
#[path = "it/secrets.rs"]
mod secrets;
