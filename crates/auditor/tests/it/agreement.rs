//! Two readings of the price rules come to the same amount, on everything.

use proptest::array::uniform15;
use proptest::collection::vec;
use proptest::option;
use proptest::prelude::*;
use signalbox_auditor::GenerationRow;
use signalbox_auditor::recompute::{cost_nanos, is_insured};
use signalbox_core::{
    Discount, PriceKind, PriceOverride, PriceTable, Rate, Rates, Timestamp, Usage, Usd,
};
use signalbox_ledger::{billable, byok_fee, insured, price};

fn rates() -> impl Strategy<Value = Rates> {
    let rate = prop_oneof![
        8 => (0_i128..1_000_000, 0_u32..23).prop_map(|(n, scale)| n * 10_i128.pow(scale)),
        1 => 0..=i128::MAX,
    ];
    vec(option::weighted(0.7, rate), PriceKind::ALL.len()).prop_map(|units| {
        let mut rates = Rates::default();
        for (kind, units) in PriceKind::ALL.into_iter().zip(units) {
            if let Some(rate) = units.and_then(Rate::from_units) {
                rates.set(kind, rate);
            }
        }
        rates
    })
}

fn table() -> impl Strategy<Value = PriceTable> {
    let hhmm = || option::of((0_u16..24, 0_u16..60).prop_map(|(hour, minute)| hour * 100 + minute));
    let entry = (option::of(0_u64..3000), hhmm(), hhmm(), rates()).prop_map(
        |(min_prompt_tokens, utc_start, utc_end, rates)| PriceOverride {
            min_prompt_tokens,
            utc_start,
            utc_end,
            rates,
        },
    );
    (rates(), vec(entry, 0..4)).prop_map(|(rates, overrides)| PriceTable { rates, overrides })
}

fn usage() -> impl Strategy<Value = Usage> {
    let count = prop_oneof![3 => Just(0_u64), 8 => 0_u64..2000, 1 => any::<u64>()];
    uniform15(count).prop_map(|n| Usage {
        input_uncached: n[0],
        cache_read: n[1],
        cache_write_5m: n[2],
        cache_write_1h: n[3],
        input_audio: n[4],
        input_image: n[5],
        output: n[6],
        reasoning: n[7],
        output_audio: n[8],
        output_image: n[9],
        searches: n[10],
        search_units: n[11],
        cache_read_audio: n[12],
        fetches: n[13],
        file_pages: n[14],
        estimated: false,
    })
}

fn finish() -> impl Strategy<Value = Option<&'static str>> {
    prop::sample::select(vec![
        None,
        Some(""),
        Some(" "),
        Some("stop"),
        Some("length"),
        Some("error"),
    ])
}

/// The same prices with thresholds moved to where this usage just reaches them, or just does not.
fn on_the_edge(mut table: PriceTable, nth: u64, usage: &Usage, at: i64) -> PriceTable {
    if let Some(entry) = table.overrides.first_mut() {
        entry.min_prompt_tokens = Some(usage.prompt().saturating_sub(nth % 2));
    }
    if let Some(entry) = table.overrides.last_mut() {
        let clock = Some(Timestamp::from_micros(at).utc_hhmm());
        match nth % 3 {
            0 => entry.utc_start = clock,
            1 => entry.utc_end = clock,
            _ => {}
        }
    }
    table
}

/// With the default of 256 cases 20,480 generations are compared; `PROPTEST_CASES` scales them. Prices
/// are what takes time to make, so that each set of them serves many.
const GENERATIONS_PER_CASE: usize = 80;

/// The fee of an own key in nano-dollars, written apart from the ledger's: due for what is not free of
/// the list price, and rounded up once; stopping at the end of the range.
fn own_key_fee(list: i64, free: i64, bps: u32) -> i64 {
    let list = i128::from(list.max(0));
    let waived = i128::from(free.max(0)).min(list);
    // Rounding towards minus infinity of the negative is rounding up.
    let fee = -(-(list - waived) * i128::from(bps)).div_euclid(10_000);
    i64::try_from(fee).unwrap_or(i64::MAX)
}

proptest! {
    #[test]
    fn two_readings_agree_on_every_fee_of_an_own_key(
        bps in prop_oneof![3 => Just(500_u32), 1 => 0_u32..20_000, 1 => any::<u32>()],
        lists in vec((prop_oneof![0_i64..1_000_000_000, any::<i64>()],
            prop_oneof![0_i64..1_000_000_000, any::<i64>()]), 80),
    ) {
        for (list, free) in lists {
            let found = byok_fee(Usd::from_nanos(list), Usd::from_nanos(free), bps).nanos();
            prop_assert_eq!(found, own_key_fee(list, free, bps), "{} less {}", list, free);
        }
    }

    #[test]
    fn a_discount_leaves_what_plain_division_leaves(
        table in table(),
        parts in -100_000_000_000_i64..1_000_000_000,
    ) {
        let Some(found) = table.discounted(Discount::from_billionths(parts).unwrap()) else {
            return Ok(());
        };
        let mut rows = vec![(&table.rates, &found.rates)];
        for (entry, reduced) in table.overrides.iter().zip(&found.overrides) {
            prop_assert_eq!(&PriceOverride { rates: entry.rates, ..*reduced }, entry);
            rows.push((&entry.rates, &reduced.rates));
        }
        for (kind, (full, left)) in PriceKind::ALL.iter().flat_map(|kind| {
            rows.iter().map(move |(full, left)| (kind, (full.get(*kind), left.get(*kind))))
        }) {
            let left_parts = 1_000_000_000 - i128::from(parts);
            let exact = full.map(|rate| rate.units().checked_mul(left_parts));
            let Some(Some(exact)) = exact else { continue };
            let nearest = exact / 1_000_000_000 + i128::from(exact % 1_000_000_000 > 0);
            prop_assert_eq!(left.map(Rate::units), Some(nearest), "{}", kind.name());
        }
    }
}

proptest! {
    #[test]
    fn the_auditor_and_the_ledger_agree_on_every_cost(
        table in table(),
        usages in vec((usage(), finish(), any::<i64>()), GENERATIONS_PER_CASE),
    ) {
        for (nth, (usage, finish, at)) in (0..).zip(usages) {
            let table = on_the_edge(table.clone(), nth, &usage, at);
            let row = GenerationRow {
                id: String::new(),
                account: String::new(),
                key: String::new(),
                created_at: at,
                finish_reason: finish.map(Into::into),
                usage,
                prices: Some(table.clone()),
                cost: 0,
                byok: None,
                fee_bps: None,
                byok_free: None,
            };
            prop_assert_eq!(is_insured(&row), insured(&usage, finish));
            let (billed, requests) = billable(&usage, finish);
            let charged = price(&billed, &table, Timestamp::from_micros(at), requests);
            let charged = charged.ok().map(|cost| cost.total.nanos());
            prop_assert_eq!(cost_nanos(&row).ok(), charged, "{:?}", row);
        }
    }

    #[test]
    fn they_agree_on_the_fee_on_own_keys(
        list in 0..=i64::MAX,
        free in proptest::option::of(0..=i64::MAX),
        bps in 0_u32..=10_000,
    ) {
        let row = GenerationRow {
            id: String::new(),
            account: String::new(),
            key: String::new(),
            created_at: 0,
            finish_reason: Some("stop".into()),
            usage: Usage::default(),
            prices: None,
            cost: 0,
            byok: Some(list),
            fee_bps: Some(bps),
            byok_free: free,
        };
        let free = Usd::from_nanos(free.unwrap_or(0));
        let fee = byok_fee(Usd::from_nanos(list), free, bps).nanos();
        prop_assert_eq!(cost_nanos(&row).ok(), Some(fee));
    }
}
