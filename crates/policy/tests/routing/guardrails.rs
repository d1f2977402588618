//! What guardrails permit together, as the planner judges it (platform spec 7.3, 7.10, 9.2, 9.3).

use std::sync::Arc;

use serde_json::{Value, json};
use signalbox_guard::{Allowlist, Guardrail, Layer, Policy, Scope};
use signalbox_policy::{AccountPolicy, explain};

use super::world::{for_models, plain, planned, request, rules, snapshot, tags, with_account};

/// The policy of guardrails with these rules, on an account with a page.
fn guarded(all: &[Value]) -> AccountPolicy {
    let layer = |rules: &Value| Layer {
        scope: Scope::ApiKey,
        id: None,
        rules: serde_json::from_value::<Guardrail>(rules.clone()).unwrap(),
    };
    let layers: Vec<Layer> = all.iter().map(layer).collect();
    let merged = Policy::merge(&layers, Allowlist::default()).unwrap().restrictions;
    let page = Some(Arc::from("https://x.example/settings/privacy"));
    AccountPolicy { page, ..AccountPolicy::default() }.restricted(&merged)
}

#[test]
fn spec_7_3_allowed_providers_intersect_by_meaning() {
    let catalog = snapshot(&[
        ("a/us", 1.0, json!({})),
        ("a/eu", 2.0, json!({})),
        ("b", 3.0, json!({})),
        ("c", 4.0, json!({})),
    ]);
    let left = |all: &[Value]| {
        let asked = request(&catalog, json!({"sort": "price"}));
        tags(&planned(&with_account(asked, guarded(all)), &catalog))
    };
    let allows = |names: &[&str]| json!({"allowed_providers": names});
    assert_eq!(left(&[allows(&["a", "b"])]), ["a/us", "a/eu", "b"]);
    assert_eq!(
        left(&[allows(&["a", "b"]), allows(&["a/eu", "c"])]),
        ["a/eu"],
        "one is in the other"
    );
    assert_eq!(left(&[allows(&["b"]), allows(&["c"])]), [""; 0]);
    let ignoring = [json!({"ignored_providers": ["a"]}), json!({"ignored_providers": ["b"]})];
    assert_eq!(left(&ignoring), ["c"]);
}

#[test]
fn spec_7_1_a_variant_is_an_entry_of_its_own_and_lasting_ids_count() {
    let catalog = snapshot(&[
        ("a", 1.0, json!({"model": "zed/m"})),
        ("b", 0.0, json!({"model": "zed/m:free", "free": true})),
    ]);
    let left = |rules: Value| {
        let asked = for_models(&catalog, &["zed/m", "zed/m:free"], json!({}));
        tags(&planned(&with_account(asked, guarded(&[rules])), &catalog))
    };
    assert_eq!(left(json!({"allowed_models": ["zed/m"]})), ["a"]);
    assert_eq!(left(json!({"allowed_models": ["ZED/m:free"]})), ["b"]);
    assert_eq!(left(json!({"ignored_models": ["zed/m"]})), ["b"]);
    assert_eq!(left(json!({"ignored_models": ["zed/m:free"]})), ["a"]);
}

#[test]
fn spec_7_10_lists_that_leave_nobody_are_told_with_the_page() {
    let catalog = plain(&[("a", 1.0), ("b", 2.0)]);
    let asked = with_account(
        request(&catalog, json!({})),
        guarded(&[json!({"allowed_providers": ["a"]}), json!({"allowed_providers": ["b"]})]),
    );
    let plan = planned(&asked, &catalog);
    assert_eq!(rules(&plan)["a"], "account_providers");
    let error = explain::nothing_left(&asked, &plan, &catalog);
    assert_eq!(error.kind.status(), 404);
    assert_eq!(
        error.message,
        "No endpoints available matching your guardrail restrictions and data policy. Configure: \
         https://x.example/settings/privacy"
    );
    assert_eq!(error.availability.unwrap().code.name(), "constraint_filtered");
    let asked = with_account(
        request(&catalog, json!({})),
        guarded(&[json!({"allowed_models": ["other/model"]})]),
    );
    let error = explain::nothing_left(&asked, &planned(&asked, &catalog), &catalog);
    assert!(error.message.starts_with("No endpoints available matching your guardrail"));
}

#[test]
fn spec_9_3_a_data_policy_that_leaves_nobody_names_what_it_wants() {
    let trains = json!({"training": true, "retains_prompts": true, "can_publish": true});
    let catalog = snapshot(&[
        ("free", 0.0, json!({"free": true, "data_policy": trains})),
        ("paid", 1.0, json!({"data_policy": trains})),
    ]);
    let told = |rules: Value| {
        let asked = with_account(request(&catalog, json!({})), guarded(&[rules]));
        let error = explain::nothing_left(&asked, &planned(&asked, &catalog), &catalog);
        assert_eq!(error.availability.unwrap().code.name(), "privacy_restricted");
        let (what, page) = error.message.rsplit_once(" Configure: ").unwrap();
        assert_eq!(page, "https://x.example/settings/privacy");
        what.to_owned()
    };
    let both = json!({"enable_paid_model_training": false, "enable_free_model_training": false});
    let text = told(both);
    assert!(
        text == "No endpoints found matching your data policy (Free model training, Paid model training)."
            || text
                == "No endpoints found matching your data policy (Paid model training, Free model training).",
        "{text}"
    );
    assert_eq!(
        told(json!({"enforce_zdr": true})),
        "No endpoints found matching your data policy (Zero data retention)."
    );
    let mixed = told(json!({"enforce_zdr": true, "enable_free_model_publication": false}));
    assert!(mixed.contains("Free model publication") && mixed.contains("Zero data retention"));
}

#[test]
fn spec_9_2_zdr_of_a_group_leaves_the_endpoints_that_retain_nothing() {
    let keeps = json!({"training": false, "retains_prompts": true});
    let catalog = snapshot(&[
        ("first", 1.0, json!({"model": "openai/m", "data_policy": keeps})),
        ("other", 2.0, json!({"model": "openai/m"})),
        ("third", 3.0, json!({"model": "zed/m", "data_policy": keeps})),
    ]);
    let left = |rules: Value| {
        let models = ["openai/m", "zed/m"];
        let asked = for_models(&catalog, &models, json!({"sort": {"by": "price"}, "zdr": false}));
        tags(&planned(&with_account(asked, guarded(&[rules])), &catalog))
    };
    assert_eq!(left(json!({"enforce_zdr_openai": true})), ["other", "third"]);
    assert_eq!(left(json!({"enforce_zdr_other": true})), ["first", "other"]);
    assert_eq!(left(json!({"enforce_zdr": true, "enforce_zdr_other": false})), ["other", "third"]);
    assert_eq!(left(json!({"enforce_zdr_anthropic": true})), ["first", "other", "third"]);
}
