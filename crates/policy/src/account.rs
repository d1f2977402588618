//! What account, workspace and guardrails permit, whoever asks and whatever a request says: a request
//! can only tighten it (inference spec 5.9, 18.3).

use std::sync::Arc;

use crate::preferences::SortBy;

/// The merged policy of one caller. The default permits everything.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct AccountPolicy {
    /// Provider slugs that alone are allowed; a request's `only` is intersected with it.
    pub allowed_providers: Option<Vec<String>>,
    /// Provider slugs that are not allowed; a request's `ignore` is added to it.
    pub ignored_providers: Vec<String>,
    /// Patterns of model ids that alone are allowed.
    pub allowed_models: Option<Vec<String>>,
    /// Patterns of model ids that are not allowed.
    pub ignored_models: Vec<String>,
    /// For whose models zero data retention is enforced.
    pub zdr: ZdrGroups,
    /// Whether endpoints that train on prompts are forbidden for paid models.
    pub deny_paid_training: bool,
    /// The same for free models.
    pub deny_free_training: bool,
    /// Whether free endpoints that may publish prompts are forbidden.
    pub deny_free_publication: bool,
    /// The order that requests have which ask for none.
    pub default_sort: Option<SortBy>,
    /// The region outside of which no endpoint may be called: `eu` or `us`.
    pub region: Option<String>,
    /// The caller's own provider keys.
    pub byok: Vec<Arc<ByokKey>>,
}

/// For whose models only endpoints with zero data retention are allowed (inference spec 18.3).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct ZdrGroups {
    /// Models of `anthropic`.
    pub anthropic: bool,
    /// Models of `openai`.
    pub openai: bool,
    /// Models of `google`.
    pub google: bool,
    /// Models of `x-ai`.
    pub xai: bool,
    /// All others.
    pub other: bool,
}

impl ZdrGroups {
    /// Everybody's.
    pub const ALL: Self =
        Self { anthropic: true, openai: true, google: true, xai: true, other: true };
}

/// A provider key of the caller's own, as far as routing needs it (inference spec 5.8). The secret is
/// elsewhere.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct ByokKey {
    /// Its id.
    pub id: String,
    /// What its owner calls it.
    pub label: String,
    /// The provider's slug.
    pub provider: String,
    /// Whether it comes before shared capacity; else it comes after.
    pub prioritized: bool,
    /// Whether the provider's shared capacity must never be used.
    pub always_use: bool,
    /// Its place among its owner's keys of the provider.
    pub sort_order: u32,
    /// The model ids for which it may be used; `None` for all.
    pub allowed_models: Option<Vec<String>>,
}
