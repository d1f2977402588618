//! What a person is shown: every place, verdict and note as values, and the errors made of them.

use serde_json::json;
use signalbox_policy::explain;

use super::world::{plain, planned, request, snapshot, with_tools};

#[test]
fn a_plan_is_shown_as_plain_values() {
    let catalog = plain(&[("a", 1.0), ("b", 2.0), ("c", 4.0)]);
    let asked = request(&catalog, json!({"order": ["b", "x"], "ignore": ["c"], "sort": "price"}));
    let plan = planned(&asked, &catalog);
    let shown = serde_json::to_value(explain::shown(&asked, &plan)).unwrap();
    assert_eq!(shown["dice"], "1");
    assert_eq!(shown["candidates"][0]["tag"], "b");
    assert_eq!(shown["candidates"][0]["rank"], 1);
    assert_eq!(
        shown["candidates"][0]["why"],
        "number 1 in provider.order; sorted by price: $0.001200000 for this request"
    );
    let cost = shown["candidates"][1]["expected_cost_usd"].as_f64().unwrap();
    assert!((cost - 0.0006).abs() < 1e-12, "{cost}");
    assert_eq!(shown["excluded"][0]["tag"], "c");
    assert_eq!(shown["excluded"][0]["rule"], "ignore");
    assert_eq!(shown["excluded"][0]["why"], "provider.ignore names c");
    assert_eq!(shown["notes"][0], "provider.order: \"x\" is no provider that is known here");
}

#[test]
fn a_drawn_place_tells_its_chance_and_a_thin_one_its_traffic() {
    let catalog = plain(&[("a", 1.0), ("b", 1.0)]);
    let drawn = planned(&request(&catalog, json!({})), &catalog);
    assert_eq!(drawn.candidates[0].place.text(), "drawn by price, first in 50.0 % of draws");
    let tools = planned(&with_tools(request(&catalog, json!({}))), &catalog);
    assert_eq!(
        tools.candidates[0].place.text(),
        "not proven yet: 0 requests in 30 min, 0 with tools in 2 h; first in 50.0 % of its tier's \
         draws"
    );
}

#[test]
fn the_reason_of_a_verdict_reaches_the_error() {
    let catalog = snapshot(&[("a", 3.0, json!({})), ("b", 2.0, json!({"quantization": "fp8"}))]);
    for provider in [
        json!({"max_price": {"prompt": 1}}),
        json!({"quantizations": ["int4"]}),
        json!({"enforce_distillable_text": true}),
        json!({"only": ["nobody"]}),
        json!({"ignore": ["a", "b"]}),
    ] {
        let asked = request(&catalog, provider.clone());
        let plan = planned(&asked, &catalog);
        let error = explain::nothing_left(&asked, &plan, &catalog);
        let answer = error.availability.unwrap();
        let constraint = answer.constraint.unwrap();
        let verdicts: Vec<_> = plan.excluded.iter().map(|one| one.detail(&asked)).collect();
        assert!(verdicts.contains(&constraint.detail), "{provider}: {verdicts:?}");
        let words = constraint.detail.rsplit_once(' ').unwrap().1;
        assert!(error.message.contains(words), "{provider}: {}", error.message);
        assert!(
            plan.excluded
                .iter()
                .all(|one| answer.excluded_by.contains(&one.reason.excluded_by.into()))
        );
    }
}

#[test]
fn an_error_names_models_that_could_be_called_instead() {
    let catalog = snapshot(&[
        (
            "a",
            0.0,
            json!({"model": "acme/rocket:free", "free": true, "data_policy":
            {"training": true, "retains_prompts": true}}),
        ),
        ("a", 1.0, json!({"model": "acme/rocket"})),
        ("a", 1.0, json!({"model": "acme/rocket-mini"})),
    ]);
    let asked = super::world::for_models(&catalog, &["acme/rocket:free"], json!({"zdr": true}));
    let error = explain::nothing_left(&asked, &planned(&asked, &catalog), &catalog);
    assert_eq!(error.availability.unwrap().fallback_models, ["acme/rocket", "acme/rocket-mini"]);
    let catalog = snapshot(&[
        ("a", 1.0, json!({"model": "acme/rocket"})),
        ("keyless", 1.0, json!({"model": "acme/rocket-x"})),
        ("a", 1.0, json!({"model": "zed/rocket-y"})),
    ]);
    let asked = super::world::for_models(&catalog, &["acme/rocket"], json!({"only": ["x"]}));
    let error = explain::nothing_left(&asked, &planned(&asked, &catalog), &catalog);
    assert_eq!(error.availability.unwrap().fallback_models, [""; 0]);
}
