//! The chunk before as a template: within a stream most chunks differ in their text alone.
//!
//! A chunk that begins and ends with the same bytes as the one before, and has a text between them,
//! needs no reading: what is written differs in the text alone too. The template holds only as long
//! as chunks follow each other like that, so nothing else that is remembered can have changed.

use crate::scan;

/// Longest chunk that is remembered.
const MAX_BYTES: usize = 8192;
/// After so many chunks in a row that did not fit, none is remembered any more.
const MAX_MISSES: u8 = 32;

/// Where the text of a chunk stands, as a JSON string.
#[derive(Debug, Clone, Copy)]
pub(super) struct Hole {
    /// Its place in the chunk.
    pub(super) from: usize,
    /// Its length, quotes included.
    pub(super) length: usize,
    /// Where it ends in the output.
    pub(super) out_end: usize,
}

/// The chunk before, around its text, and what was written for it.
#[derive(Debug, Default)]
pub(super) struct Template {
    before: Vec<u8>,
    after: Vec<u8>,
    out_before: Vec<u8>,
    out_after: Vec<u8>,
    misses: u8,
}

impl Template {
    /// The text of a chunk that fits, as a JSON string that is not empty.
    #[inline]
    pub(super) fn text<'a>(&self, chunk: &'a [u8]) -> Option<&'a str> {
        if self.before.is_empty() {
            return None;
        }
        let rest = chunk.strip_prefix(self.before.as_slice())?;
        let raw = rest.strip_suffix(self.after.as_slice())?;
        let raw = std::str::from_utf8(raw).ok()?;
        (scan::is_text(raw) && scan::Scanner::new(raw).is_string()).then_some(raw)
    }

    /// Appends what is written for a chunk with this text.
    pub(super) fn write(&mut self, raw: &str, out: &mut Vec<u8>) {
        self.misses = 0;
        out.reserve(self.out_before.len() + raw.len() + self.out_after.len());
        out.extend_from_slice(&self.out_before);
        out.extend_from_slice(raw.as_bytes());
        out.extend_from_slice(&self.out_after);
    }

    /// Another chunk came: the template holds no longer.
    pub(super) fn forget(&mut self) {
        self.before.clear();
    }

    /// Remembers a chunk with a text at this place, and what was written for it.
    pub(super) fn remember(&mut self, chunk: &str, hole: Hole, out: &[u8]) {
        if chunk.len() > MAX_BYTES || self.misses >= MAX_MISSES {
            return;
        }
        self.misses += 1;
        let chunk = chunk.as_bytes();
        let parts = (
            chunk.get(..hole.from),
            chunk.get(hole.from.saturating_add(hole.length)..),
            out.get(..hole.out_end.saturating_sub(hole.length)),
            out.get(hole.out_end..),
        );
        let (Some(before), Some(after), Some(out_before), Some(out_after)) = parts else { return };
        for (slot, bytes) in [
            (&mut self.before, before),
            (&mut self.after, after),
            (&mut self.out_before, out_before),
            (&mut self.out_after, out_after),
        ] {
            slot.clear();
            slot.extend_from_slice(bytes);
        }
    }
}
