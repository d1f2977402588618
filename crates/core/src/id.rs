//! Identifiers. Time and randomness are arguments: nothing here draws them.

use std::fmt;
use std::sync::Arc;

use serde::{Deserialize, Serialize};

use crate::Timestamp;

/// 128 random bits, drawn by `signalbox_runtime::entropy`.
pub type Entropy = [u8; 16];

const ALPHABET: &[u8; 62] = b"0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";

/// Twenty letters and digits: 119 of the 128 random bits.
fn letters(entropy: Entropy) -> String {
    let mut rest = u128::from_be_bytes(entropy);
    let mut text = String::with_capacity(20);
    for _ in 0..20 {
        let digit = usize::try_from(rest % 62).unwrap_or(0);
        text.push(char::from(ALPHABET.get(digit).copied().unwrap_or(b'0')));
        rest /= 62;
    }
    text
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
        Self::new(format!("gen-{}-{}", now.seconds(), letters(entropy)))
    }

    /// A new id that tells what was asked for: `gen-<kind>-<unix seconds>-<20 …>`.
    #[must_use]
    pub fn generate_of(kind: &str, now: Timestamp, entropy: Entropy) -> Self {
        Self::new(format!("gen-{kind}-{}-{}", now.seconds(), letters(entropy)))
    }
}

impl RequestId {
    /// A new id for a request that arrives at `now`.
    #[must_use]
    pub fn generate(now: Timestamp, entropy: Entropy) -> Self {
        Self::new(format!("req-{}-{}", now.seconds(), letters(entropy)))
    }
}

impl AccountId {
    /// A new account id.
    #[must_use]
    pub fn generate(entropy: Entropy) -> Self {
        Self::new(format!("acc_{}", letters(entropy)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

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
