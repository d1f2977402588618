//! Random draws that can be repeated: 64 bits decide everything.

/// A stream of numbers from one seed (SplitMix64). A plan keeps the seed, so that it can be
/// replayed.
#[derive(Debug, Clone)]
pub struct Dice(u64);

impl Dice {
    /// A stream that this seed decides.
    #[must_use]
    pub const fn new(seed: u64) -> Self {
        Self(seed)
    }

    /// The next number, evenly spread over `[0, 1)`.
    pub fn next_unit(&mut self) -> f64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut bits = self.0;
        bits = (bits ^ (bits >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        bits = (bits ^ (bits >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        bits ^= bits >> 31;
        #[expect(clippy::cast_precision_loss, reason = "53 bits fit a float exactly")]
        let unit = (bits >> 11) as f64 / (1_u64 << 53) as f64;
        unit
    }
}
