//! The catalogue's JSON: judged by the public API description, filtered, sorted and cut into pages.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    missing_docs
)]

use std::collections::HashSet;
use std::sync::LazyLock;

use serde_json::{Value, json};
use signalbox_catalog::listing::{self, LiveFigures, ModelsQuery, Page};
use signalbox_catalog::{ConfiguredCatalogue, ModelStatus, Snapshot};
use signalbox_core::Timestamp;

static SNAPSHOT: LazyLock<Snapshot> = LazyLock::new(|| {
    let keys = HashSet::from(["deepinfra".to_owned()]);
    Snapshot::build(Snapshot::embedded().unwrap(), ConfiguredCatalogue::default(), &keys).unwrap()
});

/// 2026-08-09.
const NOW: Timestamp = Timestamp::from_seconds(1_786_233_600);

/// A validator for the 200 answer of a path.
fn validator(path: &str) -> jsonschema::Validator {
    let text = include_str!("../../../openapi/public.json");
    let whole: Value = serde_json::from_str(text).unwrap();
    let answer = &whole["paths"][path]["get"]["responses"]["200"];
    let mut schema = answer["content"]["application/json"]["schema"].clone();
    assert!(schema.is_object(), "{path}");
    schema["components"] = whole["components"].clone();
    jsonschema::draft202012::new(&schema).unwrap()
}

fn assert_valid(path: &str, value: &Value) {
    let validator = validator(path);
    let errors: Vec<String> = validator
        .iter_errors(value)
        .take(5)
        .map(|error| format!("{}: {error}", error.instance_path()))
        .collect();
    assert!(errors.is_empty(), "{path}: {errors:#?}");
}

fn query(text: &str) -> ModelsQuery {
    let pairs = text.split('&').filter_map(|pair| pair.split_once('='));
    ModelsQuery::parse(pairs).unwrap()
}

fn ids(text: &str) -> Vec<String> {
    let answer = listing::models(&SNAPSHOT, &query(text), NOW);
    let rows = answer["data"].as_array().unwrap();
    rows.iter().map(|row| row["id"].as_str().unwrap().to_owned()).collect()
}

#[test]
fn all_models_have_the_public_shape() {
    let text = listing::default_models(&SNAPSHOT);
    let answer: Value = serde_json::from_slice(&text).unwrap();
    assert!(answer["data"].as_array().unwrap().len() >= 380);
    assert_eq!(answer["links"]["next"], Value::Null);
    assert_valid("/models", &answer);
    assert_valid("/models", &listing::models(&SNAPSHOT, &query("output_modalities=all"), NOW));
}

#[test]
fn endpoints_of_the_most_offered_models_have_the_public_shape() {
    let mut models: Vec<_> = SNAPSHOT.models().collect();
    models.sort_by_key(|model| std::cmp::Reverse(SNAPSHOT.endpoints(&model.id).len()));
    models.retain(|model| model.id != "cohere/rerank-v3.5");
    let rerank = SNAPSHOT.model("cohere/rerank-v3.5").unwrap();
    models.insert(0, rerank);
    let validator = validator("/models/{author}/{slug}/endpoints");
    for model in models.iter().take(10) {
        let answer =
            listing::endpoints(&SNAPSHOT, &model.id, &LiveFigures::published, true).unwrap();
        let rows = answer["data"]["endpoints"].as_array().unwrap().len();
        assert_eq!(rows, SNAPSHOT.endpoints(&model.id).len());
        let errors: Vec<String> =
            validator.iter_errors(&answer).map(|error| error.to_string()).collect();
        assert!(errors.is_empty(), "{}: {errors:#?}", model.id);
    }
}

#[test]
fn providers_zdr_endpoints_counts_and_single_models_have_the_public_shape() {
    let providers = listing::providers(&SNAPSHOT);
    assert_eq!(providers["data"].as_array().unwrap().len(), 80);
    assert_valid("/providers", &providers);
    let zdr = listing::zdr_endpoints(&SNAPSHOT, &LiveFigures::published, true);
    assert!(zdr["data"].as_array().unwrap().len() > 100);
    assert_valid("/endpoints/zdr", &zdr);
    assert_valid("/models/count", &listing::count(&SNAPSHOT, &ModelsQuery::default(), NOW));
    let embeddings = listing::embeddings_models(&SNAPSHOT, &Page::default());
    assert!(embeddings["data"].as_array().unwrap().len() > 20);
    assert_valid("/embeddings/models", &embeddings);
    for slug in ["openai/gpt-4o", "openai/gpt-4o:nitro", "openrouter/auto"] {
        assert_valid("/model/{author}/{slug}", &listing::model(&SNAPSHOT, slug).unwrap());
    }
}

#[test]
fn callers_without_a_key_see_no_speeds() {
    let answer = |speeds| {
        let slug = "openai/gpt-oss-120b";
        listing::endpoints(&SNAPSHOT, slug, &LiveFigures::published, speeds).unwrap()
    };
    let with = answer(true);
    let rows = with["data"]["endpoints"].as_array().unwrap();
    assert!(rows.iter().any(|row| row["latency_last_30m"]["p50"].is_number()));
    let without = answer(false);
    let rows = without["data"]["endpoints"].as_array().unwrap();
    assert!(rows.iter().all(|row| row["latency_last_30m"].is_null()));
    assert!(rows.iter().all(|row| row["throughput_last_30m"].is_null()));
}

#[test]
fn aliases_show_their_target_and_routers_a_dynamic_price() {
    let answer = listing::models(&SNAPSHOT, &ModelsQuery::default(), NOW);
    let rows = answer["data"].as_array().unwrap();
    let row = |id: &str| rows.iter().find(|row| row["id"] == id).unwrap();
    let alias = row("~anthropic/claude-haiku-latest");
    assert_eq!(alias["alias_target"]["slug"], "anthropic/claude-haiku-4.5");
    assert_eq!(row("openrouter/auto")["pricing"]["prompt"], "-1");
    assert_eq!(row("openrouter/free")["pricing"]["prompt"], "0");
}

#[test]
fn an_unknown_or_retired_model_is_404() {
    for slug in ["nobody/nothing", "01-ai/yi-34b", "openai/gpt-4o:free"] {
        let error = listing::model(&SNAPSHOT, slug).unwrap_err();
        assert_eq!(error.kind.status(), 404, "{slug}");
    }
}

#[test]
fn pages_are_opt_in_and_link_to_the_next() {
    let all = ids("");
    let answer = listing::models(&SNAPSHOT, &query("limit=10&q=gpt 4&sort=newest"), NOW);
    assert_eq!(answer["data"].as_array().unwrap().len(), 10);
    let next = "/api/v1/models?offset=10&limit=10&q=gpt%204&sort=newest";
    assert_eq!(answer["links"]["next"], next);
    assert_valid("/models", &answer);
    let mut pages = Vec::new();
    for offset in (0..all.len()).step_by(150) {
        pages.extend(ids(&format!("offset={offset}&limit=150")));
    }
    assert_eq!(pages, all);
    let last = listing::models(&SNAPSHOT, &query("offset=99999"), NOW);
    assert_eq!(last["links"]["next"], Value::Null);
    assert_eq!(last["data"], json!([]));
    assert_eq!(last["total_count"], all.len());
}

#[test]
fn filters_keep_what_they_say() {
    let rows = |text: &str| -> Vec<std::sync::Arc<signalbox_catalog::Model>> {
        let kept = ids(text);
        assert!(!kept.is_empty() && kept.len() < ids("").len(), "{text}: {}", kept.len());
        kept.iter().map(|id| SNAPSHOT.model(id).unwrap().clone()).collect()
    };
    assert!(
        rows("model_authors=openai,Anthropic")
            .iter()
            .all(|one| { one.author == "openai" || one.author == "anthropic" })
    );
    assert!(rows("context=1000000").iter().all(|one| one.context_length >= 1_000_000));
    assert!(rows("arch=llama").iter().all(|one| one.tokenizer.starts_with("Llama")));
    assert!(
        rows("input_modalities=image,file").iter().all(|one| { one.input_modalities.len() >= 2 })
    );
    assert!(
        rows("min_age_days=365").iter().all(|one| { one.created <= NOW.seconds() - 365 * 86_400 })
    );
    assert!(
        rows("min_coding_index=70").iter().all(|one| {
            one.benchmarks.as_ref().and_then(|scores| scores.coding).unwrap() >= 70.0
        })
    );
    assert!(
        rows("zdr=true&providers=deepinfra")
            .iter()
            .all(|one| { one.status != ModelStatus::Router })
    );
    for text in [
        "supported_parameters=tools,structured_outputs",
        "max_price=0.5",
        "min_output_price=10",
        "region=eu",
        "routable=true",
        "max_age_days=30",
        "min_tool_success_rate=0.99",
        "max_agentic_index=20",
        "q=claude opus",
        "providers=Google",
    ] {
        rows(text);
    }
    assert_eq!(ids("category=programming"), Vec::<String>::new());
    assert_eq!(ids("distillable=true"), Vec::<String>::new());
    assert_eq!(ids("distillable=false").len(), ids("").len());
    assert!(ids("output_modalities=embeddings").len() > 20);
}

#[test]
fn a_price_filter_is_exact_at_its_bound() {
    // 0.00000015 USD a token is 0.15 USD a million, which no float has to agree with.
    let id = "openai/gpt-4o-mini".to_owned();
    assert!(ids("max_price=0.15").contains(&id) && ids("min_price=0.15").contains(&id));
    assert!(!ids("max_price=0.1499999999").contains(&id));
}

#[test]
fn every_order_sorts_and_puts_what_it_does_not_know_last() {
    for sort in [
        "most-popular",
        "top-weekly",
        "newest",
        "pricing-low-to-high",
        "pricing-high-to-low",
        "context-high-to-low",
        "throughput-high-to-low",
        "latency-low-to-high",
        "intelligence-high-to-low",
        "coding-high-to-low",
        "agentic-high-to-low",
        "design-arena-elo-high-to-low",
    ] {
        assert_eq!(ids(&format!("sort={sort}")).len(), ids("").len(), "{sort}");
    }
    let model = |id: &String| SNAPSHOT.model(id).unwrap().clone();
    let lengths: Vec<u64> =
        ids("sort=context-high-to-low").iter().map(|id| model(id).context_length).collect();
    assert!(lengths.is_sorted_by(|a, b| a >= b));
    let cheap = ids("sort=pricing-low-to-high");
    assert!(model(&cheap[0]).pricing.is_free());
    assert!(model(cheap.last().unwrap()).price_is_dynamic);
    assert!(model(ids("sort=pricing-high-to-low").last().unwrap()).price_is_dynamic);
    let scores: Vec<Option<f64>> = ids("sort=intelligence-high-to-low")
        .iter()
        .map(|id| model(id).benchmarks.as_ref().and_then(|scores| scores.intelligence))
        .collect();
    let known = scores.iter().take_while(|score| score.is_some()).count();
    assert!(known > 50 && scores[known..].iter().all(Option::is_none));
    assert!(scores[..known].is_sorted_by(|a, b| a >= b));
}
