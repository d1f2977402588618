//! Joining rows and configuration into a snapshot.

use std::collections::{HashMap, HashSet};
use std::sync::Arc;

use signalbox_core::{FastMap, ParameterSet};

use super::{Catalogue, Snapshot, alias};
use crate::model::ModelStatus;
use crate::task::{self, Task};
use crate::{Blocked, CatalogueError, ConfiguredCatalogue, Endpoint, Model, Provider, Transport};

pub(super) fn build(
    catalogue: Catalogue,
    config: &ConfiguredCatalogue,
    credentials: &HashSet<String>,
) -> Result<Snapshot, CatalogueError> {
    let Catalogue { models, endpoints, providers, legacy, families } = catalogue;
    let mut rows = Rows {
        models: Ordered::new(models, |model| model.id.clone()),
        endpoints: Ordered::new(endpoints, endpoint_key),
        providers: Ordered::new(providers, |provider| provider.slug.clone()),
        touched: HashSet::new(),
    };
    rows.configure(config)?;
    Ok(Snapshot { families, ..rows.finish(legacy, credentials)? })
}

fn endpoint_key(endpoint: &Endpoint) -> String {
    format!("{} {} {}", endpoint.model, endpoint.tag, endpoint.id)
}

/// Rows in order with an index by key.
struct Ordered<T> {
    rows: Vec<T>,
    index: HashMap<String, usize>,
}

impl<T> Ordered<T> {
    fn new(rows: Vec<T>, key: impl Fn(&T) -> String) -> Self {
        let index = rows.iter().enumerate().map(|(at, row)| (key(row), at)).collect();
        Self { rows, index }
    }

    fn get(&self, key: &str) -> Option<&T> {
        self.rows.get(*self.index.get(key)?)
    }

    fn put(&mut self, key: String, row: T) {
        let at = *self.index.entry(key).or_insert(self.rows.len());
        match self.rows.get_mut(at) {
            Some(slot) => *slot = row,
            None => self.rows.push(row),
        }
    }
}

struct Rows {
    models: Ordered<Model>,
    endpoints: Ordered<Endpoint>,
    providers: Ordered<Provider>,
    /// Models whose headline facts come from their endpoints.
    touched: HashSet<String>,
}

impl Rows {
    fn configure(&mut self, config: &ConfiguredCatalogue) -> Result<(), CatalogueError> {
        for row in &config.providers {
            let provider = row.apply(self.providers.get(&row.slug))?;
            self.providers.put(row.slug.clone(), provider);
        }
        for row in &config.models {
            let base = self.models.get(&row.id);
            if base.is_none() {
                self.touched.insert(row.id.clone());
            }
            let model = row.apply(base)?;
            self.models.put(row.id.clone(), model);
        }
        for row in &config.endpoints {
            let name = format!("endpoint of {:?} at {:?}", row.model, row.provider);
            let fail = |key: &str, problem: &str| CatalogueError::new(&name, key, problem);
            let model =
                self.models.get(&row.model).ok_or_else(|| fail("model", "no such model"))?;
            if matches!(model.status, ModelStatus::Alias { .. } | ModelStatus::Router) {
                return Err(fail("model", "an alias or a router has no endpoints of its own"));
            }
            let provider = self.providers.get(&row.provider);
            let provider = provider.ok_or_else(|| fail("provider", "no such provider"))?;
            let tag = row.tag();
            let base = self.endpoints.rows.iter().find(|one| {
                one.model == row.model
                    && one.tag == tag
                    && row.id.as_ref().is_none_or(|id| *id == one.id)
            });
            let endpoint = row.apply(base, model, provider)?;
            if model.status == ModelStatus::Retired {
                let mut revived = model.clone();
                revived.status = ModelStatus::Live;
                revived.public = true;
                self.touched.insert(row.model.clone());
                self.models.put(row.model.clone(), revived);
            }
            self.endpoints.put(endpoint_key(&endpoint), endpoint);
        }
        Ok(())
    }

    fn finish(
        mut self,
        legacy: Vec<(String, String)>,
        credentials: &HashSet<String>,
    ) -> Result<Snapshot, CatalogueError> {
        let mut snapshot = Snapshot::default();
        for provider in self.providers.rows {
            let provider = Arc::new(provider);
            snapshot.by_slug.insert(provider.slug.clone(), Arc::clone(&provider));
            snapshot.providers.push(provider);
        }
        for mut endpoint in self.endpoints.rows {
            let fail = |key: &str| {
                CatalogueError::new(format!("endpoint {:?}", endpoint.id), key, "no such row")
            };
            let model = self.models.get(&endpoint.model).ok_or_else(|| fail("model"))?;
            let provider = snapshot.by_slug.get(&endpoint.provider);
            let provider = provider.ok_or_else(|| fail("provider"))?;
            endpoint.task = Task::of(model);
            if endpoint.task == Task::Rerank {
                task::price_search_units(&mut endpoint);
            }
            endpoint.blocked = blocked(&endpoint, provider, credentials);
            let endpoint = Arc::new(endpoint);
            snapshot.by_model.entry(endpoint.model.clone()).or_default().push(endpoint);
        }
        for model in &mut self.models.rows {
            let endpoints = snapshot.by_model.get_mut(&model.id);
            let endpoints = endpoints.map_or(&mut [][..], Vec::as_mut_slice);
            order(endpoints, &model.provider_order);
            if self.touched.contains(&model.id) {
                headline(model, endpoints);
            }
        }
        alias::resolve(&mut self.models.rows)?;
        index_models(&mut snapshot, self.models.rows, legacy)?;
        snapshot.native = native(&snapshot);
        Ok(snapshot)
    }
}

/// What providers call models, where the name has no slash and means one model.
fn native(snapshot: &Snapshot) -> FastMap<String, String> {
    let mut names: HashMap<String, Option<String>> = HashMap::new();
    for endpoint in snapshot.by_model.values().flatten() {
        let name = &endpoint.provider_model_id;
        let base = snapshot.by_id.get(&endpoint.model).map(|model| &model.base);
        let base = base.filter(|base| snapshot.by_id.contains_key(*base)).cloned();
        if name.contains(['/', ':']) || snapshot.slugs.contains_key(name) {
            continue;
        }
        let meant = names.entry(name.clone()).or_insert_with(|| base.clone());
        if *meant != base {
            *meant = None;
        }
    }
    names.into_iter().filter_map(|(name, base)| Some((name, base?))).collect()
}

/// Why an endpoint can't be called, the most lasting reason first.
fn blocked(
    endpoint: &Endpoint,
    provider: &Provider,
    credentials: &HashSet<String>,
) -> Option<Blocked> {
    if endpoint.hidden {
        return Some(Blocked::Hidden);
    }
    if endpoint.disabled {
        return Some(Blocked::Disabled);
    }
    if endpoint.variant == "batch" {
        return Some(Blocked::Batch);
    }
    let Some(speaks) = super::speaks(provider, endpoint) else {
        return Some(Blocked::Dialect);
    };
    if !task::is_priced(endpoint) {
        return Some(Blocked::Price);
    }
    if provider.base_url.is_none() {
        return Some(Blocked::BaseUrl);
    }
    if endpoint.byok_only {
        return Some(Blocked::ByokOnly);
    }
    let keyed = speaks.transport == Transport::None || credentials.contains(&provider.slug);
    (!keyed).then_some(Blocked::Credential)
}

/// Endpoints that the model's own order names come first, in that order.
fn order(endpoints: &mut [Arc<Endpoint>], wanted: &[String]) {
    if !wanted.is_empty() {
        endpoints.sort_by_key(|endpoint| {
            wanted.iter().position(|tag| endpoint.matches(tag)).unwrap_or(usize::MAX)
        });
    }
}

/// Fills what a configured model leaves to its endpoints.
fn headline(model: &mut Model, endpoints: &[Arc<Endpoint>]) {
    let Some(first) = endpoints.first() else { return };
    if model.pricing.rates.iter().next().is_none() {
        model.pricing = first.prices.clone();
    }
    model.max_output = model.max_output.or(first.max_output);
    if model.supported_parameters.is_empty() {
        let all = endpoints.iter().flat_map(|endpoint| endpoint.supported_parameters.iter());
        model.supported_parameters = all.collect::<ParameterSet>();
    }
}

fn index_models(
    snapshot: &mut Snapshot,
    models: Vec<Model>,
    legacy: Vec<(String, String)>,
) -> Result<(), CatalogueError> {
    for model in models {
        let model = Arc::new(model);
        snapshot.by_id.insert(model.id.clone(), Arc::clone(&model));
        snapshot.models.push(model);
    }
    for model in &snapshot.models {
        let suffix = match model.variant.as_str() {
            "standard" => String::new(),
            variant => format!(":{variant}"),
        };
        let slug = format!("{}{suffix}", model.canonical_slug);
        if slug != model.id {
            snapshot.slugs.entry(slug).or_insert_with(|| model.id.clone());
        }
    }
    // A canonical slug whose model has no plain row names the row that there is.
    for model in &snapshot.models {
        let slug = &model.canonical_slug;
        if !snapshot.by_id.contains_key(slug) {
            snapshot.slugs.entry(slug.clone()).or_insert_with(|| model.id.clone());
        }
    }
    for (slug, id) in legacy {
        if !snapshot.by_id.contains_key(&id) {
            let row = format!("legacy slug {slug:?}");
            return Err(CatalogueError::new(row, "id", format!("no such model: {id:?}")));
        }
        snapshot.slugs.insert(slug, id);
    }
    Ok(())
}
