//! What a request would cost, and how likely that makes an endpoint (inference spec 5.3).

use signalbox_catalog::Endpoint;
use signalbox_core::{PriceKind, Rate, Timestamp, limits};
use signalbox_ledger::tariff;

use crate::health::EndpointHealth;
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

/// How sharply the weight falls with trust: 95 % has about a third of the weight of 100 %, 99 % has
/// about four fifths. A failure is not free: before the first token it costs a detour, after it the
/// answer. Chosen, not published; the laboratory compares.
const TRUST_POWER: i32 = 20;

/// Requests that an endpoint is supposed to have answered as promised, on top of those that were seen
/// in five minutes: one fault among few takes about half of the weight. Chosen, not published; the
/// laboratory compares.
const SUPPOSED: f64 = 20.0;

/// The share of requests that an endpoint will probably answer, 0 to 1: by the last five minutes, and
/// until there is enough of those by what is promised: its `uptime` in percent, which needs a hundred
/// requests, else its published status.
#[must_use]
pub fn trust(endpoint: &Endpoint, health: &EndpointHealth, uptime: Option<f32>) -> f64 {
    // What stands behind a published status is not published: below 0 is degraded, somehow.
    let published = match endpoint.status {
        0.. => 1.0,
        -2..=-1 => 0.95,
        _ => 0.85,
    };
    let promised = uptime.map_or(published, |percent| f64::from(percent) / 100.0);
    let (good, bad) = (f64::from(health.answered_5m), f64::from(health.failed_5m));
    SUPPOSED.mul_add(promised.clamp(0.0, 1.0), good) / (good + bad + SUPPOSED)
}

/// The weight of an endpoint in the draw. 1 / price² while it is trusted; less when it fails now and
/// then, and while it comes back after an ejection. A free endpoint has price 1: free ones are drawn
/// evenly, before all others.
#[must_use]
pub fn weight(price: f64, trust: f64, ramp: f32) -> f64 {
    let ramp = f64::from(ramp).clamp(0.0, 1.0);
    let price = if price > 0.0 { price } else { 1.0 };
    ramp * trust.clamp(0.0, 1.0).powi(TRUST_POWER) / (price * price)
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
    use serde_json::json;

    use super::*;

    #[test]
    fn distrust_takes_weight_away_smoothly() {
        let share = |trust| weight(2.0, trust, 1.0) / weight(2.0, 1.0, 1.0);
        assert!((share(1.0) - 1.0).abs() < 1e-12);
        assert!((0.80..0.83).contains(&share(0.99)), "{}", share(0.99));
        assert!((0.33..0.38).contains(&share(0.95)), "{}", share(0.95));
        assert!((weight(2.0, 1.0, 0.5) - 0.125).abs() < 1e-12);
        assert_eq!(weight(1.0, 1.0, -1.0), 0.0);
    }

    #[test]
    fn trust_begins_as_published_and_follows_what_is_seen() {
        let at = |status, answered_5m, failed_5m| {
            let row = json!({
                "id": "a", "model": "m", "provider": "p", "tag": "p", "name": "", "status": status,
                "provider_model_id": "m", "variant": "standard", "context_length": 1, "prices": {},
                "data_policy": {"training": false, "retains_prompts": false},
            });
            let endpoint: Endpoint = serde_json::from_value(row).unwrap();
            let health = EndpointHealth { answered_5m, failed_5m, ..EndpointHealth::default() };
            trust(&endpoint, &health, None)
        };
        assert_eq!((at(0, 0, 0), at(-2, 0, 0), at(-5, 0, 0)), (1.0, 0.95, 0.85));
        assert_eq!(at(0, 1_000, 0), 1.0);
        assert!((at(0, 0, 1) - 20.0 / 21.0).abs() < 1e-12);
        assert!(at(-5, 980, 0) > 0.99 && at(0, 50, 50) < 0.6);
    }

    #[test]
    fn without_weight_there_is_no_turn() {
        assert_eq!(turn(0.0, 1.0), 0.0);
        assert!(turn(0.5, 0.0).is_infinite() && turn(0.5, f64::NAN).is_infinite());
    }
}
