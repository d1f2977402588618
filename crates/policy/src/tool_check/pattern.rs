//! `pattern` and `patternProperties`: ECMAScript's regular expressions, with a limit on how far a
//! search may go back.

use std::collections::HashMap;

use fancy_regex::{Regex, RegexBuilder};

use super::budget::{Budget, Unjudged};

/// Longest pattern in bytes.
const LONGEST: usize = 1024;
/// How often a search may go back before it is given up.
const BACKTRACKS: usize = 5_000;
/// Bytes that a compiled pattern may take.
const COMPILED_BYTES: usize = 256 * 1024;
/// What compiling one costs, and searching once.
const COMPILE_STEPS: usize = 500;
const SEARCH_STEPS: usize = 100;

/// The patterns of one schema, compiled once.
#[derive(Debug, Default)]
pub(super) struct Patterns {
    compiled: HashMap<String, Regex>,
}

impl Patterns {
    pub(super) fn compile(&mut self, text: &str, budget: &mut Budget) -> Result<(), Unjudged> {
        if self.compiled.contains_key(text) {
            return Ok(());
        }
        budget.spend(COMPILE_STEPS.saturating_add(text.len()))?;
        if text.len() > LONGEST {
            return Err(Unjudged);
        }
        let translated = jsonschema_regex::to_rust_regex(text).map_err(|()| Unjudged)?;
        let regex = RegexBuilder::new(&translated)
            .backtrack_limit(BACKTRACKS)
            .delegate_size_limit(COMPILED_BYTES)
            .delegate_dfa_size_limit(COMPILED_BYTES)
            .build()
            .map_err(|_| Unjudged)?;
        self.compiled.insert(text.to_owned(), regex);
        Ok(())
    }

    /// Whether the pattern occurs in the text.
    pub(super) fn occurs(
        &self,
        pattern: &str,
        text: &str,
        budget: &mut Budget,
    ) -> Result<bool, Unjudged> {
        budget.spend(SEARCH_STEPS.saturating_add(text.len() / 4))?;
        let regex = self.compiled.get(pattern).ok_or(Unjudged)?;
        regex.is_match(text).map_err(|_| Unjudged)
    }
}
