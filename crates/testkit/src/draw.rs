//! Draws that a seed repeats.

use std::io::Write as _;

/// The environment variable with the seed of a run that is to be repeated.
const SEED: &str = "SIGNALBOX_SEED";

/// The environment variable with the number of rounds, for runs that may take long.
const ROUNDS: &str = "SIGNALBOX_ROUNDS";

#[expect(clippy::disallowed_methods, reason = "a test is told its size by the environment")]
fn number(variable: &str) -> Option<u64> {
    std::env::var(variable).ok().and_then(|text| text.parse().ok())
}

/// How many rounds to run: what the environment says, or else this many.
#[must_use]
pub fn rounds(default: u64) -> u64 {
    number(ROUNDS).unwrap_or(default)
}

/// A seeded sequence of draws. When a test fails while it is alive, it prints its seed.
#[derive(Debug)]
pub struct Draw {
    seed: u64,
    state: u64,
}

impl Draw {
    /// The seed of the environment, or else this one.
    #[must_use]
    pub fn seeded(default: u64) -> Self {
        let seed = number(SEED).unwrap_or(default);
        Self { seed, state: seed }
    }

    /// The seed.
    #[must_use]
    pub fn seed(&self) -> u64 {
        self.seed
    }

    /// Sixty-four bits (splitmix64).
    pub fn bits(&mut self) -> u64 {
        self.state = self.state.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut bits = self.state;
        bits = (bits ^ (bits >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        bits = (bits ^ (bits >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        bits ^ (bits >> 31)
    }

    /// A number below `end`, which is above zero.
    pub fn below(&mut self, end: u64) -> u64 {
        self.bits() % end
    }

    /// One of a list.
    ///
    /// # Panics
    /// When it is empty.
    pub fn one<'a, T>(&mut self, list: &'a [T]) -> &'a T {
        let index = self.below(list.len() as u64);
        &list[usize::try_from(index).unwrap()]
    }
}

impl Drop for Draw {
    fn drop(&mut self) {
        if std::thread::panicking() {
            let line = format!("to run this again: {SEED}={}\n", self.seed);
            drop(std::io::stderr().write_all(line.as_bytes()));
        }
    }
}
