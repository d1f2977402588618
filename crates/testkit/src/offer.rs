//! What a test server sells: models whose endpoints are behaviours of the simulator.

use std::collections::{HashMap, HashSet};

use serde_json::{Value, json};
use signalbox_catalog::{Catalogue, ConfiguredCatalogue, Snapshot};
use signalbox_core::Secret;
use signalbox_gateway::World;

/// Tokens that fit into every model.
const CONTEXT: u64 = 32_768;

/// What stands for the simulator's base URL in rows and credentials.
const SIMULATOR: &str = "{simulator}";

/// The catalogue of a test server.
#[derive(Debug, Clone, Default)]
pub struct Offer {
    embedded: bool,
    addresses: HashMap<String, String>,
    providers: HashMap<String, Value>,
    credentials: HashMap<String, String>,
    models: Vec<(Value, Vec<Stand>)>,
}

/// One endpoint: a provider, and what it does.
#[derive(Debug, Clone)]
pub struct Stand {
    provider: String,
    row: Value,
}

impl Stand {
    /// An endpoint of a provider that behaves as the simulator's vocabulary says. It costs a
    /// millionth of a dollar per prompt token and two per output token, and can be told to stop.
    #[must_use]
    pub fn new(provider: &str, behaviour: &str) -> Self {
        let row = json!({
            "provider": provider, "provider_model_id": behaviour, "can_abort": true,
            "pricing": {"prompt": "0.000001", "completion": "0.000002"},
        });
        Self { provider: provider.to_owned(), row }
    }

    /// The same with another member of its catalogue row, such as `can_abort` or `pricing`.
    #[must_use]
    pub fn with(mut self, member: &str, value: Value) -> Self {
        self.row[member] = value;
        self
    }
}

impl Offer {
    /// Nothing yet.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// With the built-in catalogue underneath, of which nothing can be called.
    #[must_use]
    pub fn embedded(mut self) -> Self {
        self.embedded = true;
        self
    }

    /// With one more model.
    #[must_use]
    pub fn model(self, id: &str, stands: impl IntoIterator<Item = Stand>) -> Self {
        self.model_with(id, json!({}), stands)
    }

    /// With one more model whose row has further members, such as `input_modalities`.
    #[must_use]
    pub fn model_with(
        mut self,
        id: &str,
        members: Value,
        stands: impl IntoIterator<Item = Stand>,
    ) -> Self {
        let mut row = json!({"id": id, "name": id, "context_length": CONTEXT});
        overlay(&mut row, members);
        self.models.push((row, stands.into_iter().collect()));
        self
    }

    /// A provider whose row has further members, such as `speaks`. `{simulator}` in them is the
    /// simulator's base URL.
    #[must_use]
    pub fn provider(mut self, slug: &str, members: Value) -> Self {
        self.providers.insert(slug.to_owned(), members);
        self
    }

    /// The credential of a provider, as it would be configured. `{simulator}` in it is the
    /// simulator's base URL.
    #[must_use]
    pub fn credential(mut self, slug: &str, credential: &str) -> Self {
        self.credentials.insert(slug.to_owned(), credential.to_owned());
        self
    }

    /// With one more model, which writes something else than text, such as `embeddings`.
    #[must_use]
    pub fn model_for(
        self,
        output: &str,
        id: &str,
        stands: impl IntoIterator<Item = Stand>,
    ) -> Self {
        self.model_with(id, json!({"output_modalities": [output]}), stands)
    }

    /// A provider that speaks this dialect alone.
    #[must_use]
    pub fn speaking(self, slug: &str, dialect: &str) -> Self {
        self.speaking_as(slug, json!([{"dialect": dialect, "transport": "none"}]))
    }

    /// A provider with these `speaks` rows.
    #[must_use]
    pub fn speaking_as(self, slug: &str, rows: Value) -> Self {
        let name = format!("Provider {slug}");
        self.provider(slug, json!({"name": name, "transport": "none", "speaks": rows}))
    }

    /// A provider that is somewhere else than the simulator: at `http://ADDRESS/v1`.
    #[must_use]
    pub fn provider_at(mut self, slug: &str, address: &str) -> Self {
        self.addresses.insert(slug.to_owned(), format!("http://{address}/v1"));
        self
    }

    /// Catalogue and roads, with the simulator at this base URL.
    pub(crate) fn world(&self, simulator: &str) -> World {
        let mut rows = ConfiguredCatalogue::default();
        let mut seen = HashSet::new();
        for (model, stands) in &self.models {
            rows.models.push(serde_json::from_value(model.clone()).expect("a model row"));
            for stand in stands {
                if seen.insert(stand.provider.clone()) {
                    rows.providers.push(self.provider_row(&stand.provider, simulator));
                }
                let mut row = stand.row.clone();
                row["model"] = model["id"].clone();
                rows.endpoints.push(serde_json::from_value(row).expect("an endpoint row"));
            }
        }
        let below = if self.embedded {
            Snapshot::embedded().expect("the built-in catalogue")
        } else {
            Catalogue::default()
        };
        let paid: HashSet<String> = self.credentials.keys().cloned().collect();
        let catalog = Snapshot::build(below, rows, &paid).expect("a catalogue");
        let secrets = self
            .credentials
            .iter()
            .map(|(slug, text)| (slug.clone(), Secret::new(text.replace(SIMULATOR, simulator))));
        World::new(catalog, &secrets.collect()).expect("a world")
    }

    fn provider_row(&self, slug: &str, simulator: &str) -> signalbox_catalog::ProviderRow {
        let base = self.addresses.get(slug).map_or(simulator, String::as_str);
        let mut row = match self.providers.get(slug) {
            // Only what is written stands over a built-in row.
            Some(_) => json!({"slug": slug, "base_url": base}),
            None => json!({
                "slug": slug, "name": format!("Provider {slug}"), "base_url": base,
                "transport": "none",
            }),
        };
        if let Some(members) = self.providers.get(slug) {
            let text = members.to_string().replace(SIMULATOR, simulator);
            overlay(&mut row, serde_json::from_str(&text).expect("members"));
        }
        serde_json::from_value(row).expect("a provider row")
    }
}

/// Puts members over those of a row.
fn overlay(row: &mut Value, members: Value) {
    if let (Some(row), Value::Object(members)) = (row.as_object_mut(), members) {
        row.extend(members);
    }
}
