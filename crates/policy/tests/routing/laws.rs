//! What holds of every plan, whatever the catalogue, the past and the wishes.

use std::collections::HashSet;
use std::sync::Arc;

use proptest::prelude::*;
use serde_json::{Value, json};
use signalbox_catalog::Snapshot;
use signalbox_core::limits;
use signalbox_policy::account::ZdrGroups;
use signalbox_policy::health::{EndpointHealth, Standing, Unknown};
use signalbox_policy::preferences::SortBy;
use signalbox_policy::{
    AccountPolicy, ByokKey, Plan, ProviderPreferences, Requirements, Tier, TierWish, explain, plan,
};

use super::world::{NOW, Past, flat, for_models, snapshot};

const PROVIDERS: [&str; 6] = ["a", "b", "c", "d", "keyless1", "keyless2"];
const TAILS: [&str; 5] = ["", "/eu", "/turbo", "/flex", "/eu/priority"];

/// An endpoint: provider, tail, model, price in thousandths, and eight yes-or-no facts.
type Row = (usize, usize, bool, u16, u8);

fn catalogue(rows: &[Row]) -> Snapshot {
    let mut seen = HashSet::new();
    let tags: Vec<String> =
        rows.iter().map(|row| format!("{}{}", PROVIDERS[row.0], TAILS[row.1])).collect();
    let mut endpoints: Vec<(&str, f64, Value)> = vec![("a/base", 1.0, json!({}))];
    endpoints.push(("a/base", 1.0, json!({"model": "acme/other"})));
    for (row, tag) in rows.iter().zip(&tags) {
        let (_, tail, other, price, facts) = *row;
        if !seen.insert((tag, other)) {
            continue;
        }
        let is = |bit: u8| facts & (1 << bit) != 0;
        let mut more = json!({
            "model": if other { "acme/other" } else { "acme/m" },
            "data_policy": {"training": is(0), "retains_prompts": is(1), "zdr": !is(0) && !is(1)},
            "supported_parameters": if is(2) { json!(["tools", "max_tokens"]) } else { json!(["stop"]) },
            "quantization": if is(3) { "fp8" } else { "bf16" },
            "deranked": is(4),
            "region": if is(5) { "eu-west-1" } else { "us-east-1" },
        });
        if is(6) {
            let all = |value: f64| json!({"p50": value, "p75": value, "p90": value, "p99": value});
            let speed = f64::from(price);
            more["perf_30m"] =
                json!({"latency": all(speed), "throughput": all(speed), "requests": 500});
        }
        if TAILS[tail].ends_with("flex") || TAILS[tail].ends_with("priority") {
            more["tier"] = json!(TAILS[tail].rsplit('/').next());
        }
        endpoints.push((tag, f64::from(price) / 1000.0, more));
    }
    snapshot(&endpoints)
}

fn past() -> impl Strategy<Value = EndpointHealth> {
    let percent = || proptest::option::of(0.0_f32..=100.0);
    let speed = || proptest::option::of(0.0_f64..1000.0);
    (any::<u8>(), 0.0_f32..=1.0, percent(), speed(), speed(), 0_u32..500, 0_u32..500).prop_map(
        |(bits, ramp, uptime_5m, latency, throughput, requests, faults)| EndpointHealth {
            outage: bits & 1 != 0,
            standing: match bits >> 6 {
                0 => Standing::HalfOpen,
                1 => Standing::Ejected { until: NOW.plus_millis(i64::from(bits) - 80) },
                _ => Standing::Fit,
            },
            cooling_until: (bits & 0b110 == 0b110).then(|| NOW.plus_millis(1000)),
            ramp,
            uptime_5m,
            latency_ms: latency.map(flat),
            throughput: throughput.map(flat),
            requests_30m: requests,
            tool_requests_2h: requests,
            tool_faults_2h: faults,
            ..EndpointHealth::default()
        },
    )
}

fn names() -> impl Strategy<Value = Vec<String>> {
    let name = (0..PROVIDERS.len(), 0..TAILS.len())
        .prop_map(|(provider, tail)| format!("{}{}", PROVIDERS[provider], TAILS[tail]));
    proptest::collection::hash_set(name, 0..4).prop_map(|set| {
        let mut names: Vec<String> = set.into_iter().collect();
        names.sort();
        names
    })
}

fn sort() -> impl Strategy<Value = Option<SortBy>> {
    prop_oneof![
        Just(None),
        Just(Some(SortBy::Price)),
        Just(Some(SortBy::Throughput)),
        Just(Some(SortBy::Latency)),
        Just(Some(SortBy::Exacto)),
    ]
}

fn wishes() -> impl Strategy<Value = ProviderPreferences> {
    (names(), proptest::option::of(names()), names(), sort(), any::<u8>(), 0.0_f64..500.0).prop_map(
        |(order, only, ignore, sort, bits, least)| {
            let is = |bit: u8| bits & (1 << bit) != 0;
            let mut wishes = ProviderPreferences {
                order: if is(0) { order } else { Vec::new() },
                only: only.filter(|_| is(1)),
                ignore: if is(2) { ignore } else { Vec::new() },
                allow_fallbacks: !is(3),
                zdr: is(4) && is(5),
                deny_data_collection: is(4) && is(6),
                sort,
                across_models: is(7),
                ..ProviderPreferences::default()
            };
            wishes.preferred_min_throughput.p50 = is(6).then_some(least);
            wishes
        },
    )
}

fn account() -> impl Strategy<Value = AccountPolicy> {
    (names(), names(), sort(), any::<u16>()).prop_map(|(allowed, ignored, default_sort, bits)| {
        let is = |bit: u8| bits & (1 << bit) != 0;
        let key = |at: usize| {
            Arc::new(ByokKey {
                id: format!("k{at}"),
                label: format!("k{at}"),
                provider: PROVIDERS[at % PROVIDERS.len()].into(),
                prioritized: is(8),
                always_use: is(9),
                sort_order: u32::MAX - u32::try_from(at).unwrap(),
                allowed_models: is(10).then(|| vec!["*/m".into()]),
                ..ByokKey::default()
            })
        };
        AccountPolicy {
            allowed_providers: (is(0) && is(1)).then_some(allowed).into_iter().collect(),
            ignored_providers: if is(2) { ignored } else { Vec::new() },
            zdr: ZdrGroups { other: is(3) && is(4), ..ZdrGroups::default() },
            deny_paid_training: is(5),
            default_sort: default_sort.filter(|_| is(6)),
            region: (is(7) && is(0)).then(|| "eu".into()),
            byok: (0..usize::from(bits >> 13)).map(key).collect(),
            ..AccountPolicy::default()
        }
    })
}

#[derive(Debug)]
struct Case {
    rows: Vec<Row>,
    healths: Vec<EndpointHealth>,
    wishes: ProviderPreferences,
    account: AccountPolicy,
    /// Models, tier, variants, tools, stickiness.
    bits: u16,
    dice: u64,
}

fn case() -> impl Strategy<Value = Case> {
    let row = (0..PROVIDERS.len(), 0..TAILS.len(), any::<bool>(), 0_u16..5000, any::<u8>());
    let rows = proptest::collection::vec(row, 0..40);
    let healths = proptest::collection::vec(past(), 1..12);
    (rows, healths, wishes(), account(), any::<u16>(), any::<u64>()).prop_map(
        |(rows, healths, wishes, account, bits, dice)| Case {
            rows,
            healths,
            wishes,
            account,
            bits,
            dice,
        },
    )
}

fn requirements(case: &Case, catalog: &Snapshot) -> Requirements {
    let is = |bit: u8| case.bits & (1 << bit) != 0;
    let models: &[&str] = match (is(0), is(1)) {
        (false, _) => &["acme/m"],
        (true, false) => &["acme/m", "acme/other"],
        (true, true) => &["acme/m", "acme/m:floor", "acme/other"],
    };
    let mut request = for_models(catalog, models, json!({}));
    request.provider = case.wishes.clone();
    request.account = Arc::new(case.account.clone());
    request.tier = match (is(2), is(3), is(4)) {
        (true, true, false) => TierWish::Tier(Tier::Flex),
        (true, false, true) => TierWish::Tier(Tier::Priority),
        (false, true, true) => TierWish::Default,
        _ => TierWish::Unsaid,
    };
    if let Some(floor) = request.models.get_mut(1).filter(|_| is(5)) {
        floor.sort = Some(SortBy::Price);
        floor.admits = Some(Tier::Flex);
    }
    if is(6) {
        request.content.parameters.insert(signalbox_core::Parameter::Tools);
    }
    if is(7) {
        let endpoints = catalog.endpoints("acme/m");
        request.sticky =
            endpoints.get(usize::from(case.bits >> 8)).map(|one| one.id.as_str().into());
    }
    request
}

fn pasts(case: &Case, catalog: &Snapshot) -> Past {
    let mut past = Past::default();
    let mut healths = case.healths.iter().cycle();
    for model in ["acme/m", "acme/other"] {
        for endpoint in catalog.endpoints(model) {
            past.0.insert(endpoint.tag.clone(), *healths.next().unwrap());
            for key in &case.account.byok {
                let name = format!("{}+{}", endpoint.tag, key.id);
                past.0.insert(name, *healths.next().unwrap());
            }
        }
    }
    past
}

/// What stands where, as text: two plans are the same when this is.
fn shown(request: &Requirements, plan: &Plan) -> String {
    serde_json::to_string(&explain::shown(request, plan)).unwrap()
}

type Seat = (String, Option<String>);

fn seats(plan: &Plan) -> (Vec<Seat>, Vec<Seat>) {
    let candidate = |one: &signalbox_policy::Candidate| {
        (one.endpoint.id.clone(), one.byok.as_ref().map(|key| key.id.clone()))
    };
    let verdict = |one: &signalbox_policy::Verdict| {
        (one.endpoint.id.clone(), one.byok.as_ref().map(|key| key.id.clone()))
    };
    (plan.candidates.iter().map(candidate).collect(), plan.excluded.iter().map(verdict).collect())
}

fn check(case: &Case) -> Result<(), TestCaseError> {
    let catalog = catalogue(&case.rows);
    let request = requirements(case, &catalog);
    let past = pasts(case, &catalog);
    let plan = plan(&request, &catalog, &past, NOW, case.dice);
    let again = signalbox_policy::plan(&request, &catalog, &past, NOW, case.dice);
    prop_assert_eq!(shown(&request, &plan), shown(&request, &again));

    // Each endpoint with a credential is in it once.
    let (candidates, excluded) = seats(&plan);
    let all: HashSet<_> = candidates.iter().chain(&excluded).cloned().collect();
    prop_assert_eq!(all.len(), candidates.len() + excluded.len(), "twice: {:?}", plan);
    for wanted in &request.models {
        for endpoint in catalog.endpoints(&wanted.model.id) {
            let seat = (endpoint.id.clone(), None);
            prop_assert!(all.contains(&seat), "{} is nowhere", endpoint.id);
        }
    }

    // What the caller forbids never happens.
    let (wishes, account) = (&request.provider, &request.account);
    for one in &plan.candidates {
        let endpoint = &one.endpoint;
        let named = |names: &[String]| names.iter().any(|name| endpoint.matches(name));
        prop_assert!(!named(&wishes.ignore) && !named(&account.ignored_providers));
        prop_assert!(wishes.only.as_deref().is_none_or(named));
        prop_assert!(account.allowed_providers.iter().all(|list| named(list)));
        prop_assert!(!(wishes.zdr || account.zdr.other) || endpoint.data_policy.zdr);
        prop_assert!(
            !account.deny_paid_training
                || !endpoint.data_policy.training
                || endpoint.prices.is_free()
        );
        prop_assert!(wishes.allow_fallbacks || wishes.order.is_empty() || named(&wishes.order));
        prop_assert!(one.byok.is_some() || endpoint.blocked.is_none());
        prop_assert!(one.byok.as_ref().is_none_or(|key| key.provider == endpoint.provider));
        let barred = account
            .byok
            .iter()
            .any(|key| key.prioritized && key.always_use && key.fits(endpoint, &one.model));
        prop_assert!(one.byok.is_some() || !barred);
    }

    // The past moves endpoints; only a cool-down takes one out or lets another in.
    let unknown = signalbox_policy::plan(&request, &catalog, &Unknown, NOW, case.dice);
    let cooled = plan.excluded.iter().any(|one| one.rule == "cooling");
    let strict = !wishes.allow_fallbacks;
    let (full, _) = seats(&unknown);
    if !cooled && !strict && full.len() < limits::MAX_ATTEMPTS / request.models.len() {
        let set = |seats: Vec<Seat>| seats.into_iter().collect::<HashSet<_>>();
        prop_assert_eq!(set(candidates), set(full));
    }

    // Every verdict, place and note has words, and an empty plan an error.
    prop_assert!(plan.excluded.iter().all(|one| !one.detail(&request).is_empty()));
    prop_assert!(plan.candidates.iter().all(|one| !one.place.text().is_empty()));
    if plan.candidates.is_empty() {
        let error = explain::nothing_left(&request, &plan, &catalog);
        prop_assert!(error.availability.is_some() && !error.message.is_empty());
    }
    Ok(())
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn every_plan_is_whole_and_obeys(case in case()) {
        check(&case)?;
    }
}
