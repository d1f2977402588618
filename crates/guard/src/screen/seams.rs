//! What begins in one part of a message and ends in the next: a model reads them as one text.

use std::ops::Range;

use super::found::{Detection, Found, What};
use super::{Sample, Screen};
use crate::allowlist::MASK;

/// Bytes of a part that are looked at on each side of a seam.
const REACH: usize = 256;

/// A stretch of the joined text, and where it is from.
struct Piece {
    at: Range<usize>,
    text: usize,
    from: usize,
}

/// Parts that follow each other, as one text: whole, or their ends where they are long.
#[derive(Default)]
struct Joined {
    words: String,
    pieces: Vec<Piece>,
}

impl Joined {
    fn add(&mut self, text: usize, words: &str) {
        let head = words.floor_char_boundary(REACH);
        let tail = words.ceil_char_boundary(words.len().saturating_sub(REACH));
        if tail <= head {
            return self.piece(text, words, 0..words.len());
        }
        self.piece(text, words, 0..head);
        self.words.push(char::from(MASK));
        self.piece(text, words, tail..words.len());
    }

    fn piece(&mut self, text: usize, words: &str, part: Range<usize>) {
        let start = self.words.len();
        self.words.push_str(words.get(part.clone()).unwrap_or_default());
        self.pieces.push(Piece { at: start..self.words.len(), text, from: part.start });
    }

    /// The parts of the texts that a find covers, in order.
    fn parts<'a>(
        &'a self,
        span: &'a Range<usize>,
    ) -> impl Iterator<Item = (usize, Range<usize>)> + 'a {
        let first = self.pieces.partition_point(|piece| piece.at.end <= span.start);
        let covered = self.pieces.iter().skip(first).take_while(|piece| piece.at.start < span.end);
        covered.map(|piece| {
            let from = |at: usize| at.saturating_sub(piece.at.start).saturating_add(piece.from);
            let start = from(span.start.max(piece.at.start));
            (piece.text, start..from(span.end.min(piece.at.end)))
        })
    }
}

impl Screen {
    /// Adds what lies across the seams of texts: each of `continuing` goes on where the one before it ended.
    /// What was found in one of them by itself is that find, whatever comes after it.
    pub fn scan_seams(&self, samples: &[Sample<'_>], continuing: &[usize], found: &mut Found<'_>) {
        for run in continuing.chunk_by(|one, next| one.saturating_add(1) == *next) {
            let (Some(first), Some(last)) = (run.first(), run.last()) else { continue };
            let Some(before) = first.checked_sub(1) else { continue };
            let Some(texts) = samples.get(before..=*last) else { continue };
            let mut joined = Joined::default();
            for (text, sample) in (before..).zip(texts) {
                joined.add(text, sample.text);
            }
            let from_user = texts.iter().any(|one| one.from_user);
            let mut across = Found::new(self);
            let sample = Sample { text: &joined.words, from_user };
            self.scan_one(0, &sample, &mut across);
            for one in across.detections() {
                add(one, &joined, samples, found);
            }
        }
    }
}

/// A find in joined texts, as one find in the first of them and its continuations.
fn add(one: &Detection, joined: &Joined, samples: &[Sample<'_>], found: &mut Found<'_>) {
    let parts: Vec<(usize, Range<usize>)> = joined.parts(&one.span).collect();
    let is_across = parts.first().map(|part| part.0) != parts.last().map(|part| part.0);
    let is_known = |(text, span): &(usize, Range<usize>)| {
        let mut known = found.detections().iter();
        known.any(|old| {
            old.text == *text
                && old.what == one.what
                && old.span.start < span.end
                && span.start < old.span.end
        })
    };
    if !is_across || parts.iter().any(is_known) {
        return;
    }
    let mut continues = false;
    for (text, span) in parts {
        let replaced = match one.what {
            What::Disguise(_) => 0..samples.get(text).map_or(0, |sample| sample.text.len()),
            _ => span.clone(),
        };
        found.add_part(one, text, span, replaced, continues);
        continues = true;
    }
}
