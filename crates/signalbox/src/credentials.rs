//! Which providers have a key: from the configuration, or under its usual name in the environment.

use std::collections::HashMap;

use signalbox_catalog::{Catalogue, ConfiguredCatalogue};
use signalbox_core::Secret;

use crate::config::{secret, variable};
use crate::exit::Stop;

/// The credential of each provider that has one, by slug. The configuration wins.
///
/// # Errors
/// A credential that is configured but can't be had.
pub(crate) fn collect(
    built_in: &Catalogue,
    configured: &ConfiguredCatalogue,
) -> Result<HashMap<String, Secret<String>>, Stop> {
    let mut found = HashMap::new();
    for provider in &built_in.providers {
        if let Some(value) = provider.key_env.iter().find_map(|name| variable(name)) {
            found.insert(provider.slug.clone(), Secret::new(value));
        }
    }
    for row in &configured.providers {
        if let Some(written) = &row.api_key {
            let key = secret(written, &format!("providers.{}.api_key", row.slug))?;
            found.insert(row.slug.clone(), key);
        } else if let Some(value) = row.key_env.iter().flatten().find_map(|name| variable(name)) {
            found.insert(row.slug.clone(), Secret::new(value));
        }
    }
    Ok(found)
}
