//! Phrases that are never an injection (platform spec 7.8).

use std::borrow::Cow;
use std::collections::HashSet;
use std::sync::OnceLock;

use aho_corasick::AhoCorasick;

/// Longest entry, in bytes.
pub const MAX_ENTRY_BYTES: usize = 1_000;
/// Most active entries.
pub const MAX_ACTIVE: usize = 200;

/// What stands in the place of a masked letter: neither a letter nor white space.
pub(crate) const MASK: u8 = 0x1a;

/// Why a list is not accepted.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[expect(missing_docs, reason = "the messages say it")]
pub enum AllowlistError {
    #[error("an entry must not be empty")]
    Empty,
    #[error("an entry can have at most {MAX_ENTRY_BYTES} bytes")]
    TooLong,
    #[error("at most {MAX_ACTIVE} entries can be active")]
    TooMany,
    #[error("the entry is there already")]
    Duplicate,
}

/// The active entries of a person or an organization. Case does not matter.
#[derive(Debug, Default)]
pub struct Allowlist {
    entries: Vec<String>,
    searcher: OnceLock<Option<AhoCorasick>>,
}

impl Allowlist {
    /// A list of active entries.
    ///
    /// # Errors
    /// An entry is empty or too long, is there twice but for its case, or there are too many.
    pub fn new<'a>(entries: impl IntoIterator<Item = &'a str>) -> Result<Self, AllowlistError> {
        let mut folded = Vec::new();
        let mut seen = HashSet::new();
        for entry in entries {
            Self::check(entry)?;
            let entry = fold(entry).0;
            if !seen.insert(entry.clone()) {
                return Err(AllowlistError::Duplicate);
            }
            folded.push(entry);
            if folded.len() > MAX_ACTIVE {
                return Err(AllowlistError::TooMany);
            }
        }
        Ok(Self { entries: folded, searcher: OnceLock::new() })
    }

    /// Whether one entry could stand in a list.
    ///
    /// # Errors
    /// It is empty or too long.
    pub fn check(entry: &str) -> Result<(), AllowlistError> {
        match entry.len() {
            0 => Err(AllowlistError::Empty),
            1..=MAX_ENTRY_BYTES => Ok(()),
            _ => Err(AllowlistError::TooLong),
        }
    }

    /// What two entries have in common that count as the same.
    #[must_use]
    pub fn identity(entry: &str) -> String {
        fold(entry).0
    }

    /// Whether there is none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.entries.is_empty()
    }

    /// The text with every entry masked, byte for byte as long; itself when there is none in it.
    pub(crate) fn masked<'t>(&self, text: &'t str) -> Cow<'t, str> {
        let build = || AhoCorasick::new(&self.entries).ok();
        let Some(searcher) = self.searcher.get_or_init(build).as_ref().filter(|_| !self.is_empty())
        else {
            return Cow::Borrowed(text);
        };
        let (folded, places) = fold(text);
        let place = |at: usize| places.get(at).copied().unwrap_or(text.len());
        // By their ends, and of those that end alike the longest.
        let mut spans: Vec<(usize, usize)> = Vec::new();
        for found in searcher.find_overlapping_iter(&folded) {
            let (start, end) = (place(found.start()), place(found.end()));
            match spans.last_mut() {
                Some(last) if last.1 == end => last.0 = last.0.min(start),
                _ => spans.push((start, end)),
            }
        }
        let masked = !spans.is_empty();
        let mut bytes = text.as_bytes().to_vec();
        // Each byte once: from the right, only what lies before all that was masked.
        let mut low = usize::MAX;
        for (start, end) in spans.into_iter().rev().filter(|span| span.0 < span.1) {
            if let Some(part) = bytes.get_mut(start..end.min(low).max(start)) {
                part.fill(MASK);
            }
            low = low.min(start);
        }
        // Whole characters were masked, so it is text.
        if masked {
            String::from_utf8(bytes).map_or(Cow::Borrowed(text), Cow::Owned)
        } else {
            Cow::Borrowed(text)
        }
    }
}

/// A text in lower case, and for each of its bytes where the letter that it comes from begins.
fn fold(text: &str) -> (String, Vec<usize>) {
    let mut folded = String::with_capacity(text.len());
    let mut places = Vec::with_capacity(text.len());
    for (at, letter) in text.char_indices() {
        for lower in letter.to_lowercase() {
            folded.push(lower);
            places.resize(folded.len(), at);
        }
    }
    (folded, places)
}
