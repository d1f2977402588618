//! Plans over a small catalogue: what is ruled out and why, and in which order the rest is tried.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    missing_docs
)]

use std::collections::{HashMap, HashSet};

use serde_json::json;
use signalbox_catalog::{Catalogue, ConfiguredCatalogue, Endpoint, Lookup, Snapshot};
use signalbox_core::{ErrorKind, Parameter, Timestamp};
use signalbox_policy::health::{EndpointHealth, Health, Unknown};
use signalbox_policy::{Content, Plan, ProviderPreferences, Requirements, Wanted, explain, plan};

const NOW: Timestamp = Timestamp::from_seconds(1_000_000);

/// Providers a (price 1), b (2), c (3) serve `acme/m`; `c` keeps prompts and lacks tools.
/// `d` has no credential. `a` also serves `acme/other`.
fn snapshot() -> Snapshot {
    let provider = |slug: &str| json!({"slug": slug, "base_url": "http://127.0.0.1:1/v1"});
    let endpoint = |model: &str, provider: &str, price: u32, more: serde_json::Value| {
        let mut row = json!({
            "model": model, "provider": provider, "provider_model_id": "m",
            "pricing": {"prompt": format!("0.00000{price}"), "completion": format!("0.00000{price}")},
        });
        for (key, value) in more.as_object().unwrap() {
            row[key] = value.clone();
        }
        row
    };
    let rows = json!({
        "providers": [provider("a"), provider("b"), provider("c"), provider("d")],
        "models": [
            {"id": "acme/m", "context_length": 1000},
            {"id": "acme/other", "context_length": 1000},
        ],
        "endpoints": [
            endpoint("acme/m", "a", 1, json!({"quantization": "fp8"})),
            endpoint("acme/m", "b", 2, json!({"quantization": "bf16", "max_output": 100})),
            endpoint("acme/m", "c", 3, json!({
                "supported_parameters": ["max_tokens", "temperature"],
                "data_policy": {"training": false, "retains_prompts": true},
            })),
            endpoint("acme/m", "d", 4, json!({})),
            endpoint("acme/other", "a", 1, json!({})),
        ],
    });
    let configured: ConfiguredCatalogue = serde_json::from_value(rows).unwrap();
    let keys: HashSet<String> = ["a", "b", "c"].map(String::from).into();
    Snapshot::build(Catalogue::default(), configured, &keys).unwrap()
}

fn request(catalog: &Snapshot, models: &[&str], provider: serde_json::Value) -> Requirements {
    let wanted = |slug: &&str| match catalog.lookup(slug) {
        Lookup::Found { model, .. } => {
            Wanted { requested: (*slug).into(), model: model.clone(), sort: None, admits: None }
        }
        other => panic!("{slug}: {other:?}"),
    };
    Requirements {
        models: models.iter().map(wanted).collect(),
        provider: ProviderPreferences::from_json(Some(&provider.to_string())).unwrap(),
        content: Content { prompt_tokens_expected: 100, ..Content::default() },
        ..Requirements::default()
    }
}

fn order(plan: &Plan) -> Vec<String> {
    plan.candidates.iter().map(|one| one.endpoint.provider.clone()).collect()
}

fn rules(plan: &Plan) -> HashMap<String, &'static str> {
    plan.excluded.iter().map(|one| (one.endpoint.provider.clone(), one.rule)).collect()
}

#[test]
fn g13_first_choices_are_drawn_by_inverse_square_price() {
    let catalog = snapshot();
    let wanted = request(&catalog, &["acme/m"], json!({}));
    let mut first = HashMap::<String, u32>::new();
    for dice in 0..10_000 {
        let plan = plan(&wanted, &catalog, &Unknown, NOW, dice);
        assert_eq!(plan.candidates.len(), 3);
        *first.entry(order(&plan)[0].clone()).or_default() += 1;
    }
    // 1 : 1/4 : 1/9 of 49/36, so 7347 : 1837 : 816. Five standard deviations are below 250.
    for (provider, expected) in [("a", 7347_i64), ("b", 1837), ("c", 816)] {
        let seen = i64::from(first[provider]);
        assert!((seen - expected).abs() < 250, "{provider}: {seen}, expected {expected}");
    }
}

#[test]
fn the_same_dice_give_the_same_plan() {
    let catalog = snapshot();
    let wanted = request(&catalog, &["acme/m"], json!({}));
    let with = |dice| order(&plan(&wanted, &catalog, &Unknown, NOW, dice));
    assert_eq!(with(7), with(7));
    assert!((0..100).any(|dice| with(dice) != with(7)));
}

#[test]
fn preferences_rule_out_and_order() {
    let catalog = snapshot();
    for (provider, expected) in [
        (json!({"sort": "price"}), vec!["a", "b", "c"]),
        (json!({"sort": "price", "ignore": ["a"]}), vec!["b", "c"]),
        (json!({"sort": "price", "only": ["c", "b", "nobody"]}), vec!["b", "c"]),
        (json!({"sort": "price", "order": ["nobody", "c"]}), vec!["c", "a", "b"]),
        (json!({"order": ["c", "b"], "allow_fallbacks": false}), vec!["c", "b"]),
        (json!({"sort": "price", "allow_fallbacks": false}), vec!["a"]),
        (json!({"sort": "price", "quantizations": ["fp8"]}), vec!["a"]),
        (json!({"sort": "price", "zdr": true}), vec!["a", "b"]),
        (json!({"sort": "price", "data_collection": "deny"}), vec!["a", "b"]),
        (json!({"sort": "price", "max_price": {"prompt": 2}}), vec!["a", "b"]),
        (json!({"sort": "price", "max_price": {"completion": 1.5}}), vec!["a"]),
        (json!({"enforce_distillable_text": true}), vec![]),
        // Nobody has figures, so nobody meets the wish and nobody is lost.
        (json!({"sort": "price", "preferred_min_throughput": 50}), vec!["a", "b", "c"]),
    ] {
        let wanted = request(&catalog, &["acme/m"], provider.clone());
        assert_eq!(order(&plan(&wanted, &catalog, &Unknown, NOW, 1)), expected, "{provider}");
    }
}

#[test]
fn each_rule_names_itself_in_the_verdict() {
    let catalog = snapshot();
    let mut wanted = request(&catalog, &["acme/m"], json!({"only": ["a", "b", "d"]}));
    wanted.content.max_output = Some(500);
    let verdicts = rules(&plan(&wanted, &catalog, &Unknown, NOW, 1));
    assert_eq!(verdicts["b"], "max_output");
    assert_eq!(verdicts["c"], "only");
    assert_eq!(verdicts["d"], "routable");
}

#[test]
fn g25_soft_parameters_narrow_only_when_somebody_has_them() {
    let catalog = snapshot();
    let mut wanted = request(&catalog, &["acme/m"], json!({"sort": "price"}));
    wanted.content.parameters.insert(Parameter::Tools);
    assert_eq!(order(&plan(&wanted, &catalog, &Unknown, NOW, 1)), ["a", "b"]);
    let mut only_c = request(&catalog, &["acme/m"], json!({"only": ["c"]}));
    only_c.content.parameters.insert(Parameter::Tools);
    assert_eq!(order(&plan(&only_c, &catalog, &Unknown, NOW, 1)), ["c"]);
    only_c.provider.require_parameters = true;
    let none = plan(&only_c, &catalog, &Unknown, NOW, 1);
    let error = explain::nothing_left(&only_c, &none, &catalog);
    let availability = error.availability.unwrap();
    assert_eq!(availability.code.name(), "constraint_filtered");
    assert!(availability.excluded_by.contains(&"require_parameters".to_owned()));
}

struct Down(&'static str, EndpointHealth);

impl Health for Down {
    fn of(&self, endpoint: &Endpoint, _: Option<&str>, _: Timestamp) -> EndpointHealth {
        if endpoint.id.contains(self.0) { self.1 } else { EndpointHealth::default() }
    }
}

#[test]
fn g14_an_endpoint_in_trouble_goes_last_even_if_cheapest() {
    let catalog = snapshot();
    let wanted = request(&catalog, &["acme/m"], json!({"sort": "price"}));
    let a = order(&plan(&wanted, &catalog, &Unknown, NOW, 1));
    assert_eq!(a[0], "a");
    let id = catalog.endpoints("acme/m")[0].id.clone();
    let fault = EndpointHealth { outage: true, ..EndpointHealth::default() };
    let down = Down(Box::leak(id.into_boxed_str()), fault);
    assert_eq!(order(&plan(&wanted, &catalog, &down, NOW, 1)), ["b", "c", "a"]);
}

#[test]
fn g17_an_empty_allow_list_names_the_providers() {
    let catalog = snapshot();
    let wanted = request(&catalog, &["acme/m"], json!({"only": ["azure"]}));
    let error =
        explain::nothing_left(&wanted, &plan(&wanted, &catalog, &Unknown, NOW, 1), &catalog);
    assert_eq!(error.kind, ErrorKind::NotFound);
    assert_eq!(
        error.message,
        "No allowed providers are available for the selected model. Providers serving acme/m: a, b, \
         c, d, but your request's provider.only preference permits only: azure."
    );
}

#[test]
fn privacy_has_a_code_of_its_own() {
    let catalog = snapshot();
    let wanted = request(&catalog, &["acme/m"], json!({"only": ["c"], "zdr": true}));
    let error =
        explain::nothing_left(&wanted, &plan(&wanted, &catalog, &Unknown, NOW, 1), &catalog);
    let availability = error.availability.unwrap();
    assert_eq!(availability.code.name(), "privacy_restricted");
    assert!(availability.excluded_by.contains(&"data_policy:zdr".to_owned()));
}
