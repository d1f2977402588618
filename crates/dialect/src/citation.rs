//! Sources of an answer as `url_citation` annotations, the shape that chat clients know.

use std::collections::BTreeSet;

use crate::compose::{ArrayText, ObjectText};

/// More sources of one answer are not told.
const MOST_SOURCES: usize = 1000;

/// The part of the answer's text that a source is cited for, in characters; the end is not in it.
/// Zeros when the provider names no place.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Default)]
pub(crate) struct Place {
    pub(crate) start: u64,
    pub(crate) end: u64,
}

/// What was told of one answer: each source once for each place.
#[derive(Debug, Default)]
pub(crate) struct Sources {
    told: BTreeSet<(String, Place)>,
}

impl Sources {
    /// Adds an annotation, unless it was told before or has no address.
    pub(crate) fn tell(&mut self, url: &str, title: &str, place: Place, list: &mut ArrayText) {
        let fits = !url.is_empty() && self.told.len() < MOST_SOURCES;
        if !fits || !self.told.insert((url.to_owned(), place)) {
            return;
        }
        let mut citation = ObjectText::new();
        citation.text("url", url);
        citation.text("title", title);
        citation.json("start_index", &place.start.to_string());
        citation.json("end_index", &place.end.to_string());
        let mut annotation = ObjectText::typed("url_citation");
        annotation.json("url_citation", &citation.finish());
        list.push(&annotation.finish());
    }
}
