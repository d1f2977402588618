//! A distribution from four published percentiles.

use signalbox_catalog::Percentiles;

/// The inverse of a distribution function, linear between its points. Published are the median and
/// three percentiles of one side. The other side is not published: it is taken to reach from the
/// median to half of it (or to twice, where the percentiles run downwards), evenly. Beyond the last
/// percentile there is nothing: the 99th is the worst (or best) that happens.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Curve {
    /// Share and value, both ascending.
    points: [(f64, f64); 6],
}

impl Curve {
    /// The distribution with these percentiles. They may run upwards, as in published facts, or
    /// downwards, "so many percent do at least as well"; what is out of order is straightened.
    pub(crate) fn new(of: &Percentiles) -> Self {
        let clean = |value: f64| if value.is_finite() { value.max(0.001) } else { 0.001 };
        let p50 = clean(of.p50);
        let points = if of.p99 >= of.p50 {
            let p75 = clean(of.p75).max(p50);
            let p90 = clean(of.p90).max(p75);
            let p99 = clean(of.p99).max(p90);
            [(0.0, p50 / 2.0), (0.5, p50), (0.75, p75), (0.9, p90), (0.99, p99), (1.0, p99)]
        } else {
            let p75 = clean(of.p75).min(p50);
            let p90 = clean(of.p90).min(p75);
            let p99 = clean(of.p99).min(p90);
            [(0.0, p99), (0.01, p99), (0.1, p90), (0.25, p75), (0.5, p50), (1.0, p50 * 2.0)]
        };
        Self { points }
    }

    /// The value below which this share, 0 to 1, of all draws is.
    pub(crate) fn at(&self, share: f64) -> f64 {
        let mut before = (0.0, 0.0);
        for point in self.points {
            if share <= point.0 {
                let width = point.0 - before.0;
                let way = if width > 0.0 { (share - before.0) / width } else { 1.0 };
                return before.1 + (point.1 - before.1) * way;
            }
            before = point;
        }
        before.1
    }
}

#[cfg(test)]
mod tests {
    use signalbox_policy::rank::Dice;

    use super::*;

    fn sampled(of: &Percentiles) -> Vec<f64> {
        let curve = Curve::new(of);
        let mut dice = Dice::new(3);
        let mut values: Vec<f64> = (0..100_000).map(|_| curve.at(dice.next_unit())).collect();
        values.sort_by(f64::total_cmp);
        values
    }

    #[test]
    fn draws_have_the_published_percentiles() {
        let of = Percentiles { p50: 800.0, p75: 1200.0, p90: 2500.0, p99: 9000.0 };
        let values = sampled(&of);
        for (at, wanted) in [(50_000, of.p50), (75_000, of.p75), (90_000, of.p90), (99_000, of.p99)]
        {
            assert!((values[at] / wanted - 1.0).abs() < 0.02, "{at}: {} {wanted}", values[at]);
        }
        assert!(values[0] >= 400.0 && values[99_999] <= 9000.0);
    }

    #[test]
    fn percentiles_that_run_downwards_are_of_the_slow_side() {
        let of = Percentiles { p50: 45.2, p75: 38.5, p90: 28.3, p99: 15.1 };
        let values = sampled(&of);
        for (at, wanted) in [(50_000, of.p50), (25_000, of.p75), (10_000, of.p90), (1_000, of.p99)]
        {
            assert!((values[at] / wanted - 1.0).abs() < 0.03, "{at}: {} {wanted}", values[at]);
        }
    }

    #[test]
    fn figures_that_can_not_be_true_are_straightened() {
        let of = Percentiles { p50: -4.0, p75: f64::NAN, p90: 7.0, p99: 3.0 };
        let curve = Curve::new(&of);
        let mut last = 0.0;
        for step in 0..=100_u8 {
            let value = curve.at(f64::from(step) / 100.0);
            assert!(value.is_finite() && value >= last, "{step}: {value}");
            last = value;
        }
    }
}
