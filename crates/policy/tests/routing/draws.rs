//! The default draw, counted.

use std::collections::HashMap;

use serde_json::json;
use signalbox_policy::health::EndpointHealth;
use signalbox_policy::place::Basis;
use signalbox_policy::{Requirements, plan};

use super::world::{NOW, Past, plain, request, tags, uptime};

/// How often each endpoint is first in so many draws.
fn firsts(
    catalog: &signalbox_catalog::Snapshot,
    asked: &Requirements,
    past: &Past,
    draws: u64,
) -> HashMap<String, f64> {
    let mut first = HashMap::new();
    for dice in 0..draws {
        // The seeds of served requests are random bits; consecutive ones must do too.
        let plan = plan(asked, catalog, past, NOW, dice);
        *first.entry(plan.candidates[0].endpoint.tag.clone()).or_insert(0.0) += 1.0;
    }
    first
}

#[test]
fn g13_first_choices_of_prices_1_2_3_are_36_to_9_to_4() {
    let catalog = plain(&[("a", 1.0), ("b", 2.0), ("c", 3.0)]);
    let asked = request(&catalog, json!({}));
    let first = firsts(&catalog, &asked, &Past::default(), 10_000);
    for (tag, share) in [("a", 36.0 / 49.0), ("b", 9.0 / 49.0), ("c", 4.0 / 49.0)] {
        let (seen, expected) = (first[tag], share * 10_000.0);
        let deviation = (expected * (1.0_f64 - share)).sqrt();
        assert!((seen - expected).abs() < 4.0 * deviation, "{tag}: {seen}, expected {expected}");
    }
}

/// Within 1 % of each share itself, not of the whole. The rarest is drawn about 21,000 times, so that one
/// standard deviation is 0.6 % of its share; the seeds are fixed, so that luck is, too. A weight of
/// 1 / price would miss by a fifth.
#[test]
fn a_hundred_thousand_draws_match_the_weights_within_one_percent_of_each() {
    let prices = [("a", 1.0), ("b", 1.2), ("c", 1.5)];
    let catalog = plain(&prices);
    let asked = request(&catalog, json!({}));
    let total: f64 = prices.iter().map(|(_, price)| 1.0 / (price * price)).sum();
    let first = firsts(&catalog, &asked, &Past::default(), 100_000);
    let plan = plan(&asked, &catalog, &Past::default(), NOW, 0);
    for (tag, price) in prices {
        let expected = 1.0 / (price * price) / total;
        let seen = first[tag] / 100_000.0;
        assert!((seen / expected - 1.0).abs() < 0.01, "{tag}: {seen:.5}, expected {expected:.5}");
        let shown = plan.candidates.iter().find(|one| one.endpoint.tag == tag).unwrap().place.basis;
        let Basis::Drawn { share } = shown else { panic!("{shown:?}") };
        assert!((share - expected).abs() < 1e-9, "{tag}: shown {share}, expected {expected}");
    }
}

#[test]
fn a_recovering_endpoint_has_its_share_of_the_weight() {
    let catalog = plain(&[("a", 1.0), ("b", 1.0)]);
    let asked = request(&catalog, json!({}));
    let share = |health: EndpointHealth| {
        let first = firsts(&catalog, &asked, &Past::of(&[("a", health)]), 20_000);
        first.get("a").copied().unwrap_or(0.0) / 20_000.0
    };
    let ramp = |ramp| share(EndpointHealth { ramp, ..EndpointHealth::default() });
    assert!((ramp(0.25) - 0.2).abs() < 0.015, "0.25 of 1.25");
    assert_eq!(ramp(0.0), 0.0);
    // An endpoint that fails now and then is drawn less, one in a hundred about a fifth less.
    let flaky = share(uptime(99.0));
    assert!((flaky - 0.818 / 1.818).abs() < 0.015, "{flaky}");
}

#[test]
fn free_endpoints_come_first_and_evenly() {
    let catalog = plain(&[("a", 0.0), ("b", 0.0), ("c", 0.001)]);
    let asked = request(&catalog, json!({}));
    let first = firsts(&catalog, &asked, &Past::default(), 10_000);
    assert!(!first.contains_key("c"));
    assert!((first["a"] - 5000.0).abs() < 250.0, "{first:?}");
}

#[test]
fn equal_prices_are_in_the_order_of_the_dice() {
    let catalog = plain(&[("a", 1.0), ("b", 1.0), ("c", 2.0)]);
    let asked = request(&catalog, json!({"sort": "price"}));
    let first = firsts(&catalog, &asked, &Past::default(), 2_000);
    assert!((first["a"] - 1000.0).abs() < 120.0 && first.len() == 2, "{first:?}");
    let twice = |dice| tags(&plan(&asked, &catalog, &Past::default(), NOW, dice));
    assert_eq!(twice(7), twice(7));
}
