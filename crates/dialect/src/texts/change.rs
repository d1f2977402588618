//! Replacing spans of texts: only the bytes that spell them change.

use std::borrow::Cow;
use std::ops::Range;

use super::spelling::spelled;
use super::{Place, Text};
use crate::document::{Document, Splice, quoted, spliced};
use crate::scan::unescape;

/// A span of one text and what it becomes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Change {
    /// Which of the texts that [`super::texts`] gave.
    pub text: usize,
    /// Bytes of it. A span that cuts a character takes all of it.
    pub span: Range<usize>,
    /// Without escapes.
    pub with: String,
}

/// The body with the changes made, every other byte as it came. Changes may come in any order; of two
/// that overlap, the one that begins later is left out, so join spans first.
#[must_use]
pub fn changed(document: &Document, texts: &[Text<'_>], changes: &[Change]) -> Document {
    if changes.is_empty() {
        return document.clone();
    }
    let mut sorted: Vec<&Change> = changes.iter().collect();
    sorted.sort_by_key(|change| (change.text, change.span.start, change.span.end));
    let whole = document.text();
    let mut splices: Vec<Splice> = Vec::new();
    let mut nested: Vec<(&Place, Cow<'_, str>, Vec<Splice>)> = Vec::new();
    for group in sorted.chunk_by(|one, other| one.text == other.text) {
        let Some(text) = group.first().and_then(|change| texts.get(change.text)) else { continue };
        let place = &text.place;
        match &place.within {
            None => splices.extend(in_text(text, whole, &place.at, group)),
            Some(within) => {
                if nested.last().is_none_or(|(last, ..)| last.at != place.at) {
                    nested.push((place, meaning_at(whole, place), Vec::new()));
                }
                if let Some((_, json, all)) = nested.last_mut() {
                    all.extend(in_text(text, json, within, group));
                }
            }
        }
    }
    for (place, _, inner) in nested {
        splices.extend(outwards(whole, place, inner));
    }
    splices.sort_by_key(|(span, _)| (span.start, span.end));
    document.replaced(&splices)
}

/// What changes in the text whose spelling is at `at` of `whole`.
fn in_text(text: &Text<'_>, whole: &str, at: &Range<usize>, changes: &[&Change]) -> Vec<Splice> {
    let meaning: &str = &text.text;
    let mut last = 0;
    let mut spans: Vec<Splice> = Vec::with_capacity(changes.len());
    for change in changes {
        let start = floor(meaning, change.span.start);
        let end = ceil(meaning, change.span.end).max(start);
        if start >= last {
            spans.push((start..end, change.with.clone()));
            last = end;
        }
    }
    if text.place.bare {
        return vec![(at.clone(), quoted(&spliced(meaning, &spans).0))];
    }
    let inner = whole.get(at.clone()).unwrap_or_default();
    let offsets: Vec<usize> = spans.iter().flat_map(|(span, _)| [span.start, span.end]).collect();
    let places = spelled(inner, &offsets);
    let placed = places.chunks_exact(2).zip(spans).filter_map(|(pair, (_, with))| {
        let [start, end] = *pair else { return None };
        let span = at.start.saturating_add(start)..at.start.saturating_add(end);
        Some((span, escaped(&with)))
    });
    placed.collect()
}

/// From the JSON that a string means to the bytes that spell it: one layer of escapes more.
fn outwards(whole: &str, place: &Place, mut inner: Vec<Splice>) -> Vec<Splice> {
    inner.sort_by_key(|(span, _)| (span.start, span.end));
    let spelling = whole.get(place.at.clone()).unwrap_or_default();
    let offsets: Vec<usize> = inner.iter().flat_map(|(span, _)| [span.start, span.end]).collect();
    let places = spelled(spelling, &offsets);
    let placed = places.chunks_exact(2).zip(inner).filter_map(|(pair, (_, with))| {
        let [start, end] = *pair else { return None };
        let from = place.at.start;
        Some((from.saturating_add(start)..from.saturating_add(end), escaped(&with)))
    });
    placed.collect()
}

/// What the string at a place means.
fn meaning_at<'a>(whole: &'a str, place: &Place) -> Cow<'a, str> {
    let with_quotes = place.at.start.saturating_sub(1)..place.at.end.saturating_add(1);
    unescape(whole.get(with_quotes).unwrap_or_default())
}

/// A text as it stands between the quotes of a JSON string.
fn escaped(text: &str) -> String {
    let quoted = quoted(text);
    quoted.get(1..quoted.len().saturating_sub(1)).unwrap_or_default().to_owned()
}

fn floor(text: &str, at: usize) -> usize {
    let at = at.min(text.len());
    (0..=at).rev().find(|at| text.is_char_boundary(*at)).unwrap_or(0)
}

fn ceil(text: &str, at: usize) -> usize {
    (at..text.len()).find(|at| text.is_char_boundary(*at)).unwrap_or(text.len())
}
