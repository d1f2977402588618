//! A body in pieces, so that what was received and is kept need not be copied.

use std::ops::Range;

use bytes::Bytes;

use super::edits::Output;

/// Parts that are shorter are copied: a piece of its own costs more.
const SHORT: usize = 4096;

/// The text of a request, in order. Its pieces share the memory of the document that it was made of.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Pieces(Vec<Bytes>);

impl Pieces {
    /// The pieces.
    #[must_use]
    pub fn into_vec(self) -> Vec<Bytes> {
        self.0
    }

    /// Everything in one piece, copied when there is more than one.
    #[must_use]
    pub fn whole(self) -> Bytes {
        match <[Bytes; 1]>::try_from(self.0) {
            Ok([only]) => only,
            Err(several) => several.concat().into(),
        }
    }

    /// Nothing yet, of a text that will be edited; `added` is about how many bytes will be new.
    pub(super) fn begin(text: &Bytes, added: usize) -> Unfinished<'_> {
        let room = added.saturating_add(text.len().min(SHORT));
        Unfinished { text, pieces: Vec::new(), copied: Vec::with_capacity(room) }
    }
}

impl From<Bytes> for Pieces {
    fn from(whole: Bytes) -> Self {
        Self(vec![whole])
    }
}

/// Pieces in the making.
pub(super) struct Unfinished<'a> {
    text: &'a Bytes,
    pieces: Vec<Bytes>,
    /// What comes after the last piece.
    copied: Vec<u8>,
}

impl Unfinished<'_> {
    pub(super) fn finish(mut self) -> Pieces {
        self.cut();
        Pieces(self.pieces)
    }

    fn cut(&mut self) {
        if !self.copied.is_empty() {
            self.pieces.push(Bytes::from(std::mem::take(&mut self.copied)));
        }
    }
}

impl Output for Unfinished<'_> {
    fn keep(&mut self, part: Range<usize>) {
        let Some(kept) = self.text.get(part) else { return };
        if kept.len() < SHORT {
            self.copied.extend_from_slice(kept);
        } else {
            self.cut();
            self.pieces.push(self.text.slice_ref(kept));
        }
    }

    fn add(&mut self, text: &str) {
        self.copied.extend_from_slice(text.as_bytes());
    }
}
