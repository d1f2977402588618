//! Identifiers. Time and randomness are arguments: nothing here draws them.

use std::fmt;
use std::sync::Arc;

use serde::{Deserialize, Serialize};

use crate::Timestamp;

/// 128 random bits, drawn by `signalbox_runtime::entropy`.
pub type Entropy = [u8; 16];

const ALPHABET: &[u8; 62] = b"0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";

/// Appends twenty letters and digits: 119 of the 128 random bits, ten from each half.
fn push_letters(text: &mut String, entropy: Entropy) {
    let bits = u128::from_be_bytes(entropy);
    for half in [bits >> 64, bits] {
        let mut rest = half as u64;
        for _ in 0..10 {
            let digit = (rest % 62) as usize;
            text.push(char::from(ALPHABET.get(digit).copied().unwrap_or(b'0')));
            rest /= 62;
        }
    }
}

/// `<kind>-<unix seconds>-<20 letters and digits>`.
fn dated(kind: &str, now: Timestamp, entropy: Entropy) -> String {
    let mut text = String::with_capacity(48);
    text.push_str(kind);
    text.push('-');
    text.push_str(&now.seconds().to_string());
    text.push('-');
    push_letters(&mut text, entropy);
    text
}

/// Bytes in lower-case hex.
#[must_use]
pub fn hex(bytes: &[u8]) -> String {
    let digit = |value: u8| if value < 10 { b'0' + value } else { b'a' + value - 10 };
    let mut text = vec![0; bytes.len().saturating_mul(2)];
    for (pair, byte) in text.chunks_exact_mut(2).zip(bytes) {
        pair.copy_from_slice(&[digit(byte >> 4), digit(byte & 15)]);
    }
    String::from_utf8(text).unwrap_or_default()
}

macro_rules! text_id {
    ($(#[$doc:meta])* $name:ident) => {
        $(#[$doc])*
        #[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
        #[serde(transparent)]
        pub struct $name(Arc<str>);

        impl $name {
            /// Takes a text that is already an id, such as one read from storage.
            #[must_use]
            pub fn new(text: impl Into<Arc<str>>) -> Self {
                Self(text.into())
            }

            /// The id as text.
            #[must_use]
            pub fn as_str(&self) -> &str {
                &self.0
            }

            /// The text, shared.
            #[must_use]
            pub fn shared(&self) -> Arc<str> {
                Arc::clone(&self.0)
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(&self.0)
            }
        }

        impl fmt::Debug for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(&self.0)
            }
        }
    };
}

text_id!(
    /// A pot of money that reservations draw on: `credit:<account>`, `<scope>/<interval>`.
    PurseId
);
text_id!(
    /// One generation: `gen-<unix seconds>-<20 letters and digits>` (inference spec 2.4).
    GenerationId
);
text_id!(
    /// One API request, which may have several generations: `req-<unix seconds>-<20 …>`.
    RequestId
);
text_id!(
    /// One account: `acc_<20 letters and digits>`.
    AccountId
);
text_id!(
    /// The public id of an API key: the SHA-256 of the whole key in lower-case hex.
    KeyHash
);

impl GenerationId {
    /// A new id for a generation that starts at `now`.
    #[must_use]
    pub fn generate(now: Timestamp, entropy: Entropy) -> Self {
        Self::new(dated("gen", now, entropy))
    }

    /// A new id that tells what was asked for: `gen-<kind>-<unix seconds>-<20 …>`.
    #[must_use]
    pub fn generate_of(kind: &str, now: Timestamp, entropy: Entropy) -> Self {
        Self::new(dated(&format!("gen-{kind}"), now, entropy))
    }
}

impl RequestId {
    /// A new id for a request that arrives at `now`.
    #[must_use]
    pub fn generate(now: Timestamp, entropy: Entropy) -> Self {
        Self::new(dated("req", now, entropy))
    }
}

impl AccountId {
    /// A new account id.
    #[must_use]
    pub fn generate(entropy: Entropy) -> Self {
        let mut text = "acc_".to_owned();
        push_letters(&mut text, entropy);
        Self::new(text)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hex_has_two_digits_for_each_byte() {
        assert_eq!(hex(&[0, 9, 0xaf, 0xff]), "0009afff");
    }

    #[test]
    fn every_random_bit_counts() {
        let of = |entropy| AccountId::generate(entropy);
        let mut seen = std::collections::HashSet::from([of([0; 16])]);
        for bit in 0..120 {
            let bits: u128 = 1 << bit;
            seen.insert(of(bits.to_be_bytes()));
        }
        assert_eq!(seen.len(), 121);
    }

    #[test]
    fn generation_ids_carry_their_second() {
        let id = GenerationId::generate(Timestamp::from_seconds(1_700_000_000), [7; 16]);
        assert!(id.as_str().starts_with("gen-1700000000-"));
        assert_eq!(id.as_str().len(), "gen-1700000000-".len() + 20);
        assert_ne!(id, GenerationId::generate(Timestamp::from_seconds(1_700_000_000), [8; 16]));
        let id =
            GenerationId::generate_of("rerank", Timestamp::from_seconds(1_700_000_000), [7; 16]);
        assert!(id.as_str().starts_with("gen-rerank-1700000000-"));
    }
}
