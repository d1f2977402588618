//! The `provider` object, check by check.

use serde_json::{Value, json};
use signalbox_core::{ErrorKind, Parameter};
use signalbox_policy::explain;

use super::world::{for_models, plain, planned, request, rules, snapshot, tags};

fn perf(latency: f64, throughput: [f64; 4]) -> Value {
    let [p50, p75, p90, p99] = throughput;
    json!({
        "latency": {"p50": latency, "p75": latency, "p90": latency, "p99": latency},
        "throughput": {"p50": p50, "p75": p75, "p90": p90, "p99": p99},
        "requests": 1000,
    })
}

#[test]
fn g2_a_parameter_that_nobody_supports_rules_out_when_it_is_required() {
    let only = |names: Value| json!({"supported_parameters": names});
    let catalog = snapshot(&[
        ("a", 1.0, only(json!(["temperature", "top_k"]))),
        ("b", 2.0, only(json!(["temperature"]))),
    ]);
    let with = |provider| {
        let mut asked = request(&catalog, provider);
        asked.content.parameters.insert(Parameter::TopK);
        asked
    };
    assert_eq!(tags(&planned(&with(json!({"sort": "price"})), &catalog)), ["a", "b"]);
    let strict = with(json!({"require_parameters": true}));
    assert_eq!(tags(&planned(&strict, &catalog)), ["a"]);
    let alone = with(json!({"require_parameters": true, "only": ["b"]}));
    let none = planned(&alone, &catalog);
    let answer = explain::nothing_left(&alone, &none, &catalog).availability.unwrap();
    assert_eq!(answer.code.name(), "constraint_filtered");
    assert_eq!(answer.constraint.unwrap().field, "provider.require_parameters");
}

#[test]
fn g15_order_comes_first_and_names_that_serve_nothing_are_skipped_with_a_note() {
    let catalog = plain(&[("a", 1.0), ("b", 2.0), ("y", 3.0), ("z", 9.0)]);
    let asked = request(&catalog, json!({"order": ["x", "Y", "a/eu"], "ignore": ["a/eu", "z"]}));
    let plan = planned(&asked, &catalog);
    let order = tags(&plan);
    assert_eq!((order[0].as_str(), order.len()), ("y", 3));
    assert_eq!(plan.candidates[0].place.listed, Some(2));
    let notes: Vec<_> = plan.notes.iter().map(signalbox_policy::Note::text).collect();
    assert_eq!(
        notes,
        [
            "provider.order: \"x\" is no provider that is known here",
            "provider.order: \"a/eu\" serves none of the requested models",
            "provider.ignore: \"a/eu\" serves none of the requested models",
        ]
    );
    let strict = json!({"order": ["x", "y"], "allow_fallbacks": false});
    let plan = planned(&request(&catalog, strict), &catalog);
    assert_eq!(tags(&plan), ["y"]);
    assert_eq!(rules(&plan)["a"], "order");
}

#[test]
fn an_order_without_fallbacks_that_nobody_serves_is_404_with_the_names() {
    let catalog = plain(&[("a", 1.0), ("b", 2.0)]);
    let asked = request(&catalog, json!({"order": ["x"], "allow_fallbacks": false}));
    let error = explain::nothing_left(&asked, &planned(&asked, &catalog), &catalog);
    assert_eq!(error.kind, ErrorKind::NotFound);
    assert_eq!(
        error.message,
        "No allowed providers are available for the selected model. Providers serving acme/m: a, b, \
         but your request's provider.order preference without fallbacks lists: x."
    );
}

#[test]
fn preferences_that_contradict_each_other_are_404_with_the_fields_and_the_names() {
    let catalog = plain(&[("a", 1.0), ("a/eu", 1.0), ("b", 2.0)]);
    for (provider, said) in [
        (
            json!({"only": ["a"], "ignore": ["a"]}),
            "provider.only preference permits only: a, and your request's provider.ignore preference \
             names a.",
        ),
        (
            json!({"only": ["b"], "order": ["a"], "allow_fallbacks": false}),
            "provider.only preference permits only: b, and your request's provider.order preference \
             without fallbacks lists: a.",
        ),
        (
            json!({"order": ["a/eu"], "ignore": ["A"], "allow_fallbacks": false}),
            "provider.ignore preference names a, and your request's provider.order preference without \
             fallbacks lists: a/eu.",
        ),
        (json!({"only": []}), "provider.only preference permits only: nobody."),
    ] {
        let asked = request(&catalog, provider.clone());
        let plan = planned(&asked, &catalog);
        assert!(plan.candidates.is_empty(), "{provider}");
        let error = explain::nothing_left(&asked, &plan, &catalog);
        assert_eq!(error.kind, ErrorKind::NotFound);
        assert!(error.message.ends_with(said), "{provider}: {}", error.message);
        assert_eq!(error.availability.unwrap().affected_providers, ["a", "b"]);
    }
}

#[test]
fn without_fallbacks_the_others_are_out_with_a_reason() {
    let catalog = plain(&[("a", 1.0), ("b", 2.0), ("c", 3.0)]);
    let asked = request(&catalog, json!({"sort": "price", "allow_fallbacks": false}));
    let plan = planned(&asked, &catalog);
    assert_eq!(tags(&plan), ["a"]);
    assert_eq!(
        rules(&plan),
        [("b".into(), "allow_fallbacks"), ("c".into(), "allow_fallbacks")].into()
    );
    let text = plan.excluded[0].detail(&asked);
    assert!(text.contains("provider.allow_fallbacks"), "{text}");
}

#[test]
fn g18_a_latency_that_nobody_meets_loses_nobody() {
    let catalog = snapshot(&[
        ("a", 1.0, json!({"perf_30m": perf(900.0, [10.0; 4])})),
        ("b", 2.0, json!({"perf_30m": perf(800.0, [10.0; 4])})),
        ("c", 3.0, json!({})),
    ]);
    let asked = request(&catalog, json!({"sort": "price", "preferred_max_latency": 0.1}));
    assert_eq!(tags(&planned(&asked, &catalog)), ["a", "b", "c"]);
    let seconds = request(&catalog, json!({"sort": "price", "preferred_max_latency": 0.8}));
    assert_eq!(tags(&planned(&seconds, &catalog)), ["b", "a", "c"], "0.8 s is 800 ms");
}

#[test]
fn g19_every_cutoff_must_hold() {
    let catalog = snapshot(&[
        ("a", 1.0, json!({"perf_30m": perf(1.0, [60.0, 50.0, 20.0, 10.0])})),
        ("b", 2.0, json!({"perf_30m": perf(1.0, [50.0, 45.0, 30.0, 10.0])})),
    ]);
    let with = |cutoffs: Value| {
        let asked = json!({"sort": "price", "preferred_min_throughput": cutoffs});
        tags(&planned(&request(&catalog, asked), &catalog))
    };
    assert_eq!(with(json!(50)), ["a", "b"]);
    assert_eq!(with(json!({"p50": 50})), ["a", "b"]);
    assert_eq!(with(json!({"p50": 50, "p90": 30})), ["b", "a"]);
}

#[test]
fn thresholds_across_models_promote_a_fallback_model() {
    let catalog = snapshot(&[
        ("a", 1.0, json!({"perf_30m": perf(1.0, [10.0; 4])})),
        ("b", 1.0, json!({"model": "acme/other", "perf_30m": perf(1.0, [90.0; 4])})),
    ]);
    let order = |partition: &str| {
        let asked = json!({
            "sort": {"by": "price", "partition": partition}, "preferred_min_throughput": 50,
        });
        let asked = for_models(&catalog, &["acme/m", "acme/other"], asked);
        tags(&planned(&asked, &catalog))
    };
    assert_eq!(order("model"), ["a", "b"]);
    assert_eq!(order("none"), ["b", "a"]);
}

#[test]
fn g20_a_price_equal_to_the_ceiling_is_allowed() {
    let catalog = plain(&[("a", 1.0), ("b", 2.0), ("c", 2.000_001)]);
    let asked = request(&catalog, json!({"sort": "price", "max_price": {"prompt": "2"}}));
    let plan = planned(&asked, &catalog);
    assert_eq!(tags(&plan), ["a", "b"]);
    assert_eq!(rules(&plan)["c"], "max_price");
}

#[test]
fn g21_without_partition_the_fastest_of_all_models_comes_first() {
    let catalog = snapshot(&[
        ("a", 1.0, json!({"perf_30m": perf(1.0, [50.0; 4])})),
        ("b", 1.0, json!({"perf_30m": perf(1.0, [70.0; 4])})),
        ("c", 9.0, json!({"model": "acme/other", "perf_30m": perf(1.0, [90.0; 4])})),
        ("d", 9.0, json!({"model": "acme/other", "perf_30m": perf(1.0, [60.0; 4])})),
        ("e", 9.0, json!({"model": "acme/other"})),
    ]);
    let models = ["acme/m", "acme/other"];
    let across = json!({"sort": {"by": "throughput", "partition": "none"}});
    let plan = planned(&for_models(&catalog, &models, across), &catalog);
    assert_eq!(tags(&plan), ["c", "b", "d", "a", "e"], "the one without figures is last");
    assert_eq!(plan.candidates[0].model.id, "acme/other");
    assert_eq!(plan.candidates[0].model_index, 1);
    let within = json!({"sort": "throughput"});
    let plan = planned(&for_models(&catalog, &models, within), &catalog);
    assert_eq!(tags(&plan), ["b", "a", "c", "d", "e"]);
}

#[test]
fn g22_fp4_includes_its_kinds_and_fp8_too() {
    let with = |name: &str| json!({"quantization": name});
    let catalog = snapshot(&[
        ("a", 1.0, with("mxfp4")),
        ("b", 2.0, with("nvfp4")),
        ("c", 3.0, with("fp4")),
        ("d", 4.0, with("mxfp8")),
        ("e", 5.0, with("bf16")),
        ("f", 6.0, json!({})),
    ]);
    for (allowed, expected) in [
        (json!(["fp4"]), vec!["a", "b", "c"]),
        (json!(["mxfp4"]), vec!["a"]),
        (json!(["fp8", "bf16"]), vec!["d", "e"]),
        (json!(["unknown"]), vec!["f"]),
        (json!([]), vec!["a", "b", "c", "d", "e", "f"]),
    ] {
        let asked = request(&catalog, json!({"sort": "price", "quantizations": allowed}));
        assert_eq!(tags(&planned(&asked, &catalog)), expected, "{allowed}");
    }
}

#[test]
fn g25_soft_parameters_narrow_one_models_endpoints_only() {
    let only = |names: Value| json!({"supported_parameters": names});
    let catalog = snapshot(&[
        ("a", 1.0, only(json!(["temperature"]))),
        ("b", 2.0, only(json!(["temperature", "tools"]))),
        ("c", 3.0, only(json!(["temperature"]))),
        ("a/x", 1.0, json!({"model": "acme/other", "supported_parameters": ["temperature"]})),
    ]);
    for (parameter, expected) in [
        (Parameter::Tools, vec!["b", "a/x"]),
        (Parameter::TopK, vec!["a", "b", "c", "a/x"]),
        (Parameter::ResponseFormat, vec!["a", "b", "c", "a/x"]),
    ] {
        let mut asked = for_models(&catalog, &["acme/m", "acme/other"], json!({"sort": "price"}));
        asked.content.parameters.insert(parameter);
        let plan = planned(&asked, &catalog);
        assert_eq!(tags(&plan), expected, "{}", parameter.name());
        if parameter == Parameter::Tools {
            assert_eq!(rules(&plan)["a"], "soft_parameters");
        }
    }
}

#[test]
fn g28_data_collection_deny_leaves_out_who_keeps_or_may_train() {
    let policy = |training, retains| json!({"data_policy": {"training": training, "retains_prompts": retains}});
    let catalog = snapshot(&[
        ("a", 1.0, policy(false, false)),
        ("b", 2.0, policy(true, false)),
        ("c", 3.0, policy(false, true)),
        // What is not known is assumed: it trains and keeps.
        ("d", 4.0, policy(true, true)),
    ]);
    let asked = request(&catalog, json!({"data_collection": "deny"}));
    let plan = planned(&asked, &catalog);
    assert_eq!(tags(&plan), ["a"]);
    assert_eq!(rules(&plan).len(), 3);
    let none = request(&catalog, json!({"data_collection": "deny", "ignore": ["a"]}));
    let error = explain::nothing_left(&none, &planned(&none, &catalog), &catalog);
    assert_eq!(error.availability.unwrap().code.name(), "privacy_restricted");
}

#[test]
fn prompts_and_outputs_must_fit() {
    let catalog = snapshot(&[
        ("a", 1.0, json!({"context_length": 100})),
        ("b", 2.0, json!({"max_output": 50})),
        ("c", 3.0, json!({"max_prompt": 90})),
        ("d", 4.0, json!({})),
    ]);
    let mut asked = request(&catalog, json!({"sort": "price"}));
    asked.content.prompt_tokens_at_least = 95;
    asked.content.max_output = Some(60);
    let plan = planned(&asked, &catalog);
    assert_eq!(tags(&plan), ["a", "d"]);
    assert_eq!(rules(&plan), [("b".into(), "max_output"), ("c".into(), "context")].into());
}
