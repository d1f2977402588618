//! Patterns of custom filters: a part of JavaScript's regular expressions that takes linear time
//! (platform spec 7.5). A pattern is parsed here, judged, and written for the engine with every class
//! spelled out, so that `\d`, `\w`, `\s`, `\b` and `.` mean what they mean there and nowhere else.

mod judge;
mod parse;
mod set;
mod write;

use std::collections::HashMap;
use std::ops::Range;
use std::sync::{Arc, LazyLock, Mutex, PoisonError, Weak};

use regex::bytes::{Regex, RegexBuilder, RegexSetBuilder};

pub(crate) use set::Set;

/// Most characters of a pattern.
pub const MAX_CHARS: usize = 100_000;
/// Most bytes of a compiled pattern, and of all those of a guardrail.
pub const MAX_COMPILED_BYTES: usize = 8 << 20;
/// Most memory that a search keeps for a pattern's states.
const MAX_STATE_BYTES: usize = 1 << 20;
/// Most matches in one text that are taken one by one. A search begins anew after each, so what comes
/// after the last is taken as a whole: it is never let through.
pub const MAX_MATCHES: usize = 2_000;

/// Why a pattern can't be used. On the wire it is `invalid_regex_pattern` with this text.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[expect(missing_docs, reason = "the messages say it")]
pub enum PatternError {
    #[error("a pattern must have at least one character")]
    Empty,
    #[error("a pattern can have at most {MAX_CHARS} characters")]
    TooLong,
    #[error("the pattern is too large once it is compiled")]
    TooLarge,
    #[error("the patterns of a guardrail are too large together once they are compiled")]
    TooLargeTogether,
    #[error("lookahead is not supported (character {0})")]
    Lookahead(usize),
    #[error("lookbehind is not supported (character {0})")]
    Lookbehind(usize),
    #[error("backreferences are not supported (character {0})")]
    Backreference(usize),
    #[error("a quantifier must not repeat what is quantified already (character {0})")]
    NestedQuantifier(usize),
    #[error("a quantifier must not repeat alternatives that match the same (character {0})")]
    AmbiguousAlternatives(usize),
    #[error("{reason} (character {at})")]
    Syntax { reason: &'static str, at: usize },
}

impl PatternError {
    /// The code on the wire.
    #[must_use]
    pub const fn code(&self) -> &'static str {
        "invalid_regex_pattern"
    }
}

/// A pattern that was accepted.
#[derive(Debug, Clone)]
pub struct Pattern(
    /// Over bytes, because word boundaries are those of ASCII. Its classes are of whole characters.
    Regex,
);

impl Pattern {
    /// Reads and compiles a pattern.
    ///
    /// # Errors
    /// What it has is not supported, would take too long elsewhere, or is too large.
    pub fn compile(pattern: &str) -> Result<Self, PatternError> {
        if pattern.is_empty() {
            return Err(PatternError::Empty);
        }
        if pattern.chars().nth(MAX_CHARS).is_some() {
            return Err(PatternError::TooLong);
        }
        let written = written(pattern)?;
        let built = RegexBuilder::new(&written)
            .size_limit(MAX_COMPILED_BYTES)
            .dfa_size_limit(MAX_STATE_BYTES)
            .nest_limit(parse::MAX_WRITTEN_DEPTH)
            .build();
        built.map(Self).map_err(|_| PatternError::TooLarge)
    }

    /// The same as [`Pattern::compile`], made once as long as somebody has it: guardrails are about many keys.
    ///
    /// # Errors
    /// As [`Pattern::compile`].
    pub fn shared(pattern: &str) -> Result<Arc<Self>, PatternError> {
        static MADE: LazyLock<Mutex<Made>> = LazyLock::new(Mutex::default);
        let known = |made: &Made| made.patterns.get(pattern).and_then(Weak::upgrade);
        if let Some(made) = known(&MADE.lock().unwrap_or_else(PoisonError::into_inner)) {
            return Ok(made);
        }
        let new = Arc::new(Self::compile(pattern)?);
        let mut made = MADE.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(other) = known(&made) {
            return Ok(other);
        }
        made.keep(pattern, &new);
        Ok(new)
    }

    /// Whether patterns that are accepted one by one are small enough together.
    ///
    /// # Errors
    /// [`PatternError::TooLargeTogether`], and what [`Pattern::compile`] says of each.
    pub fn fit_together<'a>(
        patterns: impl IntoIterator<Item = &'a str>,
    ) -> Result<(), PatternError> {
        let all: Vec<String> = patterns.into_iter().map(written).collect::<Result<_, _>>()?;
        let built = RegexSetBuilder::new(&all)
            .size_limit(MAX_COMPILED_BYTES)
            .nest_limit(parse::MAX_WRITTEN_DEPTH)
            .build();
        built.map(drop).map_err(|_| PatternError::TooLargeTogether)
    }

    /// The places that match, none of them empty, in order.
    #[must_use]
    pub fn find(&self, text: &str) -> Vec<Range<usize>> {
        let mut found: Vec<Range<usize>> = Vec::new();
        for place in self.0.find_iter(text.as_bytes()).filter(|place| !place.is_empty()) {
            if found.len() == MAX_MATCHES {
                found.push(place.start()..text.len());
                break;
            }
            found.push(place.range());
        }
        found
    }
}

/// A pattern as the engine reads it.
fn written(pattern: &str) -> Result<String, PatternError> {
    let tree = parse::parse(pattern)?;
    judge::judge(&tree)?;
    Ok(write::write(&tree))
}

/// Fewest entries that are looked through for those that nobody has any more.
const MANY: usize = 64;

/// Patterns that somebody has.
#[derive(Default)]
struct Made {
    patterns: HashMap<Box<str>, Weak<Pattern>>,
    /// How many there were when those that nobody has were last taken out.
    live: usize,
}

impl Made {
    fn keep(&mut self, pattern: &str, new: &Arc<Pattern>) {
        if self.patterns.len() >= self.live.saturating_mul(2).max(MANY) {
            self.patterns.retain(|_, one| one.strong_count() > 0);
            self.live = self.patterns.len();
        }
        self.patterns.insert(pattern.into(), Arc::downgrade(new));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_pattern_is_made_once_and_forgotten_with_its_last_user() {
        let mut made = Made::default();
        let kept = Arc::new(Pattern::compile("kept").unwrap());
        made.keep("kept", &kept);
        for number in 0..1_000 {
            made.keep(&format!("x{number}"), &Arc::new(Pattern::compile("x").unwrap()));
            assert!(made.patterns.len() <= MANY);
        }
        assert!(made.patterns.contains_key("kept"));
        let one = Pattern::shared("a+b").unwrap();
        assert!(Arc::ptr_eq(&one, &Pattern::shared("a+b").unwrap()));
        assert!(Pattern::shared("(a+)+").is_err());
    }
}
