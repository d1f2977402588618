//! A guardrail's row, as far as requests are judged by it (platform spec 7.1).

use std::fmt;

use serde::{Deserialize, Serialize};

/// What a filter does. A later one is stricter.
#[derive(
    Debug,
    Clone,
    Copy,
    PartialEq,
    Eq,
    PartialOrd,
    Ord,
    Hash,
    Serialize,
    Deserialize,
    schemars::JsonSchema,
)]
#[serde(rename_all = "lowercase")]
pub enum Action {
    /// It is recorded and goes on.
    Flag,
    /// The span is replaced.
    Redact,
    /// The request is refused.
    Block,
}

impl Action {
    /// What it did, as stages of a pipeline have it.
    #[must_use]
    pub const fn done(self) -> &'static str {
        match self {
            Self::Flag => "flagged",
            Self::Redact => "redacted",
            Self::Block => "blocked",
        }
    }
}

/// The filters that come with the gateway.
#[derive(
    Debug,
    Clone,
    Copy,
    PartialEq,
    Eq,
    Hash,
    PartialOrd,
    Ord,
    Serialize,
    Deserialize,
    schemars::JsonSchema,
)]
#[serde(rename_all = "kebab-case")]
#[expect(missing_docs, reason = "each variant is its own name on the wire")]
pub enum Builtin {
    Email,
    Phone,
    Ssn,
    CreditCard,
    IpAddress,
    PersonName,
    Address,
    RegexPromptInjection,
}

impl Builtin {
    /// Every one of them.
    pub const ALL: [Self; 8] = [
        Self::Email,
        Self::Phone,
        Self::Ssn,
        Self::CreditCard,
        Self::IpAddress,
        Self::PersonName,
        Self::Address,
        Self::RegexPromptInjection,
    ];

    /// What stands in the place of a match, and what an error calls it.
    #[must_use]
    pub const fn label(self) -> &'static str {
        match self {
            Self::Email => "[EMAIL]",
            Self::Phone => "[PHONE]",
            Self::Ssn => "[SSN]",
            Self::CreditCard => "[CREDIT_CARD]",
            Self::IpAddress => "[IP_ADDRESS]",
            Self::PersonName => "[PERSON_NAME]",
            Self::Address => "[ADDRESS]",
            Self::RegexPromptInjection => "[PROMPT_INJECTION]",
        }
    }

    /// Its name in `matched_entity_types` and in `Blocked PII detected: PERSON`.
    #[must_use]
    pub const fn entity(self) -> &'static str {
        match self {
            Self::Email => "EMAIL",
            Self::Phone => "PHONE",
            Self::Ssn => "SSN",
            Self::CreditCard => "CREDIT_CARD",
            Self::IpAddress => "IP_ADDRESS",
            Self::PersonName => "PERSON",
            Self::Address => "ADDRESS",
            Self::RegexPromptInjection => "PROMPT_INJECTION",
        }
    }

    /// Whether only a recogniser finds it: a pattern can't.
    #[must_use]
    pub const fn needs_recognizer(self) -> bool {
        matches!(self, Self::PersonName | Self::Address)
    }

    /// Whether the filter can be switched on.
    ///
    /// # Errors
    /// It needs a recogniser and there is none.
    pub const fn available(self, has_recognizer: bool) -> Result<(), Unavailable> {
        if self.needs_recognizer() && !has_recognizer { Err(Unavailable(self)) } else { Ok(()) }
    }
}

/// A filter that needs a recogniser where there is none.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Unavailable(pub Builtin);

impl fmt::Display for Unavailable {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let slug = if self.0 == Builtin::PersonName { "person-name" } else { "address" };
        write!(f, "The content filter {slug} is not available: no recogniser is configured.")
    }
}

impl std::error::Error for Unavailable {}

/// Whose messages are scanned for prompt injection.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, Default, Hash, Serialize, Deserialize, schemars::JsonSchema,
)]
#[serde(rename_all = "snake_case")]
pub enum ScanScope {
    /// The user's alone.
    UserOnly,
    /// Everybody's.
    #[default]
    AllMessages,
}

/// One of `content_filter_builtins`. A label that was sent is passed over: the gateway assigns it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
pub struct BuiltinFilter {
    /// Which.
    pub slug: Builtin,
    /// What it does.
    pub action: Action,
    /// Prompt injection only.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub scan_scope: Option<ScanScope>,
}

/// One of `content_filters`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
pub struct CustomFilter {
    /// In the dialect of [`crate::pattern`].
    pub pattern: String,
    /// What it does.
    pub action: Action,
    /// What stands in the place of a match, and what an error calls it.
    #[serde(default)]
    pub label: Option<String>,
}

/// The rules of one guardrail, or of an account's privacy settings. `None` restricts nothing.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(default)]
#[expect(missing_docs, reason = "the members of the public object, platform spec 7.1")]
pub struct Guardrail {
    pub allowed_models: Option<Vec<String>>,
    pub ignored_models: Option<Vec<String>>,
    pub allowed_providers: Option<Vec<String>>,
    pub ignored_providers: Option<Vec<String>>,
    pub enforce_zdr: Option<bool>,
    pub enforce_zdr_anthropic: Option<bool>,
    pub enforce_zdr_openai: Option<bool>,
    pub enforce_zdr_google: Option<bool>,
    pub enforce_zdr_xai: Option<bool>,
    pub enforce_zdr_other: Option<bool>,
    pub enable_paid_model_training: Option<bool>,
    pub enable_free_model_training: Option<bool>,
    pub enable_free_model_publication: Option<bool>,
    pub content_filter_builtins: Option<Vec<BuiltinFilter>>,
    pub content_filters: Option<Vec<CustomFilter>>,
}

impl Guardrail {
    /// As it is stored: the old `enforce_zdr` goes into each group that says nothing, and is gone.
    #[must_use]
    pub fn normalized(mut self) -> Self {
        if let Some(all) = self.enforce_zdr.take() {
            for group in [
                &mut self.enforce_zdr_anthropic,
                &mut self.enforce_zdr_openai,
                &mut self.enforce_zdr_google,
                &mut self.enforce_zdr_xai,
                &mut self.enforce_zdr_other,
            ] {
                group.get_or_insert(all);
            }
        }
        self
    }
}
