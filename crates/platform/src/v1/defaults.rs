//! `/api/v1/workspaces/{id}/defaults`: what a workspace presets of plugins and routing, besides what its
//! own object has (inference spec 8.1, 13.1).

use std::collections::HashSet;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use signalbox_core::id::AccountId;
use signalbox_store::workspaces::{Final, PluginDefault, WorkspaceDefaults};
use signalbox_store::{By, WorkspaceRecord};

use super::Data;
use crate::{Platform, PlatformError};

/// Most plugins with a default, and most final fields of one.
const MOST: usize = 32;
/// Plugins whose settings are joined one by one, so that single ones can be final.
const BY_FIELD: [&str; 3] = ["auto-router", "auto-beta-router", "pareto-router"];

/// `PATCH /workspaces/{id}/defaults`: what is absent stays; `plugins` replaces all.
#[derive(Debug, Clone, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct DefaultsWish {
    /// The defaults of plugins, each id once.
    pub plugins: Option<Vec<PluginWish>>,
    /// Whether the workspace's order of providers is final.
    pub prevent_sort_overrides: Option<bool>,
}

/// The default of one plugin.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct PluginWish {
    /// Its id.
    pub id: String,
    /// Whether it is on for requests that don't speak of it; true.
    pub enabled: Option<bool>,
    /// `true`, or the names of those settings of a router that a request can't change.
    #[schemars(with = "Option<FinalForm>")]
    pub prevent_overrides: Option<Final>,
    /// Its settings, as an entry of `plugins` has them.
    #[serde(default)]
    pub settings: Map<String, Value>,
}

/// How it is said what is final.
#[derive(JsonSchema)]
#[serde(untagged)]
#[expect(dead_code, reason = "only described")]
enum FinalForm {
    All(bool),
    Fields(Vec<String>),
}

/// What a workspace presets of plugins and routing, as it is shown.
#[derive(Debug, Clone, PartialEq, Serialize, JsonSchema)]
pub struct DefaultsObject {
    /// The defaults of plugins.
    pub plugins: Vec<PluginObject>,
    /// Whether the workspace's order of providers is final.
    pub prevent_sort_overrides: bool,
}

/// The default of one plugin, as it is shown.
#[derive(Debug, Clone, PartialEq, Serialize, JsonSchema)]
pub struct PluginObject {
    /// Its id.
    pub id: String,
    /// Whether it is on for requests that don't speak of it.
    pub enabled: bool,
    /// `true`, or the names of those settings of a router that a request can't change.
    #[schemars(with = "FinalForm")]
    pub prevent_overrides: Final,
    /// Its settings.
    pub settings: Map<String, Value>,
}

impl From<WorkspaceDefaults> for DefaultsObject {
    fn from(one: WorkspaceDefaults) -> Self {
        let plugin = |PluginDefault { id, enabled, prevent_overrides, settings }| PluginObject {
            id,
            enabled,
            prevent_overrides,
            settings,
        };
        Self {
            plugins: one.plugins.into_iter().map(plugin).collect(),
            prevent_sort_overrides: one.prevent_sort_overrides,
        }
    }
}

fn refused(text: impl Into<String>) -> PlatformError {
    PlatformError::Refused(text.into())
}

impl DefaultsWish {
    fn checked(self) -> Result<(Option<Vec<PluginDefault>>, Option<bool>), PlatformError> {
        let plugins = self.plugins.map(plugins).transpose()?;
        Ok((plugins, self.prevent_sort_overrides))
    }
}

fn plugins(wishes: Vec<PluginWish>) -> Result<Vec<PluginDefault>, PlatformError> {
    if wishes.len() > MOST {
        return Err(refused(format!("plugins: at most {MOST}")));
    }
    let mut seen = HashSet::new();
    let mut all = Vec::with_capacity(wishes.len());
    for wish in wishes {
        let id = &wish.id;
        if !(1..=64).contains(&id.chars().count()) || !seen.insert(id.clone()) {
            return Err(refused("plugins: ids of 1 to 64 characters, each once"));
        }
        if wish.settings.contains_key("id") || wish.settings.contains_key("enabled") {
            return Err(refused(format!("plugins ({id}): settings: without id and enabled")));
        }
        let prevent_overrides = wish.prevent_overrides.unwrap_or_default();
        if let Final::Fields(fields) = &prevent_overrides
            && (!BY_FIELD.contains(&id.as_str()) || fields.len() > MOST)
        {
            return Err(refused(format!("plugins ({id}): prevent_overrides: true or false")));
        }
        let enabled = wish.enabled.unwrap_or(true);
        let (id, settings) = (wish.id, wish.settings);
        all.push(PluginDefault { id, enabled, prevent_overrides, settings });
    }
    Ok(all)
}

/// The plugins as a request would have them: for those who know whether such a request can be.
#[must_use]
pub fn as_a_request(wish: &DefaultsWish) -> Value {
    let entry = |one: &PluginWish| {
        let mut entry = one.settings.clone();
        entry.insert("id".to_owned(), one.id.clone().into());
        entry.insert("enabled".to_owned(), one.enabled.unwrap_or(true).into());
        Value::Object(entry)
    };
    let plugins: Vec<Value> = wish.plugins.iter().flatten().map(entry).collect();
    serde_json::json!({ "plugins": plugins })
}

impl Platform {
    /// What a workspace presets of plugins and routing.
    ///
    /// # Errors
    /// As [`Platform::workspace`].
    pub async fn get_defaults(
        &self,
        account: &AccountId,
        name: &str,
    ) -> Result<Data<DefaultsObject>, PlatformError> {
        Ok(Data { data: self.workspace(account, name).await?.defaults.into() })
    }

    /// Changes what a workspace presets of plugins and routing.
    ///
    /// # Errors
    /// As [`Platform::workspace`]; [`PlatformError::Refused`] that names what can't be.
    pub async fn update_defaults(
        &self,
        by: By,
        name: &str,
        wish: DefaultsWish,
    ) -> Result<Data<DefaultsObject>, PlatformError> {
        let (plugins, prevent_sort) = wish.checked()?;
        let id = self.workspace(&by.account, name).await?.id;
        let edit = move |one: &mut WorkspaceRecord| {
            let to = &mut one.defaults;
            to.plugins = plugins.unwrap_or_else(|| std::mem::take(&mut to.plugins));
            to.prevent_sort_overrides = prevent_sort.unwrap_or(to.prevent_sort_overrides);
        };
        let done = self.store().edit_workspace(by, id, edit).await?;
        Ok(Data { data: done.ok_or(PlatformError::NotFound("workspace"))?.defaults.into() })
    }
}
