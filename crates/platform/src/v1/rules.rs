//! The rules of guardrails and of an account's privacy settings, as they are wished for.

use std::collections::HashSet;

use schemars::JsonSchema;
use serde::Deserialize;
use signalbox_guard::{BuiltinFilter, CustomFilter, Guardrail, Pattern};

use super::given;
use crate::PlatformError;

/// Most entries of a list of models or providers.
const MAX_LIST: usize = 1_000;
/// Most filters of one's own in a guardrail.
const MAX_FILTERS: usize = 100;
/// Longest label of a filter, in characters.
const MAX_LABEL: usize = 100;

/// What there is here that rules may name.
pub trait Names: Send + Sync {
    /// The lasting name of a model, or `None` when there is none of this name.
    fn model(&self, name: &str) -> Option<String>;
    /// The slug of a provider.
    fn provider(&self, name: &str) -> Option<String>;
    /// Whether names of people and addresses can be found in texts.
    fn has_recognizer(&self) -> bool;
}

/// Rules as they are wished for: what is absent stays, null clears, lists replace.
#[derive(Debug, Clone, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[expect(missing_docs, reason = "the fields are those of the published schema")]
pub struct RulesWish {
    #[serde(default, deserialize_with = "given")]
    pub allowed_models: Option<Option<Vec<String>>>,
    #[serde(default, deserialize_with = "given")]
    pub ignored_models: Option<Option<Vec<String>>>,
    #[serde(default, deserialize_with = "given")]
    pub allowed_providers: Option<Option<Vec<String>>>,
    #[serde(default, deserialize_with = "given")]
    pub ignored_providers: Option<Option<Vec<String>>>,
    #[serde(default, deserialize_with = "given")]
    pub enforce_zdr: Option<Option<bool>>,
    #[serde(default, deserialize_with = "given")]
    pub enforce_zdr_anthropic: Option<Option<bool>>,
    #[serde(default, deserialize_with = "given")]
    pub enforce_zdr_openai: Option<Option<bool>>,
    #[serde(default, deserialize_with = "given")]
    pub enforce_zdr_google: Option<Option<bool>>,
    #[serde(default, deserialize_with = "given")]
    pub enforce_zdr_xai: Option<Option<bool>>,
    #[serde(default, deserialize_with = "given")]
    pub enforce_zdr_other: Option<Option<bool>>,
    #[serde(default, deserialize_with = "given")]
    pub enable_paid_model_training: Option<Option<bool>>,
    #[serde(default, deserialize_with = "given")]
    pub enable_free_model_training: Option<Option<bool>>,
    #[serde(default, deserialize_with = "given")]
    pub enable_free_model_publication: Option<Option<bool>>,
    #[serde(default, deserialize_with = "given")]
    pub content_filter_builtins: Option<Option<Vec<BuiltinFilter>>>,
    #[serde(default, deserialize_with = "given")]
    pub content_filters: Option<Option<Vec<CustomFilter>>>,
}

fn refused(text: impl Into<String>) -> PlatformError {
    PlatformError::Refused(text.into())
}

/// A list with at least one entry, each known, under its lasting name, once.
fn named(
    field: &str,
    list: &mut Option<Option<Vec<String>>>,
    name: impl Fn(&str) -> Option<String>,
) -> Result<(), PlatformError> {
    let Some(Some(list)) = list else { return Ok(()) };
    if list.is_empty() || list.len() > MAX_LIST {
        return Err(refused(format!("{field}: 1 to {MAX_LIST} entries, or null")));
    }
    let mut lasting: Vec<String> = Vec::with_capacity(list.len());
    for one in list.iter() {
        let known = name(one).ok_or_else(|| refused(format!("{field}: {one} is not known")))?;
        if !lasting.contains(&known) {
            lasting.push(known);
        }
    }
    *list = lasting;
    Ok(())
}

fn check_builtins(filters: &[BuiltinFilter], names: &dyn Names) -> Result<(), PlatformError> {
    let mut seen = HashSet::new();
    for filter in filters {
        let has_recognizer = names.has_recognizer();
        filter.slug.available(has_recognizer).map_err(|problem| refused(problem.to_string()))?;
        if !seen.insert(filter.slug) {
            return Err(refused("content_filter_builtins: each once"));
        }
    }
    Ok(())
}

fn check_filters(filters: &[CustomFilter]) -> Result<(), PlatformError> {
    if filters.len() > MAX_FILTERS {
        return Err(refused(format!("content_filters: at most {MAX_FILTERS}")));
    }
    for (at, filter) in filters.iter().enumerate() {
        let long = filter.label.as_ref().is_some_and(|text| text.chars().count() > MAX_LABEL);
        if long {
            return Err(refused(format!("content_filters[{at}].label: at most {MAX_LABEL}")));
        }
        Pattern::compile(&filter.pattern).map_err(|problem| {
            refused(format!("content_filters[{at}].pattern: {}: {problem}", problem.code()))
        })?;
    }
    let together = Pattern::fit_together(filters.iter().map(|filter| filter.pattern.as_str()));
    together.map_err(|problem| refused(format!("content_filters: {}: {problem}", problem.code())))
}

impl RulesWish {
    /// The names of its members.
    pub(crate) const MEMBERS: [&str; 15] = [
        "allowed_models",
        "ignored_models",
        "allowed_providers",
        "ignored_providers",
        "enforce_zdr",
        "enforce_zdr_anthropic",
        "enforce_zdr_openai",
        "enforce_zdr_google",
        "enforce_zdr_xai",
        "enforce_zdr_other",
        "enable_paid_model_training",
        "enable_free_model_training",
        "enable_free_model_publication",
        "content_filter_builtins",
        "content_filters",
    ];

    /// Refuses what can't be, and gives models and providers their lasting names.
    pub(crate) fn check(&mut self, names: &dyn Names) -> Result<(), PlatformError> {
        named("allowed_models", &mut self.allowed_models, |name| names.model(name))?;
        named("ignored_models", &mut self.ignored_models, |name| names.model(name))?;
        named("allowed_providers", &mut self.allowed_providers, |name| names.provider(name))?;
        named("ignored_providers", &mut self.ignored_providers, |name| names.provider(name))?;
        if let Some(Some(filters)) = &self.content_filter_builtins {
            check_builtins(filters, names)?;
        }
        match &self.content_filters {
            Some(Some(filters)) => check_filters(filters),
            _ => Ok(()),
        }
    }

    pub(crate) fn apply(self, rules: &mut Guardrail) {
        fn set<T>(place: &mut Option<T>, wish: Option<Option<T>>) {
            if let Some(value) = wish {
                *place = value;
            }
        }
        // The old switch is for all groups that the wish does not name.
        let group = |named: Option<Option<bool>>| named.or(self.enforce_zdr);
        set(&mut rules.allowed_models, self.allowed_models);
        set(&mut rules.ignored_models, self.ignored_models);
        set(&mut rules.allowed_providers, self.allowed_providers);
        set(&mut rules.ignored_providers, self.ignored_providers);
        set(&mut rules.enforce_zdr_anthropic, group(self.enforce_zdr_anthropic));
        set(&mut rules.enforce_zdr_openai, group(self.enforce_zdr_openai));
        set(&mut rules.enforce_zdr_google, group(self.enforce_zdr_google));
        set(&mut rules.enforce_zdr_xai, group(self.enforce_zdr_xai));
        set(&mut rules.enforce_zdr_other, group(self.enforce_zdr_other));
        set(&mut rules.enable_paid_model_training, self.enable_paid_model_training);
        set(&mut rules.enable_free_model_training, self.enable_free_model_training);
        set(&mut rules.enable_free_model_publication, self.enable_free_model_publication);
        set(&mut rules.content_filter_builtins, self.content_filter_builtins);
        set(&mut rules.content_filters, self.content_filters);
    }
}
