use proptest::prelude::*;
use signalbox_core::{PriceTable, Timestamp, Usage, Usd};
use signalbox_ledger::{PriceError, price};

use crate::arbitrary;
use crate::table::{Case, cases, dollars};

fn check(case: &Case) {
    let found = price(&case.usage, &case.table, case.at, case.requests);
    let (total, parts) = match case.expected.split_once(" (") {
        Some((total, parts)) => (total, parts.trim_end_matches(')').split_once(" + ")),
        None => (case.expected.as_str(), None),
    };
    match (found, total) {
        (Ok(cost), total) => {
            assert_eq!(cost.total, dollars(total), "{}", case.line);
            if let Some((prompt, completion)) = parts {
                assert_eq!(cost.prompt, dollars(prompt), "{}", case.line);
                assert_eq!(cost.completion, dollars(completion), "{}", case.line);
            }
        }
        (Err(PriceError::OutOfRange), total) => assert_eq!(total, "out of range", "{}", case.line),
        (Err(PriceError::Missing(kind)), total) => {
            assert_eq!(total, format!("missing {}", kind.name()), "{}", case.line);
        }
    }
}

#[test]
fn prices_follow_the_rules_of_the_table() {
    let cases = cases(include_str!("price/rules.txt"));
    assert!(cases.len() > 50, "{}", cases.len());
    cases.iter().for_each(check);
}

#[test]
fn a_bill_lists_what_was_counted_at_the_price_that_was_taken() {
    let text = "prices prompt=0.5 completion=2 request=3\n\
                use uncached=10 read=4 out=7 reasoning=2 => 24";
    let case = &cases(text)[0];
    let cost = price(&case.usage, &case.table, case.at, 1).unwrap();
    let lines: Vec<String> = cost
        .lines
        .iter()
        .map(|line| format!("{} {} x {}", line.kind.name(), line.quantity, line.rate))
        .collect();
    let expected = [
        "prompt 10 x 0.5",
        "input_cache_read 4 x 0.5",
        "completion 5 x 2",
        "internal_reasoning 2 x 2",
        "request 1 x 3",
    ];
    assert_eq!(lines, expected);
    assert_eq!(cost.total, dollars("24"));
}

/// Adds every one of a usage's counts to another's.
fn both(one: &Usage, other: &Usage) -> Usage {
    Usage {
        input_uncached: one.input_uncached + other.input_uncached,
        cache_read: one.cache_read + other.cache_read,
        cache_write_5m: one.cache_write_5m + other.cache_write_5m,
        cache_write_1h: one.cache_write_1h + other.cache_write_1h,
        output: one.output + other.output,
        searches: one.searches + other.searches,
        search_units: one.search_units + other.search_units,
        fetches: one.fetches + other.fetches,
        file_pages: one.file_pages + other.file_pages,
        ..Usage::default()
    }
}

proptest! {
    #[test]
    fn no_numbers_make_a_negative_cost_or_a_panic(
        table in arbitrary::hostile_table(),
        usage in arbitrary::hostile_usage(),
        at in any::<i64>(),
        requests in any::<u64>(),
    ) {
        if let Ok(cost) = price(&usage, &table, Timestamp::from_micros(at), requests) {
            prop_assert!(cost.total >= Usd::ZERO);
            prop_assert!(!cost.prompt.is_negative() && !cost.completion.is_negative());
            let parts = cost.prompt.checked_add(cost.completion).unwrap();
            prop_assert!(parts <= cost.total);
        }
    }

    #[test]
    fn the_charge_is_the_exact_sum_of_its_lines_rounded_up(
        table in arbitrary::table(),
        usage in arbitrary::usage(300_000, 100_000),
        at in arbitrary::moment(),
    ) {
        let cost = price(&usage, &table, at, 1).unwrap();
        let exact: i128 = cost.lines.iter().map(|l| l.rate.units() * i128::from(l.quantity)).sum();
        let nano = 10_i128.pow(19);
        let charged = i128::from(cost.total.nanos()) * nano;
        prop_assert!(exact <= charged && charged < exact + nano);
        let counted: u64 = cost.lines.iter().map(|line| line.quantity).sum();
        let tools = usage.searches + usage.search_units + usage.fetches + usage.file_pages;
        prop_assert_eq!(counted, usage.prompt() + usage.output + tools + 1);
    }

    #[test]
    fn splitting_a_request_never_makes_it_cheaper(
        rates in arbitrary::rates(),
        one in arbitrary::usage(10_000, 10_000),
        other in arbitrary::usage(10_000, 10_000),
    ) {
        let table = PriceTable { rates, overrides: vec![] };
        let plain = |usage: &Usage| both(usage, &Usage::default());
        let (one, other) = (plain(&one), plain(&other));
        let charge = |usage: &Usage| price(usage, &table, Timestamp::default(), 0).unwrap().total;
        let apart = charge(&one).checked_add(charge(&other)).unwrap();
        prop_assert!(apart >= charge(&both(&one, &other)));
        prop_assert!(apart.nanos() - charge(&both(&one, &other)).nanos() <= 1);
    }
}
