//! How long a plan takes and how often it asks for memory: `cargo run --release -p signalbox-policy
//! --example plan_speed`. The largest real model with every provider given a credential, then models of
//! 1 to 1,000 endpoints.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::print_stdout,
    missing_docs
)]

use std::collections::HashSet;
use std::hint::black_box;
use std::time::Instant;

use allocation_counter::measure;
use serde_json::{Value, json};
use signalbox_catalog::{Catalogue, ConfiguredCatalogue, Lookup, Snapshot};
use signalbox_core::{Parameter, Timestamp};
use signalbox_policy::health::{HealthBoard, Observation, Seat, Sending, Usual};
use signalbox_policy::{Content, ProviderPreferences, Requirements, Wanted, plan};

const NOW: Timestamp = Timestamp::from_seconds(1_800_000_000);
/// Rounds of a batch; the fastest of many short batches counts, the machine being shared.
const BATCHES: usize = 400;
const ROUNDS: u64 = 10;

fn main() {
    let catalog = embedded();
    let (model, count) = largest(&catalog);
    println!("{model}: {count} endpoints, all with a credential, all with a past");
    let every: Vec<String> =
        catalog.endpoints(&model).iter().map(|one| one.tag.clone()).rev().collect();
    let strangers: Vec<String> = (0..200).map(|at| format!("{at:0>128}")).collect();
    let board = board(&catalog, &model);
    for (name, provider, tools) in [
        ("nothing said", json!({}), false),
        ("tools", json!({}), true),
        ("sorted by price", json!({"sort": "price"}), false),
        ("sorted by throughput", json!({"sort": "throughput"}), false),
        (
            "thresholds",
            json!({"preferred_min_throughput": {"p50": 50, "p90": 20}, "preferred_max_latency": 2}),
            false,
        ),
        ("order of three", json!({"order": every.iter().take(3).collect::<Vec<_>>()}), false),
        ("order of all", json!({"order": every}), false),
        (
            "zero retention, a price ceiling",
            json!({"zdr": true, "max_price": {"prompt": 2}}),
            false,
        ),
        ("200 names in ignore", json!({"ignore": strangers}), false),
    ] {
        report(name, &catalog, &board, &request(&catalog, &model, &provider, tools));
    }
    println!("one model, nothing said, by its number of endpoints");
    for count in [1, 10, 32, 100, 320, 1000] {
        let catalog = generated(count);
        let board = self::board(&catalog, "acme/m");
        for (tools, name) in [(false, "nothing said"), (true, "tools")] {
            let label = format!("{count} endpoints, {name}");
            report(&label, &catalog, &board, &request(&catalog, "acme/m", &json!({}), tools));
        }
    }
}

fn report(name: &str, catalog: &Snapshot, board: &HealthBoard, request: &Requirements) {
    let run = |dice| black_box(plan(black_box(request), catalog, board, NOW, dice));
    let mut best = f64::INFINITY;
    for _ in 0..BATCHES {
        #[expect(clippy::disallowed_methods, reason = "a stopwatch")]
        let started = Instant::now();
        for dice in 0..ROUNDS {
            run(dice);
        }
        #[expect(clippy::cast_precision_loss, reason = "a few rounds")]
        let micros = started.elapsed().as_secs_f64() * 1e6 / ROUNDS as f64;
        best = best.min(micros);
    }
    let asked = measure(|| {
        run(7);
    });
    let found = run(7);
    println!(
        "  {name:<34} {best:>8.2} µs {:>5} allocations {:>7} bytes   {} of {} tried",
        asked.count_total,
        asked.bytes_total,
        found.candidates.len(),
        found.candidates.len() + found.excluded.len(),
    );
}

fn embedded() -> Snapshot {
    let rows = Snapshot::embedded().expect("the embedded catalogue");
    let keys: HashSet<String> = rows.providers.iter().map(|one| one.slug.clone()).collect();
    Snapshot::build(rows, ConfiguredCatalogue::default(), &keys).expect("a snapshot")
}

/// The model with most endpoints that can be called.
fn largest(catalog: &Snapshot) -> (String, usize) {
    let callable =
        |id: &str| catalog.endpoints(id).iter().filter(|one| one.blocked.is_none()).count();
    let sizes = catalog.models().map(|model| (model.id.clone(), callable(&model.id)));
    sizes.max_by_key(|(_, count)| *count).expect("a model")
}

fn generated(count: usize) -> Snapshot {
    let provider = |at| json!({"slug": format!("p{at}"), "base_url": "http://127.0.0.1:1"});
    let endpoint = |at| {
        json!({
            "model": "acme/m", "provider": format!("p{at}"), "provider_model_id": "m",
            "pricing": {"prompt": format!("0.0000{:03}", at + 1), "completion": "0.00001"},
        })
    };
    let rows = json!({
        "providers": (0..count).map(provider).collect::<Vec<_>>(),
        "models": [{"id": "acme/m", "context_length": 100_000}],
        "endpoints": (0..count).map(endpoint).collect::<Vec<_>>(),
    });
    let configured: ConfiguredCatalogue = serde_json::from_value(rows).expect("rows");
    let keys: HashSet<String> = (0..count).map(|at| format!("p{at}")).collect();
    Snapshot::build(Catalogue::default(), configured, &keys).expect("a snapshot")
}

fn request(catalog: &Snapshot, model: &str, provider: &Value, tools: bool) -> Requirements {
    let Lookup::Found { model, .. } = catalog.lookup(model) else { panic!("{model}") };
    let mut content = Content { prompt_tokens_expected: 1000, ..Content::default() };
    if tools {
        content.parameters.insert(Parameter::Tools);
    }
    let wanted =
        Wanted { requested: model.id.clone(), model: model.clone(), sort: None, admits: None };
    Requirements {
        models: vec![wanted],
        provider: ProviderPreferences::from_json(Some(&provider.to_string())).expect("wishes"),
        content,
        ..Requirements::default()
    }
}

/// A busy five minutes at every endpoint: 300 requests, two thirds of them with tools.
fn board(catalog: &Snapshot, model: &str) -> HealthBoard {
    let board = HealthBoard::default();
    for (at, endpoint) in catalog.endpoints(model).iter().enumerate() {
        let seat = Seat { endpoint: &endpoint.id, credential: None };
        for round in 0..300_u32 {
            let sent = NOW.plus_millis(i64::from(round) * 900 - 280_000);
            let sending =
                Sending { seat, model, whole: false, usual: Usual::CHAT, last_resort: false };
            let _ = board.enter(&sending, sent);
            let seen = Observation::Success {
                first_content_ms: Some(200 + u64::from(round % 50)),
                total_ms: 2_000 + u64::try_from(at).unwrap_or(0) * 10,
                output_tokens: 100,
                tools: (round % 3 != 0).then_some(round % 50 != 1),
            };
            board.record(seat, sent, sent.plus_millis(2_000), seen);
        }
    }
    board
}
