//! Chance without state: a draw is a function of the seed and of what is drawn for. So each strategy
//! meets the same arrivals and the same luck (common random numbers), in whatever order it asks.

use signalbox_policy::rank::Dice;

/// What a draw is for. Draws for different things are independent.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[repr(u64)]
pub(crate) enum For {
    Arrival = 1,
    Model,
    Prompt,
    Completion,
    Kind,
    Plan,
    Latency,
    Throughput,
    Fault,
    FaultKind,
    Moment,
    ToolCall,
    Outage,
    Correlated,
}

/// The root of all draws of one run.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Chance(u64);

impl Chance {
    /// The chance that this seed decides.
    pub(crate) const fn new(seed: u64) -> Self {
        Self(seed)
    }

    /// 64 bits for this purpose and these two things, such as a request and an endpoint.
    pub(crate) const fn bits(self, purpose: For, one: u64, two: u64) -> u64 {
        let bits = mix(self.0 ^ mix(purpose as u64));
        mix(mix(bits ^ one) ^ two.wrapping_mul(0x9e37_79b9_7f4a_7c15))
    }

    /// A number in `[0, 1)` for them.
    pub(crate) fn unit(self, purpose: For, one: u64, two: u64) -> f64 {
        Dice::new(self.bits(purpose, one, two)).next_unit()
    }

    /// A stream of numbers for them.
    pub(crate) const fn stream(self, purpose: For, one: u64, two: u64) -> Dice {
        Dice::new(self.bits(purpose, one, two))
    }
}

/// The finaliser of SplitMix64.
const fn mix(bits: u64) -> u64 {
    let bits = bits.wrapping_add(0x9e37_79b9_7f4a_7c15);
    let bits = (bits ^ (bits >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    let bits = (bits ^ (bits >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    bits ^ (bits >> 31)
}

/// A number for a text, the same on every machine (FNV-1a): an endpoint's luck goes with its id.
pub(crate) fn number(text: &str) -> u64 {
    text.bytes().fold(0xcbf2_9ce4_8422_2325, |bits, byte| {
        (bits ^ u64::from(byte)).wrapping_mul(0x0000_0100_0000_01b3)
    })
}

/// A waiting time with this mean, in the mean's unit.
pub(crate) fn exponential(dice: &mut Dice, mean: f64) -> f64 {
    -(1.0 - dice.next_unit()).ln() * mean
}

/// A number with this mean whose logarithm is normal with deviation `sigma`.
pub(crate) fn log_normal(dice: &mut Dice, mean: f64, sigma: f64) -> f64 {
    let radius = (-2.0 * (1.0 - dice.next_unit()).ln()).sqrt();
    let normal = radius * (std::f64::consts::TAU * dice.next_unit()).cos();
    mean * (sigma * normal - sigma * sigma / 2.0).exp()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn draws_for_different_things_differ_and_repeat() {
        let chance = Chance::new(7);
        let one = chance.bits(For::Latency, 1, 2);
        assert_eq!(one, Chance::new(7).bits(For::Latency, 1, 2));
        let others = [
            chance.bits(For::Throughput, 1, 2),
            chance.bits(For::Latency, 2, 1),
            chance.bits(For::Latency, 1, 3),
            Chance::new(8).bits(For::Latency, 1, 2),
        ];
        assert!(others.iter().all(|other| *other != one));
    }

    #[test]
    fn means_are_what_they_say() {
        let mut dice = Dice::new(1);
        let count = 200_000;
        let mean = |draws: Vec<f64>| draws.iter().sum::<f64>() / f64::from(count);
        let waits = mean((0..count).map(|_| exponential(&mut dice, 3.0)).collect());
        assert!((waits - 3.0).abs() < 0.03, "{waits}");
        let sizes = mean((0..count).map(|_| log_normal(&mut dice, 464.0, 1.0)).collect());
        assert!((sizes / 464.0 - 1.0).abs() < 0.02, "{sizes}");
    }
}
