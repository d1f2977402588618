//! What a test server sells: models whose endpoints are behaviours of the simulator.

use std::collections::{HashMap, HashSet};

use serde_json::{Value, json};
use signalbox_catalog::{Catalogue, ConfiguredCatalogue, Snapshot};
use signalbox_gateway::World;

/// Tokens that fit into every model.
const CONTEXT: u64 = 32_768;

/// The catalogue of a test server.
#[derive(Debug, Clone, Default)]
pub struct Offer {
    embedded: bool,
    addresses: HashMap<String, String>,
    models: Vec<(String, Vec<Stand>)>,
    outputs: HashMap<String, &'static str>,
    dialects: HashMap<String, Value>,
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
    pub fn model(mut self, id: &str, stands: impl IntoIterator<Item = Stand>) -> Self {
        self.models.push((id.to_owned(), stands.into_iter().collect()));
        self
    }

    /// With one more model, which writes something else than text, such as `embeddings`.
    #[must_use]
    pub fn model_for(
        mut self,
        output: &'static str,
        id: &str,
        stands: impl IntoIterator<Item = Stand>,
    ) -> Self {
        self.outputs.insert(id.to_owned(), output);
        self.model(id, stands)
    }

    /// A provider that speaks this dialect alone.
    #[must_use]
    pub fn speaking(self, slug: &str, dialect: &str) -> Self {
        self.speaking_as(slug, json!([{"dialect": dialect, "transport": "none"}]))
    }

    /// A provider with these `speaks` rows.
    #[must_use]
    pub fn speaking_as(mut self, slug: &str, rows: Value) -> Self {
        self.dialects.insert(slug.to_owned(), rows);
        self
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
            let output = self.outputs.get(model).copied().unwrap_or("text");
            let row = json!({
                "id": model, "name": model, "context_length": CONTEXT, "output_modalities": [output],
            });
            rows.models.push(serde_json::from_value(row).expect("a model row"));
            for stand in stands {
                if seen.insert(stand.provider.clone()) {
                    rows.providers.push(self.provider(&stand.provider, simulator));
                }
                let mut row = stand.row.clone();
                row["model"] = json!(model);
                rows.endpoints.push(serde_json::from_value(row).expect("an endpoint row"));
            }
        }
        let below = if self.embedded {
            Snapshot::embedded().expect("the built-in catalogue")
        } else {
            Catalogue::default()
        };
        let catalog = Snapshot::build(below, rows, &HashSet::new()).expect("a catalogue");
        World::new(catalog, &HashMap::new()).expect("a world")
    }

    fn provider(&self, slug: &str, simulator: &str) -> signalbox_catalog::ProviderRow {
        let base = self.addresses.get(slug).map_or(simulator, String::as_str);
        let mut row = json!({
            "slug": slug, "name": format!("Provider {slug}"), "base_url": base, "transport": "none",
        });
        if let Some(rows) = self.dialects.get(slug) {
            row["speaks"] = rows.clone();
        }
        serde_json::from_value(row).expect("a provider row")
    }
}
