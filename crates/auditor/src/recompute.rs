//! What a stored generation should have cost, computed from its row alone.
//!
//! This is a second reading of inference spec A.4 and 18.2, written apart from the ledger's on
//! purpose: prices are looked up kind by kind, from the last matching override backwards.

use signalbox_core::{PriceKind, PriceOverride, PriceTable, Usage};

use crate::row::GenerationRow;

/// 10⁻²⁸ USD in one nano-dollar.
const UNITS_PER_NANO: i128 = 10_i128.pow(19);

/// Why a stored generation can't be priced.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Unpriceable {
    /// Its price row has no price for prompt or completion tokens.
    NoPrice(PriceKind),
    /// The result is beyond an `i64` of nano-dollars.
    TooLarge,
}

/// Whether the tokens are free: an error, or no output and no finish reason (spec 18.2).
#[must_use]
pub fn is_insured(generation: &GenerationRow) -> bool {
    let reason = generation.finish_reason.as_deref().unwrap_or_default().trim();
    reason == "error" || (reason.is_empty() && generation.usage.output == 0)
}

/// The cost in nano-dollars before it is cut down to what was held; 0 without a price row. With the
/// caller's own provider key it is the fee on the list price, rounded up once. An insured
/// generation costs what tools did alone, at the prices of a request without a prompt.
///
/// # Errors
/// When the price row is not complete or the cost is beyond the range.
pub fn cost_nanos(generation: &GenerationRow) -> Result<i64, Unpriceable> {
    if let Some(list) = generation.byok {
        let charged = list.max(0).saturating_sub(generation.byok_free.unwrap_or(0).max(0));
        return byok_fee(charged, generation.fee_bps.unwrap_or(0));
    }
    Ok(list_nanos(generation)?.unwrap_or(0))
}

/// What the stored usage costs at the stored prices, whoever paid for it; `None` without a price row.
///
/// # Errors
/// As [`cost_nanos`].
pub fn list_nanos(generation: &GenerationRow) -> Result<Option<i64>, Unpriceable> {
    let Some(table) = &generation.prices else { return Ok(None) };
    let insured = is_insured(generation);
    let prices = Prices::of(table, generation);
    let mut units = tool_units(&generation.usage, &prices)?;
    let prompt = prices.needed(PriceKind::Prompt)?;
    let completion = prices.needed(PriceKind::Completion)?;
    if !insured {
        let rows = [
            prices.or_free(PriceKind::Request).of(1)?,
            prices.or_free(PriceKind::SearchUnit).of(generation.usage.search_units)?,
            prompt_units(&generation.usage, &prices, prompt)?,
            completion_units(&generation.usage, &prices, completion)?,
        ];
        for row in rows {
            units = units.checked_add(row).ok_or(Unpriceable::TooLarge)?;
        }
    }
    let up = i128::from(units % UNITS_PER_NANO != 0);
    i64::try_from(units / UNITS_PER_NANO + up).map(Some).map_err(|_| Unpriceable::TooLarge)
}

/// So many hundredths of a percent of a list price, rounded up.
fn byok_fee(list: i64, bps: u32) -> Result<i64, Unpriceable> {
    let parts = i128::from(list.max(0)) * i128::from(bps);
    let up = i128::from(parts % 10_000 != 0);
    i64::try_from(parts / 10_000 + up).map_err(|_| Unpriceable::TooLarge)
}

/// One price in 10⁻²⁸ USD.
#[derive(Clone, Copy)]
struct Price(i128);

impl Price {
    fn of(self, quantity: u64) -> Result<i128, Unpriceable> {
        self.0.checked_mul(i128::from(quantity)).ok_or(Unpriceable::TooLarge)
    }
}

/// The price row with the overrides that hold for this generation.
struct Prices<'a> {
    table: &'a PriceTable,
    matching: Vec<&'a PriceOverride>,
}

impl<'a> Prices<'a> {
    fn of(table: &'a PriceTable, generation: &GenerationRow) -> Self {
        let usage = if is_insured(generation) { Usage::default() } else { generation.usage };
        // Counts beyond all counting stop at the end of the range, as they do where they are read.
        let prompt = [usage.cache_read, usage.cache_write_5m, usage.cache_write_1h]
            .into_iter()
            .fold(usage.input_uncached, u64::saturating_add);
        let minute = generation.created_at.div_euclid(60_000_000).rem_euclid(24 * 60);
        let clock = minute / 60 * 100 + minute % 60;
        let holds = |entry: &&PriceOverride| {
            entry.min_prompt_tokens.is_none_or(|least| prompt > least)
                && is_open(entry.utc_start, entry.utc_end, clock)
        };
        Self { table, matching: table.overrides.iter().filter(holds).collect() }
    }

    fn find(&self, kind: PriceKind) -> Option<Price> {
        let late = self.matching.iter().rev().find_map(|entry| entry.rates.get(kind));
        late.or_else(|| self.table.rates.get(kind)).map(|rate| Price(rate.units()))
    }

    fn needed(&self, kind: PriceKind) -> Result<Price, Unpriceable> {
        self.find(kind).ok_or(Unpriceable::NoPrice(kind))
    }

    fn or_free(&self, kind: PriceKind) -> Price {
        self.find(kind).unwrap_or(Price(0))
    }
}

/// Whether a daily window is open: start included, end not, past midnight when the end is smaller.
fn is_open(start: Option<u16>, end: Option<u16>, clock: i64) -> bool {
    let (start, end) = (i64::from(start.unwrap_or(0)), i64::from(end.unwrap_or(2400)));
    if end < start {
        return !(end..start).contains(&clock);
    }
    (start..end).contains(&clock)
}

/// Searches, fetches and pages: paid for even when the answer is free.
fn tool_units(usage: &Usage, prices: &Prices<'_>) -> Result<i128, Unpriceable> {
    sum([
        prices.or_free(PriceKind::WebSearch).of(usage.searches)?,
        prices.or_free(PriceKind::WebFetch).of(usage.fetches)?,
        prices.or_free(PriceKind::FilePage).of(usage.file_pages)?,
    ])
}

fn prompt_units(usage: &Usage, prices: &Prices<'_>, text: Price) -> Result<i128, Unpriceable> {
    let write = prices.find(PriceKind::InputCacheWrite).unwrap_or(text);
    let images = usage.input_image.min(usage.input_uncached);
    let audio = usage.input_audio.min(usage.input_uncached - images);
    let read = prices.find(PriceKind::InputCacheRead).unwrap_or(text);
    let read_audio = usage.cache_read_audio.min(usage.cache_read);
    sum([
        text.of(usage.input_uncached - images - audio)?,
        prices.find(PriceKind::ImageToken).unwrap_or(text).of(images)?,
        prices.find(PriceKind::Audio).unwrap_or(text).of(audio)?,
        read.of(usage.cache_read - read_audio)?,
        prices.find(PriceKind::InputAudioCache).unwrap_or(read).of(read_audio)?,
        write.of(usage.cache_write_5m)?,
        prices.find(PriceKind::InputCacheWrite1h).unwrap_or(write).of(usage.cache_write_1h)?,
    ])
}

fn completion_units(usage: &Usage, prices: &Prices<'_>, text: Price) -> Result<i128, Unpriceable> {
    let images = usage.output_image.min(usage.output);
    let audio = usage.output_audio.min(usage.output - images);
    let thought = usage.reasoning.min(usage.output - images - audio);
    let thinking = prices.find(PriceKind::InternalReasoning).filter(|price| price.0 > 0);
    sum([
        text.of(usage.output - images - audio - thought)?,
        prices.find(PriceKind::ImageOutput).unwrap_or(text).of(images)?,
        prices.find(PriceKind::AudioOutput).unwrap_or(text).of(audio)?,
        thinking.unwrap_or(text).of(thought)?,
    ])
}

fn sum<const N: usize>(parts: [i128; N]) -> Result<i128, Unpriceable> {
    parts.into_iter().try_fold(0_i128, i128::checked_add).ok_or(Unpriceable::TooLarge)
}
