use proptest::collection::vec;
use proptest::prelude::*;
use signalbox_core::{PriceTable, Timestamp, Usage, Usd};
use signalbox_ledger::{Estimate, PriceError, affordable_output, price, upper_bound};

use crate::arbitrary;
use crate::table::{cases, dollars};

/// The price row of a text with a single, empty use.
fn row(prices: &str) -> PriceTable {
    cases(&format!("{prices}\nuse => 0"))[0].table.clone()
}

fn estimate(prompt_tokens: u64, max_output: u64) -> Estimate {
    Estimate { prompt_tokens, max_output, choices: 1, ..Estimate::default() }
}

#[test]
fn the_dearest_way_to_count_a_token_is_held() {
    for (prices, bound) in [
        ("prices prompt=3 completion=15", "45"),
        ("prices prompt=3 completion=15 input_cache_read=0.3", "45"),
        ("prices prompt=3 completion=15 input_cache_write=4", "55"),
        ("prices prompt=3 completion=15 input_cache_write_1h=6", "75"),
        ("prices prompt=3 completion=15 audio=7", "85"),
        ("prices prompt=3 completion=15 image_token=5", "65"),
        ("prices prompt=3 completion=15 internal_reasoning=20", "50"),
        ("prices prompt=3 completion=15 internal_reasoning=0", "45"),
        ("prices prompt=3 completion=15 image_output=30", "60"),
        ("prices prompt=3 completion=15 audio_output=40", "70"),
        ("prices prompt=3 completion=15 request=0.5", "45.5"),
        ("prices prompt=3 completion=15 web_search=2", "49"),
        ("prices prompt=3 completion=15 image=1", "48"),
        ("prices prompt=3 completion=15\nover >9 prompt=5", "65"),
        ("prices prompt=3 completion=15\nover >10 prompt=5", "45"),
        ("prices prompt=3 completion=15\nover >9 prompt=1", "45"),
        ("prices prompt=3 completion=15\nover 0900-1000 completion=17", "47"),
        ("prices prompt=0 completion=0", "0"),
    ] {
        let estimate = Estimate { images: 3, searches: 2, ..estimate(10, 1) };
        assert_eq!(upper_bound(&estimate, &row(prices)).unwrap(), dollars(bound), "{prices}");
    }
}

#[test]
fn every_choice_is_held_and_none_counts_as_one() {
    let table = row("prices prompt=1 completion=10");
    for (choices, bound) in [(0, "21"), (1, "21"), (3, "61")] {
        let estimate = Estimate { choices, ..estimate(1, 2) };
        assert_eq!(upper_bound(&estimate, &table).unwrap(), dollars(bound), "{choices}");
    }
}

#[test]
fn a_product_that_would_wrap_is_refused() {
    let table = row("prices prompt=0.000001 completion=0.000001");
    for estimate in [
        Estimate { choices: 18_446_744_073_686_646_784, ..estimate(1, 4096) },
        estimate(u64::MAX, 1),
        estimate(1, u64::MAX),
    ] {
        assert_eq!(upper_bound(&estimate, &table), Err(PriceError::OutOfRange));
    }
}

#[test]
fn a_row_without_token_prices_has_no_bound() {
    let open = row("prices completion=1\nover >5 prompt=1");
    assert!(matches!(upper_bound(&estimate(10, 1), &open), Err(PriceError::Missing(_))));
    assert!(matches!(
        upper_bound(&estimate(1, 1), &row("prices prompt=1")),
        Err(PriceError::Missing(_))
    ));
    assert_eq!(affordable_output(&estimate(1, 1), &row("prices prompt=1"), dollars("9")), None);
}

#[test]
fn output_is_cut_down_to_what_the_budget_affords() {
    let table = row("prices prompt=1 completion=10 request=0.5");
    for (budget, choices, tokens) in [
        ("0", 1, None),
        ("4.5", 1, None),
        ("14.499999999", 1, None),
        ("14.5", 1, Some(1)),
        ("34.49", 1, Some(2)),
        ("34.5", 1, Some(3)),
        ("34.5", 3, Some(1)),
        ("34.5", 4, None),
        ("-5", 1, None),
    ] {
        let estimate = Estimate { choices, ..estimate(4, 0) };
        assert_eq!(affordable_output(&estimate, &table, dollars(budget)), tokens, "{budget}");
    }
    let free = row("prices prompt=0 completion=0");
    assert_eq!(affordable_output(&estimate(4, 0), &free, Usd::ZERO), Some(u64::MAX));
    let choices = Estimate { choices: 4, ..estimate(4, 0) };
    assert_eq!(affordable_output(&choices, &free, Usd::ZERO), Some(u64::MAX / 4));
}

/// An estimate with usages that it covers, each at a moment.
fn covered() -> impl Strategy<Value = (Estimate, Vec<(Usage, Timestamp)>)> {
    (0_u64..400_000, 0_u64..130_000, 1_u64..5).prop_flat_map(
        |(prompt_tokens, max_output, choices)| {
            let estimate = Estimate {
                prompt_tokens,
                max_output,
                images: 0,
                choices,
                searches: 10,
                search_units: 10,
                fetches: 10,
                file_pages: 10,
            };
            let usage = arbitrary::usage(prompt_tokens, max_output * choices);
            (Just(estimate), vec((usage, arbitrary::moment()), USAGES_PER_ROW))
        },
    )
}

/// With the default of 256 cases, 20,480 charges are compared; `PROPTEST_CASES` scales both laws.
const USAGES_PER_ROW: usize = 8;
const ROWS_PER_CASE: u32 = 10;

fn many() -> ProptestConfig {
    let one = ProptestConfig::default();
    ProptestConfig { cases: one.cases.saturating_mul(ROWS_PER_CASE), ..one }
}

proptest! {
    #![proptest_config(many())]

    #[test]
    fn what_is_held_covers_every_charge(
        (estimate, usages) in covered(),
        table in arbitrary::table(),
    ) {
        let held = upper_bound(&estimate, &table).unwrap();
        for (usage, at) in usages {
            let charge = price(&usage, &table, at, 1).unwrap().total;
            prop_assert!(charge <= held, "{charge} for {usage:?} at {at:?}, held {held}");
        }
    }
}

proptest! {
    #[test]
    fn the_affordable_output_is_the_largest_that_fits(
        prompt_tokens in 0_u64..400_000,
        choices in 1_u64..5,
        table in arbitrary::table(),
        budget in 0_i64..10_000_000_000,
    ) {
        let budget = Usd::from_nanos(budget);
        let with = |max_output| Estimate { prompt_tokens, max_output, images: 2, choices, searches: 1, search_units: 1, fetches: 1, file_pages: 1 };
        let fits = |max_output| upper_bound(&with(max_output), &table).is_ok_and(|held| held <= budget);
        match affordable_output(&with(0), &table, budget) {
            Some(tokens) => {
                prop_assert!(fits(tokens));
                prop_assert!(tokens == u64::MAX / choices || !fits(tokens + 1));
            }
            None => prop_assert!(!fits(1)),
        }
    }
}
