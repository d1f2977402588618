//! Robust statistics: a median and a spread that a few bad values can't move.

/// How many median absolute deviations are a standard deviation of a normal distribution.
const MAD_TO_SIGMA: f64 = 1.4826;

/// The middle value, or the mean of the two middle ones; `None` without values. Reorders them.
#[must_use]
pub fn median(values: &mut [f64]) -> Option<f64> {
    let middle = values.len() / 2;
    let even = values.len().is_multiple_of(2);
    let (below, at, _) = match values.is_empty() {
        true => return None,
        false => values.select_nth_unstable_by(middle, f64::total_cmp),
    };
    let upper = *at;
    if !even {
        return Some(upper);
    }
    let lower = below.iter().copied().max_by(f64::total_cmp)?;
    Some(f64::midpoint(lower, upper))
}

/// The value below which one lies `sigmas` standard deviations under the median, the deviation being
/// 1.4826 times the median absolute deviation (platform spec 15.8) and at least `least`: where most
/// values are equal, one a hair below them is no outlier. Reorders the values.
#[must_use]
pub fn cutoff(values: &mut [f64], sigmas: f64, least: impl Fn(f64) -> f64) -> Option<f64> {
    let middle = median(values)?;
    values.iter_mut().for_each(|value| *value = (*value - middle).abs());
    let sigma = (median(values)? * MAD_TO_SIGMA).max(least(middle));
    Some(sigma.mul_add(-sigmas, middle))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_median_is_the_middle() {
        assert_eq!(median(&mut []), None);
        assert_eq!(median(&mut [3.0]), Some(3.0));
        assert_eq!(median(&mut [9.0, 1.0, 5.0]), Some(5.0));
        assert_eq!(median(&mut [4.0, 1.0, 3.0, 100.0]), Some(3.5));
    }

    #[test]
    fn a_cutoff_is_the_median_less_some_deviations() {
        // Median 50. Deviations 40, 10, 0, 10, 50: their median is 10, so sigma is 14.826.
        let cut = cutoff(&mut [10.0, 40.0, 50.0, 60.0, 100.0], 1.5, |_| 0.0).unwrap();
        assert!((cut - (50.0 - 1.5 * 14.826)).abs() < 1e-9, "{cut}");
        // All but one agree: the floor of the deviation decides.
        let cut = cutoff(&mut [1.0, 1.0, 1.0, 0.995], 2.0, |_| 0.01).unwrap();
        assert!((cut - 0.98).abs() < 1e-12, "{cut}");
    }
}
