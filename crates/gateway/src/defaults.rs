//! What a workspace presets of models and plugins, merged into requests (inference spec 1.1, 8.1, 13.1).

use serde_json::{Map, Value};
use signalbox_dialect::document::{Document, Edits, Kind, Raw};
use signalbox_policy::router::Router;
use signalbox_store::KeyPolicy;
use signalbox_store::workspaces::{Final, PluginDefault};

/// The defaults of a caller's requests.
#[derive(Debug)]
pub(crate) struct Defaults {
    text_model: Option<String>,
    image_model: Option<String>,
    plugins: Vec<PluginDefault>,
}

impl Defaults {
    /// Those of a workspace; `None` when it presets nothing.
    pub(crate) fn of(around: &KeyPolicy) -> Option<Self> {
        let mut plugins = around.defaults.plugins.clone();
        // What is saved for one auto router is for both (inference spec 8.1).
        let (auto, beta) = (Router::Auto.plugin(), Router::AutoBeta.plugin());
        let has = |id: Option<&str>| plugins.iter().position(|one| Some(one.id.as_str()) == id);
        if let (Some(at), None, Some(id)) = (has(auto), has(beta), beta) {
            let own = plugins.get(at).cloned();
            plugins.extend(own.map(|own| PluginDefault { id: id.to_owned(), ..own }));
        }
        let (text_model, image_model) = (
            around.workspace.default_text_model.clone(),
            around.workspace.default_image_model.clone(),
        );
        let says = text_model.is_some() || image_model.is_some() || !plugins.is_empty();
        says.then_some(Self { text_model, image_model, plugins })
    }

    /// What has to be changed of a body.
    pub(crate) fn edits(&self, document: &Document) -> Edits {
        let mut edits = Edits::default();
        if let Some(model) = self.model(document) {
            edits.set("model", Value::from(model).to_string());
        }
        if let Some(plugins) = plugins(document.get("plugins"), &self.plugins) {
            edits.set("plugins", plugins);
        }
        edits
    }

    /// The model of a request that names none.
    fn model(&self, document: &Document) -> Option<&str> {
        let sent = |key: &str| document.get(key).map(Raw::new).filter(|raw| !raw.is_null());
        if sent("model").is_some() || sent("models").is_some_and(|raw| raw.text() != "[]") {
            return None;
        }
        let images = sent("modalities").is_some_and(|list| {
            list.elements().any(|(_, one)| one.string().as_deref() == Some("image"))
        });
        let of_images = self.image_model.as_deref().filter(|_| images);
        of_images.or(self.text_model.as_deref())
    }
}

/// Whether a request's entry of this plugin is joined with the default setting by setting; any other
/// one takes the default's place.
fn is_by_field(id: &str) -> bool {
    Router::ALL.into_iter().any(|router| router.plugin() == Some(id))
}

/// The plugins of a request with those of its workspace, as JSON; `None` when nothing is changed. What
/// is final stands whatever the request says; then the request's word; then the default.
pub(crate) fn plugins(own: Option<&str>, defaults: &[PluginDefault]) -> Option<String> {
    let own = own.map(Raw::new).filter(|raw| !raw.is_null());
    if defaults.is_empty() || own.is_some_and(|raw| raw.kind() != Kind::Array) {
        // What is no list is refused where bodies are read.
        return None;
    }
    let mut all: Vec<String> = Vec::new();
    let mut spoken_of = vec![false; defaults.len()];
    for (_, entry) in own.into_iter().flat_map(Raw::elements) {
        let id = entry.get("id").and_then(Raw::string);
        let at = defaults.iter().position(|one| Some(one.id.as_str()) == id.as_deref());
        let found = at.and_then(|at| defaults.get(at).zip(spoken_of.get_mut(at)));
        let Some((default, spoken_of)) = found else {
            all.push(entry.text().to_owned());
            continue;
        };
        let again = std::mem::replace(spoken_of, true);
        match &default.prevent_overrides {
            Final::All(true) if again => {}
            Final::All(true) => all.push(written(default, default.enabled)),
            Final::All(false) => all.push(joined(entry, default, &[])),
            Final::Fields(fields) => all.push(joined(entry, default, fields)),
        }
    }
    for (default, spoken_of) in defaults.iter().zip(spoken_of) {
        let is_final = default.prevent_overrides == Final::All(true);
        if !spoken_of && (default.enabled || is_final) {
            all.push(written(default, default.enabled));
        }
    }
    Some(format!("[{}]", all.join(",")))
}

/// A default as an entry.
fn written(default: &PluginDefault, enabled: bool) -> String {
    let mut entry = default.settings.clone();
    entry.insert("id".to_owned(), default.id.clone().into());
    entry.insert("enabled".to_owned(), enabled.into());
    Value::Object(entry).to_string()
}

/// A request's entry on top of the default; the final fields are the default's.
fn joined(entry: Raw<'_>, default: &PluginDefault, fields: &[String]) -> String {
    let own = serde_json::from_str::<Map<String, Value>>(entry.text());
    let Ok(own) = own.map_err(drop) else { return entry.text().to_owned() };
    if !is_by_field(&default.id) {
        return entry.text().to_owned();
    }
    let is_off = own.get("enabled") == Some(&Value::Bool(false));
    let settings = default.settings.iter();
    let mut merged: Map<String, Value> = if is_off {
        if fields.is_empty() {
            return entry.text().to_owned();
        }
        Map::new()
    } else if default.enabled {
        settings.map(|(key, value)| (key.clone(), value.clone())).collect()
    } else {
        Map::new()
    };
    if !is_off {
        merged.extend(own);
    }
    for field in fields {
        match default.settings.get(field) {
            Some(value) => merged.insert(field.clone(), value.clone()),
            None => merged.remove(field),
        };
    }
    merged.insert("id".to_owned(), default.id.clone().into());
    Value::Object(merged).to_string()
}

#[cfg(test)]
mod tests;
