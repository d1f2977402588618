//! Any bytes are counts of no more than was held for them, in every dialect and at any prices.
#![no_main]

use libfuzzer_sys::fuzz_target;
use signalbox_core::{PriceKind, PriceTable, Rate, Rates, Timestamp};
use signalbox_dialect::laws::usage::counts_of;
use signalbox_ledger::Estimate;
use signalbox_ledger::laws::charge_stays_within_the_hold;

/// Prices, an estimate and a moment from the first bytes; the rest is the answer.
fn split(bytes: &[u8]) -> Option<(PriceTable, Estimate, Timestamp, &[u8])> {
    let (head, answer) = bytes.split_at_checked(24)?;
    let (prices, sizes) = head.split_at_checked(17)?;
    let rates = PriceKind::ALL.into_iter().zip(prices).filter(|(_, byte)| **byte < 250);
    let rates = rates.fold(Rates::default(), |mut rates, (kind, byte)| {
        let scale = 10_i128.pow(u32::from(byte >> 4));
        rates.set(kind, Rate::from_units(i128::from(byte & 15) * scale * 100_000_000).unwrap());
        rates
    });
    let size = |at: usize| 1_u64 << (sizes[at] & 31);
    let estimate = Estimate {
        prompt_tokens: size(0),
        max_output: size(1),
        images: size(2) & 7,
        choices: size(2) & 127,
        searches: u64::from(sizes[3]),
        search_units: u64::from(sizes[4]),
        fetches: u64::from(sizes[5]),
        file_pages: u64::from(sizes[6]),
    };
    let at = Timestamp::from_seconds(i64::from(sizes[3]) * 600);
    Some((PriceTable { rates, overrides: vec![] }, estimate, at, answer))
}

fuzz_target!(|bytes: &[u8]| {
    let Some((table, estimate, at, answer)) = split(bytes) else { return };
    for usage in counts_of(answer).unwrap() {
        charge_stays_within_the_hold(&usage, &estimate, &table, at).unwrap();
    }
});
