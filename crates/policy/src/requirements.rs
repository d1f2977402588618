//! What one request needs and permits, after every default has been merged in.

use std::sync::Arc;

use signalbox_catalog::{Modality, Model};
use signalbox_core::ParameterSet;

use crate::account::AccountPolicy;
use crate::explain;
use crate::preferences::{ProviderPreferences, SortBy};
use crate::router::RouterChoice;

/// A pool of capacity with prices of its own (inference spec 18.1).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Tier {
    /// Faster and dearer.
    Priority,
    /// Slower and cheaper.
    Flex,
}

impl Tier {
    /// The name in endpoint tags and on the wire.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Priority => "priority",
            Self::Flex => "flex",
        }
    }
}

/// What `service_tier` or `speed` asks for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum TierWish {
    /// Nothing: no tier but by a variant or by name.
    #[default]
    Unsaid,
    /// The default tier, whatever a variant admits.
    Default,
    /// A tier before, or with flex instead of, the default one.
    Tier(Tier),
}

/// One model that the request accepts.
#[derive(Debug, Clone)]
pub struct Wanted {
    /// The slug as the client wrote it.
    pub requested: String,
    /// The concrete model that it resolved to.
    pub model: Arc<Model>,
    /// The order that a variant such as `:nitro` asks for.
    pub sort: Option<SortBy>,
    /// The tier that such a variant lets take part on equal terms.
    pub admits: Option<Tier>,
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
#[derive(Debug, Clone, Default)]
pub struct Requirements {
    /// The models in order of preference. Never empty.
    pub models: Vec<Wanted>,
    /// The caller's provider preferences.
    pub provider: ProviderPreferences,
    /// What the content asks for.
    pub content: Content,
    /// The service tier that is asked for.
    pub tier: TierWish,
    /// What account, workspace and guardrails permit.
    pub account: Arc<AccountPolicy>,
    /// The endpoint that the conversation stays with, if it can (inference spec 14.2).
    pub sticky: Option<Arc<str>>,
    /// What routers among the slugs chose.
    pub routers: Vec<RouterChoice>,
}

impl Requirements {
    /// The slugs as the client wrote them, each once.
    #[must_use]
    pub fn requested(&self) -> Vec<String> {
        explain::unique(self.models.iter().map(|wanted| wanted.requested.as_str()))
    }

    /// `strategy` of router metadata (inference spec 2.5), when the model at this place answered, or
    /// none did.
    #[must_use]
    pub fn strategy(&self, model_index: Option<usize>) -> &'static str {
        let index = model_index.unwrap_or_default();
        if let Some(choice) = self.router_of(index) {
            return choice.router.strategy();
        }
        let (Some(first), Some(one)) = (self.models.first(), self.models.get(index)) else {
            return "direct";
        };
        let base = one.requested.split(':').next().unwrap_or_default();
        match () {
            () if one.requested != first.requested => "fallback",
            () if base.starts_with('~') => "latest",
            () if base != one.model.base && !one.model.base.starts_with(base) => "alias",
            () => "direct",
        }
    }

    /// The router that chose the model at this place.
    #[must_use]
    pub fn router_of(&self, model_index: usize) -> Option<&RouterChoice> {
        self.routers.iter().find(|one| one.models.contains(&model_index))
    }
}
