//! The built-in data: complete, well formed, and found by every spelling of a slug.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    missing_docs
)]

use std::collections::{BTreeSet, HashSet};

use signalbox_catalog::{
    Blocked, Catalogue, ConfiguredCatalogue, Lookup, Modality, ModelStatus, Snapshot, Task, Variant,
};
use signalbox_core::PriceKind;

fn rows() -> Catalogue {
    Snapshot::embedded().unwrap()
}

fn build(config: &str, keys: &[&str]) -> Snapshot {
    let config: ConfiguredCatalogue = toml::from_str(config).unwrap();
    let keys: HashSet<String> = keys.iter().map(|key| (*key).to_owned()).collect();
    Snapshot::build(rows(), config, &keys).unwrap()
}

fn found(snapshot: &Snapshot, slug: &str) -> (String, Vec<Variant>) {
    match snapshot.lookup(slug) {
        Lookup::Found { model, variants } => (model.id.clone(), variants),
        other => panic!("{slug}: {other:?}"),
    }
}

#[test]
fn every_row_loads_and_the_counts_are_those_of_the_facts() {
    let rows = rows();
    let with = |status: fn(&ModelStatus) -> bool| {
        rows.models.iter().filter(|model| status(&model.status)).count()
    };
    assert_eq!(with(|one| *one == ModelStatus::Live), 507);
    assert_eq!(with(|one| *one == ModelStatus::Retired), 378);
    assert_eq!(with(|one| matches!(one, ModelStatus::Alias { .. })), 11);
    assert_eq!(with(|one| *one == ModelStatus::Router), 6);
    assert_eq!(rows.providers.len(), 80);
    assert_eq!(rows.endpoints.iter().filter(|one| one.tier.is_none()).count(), 1159);
    assert_eq!(rows.endpoints.iter().filter(|one| one.tier.is_some()).count(), 103);
}

#[test]
fn ids_are_unique_and_every_live_model_has_an_endpoint() {
    let rows = rows();
    let models: BTreeSet<&str> = rows.models.iter().map(|one| one.id.as_str()).collect();
    let endpoints: BTreeSet<&str> = rows.endpoints.iter().map(|one| one.id.as_str()).collect();
    assert_eq!((models.len(), endpoints.len()), (rows.models.len(), rows.endpoints.len()));
    let snapshot = build("", &[]);
    for model in snapshot.models().filter(|one| one.status == ModelStatus::Live) {
        assert!(!snapshot.endpoints(&model.id).is_empty(), "{}", model.id);
    }
}

#[test]
fn endpoints_are_priced_and_their_policies_agree_with_themselves() {
    for endpoint in rows().endpoints {
        assert!(endpoint.prices.prices_tokens(), "{}", endpoint.id);
        assert!(!endpoint.free || endpoint.prices.is_free(), "{}", endpoint.id);
        let zdr = endpoint.data_policy.zdr;
        let keeps = endpoint.data_policy.training || endpoint.data_policy.retains_prompts;
        assert!(!(zdr && keeps), "{}", endpoint.id);
    }
}

#[test]
fn no_base_url_is_somebody_elses_tenancy() {
    for provider in rows().providers {
        let Some(url) = provider.base_url else { continue };
        let host = url.strip_prefix("https://").unwrap().split('/').next().unwrap();
        let uuid = host.split('.').any(|label| label.len() == 36);
        let foreign = ["openrouter", "workers.dev", "/accounts/", "/partner/", "maas.aliyuncs"];
        assert!(!uuid && foreign.iter().all(|part| !url.contains(part)), "{url}");
        assert!(!provider.key_env.is_empty(), "{}", provider.slug);
    }
}

#[test]
fn tiers_cost_what_they_say_and_need_an_opt_in() {
    let snapshot = build("", &[]);
    let endpoints = snapshot.endpoints("google/gemini-2.5-pro");
    let of = |tag: &str| endpoints.iter().find(|one| one.tag == tag).unwrap();
    let (base, flex) = (of("google-ai-studio"), of("google-ai-studio/flex"));
    let prompt = |rates: &signalbox_core::Rates| rates.get(PriceKind::Prompt).unwrap().to_string();
    assert_eq!(prompt(&base.prices.rates), "0.00000125");
    assert_eq!(prompt(&flex.prices.rates), "0.000000625");
    assert_eq!(prompt(&flex.prices.overrides[0].rates), "0.00000125");
    assert!(base.matches("google-ai-studio") && !flex.matches("google-ai-studio"));
    assert!(flex.matches("google-ai-studio/flex"));
    assert!(of("google-vertex/global/flex").matches("google-vertex/flex"));
}

#[test]
fn reasoning_that_is_sold_as_output_is_so_in_long_prompts_too() {
    let rows = rows();
    let mut found = 0;
    for endpoint in &rows.endpoints {
        let like_output = |rates: &signalbox_core::Rates| {
            let price = rates.get(PriceKind::InternalReasoning);
            price.is_some() && price == rates.get(PriceKind::Completion)
        };
        if like_output(&endpoint.prices.rates) {
            for entry in &endpoint.prices.overrides {
                assert!(like_output(&entry.rates), "{}", endpoint.id);
                found += 1;
            }
        }
    }
    assert!(found >= 19, "{found}");
}

#[test]
fn slugs_are_found_by_every_spelling() {
    let snapshot = build("", &[]);
    let cases: [(&str, &str, &[Variant]); 9] = [
        ("openai/gpt-oss-20b", "openai/gpt-oss-20b", &[]),
        ("openai/gpt-oss-20b:free", "openai/gpt-oss-20b:free", &[]),
        ("openai/gpt-oss-20b:free:online", "openai/gpt-oss-20b:free", &[Variant::Online]),
        ("openai/gpt-oss-20b:online:free", "openai/gpt-oss-20b:free", &[Variant::Online]),
        (
            "openai/gpt-oss-120b:nitro:floor:nitro",
            "openai/gpt-oss-120b",
            &[Variant::Nitro, Variant::Floor],
        ),
        ("anthropic/claude-4.5-haiku-20251001", "anthropic/claude-haiku-4.5", &[]),
        ("~anthropic/claude-haiku-latest:nitro", "anthropic/claude-haiku-4.5", &[Variant::Nitro]),
        ("openrouter/fusion:free", "openrouter/fusion", &[Variant::Free]),
        ("qwen/qwen-plus-2025-07-28:thinking", "qwen/qwen-plus-2025-07-28:thinking", &[]),
    ];
    for (slug, id, variants) in cases {
        assert_eq!(found(&snapshot, slug), (id.to_owned(), variants.to_vec()), "{slug}");
    }
}

#[test]
fn every_id_and_canonical_slug_finds_its_own_model() {
    let snapshot = build("", &[]);
    for model in snapshot.models() {
        let expected = match &model.status {
            ModelStatus::Alias { target } => target,
            _ => &model.id,
        };
        match snapshot.lookup(&model.id) {
            Lookup::Found { model, .. } | Lookup::Deprecated(model) => {
                assert_eq!(model.id, *expected);
            }
            other => panic!("{}: {other:?}", model.id),
        }
        assert_ne!(snapshot.lookup(&model.canonical_slug), Lookup::Unknown, "{}", model.id);
    }
}

#[test]
fn what_is_gone_says_so() {
    let snapshot = build("", &[]);
    assert!(matches!(snapshot.lookup("01-ai/yi-34b"), Lookup::Deprecated(_)));
    assert!(matches!(snapshot.lookup("01-ai/yi-34b:free"), Lookup::Deprecated(_)));
    match snapshot.lookup("openai/gpt-4o:free") {
        Lookup::FreeEnded { paid } => assert_eq!(paid.id, "openai/gpt-4o"),
        other => panic!("{other:?}"),
    }
    let long = "x".repeat(100_000);
    for slug in ["", "nobody/nothing", "openai/gpt-4o:magic", "openai/gpt-4o:", ":free", &long] {
        assert_eq!(snapshot.lookup(slug), Lookup::Unknown);
    }
    assert!(snapshot.models_named_like(&long).is_empty());
}

#[test]
fn an_unknown_slug_has_hints() {
    let snapshot = build("", &[]);
    let hints = snapshot.models_named_like("anthropic/claude-haiku-45");
    assert_eq!(hints.first().map(String::as_str), Some("anthropic/claude-haiku-4.5"));
    assert!(hints.len() <= 3);
    assert_eq!(snapshot.models_named_like("anthropic/claude-haiku-45"), hints, "asked again");
    assert_eq!(snapshot.models_named_like("claude-haiku-45:nitro"), hints, "no author, a suffix");
    assert!(snapshot.models_named_like("zzzzzz/qqqqqq").is_empty());
    let padded = format!("anthropic/claude-haiku-45:{}", "x".repeat(256));
    assert!(snapshot.models_named_like(&padded).is_empty(), "longer than any slug");
}

#[test]
fn only_endpoints_with_a_key_are_routable() {
    let without = build("", &[]);
    let with = build("", &["deepinfra"]);
    let mut routable = 0;
    for model in with.models() {
        assert!(without.endpoints(&model.id).iter().all(|one| !without.is_routable(one)));
        for endpoint in with.endpoints(&model.id).iter().filter(|one| with.is_routable(one)) {
            assert_eq!(endpoint.provider, "deepinfra");
            routable += 1;
        }
    }
    assert!(routable > 50, "{routable}");
    let gpt = without.endpoints("openai/gpt-5.4").iter().find(|one| one.tag == "openai").unwrap();
    assert_eq!(gpt.blocked, Some(Blocked::Credential));
    let pro = without.endpoints("openai/gpt-5-pro").iter().find(|one| one.tag == "openai").unwrap();
    assert_eq!(pro.blocked, Some(Blocked::Credential), "a Responses endpoint");
    let own = without.models().flat_map(|model| without.endpoints(&model.id));
    let mut own = own.filter(|one| one.own_protocol && !one.hidden && !one.disabled);
    assert!(own.next().is_some_and(|one| one.blocked == Some(Blocked::Dialect)));
}

#[test]
fn every_transport_is_spoken() {
    for transport in [
        "bearer",
        "header-key\"\nheader = \"x-key",
        "none",
        "query-key\"\nparameter = \"key",
        "azure",
        "vertex",
        "sigv4",
        "bedrock-invoke",
    ] {
        let config = format!(
            r#"
            [[providers]]
            slug = "local"
            base_url = "http://127.0.0.1:9001/v1"
            [[providers.speaks]]
            dialect = "openai-chat"
            transport = "{transport}"
            [[models]]
            id = "acme/tiny"
            context_length = 8192
            [[endpoints]]
            model = "acme/tiny"
            provider = "local"
            provider_model_id = "tiny-1"
            pricing = {{ prompt = "0", completion = "0" }}
            "#
        );
        let snapshot = build(&config, &["local"]);
        assert_eq!(snapshot.endpoints("acme/tiny")[0].blocked, None, "{transport}");
    }
}

#[test]
fn a_configured_catalogue_works_by_itself() {
    let snapshot = build(
        r#"
        [[providers]]
        slug = "local"
        base_url = "http://127.0.0.1:9001/v1"
        [[providers]]
        slug = "openai"
        base_url = "http://127.0.0.1:9002/v1"
        [[models]]
        id = "acme/tiny"
        context_length = 8192
        input_modalities = ["text", "image"]
        [[endpoints]]
        model = "acme/tiny"
        provider = "local"
        provider_model_id = "tiny-1"
        pricing = { prompt = "0.0000002", completion = "0.0000008" }
        [[endpoints]]
        model = "acme/tiny"
        provider = "openai"
        pricing = { prompt = "0", completion = "0" }
        [[endpoints]]
        model = "01-ai/yi-34b"
        provider = "local"
        pricing = { prompt = "0.000001", completion = "0.000001" }
        "#,
        &["local"],
    );
    let (id, _) = found(&snapshot, "acme/tiny:floor");
    let model = snapshot.model(&id).unwrap();
    assert!(model.reads(Modality::Image) && model.public);
    assert_eq!(model.pricing.rates.get(PriceKind::Prompt).unwrap().to_string(), "0.0000002");
    let [first, second] = snapshot.endpoints(&id) else { panic!() };
    assert_eq!((first.tag.as_str(), first.provider_model_id.as_str()), ("local", "tiny-1"));
    assert!(snapshot.is_routable(first) && !first.data_policy.retains_prompts);
    assert_eq!((second.provider_model_id.as_str(), second.free), ("tiny", true));
    assert_eq!(second.blocked, Some(Blocked::Credential));
    assert_eq!(found(&snapshot, "01-ai/yi-34b").0, "01-ai/yi-34b");
    let openai = snapshot.provider("openai").unwrap();
    assert_eq!(openai.base_url.as_deref(), Some("http://127.0.0.1:9002/v1"));
    assert_eq!(openai.name, "OpenAI");
}

#[test]
fn bad_configuration_names_row_and_key() {
    let cases = [
        ("[[models]]\nid = 'a/b'", "context_length"),
        ("[[models]]\nid = 'ab'\ncontext_length = 1", "id"),
        ("[[models]]\nid = 'a/b:c:d'\ncontext_length = 1", "id"),
        ("[[endpoints]]\nmodel = 'no/such'\nprovider = 'openai'", "model"),
        ("[[endpoints]]\nmodel = 'openai/gpt-4o'\nprovider = 'nobody'", "provider"),
        ("[[endpoints]]\nmodel = 'openai/gpt-4o'\nprovider = 'groq'", "pricing"),
        ("[[endpoints]]\nmodel = 'openai/gpt-4o'\nprovider = 'groq'\ntag = 'other'", "tag"),
        ("[[endpoints]]\nmodel = 'openrouter/auto'\nprovider = 'groq'", "model"),
        (
            "[[endpoints]]\nmodel = 'openai/gpt-4o'\nprovider = 'groq'\ndialect = 'gemini'\npricing = {}",
            "dialect",
        ),
    ];
    for (text, key) in cases {
        let config: ConfiguredCatalogue = toml::from_str(text).unwrap();
        let error = Snapshot::build(rows(), config, &HashSet::new()).unwrap_err();
        assert_eq!(error.key, key, "{error}");
    }
    for text in ["[[models]]\nid = 'a/b'\ncontext_lenght = 1", "[[modles]]\nid = 'a/b'"] {
        let error = toml::from_str::<ConfiguredCatalogue>(text).unwrap_err().to_string();
        assert!(error.contains("line") && error.contains("unknown field"), "{error}");
    }
}

proptest::proptest! {
    #![proptest_config(proptest::prelude::ProptestConfig::with_cases(64))]

    #[test]
    fn any_text_is_looked_up_without_harm(slug in "[a-z~/@:.-]{0,24}|.{0,40}") {
        let snapshot = Snapshot::default();
        proptest::prop_assert_eq!(snapshot.lookup(&slug), Lookup::Unknown);
        let _ = signalbox_catalog::Reference::parse(&slug);
        proptest::prop_assert!(snapshot.models_named_like(&slug).is_empty());
    }

    #[test]
    fn any_query_is_read_without_harm(key in 0..12_usize, value in ".{0,20}") {
        const KEYS: [&str; 12] = [
            "offset", "limit", "sort", "q", "context", "max_price", "min_age_days", "region",
            "min_coding_index", "supported_parameters", "providers", "arch",
        ];
        let query = signalbox_catalog::listing::ModelsQuery::parse([(KEYS[key], value.as_str())]);
        if let Err(error) = query {
            proptest::prop_assert_eq!(error.kind.status(), 400);
        }
    }
}

/// Endpoints of embeddings and reranks that can't be called, and why: routes of their
/// own, and prices that nobody published.
const NOT_CALLED: &[(&str, &str, Blocked)] = &[
    ("nvidia", "nvidia/llama-nemotron-rerank-vl-1b-v2:free", Blocked::Dialect),
    ("voyageai", "voyageai/rerank-2.5", Blocked::Price),
    ("voyageai", "voyageai/rerank-2.5-lite", Blocked::Price),
    ("voyageai", "voyageai/voyage-multimodal-3.5", Blocked::Dialect),
];

#[test]
fn embeddings_and_reranks_are_called_in_dialects_of_their_own() {
    let slugs: Vec<String> = rows().providers.iter().map(|one| one.slug.clone()).collect();
    let keys: Vec<&str> = slugs.iter().map(String::as_str).collect();
    let azure = "[[providers]]\nslug = 'azure'\nbase_url = 'https://a.openai.azure.com'";
    let snapshot = build(azure, &keys);
    let mut not_called = Vec::new();
    let (mut embeddings, mut reranks) = (0, 0);
    for endpoint in snapshot.models().flat_map(|model| snapshot.endpoints(&model.id)) {
        match endpoint.task {
            Task::Chat => continue,
            _ if endpoint.variant == "batch" => continue,
            Task::Embeddings => embeddings += 1,
            Task::Rerank => reranks += 1,
        }
        match endpoint.blocked {
            None => assert_eq!(snapshot.speaks(endpoint).unwrap().dialect.task(), endpoint.task),
            Some(why) => not_called.push((&*endpoint.provider, &*endpoint.model, why)),
        }
        if endpoint.provider == "cohere" {
            assert!(endpoint.prices.rates.get(PriceKind::SearchUnit).is_some());
        }
    }
    not_called.sort_unstable_by_key(|(provider, model, _)| (*provider, *model));
    assert_eq!(not_called, NOT_CALLED);
    assert_eq!((embeddings, reranks), (38, 6));
}

#[test]
fn every_alias_stands_for_what_the_data_name() {
    let rows = Snapshot::embedded().unwrap();
    let built = build("", &[]);
    let mut aliases = 0;
    for row in &rows.models {
        if let ModelStatus::Alias { .. } = row.status {
            aliases += 1;
            assert_eq!(built.model(&row.id).unwrap().status, row.status, "{}", row.id);
        }
    }
    assert!(aliases >= 10, "{aliases}");
}
