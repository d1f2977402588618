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

/// Bytes as a UUID of this version (RFC 9562).
fn uuid(mut bytes: [u8; 16], version: u8) -> String {
    bytes[6] = (bytes[6] & 0x0f) | (version << 4);
    bytes[8] = (bytes[8] & 0x3f) | 0x80;
    let digits = hex(&bytes);
    let part = |from: usize, to: usize| digits.get(from..to).unwrap_or_default();
    let parts = [part(0, 8), part(8, 12), part(12, 16), part(16, 20), part(20, 32)];
    parts.join("-")
}

/// A new random UUID (version 4).
#[must_use]
pub fn random_uuid(entropy: Entropy) -> String {
    uuid(entropy, 4)
}

/// The UUID that follows from a name: `digest` is a hash of it (version 8).
#[must_use]
pub fn named_uuid(digest: &[u8; 32]) -> String {
    let mut bytes = [0; 16];
    bytes.copy_from_slice(&digest[..16]);
    uuid(bytes, 8)
}

/// Whether a text is a UUID in lower-case hex, of whatever version.
#[must_use]
pub fn is_uuid(text: &str) -> bool {
    let fits = |(at, byte): (usize, u8)| match at {
        8 | 13 | 18 | 23 => byte == b'-',
        _ => byte.is_ascii_digit() || (b'a'..=b'f').contains(&byte),
    };
    text.len() == 36 && text.bytes().enumerate().all(fits)
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
    /// One person: `user_<20 letters and digits>`.
    UserId
);
text_id!(
    /// One workspace: a UUID.
    WorkspaceId
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

/// `<prefix><20 letters and digits>`.
fn lettered(prefix: &str, entropy: Entropy) -> String {
    let mut text = prefix.to_owned();
    push_letters(&mut text, entropy);
    text
}

impl AccountId {
    /// A new id for the account of one person.
    #[must_use]
    pub fn generate(entropy: Entropy) -> Self {
        Self::new(lettered("acc_", entropy))
    }

    /// A new id for the account of an organization: `org_<20 letters and digits>`.
    #[must_use]
    pub fn generate_org(entropy: Entropy) -> Self {
        Self::new(lettered("org_", entropy))
    }
}

impl UserId {
    /// A new id.
    #[must_use]
    pub fn generate(entropy: Entropy) -> Self {
        Self::new(lettered("user_", entropy))
    }
}

impl WorkspaceId {
    /// A new id.
    #[must_use]
    pub fn generate(entropy: Entropy) -> Self {
        Self::new(random_uuid(entropy))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_uuid_tells_its_version_and_reads_as_one() {
        for (text, version) in [(random_uuid([0xff; 16]), '4'), (named_uuid(&[0; 32]), '8')] {
            assert!(is_uuid(&text), "{text}");
            assert_eq!(text.chars().nth(14), Some(version));
        }
        assert!(!is_uuid("0DF9E665-d932-5740-b2c7-b52af166bc11"), "upper case");
        assert!(!is_uuid("0df9e665d9325740b2c7b52af166bc11"), "no dashes");
    }

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
