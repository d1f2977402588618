//! What a workspace presets of plugins and routing.

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

/// The defaults that requests of a workspace get (inference spec 8.1, 13.1; platform spec, the pages
/// of a workspace). Stored as JSON.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct WorkspaceDefaults {
    /// Plugins, each id once; the settings of routers are entries of plugins too.
    pub plugins: Vec<PluginDefault>,
    /// Whether a request may ask for another order of providers than the workspace's, where it has one.
    pub prevent_sort_overrides: bool,
}

/// The default of one plugin.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct PluginDefault {
    /// Its id, such as `auto-router`.
    pub id: String,
    /// Whether it is on for requests that don't speak of it.
    #[serde(default = "on")]
    pub enabled: bool,
    /// What of it a request can't change.
    #[serde(default)]
    pub prevent_overrides: Final,
    /// Its settings: the other members of its entry in a request.
    #[serde(default)]
    pub settings: Map<String, Value>,
}

const fn on() -> bool {
    true
}

/// What of a default is final.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(untagged)]
pub enum Final {
    /// All of it, or nothing.
    All(bool),
    /// These settings of a router.
    Fields(Vec<String>),
}

impl Default for Final {
    fn default() -> Self {
        Self::All(false)
    }
}
