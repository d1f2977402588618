//! The default order: a random draw in which cheaper endpoints are likelier (inference spec 5.3).

use std::sync::Arc;

use signalbox_catalog::Endpoint;
use signalbox_core::{PriceKind, Rate, limits};

use super::Dice;
use crate::requirements::Content;

/// What one request would cost here, in units of 10⁻²⁸ USD: the expected prompt and output at the
/// prices that apply to a prompt of that size. For ranking only, so a float will do.
#[must_use]
pub fn blended(endpoint: &Endpoint, content: &Content) -> f64 {
    let prompt = content.prompt_tokens_expected.max(1);
    let output = content.max_output.unwrap_or(limits::EXPECTED_OUTPUT_TOKENS);
    let mut rates = endpoint.prices.rates;
    for entry in &endpoint.prices.overrides {
        let windowed = entry.utc_start.is_some() || entry.utc_end.is_some();
        if !windowed && entry.min_prompt_tokens.is_some_and(|least| prompt > least) {
            rates = rates.overlaid(&entry.rates);
        }
    }
    let units = |kind| rates.get(kind).unwrap_or(Rate::ZERO).units();
    #[expect(clippy::cast_precision_loss, reason = "a rank needs no exact price")]
    let cost = |kind, count: u64| units(kind) as f64 * count as f64;
    cost(PriceKind::Prompt, prompt)
        + cost(PriceKind::Completion, output)
        + cost(PriceKind::Request, 1)
        + cost(PriceKind::SearchUnit, 1)
}

/// Orders by repeated draws without replacement, each with weight 1 / price². Free endpoints come
/// before priced ones, evenly among themselves.
pub fn draw<T>(
    endpoints: Vec<T>,
    of: impl Fn(&T) -> &Arc<Endpoint>,
    content: &Content,
    dice: &mut Dice,
) -> Vec<T> {
    // The exponential trick: the smallest of -ln(u) / weight wins with probability weight / total,
    // so that one sort makes all the draws.
    let mut keyed: Vec<_> = endpoints
        .into_iter()
        .map(|one| {
            let price = blended(of(&one), content);
            let wait = -(1.0 - dice.next_unit()).ln();
            (if price > 0.0 { (1, wait * price * price) } else { (0, wait) }, one)
        })
        .collect();
    keyed.sort_by(|((a_class, a), _), ((b_class, b), _)| {
        a_class.cmp(b_class).then_with(|| a.total_cmp(b))
    });
    keyed.into_iter().map(|(_, one)| one).collect()
}
