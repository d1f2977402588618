//! What a generation costs: usage × prices, rounded up once.

use signalbox_core::rate::ceil_to_nanos;
use signalbox_core::{PriceKind, PriceTable, Rate, Rates, Timestamp, Usage, Usd};

use crate::tariff::{first_priced, rates_at};

/// Why a generation can't be priced. It is never free because of that: the endpoint is not routable.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum PriceError {
    /// The price row has no price for this kind, without which nothing can be billed.
    #[error("the endpoint has no {} price", .0.name())]
    Missing(PriceKind),
    /// A product or the sum is beyond about nine billion dollars.
    #[error("the cost is beyond what an amount can hold")]
    OutOfRange,
}

/// One item of a bill. The kind says what was counted; the rate may be that of another kind, where
/// this one has no price of its own.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Line {
    /// What was counted.
    pub kind: PriceKind,
    /// How many.
    pub quantity: u64,
    /// The price of one.
    pub rate: Rate,
}

/// What one generation costs.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Cost {
    /// The charge: the exact sum of all lines, rounded up to a nano-dollar.
    pub total: Usd,
    /// The input's part, rounded up, for display.
    pub prompt: Usd,
    /// The output's part, for display: with `prompt` it adds up to the token lines, rounded up.
    pub completion: Usd,
    /// The items, without those that count nothing.
    pub lines: Vec<Line>,
}

/// The charge for `usage` at the prices of `table` (inference spec A.4).
///
/// `at` is the moment that time windows look at: the start of the generation, so that the charge can
/// be computed again from its row. `requests` is how often the per-request fee is due, 1 for a call.
///
/// - Overrides apply in order to the whole request; see [`crate::tariff`].
/// - Cache reads and writes without their own price cost the prompt price; one-hour writes fall back
///   to the five-minute price first.
/// - Reasoning costs `internal_reasoning` when that is priced above zero, else the completion price.
/// - Image and audio tokens have their own price, else that of the text around them.
/// - Searches and search units without a price cost nothing. `image` and `input_audio_cache` count what usage does
///   not tell apart: images are already among the prompt tokens.
/// - Parts that exceed their whole are cut down to it: images first, then audio, then reasoning.
///
/// # Errors
/// When the prompt or completion price is missing, or the sum does not fit.
pub fn price(
    usage: &Usage,
    table: &PriceTable,
    at: Timestamp,
    requests: u64,
) -> Result<Cost, PriceError> {
    let rates = rates_at(table, usage.prompt(), at);
    let mut lines = Vec::new();
    let input = bill(&mut lines, &input_lines(usage, &rates)?)?;
    let output = bill(&mut lines, &output_lines(usage, &rates)?)?;
    let fees = bill(&mut lines, &fee_lines(usage, &rates, requests))?;

    let tokens = input.checked_add(output).ok_or(PriceError::OutOfRange)?;
    let all = tokens.checked_add(fees).ok_or(PriceError::OutOfRange)?;
    let nanos = |units| ceil_to_nanos(units).ok_or(PriceError::OutOfRange);
    let prompt = nanos(input)?;
    let completion = nanos(tokens)?.saturating_sub(prompt);
    Ok(Cost { total: nanos(all)?, prompt, completion, lines })
}

/// Keeps the lines that count something and adds them up, in units of 10⁻²⁸ USD.
fn bill(kept: &mut Vec<Line>, lines: &[Line]) -> Result<i128, PriceError> {
    lines.iter().filter(|line| line.quantity > 0).try_fold(0_i128, |sum, line| {
        kept.push(*line);
        let product = line.rate.times(line.quantity).ok_or(PriceError::OutOfRange)?;
        sum.checked_add(product).ok_or(PriceError::OutOfRange)
    })
}

/// The price of a kind without which nothing can be billed.
pub(crate) fn required(rates: &Rates, kind: PriceKind) -> Result<Rate, PriceError> {
    rates.get(kind).ok_or(PriceError::Missing(kind))
}

fn input_lines(usage: &Usage, rates: &Rates) -> Result<[Line; 6], PriceError> {
    use PriceKind::{
        Audio, ImageToken, InputCacheRead, InputCacheWrite, InputCacheWrite1h, Prompt,
    };
    let prompt = required(rates, Prompt)?;
    let or_prompt = |kinds: &[PriceKind]| first_priced(rates, kinds).unwrap_or(prompt);
    let (images, audio, text) = parts(usage.input_uncached, usage.input_image, usage.input_audio);
    Ok([
        Line { kind: Prompt, quantity: text, rate: prompt },
        Line { kind: ImageToken, quantity: images, rate: or_prompt(&[ImageToken]) },
        Line { kind: Audio, quantity: audio, rate: or_prompt(&[Audio]) },
        Line {
            kind: InputCacheRead,
            quantity: usage.cache_read,
            rate: or_prompt(&[InputCacheRead]),
        },
        Line {
            kind: InputCacheWrite,
            quantity: usage.cache_write_5m,
            rate: or_prompt(&[InputCacheWrite]),
        },
        Line {
            kind: InputCacheWrite1h,
            quantity: usage.cache_write_1h,
            rate: or_prompt(&[InputCacheWrite1h, InputCacheWrite]),
        },
    ])
}

fn output_lines(usage: &Usage, rates: &Rates) -> Result<[Line; 4], PriceError> {
    use PriceKind::{AudioOutput, Completion, ImageOutput, InternalReasoning};
    let completion = required(rates, Completion)?;
    let (images, audio, rest) = parts(usage.output, usage.output_image, usage.output_audio);
    let reasoning = usage.reasoning.min(rest);
    let own_reasoning = rates.get(InternalReasoning).filter(|rate| !rate.is_zero());
    Ok([
        Line { kind: Completion, quantity: rest.saturating_sub(reasoning), rate: completion },
        Line {
            kind: ImageOutput,
            quantity: images,
            rate: rates.get(ImageOutput).unwrap_or(completion),
        },
        Line {
            kind: AudioOutput,
            quantity: audio,
            rate: rates.get(AudioOutput).unwrap_or(completion),
        },
        Line {
            kind: InternalReasoning,
            quantity: reasoning,
            rate: own_reasoning.unwrap_or(completion),
        },
    ])
}

fn fee_lines(usage: &Usage, rates: &Rates, requests: u64) -> [Line; 3] {
    let fee = |kind| rates.get(kind).unwrap_or(Rate::ZERO);
    [
        Line { kind: PriceKind::Request, quantity: requests, rate: fee(PriceKind::Request) },
        Line {
            kind: PriceKind::WebSearch,
            quantity: usage.searches,
            rate: fee(PriceKind::WebSearch),
        },
        Line {
            kind: PriceKind::SearchUnit,
            quantity: usage.search_units,
            rate: fee(PriceKind::SearchUnit),
        },
    ]
}

/// Splits a count into images, audio and the rest, so that the three add up to the whole.
fn parts(whole: u64, images: u64, audio: u64) -> (u64, u64, u64) {
    let images = images.min(whole);
    let rest = whole.saturating_sub(images);
    let audio = audio.min(rest);
    (images, audio, rest.saturating_sub(audio))
}
