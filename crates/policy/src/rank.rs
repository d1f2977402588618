//! Orders for the endpoints that passed every hard rule, and what they are made of: prices, speeds,
//! draws, quality.

pub mod dice;
pub mod exacto;
pub mod price;
pub(crate) mod sort;
pub mod speed;
pub mod statistics;

pub use dice::Dice;
