//! Patterns of custom filters: a part of JavaScript's regular expressions that takes linear time
//! (platform spec 7.5). A pattern is parsed here, judged, and written for the engine with every class
//! spelled out, so that `\d`, `\w`, `\s`, `\b` and `.` mean what they mean there and nowhere else.

mod judge;
mod parse;
mod set;
mod write;

use std::ops::Range;

use regex::bytes::{Regex, RegexBuilder};

pub(crate) use set::Set;

/// Most characters of a pattern.
pub const MAX_CHARS: usize = 100_000;
/// Most bytes of a compiled pattern.
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
        let tree = parse::parse(pattern)?;
        judge::judge(&tree)?;
        let written = write::write(&tree);
        let built = RegexBuilder::new(&written)
            .size_limit(MAX_COMPILED_BYTES)
            .dfa_size_limit(MAX_STATE_BYTES)
            .nest_limit(parse::MAX_WRITTEN_DEPTH)
            .build();
        built.map(Self).map_err(|_| PatternError::TooLarge)
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
