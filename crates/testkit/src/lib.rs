//! Floor 6: a whole server in one process for tests, with a provider that does what its model's name
//! says, and a client that notes every byte it saw.
//!
//! A broken premise ends the test at once, with a sentence.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]

mod caller;
mod draw;
mod events;
mod files;
mod guard;
mod nowhere;
mod offer;
mod patience;
mod server;
mod setup;

pub use caller::{Caller, Leave, Opened, Reply};
pub use draw::{Draw, rounds};
pub use events::Events;
pub use nowhere::{Blackhole, refused};
pub use offer::{Offer, Stand};
pub use patience::eventually;
pub use server::TestServer;
pub use setup::Setup;
