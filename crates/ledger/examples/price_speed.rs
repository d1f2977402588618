//! How long money takes on the road of a request: `cargo run --release -p signalbox-ledger --example
//! price_speed`. `upper_bound` is asked once for each candidate, `price` once for each answer.
//!
//! `--count price` or `--count bound` makes 100,000 calls and nothing else, to be counted by
//! `valgrind --tool=none` or `perf stat`.
#![allow(clippy::unwrap_used, clippy::print_stdout, clippy::disallowed_methods, missing_docs)]

use std::hint::black_box;
use std::time::Instant;

use signalbox_core::{PriceKind, PriceOverride, PriceTable, Rates, Timestamp, Usage};
use signalbox_ledger::{Estimate, affordable_output, price, upper_bound};

const ROUNDS: u32 = 200;
const CALLS: u32 = 2_000;

fn rates(pairs: &[(PriceKind, &str)]) -> Rates {
    pairs.iter().fold(Rates::default(), |mut rates, (kind, text)| {
        rates.set(*kind, text.parse().unwrap());
        rates
    })
}

fn table(steps: usize) -> PriceTable {
    use PriceKind::{Completion, InputCacheRead, InputCacheWrite, Prompt, WebSearch};
    let base = [
        (Prompt, "0.000003"),
        (Completion, "0.000015"),
        (InputCacheRead, "0.0000003"),
        (InputCacheWrite, "0.00000375"),
        (WebSearch, "0.01"),
    ];
    let step = [(Prompt, "0.000006"), (Completion, "0.0000225"), (InputCacheRead, "0.0000006")];
    let entry = PriceOverride {
        min_prompt_tokens: Some(200_000),
        rates: rates(&step),
        ..PriceOverride::default()
    };
    PriceTable { rates: rates(&base), overrides: vec![entry; steps] }
}

/// The fastest round, in picoseconds for one call.
fn time(mut call: impl FnMut()) -> u128 {
    let rounds = (0..ROUNDS).map(|_| {
        let began = Instant::now();
        (0..CALLS).for_each(|_| call());
        began.elapsed().as_nanos() * 1000 / u128::from(CALLS)
    });
    rounds.min().unwrap_or_default()
}

fn main() {
    let usage = Usage {
        input_uncached: 1_234,
        cache_read: 9_000,
        output: 321,
        reasoning: 100,
        ..Usage::default()
    };
    let estimate =
        Estimate { prompt_tokens: 12_000, max_output: 4_096, choices: 1, ..Estimate::default() };
    let now = Timestamp::from_seconds(1_800_000_000);
    let bill = |table: &PriceTable| black_box(price(black_box(&usage), table, now, 1)).is_ok();
    let hold = |table: &PriceTable| black_box(upper_bound(black_box(&estimate), table)).is_ok();
    let mut words = std::env::args().skip_while(|word| word != "--count").skip(1);
    if let Some(what) = words.next() {
        let table = table(1);
        for _ in 0..100_000 {
            let _ = if what == "price" { bill(&table) } else { hold(&table) };
        }
        return;
    }
    for steps in [0, 1, 2] {
        let table = table(steps);
        let budget = "1".parse().unwrap();
        let price = time(|| assert!(bill(&table)));
        let bound = time(|| assert!(hold(&table)));
        let most =
            time(|| assert!(affordable_output(black_box(&estimate), &table, budget).is_some()));
        println!("{steps} steps: price {price} ps, upper_bound {bound} ps, affordable {most} ps");
    }
}
