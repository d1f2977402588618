//! The only crate that dials out: the HTTP client with its pools, transports, and what was learnt
//! about each endpoint on the way.

pub mod client;
mod connect;
pub mod discover;
pub mod health;
pub mod retry_after;
pub mod transport;

pub use client::{Answer, CallError, Client};
pub use health::HealthBoard;
pub use transport::Target;
