//! How long a plan takes. Ignored by default: run it in release, where it should stay below 20 µs.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    missing_docs
)]

use std::collections::HashSet;
use std::hint::black_box;
use std::time::Instant;

use serde_json::json;
use signalbox_catalog::{Catalogue, ConfiguredCatalogue, Lookup, Snapshot};
use signalbox_core::Timestamp;
use signalbox_policy::health::Unknown;
use signalbox_policy::{Content, ProviderPreferences, Requirements, Wanted, plan};

const ENDPOINTS: usize = 32;
const ROUNDS: u64 = 20_000;

fn snapshot(keyed: usize) -> Snapshot {
    let provider = |at| json!({"slug": format!("p{at}"), "base_url": "http://127.0.0.1:1"});
    let endpoint = |at| {
        json!({
            "model": "acme/m", "provider": format!("p{at}"), "provider_model_id": "m",
            "pricing": {"prompt": format!("0.00000{}", at + 1), "completion": "0.00001"},
        })
    };
    let rows = json!({
        "providers": (0..ENDPOINTS).map(provider).collect::<Vec<_>>(),
        "models": [{"id": "acme/m", "context_length": 100_000}],
        "endpoints": (0..ENDPOINTS).map(endpoint).collect::<Vec<_>>(),
    });
    let configured: ConfiguredCatalogue = serde_json::from_value(rows).unwrap();
    let keys: HashSet<String> = (0..keyed).map(|at| format!("p{at}")).collect();
    Snapshot::build(Catalogue::default(), configured, &keys).unwrap()
}

#[test]
#[ignore = "prints figures; meant for a release build"]
#[expect(clippy::disallowed_methods, reason = "a stopwatch")]
fn a_plan_over_32_endpoints_takes_microseconds() {
    let every: Vec<String> = (0..ENDPOINTS).map(|at| format!("p{at}")).collect();
    let nobody: Vec<String> = (0..200).map(|at| format!("{at:0>128}")).collect();
    for (name, keyed, provider) in [
        ("all callable", ENDPOINTS, json!({})),
        ("all callable, sorted by price", ENDPOINTS, json!({"sort": "price"})),
        ("all callable, with thresholds", ENDPOINTS, json!({"preferred_min_throughput": 50})),
        ("all callable, all in order", ENDPOINTS, json!({"order": every})),
        ("all callable, 200 names in only", ENDPOINTS, json!({"only": nobody})),
        ("two callable", 2, json!({})),
    ] {
        let catalog = snapshot(keyed);
        let Lookup::Found { model, .. } = catalog.lookup("acme/m") else { panic!() };
        let wanted =
            Wanted { requested: "acme/m".into(), model: model.clone(), sort: None, admits: None };
        let request = Requirements {
            models: vec![wanted],
            provider: ProviderPreferences::from_json(Some(&provider.to_string())).unwrap(),
            content: Content { prompt_tokens_expected: 1000, ..Content::default() },
            ..Requirements::default()
        };
        let started = Instant::now();
        for dice in 0..ROUNDS {
            let now = Timestamp::from_seconds(1_000_000);
            black_box(plan(black_box(&request), &catalog, &Unknown, now, dice));
        }
        let micros = started.elapsed().as_secs_f64() * 1e6 / ROUNDS as f64;
        println!("{name}: {micros:.2} µs per plan of {ENDPOINTS} endpoints");
    }
}
