//! Several guardrails together (platform spec 7.3): account, workspace, member, key. Each can only tighten
//! what the ones before it permit.

use std::sync::Arc;

use crate::allowlist::Allowlist;
use crate::pattern::PatternError;
use crate::row::Guardrail;
use crate::screen::Screen;

/// Where a guardrail applies.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Scope {
    /// The account's own settings.
    Account,
    /// Everything in a workspace.
    Workspace,
    /// All that a member does.
    Member,
    /// One key.
    ApiKey,
}

impl Scope {
    /// `guardrail_scope` in metadata.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Account => "account",
            Self::Workspace => "workspace",
            Self::Member => "member",
            Self::ApiKey => "api-key",
        }
    }
}

/// Which guardrail said something.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Source {
    /// Where it applies.
    pub scope: Scope,
    /// Its id; an account's settings have none.
    pub id: Option<String>,
}

/// A guardrail that applies to a caller.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Layer {
    /// Where it applies.
    pub scope: Scope,
    /// Its id; an account's settings have none.
    pub id: Option<String>,
    /// What it says.
    pub rules: Guardrail,
}

/// Why guardrails can't be enforced. Requests must not go on then.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum PolicyError {
    /// A row has a pattern that would not be accepted.
    #[error("a content filter can't be compiled: {0}")]
    Pattern(#[from] PatternError),
}

/// For whose models only endpoints with zero data retention are allowed (platform spec 9.2).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
#[expect(missing_docs, reason = "the five groups of authors")]
pub struct ZdrGroups {
    pub anthropic: bool,
    pub openai: bool,
    pub google: bool,
    pub xai: bool,
    pub other: bool,
}

/// Which models and providers are permitted, and with what data policy.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Restrictions {
    /// A model must be in each of these lists.
    pub allowed_models: Vec<Vec<String>>,
    /// A model must not be in this one.
    pub ignored_models: Vec<String>,
    /// A provider must be in each of these lists.
    pub allowed_providers: Vec<Vec<String>>,
    /// A provider must not be in this one.
    pub ignored_providers: Vec<String>,
    /// For whose models zero data retention is enforced.
    pub zdr: ZdrGroups,
    /// Whether paid endpoints that train on prompts are forbidden.
    pub deny_paid_training: bool,
    /// Whether free ones are.
    pub deny_free_training: bool,
    /// Whether free endpoints that may publish prompts are forbidden.
    pub deny_free_publication: bool,
}

impl Restrictions {
    /// What all of the guardrails permit: allowed lists intersect, ignored ones unite, zero retention holds
    /// where one wants it, and what one forbids is forbidden.
    #[must_use]
    pub fn merge(layers: &[Layer]) -> Self {
        let mut merged = Self::default();
        for layer in layers {
            merged.tighten(&layer.rules.clone().normalized());
        }
        merged
    }

    fn tighten(&mut self, rules: &Guardrail) {
        self.allowed_models.extend(rules.allowed_models.clone());
        self.allowed_providers.extend(rules.allowed_providers.clone());
        unite(&mut self.ignored_models, rules.ignored_models.as_deref());
        unite(&mut self.ignored_providers, rules.ignored_providers.as_deref());
        self.zdr.anthropic |= rules.enforce_zdr_anthropic == Some(true);
        self.zdr.openai |= rules.enforce_zdr_openai == Some(true);
        self.zdr.google |= rules.enforce_zdr_google == Some(true);
        self.zdr.xai |= rules.enforce_zdr_xai == Some(true);
        self.zdr.other |= rules.enforce_zdr_other == Some(true);
        self.deny_paid_training |= rules.enable_paid_model_training == Some(false);
        self.deny_free_training |= rules.enable_free_model_training == Some(false);
        self.deny_free_publication |= rules.enable_free_model_publication == Some(false);
    }
}

fn unite(all: &mut Vec<String>, more: Option<&[String]>) {
    for one in more.unwrap_or_default() {
        if !all.contains(one) {
            all.push(one.clone());
        }
    }
}

/// All that a caller's guardrails say together.
#[derive(Debug, Clone, Default)]
pub struct Policy {
    /// Which endpoints may answer.
    pub restrictions: Restrictions,
    /// What is looked for in texts; none when nothing is.
    pub screen: Option<Arc<Screen>>,
}

impl Policy {
    /// Merges what applies to a caller, whatever order it comes in.
    ///
    /// # Errors
    /// A pattern is not valid.
    pub fn merge(layers: &[Layer], allowlist: Allowlist) -> Result<Self, PolicyError> {
        let restrictions = Restrictions::merge(layers);
        let screen = Screen::compile(layers, allowlist)?.map(Arc::new);
        Ok(Self { restrictions, screen })
    }
}
