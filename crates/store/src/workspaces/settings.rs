//! What a workspace presets.

use serde::{Deserialize, Serialize};

/// What a workspace presets for its requests, and what it lets be kept of them (platform spec 1.5).
/// Stored as JSON; what is absent there has its default.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct WorkspaceSettings {
    /// The model of text requests that name none.
    pub default_text_model: Option<String>,
    /// The model of image requests that name none.
    pub default_image_model: Option<String>,
    /// The order of providers for requests that ask for none: `price`, `throughput`, `latency` or
    /// `exacto`.
    pub default_provider_sort: Option<String>,
    /// The part of requests whose input and output is kept, from 0.0001 to 1.
    pub io_logging_sampling_rate: f64,
    /// The numbers of the keys that this is done for; `None` for all.
    pub io_logging_api_key_ids: Option<Vec<u64>>,
    /// Whether input and output are kept for the workspace's own people.
    pub is_observability_io_logging_enabled: bool,
    /// Whether requests are told to the workspace's destinations.
    pub is_observability_broadcast_enabled: bool,
    /// Whether the platform may use input and output, for a discount.
    pub is_data_discount_logging_enabled: bool,
}

impl Default for WorkspaceSettings {
    fn default() -> Self {
        Self {
            default_text_model: None,
            default_image_model: None,
            default_provider_sort: None,
            io_logging_sampling_rate: 1.0,
            io_logging_api_key_ids: None,
            is_observability_io_logging_enabled: false,
            is_observability_broadcast_enabled: false,
            is_data_discount_logging_enabled: false,
        }
    }
}
