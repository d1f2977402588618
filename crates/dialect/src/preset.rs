//! Presets: what a body says of itself that can be kept, and a body with what is kept merged in
//! (platform spec 8).
//!
//! What is kept is an object in the words of the chat dialect, whichever dialect it came in. Merged
//! into a body it is said in that body's own words; what those have no word for is left out. Members
//! are put into the text of the body as they are: nothing else of it is written anew.

mod prompt;
mod read;
mod tools;
mod words;

use signalbox_core::ApiError;

use crate::document::{Document, DocumentError, Edits, Raw, quoted};
use crate::texts::Body;

pub use read::{CONFIG, config_of};
pub use tools::union;

/// What one version of a preset holds.
#[derive(Debug, Clone)]
pub struct Preset {
    config: Document,
    system_prompt: Option<String>,
}

/// Members of which a request says all with one: its own are not joined by others of the same row.
const SAME: &[&[&str]] = &[
    &["max_tokens", "max_completion_tokens"],
    &["reasoning", "reasoning_effort", "include_reasoning"],
    &["service_tier", "speed"],
    &["models", "fallbacks"],
];

impl Preset {
    /// A preset of these members, in the words of chat, and this system prompt.
    #[must_use]
    pub const fn new(config: Document, system_prompt: Option<String>) -> Self {
        Self { config, system_prompt }
    }

    /// What a body would keep; see [`config_of`].
    ///
    /// # Errors
    /// `invalid_request` that names the member which can't be.
    pub fn of(document: &Document, body: Body) -> Result<Self, ApiError> {
        read::preset_of(document, body)
    }

    /// Its members, in the words of chat.
    #[must_use]
    pub const fn config(&self) -> &Document {
        &self.config
    }

    /// Its system prompt.
    #[must_use]
    pub fn system_prompt(&self) -> Option<&str> {
        self.system_prompt.as_deref()
    }

    /// `cache_enabled`.
    #[must_use]
    pub fn cache_enabled(&self) -> Option<bool> {
        self.config.get("cache_enabled").map(Raw::new).and_then(Raw::bool)
    }

    /// `cache_ttl_seconds`.
    #[must_use]
    pub fn cache_ttl_seconds(&self) -> Option<i64> {
        let raw = self.config.get("cache_ttl_seconds").map(Raw::new)?;
        raw.integer().and_then(|seconds| i64::try_from(seconds).ok())
    }

    /// A body with what it leaves open: its own members win, whatever they say, tools are joined, and
    /// the preset's system prompt comes before its own. `model` is what the body names besides the
    /// preset; the name of the preset itself is taken out.
    ///
    /// # Errors
    /// The body has too many members then.
    pub fn merged(
        &self,
        document: &Document,
        body: Body,
        model: Option<&str>,
    ) -> Result<Document, DocumentError> {
        let body = spoken(document, body);
        let mut edits = Edits::default();
        if document.get("preset").is_some() {
            edits.remove("preset");
        }
        named(document, model, &mut edits);
        self.overlay(document, body, &mut edits);
        if let Some(text) = self.system_prompt.as_deref().filter(|text| !text.is_empty()) {
            prompt::put(document, body, text, &mut edits);
        }
        Document::parse(document.edited(&edits))
    }

    /// The members of the preset that the body lacks.
    fn overlay(&self, document: &Document, body: Body, edits: &mut Edits) {
        for (key, text) in words::told(&self.config, body) {
            if key == "tools" {
                if let Some(tools) = union(&text, document.get("tools")) {
                    edits.set("tools", tools);
                }
            } else if !answers(document, edits, &key) {
                edits.set(key, text);
            }
        }
    }
}

/// Puts the model that is left without the preset's name where the body has one.
fn named(document: &Document, model: Option<&str>, edits: &mut Edits) {
    match (model, document.get("model")) {
        (None, Some(_)) => edits.remove("model"),
        (Some(model), raw) => {
            let text = quoted(model);
            if raw != Some(text.as_str()) {
                edits.set("model", text);
            }
        }
        (None, None) => {}
    }
}

/// Whether the body says something about that. Null is something: it leaves the preset's word out.
fn answers(document: &Document, edits: &Edits, key: &str) -> bool {
    if key == "model" {
        return edits.current(document, "model").is_some();
    }
    let row = SAME.iter().find(|row| row.contains(&key));
    row.map_or_else(
        || document.get(key).is_some(),
        |row| row.iter().any(|one| document.get(one).is_some()),
    )
}

/// The words of a body: one with a legacy `prompt` has those of completions.
pub(crate) fn spoken(document: &Document, body: Body) -> Body {
    match body {
        Body::Chat if document.get("messages").is_none() && document.get("prompt").is_some() => {
            Body::Completions
        }
        other => other,
    }
}
