//! Service tiers: only with an opt-in, and flex without a way back.

use serde_json::{Value, json};
use signalbox_catalog::Snapshot;
use signalbox_core::AvailabilityCode;
use signalbox_policy::health::EndpointHealth;
use signalbox_policy::preferences::SortBy;
use signalbox_policy::{Requirements, Tier, TierWish, explain, plan};

use super::world::{NOW, Past, planned, request, rules, snapshot, tags};

fn perf(throughput: f64) -> Value {
    let all = |value: f64| json!({"p50": value, "p75": value, "p90": value, "p99": value});
    json!({"latency": all(100.0), "throughput": all(throughput), "requests": 1000})
}

/// Two default endpoints, two of the priority tier, two of the flex tier.
fn tiered() -> Snapshot {
    snapshot(&[
        ("a", 2.0, json!({"perf_30m": perf(40.0)})),
        ("b", 1.0, json!({"perf_30m": perf(30.0)})),
        ("a/priority", 4.0, json!({"tier": "priority", "perf_30m": perf(80.0)})),
        ("b/priority", 3.0, json!({"tier": "priority", "perf_30m": perf(20.0)})),
        ("a/flex", 1.0, json!({"tier": "flex", "perf_30m": perf(10.0)})),
        ("b/flex", 0.5, json!({"tier": "flex", "perf_30m": perf(5.0)})),
    ])
}

fn with_tier(provider: Value, tier: TierWish) -> Requirements {
    Requirements { tier, ..request(&tiered(), provider) }
}

const PRIORITY: TierWish = TierWish::Tier(Tier::Priority);
const FLEX: TierWish = TierWish::Tier(Tier::Flex);

#[test]
fn g16_a_base_slug_names_regions_and_variants_but_no_tier() {
    let catalog = snapshot(&[
        ("google/us-east5", 1.0, json!({"region": "us-east5"})),
        ("google/turbo", 2.0, json!({})),
        ("google", 3.0, json!({})),
        ("google/flex", 0.5, json!({"tier": "flex"})),
        ("google/us-east5/priority", 4.0, json!({"tier": "priority"})),
    ]);
    let with = |names: Value| {
        let asked = request(&catalog, json!({"sort": "price", "only": names}));
        tags(&planned(&asked, &catalog))
    };
    assert_eq!(with(json!(["google"])), ["google/us-east5", "google/turbo", "google"]);
    assert_eq!(with(json!(["GOOGLE/turbo"])), ["google/turbo"]);
    assert_eq!(with(json!(["google/us-east5"])), ["google/us-east5"]);
    assert_eq!(with(json!(["google/flex"])), ["google/flex"]);
    assert_eq!(with(json!(["google/priority"])), ["google/us-east5/priority"]);
    // The same with a list that is too long to be searched from end to end.
    let mut many: Vec<Value> = (0..20).map(|at| json!(format!("nobody{at}"))).collect();
    many.extend([json!("google/priority"), json!("google")]);
    let long = ["google/us-east5", "google/turbo", "google", "google/us-east5/priority"];
    assert_eq!(with(json!(many)), long);
    let ignoring = request(&catalog, json!({"ignore": ["google"], "only": ["google/flex"]}));
    assert_eq!(tags(&planned(&ignoring, &catalog)), ["google/flex"]);
}

#[test]
fn without_an_opt_in_no_tier_is_used() {
    let catalog = tiered();
    for tier in [TierWish::Unsaid, TierWish::Default] {
        let plan = planned(&with_tier(json!({"sort": "price"}), tier), &catalog);
        assert_eq!(tags(&plan), ["b", "a"]);
        assert_eq!(rules(&plan)["a/flex"], "tier");
    }
    let named = with_tier(json!({"order": ["b/priority", "a"]}), TierWish::Unsaid);
    assert_eq!(tags(&planned(&named, &catalog)), ["b/priority", "a", "b"]);
    let only = with_tier(json!({"only": ["a/flex", "a"], "sort": "price"}), TierWish::Unsaid);
    assert_eq!(tags(&planned(&only, &catalog)), ["a/flex", "a"]);
}

#[test]
fn g35_nitro_admits_the_priority_tier_on_equal_terms() {
    let catalog = tiered();
    let nitro = |provider, tier| {
        let mut asked = with_tier(provider, tier);
        asked.models[0].sort = Some(SortBy::Throughput);
        asked.models[0].admits = Some(Tier::Priority);
        tags(&planned(&asked, &catalog))
    };
    assert_eq!(nitro(json!({}), TierWish::Unsaid), ["a/priority", "a", "b", "b/priority"]);
    assert_eq!(nitro(json!({}), TierWish::Default), ["a", "b"], "the sort remains");
    assert_eq!(nitro(json!({"order": ["b"]}), TierWish::Unsaid), ["b", "a"]);
    let floor = |tier| {
        let mut asked = with_tier(json!({}), tier);
        asked.models[0].sort = Some(SortBy::Price);
        asked.models[0].admits = Some(Tier::Flex);
        tags(&planned(&asked, &catalog))
    };
    let first = floor(TierWish::Unsaid);
    assert_eq!((first[0].as_str(), first[3].as_str(), first.len()), ("b/flex", "a", 4));
    assert_eq!(floor(TierWish::Default), ["b", "a"]);
}

#[test]
fn the_priority_tier_comes_first_and_the_default_tier_is_its_fallback() {
    let catalog = tiered();
    let plan = planned(&with_tier(json!({}), PRIORITY), &catalog);
    assert_eq!(tags(&plan), ["a/priority", "b/priority", "a", "b"]);
    assert!(plan.candidates[1].place.wished_tier && plan.notes.is_empty());
    let sorted = with_tier(json!({"sort": "price"}), PRIORITY);
    assert_eq!(tags(&planned(&sorted, &catalog)), ["b/priority", "a/priority", "b", "a"]);
    let strict = with_tier(json!({"allow_fallbacks": false}), PRIORITY);
    assert_eq!(tags(&planned(&strict, &catalog)), ["a/priority"]);
    // In trouble it goes behind; without fallbacks it is still what was asked for.
    let down = EndpointHealth { outage: true, ..EndpointHealth::default() };
    let past = Past::of(&[("a/priority", down), ("b/priority", down)]);
    let ranked = signalbox_policy::plan(&strict, &catalog, &past, NOW, 1);
    assert_eq!(tags(&ranked), ["a/priority"]);
    let without = with_tier(json!({"only": ["a", "b"]}), PRIORITY);
    assert_eq!(planned(&without, &catalog).notes.len(), 1, "it says that there is none");
}

#[test]
fn g88_flex_never_falls_back_unless_there_is_none() {
    let catalog = tiered();
    let plan_of = |provider| planned(&with_tier(provider, FLEX), &catalog);
    let flex = plan_of(json!({}));
    assert_eq!(tags(&flex), ["b/flex", "a/flex"], "by price");
    assert_eq!(rules(&flex)["a"], "tier");
    assert_eq!(tags(&plan_of(json!({"sort": "throughput"}))), ["a/flex", "b/flex"]);
    // Out of capacity: the error surfaces.
    let wait = |seconds: i64| EndpointHealth {
        cooling_until: Some(NOW.plus_millis(seconds * 1000)),
        ..EndpointHealth::default()
    };
    let asked = with_tier(json!({}), FLEX);
    let past = Past::of(&[("a/flex", wait(7)), ("b/flex", wait(5))]);
    let none = plan(&asked, &catalog, &past, NOW, 1);
    assert!(none.candidates.is_empty());
    let error = explain::nothing_left(&asked, &none, &catalog);
    assert_eq!((error.kind.status(), error.retry_after), (429, Some(5)));
    assert_eq!(error.availability.unwrap().code, AvailabilityCode::CapacityExhausted);
    // No flex endpoint that could be used at all: the normal route, and a word about it.
    let normal = plan_of(json!({"ignore": ["a/flex", "b/flex"]}));
    assert_eq!(tags(&normal), ["b", "a"]);
    assert_eq!(
        normal.notes[0].text(),
        "service_tier: acme/m has no flex endpoint that can be used; the default tier answers"
    );
}
