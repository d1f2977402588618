//! What is held covers what is charged, whoever of the candidates answers and whoever pays.

use proptest::collection::vec;
use proptest::option;
use proptest::prelude::*;
use signalbox_core::{Discount, PriceTable, Timestamp, Usd, limits};
use signalbox_ledger::{Estimate, Fit, Offer, OwnKey, billable, byok_fee, fit, price, upper_bound};

use crate::arbitrary::{self, Shares, moment, shares};
use crate::table::{cases, dollars};

/// With the default of 256 cases 20,480 requests are tried; `PROPTEST_CASES` scales them. Prices are
/// what takes time to make, so that each set of them serves several requests.
const SETS_PER_CASE: u32 = 8;
const REQUESTS_PER_SET: usize = 10;

fn many() -> ProptestConfig {
    let one = ProptestConfig::default();
    ProptestConfig { cases: one.cases.saturating_mul(SETS_PER_CASE), ..one }
}

/// What one endpoint sells at.
#[derive(Debug, Clone)]
struct Seller {
    prices: PriceTable,
    own_key: Option<OwnKey>,
}

/// What a request is: what each of its candidates may consume, and what there is to pay for it.
#[derive(Debug, Clone)]
struct Request {
    estimates: [Estimate; 3],
    /// Whether it has no `max_tokens`.
    open_ended: bool,
    budget: Usd,
    answers: Vec<Answer>,
}

/// What one answer uses of what it may.
#[derive(Debug, Clone)]
struct Answer {
    shares: Shares,
    finish: Option<&'static str>,
    at: Timestamp,
}

fn own_key() -> impl Strategy<Value = OwnKey> {
    let basis_points = prop_oneof![3 => Just(500_u32), 1 => 0_u32..20_000];
    let amount = || (0_i64..5_000_000_000).prop_map(Usd::from_nanos);
    let free = prop_oneof![Just(Usd::ZERO), Just(Usd::MAX), amount()];
    let together = prop_oneof![3 => Just(Usd::MAX), 1 => amount()];
    (basis_points, free, together).prop_map(|(basis_points, free, together)| OwnKey {
        basis_points,
        free,
        together,
    })
}

fn seller() -> impl Strategy<Value = Seller> {
    let discount = prop_oneof![
        2 => Just(Discount::NONE),
        2 => Just(Discount::DATA_SHARING),
        1 => (-2_000_000_000_i64..1_000_000_000)
            .prop_map(|parts| Discount::from_billionths(parts).unwrap()),
    ];
    (arbitrary::table(), discount, option::weighted(0.3, own_key())).prop_map(
        |(table, discount, own_key)| Seller {
            prices: table.discounted(discount).unwrap(),
            own_key,
        },
    )
}

fn estimate() -> impl Strategy<Value = Estimate> {
    (0_u64..400_000, 0_u64..130_000, 0_u64..9).prop_map(|(prompt_tokens, max_output, choices)| {
        Estimate {
            prompt_tokens,
            max_output,
            choices,
            images: 3,
            searches: 10,
            search_units: 10,
            fetches: 10,
            file_pages: 10,
        }
    })
}

fn request() -> impl Strategy<Value = Request> {
    // Balances of every size: most prices here are far below a dollar a token.
    let budget = (0_i64..1000, 0_u32..16)
        .prop_map(|(digits, scale)| Usd::from_nanos(digits.saturating_mul(10_i64.pow(scale))));
    let estimates = proptest::array::uniform3(estimate());
    (estimates, any::<bool>(), budget, vec(answer(), 2)).prop_map(
        |(estimates, open_ended, budget, answers)| Request {
            estimates,
            open_ended,
            budget,
            answers,
        },
    )
}

fn answer() -> impl Strategy<Value = Answer> {
    let finish = prop::sample::select(vec![None, Some(""), Some("stop"), Some("error")]);
    (shares(), finish, moment()).prop_map(|(shares, finish, at)| Answer { shares, finish, at })
}

fn offer<'a>(request: &Request, estimate: Estimate, seller: &'a Seller) -> Offer<'a> {
    Offer {
        estimate,
        prices: &seller.prices,
        open_ended: request.open_ended,
        own_key: seller.own_key,
    }
}

/// What an answer within the fit is charged, and what it would have cost at list prices.
fn charged(seller: &Seller, fit: &Fit, answer: &Answer) -> (Usd, Usd) {
    let most = fit.estimate.max_output.saturating_mul(fit.estimate.choices.max(1));
    let usage = arbitrary::usage_of(&answer.shares, fit.estimate.prompt_tokens, most);
    let (billed, requests) = billable(&usage, answer.finish);
    let list = price(&billed, &seller.prices, answer.at, requests).unwrap().total;
    // Of the allowance no more is used than was held, which is what the fit was told.
    let fee = |own: OwnKey| byok_fee(list, own.free.min(list), own.basis_points);
    (seller.own_key.map_or(list, fee), list)
}

proptest! {
    #![proptest_config(many())]

    #[test]
    fn no_candidate_charges_more_than_what_was_held_for_the_dearest(
        sellers in vec(seller(), 1..4),
        requests in vec(request(), REQUESTS_PER_SET),
    ) {
        for request in requests {
            let offers: Vec<Offer<'_>> = sellers
                .iter()
                .zip(request.estimates)
                .map(|(seller, estimate)| offer(&request, estimate, seller))
                .collect();
            let fits: Vec<Option<Fit>> =
                offers.iter().map(|offer| fit(offer, request.budget)).collect();
            let held = fits.iter().flatten().map(|fit| fit.amount).max();
            for ((seller, offer), found) in sellers.iter().zip(&offers).zip(&fits) {
                let Some(found) = found else {
                    prop_assert!(!affordable(offer, request.budget), "{offer:?} was left out");
                    continue;
                };
                prop_assert!(found.amount <= request.budget && Some(found.amount) <= held);
                prop_assert_eq!(found.clamped, found.estimate != offer.estimate);
                for answer in &request.answers {
                    let (charge, list) = charged(seller, found, answer);
                    prop_assert!(charge <= found.amount, "{charge} of {found:?} for {answer:?}");
                    prop_assert!(list <= found.list_price);
                    let together = charge.saturating_add(list);
                    let most = seller.own_key.map_or(Usd::MAX, |own| own.together);
                    prop_assert!(seller.own_key.is_none() || together <= most);
                }
                prop_assert!(!found.clamped || is_longest(offer, found, request.budget));
            }
        }
    }
}

/// Whether an output that the budget limits is worth starting for, and one token more would not fit.
fn is_longest(offer: &Offer<'_>, found: &Fit, budget: Usd) -> bool {
    let mut longer = found.estimate;
    longer.max_output += 1;
    let longer = Offer { estimate: longer, open_ended: false, ..*offer };
    let worth = found.estimate.max_output >= limits::MIN_AFFORDABLE_OUTPUT;
    offer.open_ended && worth && fit(&longer, budget).is_none()
}

/// Whether the budget pays for the whole estimate, or at least for a short answer if that may be.
fn affordable(offer: &Offer<'_>, budget: Usd) -> bool {
    let mut estimate = offer.estimate;
    if offer.open_ended {
        estimate.max_output = estimate.max_output.min(limits::MIN_AFFORDABLE_OUTPUT);
    }
    let Ok(list) = upper_bound(&estimate, offer.prices) else { return false };
    let Some(own) = offer.own_key else { return list <= budget };
    let fee = own.fee(list);
    fee <= budget && fee.saturating_add(list) <= own.together
}

/// One candidate with these prices: a prompt of 10 tokens, and 100 of output at most.
fn fitted(prices: &str, open_ended: bool, own_key: Option<OwnKey>, budget: &str) -> Option<Fit> {
    let table = cases(&format!("{prices}\nuse => 0"))[0].table.clone();
    let estimate =
        Estimate { prompt_tokens: 10, max_output: 100, choices: 1, ..Estimate::default() };
    let offer = Offer { estimate, prices: &table, open_ended, own_key };
    fit(&offer, dollars(budget))
}

#[test]
fn a_budget_sets_the_limit_that_the_caller_did_not() {
    let prices = "prices prompt=1 completion=2";
    for (budget, open_ended, expected) in [
        ("210", true, Some((100, "210"))),
        ("210", false, Some((100, "210"))),
        ("209.999999999", false, None),
        ("209.999999999", true, Some((99, "208"))),
        ("42", true, Some((16, "42"))),
        ("41.9", true, None),
        ("9", true, None),
        ("-1", true, None),
    ] {
        let found = fitted(prices, open_ended, None, budget);
        let found = found.map(|fit| (fit.estimate.max_output, fit.amount));
        let expected = expected.map(|(most, held)| (most, dollars(held)));
        assert_eq!(found, expected, "{budget} {open_ended}");
    }
}

#[test]
fn use_of_an_own_key_holds_the_fee_alone() {
    let prices = "prices prompt=1 completion=2";
    let own = OwnKey { basis_points: 500, free: Usd::ZERO, together: Usd::MAX };
    for (budget, expected) in [
        ("10.5", Some((100, "10.5", "210"))),
        ("10.4", Some((99, "10.4", "208"))),
        ("2.1", Some((16, "2.1", "42"))),
        ("2.09", None),
    ] {
        let found = fitted(prices, true, Some(own), budget);
        let found = found.map(|fit| (fit.estimate.max_output, fit.amount, fit.list_price));
        let expected = expected.map(|(most, held, list)| (most, dollars(held), dollars(list)));
        assert_eq!(found, expected, "{budget}");
    }
    let free = OwnKey { basis_points: 0, ..own };
    assert_eq!(fitted(prices, true, Some(free), "0").unwrap().amount, Usd::ZERO);
    let free = OwnKey { free: Usd::MAX, ..own };
    assert_eq!(fitted(prices, true, Some(free), "0").unwrap().amount, Usd::ZERO);
    let partly = OwnKey { free: dollars("110"), ..own };
    let found = fitted(prices, true, Some(partly), "5").unwrap();
    assert_eq!((found.amount, found.list_price), (dollars("5"), dollars("210")));
    // A limit that counts both is the tighter one.
    let limited = OwnKey { together: dollars("44.1"), ..own };
    let found = fitted(prices, true, Some(limited), "99").unwrap();
    assert_eq!((found.estimate.max_output, found.list_price), (16, dollars("42")));
}

#[test]
fn a_row_that_cannot_be_priced_fits_no_budget() {
    for prices in [
        "prices prompt=1",
        "prices completion=1",
        "prices request=1",
        "prices prompt=1\nover >5 completion=1",
        "prices prompt=1000000000 completion=1",
    ] {
        for open_ended in [false, true] {
            assert_eq!(fitted(prices, open_ended, None, "9223372036"), None, "{prices}");
        }
    }
}
