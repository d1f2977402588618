//! Rows as they are written in the configuration file and in the provider files: everything but the
//! key is optional, and what is given overrides a built-in row.

mod endpoint_row;
mod model_row;
mod provider_row;
mod speaks_row;

use serde::Deserialize;

pub use endpoint_row::ConfiguredEndpoint;
pub use model_row::ConfiguredModel;
pub use provider_row::{DataPolicyRow, ProviderRow, WrittenKey};
pub use speaks_row::SpeaksRow;

/// The catalogue part of a configuration file: `[[providers]]`, `[[models]]`, `[[endpoints]]`.
#[derive(Debug, Clone, PartialEq, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct ConfiguredCatalogue {
    /// Adds providers, or overrides built-in ones by slug.
    pub providers: Vec<ProviderRow>,
    /// Adds models, or overrides built-in ones by id.
    pub models: Vec<ConfiguredModel>,
    /// Adds endpoints, or overrides built-in ones by model, provider and tag.
    pub endpoints: Vec<ConfiguredEndpoint>,
}
