//! How many tokens a request may have, before anybody counted them.

use signalbox_catalog::{Endpoint, Modality};
use signalbox_core::Usage;
use signalbox_dialect::openai_chat::survey::Survey;
use signalbox_ledger::Estimate;

/// Bytes of text in a token, usually (a common rule for English; other languages have fewer).
const BYTES_PER_TOKEN: u64 = 4;
/// Bytes of text in a token at most, for saying that a prompt certainly does not fit.
const MOST_BYTES_PER_TOKEN: u64 = 8;
/// Tokens that a provider's own template may add around the messages.
const TEMPLATE_TOKENS: u64 = 1024;
/// Tokens of one image at most: the dearest published tiling stays below.
const IMAGE_TOKENS: u64 = 16_384;

/// The prompt's tokens, probably.
pub(crate) fn prompt_expected(survey: &Survey) -> u64 {
    survey.prompt_bytes.div_ceil(BYTES_PER_TOKEN)
}

/// The prompt's tokens, at least.
pub(crate) fn prompt_at_least(survey: &Survey) -> u64 {
    survey.prompt_bytes / MOST_BYTES_PER_TOKEN
}

/// An upper bound of what this endpoint can consume: a token has at least one byte, and whatever
/// can't be counted may fill the context.
pub(crate) fn bound(survey: &Survey, endpoint: &Endpoint, inputs: &[Modality]) -> Estimate {
    let context = endpoint.context_length;
    let uncounted = inputs.iter().any(|one| *one != Modality::Image);
    let images = survey.images.saturating_mul(IMAGE_TOKENS);
    let counted = survey.prompt_bytes.saturating_add(TEMPLATE_TOKENS).saturating_add(images);
    let prompt_tokens = if uncounted { context } else { counted.min(context) };
    let most = endpoint.max_output.unwrap_or(context);
    Estimate {
        prompt_tokens,
        max_output: survey.max_output.unwrap_or(most).min(most),
        images: survey.images,
        choices: survey.choices,
        ..Estimate::default()
    }
}

/// Whether a provider's counts can be true of a request with this bound.
pub(crate) fn within(usage: &Usage, bound: &Estimate) -> bool {
    usage.prompt() <= bound.prompt_tokens
        && usage.output <= bound.max_output.saturating_mul(bound.choices)
        && usage.searches <= bound.searches
}

/// Counts for an answer whose provider sent none that can be true.
pub(crate) fn usage(survey: &Survey, output_bytes: u64, bound: &Estimate) -> Usage {
    let most = bound.max_output.saturating_mul(bound.choices);
    Usage {
        input_uncached: prompt_expected(survey).min(bound.prompt_tokens),
        output: output_bytes.div_ceil(BYTES_PER_TOKEN).min(most),
        estimated: true,
        ..Usage::default()
    }
}
