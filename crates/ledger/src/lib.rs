//! Money as pure functions: what a generation costs, what it can cost at most, and who may spend.
//!
//! [`price`] turns usage into one charge. [`upper_bound`] is the amount to hold before the first
//! byte goes to a provider. [`Book`] holds, charges and gives back, in memory. Nothing here does IO
//! or reads a clock, and there is no float.
//!
//! **Invariant:** `price(u) <= upper_bound(e)` for every usage `u` that `e` covers.
//! **Invariant:** a purse is never below what is held of it.

#![deny(clippy::float_arithmetic)]

pub mod book;
pub mod bound;
pub mod entry;
pub mod fee;
pub mod insurance;
pub mod laws;
pub mod price;
pub mod purse;
pub mod spend;
pub mod tariff;

pub use book::{Book, Leased, Pot, Refusal, Reserve, Settled, Terminal};
pub use bound::{Estimate, Fit, Offer, affordable_output, fit, upper_bound};
pub use entry::{Charge, Grant, Reservation};
pub use fee::{OwnKey, byok_fee};
pub use insurance::{billable, insured};
pub use price::{Cost, Line, PriceError, price};
pub use purse::{Counts, Draw, Source, Spender};
pub use spend::Spend;
