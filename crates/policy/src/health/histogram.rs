//! Counts of values in buckets whose width grows with the value, and the percentiles they give.

use signalbox_catalog::Percentiles;

/// Buckets of one histogram: values from 1 to 2^20.
pub(super) const BUCKETS: usize = 160;
/// Buckets for each doubling. A percentile is the middle of its bucket on a logarithmic scale, so it
/// is off by at most a factor of 2^(1/16): 4.5 percent.
const PER_DOUBLING: f64 = 8.0;

/// Fewest values that percentiles are made of.
pub(super) const FEWEST: u32 = 20;

/// How often each bucket was hit. 640 bytes, allocated by whoever has something to count.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Histogram {
    counts: [u32; BUCKETS],
}

impl Default for Histogram {
    fn default() -> Self {
        Self { counts: [0; BUCKETS] }
    }
}

/// The bucket of a value; what is no number or too small is in the first, what is too large in the
/// last.
fn bucket(value: f64) -> usize {
    if value > 1.0 { ((value.log2() * PER_DOUBLING) as usize).min(BUCKETS - 1) } else { 0 }
}

fn middle(bucket: usize) -> f64 {
    ((bucket as f64 + 0.5) / PER_DOUBLING).exp2()
}

impl Histogram {
    /// Counts a value.
    pub(super) fn add(&mut self, value: f64) {
        self.add_many(bucket(value), 1);
    }

    /// Counts what another histogram counted.
    pub(super) fn merge(&mut self, other: &Self) {
        for (mine, theirs) in self.counts.iter_mut().zip(other.counts) {
            *mine = mine.saturating_add(theirs);
        }
    }

    /// The buckets that were hit, with their counts.
    pub(super) fn hits(&self) -> impl Iterator<Item = (usize, u32)> {
        self.counts.iter().copied().enumerate().filter(|(_, count)| *count > 0)
    }

    /// Counts several values of one bucket.
    pub(super) fn add_many(&mut self, bucket: usize, count: u32) {
        if let Some(slot) = self.counts.get_mut(bucket) {
            *slot = slot.saturating_add(count);
        }
    }

    fn total(&self) -> u64 {
        self.counts.iter().map(|count| u64::from(*count)).sum()
    }

    /// The smallest value that this share of all values does not exceed; `None` with too few.
    pub(super) fn quantile(&self, share: f64) -> Option<f64> {
        let total = self.total();
        (total >= u64::from(FEWEST)).then(|| at_rank(self.hits(), rank(total, share)))
    }

    /// Percentiles of something that had better be small: p90 is what nine in ten stay under.
    pub(super) fn smaller_is_better(&self) -> Option<Percentiles> {
        let total = self.total();
        let at = |share| at_rank(self.hits(), rank(total, share));
        percentiles(total, at)
    }

    /// Percentiles of something that had better be large: p90 is what nine in ten reach (inference
    /// spec 5.5).
    pub(super) fn larger_is_better(&self) -> Option<Percentiles> {
        let total = self.total();
        let hits = || {
            let downwards = self.counts.iter().copied().enumerate().rev();
            downwards.filter(|(_, count)| *count > 0)
        };
        percentiles(total, |share| at_rank(hits(), rank(total, share)))
    }
}

fn percentiles(total: u64, at: impl Fn(f64) -> f64) -> Option<Percentiles> {
    let enough = total >= u64::from(FEWEST);
    enough.then(|| Percentiles { p50: at(0.5), p75: at(0.75), p90: at(0.9), p99: at(0.99) })
}

/// How many values a share of them is, at least one.
fn rank(total: u64, share: f64) -> u64 {
    ((total as f64 * share).ceil() as u64).max(1)
}

fn at_rank(hits: impl Iterator<Item = (usize, u32)>, rank: u64) -> f64 {
    let mut seen = 0_u64;
    let mut last = 0;
    for (bucket, count) in hits {
        seen = seen.saturating_add(u64::from(count));
        last = bucket;
        if seen >= rank {
            break;
        }
    }
    middle(last)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// The stated bound, and a hair for rounding.
    const BOUND: f64 = 1.0443;

    /// The exact percentile by counting.
    fn exact(values: &[f64], share: f64, larger: bool) -> f64 {
        let mut sorted = values.to_vec();
        sorted.sort_by(f64::total_cmp);
        if larger {
            sorted.reverse();
        }
        sorted[((values.len() as f64 * share).ceil() as usize).max(1) - 1]
    }

    #[test]
    fn too_few_values_give_no_percentiles() {
        let mut histogram = Histogram::default();
        for _ in 0..19 {
            histogram.add(5.0);
        }
        assert!(histogram.smaller_is_better().is_none() && histogram.quantile(0.5).is_none());
        histogram.add(5.0);
        assert!((histogram.smaller_is_better().unwrap().p99 / 5.0 - 1.0).abs() < 0.0443);
    }

    #[test]
    fn what_is_out_of_range_is_counted_at_the_edge() {
        for value in [f64::NAN, -1.0, 0.0, f64::INFINITY, f64::NEG_INFINITY, 1e300] {
            let mut histogram = Histogram::default();
            histogram.add(value);
            assert_eq!(histogram.total(), 1);
        }
        assert_eq!(bucket(f64::INFINITY), BUCKETS - 1);
        assert_eq!(bucket(f64::NAN), 0);
    }

    proptest! {
        #[test]
        fn percentiles_are_within_the_stated_bound(
            values in prop::collection::vec((0.0_f64..20.0).prop_map(f64::exp2), 20..2000),
        ) {
            let mut histogram = Histogram::default();
            values.iter().for_each(|value| histogram.add(*value));
            let small = histogram.smaller_is_better().unwrap();
            let large = histogram.larger_is_better().unwrap();
            let near = |got: f64, share: f64, larger: bool| {
                let off = got / exact(&values, share, larger);
                off < BOUND && off > 1.0 / BOUND
            };
            for (share, got) in [(0.5, small.p50), (0.75, small.p75), (0.9, small.p90), (0.99, small.p99)] {
                prop_assert!(near(got, share, false), "{got} at {share}");
            }
            for (share, got) in [(0.5, large.p50), (0.75, large.p75), (0.9, large.p90), (0.99, large.p99)] {
                prop_assert!(near(got, share, true), "{got} at {share}");
            }
            prop_assert!(small.p50 <= small.p75 && small.p75 <= small.p90 && small.p90 <= small.p99);
            prop_assert!(large.p50 >= large.p75 && large.p75 >= large.p90 && large.p90 >= large.p99);
        }
    }
}
