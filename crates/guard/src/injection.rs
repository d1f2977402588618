//! The detector of prompt injection, `regex-prompt-injection` (platform spec 7.7): 33 named patterns,
//! and what finds them when they are disguised.
//!
//! No pattern is searched for in the whole text. Each begins at one of a few words, and the walk over
//! the words of a text tries it there: see [`words`]. A try looks at no more than [`WINDOW`] bytes, so
//! the time is linear in the text, whatever it says.

mod disguise;
mod table;
pub(crate) mod words;

use std::ops::Range;
use std::sync::LazyLock;

use regex_automata::meta::Regex;
use regex_automata::util::syntax;
use regex_automata::{Anchored, Input};

pub(crate) use disguise::Disguises;
pub use disguise::{BASE64, HEX, SPACED, TYPOGLYCEMIA};
use table::{Lead, ROWS, Row};

/// Longest stretch of text that one try of a pattern looks at, in bytes.
pub const WINDOW: usize = 400;

/// What was found and where.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Injection {
    /// The pattern's name, one of [`names`] or of the disguises.
    pub name: &'static str,
    /// Bytes of the text.
    pub span: Range<usize>,
    /// Whether it was disguised: then the whole text is concerned, and no allowlist counts.
    pub disguised: bool,
}

/// The names of the patterns, in the order of the table.
pub fn names() -> impl Iterator<Item = &'static str> {
    ROWS.iter().map(|row| row.name)
}

static COMPILED: LazyLock<Vec<Option<Regex>>> =
    LazyLock::new(|| ROWS.iter().map(|row| compile(row, r"\s+").ok()).collect());

/// Compiles a row with this in the place of its spaces.
fn compile(row: &Row, space: &str) -> Result<Regex, Box<regex_automata::meta::BuildError>> {
    let config = syntax::Config::new().case_insensitive(!row.case_sensitive).multi_line(true);
    Regex::builder().syntax(config).build(&table::expanded(row, space)).map_err(Box::new)
}

/// Tries the patterns that begin at a word; `of_word` is a bit for each.
pub(crate) fn at_word(
    text: &str,
    word: Range<usize>,
    mut of_word: u64,
    take: &mut impl FnMut(&'static str, Range<usize>),
) {
    while of_word != 0 {
        let index = of_word.trailing_zeros() as usize;
        of_word &= of_word.wrapping_sub(1);
        let (Some(row), Some(Some(regex))) = (ROWS.get(index), COMPILED.get(index)) else {
            continue;
        };
        if !may_follow(text.as_bytes(), word.end, row.next) {
            continue;
        }
        let Some(from) = lead(text.as_bytes(), word.start, row.lead) else { continue };
        let until = text.len().min(from.saturating_add(WINDOW));
        let input = Input::new(text.as_bytes()).range(from..until).anchored(Anchored::Yes);
        if let Some(found) = regex.find(input) {
            take(row.name, found.range());
        }
    }
}

/// Whether what comes after a word may be one of these, as far as a glance tells.
#[inline]
fn may_follow(bytes: &[u8], end: usize, next: &[&str]) -> bool {
    const GLANCE: usize = 4;
    let rest = bytes.get(end..).unwrap_or_default();
    let blank = rest.iter().take(GLANCE).take_while(|byte| byte.is_ascii_whitespace()).count();
    let rest = rest.get(blank..).unwrap_or_default();
    let begins = |word: &&str| {
        rest.get(..word.len()).is_some_and(|start| start.eq_ignore_ascii_case(word.as_bytes()))
    };
    next.is_empty()
        || blank == GLANCE
        || rest.first().is_some_and(|byte| !byte.is_ascii())
        || next.iter().any(begins)
}

/// Where a pattern begins that has this before its word.
fn lead(bytes: &[u8], start: usize, lead: Lead) -> Option<usize> {
    let before = |back: usize| start.checked_sub(back).and_then(|at| bytes.get(at)).copied();
    match lead {
        Lead::Word => (before(1) != Some(b'_')).then_some(start),
        Lead::Line => {
            let blank =
                (1..=8).take_while(|back| matches!(before(*back), Some(b' ' | b'\t'))).count();
            let at = start.saturating_sub(blank);
            (at == 0 || bytes.get(at - 1) == Some(&b'\n')).then_some(at)
        }
        Lead::After(marks) => {
            let until = bytes.get(start.saturating_sub(16)..start)?;
            let is_lead = |byte: &&u8| !byte.is_ascii_alphanumeric() && **byte != b'\n';
            let run = until.iter().rev().take_while(is_lead).count();
            let run = until.get(until.len().saturating_sub(run)..)?;
            let last = run.iter().rposition(|byte| marks.contains(byte))?;
            let (head, mark) =
                run.split_at_checked(last).map(|(head, tail)| (head, tail.first()))?;
            let same = head.iter().rev().take_while(|byte| Some(*byte) == mark).count();
            let back = run.len().saturating_sub(last).saturating_add(same);
            Some(start.saturating_sub(back))
        }
    }
}

/// All that is found in a text, in no special order.
#[must_use]
pub fn find(text: &str) -> Vec<Injection> {
    let mut found = Vec::new();
    let mut disguises = Disguises::default();
    let table = words::table();
    crate::tokens::each(text.as_bytes(), |start, end| {
        let mut plain = |name, span| found.push(Injection { name, span, disguised: false });
        at_word(text, start..end, table.look(text.as_bytes(), start, end), &mut plain);
        disguises.token(text, start, end);
    });
    disguises.finish(text);
    let hidden = disguises.found.into_iter();
    found.extend(hidden.map(|(name, span)| Injection { name, span, disguised: true }));
    found
}

/// The patterns alone, where parts of the text are masked.
pub(crate) fn find_plain(text: &str, take: &mut impl FnMut(&'static str, Range<usize>)) {
    let table = words::table();
    crate::tokens::each(text.as_bytes(), |start, end| {
        at_word(text, start..end, table.look(text.as_bytes(), start, end), take);
    });
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_row_compiles_and_names_its_words() {
        for row in ROWS {
            for space in [r"\s+", r"\s*"] {
                assert!(compile(row, space).is_ok(), "{}", row.name);
            }
            assert!(!row.words.is_empty(), "{}", row.name);
        }
        let mut names: Vec<_> = names().collect();
        assert_eq!(names.len(), 33);
        names.sort_unstable();
        names.dedup();
        assert_eq!(names.len(), 33);
    }
}
