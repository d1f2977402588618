//! How many tokens a request may have, before anybody counted them.

use signalbox_catalog::{Endpoint, Modality};
use signalbox_core::{Parameter, PriceKind, Usage, limits};
use signalbox_dialect::openai_chat::survey::Survey;
use signalbox_ledger::Estimate;

/// Bytes of text in a token, usually (a common rule for English; other languages have fewer).
const BYTES_PER_TOKEN: u64 = 4;
/// Bytes of text in a token at most, for saying that a prompt certainly does not fit.
const MOST_BYTES_PER_TOKEN: u64 = 8;
/// Tokens that a provider's template may add beyond one for each byte of the body, whose brackets and
/// names already stand for the markers between messages.
const TEMPLATE_TOKENS: u64 = 64;
/// Tokens of the instructions that providers add once there are tools (published figures stay below
/// 600).
const TOOL_TEMPLATE_TOKENS: u64 = 1024;
/// Tokens of one image at most: the dearest published tiling stays below.
pub(crate) const IMAGE_TOKENS: u64 = 16_384;

/// Tokens of one image, usually.
const USUAL_IMAGE_TOKENS: u64 = 1024;

/// The prompt's tokens, probably.
pub(crate) fn prompt_expected(survey: &Survey) -> u64 {
    prompt(survey, |bytes| bytes.div_ceil(BYTES_PER_TOKEN))
}

/// The prompt's tokens, by what is known of a tokenizer.
pub(crate) fn prompt(survey: &Survey, tokens: impl Fn(u64) -> u64) -> u64 {
    let images = survey.images.saturating_mul(USUAL_IMAGE_TOKENS);
    tokens(survey.prompt_bytes).saturating_add(images)
}

/// The prompt's tokens, at least.
pub(crate) fn prompt_at_least(survey: &Survey) -> u64 {
    survey.prompt_bytes / MOST_BYTES_PER_TOKEN
}

/// An upper bound of what this endpoint can consume: a token has at least one byte of the body, and
/// media that can't be counted may fill the context.
pub(crate) fn bound(
    survey: &Survey,
    body_bytes: usize,
    inputs: &[Modality],
    endpoint: &Endpoint,
) -> Estimate {
    let context = endpoint.context_length;
    let uncounted = inputs.iter().any(|one| *one != Modality::Image);
    let body = u64::try_from(body_bytes).unwrap_or(u64::MAX);
    let text = body.saturating_sub(survey.media_bytes);
    let images = survey.images.saturating_mul(IMAGE_TOKENS);
    let template = if survey.needs.tools { TOOL_TEMPLATE_TOKENS } else { TEMPLATE_TOKENS };
    let counted = text.saturating_add(template).saturating_add(images);
    let prompt_tokens = if uncounted { context } else { counted.min(context) };
    let most = endpoint.max_output.unwrap_or(context);
    let asked = survey.parameters.contains(Parameter::WebSearchOptions);
    let searching = asked || endpoint.features.web_search;
    let priced = endpoint.prices.rates.get(PriceKind::WebSearch).is_some();
    Estimate {
        prompt_tokens,
        max_output: survey.max_output.unwrap_or(most).min(most),
        images: survey.images,
        choices: survey.choices,
        searches: if searching && priced { limits::MAX_SEARCHES } else { 0 },
        search_units: 0,
        fetches: 0,
        file_pages: 0,
    }
}

/// A provider's counts, cut where they are more than this request can have.
pub(crate) fn within(usage: &Usage, bound: &Estimate) -> Usage {
    bound.cut(usage)
}

const fn most_output(bound: &Estimate) -> u64 {
    bound.max_output.saturating_mul(bound.choices)
}

/// Counts for an answer whose provider sent none that can be true.
pub(crate) fn usage(
    survey: &Survey,
    output_bytes: u64,
    bound: &Estimate,
    tokens: impl Fn(u64) -> u64,
) -> Usage {
    Usage {
        input_uncached: prompt(survey, &tokens).min(bound.prompt_tokens),
        output: tokens(output_bytes).min(most_output(bound)),
        estimated: true,
        ..Usage::default()
    }
}
