//! The costs of 94 recorded answers, from the embedded catalogue's prices by way of the usage readers.

use std::collections::HashSet;

use signalbox_catalog::{ConfiguredCatalogue, Snapshot};
use signalbox_core::rate::ceil_to_nanos;
use signalbox_core::{PriceKind, PriceTable, Rate, Timestamp};
use signalbox_dialect::openai_chat::usage::read_usage;
use signalbox_ledger::{Cost, price};

use crate::table::rates;

/// Those that cannot be reproduced; docs/prices.md has the reasons.
const UNLIKE: [u32; 2] = [3, 17];
/// Those whose prices are not, or not all, in the catalogue; docs/prices.md says whence they are.
const FROM_ELSEWHERE: [u32; 4] = [4, 5, 8, 82];

struct Recorded<'a> {
    number: u32,
    model: &'a str,
    tag: &'a str,
    created: i64,
    cost: &'a str,
    parts: [&'a str; 2],
    usage: &'a str,
    remark: &'a str,
}

fn recorded() -> Vec<Recorded<'static>> {
    let text = include_str!("cost_cases/cases.txt");
    let lines = text.lines().filter(|line| !line.starts_with('#'));
    let read = |line: &'static str| {
        let mut words = line.splitn(8, ' ');
        let mut next = || words.next().unwrap();
        let (number, model, tag) = (next().parse().unwrap(), next(), next());
        let (created, cost, parts) = (next().parse().unwrap(), next(), [next(), next()]);
        let rest = next();
        let (usage, remark) = rest.split_at(rest.rfind('}').unwrap() + 1);
        Recorded { number, model, tag, created, cost, parts, usage, remark: remark.trim() }
    };
    lines.map(read).collect()
}

/// The prices that a case is computed by.
fn prices(snapshot: &Snapshot, case: &Recorded<'_>) -> PriceTable {
    let listed = || {
        let of_model = snapshot.endpoints(case.model).iter();
        let mut at_tag = of_model.filter(|one| one.tag == case.tag);
        at_tag.next().unwrap_or_else(|| panic!("{}: {}", case.model, case.tag)).prices.clone()
    };
    match case.remark.split_once(' ') {
        Some(("prices", pairs)) => PriceTable { rates: rates(pairs.split(' ')), overrides: vec![] },
        Some(("plus", pairs)) => {
            let mut table = listed();
            table.rates = table.rates.overlaid(&rates(pairs.split(' ')));
            table
        }
        _ => listed(),
    }
}

/// The exact sum of the lines of these kinds, in units of 10⁻²⁸ USD.
fn units(cost: &Cost, of: impl Fn(PriceKind) -> bool) -> i128 {
    let lines = cost.lines.iter().filter(|line| of(line.kind));
    lines.map(|line| line.rate.times(line.quantity).unwrap()).sum()
}

fn is_input(kind: PriceKind) -> bool {
    use PriceKind::{InputCacheRead, InputCacheWrite, Prompt};
    matches!(kind, Prompt | InputCacheRead | InputCacheWrite)
}

fn is_output(kind: PriceKind) -> bool {
    use PriceKind::{Completion, ImageOutput, InternalReasoning};
    matches!(kind, Completion | ImageOutput | InternalReasoning)
}

/// Whether an exact sum is the reported number. One with more than fifteen digits is a double that was
/// added up, and told apart from others only so far.
fn is_reported(exact: i128, reported: &str) -> bool {
    let told = reported.parse::<Rate>().unwrap().units();
    let digits = reported.replace('.', "").trim_start_matches('0').trim_end_matches('0').len();
    let noise = if digits > 15 { told / 10_i128.pow(15) } else { 0 };
    (exact - told).abs() <= noise
}

#[test]
fn recorded_costs_come_out_of_the_catalogue() {
    let keys = HashSet::new();
    let rows = Snapshot::embedded().unwrap();
    let snapshot = Snapshot::build(rows, ConfiguredCatalogue::default(), &keys).unwrap();
    let documented = include_str!("../../../../docs/prices.md");
    let (mut unlike, mut elsewhere) = (vec![], vec![]);
    let cases = recorded();
    for case in &cases {
        let name = format!("{} {} at {}", case.number, case.model, case.tag);
        let table = prices(&snapshot, case);
        let usage = read_usage(case.usage).unwrap_or_else(|| panic!("{name}")).usage;
        let cost = price(&usage, &table, Timestamp::from_seconds(case.created), 1).unwrap();
        let exact = units(&cost, |_| true);
        assert_eq!(ceil_to_nanos(exact), Some(cost.total), "{name}");
        let same = is_reported(exact, case.cost);
        match case.remark.split_once(' ') {
            Some(("unlike", ours)) => {
                unlike.push(case.number);
                assert!(!same && is_reported(exact, ours), "{name}: ours is {}", cost.total);
            }
            remark => {
                assert!(same, "{name}: {} is not {}", cost.total, case.cost);
                let parts = [units(&cost, is_input), units(&cost, is_output)];
                for (exact, told) in parts.into_iter().zip(case.parts) {
                    assert!(told == "-" || is_reported(exact, told), "{name}: {told}");
                }
                elsewhere.extend(remark.map(|_| case.number));
            }
        }
        let told = documented.contains(&format!("\n| {} | `{}` |", case.number, case.model));
        assert_eq!(told, !case.remark.is_empty(), "{name}: its row of docs/prices.md");
    }
    assert_eq!((cases.len(), unlike, elsewhere), (94, UNLIKE.to_vec(), FROM_ELSEWHERE.to_vec()));
}
