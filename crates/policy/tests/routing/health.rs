//! What the recent past does to a plan: it moves endpoints, and only a cool-down removes one.

use serde_json::json;
use signalbox_policy::health::{EndpointHealth, Standing};
use signalbox_policy::place::{Demotion, Measured};
use signalbox_policy::plan;

use super::world::{NOW, Past, flat, plain, request, snapshot, tags, uptime};

fn outage() -> EndpointHealth {
    EndpointHealth { outage: true, ..EndpointHealth::default() }
}

#[test]
fn g14_an_outage_puts_even_the_cheapest_last() {
    let catalog = plain(&[("a", 1.0), ("b", 2.0), ("c", 3.0)]);
    for provider in [json!({}), json!({"sort": "price"}), json!({"order": ["a"]})] {
        let asked = request(&catalog, provider.clone());
        for dice in 0..50 {
            let plan = plan(&asked, &catalog, &Past::of(&[("a", outage())]), NOW, dice);
            assert_eq!(tags(&plan)[2], "a", "{provider}");
            assert!(plan.candidates[2].place.demotions.contains(Demotion::Outage));
        }
    }
}

#[test]
fn g27_uptime_below_95_goes_behind_and_below_80_last() {
    let catalog = plain(&[("a", 1.0), ("b", 2.0), ("c", 3.0), ("d", 4.0), ("e", 5.0)]);
    let past = Past::of(&[
        ("a", uptime(79.9)),
        ("b", uptime(90.0)),
        ("c", uptime(80.0)),
        ("d", uptime(95.0)),
    ]);
    let asked = request(&catalog, json!({"sort": "price"}));
    assert_eq!(tags(&plan(&asked, &catalog, &past, NOW, 1)), ["d", "e", "b", "c", "a"]);
    // Nothing is said of fewer than a hundred requests: the windows are empty then.
    assert_eq!(tags(&plan(&asked, &catalog, &Past::default(), NOW, 1)), ["a", "b", "c", "d", "e"]);
}

#[test]
fn the_shortest_window_with_figures_decides() {
    let catalog = plain(&[("a", 1.0), ("b", 2.0)]);
    let asked = request(&catalog, json!({"sort": "price"}));
    let recovered = EndpointHealth {
        uptime_5m: Some(99.9),
        uptime_30m: Some(60.0),
        uptime_1d: Some(90.0),
        ..EndpointHealth::default()
    };
    let failing = EndpointHealth { uptime_5m: Some(50.0), ..recovered };
    let quiet = EndpointHealth { uptime_5m: None, ..recovered };
    for (past, first) in [(recovered, "a"), (failing, "b"), (quiet, "b")] {
        let plan = plan(&asked, &catalog, &Past::of(&[("a", past)]), NOW, 1);
        assert_eq!(tags(&plan)[0], first, "{past:?}");
    }
}

#[test]
fn the_graver_the_trouble_the_farther_back() {
    let catalog = snapshot(&[
        ("ejected", 1.0, json!({})),
        ("outage", 2.0, json!({})),
        ("down", 3.0, json!({})),
        ("degraded", 4.0, json!({})),
        ("deranked", 5.0, json!({"deranked": true})),
        ("slow", 6.0, json!({})),
        ("fit", 7.0, json!({})),
        ("probed", 8.0, json!({})),
    ]);
    let fast = EndpointHealth { throughput: Some(flat(90.0)), ..EndpointHealth::default() };
    let with = |health: EndpointHealth| EndpointHealth { throughput: fast.throughput, ..health };
    let until = NOW.plus_millis(1);
    let past = Past::of(&[
        ("ejected", with(EndpointHealth { standing: Standing::Ejected { until }, ..fast })),
        ("outage", with(outage())),
        ("down", with(uptime(10.0))),
        ("degraded", with(uptime(94.0))),
        ("deranked", fast),
        ("fit", fast),
        ("probed", EndpointHealth { standing: Standing::HalfOpen, ramp: 0.0, ..fast }),
    ]);
    let asked = request(&catalog, json!({"sort": "price", "preferred_min_throughput": 50}));
    let plan = plan(&asked, &catalog, &past, NOW, 1);
    assert_eq!(
        tags(&plan),
        ["fit", "probed", "slow", "deranked", "degraded", "down", "outage", "ejected"]
    );
    assert!(plan.candidates[1].place.half_open, "in its usual place");
    assert!(plan.excluded.is_empty(), "trouble removes nobody");
}

#[test]
fn live_figures_beat_the_catalogues() {
    let all = |value: f64| json!({"p50": value, "p75": value, "p90": value, "p99": value});
    let perf = |latency: f64, throughput: f64| {
        json!({"perf_30m":
            {"latency": all(latency), "throughput": all(throughput), "requests": 500}})
    };
    let catalog = snapshot(&[("a", 1.0, perf(100.0, 90.0)), ("b", 2.0, perf(200.0, 50.0))]);
    let measured = EndpointHealth {
        latency_ms: Some(flat(900.0)),
        throughput: Some(flat(10.0)),
        ..EndpointHealth::default()
    };
    let past = Past::of(&[("a", measured)]);
    for provider in [
        json!({"sort": "throughput"}),
        json!({"sort": "latency"}),
        json!({"sort": "price", "preferred_min_throughput": 40}),
        json!({"sort": "price", "preferred_max_latency": {"p99": 0.5}}),
    ] {
        let asked = request(&catalog, provider.clone());
        let plain = plan(&asked, &catalog, &Past::default(), NOW, 1);
        assert_eq!(tags(&plain), ["a", "b"], "{provider}");
        let ranked = plan(&asked, &catalog, &past, NOW, 1);
        assert_eq!(tags(&ranked), ["b", "a"], "{provider}");
        let figures = ranked.candidates[1].place.figures;
        assert_eq!(figures.throughput, Some(Measured { value: 10.0, live: true }));
        assert_eq!(
            ranked.candidates[0].place.figures.latency_ms,
            Some(Measured { value: 200.0, live: false })
        );
    }
}

#[test]
fn the_conversations_endpoint_comes_first_while_it_is_fit() {
    let catalog = plain(&[("a", 1.0), ("b", 2.0), ("c", 3.0)]);
    let id = catalog.endpoints("acme/m").iter().find(|one| one.tag == "c").unwrap().id.clone();
    let with = |provider| {
        let mut asked = request(&catalog, provider);
        asked.sticky = Some(id.as_str().into());
        asked
    };
    let order = |provider, past: &Past| tags(&plan(&with(provider), &catalog, past, NOW, 1));
    let sorted = json!({"sort": "price"});
    let healthy = Past::default();
    assert_eq!(order(sorted.clone(), &healthy), ["c", "a", "b"]);
    assert_eq!(order(sorted.clone(), &Past::of(&[("c", outage())])), ["a", "b", "c"]);
    assert_eq!(order(sorted.clone(), &Past::of(&[("c", uptime(90.0))])), ["a", "b", "c"]);
    let waiting = EndpointHealth { cooling_until: Some(NOW.plus_millis(1)), ..outage() };
    assert_eq!(order(sorted, &Past::of(&[("c", waiting)])), ["a", "b"]);
    assert_eq!(order(json!({"order": ["b"], "sort": "price"}), &healthy), ["b", "a", "c"]);
}

#[test]
fn a_price_that_holds_at_this_time_of_the_day_counts() {
    let cheap_at_night = json!({"pricing": {
        "prompt": "0.000005", "completion": "0.000005",
        "overrides": [{"utc_start": 2200, "utc_end": 600, "prompt": "0", "completion": "0.000001"}],
    }});
    let dear_when_long = json!({"pricing": {
        "prompt": "0.000001", "completion": "0.000001",
        "overrides": [{"min_prompt_tokens": 100, "prompt": "0.000009"}],
    }});
    let catalog = snapshot(&[
        ("night", 0.0, cheap_at_night),
        ("long", 0.0, dear_when_long),
        ("b", 2.0, json!({})),
    ]);
    let mut asked = request(&catalog, json!({"sort": "price"}));
    let at = |hour: i64| signalbox_core::Timestamp::from_seconds(hour * 3600);
    let order = |asked: &_, hour| tags(&plan(asked, &catalog, &Past::default(), at(hour), 1));
    assert_eq!(order(&asked, 12), ["long", "b", "night"]);
    assert_eq!(order(&asked, 23), ["night", "long", "b"]);
    asked.content.prompt_tokens_expected = 101;
    assert_eq!(order(&asked, 12), ["b", "long", "night"], "9 × 101 + 500 exceeds 2 × 601");
}

#[test]
fn when_a_provider_fails_its_twins_wait_behind_the_others() {
    let catalog = plain(&[("a", 1.0), ("a/eu", 1.0), ("a/us", 1.0), ("b", 50.0)]);
    let asked = request(&catalog, json!({}));
    for dice in 0..50 {
        let order = tags(&plan(&asked, &catalog, &Past::default(), NOW, dice));
        if order[0] != "b" {
            assert_eq!(order[1], "b", "{order:?}");
        }
    }
}
