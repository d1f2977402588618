//! Repeatable chance.

use std::time::Duration;

/// SplitMix64: one number after the other from a seed.
#[derive(Debug, Clone)]
pub(super) struct Dice(u64);

impl Dice {
    pub fn new(seed: u64) -> Self {
        Self(seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) ^ 0x5161_6c73_6967_6e61)
    }

    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ (mixed >> 31)
    }

    /// A number below `most`.
    pub fn below(&mut self, most: u64) -> u64 {
        self.next() % most.max(1)
    }

    /// True once in so many throws.
    pub fn once_in(&mut self, throws: u64) -> bool {
        self.below(throws) == 0
    }

    /// An amount below `most` nano-dollars.
    pub fn amount(&mut self, most: i64) -> i64 {
        i64::try_from(self.below(u64::try_from(most).unwrap())).unwrap()
    }

    /// A pause of up to so many milliseconds.
    pub fn pause(&mut self, millis: u64) -> Duration {
        Duration::from_micros(self.below(millis.saturating_mul(1000)))
    }

    /// Dice of their own for somebody else.
    pub fn fork(&mut self) -> Self {
        Self(self.next())
    }
}
