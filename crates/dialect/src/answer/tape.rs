//! A provider's stream as it came, for whoever wants to play it again.

use bytes::Bytes;

/// Bytes up to a limit. Of more, nothing is kept.
#[derive(Debug)]
pub(super) struct Tape {
    most: usize,
    /// `None` once there was too much.
    bytes: Option<Vec<u8>>,
}

impl Tape {
    pub(super) const fn new(most: usize) -> Self {
        Self { most, bytes: Some(Vec::new()) }
    }

    pub(super) fn note(&mut self, bytes: &[u8]) {
        let Some(kept) = &mut self.bytes else { return };
        if kept.len().saturating_add(bytes.len()) > self.most {
            self.bytes = None;
        } else {
            kept.extend_from_slice(bytes);
        }
    }

    /// Everything, in no more memory than it needs.
    pub(super) fn take(self) -> Option<Bytes> {
        self.bytes.map(|bytes| Bytes::from(bytes.into_boxed_slice()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_tape_keeps_all_or_nothing() {
        for (most, expected) in [(6, Some("abcdef")), (7, Some("abcdef")), (5, None), (0, None)] {
            let mut tape = Tape::new(most);
            for piece in ["ab", "", "cde", "f"] {
                tape.note(piece.as_bytes());
            }
            assert_eq!(tape.take(), expected.map(Bytes::from), "{most}");
        }
    }
}
