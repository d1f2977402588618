//! The most that a request can cost: what is held before its first byte goes to a provider.

use signalbox_core::rate::ceil_to_nanos;
use signalbox_core::{PriceKind, PriceTable, Rate, Usd};

use crate::price::{PriceError, required};

/// Units of 10⁻²⁸ USD in one nano-dollar.
const UNITS_PER_NANO: i128 = 10_i128.pow(19);

/// Every kind that a prompt token may be billed as.
const INPUT_KINDS: [PriceKind; 7] = [
    PriceKind::Prompt,
    PriceKind::ImageToken,
    PriceKind::Audio,
    PriceKind::InputCacheRead,
    PriceKind::InputCacheWrite,
    PriceKind::InputCacheWrite1h,
    PriceKind::InputAudioCache,
];

/// Every kind that an output token may be billed as.
const OUTPUT_KINDS: [PriceKind; 4] = [
    PriceKind::Completion,
    PriceKind::InternalReasoning,
    PriceKind::ImageOutput,
    PriceKind::AudioOutput,
];

/// The largest usage that a request may lead to. Each number is an upper bound itself.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Estimate {
    /// Prompt tokens, whether cached or not.
    pub prompt_tokens: u64,
    /// Output tokens of one choice, reasoning included.
    pub max_output: u64,
    /// Input images.
    pub images: u64,
    /// Answers asked for (`n`); 0 counts as 1.
    pub choices: u64,
    /// Web searches that the provider may make. 0 when none was asked for.
    pub searches: u64,
    /// Search units of a rerank.
    pub search_units: u64,
}

/// An amount that no usage covered by `estimate` can cost more than, for one request, at any time
/// and under any override that its prompt can reach.
///
/// Each input token is held at the dearest input price and each output token at the dearest output
/// price, since which of them will be cached, audio or reasoning is not known before.
///
/// # Errors
/// When the prompt or completion price is missing, or the amount does not fit.
pub fn upper_bound(estimate: &Estimate, table: &PriceTable) -> Result<Usd, PriceError> {
    let fixed = fixed_units(estimate, table)?;
    let tokens = estimate.max_output.checked_mul(estimate.choices.max(1));
    tokens
        .and_then(|tokens| dearest(estimate, table, &OUTPUT_KINDS).times(tokens))
        .and_then(|output| fixed.checked_add(output))
        .and_then(ceil_to_nanos)
        .ok_or(PriceError::OutOfRange)
}

/// The largest `max_output` with which [`upper_bound`] still fits into `budget`; that of `estimate`
/// is not looked at.
///
/// `None` when not even one output token per choice fits, or when the row can't be priced. Where
/// output is free the answer is the largest number that can be asked for, so the caller takes the
/// smaller of this and its own limit.
#[must_use]
pub fn affordable_output(estimate: &Estimate, table: &PriceTable, budget: Usd) -> Option<u64> {
    let choices = estimate.choices.max(1);
    let most = u64::MAX / choices;
    let left = i128::from(budget.nanos())
        .checked_mul(UNITS_PER_NANO)?
        .checked_sub(fixed_units(estimate, table).ok()?)?;
    if left < 0 {
        return None;
    }
    let per_token = dearest(estimate, table, &OUTPUT_KINDS).times(choices)?;
    if per_token == 0 {
        return Some(most);
    }
    let tokens = u64::try_from(left / per_token).unwrap_or(u64::MAX).min(most);
    (tokens > 0).then_some(tokens)
}

/// Everything but output, in units of 10⁻²⁸ USD.
fn fixed_units(estimate: &Estimate, table: &PriceTable) -> Result<i128, PriceError> {
    required(&table.rates, PriceKind::Prompt)?;
    required(&table.rates, PriceKind::Completion)?;
    let items = [
        (estimate.prompt_tokens, dearest(estimate, table, &INPUT_KINDS)),
        (estimate.images, dearest(estimate, table, &[PriceKind::Image])),
        (estimate.searches, dearest(estimate, table, &[PriceKind::WebSearch])),
        (estimate.search_units, dearest(estimate, table, &[PriceKind::SearchUnit])),
        (1, dearest(estimate, table, &[PriceKind::Request])),
    ];
    items.into_iter().try_fold(0_i128, |sum, (quantity, rate)| {
        let product = rate.times(quantity).ok_or(PriceError::OutOfRange)?;
        sum.checked_add(product).ok_or(PriceError::OutOfRange)
    })
}

/// The highest price of any of these kinds, in the base row or in an override that a prompt of at
/// most this many tokens can reach. Time windows are taken as open.
fn dearest(estimate: &Estimate, table: &PriceTable, kinds: &[PriceKind]) -> Rate {
    let reachable = table
        .overrides
        .iter()
        .filter(|entry| entry.min_prompt_tokens.is_none_or(|least| estimate.prompt_tokens > least))
        .map(|entry| &entry.rates);
    std::iter::once(&table.rates)
        .chain(reachable)
        .flat_map(|rates| kinds.iter().filter_map(|&kind| rates.get(kind)))
        .max()
        .unwrap_or(Rate::ZERO)
}
