//! The most that a request can cost: what is held before its first byte goes to a provider.

use signalbox_core::rate::ceil_to_nanos;
use signalbox_core::{PriceKind, PriceTable, Rate, Usage, Usd, limits};

use crate::fee::OwnKey;
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
    /// Pages that a fetch tool may read.
    pub fetches: u64,
    /// Pages of files that may be read for the model.
    pub file_pages: u64,
}

impl Estimate {
    /// Usage cut down to what this request can have, part by part. What is left costs at most the
    /// bound, whatever was counted; a difference is the provider's mistake.
    #[must_use]
    pub fn cut(&self, usage: &Usage) -> Usage {
        let mut room = self.prompt_tokens;
        let mut take = |count: u64| {
            let taken = count.min(room);
            room = room.saturating_sub(taken);
            taken
        };
        let output = usage.output.min(self.max_output.saturating_mul(self.choices.max(1)));
        let input_uncached = take(usage.input_uncached);
        let cache_read = take(usage.cache_read);
        Usage {
            input_uncached,
            cache_read,
            cache_write_5m: take(usage.cache_write_5m),
            cache_write_1h: take(usage.cache_write_1h),
            input_audio: usage.input_audio.min(input_uncached),
            input_image: usage.input_image.min(input_uncached),
            cache_read_audio: usage.cache_read_audio.min(cache_read),
            output,
            reasoning: usage.reasoning.min(output),
            output_audio: usage.output_audio.min(output),
            output_image: usage.output_image.min(output),
            searches: usage.searches.min(self.searches),
            search_units: usage.search_units.min(self.search_units),
            fetches: usage.fetches.min(self.fetches),
            file_pages: usage.file_pages.min(self.file_pages),
            estimated: usage.estimated,
        }
    }
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

/// One candidate of a request, as far as money is concerned.
#[derive(Debug, Clone, Copy)]
pub struct Offer<'a> {
    /// The most that it can consume.
    pub estimate: Estimate,
    /// What that costs.
    pub prices: &'a PriceTable,
    /// Whether the caller set no limit of the output, so that the budget may set one.
    pub open_ended: bool,
    /// The terms, where the caller's own key is used and only the fee is charged.
    pub own_key: Option<OwnKey>,
}

/// What one candidate may consume under a hold.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Fit {
    /// The most that it may consume; usage beyond it must be cut down to this.
    pub estimate: Estimate,
    /// What has to be held for it: no charge for usage within `estimate` is more.
    pub amount: Usd,
    /// The same at list prices: what counts where use of own keys counts, and else `amount`.
    pub list_price: Usd,
    /// Whether the output is limited by the budget, which the provider has to be told.
    pub clamped: bool,
}

/// The bound of one candidate, when `budget` affords it: whole, or with an output that is cut down to
/// the longest that fits. `None` when it does not fit, when what fits is not worth starting for, or
/// when it has no usable price.
///
/// What is held for a request is the largest `amount` of the candidates that fit, whichever of them
/// answers in the end.
#[must_use]
pub fn fit(offer: &Offer<'_>, budget: Usd) -> Option<Fit> {
    let room = offer.own_key.map_or(budget, |own| own.list_within(budget));
    let mut fit = Fit {
        estimate: offer.estimate,
        amount: Usd::ZERO,
        list_price: upper_bound(&offer.estimate, offer.prices).ok()?,
        clamped: false,
    };
    if fit.list_price > room {
        let most = affordable_output(&offer.estimate, offer.prices, room)?;
        if !offer.open_ended || most < limits::MIN_AFFORDABLE_OUTPUT {
            return None;
        }
        fit.estimate.max_output = most;
        fit.list_price = upper_bound(&fit.estimate, offer.prices).ok()?;
        fit.clamped = true;
    }
    fit.amount = offer.own_key.map_or(fit.list_price, |own| own.fee(fit.list_price));
    Some(fit)
}

/// Everything but output, in units of 10⁻²⁸ USD.
fn fixed_units(estimate: &Estimate, table: &PriceTable) -> Result<i128, PriceError> {
    required(&table.rates, PriceKind::Prompt)?;
    required(&table.rates, PriceKind::Completion)?;
    let items: [(u64, &[PriceKind]); 7] = [
        (estimate.prompt_tokens, &INPUT_KINDS),
        (1, &[PriceKind::Request]),
        (estimate.images, &[PriceKind::Image]),
        (estimate.searches, &[PriceKind::WebSearch]),
        (estimate.search_units, &[PriceKind::SearchUnit]),
        (estimate.fetches, &[PriceKind::WebFetch]),
        (estimate.file_pages, &[PriceKind::FilePage]),
    ];
    let mut counted = items.into_iter().filter(|(quantity, _)| *quantity > 0);
    counted.try_fold(0_i128, |sum, (quantity, kinds)| {
        let rate = dearest(estimate, table, kinds);
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn counts_above_the_bound_are_cut_and_others_are_left() {
        let bound =
            Estimate { prompt_tokens: 100, max_output: 10, choices: 2, ..Estimate::default() };
        let fair = Usage {
            input_uncached: 60,
            cache_read: 40,
            output: 20,
            reasoning: 5,
            ..Usage::default()
        };
        assert_eq!(bound.cut(&fair), fair);
        let huge = Usage {
            search_units: 9,
            input_uncached: u64::MAX,
            cache_read: 7,
            output: u64::MAX,
            reasoning: u64::MAX,
            searches: 3,
            fetches: 3,
            file_pages: 3,
            ..Usage::default()
        };
        let cut = bound.cut(&huge);
        assert_eq!((cut.prompt(), cut.output, cut.reasoning), (100, 20, 20));
        assert_eq!((cut.searches, cut.search_units, cut.fetches, cut.file_pages), (0, 0, 0, 0));
        let ranked = Estimate { search_units: 4, file_pages: 2, ..bound }.cut(&huge);
        assert_eq!((ranked.search_units, ranked.file_pages), (4, 2));
        let one = Estimate { choices: 0, ..bound }.cut(&huge);
        assert_eq!(one.output, 10);
    }
}
