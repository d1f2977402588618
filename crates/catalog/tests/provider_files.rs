//! Provider files: what CONTRIBUTING asks for is enough, and what is wrong is named.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    missing_docs
)]

use std::collections::HashSet;

use signalbox_catalog::{
    ConfiguredCatalogue, Dialect, Provider, Snapshot, Task, Transport, Verified,
};
use signalbox_dialect::patch::Patch;

/// The file that "Add a provider" in CONTRIBUTING.md asks for.
fn recipe() -> String {
    let text = include_str!("../../../CONTRIBUTING.md");
    let section = text.split("## Add a provider").nth(1).unwrap().split("\n## ").next().unwrap();
    section.split("```toml\n").nth(1).unwrap().split("```").next().unwrap().to_owned()
}

#[test]
fn the_file_of_the_recipe_makes_a_provider_that_can_be_called() {
    let mut rows = Snapshot::embedded().unwrap();
    let acme = Provider::from_file("acme", &recipe()).unwrap();
    assert_eq!(acme.base_url.as_deref(), Some("https://api.acme.example/v1"));
    assert_eq!(acme.verified, Verified::Docs);
    let chat = acme.in_dialect(Dialect::OpenaiChat).unwrap();
    assert_eq!((chat.path(), &chat.transport), ("/chat/completions", &Transport::Bearer));
    rows.providers.push(acme);
    let config: ConfiguredCatalogue = toml::from_str(
        r#"
        [[endpoints]]
        model = "openai/gpt-oss-20b"
        provider = "acme"
        provider_model_id = "gpt-oss-20b"
        pricing = { prompt = "0.0000001", completion = "0.0000004" }
        "#,
    )
    .unwrap();
    for (keys, routable) in [(HashSet::new(), false), (HashSet::from(["acme".to_owned()]), true)] {
        let snapshot = Snapshot::build(rows.clone(), config.clone(), &keys).unwrap();
        let endpoints = snapshot.endpoints("openai/gpt-oss-20b");
        let endpoint = endpoints.iter().find(|one| one.provider == "acme").unwrap();
        assert_eq!(snapshot.is_routable(endpoint), routable, "{:?}", endpoint.blocked);
    }
}

#[test]
fn a_bad_file_names_itself_and_the_key() {
    let good = recipe();
    for (slug, text, key) in [
        ("other", good.clone(), "slug"),
        ("acme", good.replace("base_url", "base_ulr"), "row"),
        ("acme", good.replace("base_url =", "terms_url ="), "base_url"),
        ("acme", format!("base_url_required = true\n{good}"), "base_url"),
        ("acme", format!("api_key = \"env:ACME\"\n{good}"), "api_key"),
        ("acme", format!("{good}\ntransport = \"pigeon\""), "speaks.transport"),
    ] {
        let error = Provider::from_file(slug, &text).unwrap_err();
        assert_eq!(error.key, key, "{text}");
        assert!(error.row.contains(slug), "{error}");
    }
}

#[test]
fn every_patch_of_the_built_in_rows_can_be_applied() {
    for provider in Snapshot::embedded().unwrap().providers {
        for speaks in &provider.speaks {
            for patch in &speaks.patches {
                let read: Result<Patch, _> = serde_json::from_value(patch.clone());
                assert!(read.is_ok(), "{}: {patch}: {}", provider.slug, read.unwrap_err());
            }
        }
    }
}

#[test]
fn every_row_names_its_source_and_no_dialect_twice() {
    for provider in Snapshot::embedded().unwrap().providers {
        let slug = &provider.slug;
        assert!(provider.source.starts_with("public catalogue"), "{slug}");
        let looked_up = provider.source.contains("2026; ");
        assert!(looked_up || provider.verified == Verified::None, "{slug} names no document");
        let dialects: HashSet<Dialect> = provider.speaks.iter().map(|one| one.dialect).collect();
        assert_eq!(dialects.len(), provider.speaks.len(), "{slug}");
    }
}

/// What is offered in a form that no dialect has yet.
const NO_WAY: [(&str, Task); 1] = [("nvidia", Task::Rerank)];

#[test]
fn every_kind_of_endpoint_has_a_way_at_its_provider() {
    let rows = Snapshot::embedded().unwrap();
    let keys = rows.providers.iter().map(|provider| provider.slug.clone()).collect();
    let snapshot = Snapshot::build(rows, ConfiguredCatalogue::default(), &keys).unwrap();
    let endpoints = snapshot.models().flat_map(|model| snapshot.endpoints(&model.id));
    let missing: HashSet<(&str, Task)> = endpoints
        .filter(|one| !one.own_protocol && snapshot.speaks(one).is_none())
        .map(|one| (one.provider.as_str(), one.task))
        .collect();
    assert_eq!(missing, HashSet::from(NO_WAY));
}
