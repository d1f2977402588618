//! Plans with too little or too much to choose from: whom to blame, whom to leave room.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    missing_docs
)]

use std::collections::{HashMap, HashSet};

use serde_json::{Value, json};
use signalbox_catalog::{Catalogue, ConfiguredCatalogue, Endpoint, Lookup, Snapshot};
use signalbox_core::{ApiError, AvailabilityCode, ErrorKind, Parameter, Timestamp};
use signalbox_policy::health::{EndpointHealth, Health, Unknown};
use signalbox_policy::preferences::SortBy;
use signalbox_policy::{Content, Plan, ProviderPreferences, Requirements, Wanted, explain, plan};

const NOW: Timestamp = Timestamp::from_seconds(1_000_000);

/// Models `acme/m0`, `acme/m1` and so on, each served by the providers `p0`, `p1` and so on, of
/// which the first `keyed` have a credential; `edit` changes an endpoint's row.
fn snapshot(
    models: usize,
    providers: usize,
    keyed: usize,
    edit: fn(usize, &mut Value),
) -> Snapshot {
    let provider = |at: usize| json!({"slug": format!("p{at}"), "base_url": "http://127.0.0.1:1"});
    let mut endpoints = Vec::new();
    for model in 0..models {
        for at in 0..providers {
            let mut row = json!({
                "model": format!("acme/m{model}"), "provider": format!("p{at}"),
                "provider_model_id": "m",
                "pricing": {"prompt": "0.000001", "completion": "0.000001"},
            });
            edit(at, &mut row);
            endpoints.push(row);
        }
    }
    let model = |at| json!({"id": format!("acme/m{at}"), "context_length": 1_000_000});
    let rows = json!({
        "providers": (0..providers).map(provider).collect::<Vec<_>>(),
        "models": (0..models).map(model).collect::<Vec<_>>(),
        "endpoints": endpoints,
    });
    let configured: ConfiguredCatalogue = serde_json::from_value(rows).unwrap();
    let keys: HashSet<String> = (0..keyed).map(|at| format!("p{at}")).collect();
    Snapshot::build(Catalogue::default(), configured, &keys).unwrap()
}

fn plain(_: usize, _: &mut Value) {}

fn request(catalog: &Snapshot, models: &[&str], provider: Value) -> Requirements {
    let wanted = |slug: &&str| {
        let Lookup::Found { model, variants } = catalog.lookup(slug) else { panic!("{slug}") };
        let sort = (!variants.is_empty()).then_some(SortBy::Price);
        Wanted { requested: (*slug).into(), model: model.clone(), sort, admits: None }
    };
    Requirements {
        models: models.iter().map(wanted).collect(),
        provider: ProviderPreferences::from_json(Some(&provider.to_string())).unwrap(),
        content: Content { prompt_tokens_expected: 100, ..Content::default() },
        ..Requirements::default()
    }
}

fn nothing_left(request: &Requirements, catalog: &Snapshot) -> ApiError {
    let plan = plan(request, catalog, &Unknown, NOW, 1);
    assert!(plan.candidates.is_empty());
    explain::nothing_left(request, &plan, catalog)
}

#[test]
fn the_rule_that_stopped_the_callable_endpoints_is_to_blame() {
    let catalog = snapshot(1, 4, 2, |_, row| {
        row["data_policy"] = json!({"training": false, "retains_prompts": true});
    });
    for (provider, code, excluded_by) in [
        (json!({"zdr": true}), AvailabilityCode::PrivacyRestricted, "data_policy:zdr"),
        (json!({"max_price": {"prompt": 0.5}}), AvailabilityCode::ConstraintFiltered, "max_price"),
        (json!({"only": ["p3"]}), AvailabilityCode::NoEndpoints, "allowed_providers"),
    ] {
        let request = request(&catalog, &["acme/m0"], provider.clone());
        let error = nothing_left(&request, &catalog);
        let availability = error.availability.unwrap();
        assert_eq!(availability.code, code, "{provider}");
        assert_eq!(availability.excluded_by, [excluded_by], "{provider}");
        assert!(!error.message.contains("set up"), "{}", error.message);
    }
}

#[test]
fn a_credential_is_to_blame_only_when_nobody_has_one() {
    let catalog = snapshot(1, 3, 0, plain);
    let error = nothing_left(&request(&catalog, &["acme/m0"], json!({"zdr": true})), &catalog);
    assert!(error.message.contains("none of its providers (p0, p1, p2) is set up"));
    assert_eq!(error.availability.unwrap().excluded_by, ["credential"]);
}

#[test]
fn a_long_allow_list_stays_out_of_the_verdicts_and_mostly_out_of_the_error() {
    let catalog = snapshot(1, 3, 3, plain);
    let names: Vec<_> = (0..200).map(|at| format!("{at:0>128}")).collect();
    let error = nothing_left(&request(&catalog, &["acme/m0"], json!({"only": names})), &catalog);
    assert!(error.message.ends_with(" and 180 more."), "{}", error.message);
    assert!(error.message.len() < 4096);
}

fn per_model(plan: &Plan) -> HashMap<usize, usize> {
    let mut counts = HashMap::new();
    for one in &plan.candidates {
        *counts.entry(one.model_index).or_default() += 1;
    }
    counts
}

#[test]
fn every_wanted_model_keeps_candidates() {
    let catalog = snapshot(10, 20, 20, plain);
    let slugs: Vec<String> = (0..10).map(|at| format!("acme/m{at}")).collect();
    let slugs: Vec<&str> = slugs.iter().map(String::as_str).collect();
    for sort in [json!(null), json!({"by": "price", "partition": "none"})] {
        for (wanted, each) in [(1, 16), (2, 8), (3, 6), (10, 2)] {
            let request = request(&catalog, &slugs[..wanted], json!({"sort": sort}));
            let counts = per_model(&plan(&request, &catalog, &Unknown, NOW, 1));
            assert_eq!(counts.len(), wanted, "{sort}");
            assert!(counts.values().all(|count| *count == each), "{sort} {counts:?}");
        }
    }
}

#[test]
fn two_slugs_of_one_model_share_its_endpoints() {
    let catalog = snapshot(1, 5, 3, plain);
    let slugs = ["acme/m0", "acme/m0:floor"];
    for sort in [json!(null), json!({"by": "price", "partition": "none"})] {
        let request = request(&catalog, &slugs, json!({"sort": sort}));
        let plan = plan(&request, &catalog, &Unknown, NOW, 1);
        let ids: HashSet<_> = plan.candidates.iter().map(|one| &one.endpoint.id).collect();
        assert_eq!((ids.len(), plan.candidates.len(), plan.excluded.len()), (3, 3, 2), "{sort}");
    }
}

/// Seconds for which each provider cools, by its place.
struct Cooling(&'static [i64]);

impl Health for Cooling {
    fn of(&self, endpoint: &Endpoint, _: Option<&str>, _: Timestamp) -> EndpointHealth {
        let places = self.0.iter().enumerate();
        let mut found = places.filter(|(at, _)| endpoint.id.contains(&format!("p{at}")));
        let until = found.next().map(|(_, seconds)| NOW.plus_millis(seconds * 1000));
        EndpointHealth { cooling_until: until, ..EndpointHealth::default() }
    }
}

#[test]
fn who_asked_for_patience_is_not_asked() {
    let catalog = snapshot(2, 3, 3, plain);
    let wanted = request(&catalog, &["acme/m0", "acme/m0:floor", "acme/m1"], json!({}));
    let some = plan(&wanted, &catalog, &Cooling(&[20, 0, 9]), NOW, 1);
    assert!(some.candidates.iter().all(|one| one.endpoint.provider == "p1"));
    assert_eq!((some.candidates.len(), some.excluded.len()), (2, 4));
    let none = plan(&wanted, &catalog, &Cooling(&[20, 30, 9]), NOW, 1);
    assert!(none.candidates.is_empty());
    let error = explain::nothing_left(&wanted, &none, &catalog);
    assert_eq!((error.kind, error.retry_after), (ErrorKind::RateLimitExceeded, Some(9)));
    let availability = error.availability.unwrap();
    assert_eq!(availability.code, AvailabilityCode::CapacityExhausted);
    assert_eq!(availability.excluded_by, ["rate_limit"]);
    assert_eq!(availability.affected_providers.len(), 3);
    let text = none.excluded[0].detail(&wanted);
    assert!(text.contains("asked not to be called for"), "{text}");
}

#[test]
fn a_cool_down_never_drops_the_tools() {
    let catalog = snapshot(1, 2, 2, |at, row| {
        let supported = if at == 0 { json!(["tools"]) } else { json!(["temperature"]) };
        row["supported_parameters"] = supported;
    });
    let mut wanted = request(&catalog, &["acme/m0"], json!({}));
    wanted.content.parameters.insert(Parameter::Tools);
    let plan = plan(&wanted, &catalog, &Cooling(&[7]), NOW, 1);
    let error = explain::nothing_left(&wanted, &plan, &catalog);
    assert_eq!((error.kind.status(), error.retry_after), (429, Some(7)));
}

#[test]
fn a_price_ceiling_looks_at_the_dearest_price_within_reach() {
    let with = |pricing: fn(usize, &mut Value), expected: u64, max_price: Value| {
        let catalog = snapshot(1, 1, 1, pricing);
        let mut wanted = request(&catalog, &["acme/m0"], json!({"max_price": max_price}));
        wanted.content.prompt_tokens_expected = expected;
        !plan(&wanted, &catalog, &Unknown, NOW, 1).candidates.is_empty()
    };
    let long = |_: usize, row: &mut Value| {
        row["pricing"]["overrides"] = json!([{"min_prompt_tokens": 4000, "prompt": "0.000002"}]);
    };
    assert!(with(long, 1000, json!({"prompt": 1})), "at most 4000 tokens");
    assert!(!with(long, 1001, json!({"prompt": 1})), "perhaps 4004 tokens");
    assert!(with(long, 1001, json!({"prompt": 2})), "a price equal to it is allowed");
    let nightly = |_: usize, row: &mut Value| {
        let window = json!({"utc_start": 100, "utc_end": 200, "completion": "0.000003"});
        row["pricing"]["overrides"] = json!([window]);
    };
    assert!(!with(nightly, 1, json!({"completion": 1})));
    assert!(with(nightly, 1, json!({"completion": 3})));
    let thinking = |_: usize, row: &mut Value| {
        row["pricing"]["internal_reasoning"] = json!("0.000005");
    };
    assert!(!with(thinking, 1, json!({"completion": 4})));
    assert!(with(thinking, 1, json!({"completion": 5, "prompt": 1})));
}
