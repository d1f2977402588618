//! Answers that show a secret, kept so that only the holder of a credential reads them again.

use aws_lc_rs::aead::{AES_256_GCM, Aad, NONCE_LEN, Nonce, RandomizedNonceKey};
use aws_lc_rs::hmac;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD_NO_PAD as BASE64;

use crate::PlatformError;

/// What a sealed answer is for; part of its key, so that it opens nothing else.
const ABOUT: &[u8] = b"signalbox: the answer to a request with an idempotency key";

/// Seals and opens with a key that follows from a credential, which itself is kept nowhere. The
/// credential has 256 random bits, so one step of HMAC-SHA-256 makes a key of it (RFC 5869).
pub struct Opener {
    key: [u8; 32],
}

impl std::fmt::Debug for Opener {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Opener")
    }
}

impl Opener {
    /// For the holder of this credential.
    #[must_use]
    pub fn new(credential: &str) -> Self {
        let tag = hmac::sign(&hmac::Key::new(hmac::HMAC_SHA256, credential.as_bytes()), ABOUT);
        let mut key = [0; 32];
        key.copy_from_slice(tag.as_ref());
        Self { key }
    }

    fn cipher(&self) -> Option<RandomizedNonceKey> {
        RandomizedNonceKey::new(&AES_256_GCM, &self.key).ok()
    }

    /// A text that only this credential opens: base64 of a random nonce and AES-256-GCM.
    ///
    /// # Errors
    /// [`PlatformError::Store`] when the cipher fails, which it has no reason to.
    pub fn seal(&self, text: &str) -> Result<String, PlatformError> {
        let mut bytes = text.as_bytes().to_vec();
        let nonce = self
            .cipher()
            .and_then(|cipher| cipher.seal_in_place_append_tag(Aad::empty(), &mut bytes).ok());
        let nonce = nonce.ok_or_else(|| {
            signalbox_store::StoreError::Damaged("an answer could not be sealed".to_owned())
        })?;
        let mut whole = nonce.as_ref().to_vec();
        whole.extend(bytes);
        Ok(BASE64.encode(whole))
    }

    /// The text, or `None` when another credential sealed it or it was changed.
    #[must_use]
    pub fn open(&self, sealed: &str) -> Option<String> {
        let whole = BASE64.decode(sealed).ok()?;
        let (nonce, sealed) = whole.split_at_checked(NONCE_LEN)?;
        let nonce = Nonce::try_assume_unique_for_key(nonce).ok()?;
        let mut bytes = sealed.to_vec();
        let text = self.cipher()?.open_in_place(nonce, Aad::empty(), &mut bytes).ok()?;
        String::from_utf8(text.to_vec()).ok()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_same_credential_opens_and_nothing_that_was_changed() {
        let (one, other) = (Opener::new("sk-one"), Opener::new("sk-other"));
        let sealed = one.seal("the secret").unwrap();
        assert_ne!(sealed, one.seal("the secret").unwrap(), "each has a nonce of its own");
        assert_eq!(one.open(&sealed).as_deref(), Some("the secret"));
        assert_eq!(other.open(&sealed), None);
        for at in 0..sealed.len() {
            let mut changed = sealed.clone().into_bytes();
            changed[at] = if changed[at] == b'A' { b'B' } else { b'A' };
            assert_eq!(one.open(&String::from_utf8(changed).unwrap()), None, "{at}");
        }
        assert_eq!(one.open(""), None);
        assert_eq!(one.open("the secret"), None);
    }
}
