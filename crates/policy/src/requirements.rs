//! What one request needs and permits, after every default has been merged in.

use std::sync::Arc;

use signalbox_catalog::{Modality, Model};
use signalbox_core::ParameterSet;

use crate::preferences::{ProviderPreferences, SortBy};

/// One model that the request accepts.
#[derive(Debug, Clone)]
pub struct Wanted {
    /// The slug as the client wrote it.
    pub requested: String,
    /// The concrete model that it resolved to.
    pub model: Arc<Model>,
    /// The order that a variant such as `:nitro` asks for.
    pub sort: Option<SortBy>,
}

/// What the content of the request asks of an endpoint.
#[derive(Debug, Clone, Default)]
pub struct Content {
    /// The parameters that were sent.
    pub parameters: ParameterSet,
    /// What besides text is in the prompt.
    pub inputs: Vec<Modality>,
    /// What besides text must come out.
    pub outputs: Vec<Modality>,
    /// Prompt tokens that there are at least.
    pub prompt_tokens_at_least: u64,
    /// Prompt tokens that there are probably, for ranking by price.
    pub prompt_tokens_expected: u64,
    /// The output limit that the caller set.
    pub max_output: Option<u64>,
}

/// The request as the planner sees it.
#[derive(Debug, Clone)]
pub struct Requirements {
    /// The models in order of preference. Never empty.
    pub models: Vec<Wanted>,
    /// The caller's provider preferences.
    pub provider: ProviderPreferences,
    /// What the content asks for.
    pub content: Content,
}

impl Requirements {
    /// The slugs as the client wrote them.
    #[must_use]
    pub fn requested(&self) -> Vec<String> {
        self.models.iter().map(|wanted| wanted.requested.clone()).collect()
    }
}
