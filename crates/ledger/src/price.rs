//! What a generation costs: usage × prices, rounded up once.

use signalbox_core::rate::ceil_to_nanos;
use signalbox_core::{PriceKind, PriceTable, Rate, Rates, Timestamp, Usage, Usd};

use crate::tariff::overlaid;

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
/// - Image and audio tokens have their own price, else that of the text around them; cached audio has
///   that of other cache reads.
/// - Searches, search units, fetches and pages without a price cost nothing. `image` is not billed:
///   images are already among the prompt tokens.
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
    let laid;
    let rates = match overlaid(table, usage.prompt(), at) {
        Some(over) => {
            laid = over;
            &laid
        }
        None => &table.rates,
    };
    let mut bill = Bill::default();
    bill_input(&mut bill, usage, rates)?;
    let input = bill.units;
    bill_output(&mut bill, usage, rates)?;
    let tokens = bill.units;
    bill_fees(&mut bill, usage, rates, requests)?;

    let nanos = |units| ceil_to_nanos(units).ok_or(PriceError::OutOfRange);
    let prompt = nanos(input)?;
    let completion = nanos(tokens)?.saturating_sub(prompt);
    Ok(Cost { total: nanos(bill.units)?, prompt, completion, lines: bill.lines })
}

/// The items so far, and their exact sum in units of 10⁻²⁸ USD.
#[derive(Default)]
struct Bill {
    lines: Vec<Line>,
    units: i128,
}

impl Bill {
    /// Adds an item, if it counts something: only then is its price looked for.
    fn add(
        &mut self,
        kind: PriceKind,
        quantity: u64,
        rate: impl FnOnce() -> Rate,
    ) -> Result<(), PriceError> {
        if quantity == 0 {
            return Ok(());
        }
        let rate = rate();
        let product = rate.times(quantity).ok_or(PriceError::OutOfRange)?;
        self.units = self.units.checked_add(product).ok_or(PriceError::OutOfRange)?;
        self.lines.push(Line { kind, quantity, rate });
        Ok(())
    }
}

/// The price of a kind without which nothing can be billed.
pub(crate) fn required(rates: &Rates, kind: PriceKind) -> Result<Rate, PriceError> {
    rates.get(kind).ok_or(PriceError::Missing(kind))
}

fn bill_input(bill: &mut Bill, usage: &Usage, rates: &Rates) -> Result<(), PriceError> {
    use PriceKind::{
        Audio, ImageToken, InputAudioCache, InputCacheRead, InputCacheWrite, InputCacheWrite1h,
        Prompt,
    };
    let prompt = required(rates, Prompt)?;
    let own = |kind| rates.get(kind).unwrap_or(prompt);
    let either = |kind, other| rates.get(kind).unwrap_or_else(|| own(other));
    let (images, audio, text) = parts(usage.input_uncached, usage.input_image, usage.input_audio);
    let (_, read_audio, read) = parts(usage.cache_read, 0, usage.cache_read_audio);
    bill.add(Prompt, text, || prompt)?;
    bill.add(ImageToken, images, || own(ImageToken))?;
    bill.add(Audio, audio, || own(Audio))?;
    bill.add(InputCacheRead, read, || own(InputCacheRead))?;
    bill.add(InputAudioCache, read_audio, || either(InputAudioCache, InputCacheRead))?;
    bill.add(InputCacheWrite, usage.cache_write_5m, || own(InputCacheWrite))?;
    bill.add(InputCacheWrite1h, usage.cache_write_1h, || either(InputCacheWrite1h, InputCacheWrite))
}

fn bill_output(bill: &mut Bill, usage: &Usage, rates: &Rates) -> Result<(), PriceError> {
    use PriceKind::{AudioOutput, Completion, ImageOutput, InternalReasoning};
    let completion = required(rates, Completion)?;
    let own = |kind| rates.get(kind).unwrap_or(completion);
    let apart = || rates.get(InternalReasoning).filter(|rate| !rate.is_zero());
    let (images, audio, rest) = parts(usage.output, usage.output_image, usage.output_audio);
    let reasoning = usage.reasoning.min(rest);
    bill.add(Completion, rest.saturating_sub(reasoning), || completion)?;
    bill.add(ImageOutput, images, || own(ImageOutput))?;
    bill.add(AudioOutput, audio, || own(AudioOutput))?;
    bill.add(InternalReasoning, reasoning, || apart().unwrap_or(completion))
}

fn bill_fees(
    bill: &mut Bill,
    usage: &Usage,
    rates: &Rates,
    requests: u64,
) -> Result<(), PriceError> {
    use PriceKind::{FilePage, Request, SearchUnit, WebFetch, WebSearch};
    for (kind, quantity) in [
        (Request, requests),
        (WebSearch, usage.searches),
        (SearchUnit, usage.search_units),
        (WebFetch, usage.fetches),
        (FilePage, usage.file_pages),
    ] {
        bill.add(kind, quantity, || rates.get(kind).unwrap_or(Rate::ZERO))?;
    }
    Ok(())
}

/// Splits a count into images, audio and the rest, so that the three add up to the whole.
fn parts(whole: u64, images: u64, audio: u64) -> (u64, u64, u64) {
    let images = images.min(whole);
    let rest = whole.saturating_sub(images);
    let audio = audio.min(rest);
    (images, audio, rest.saturating_sub(audio))
}
