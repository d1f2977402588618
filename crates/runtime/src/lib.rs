//! The only crate that reads the clock, draws random bits and starts tasks.
//!
//! Everything else takes these as arguments, so that a test decides what time it is.

pub mod clock;
pub mod entropy;
pub mod task;
pub mod timer;

pub use clock::Clock;
pub use timer::Timer;
