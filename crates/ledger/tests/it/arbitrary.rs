//! Random prices and usage.

use proptest::collection::vec;
use proptest::option;
use proptest::prelude::*;
use signalbox_core::{PriceKind, PriceOverride, PriceTable, Rate, Rates, Timestamp, Usage};

/// From nothing to about $1 a unit, over all magnitudes that are published.
fn rate() -> impl Strategy<Value = Rate> {
    (0_i128..1_000_000, 0_u32..23).prop_map(|(digits, scale)| {
        Rate::from_units(digits * 10_i128.pow(scale)).expect("not negative")
    })
}

fn fill(base: Rates, prices: Vec<Option<Rate>>) -> Rates {
    PriceKind::ALL.into_iter().zip(prices).fold(base, |mut rates, (kind, price)| {
        if let Some(price) = price {
            rates.set(kind, price);
        }
        rates
    })
}

fn some_rates() -> impl Strategy<Value = Rates> {
    vec(option::of(rate()), PriceKind::ALL.len()).prop_map(|prices| fill(Rates::default(), prices))
}

/// Prices that can be billed by: prompt and completion are there.
pub fn rates() -> impl Strategy<Value = Rates> {
    (some_rates(), rate(), rate()).prop_map(|(mut rates, prompt, completion)| {
        rates.set(PriceKind::Prompt, prompt);
        rates.set(PriceKind::Completion, completion);
        rates
    })
}

fn hhmm() -> impl Strategy<Value = u16> {
    (0_u16..=24, 0_u16..60)
        .prop_map(|(hour, minute)| if hour == 24 { 2400 } else { hour * 100 + minute })
}

fn entry() -> impl Strategy<Value = PriceOverride> {
    (option::of(0_u64..300_000), option::of(hhmm()), option::of(hhmm()), some_rates()).prop_map(
        |(min_prompt_tokens, utc_start, utc_end, rates)| PriceOverride {
            min_prompt_tokens,
            utc_start,
            utc_end,
            rates,
        },
    )
}

pub fn table() -> impl Strategy<Value = PriceTable> {
    (rates(), vec(entry(), 0..4)).prop_map(|(rates, overrides)| PriceTable { rates, overrides })
}

pub fn moment() -> impl Strategy<Value = Timestamp> {
    (0_i64..2_000_000_000).prop_map(Timestamp::from_seconds)
}

/// Prices up to the edge of the range, prompt and completion perhaps absent.
pub fn hostile_table() -> impl Strategy<Value = PriceTable> {
    let rate =
        prop_oneof![rate(), (0..=i128::MAX).prop_map(|units| Rate::from_units(units).unwrap())];
    let rates = vec(option::of(rate), PriceKind::ALL.len())
        .prop_map(|prices| fill(Rates::default(), prices));
    (rates, vec(entry(), 0..3)).prop_map(|(rates, overrides)| PriceTable { rates, overrides })
}

pub fn hostile_usage() -> impl Strategy<Value = Usage> {
    let count = || prop_oneof![0_u64..100_000, any::<u64>(), Just(u64::MAX)];
    proptest::array::uniform15(count()).prop_map(spread)
}

fn spread(counts: [u64; 15]) -> Usage {
    let [
        uncached,
        read,
        write,
        write_1h,
        audio,
        image,
        output,
        reasoning,
        out_audio,
        out_image,
        searches,
        search_units,
        read_audio,
        fetches,
        pages,
    ] = counts;
    Usage {
        input_uncached: uncached,
        cache_read: read,
        cache_write_5m: write,
        cache_write_1h: write_1h,
        input_audio: audio,
        input_image: image,
        output,
        reasoning,
        output_audio: out_audio,
        output_image: out_image,
        searches,
        search_units,
        cache_read_audio: read_audio,
        fetches,
        file_pages: pages,
        estimated: false,
    }
}

/// How a usage uses up what it may, in thousandths.
#[derive(Debug, Clone, Copy)]
pub struct Shares {
    input: [u64; 5],
    parts: [u64; 6],
    tools: u64,
}

pub fn shares() -> impl Strategy<Value = Shares> {
    // Often all of it: bounds are met at their edge.
    let share = || prop_oneof![3 => 0_u64..=1000, 1 => Just(1000_u64), 1 => Just(0_u64)];
    let part = || 0_u64..=1500;
    (proptest::array::uniform5(share()), proptest::array::uniform6(part()), 0_u64..=10)
        .prop_map(|(input, parts, tools)| Shares { input, parts, tools })
}

/// Usage with at most this many prompt and output tokens and 10 of anything else; parts may exceed
/// their whole, as hostile providers report them.
pub fn usage_of(shares: &Shares, most_prompt: u64, most_output: u64) -> Usage {
    let part = |whole: u64, share: u64| {
        u64::try_from(u128::from(whole) * u128::from(share) / 1000).unwrap()
    };
    let Shares { input, parts, tools } = *shares;
    let prompt = part(most_prompt, input[4]);
    let read = part(prompt, input[0]);
    let write = part(prompt - read, input[1]);
    let write_1h = part(prompt - read - write, input[2]);
    let uncached = prompt - read - write - write_1h;
    let output = part(most_output, input[3]);
    spread([
        uncached,
        read,
        write,
        write_1h,
        part(uncached, parts[0]),
        part(uncached, parts[1]),
        output,
        part(output, parts[2]),
        part(output, parts[3]),
        part(output, parts[4]),
        tools,
        10 - tools,
        part(read, parts[5]),
        tools / 2,
        10 - tools / 2,
    ])
}

pub fn usage(most_prompt: u64, most_output: u64) -> impl Strategy<Value = Usage> {
    shares().prop_map(move |shares| usage_of(&shares, most_prompt, most_output))
}
