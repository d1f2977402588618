//! Routers over made-up catalogues: what they choose, and what they never choose.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    missing_docs
)]

use std::collections::{BTreeMap, HashSet};
use std::sync::Arc;

use proptest::prelude::*;
use serde_json::{Value, json};
use signalbox_catalog::{Catalogue, Modality, Snapshot};
use signalbox_core::{Parameter, Timestamp};
use signalbox_policy::health::Unknown;
use signalbox_policy::router::{Choosing, Group, Router, Settings, Task, choose};
use signalbox_policy::{AccountPolicy, Content, ProviderPreferences, Requirements, pattern};

const NOW: Timestamp = Timestamp::from_seconds(1_000_000);

/// A model of a made-up catalogue.
#[derive(Debug, Clone)]
struct Made {
    author: u8,
    free: bool,
    public: bool,
    coding: Option<u8>,
    price: u16,
    tools: bool,
    image: bool,
    mandatory: bool,
    keyed: bool,
    retains: bool,
}

fn id(at: usize, made: &Made) -> String {
    format!("author{}/m{at}{}", made.author, if made.free { ":free" } else { "" })
}

fn snapshot(all: &[Made]) -> Snapshot {
    let mut models = Vec::new();
    let mut endpoints = Vec::new();
    for (at, made) in all.iter().enumerate() {
        let inputs = if made.image { json!(["text", "image"]) } else { json!(["text"]) };
        let mut row = json!({
            "id": id(at, made), "context_length": 10_000, "public": made.public,
            "input_modalities": inputs, "created": at,
        });
        if made.mandatory {
            row["reasoning"] = json!({"mandatory": true});
        }
        if let Some(coding) = made.coding {
            row["benchmarks"] = json!({"coding": coding, "intelligence": coding});
        }
        models.push(row);
        let price = if made.free { 0 } else { made.price };
        let price = format!("0.{price:06}");
        let parameters =
            if made.tools { json!(["max_tokens", "tools"]) } else { json!(["max_tokens"]) };
        endpoints.push(json!({
            "model": id(at, made), "provider": if made.keyed { "keyed" } else { "keyless" },
            "pricing": {"prompt": price, "completion": price}, "free": made.free,
            "supported_parameters": parameters,
            "data_policy": {"training": false, "retains_prompts": made.retains, "zdr": !made.retains},
        }));
    }
    let provider = |slug: &str| json!({"slug": slug, "name": slug, "base_url": "http://a.example"});
    let rows = json!({
        "providers": [provider("keyed"), provider("keyless")],
        "models": models, "endpoints": endpoints,
    });
    let keys: HashSet<String> = [String::from("keyed")].into();
    Snapshot::build(Catalogue::default(), serde_json::from_value(rows).unwrap(), &keys).unwrap()
}

fn ask<'a>(catalog: &'a Snapshot, request: &'a Requirements, router: Router) -> Choosing<'a> {
    Choosing {
        router,
        requested: router.id(),
        catalog,
        request,
        health: &Unknown,
        now: NOW,
        dice: 7,
        sort: None,
        admits: None,
        free_only: false,
        thinking: false,
        without_reasoning: false,
        task: None,
        before: None,
        last_author: None,
    }
}

fn ids(choosing: &Choosing<'_>, settings: &Settings) -> Vec<String> {
    choose(choosing, settings)
        .map(|all| all.into_iter().map(|one| one.model.id.clone()).collect())
        .unwrap_or_default()
}

fn settings(router: Router, members: Value) -> Settings {
    let mut entry = members;
    entry["id"] = json!(router.plugin().unwrap_or_default());
    Settings::of(router, Some(&json!([entry]).to_string())).unwrap()
}

/// A model that codes so well for this price.
fn coder(coding: u8, price: u16) -> Made {
    Made {
        author: 1,
        free: false,
        public: true,
        coding: Some(coding),
        price,
        tools: true,
        image: false,
        mandatory: false,
        keyed: true,
        retains: false,
    }
}

#[test]
fn pareto_stays_in_its_tier_and_walks_the_frontier_under_a_cap() {
    let all: Vec<Made> =
        [(90, 90), (80, 50), (70, 60), (50, 30), (45, 10), (40, 40), (20, 5), (10, 8), (5, 1)]
            .map(|(coding, price)| coder(coding, price))
            .into();
    let catalog = snapshot(&all);
    let request = Requirements::default();
    let choosing = ask(&catalog, &request, Router::Pareto);
    let of = |members: Value| ids(&choosing, &settings(Router::Pareto, members));
    let names = |places: &[usize]| places.iter().map(|at| id(*at, &all[*at])).collect::<Vec<_>>();
    assert_eq!(of(json!({})), names(&[1, 2, 0]));
    assert_eq!(of(json!({"min_coding_score": 0.4})), names(&[4, 3, 5]));
    assert_eq!(of(json!({"min_coding_score": 0.1})), names(&[8, 6, 7]));
    // Dollars for a million: the frontier is 8, 6, 4, 3, 1, 0 by rising price.
    assert_eq!(of(json!({"max_price": 50})), names(&[1, 3, 4]));
    assert_eq!(of(json!({"max_price": 9})), names(&[6, 8, 7]));
    assert_eq!(of(json!({"max_price": 0.5})), Vec::<String>::new());
    let before = names(&[0]);
    let stays = Choosing { before: Some(&before[0]), ..choosing };
    assert_eq!(ids(&stays, &Settings::default()), names(&[0, 1, 2]));
    let before = names(&[8]);
    let gone = Choosing { before: Some(&before[0]), ..choosing };
    assert_eq!(ids(&gone, &Settings::default()), names(&[1, 2, 0]), "not among the best any more");
}

#[test]
fn auto_keeps_to_the_band_and_stays_only_with_a_top_candidate() {
    // Dearer is better.
    let all: Vec<Made> = (1..=11).map(|step| coder(step * 8, u16::from(step) * 10)).collect();
    let catalog = snapshot(&all);
    let request = Requirements::default();
    let choosing = ask(&catalog, &request, Router::Auto);
    let of = |members: Value| ids(&choosing, &settings(Router::Auto, members));
    let names = |places: &[usize]| places.iter().map(|at| id(*at, &all[*at])).collect::<Vec<_>>();
    for (tier, places) in [
        ("low", &[1, 0][..]),
        ("medium", &[3, 2]),
        ("high", &[5, 4]),
        ("xhigh", &[7, 6]),
        ("max", &[10, 9, 8]),
    ] {
        assert_eq!(of(json!({"cost_tier": tier})), names(places), "{tier}");
    }
    assert_eq!(of(json!({"cost_quality_tradeoff": 10})), names(&[1, 0]));
    assert_eq!(of(json!({"cost_quality_tradeoff": 0})), names(&[9, 8, 7, 6]));
    // Nothing said: the cheapest 18 %, with what is nearest behind it.
    assert_eq!(of(json!({})), names(&[1, 0, 2, 3]));
    let max = settings(Router::Auto, json!({"cost_tier": "max"}));
    for (before, expected) in [(8, &[8, 10, 9][..]), (0, &[10, 9, 8]), (10, &[10, 9, 8])] {
        let before = id(before, &all[before]);
        let again = Choosing { before: Some(&before), ..choosing };
        assert_eq!(ids(&again, &max), names(expected));
    }
    let pinned = settings(Router::Auto, json!({"cost_tier": "max", "pin_model": true}));
    let author = id(0, &all[0]);
    let again = Choosing { last_author: Some(&author), ..choosing };
    assert_eq!(ids(&again, &pinned), names(&[0, 10, 9, 8]));
    assert_eq!(ids(&again, &max), names(&[10, 9, 8]));
}

#[test]
fn the_task_decides_which_measure_counts() {
    let model = |id: &str, intelligence: f64, coding: f64, agentic: f64| {
        json!({"id": id, "context_length": 10_000, "benchmarks":
            {"intelligence": intelligence, "coding": coding, "agentic": agentic}})
    };
    let endpoint = |model: &str| json!({"model": model, "provider": "p", "pricing": {"prompt": "1", "completion": "1"}});
    let rows = json!({
        "providers": [{"slug": "p", "name": "p", "base_url": "http://a.example", "transport": "none"}],
        "models": [model("a/thinks", 90.0, 10.0, 10.0), model("a/codes", 10.0, 90.0, 10.0),
            model("a/acts", 10.0, 10.0, 90.0)],
        "endpoints": [endpoint("a/thinks"), endpoint("a/codes"), endpoint("a/acts")],
    });
    let rows = serde_json::from_value(rows).unwrap();
    let catalog = Snapshot::build(Catalogue::default(), rows, &HashSet::new()).unwrap();
    let request = Requirements::default();
    let choosing = ask(&catalog, &request, Router::Auto);
    for (group, expected) in [
        (Group::Code, "a/codes"),
        (Group::Agent, "a/acts"),
        (Group::Data, "a/thinks"),
        (Group::General, "a/thinks"),
    ] {
        // All cost the same, so that every band has all of them.
        let task = Some(Task { tag: "some:task", group });
        for tier in ["low", "max"] {
            let settings = settings(Router::Auto, json!({"cost_tier": tier}));
            let found = ids(&Choosing { task, ..choosing }, &settings);
            assert_eq!((found.len(), found[0].as_str()), (3, expected), "{group:?} {tier}");
        }
    }
}

#[test]
fn free_draws_evenly() {
    let made = Made { free: true, coding: None, ..coder(1, 1) };
    let catalog = snapshot(&vec![made; 4]);
    let request = Requirements::default();
    let mut counts: BTreeMap<String, u32> = BTreeMap::new();
    const DRAWS: u32 = 40_000;
    for dice in 0..DRAWS {
        let choosing = Choosing { dice: u64::from(dice), ..ask(&catalog, &request, Router::Free) };
        let found = ids(&choosing, &Settings::default());
        assert_eq!(found.iter().collect::<HashSet<_>>().len(), 3, "{found:?}");
        *counts.entry(found[0].clone()).or_default() += 1;
    }
    assert_eq!(counts.len(), 4);
    for (model, count) in counts {
        assert!(count.abs_diff(DRAWS / 4) < DRAWS / 100, "{model}: {count}");
    }
}

fn made() -> impl Strategy<Value = Made> {
    let flags = (any::<[bool; 5]>(), 0u8..10, 0u8..10);
    (0u8..4, flags, proptest::option::of(0u8..100), 1u16..9999).prop_map(
        |(author, ([free, tools, image, mandatory, retains], public, keyed), coding, price)| Made {
            author,
            free,
            public: public > 0,
            coding,
            price,
            tools,
            image,
            mandatory,
            keyed: keyed > 1,
            retains,
        },
    )
}

#[derive(Debug, Clone)]
struct Wish {
    router: usize,
    dice: u64,
    flags: [bool; 6],
    allowed: Option<Vec<String>>,
    excluded: Vec<String>,
    tradeoff: Option<u8>,
    tier: Option<&'static str>,
    account: Option<String>,
}

fn wish() -> impl Strategy<Value = Wish> {
    let pattern = prop_oneof![
        (0u8..4).prop_map(|author| format!("author{author}/*")),
        (0usize..12).prop_map(|at| format!("*/m{at}")),
        Just("*".to_owned()),
    ];
    let tier = proptest::sample::select(vec!["low", "medium", "high", "xhigh", "max"]);
    (
        (0usize..4, any::<u64>(), any::<[bool; 6]>()),
        proptest::option::of(proptest::collection::vec(pattern.clone(), 0..4)),
        proptest::collection::vec(pattern.clone(), 0..3),
        proptest::option::of(0u8..=10),
        proptest::option::of(tier),
        proptest::option::of(pattern),
    )
        .prop_map(|((router, dice, flags), allowed, excluded, tradeoff, tier, account)| Wish {
            router,
            dice,
            flags,
            allowed,
            excluded,
            tradeoff,
            tier,
            account,
        })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(400))]

    /// Whatever is asked: the same choice again, each model once, and nobody outside of what may be.
    #[test]
    fn nothing_forbidden_is_ever_chosen(
        all in proptest::collection::vec(made(), 0..12),
        wish in wish(),
    ) {
        let catalog = snapshot(&all);
        let router = Router::ALL[wish.router];
        let [tools, image, zdr, without_reasoning, free_only, cap] = wish.flags;
        let mut content = Content { prompt_tokens_expected: 100, ..Content::default() };
        if tools {
            content.parameters.insert(Parameter::Tools);
        }
        if image {
            content.inputs.push(Modality::Image);
        }
        let mut provider = ProviderPreferences { zdr, ..ProviderPreferences::default() };
        if cap {
            provider.max_price.prompt = "0.005".parse().ok();
        }
        let account = AccountPolicy {
            ignored_models: wish.account.clone().into_iter().collect(),
            ..AccountPolicy::default()
        };
        let account = Arc::new(account);
        let request = Requirements { content, provider, account, ..Requirements::default() };
        let choosing = Choosing {
            dice: wish.dice,
            without_reasoning,
            free_only,
            ..ask(&catalog, &request, router)
        };
        let members = json!({
            "allowed_models": wish.allowed, "excluded_models": wish.excluded,
            "cost_quality_tradeoff": wish.tradeoff, "cost_tier": wish.tier,
        });
        let settings = settings(router, members);
        let found = ids(&choosing, &settings);
        prop_assert_eq!(&found, &ids(&choosing, &settings), "the same again");
        let distinct: HashSet<_> = found.iter().collect();
        prop_assert_eq!(distinct.len(), found.len());
        prop_assert!(found.len() <= 4);
        for chosen in &found {
            let at = (0..all.len()).find(|at| id(*at, &all[*at]) == *chosen).unwrap();
            let (made, model) = (&all[at], catalog.model(chosen).unwrap());
            prop_assert!(made.keyed && made.public, "{} can't be called", chosen);
            prop_assert!(!tools || made.tools);
            prop_assert!(!image || made.image);
            prop_assert!(!zdr || !made.retains);
            prop_assert!(!without_reasoning || !made.mandatory);
            prop_assert!(!(free_only || router == Router::Free) || made.free);
            prop_assert!(!cap || made.free || made.price <= 5000);
            let named = |one: &String| pattern::names(one, model);
            prop_assert!(!wish.account.iter().any(named), "{} is not for the account", chosen);
            if matches!(router, Router::Auto | Router::AutoBeta) {
                prop_assert!(wish.allowed.as_ref().is_none_or(|list| list.iter().any(named)));
                prop_assert!(!wish.excluded.iter().any(named));
            }
            if router == Router::Pareto {
                prop_assert!(made.coding.is_some());
            }
        }
    }
}
