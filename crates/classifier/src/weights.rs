//! The file of weights: read in place, nothing is copied.
//!
//! Little-endian: `SBTC`, the version (u8), the number of classes (u8), the bits of a bucket (u8), a
//! zero, the fingerprint of the training half (u64), what one step of a weight is worth (f32), the
//! threshold (f32), a bias per class (32 × f32), then a row of 32 × i8 per bucket, one weight per class.

use crate::tag::TaskTag;

/// Weights in a row. The classes, padded so that a row is added with wide instructions.
pub const LANES: usize = 32;
/// Bits of a bucket's number.
pub const BITS: u32 = 15;
/// Buckets that features are hashed into.
pub const BUCKETS: usize = 1 << BITS;
const MAGIC: &[u8; 4] = b"SBTC";
const VERSION: u8 = 1;
/// Bytes before the rows.
const HEADER: usize = 24 + LANES * 4;
/// The committed weights.
pub const EMBEDDED: &[u8] = include_bytes!("../data/weights.bin");

const _: () = assert!(TaskTag::COUNT <= LANES, "a class needs a lane");

/// Why a file of weights is refused.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum WeightsError {
    /// It isn't a file of weights, or one of another version.
    #[error("not a file of weights of version {VERSION}")]
    Foreign,
    /// It was made for another list of tags or another number of buckets.
    #[error("the weights were made for other classes or buckets")]
    Mismatch,
    /// Its length isn't what its head says.
    #[error("the file of weights has {0} bytes, that is not what its head says")]
    Length(usize),
}

/// Weights, in place.
#[derive(Debug, Clone, Copy)]
pub struct Weights<'a> {
    /// The [`crate::labelled::fingerprint`] of the half that they were trained from.
    pub fingerprint: u64,
    /// What one step of a weight is worth, in logits.
    pub step: f32,
    /// Below this confidence there is no answer.
    pub threshold: f32,
    /// The bias of each class, in logits.
    pub bias: [f32; LANES],
    /// A row per bucket; each byte is an `i8`.
    pub rows: &'a [[u8; LANES]],
}

impl<'a> Weights<'a> {
    /// Reads a file of weights in place.
    ///
    /// # Errors
    /// [`WeightsError`] says what is wrong with the file.
    pub fn read(file: &'a [u8]) -> Result<Self, WeightsError> {
        let length = WeightsError::Length(file.len());
        let (head, rows) = file.split_at_checked(HEADER).ok_or(length)?;
        let (fixed, biases) = head.split_at_checked(24).ok_or(length)?;
        let [m0, m1, m2, m3, version, classes, bits, _, rest @ ..] = fixed else {
            return Err(length);
        };
        if [*m0, *m1, *m2, *m3] != *MAGIC || *version != VERSION {
            return Err(WeightsError::Foreign);
        }
        if usize::from(*classes) != TaskTag::COUNT || u32::from(*bits) != BITS {
            return Err(WeightsError::Mismatch);
        }
        let (fingerprint, floats) = rest.split_first_chunk::<8>().ok_or(length)?;
        let (step, threshold) = floats.split_first_chunk::<4>().ok_or(length)?;
        let threshold = threshold.first_chunk::<4>().ok_or(length)?;
        let mut bias = [0.0; LANES];
        for (bias, bytes) in bias.iter_mut().zip(biases.as_chunks::<4>().0) {
            *bias = f32::from_le_bytes(*bytes);
        }
        let (rows, odd) = rows.as_chunks::<LANES>();
        if rows.len() != BUCKETS || !odd.is_empty() {
            return Err(length);
        }
        Ok(Self {
            fingerprint: u64::from_le_bytes(*fingerprint),
            step: f32::from_le_bytes(*step),
            threshold: f32::from_le_bytes(*threshold),
            bias,
            rows,
        })
    }

    /// The file that [`Self::read`] reads.
    #[must_use]
    pub fn write(&self) -> Vec<u8> {
        let mut file = Vec::with_capacity(HEADER.saturating_add(self.rows.len() * LANES));
        file.extend_from_slice(MAGIC);
        file.extend_from_slice(&[VERSION, TaskTag::COUNT as u8, BITS as u8, 0]);
        file.extend_from_slice(&self.fingerprint.to_le_bytes());
        file.extend_from_slice(&self.step.to_le_bytes());
        file.extend_from_slice(&self.threshold.to_le_bytes());
        for bias in self.bias {
            file.extend_from_slice(&bias.to_le_bytes());
        }
        file.extend_from_slice(self.rows.as_flattened());
        file
    }
}
