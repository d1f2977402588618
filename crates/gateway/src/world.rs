//! The immutable value that a request sees: the catalogue, and how to reach each provider.

use std::collections::HashMap;
use std::sync::Arc;

use signalbox_catalog::{Dialect, Snapshot};
use signalbox_core::Secret;
use signalbox_dialect::patch::{Patch, Patches};
use signalbox_upstream::{Credential, Target};

/// How one provider is called.
#[derive(Debug)]
pub struct Road {
    /// Address and authentication.
    pub target: Target,
    /// Edits of every request body.
    pub patches: Patches,
}

/// A catalogue snapshot with a road to every provider that has a credential.
#[derive(Debug)]
pub struct World {
    /// The catalogue.
    pub catalog: Snapshot,
    roads: HashMap<String, Arc<Road>>,
}

/// A provider row that can't be used as it stands.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("provider {provider}: {problem}")]
pub struct WorldError {
    /// The row.
    pub provider: String,
    /// What is wrong with it.
    pub problem: String,
}

impl World {
    /// Compiles the rows of every provider in the catalogue.
    ///
    /// # Errors
    /// The first row whose patches don't compile, or whose address or credential is malformed. A
    /// provider whose transport is not spoken yet has no road, which is no error.
    pub fn new(
        catalog: Snapshot,
        credentials: &HashMap<String, Secret<String>>,
    ) -> Result<Self, WorldError> {
        let mut roads = HashMap::new();
        for provider in catalog.providers() {
            let spoken = provider.speaks.iter().find(|one| one.dialect == Dialect::OpenaiChat);
            let Some(speaks) = spoken else { continue };
            let wrong = |problem: String| WorldError { provider: provider.slug.clone(), problem };
            let rows = speaks.patches.iter().cloned().map(serde_json::from_value::<Patch>);
            let patches: Patches =
                rows.collect::<Result<_, _>>().map_err(|error| wrong(error.to_string()))?;
            let key = credentials.get(&provider.slug);
            let open = speaks.transport == signalbox_catalog::Transport::None;
            // The catalogue calls these blocked, each with its reason.
            let called = speaks.transport.is_served() && provider.base_url.is_some();
            if !called || (key.is_none() && !open) {
                continue;
            }
            let credential = key.map(Credential::parse).transpose();
            let credential = credential.map_err(|error| wrong(error.to_string()))?;
            let target = Target::new(provider, Dialect::OpenaiChat, credential.as_ref())
                .map_err(|error| wrong(error.to_string()))?;
            roads.insert(provider.slug.clone(), Arc::new(Road { target, patches }));
        }
        Ok(Self { catalog, roads })
    }

    /// The road to a provider.
    #[must_use]
    pub fn road(&self, provider: &str) -> Option<&Arc<Road>> {
        self.roads.get(provider)
    }
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use signalbox_catalog::{Catalogue, ConfiguredCatalogue};

    use super::*;

    #[test]
    fn a_transport_that_is_not_spoken_yet_does_not_stop_the_process() {
        let rows = serde_json::json!({"providers": [
            {"slug": "cloud", "base_url": "https://cloud.invalid", "speaks": [
                {"dialect": "openai-chat", "transport": "vertex"}]},
            {"slug": "local", "base_url": "http://127.0.0.1:1"},
        ]});
        let configured: ConfiguredCatalogue = serde_json::from_value(rows).unwrap();
        let keys: HashSet<String> = ["cloud", "local"].map(String::from).into();
        let secrets = keys.iter().map(|slug| (slug.clone(), Secret::new("key".to_owned())));
        let secrets: HashMap<_, _> = secrets.collect();
        let catalog = Snapshot::build(Catalogue::default(), configured, &keys).unwrap();
        let world = World::new(catalog, &secrets).unwrap();
        assert!(world.road("cloud").is_none() && world.road("local").is_some());
    }
}
