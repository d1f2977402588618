//! What a request would cost, and how likely that makes an endpoint (inference spec 5.3).

use signalbox_catalog::Endpoint;
use signalbox_core::{PriceKind, Rate, Timestamp, limits};
use signalbox_ledger::tariff;

use crate::requirements::Content;

/// Units of a [`Rate`] in one USD.
const UNITS_PER_USD: f64 = 1e28;

/// What one request would cost here now, in USD: the expected prompt and output at the prices that
/// apply to a prompt of that size at this time of the day. For ranking only, so a float will do.
#[must_use]
pub fn blended(endpoint: &Endpoint, content: &Content, now: Timestamp) -> f64 {
    let prompt = content.prompt_tokens_expected.max(1);
    let output = content.max_output.unwrap_or(limits::EXPECTED_OUTPUT_TOKENS);
    let table = &endpoint.prices;
    let hhmm = if table.overrides.is_empty() { 0 } else { now.utc_hhmm() };
    let rate = |kind| {
        let mut later = table.overrides.iter().rev();
        let over = later.find_map(|entry| {
            tariff::applies(entry, prompt, hhmm).then(|| entry.rates.get(kind)).flatten()
        });
        over.or_else(|| table.rates.get(kind)).unwrap_or(Rate::ZERO)
    };
    #[expect(clippy::cast_precision_loss, reason = "a rank needs no exact price")]
    let cost = |kind, count: u64| match rate(kind).units() {
        0 => 0.0,
        units => units as f64 / UNITS_PER_USD * count as f64,
    };
    cost(PriceKind::Prompt, prompt)
        + cost(PriceKind::Completion, output)
        + cost(PriceKind::Request, 1)
        + cost(PriceKind::SearchUnit, 1)
}

/// How sharply the weight falls with uptime: 95 %, where demotion begins, has about a third of the
/// weight of 100 %, 99 % has about four fifths. A failure is not free: before the first token it costs
/// a detour, after it the answer. Chosen, not published; the laboratory compares.
const UPTIME_POWER: i32 = 20;

/// The weight of an endpoint in the draw. 1 / price² while it is healthy; less when it fails now and
/// then, and while it comes back after an ejection. A free endpoint has price 1: free ones are drawn
/// evenly, before all others.
#[must_use]
pub fn weight(price: f64, uptime: Option<f32>, ramp: f32) -> f64 {
    let answered = uptime.map_or(1.0, |percent| f64::from(percent) / 100.0).clamp(0.0, 1.0);
    let ramp = f64::from(ramp).clamp(0.0, 1.0);
    let price = if price > 0.0 { price } else { 1.0 };
    ramp * answered.powi(UPTIME_POWER) / (price * price)
}

/// When this endpoint's turn comes: the smallest of `-ln(u) / weight` wins with probability weight /
/// total, so that one sort makes all draws without replacement. `unit` is evenly spread over `[0, 1)`.
#[must_use]
pub fn turn(unit: f64, weight: f64) -> f64 {
    let wait = -(1.0 - unit).ln();
    if weight > 0.0 { wait / weight } else { f64::INFINITY }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn uptime_takes_weight_away_smoothly() {
        let share = |uptime| weight(2.0, uptime, 1.0) / weight(2.0, None, 1.0);
        assert!((share(Some(100.0)) - 1.0).abs() < 1e-12);
        assert!((0.80..0.83).contains(&share(Some(99.0))), "{}", share(Some(99.0)));
        assert!((0.33..0.38).contains(&share(Some(95.0))), "{}", share(Some(95.0)));
        assert!((weight(2.0, None, 0.5) - 0.125).abs() < 1e-12);
        assert_eq!(weight(1.0, None, -1.0), 0.0);
    }

    #[test]
    fn without_weight_there_is_no_turn() {
        assert_eq!(turn(0.0, 1.0), 0.0);
        assert!(turn(0.5, 0.0).is_infinite() && turn(0.5, f64::NAN).is_infinite());
    }
}
