//! The immutable catalogue that a request reads.

mod alias;
mod build;
mod hints;
mod lookup;

use std::collections::HashSet;
use std::sync::{Arc, OnceLock};

use bytes::Bytes;
use signalbox_core::FastMap;

use crate::family::{self, Family, Manner};
use crate::{
    CatalogueError, ConfiguredCatalogue, Dialect, Endpoint, Model, Provider, Speaks, Variant,
};

/// Plain rows, before they are joined and indexed.
#[derive(Debug, Clone, Default)]
pub struct Catalogue {
    /// All models, in the order of the listing.
    pub models: Vec<Model>,
    /// All endpoints; those of one model in the order of its listing.
    pub endpoints: Vec<Endpoint>,
    /// All providers, by slug.
    pub providers: Vec<Provider>,
    /// Further slugs of models: older or shorter spelling to id.
    pub legacy: Vec<(String, String)>,
    /// What families of models want to be told differently.
    pub families: Vec<Family>,
}

/// What a slug stands for.
#[derive(Debug, Clone, PartialEq)]
pub enum Lookup<'a> {
    /// A model that may be called; aliases are already resolved.
    Found {
        /// The concrete model.
        model: &'a Arc<Model>,
        /// The dynamic suffixes, in the order given, each once.
        variants: Vec<Variant>,
    },
    /// A model that nobody serves any more, or a moving alias that stands for no visible one.
    Deprecated(&'a Arc<Model>),
    /// A `:free` variant that has ended; the paid model goes on.
    FreeEnded {
        /// The model without `:free`.
        paid: &'a Arc<Model>,
    },
    /// No such model.
    Unknown,
}

/// Models, endpoints and providers, joined and indexed. Built whole, then only read.
#[derive(Debug, Default)]
pub struct Snapshot {
    models: Vec<Arc<Model>>,
    providers: Vec<Arc<Provider>>,
    by_id: FastMap<String, Arc<Model>>,
    /// Canonical and legacy slugs to ids.
    slugs: FastMap<String, String>,
    by_slug: FastMap<String, Arc<Provider>>,
    by_model: FastMap<String, Vec<Arc<Endpoint>>>,
    families: Vec<Family>,
    /// Providers' own names of models, without a slash, to ids; only those that mean one model.
    native: FastMap<String, String>,
    /// What resemblance is measured by, made when a slug is first unknown.
    names: OnceLock<Vec<hints::Name>>,
    /// The default answer of `/models`, rendered when it is first asked for.
    pub(crate) default_models: OnceLock<Bytes>,
}

impl Snapshot {
    /// The built-in rows. An error means that the committed data is bad, which a test rules out.
    pub fn embedded() -> Result<Catalogue, CatalogueError> {
        crate::embedded::load()
    }

    /// Joins the rows, lays the configuration on top and indexes the result.
    ///
    /// `credentials` holds the slugs of providers that have a key. Endpoints of the others are
    /// listed but not routable.
    pub fn build(
        catalogue: Catalogue,
        config: ConfiguredCatalogue,
        credentials: &HashSet<String>,
    ) -> Result<Self, CatalogueError> {
        build::build(catalogue, &config, credentials)
    }

    /// What a slug stands for (inference spec 1.1). Presets are split off before, by
    /// [`crate::Reference`].
    #[must_use]
    pub fn lookup(&self, slug: &str) -> Lookup<'_> {
        lookup::lookup(self, slug)
    }

    /// The model that its providers call by this bare name, such as `claude-opus-4-7`: clients of a
    /// provider's own kind send it (inference spec 21.1).
    #[must_use]
    pub fn native(&self, name: &str) -> Option<&Arc<Model>> {
        self.by_id.get(self.native.get(name)?)
    }

    /// The row with exactly this id, alias rows included.
    #[must_use]
    pub fn model(&self, id: &str) -> Option<&Arc<Model>> {
        self.by_id.get(id)
    }

    /// The endpoints of a model, in the order of its listing; empty when there are none.
    #[must_use]
    pub fn endpoints(&self, model_id: &str) -> &[Arc<Endpoint>] {
        self.by_model.get(model_id).map_or(&[], Vec::as_slice)
    }

    /// The provider with this slug.
    #[must_use]
    pub fn provider(&self, slug: &str) -> Option<&Arc<Provider>> {
        self.by_slug.get(slug)
    }

    /// The dialect of an endpoint and how its provider speaks it.
    #[must_use]
    pub fn speaks(&self, endpoint: &Endpoint) -> Option<&Speaks> {
        speaks(self.provider(&endpoint.provider)?, endpoint)
    }

    /// How an endpoint is spoken to beyond what its dialect and provider say.
    #[must_use]
    pub fn manner(&self, endpoint: &Endpoint) -> Manner {
        let base = self.model(&endpoint.model).map_or(endpoint.model.as_str(), |one| &one.base);
        self.speaks(endpoint).map_or_else(Manner::new, |speaks| {
            family::manner(&self.families, endpoint, base, speaks.dialect)
        })
    }

    /// Whether the gateway can call the endpoint.
    #[must_use]
    pub fn is_routable(&self, endpoint: &Endpoint) -> bool {
        endpoint.blocked.is_none()
    }

    /// All models, aliases, routers and retired ones included, in the order of the listing.
    pub fn models(&self) -> impl ExactSizeIterator<Item = &Arc<Model>> {
        self.models.iter()
    }

    /// All providers, by slug.
    pub fn providers(&self) -> impl ExactSizeIterator<Item = &Arc<Provider>> {
        self.providers.iter()
    }

    /// Up to three ids of live models whose names resemble an unknown slug, best first. None for a slug
    /// that is longer than any can be.
    #[must_use]
    pub fn models_named_like(&self, slug: &str) -> Vec<String> {
        hints::similar(self, slug)
    }
}

/// The dialect of an endpoint, as its provider speaks it: the one that the endpoint names, else the
/// provider's first; always one of the endpoint's task.
fn speaks<'a>(provider: &'a Provider, endpoint: &Endpoint) -> Option<&'a Speaks> {
    if endpoint.own_protocol {
        return None;
    }
    let fits = |dialect: Dialect| dialect.task() == endpoint.task;
    match endpoint.dialect.filter(|dialect| fits(*dialect)) {
        Some(dialect) => provider.in_dialect(dialect),
        None => provider.speaks.iter().find(|one| fits(one.dialect)),
    }
}
