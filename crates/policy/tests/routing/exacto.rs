//! Quality before price, for requests with tools and for who asks for it.

use std::collections::HashMap;

use serde_json::{Value, json};
use signalbox_catalog::Snapshot;
use signalbox_policy::health::EndpointHealth;
use signalbox_policy::place::{Basis, Proof, Signal};
use signalbox_policy::preferences::SortBy;
use signalbox_policy::rank::exacto::{Bars, Sample};
use signalbox_policy::{Requirements, explain, plan};

use super::world::{NOW, Past, flat, plain, planned, request, rules, snapshot, tags, with_tools};

fn busy(throughput: f64, faults: u32) -> EndpointHealth {
    EndpointHealth {
        throughput: Some(flat(throughput)),
        requests_30m: 1000,
        tool_requests_2h: 500,
        tool_faults_2h: faults,
        ..EndpointHealth::default()
    }
}

/// The example of these tests. Throughput, tool faults of 500:
///
/// | | a | b | c | d | e | f | g |
/// |---|---|---|---|---|---|---|---|
/// | tokens/s | 100 | 90 | 80 | 70 | 20 | 85 | 95, but few requests |
/// | success | 0.99 | 0.98 | 0.97 | 0.96 | 0.99 | 0.80 | few requests |
///
/// Throughput of a to f: median (80 + 85) / 2 = 82.5; deviations 17.5, 7.5, 2.5, 12.5, 62.5, 2.5, whose
/// median is (7.5 + 12.5) / 2 = 10; sigma 14.826; bar 82.5 - 1.5 × 14.826 = 60.261. So e is poor.
/// Success of a to f: median (0.97 + 0.98) / 2 = 0.975; deviations 0.015, 0.005, 0.005, 0.015, 0.015,
/// 0.175, whose median is 0.015; sigma 0.022239; bar 0.975 - 2 × 0.022239 = 0.930522. So f is poor.
fn example() -> Past {
    Past::of(&[
        ("a", busy(100.0, 5)),
        ("b", busy(90.0, 10)),
        ("c", busy(80.0, 15)),
        ("d", busy(70.0, 20)),
        ("e", busy(20.0, 5)),
        ("f", busy(85.0, 100)),
        ("g", EndpointHealth { requests_30m: 99, tool_requests_2h: 10, ..busy(95.0, 0) }),
    ])
}

fn seven() -> Snapshot {
    plain(&[("e", 0.1), ("f", 0.1), ("g", 0.2), ("a", 1.0), ("b", 2.0), ("c", 3.0), ("d", 4.0)])
}

fn bars<'a>(catalog: &'a Snapshot, past: &Past) -> Bars<'a> {
    let endpoints = catalog.endpoints("acme/m");
    let none = EndpointHealth::default();
    let health = |tag: &str| past.0.get(tag).unwrap_or(&none);
    let samples: Vec<_> = endpoints
        .iter()
        .map(|endpoint| Sample { endpoint, health: health(&endpoint.tag) })
        .collect();
    Bars::of(&samples, endpoints.iter().map(|one| &**one))
}

#[test]
fn tiers_and_statistics_match_the_example_computed_by_hand() {
    let catalog = seven();
    let past = example();
    let bars = bars(&catalog, &past);
    assert!((bars.throughput.unwrap() - 60.261).abs() < 1e-9, "{bars:?}");
    assert!((bars.tools.unwrap() - 0.930_522).abs() < 1e-9, "{bars:?}");
    assert!(bars.live && bars.benchmarks.is_empty());
    let asked = with_tools(request(&catalog, json!({})));
    let mut first = HashMap::<String, u32>::new();
    for dice in 0..200 {
        let plan = plan(&asked, &catalog, &past, NOW, dice);
        let order = tags(&plan);
        let sorted = |from: usize, to: usize| {
            let mut tier = order[from..to].to_vec();
            tier.sort();
            tier
        };
        assert_eq!(sorted(0, 4), ["a", "b", "c", "d"], "proven");
        assert_eq!(order[4], "g", "too little data");
        assert_eq!(sorted(5, 7), ["e", "f"], "poor");
        *first.entry(order[0].clone()).or_default() += 1;
        for one in &plan.candidates {
            let Basis::Exacto { tier, .. } = one.place.basis else { panic!() };
            match one.endpoint.tag.as_str() {
                "e" => assert_eq!(tier, Proof::Poor(Signal::Throughput)),
                "f" => assert_eq!(tier, Proof::Poor(Signal::ToolCalls)),
                "g" => assert_eq!(tier, Proof::Thin { requests: 99, tool_requests: 10 }),
                _ => assert_eq!(tier, Proof::Proven),
            }
        }
    }
    assert!(first["a"] > first["b"] && first["b"] > 0, "a draw by price inside a tier: {first:?}");
}

#[test]
fn g23_tools_ask_for_quality_and_an_explicit_sort_does_not() {
    let catalog = seven();
    let past = example();
    let order = |request: &Requirements| tags(&plan(request, &catalog, &past, NOW, 1));
    let tools = |provider: Value| with_tools(request(&catalog, provider));
    let by_price = ["e", "f", "g", "a", "b", "c", "d"];
    assert!(["e", "f"].contains(&order(&tools(json!({})))[6].as_str()));
    assert!(["e", "f"].contains(&order(&request(&catalog, json!({"sort": "exacto"})))[6].as_str()));
    // Equal prices are in the order of the dice.
    let cheap = order(&tools(json!({"sort": "price"})));
    assert_eq!(cheap[2..], by_price[2..]);
    let mut floor = tools(json!({}));
    floor.models[0].sort = Some(SortBy::Price);
    assert_eq!(order(&floor)[2..], by_price[2..]);
    assert_eq!(order(&tools(json!({"sort": "throughput"}))), ["a", "g", "b", "f", "c", "d", "e"]);
    let mut both = tools(json!({"sort": "throughput"}));
    both.models[0].sort = Some(SortBy::Exacto);
    assert_eq!(order(&both)[0], "a", "an explicit sort beats :exacto");
    assert_eq!(order(&tools(json!({"order": ["f"]})))[0], "f", "an order is an order");
    let plain = request(&catalog, json!({}));
    let plan = plan(&plain, &catalog, &past, NOW, 1);
    assert!(matches!(plan.candidates[0].place.basis, Basis::Drawn { .. }));
}

#[test]
fn g23_a_sort_by_latency_is_a_sort_by_latency() {
    let catalog = plain(&[("a", 1.0), ("b", 2.0), ("c", 3.0)]);
    let late = |millis| EndpointHealth { latency_ms: Some(flat(millis)), ..busy(50.0, 0) };
    let past = Past::of(&[("a", late(900.0)), ("b", late(300.0)), ("c", late(600.0))]);
    let asked = with_tools(request(&catalog, json!({"sort": "latency"})));
    assert_eq!(tags(&plan(&asked, &catalog, &past, NOW, 1)), ["b", "c", "a"]);
}

#[test]
fn g24_with_fewer_than_four_providers_nobody_is_poor() {
    let past = example();
    let catalog = plain(&[("e", 0.1), ("f", 0.1), ("a", 1.0)]);
    let three = bars(&catalog, &past);
    assert_eq!((three.throughput, three.tools), (None, None));
    let asked = with_tools(request(&catalog, json!({})));
    let plan = plan(&asked, &catalog, &past, NOW, 1);
    for one in &plan.candidates {
        assert!(matches!(one.place.basis, Basis::Exacto { tier: Proof::Proven, .. }));
    }
    // Two endpoints of one provider are one provider.
    let twice = plain(&[("e", 0.1), ("f", 0.1), ("a", 1.0), ("a/eu", 1.0)]);
    let mut past = example();
    past.0.insert("a/eu".into(), busy(100.0, 5));
    assert_eq!(bars(&twice, &past).throughput, None);
}

#[test]
fn the_request_does_not_change_who_is_compared() {
    let catalog = seven();
    let asked = with_tools(request(&catalog, json!({"only": ["f", "d"]})));
    let plan = plan(&asked, &catalog, &example(), NOW, 1);
    assert_eq!(tags(&plan), ["d", "f"], "f is poor among all, not among two");
}

#[test]
fn published_figures_speak_while_there_are_too_few_live_ones() {
    let perf = |throughput: f64, requests: u64| {
        let all = |value: f64| json!({"p50": value, "p75": value, "p90": value, "p99": value});
        json!({"perf_30m":
            {"latency": all(1.0), "throughput": all(throughput), "requests": requests}})
    };
    // Median 80, deviations 20, 10, 0, 10, 70, their median 10: the bar is 57.761.
    let catalog = snapshot(&[
        ("a", 1.0, perf(100.0, 500)),
        ("b", 1.0, perf(90.0, 500)),
        ("keyless", 1.0, perf(80.0, 500)),
        ("c", 1.0, perf(70.0, 500)),
        ("d", 0.1, perf(10.0, 500)),
        ("e", 0.1, perf(1.0, 99)),
    ]);
    let found = bars(&catalog, &Past::default());
    assert!((found.throughput.unwrap() - 57.761).abs() < 1e-9 && !found.live, "{found:?}");
    let asked = with_tools(request(&catalog, json!({})));
    let plan = planned(&asked, &catalog);
    assert_eq!(tags(&plan).last().unwrap(), "d");
    let text = plan.candidates.last().unwrap().place.text();
    assert!(text.starts_with("its throughput is far below the median"), "{text}");
    assert_eq!(
        plan.candidates.last().unwrap().place.basis,
        Basis::Exacto { tier: Proof::Poor(Signal::Throughput), share: 1.0 }
    );
}

#[test]
fn benchmark_scores_count_where_four_endpoints_have_one() {
    let score = |score: f64| json!({"scores": [{"benchmark": "gpqa_diamond", "score": score}]});
    let rows = |last: Value| {
        vec![
            ("a", 1.0, score(0.80)),
            ("b", 1.0, score(0.79)),
            ("c", 1.0, score(0.78)),
            ("d", 1.0, score(0.60)),
            ("e", 1.0, last),
        ]
    };
    // With 0.81: median 0.79, deviations 0.01, 0, 0.01, 0.19, 0.02, their median 0.01, so the bar is
    // 0.79 - 2 × 0.014826 = 0.760348.
    let catalog = snapshot(&rows(score(0.81)));
    let found = bars(&catalog, &Past::default());
    assert_eq!(found.benchmarks.len(), 1);
    assert!((found.benchmarks[0].1 - 0.760_348).abs() < 1e-9, "{found:?}");
    let poor = |catalog: &Snapshot| {
        let asked = request(catalog, json!({"sort": "exacto"}));
        let plan = planned(&asked, catalog);
        let is = |one: &&signalbox_policy::Candidate| {
            matches!(one.place.basis, Basis::Exacto { tier: Proof::Poor(Signal::Benchmark), .. })
        };
        let mut poor: Vec<_> =
            plan.candidates.iter().filter(is).map(|one| one.endpoint.tag.clone()).collect();
        poor.sort();
        poor
    };
    assert_eq!(poor(&catalog), ["d"]);
    assert_eq!(poor(&snapshot(&rows(json!({})))), ["d", "e"], "no score where others have one");
    let few = [("a", 1.0, score(0.8)), ("b", 1.0, score(0.1)), ("c", 1.0, score(0.8))];
    assert_eq!(poor(&snapshot(&few)), [""; 0]);
}

#[test]
fn exacto_without_fallbacks_takes_proven_endpoints_only() {
    let catalog = seven();
    let asked = request(&catalog, json!({"sort": "exacto", "allow_fallbacks": false}));
    let plan = signalbox_policy::plan(&asked, &catalog, &example(), NOW, 1);
    let mut proven = tags(&plan);
    proven.sort();
    assert_eq!(proven, ["a", "b", "c", "d"]);
    assert_eq!(rules(&plan)["g"], "allow_fallbacks");
    let nobody = planned(&asked, &catalog);
    assert!(nobody.candidates.is_empty());
    let error = explain::nothing_left(&asked, &nobody, &catalog);
    assert_eq!(error.kind.status(), 404);
    assert!(error.message.contains("not proven yet: 0 requests in 30 min"), "{}", error.message);
    // Tools alone ask for quality too, but not for nothing else.
    let tools = with_tools(request(&catalog, json!({"allow_fallbacks": false})));
    assert_eq!(planned(&tools, &catalog).candidates.len(), 1);
}
