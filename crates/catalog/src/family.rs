//! What a family of models wants to be told differently, whoever serves it.
//!
//! A rule is data (`data/families.toml`): which endpoints it is about, and members of their manner.
//! The catalogue keeps the members as they were written; who speaks to providers reads and checks
//! them.

use serde::Deserialize;
use serde_json::{Map, Value};

use crate::{CatalogueError, Dialect, Endpoint};

/// How an endpoint is spoken to, beyond what its dialect and its provider's row say: the members of
/// all rules about it, later ones winning, lists of patches joined.
pub type Manner = Map<String, Value>;

/// One rule.
#[derive(Debug, Clone, PartialEq, Deserialize)]
pub struct Family {
    /// Slugs of models; `*` stands for any text. The slug is without its variant.
    models: Vec<String>,
    /// Dialects; none means all.
    #[serde(default)]
    dialects: Vec<Dialect>,
    /// Slugs of providers; none means all.
    #[serde(default)]
    providers: Vec<String>,
    /// The members.
    #[serde(flatten)]
    manner: Manner,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct File {
    family: Vec<Family>,
}

impl Family {
    /// Reads a file of rules.
    pub(crate) fn read(text: &str) -> Result<Vec<Self>, CatalogueError> {
        let read: Result<File, _> = toml::from_str(text);
        let wrong = |error: toml::de::Error| {
            CatalogueError::new("families.toml", "family", error.to_string())
        };
        Ok(read.map_err(wrong)?.family)
    }

    fn is_about(&self, endpoint: &Endpoint, base: &str, dialect: Dialect) -> bool {
        (self.dialects.is_empty() || self.dialects.contains(&dialect))
            && (self.providers.is_empty() || self.providers.contains(&endpoint.provider))
            && self.models.iter().any(|pattern| matches(pattern, base))
    }
}

/// What all rules together say of an endpoint; its own row wins.
pub(crate) fn manner(
    families: &[Family],
    endpoint: &Endpoint,
    base: &str,
    dialect: Dialect,
) -> Manner {
    let mut manner = Manner::new();
    let about = families.iter().filter(|family| family.is_about(endpoint, base, dialect));
    for members in about.map(|family| &family.manner).chain([&endpoint.manner]) {
        for (key, value) in members {
            match (manner.get_mut(key), value) {
                (Some(Value::Array(list)), Value::Array(more)) => list.extend(more.iter().cloned()),
                _ => {
                    manner.insert(key.clone(), value.clone());
                }
            }
        }
    }
    manner
}

/// Whether a text has the form of a pattern, in which `*` stands for any text.
fn matches(pattern: &str, text: &str) -> bool {
    let Some((head, rest)) = pattern.split_once('*') else { return pattern == text };
    let Some(mut left) = text.strip_prefix(head) else { return false };
    let mut pieces = rest.split('*').peekable();
    while let Some(piece) = pieces.next() {
        if pieces.peek().is_none() {
            return left.ends_with(piece);
        }
        let Some((_, after)) = left.split_once(piece) else { return false };
        left = after;
    }
    true
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_star_stands_for_any_text() {
        for (pattern, text, expected) in [
            ("a/b", "a/b", true),
            ("a/b", "a/bc", false),
            ("a/*", "a/", true),
            ("a/*-4.5", "a/claude-4.5", true),
            ("a/*-4.5", "a/claude-4.5-fast", false),
            ("a/*-4.*-fast", "a/x-4.7-fast", true),
            ("*", "", true),
            ("*b*", "abc", true),
            ("a*", "ba", false),
            ("aa*a", "aa", false),
        ] {
            assert_eq!(matches(pattern, text), expected, "{pattern} {text}");
        }
    }
}
