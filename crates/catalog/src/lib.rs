//! Floor 1: what can be called, by whom it is served and what it costs.
//!
//! Models, endpoints, providers, their prices and policies; the slug grammar; the embedded data; and
//! the [`Snapshot`] that a request reads. Pure: nothing here does IO or reads a clock.

pub mod config;
pub mod dialect;
mod embedded;
pub mod endpoint;
pub mod error;
pub mod family;
pub mod listing;
pub mod model;
pub mod placeholder;
pub mod prices;
pub mod provider;
pub mod slug;
pub mod snapshot;
mod task;

pub use config::{ConfiguredCatalogue, ConfiguredEndpoint, ConfiguredModel, ProviderRow};
pub use dialect::Dialect;
pub use endpoint::{Blocked, DataPolicy, Endpoint, EndpointScore, Percentiles, Perf, Quantization};
pub use error::CatalogueError;
pub use family::{Family, Manner};
pub use model::{AuthorGroup, Modality, Model, ModelStatus};
pub use provider::{Provider, Resource, Speaks, Transport, Verified, Watch};
pub use slug::{Reference, Variant};
pub use snapshot::{Catalogue, Lookup, Snapshot};
pub use task::Task;
