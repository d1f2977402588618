//! A routing laboratory: what a policy would have cost, and how often it would have failed, before
//! anybody uses it.
//!
//! Discrete events in virtual time. A workload, made up or recorded, is played against endpoints that
//! behave as published and fail as told; every strategy meets the same arrivals, the same luck and the
//! same outages. One seed decides everything. Our own strategies run the code that serves requests:
//! [`signalbox_policy::plan()`], [`signalbox_policy::HealthBoard`], [`signalbox_policy::Attempts`].
//!
//! Start at [`run`].

mod behaviour;
mod chance;
mod curve;
mod error;
mod field;
mod flight;
mod load;
mod memory;
mod race;
mod report;
mod setup;
mod strategy;
mod tally;
mod weather;
mod workload;

pub use error::LabError;
pub use report::{Report, Row};
pub use setup::{Setup, run};
pub use strategy::Strategy;
pub use weather::Weather;
pub use workload::{MAX_REQUESTS, Pace, Source, Synthetic};
