//! Bytes that come in pieces, each in base64 of its own.

use signalbox_core::limits;

use super::malformed;
use crate::StreamFault;
use crate::base64;

/// The pieces so far. A single one stays as it was written.
#[derive(Debug, Default)]
pub(super) struct Blob {
    single: String,
    bytes: Option<Vec<u8>>,
}

impl Blob {
    /// Adds a piece.
    ///
    /// # Errors
    /// `Malformed` when pieces can't be joined, `FrameTooLong` when they are too many.
    pub(super) fn add(&mut self, piece: &str) -> Result<(), StreamFault> {
        let held = self.bytes.as_ref().map_or(self.single.len(), Vec::len);
        if held.saturating_add(piece.len()) > limits::MAX_FRAME_BYTES {
            return Err(StreamFault::FrameTooLong);
        }
        if self.single.is_empty() && self.bytes.is_none() {
            piece.clone_into(&mut self.single);
            return Ok(());
        }
        let decoded =
            |text: &str| base64::decode(text).ok_or_else(|| malformed("bytes that are no base64"));
        let first = self.bytes.take().map_or_else(|| decoded(&self.single), Ok);
        let mut bytes = first?;
        bytes.extend(decoded(piece)?);
        self.single.clear();
        self.bytes = Some(bytes);
        Ok(())
    }

    /// All of it in base64; `None` when there was nothing.
    pub(super) fn finish(self) -> Option<String> {
        match self.bytes {
            Some(bytes) => Some(base64::encode(&bytes)),
            None => Some(self.single).filter(|text| !text.is_empty()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn joined(pieces: &[&str]) -> Result<Option<String>, StreamFault> {
        let mut blob = Blob::default();
        pieces.iter().try_for_each(|piece| blob.add(piece))?;
        Ok(blob.finish())
    }

    #[test]
    fn pieces_are_joined_as_bytes() {
        assert_eq!(joined(&[]), Ok(None));
        assert_eq!(joined(&["a+/_"]), Ok(Some("a+/_".to_owned())));
        assert_eq!(joined(&["aGVs", "bG8=", "IQ=="]), Ok(Some("aGVsbG8h".to_owned())));
        assert_eq!(joined(&["YQ==", "YQ=="]), Ok(Some("YWE=".to_owned())));
        assert!(matches!(joined(&["aGVs", "?"]), Err(StreamFault::Malformed(_))));
    }
}
