//! Key-encryption keys.

use std::fmt;

use aws_lc_rs::hmac;
use signalbox_core::Secret;

/// What the name of a key is made with.
const NAME: &[u8] = b"signalbox: the name of a key-encryption key";
/// Random keys have at least so many different bytes; not one in 10^18 has fewer.
const DIFFERENT: usize = 16;

/// A key that encrypts data keys. It prints its name alone, which follows from it and tells nothing.
#[derive(Clone)]
pub struct Kek {
    id: String,
    key: Secret<[u8; 32]>,
}

/// Why a text is no key-encryption key. The text is not repeated.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum KekError {
    /// It is something else.
    #[error("64 hexadecimal digits are needed, such as `openssl rand -hex 32` prints")]
    Form,
    /// It was not drawn at random.
    #[error("this key was not drawn at random; `openssl rand -hex 32` draws one")]
    Weak,
}

impl Kek {
    /// Reads 64 hexadecimal digits; space around them does not count.
    ///
    /// # Errors
    /// [`KekError`] for anything else, and for a key that somebody made up.
    pub fn parse(text: &Secret<String>) -> Result<Self, KekError> {
        let mut key = [0; 32];
        hex::decode_to_slice(text.expose().trim(), &mut key).map_err(|_| KekError::Form)?;
        let different: std::collections::HashSet<u8> = key.iter().copied().collect();
        if different.len() < DIFFERENT {
            return Err(KekError::Weak);
        }
        Ok(Self::new(key))
    }

    /// A key of 256 random bits.
    #[must_use]
    pub fn new(key: [u8; 32]) -> Self {
        let tag = hmac::sign(&hmac::Key::new(hmac::HMAC_SHA256, &key), NAME);
        let id = hex::encode(tag.as_ref().get(..8).unwrap_or_default());
        Self { id, key: Secret::new(key) }
    }

    /// Its name: 16 hexadecimal digits, stored with what it encrypts.
    #[must_use]
    pub fn id(&self) -> &str {
        &self.id
    }

    /// As it is written into a file.
    #[must_use]
    pub fn written(&self) -> Secret<String> {
        Secret::new(hex::encode(self.key.expose()))
    }

    pub(crate) const fn key(&self) -> &[u8; 32] {
        self.key.expose()
    }
}

impl fmt::Debug for Kek {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Kek").field(&self.id).finish()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(text: &str) -> Result<Kek, KekError> {
        Kek::parse(&Secret::new(text.to_owned()))
    }

    fn random() -> [u8; 32] {
        let mut at = 0;
        [(); 32].map(|()| {
            at += 7;
            at
        })
    }

    #[test]
    fn a_key_is_read_as_it_is_written_and_prints_its_name_alone() {
        let key = Kek::new(random());
        let written = key.written();
        let again = parse(&format!(" {}\n", written.expose())).unwrap();
        assert_eq!((again.id(), again.key()), (key.id(), key.key()));
        assert_eq!(format!("{key:?}"), format!("Kek({:?})", key.id()));
        assert_eq!(key.id().len(), 16);
        assert_ne!(Kek::new([7; 32]).id(), key.id());
    }

    #[test]
    fn what_nobody_drew_is_no_key() {
        for text in ["", "secret", &"zz".repeat(32), &"0a".repeat(31), &"0a".repeat(33)] {
            assert_eq!(parse(text).unwrap_err(), KekError::Form, "{text}");
        }
        for text in ["00".repeat(32), "ff".repeat(32), "0123456789abcdef".repeat(4)] {
            assert_eq!(parse(&text).unwrap_err(), KekError::Weak, "{text}");
        }
    }
}
