//! Any client's language in, any provider's language out: every pair, with everything that is carried
//! between them, over the whole server.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    missing_docs
)]

#[path = "dialects/table.rs"]
mod table;

#[path = "dialects/sell.rs"]
mod sell;

#[path = "dialects/say.rs"]
mod say;

#[path = "dialects/hear.rs"]
mod hear;

#[path = "dialects/cell.rs"]
mod cell;

#[path = "dialects/every_cell.rs"]
mod every_cell;

#[path = "dialects/documented.rs"]
mod documented;

#[path = "dialects/carriers.rs"]
mod carriers;

#[path = "dialects/doors.rs"]
mod doors;

#[path = "dialects/replays.rs"]
mod replays;

#[path = "dialects/sweeps.rs"]
mod sweeps;
