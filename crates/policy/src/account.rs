//! What account, workspace and guardrails permit, whoever asks and whatever a request says: a request
//! can only tighten it (inference spec 5.9, 18.3).

use std::sync::Arc;

use signalbox_catalog::{AuthorGroup, Blocked, Endpoint, Model};
use signalbox_guard::Restrictions;

use crate::pattern;
use crate::preferences::SortBy;

/// The merged policy of one caller. The default permits everything.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct AccountPolicy {
    /// Lists of provider slugs. An allowed provider is in each of them, and in a request's `only`.
    pub allowed_providers: Vec<Vec<String>>,
    /// Provider slugs that are not allowed; a request's `ignore` is added to it.
    pub ignored_providers: Vec<String>,
    /// Lists of models, by id, by lasting id or by pattern. An allowed model is in each of them. A
    /// variant such as `:free` is a model of its own.
    pub allowed_models: Vec<Vec<String>>,
    /// Models that are not allowed, named in the same ways.
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
    /// Whether that order holds for requests that ask for another one too.
    pub sort_is_final: bool,
    /// The region outside of which no endpoint may be called: `eu` or `us`.
    pub region: Option<String>,
    /// The caller's own provider keys.
    pub byok: Vec<Arc<ByokKey>>,
    /// The page where this can be changed, for error texts.
    pub page: Option<Arc<str>>,
}

impl AccountPolicy {
    /// Whether requests may be for this model.
    #[must_use]
    pub fn permits_model(&self, model: &Model) -> bool {
        let listed = |list: &[String]| list.iter().any(|entry| pattern::lists(entry, model));
        self.allowed_models.iter().all(|list| listed(list)) && !listed(&self.ignored_models)
    }

    /// The same policy with what guardrails forbid on top: nothing becomes permitted by it.
    #[must_use]
    pub fn restricted(mut self, by: &Restrictions) -> Self {
        self.allowed_providers.extend(by.allowed_providers.iter().cloned());
        self.ignored_providers.extend(by.ignored_providers.iter().cloned());
        self.allowed_models.extend(by.allowed_models.iter().cloned());
        self.ignored_models.extend(by.ignored_models.iter().cloned());
        self.zdr.anthropic |= by.zdr.anthropic;
        self.zdr.openai |= by.zdr.openai;
        self.zdr.google |= by.zdr.google;
        self.zdr.xai |= by.zdr.xai;
        self.zdr.other |= by.zdr.other;
        self.deny_paid_training |= by.deny_paid_training;
        self.deny_free_training |= by.deny_free_training;
        self.deny_free_publication |= by.deny_free_publication;
        self
    }

    /// The caller's own keys that may be used for this endpoint, in no special order. Where the account
    /// keeps to a region, one that names another region than the endpoint's is left out: it would lead
    /// elsewhere; so is one that brings an address, which may lead anywhere.
    pub fn keys_for<'a>(
        &'a self,
        endpoint: &'a Endpoint,
        model: &'a Model,
    ) -> impl Iterator<Item = &'a Arc<ByokKey>> {
        let stays = |key: &ByokKey| {
            let elsewhere = key.region.is_some() && key.region != endpoint.region;
            self.region.is_none() || !elsewhere && !key.addressed
        };
        self.byok.iter().filter(move |key| key.fits(endpoint, model) && stays(key))
    }
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

    /// Whether this model is among theirs.
    #[must_use]
    pub fn covers(&self, model: &Model) -> bool {
        match model.author_group() {
            AuthorGroup::Anthropic => self.anthropic,
            AuthorGroup::Openai => self.openai,
            AuthorGroup::Google => self.google,
            AuthorGroup::Xai => self.xai,
            AuthorGroup::Other => self.other,
        }
    }
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
    /// The region in which its credential is good, whatever the endpoint's is.
    pub region: Option<String>,
    /// Whether its credential brings the address of the service, so that the provider's row needs none.
    pub addressed: bool,
    /// The models that its credential leads to; `None` for all.
    pub deployed: Option<Vec<String>>,
}

impl ByokKey {
    /// Whether it may be used for this endpoint.
    #[must_use]
    pub fn fits(&self, endpoint: &Endpoint, model: &Model) -> bool {
        let has = |models: &Option<Vec<String>>| {
            let mut models = models.as_deref().map(<[String]>::iter);
            models.as_mut().is_none_or(|all| all.any(|one| pattern::names(one, model)))
        };
        // Nothing but a missing credential, or a missing address, can be brought.
        let reached = match endpoint.blocked {
            None | Some(Blocked::Credential | Blocked::ByokOnly) => true,
            Some(Blocked::BaseUrl) => self.addressed,
            Some(_) => false,
        };
        reached
            && self.provider.eq_ignore_ascii_case(&endpoint.provider)
            && has(&self.allowed_models)
            && has(&self.deployed)
    }
}
