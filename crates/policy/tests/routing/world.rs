//! Small catalogues, requests for them, and a past that a test writes down.

use std::collections::{HashMap, HashSet};
use std::sync::Arc;

use serde_json::{Value, json};
use signalbox_catalog::{Catalogue, ConfiguredCatalogue, Endpoint, Lookup, Percentiles, Snapshot};
use signalbox_core::{Parameter, Timestamp};
use signalbox_policy::health::{EndpointHealth, Health, Unknown};
use signalbox_policy::{
    AccountPolicy, Content, Plan, ProviderPreferences, Requirements, Wanted, plan,
};

pub const NOW: Timestamp = Timestamp::from_seconds(1_000_000);

/// Endpoints of `acme/m` (and of what `more["model"]` says) at USD per million tokens. The provider is
/// the tag's first part; all have a credential but those whose slug begins with `keyless`.
pub fn snapshot(endpoints: &[(&str, f64, Value)]) -> Snapshot {
    let mut providers = Vec::new();
    let mut models = vec![json!({"id": "acme/m", "context_length": 1000})];
    let mut rows = Vec::new();
    for (tag, price, more) in endpoints {
        let slug = tag.split('/').next().unwrap();
        if !providers.iter().any(|one: &Value| one["slug"] == slug) {
            providers.push(json!({"slug": slug, "base_url": "http://127.0.0.1:1/v1"}));
        }
        let price = format!("{:.15}", price / 1e6);
        let mut row = json!({
            "model": "acme/m", "provider": slug, "tag": tag, "provider_model_id": "m",
            "pricing": {"prompt": price, "completion": price},
        });
        for (key, value) in more.as_object().unwrap() {
            row[key] = value.clone();
        }
        if !models.iter().any(|one| one["id"] == row["model"]) {
            models.push(json!({"id": row["model"], "context_length": 1000}));
        }
        rows.push(row);
    }
    let slugs = providers.iter().map(|one| one["slug"].as_str().unwrap().to_owned());
    let keys: HashSet<String> = slugs.filter(|slug| !slug.starts_with("keyless")).collect();
    let rows = json!({"providers": providers, "models": models, "endpoints": rows});
    let configured: ConfiguredCatalogue = serde_json::from_value(rows).unwrap();
    Snapshot::build(Catalogue::default(), configured, &keys).unwrap()
}

/// Endpoints with nothing but a price.
pub fn plain(endpoints: &[(&str, f64)]) -> Snapshot {
    let rows: Vec<_> = endpoints.iter().map(|(tag, price)| (*tag, *price, json!({}))).collect();
    snapshot(&rows)
}

pub fn wanted(catalog: &Snapshot, slug: &str) -> Wanted {
    match catalog.lookup(slug) {
        Lookup::Found { model, .. } => {
            Wanted { requested: slug.into(), model: model.clone(), sort: None, admits: None }
        }
        other => panic!("{slug}: {other:?}"),
    }
}

pub fn request(catalog: &Snapshot, provider: Value) -> Requirements {
    for_models(catalog, &["acme/m"], provider)
}

pub fn for_models(catalog: &Snapshot, models: &[&str], provider: Value) -> Requirements {
    Requirements {
        models: models.iter().map(|slug| wanted(catalog, slug)).collect(),
        provider: ProviderPreferences::from_json(Some(&provider.to_string())).unwrap(),
        content: Content { prompt_tokens_expected: 100, ..Content::default() },
        ..Requirements::default()
    }
}

pub fn with_tools(mut request: Requirements) -> Requirements {
    request.content.parameters.insert(Parameter::Tools);
    request
}

pub fn with_account(mut request: Requirements, account: AccountPolicy) -> Requirements {
    request.account = Arc::new(account);
    request
}

pub fn planned(request: &Requirements, catalog: &Snapshot) -> Plan {
    plan(request, catalog, &Unknown, NOW, 1)
}

/// The candidates as `tag`, or `tag+key` with a key of the caller's own.
pub fn tags(plan: &Plan) -> Vec<String> {
    let name = |one: &signalbox_policy::Candidate| match &one.byok {
        Some(key) => format!("{}+{}", one.endpoint.tag, key.id),
        None => one.endpoint.tag.clone(),
    };
    plan.candidates.iter().map(name).collect()
}

/// The rules that ruled endpoints out, by tag, with `+key` as in [`tags`].
pub fn rules(plan: &Plan) -> HashMap<String, &'static str> {
    let name = |one: &signalbox_policy::Verdict| match &one.byok {
        Some(key) => format!("{}+{}", one.endpoint.tag, key.id),
        None => one.endpoint.tag.clone(),
    };
    plan.excluded.iter().map(|one| (name(one), one.rule)).collect()
}

/// The past of endpoints by tag, or `tag+key`; what is not in it is healthy and unknown.
#[derive(Debug, Default)]
pub struct Past(pub HashMap<String, EndpointHealth>);

impl Past {
    pub fn of(rows: &[(&str, EndpointHealth)]) -> Self {
        Self(rows.iter().map(|(tag, health)| ((*tag).to_owned(), *health)).collect())
    }
}

impl Health for Past {
    fn of(&self, endpoint: &Endpoint, credential: Option<&str>, _: Timestamp) -> EndpointHealth {
        let name = match credential {
            Some(key) => format!("{}+{key}", endpoint.tag),
            None => endpoint.tag.clone(),
        };
        self.0.get(&name).copied().unwrap_or_default()
    }
}

pub fn uptime(percent: f32) -> EndpointHealth {
    EndpointHealth { uptime_5m: Some(percent), ..EndpointHealth::default() }
}

pub fn flat(value: f64) -> Percentiles {
    Percentiles { p50: value, p75: value, p90: value, p99: value }
}
