//! Sealing and opening.

use signalbox_core::Secret;

use crate::cipher::{shut, unlock};
use crate::kek::Kek;
use crate::label::Label;

/// A sealed secret, as it is stored.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Sealed {
    /// The name of the key-encryption key.
    pub kek: String,
    /// The data key, under that key.
    pub dek: String,
    /// The secret, under the data key.
    pub text: String,
}

/// Why a secret can't be sealed or opened. No text has a part of it.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum VaultError {
    /// There is no key-encryption key at all.
    #[error("there is no key for secrets")]
    NoKey,
    /// Sealed under a key-encryption key that is not here.
    #[error("it is sealed under the key {0}, which is not here")]
    OtherKey(String),
    /// It was changed, or belongs to something else.
    #[error("it was changed, or belongs to something else")]
    Damaged,
    /// The cipher failed, which it has no reason to.
    #[error("the cipher failed")]
    Cipher,
}

/// The key-encryption keys of an installation: one that seals, and those that open too. Without any,
/// nothing is sealed or opened.
#[derive(Debug, Clone, Default)]
pub struct Vault {
    keys: Vec<Kek>,
}

/// A name from a row, if it can be one.
fn name(kek: &str) -> String {
    let plain = kek.len() <= 32 && kek.bytes().all(|byte| byte.is_ascii_alphanumeric());
    if plain { kek } else { "?" }.to_owned()
}

impl Vault {
    /// Seals with `primary`, opens with it and with `others`.
    #[must_use]
    pub fn new(primary: Kek, others: Vec<Kek>) -> Self {
        let mut keys = vec![primary];
        for other in others {
            if keys.iter().all(|key| key.id() != other.id()) {
                keys.push(other);
            }
        }
        Self { keys }
    }

    /// The name of the key that seals.
    #[must_use]
    pub fn primary(&self) -> Option<&str> {
        self.keys.first().map(Kek::id)
    }

    /// Whether what is sealed under the key of this name can be opened.
    #[must_use]
    pub fn knows(&self, kek: &str) -> bool {
        self.keys.iter().any(|key| key.id() == kek)
    }

    /// A secret as it may be stored. `dek` are 256 random bits that are used for nothing else.
    ///
    /// # Errors
    /// [`VaultError::NoKey`].
    pub fn seal(
        &self,
        label: &Label,
        secret: &Secret<String>,
        dek: [u8; 32],
    ) -> Result<Sealed, VaultError> {
        let text = shut(&dek, &label.bytes("text", ""), secret.expose().as_bytes());
        let text = text.ok_or(VaultError::Cipher)?;
        Ok(Sealed { text, ..self.wrap(label, &dek)? })
    }

    fn wrap(&self, label: &Label, dek: &[u8; 32]) -> Result<Sealed, VaultError> {
        let kek = self.keys.first().ok_or(VaultError::NoKey)?;
        let dek = shut(kek.key(), &label.bytes("key", kek.id()), dek);
        let dek = dek.ok_or(VaultError::Cipher)?;
        Ok(Sealed { kek: kek.id().to_owned(), dek, text: String::new() })
    }

    fn unwrap(&self, label: &Label, sealed: &Sealed) -> Result<[u8; 32], VaultError> {
        if self.keys.is_empty() {
            return Err(VaultError::NoKey);
        }
        let kek = self.keys.iter().find(|key| key.id() == sealed.kek);
        let kek = kek.ok_or_else(|| VaultError::OtherKey(name(&sealed.kek)))?;
        let dek = unlock(kek.key(), &label.bytes("key", kek.id()), &sealed.dek);
        dek.and_then(|dek| dek.try_into().ok()).ok_or(VaultError::Damaged)
    }

    /// The secret.
    ///
    /// # Errors
    /// [`VaultError::Damaged`] unless it was sealed under this very label and not changed;
    /// [`VaultError::OtherKey`] and [`VaultError::NoKey`].
    pub fn open(&self, label: &Label, sealed: &Sealed) -> Result<Secret<String>, VaultError> {
        let dek = self.unwrap(label, sealed)?;
        let text = unlock(&dek, &label.bytes("text", ""), &sealed.text);
        let text = text.and_then(|text| String::from_utf8(text).ok());
        text.map(Secret::new).ok_or(VaultError::Damaged)
    }

    /// The same secret with its data key under the key that seals; `None` when it is already.
    ///
    /// # Errors
    /// As [`Vault::open`], but for the secret itself, which is not looked at.
    pub fn rewrap(&self, label: &Label, sealed: &Sealed) -> Result<Option<Sealed>, VaultError> {
        if self.primary() == Some(sealed.kek.as_str()) {
            return Ok(None);
        }
        let dek = self.unwrap(label, sealed)?;
        Ok(Some(Sealed { text: sealed.text.clone(), ..self.wrap(label, &dek)? }))
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const DEK: [u8; 32] = [9; 32];

    fn vault(keys: &[u8]) -> Vault {
        let mut keys = keys.iter().map(|key| Kek::new([*key; 32]));
        Vault::new(keys.next().unwrap(), keys.collect())
    }

    fn label() -> Label {
        let text = str::to_owned;
        Label {
            kind: text("byok"),
            audience: text("acme"),
            owner: text("acc_1"),
            id: text("id-1"),
            version: 3,
        }
    }

    fn secret() -> Secret<String> {
        Secret::new("sk-canary".to_owned())
    }

    #[test]
    fn a_secret_opens_under_its_label_and_key_alone() {
        let (ours, label) = (vault(&[1]), label());
        let sealed = ours.seal(&label, &secret(), DEK).unwrap();
        assert_eq!(ours.open(&label, &sealed), Ok(secret()));
        assert!(!format!("{sealed:?} {ours:?}").contains("canary"));
        let other = VaultError::OtherKey(sealed.kek.clone());
        assert_eq!(vault(&[2]).open(&label, &sealed), Err(other));
        assert_eq!(Vault::default().open(&label, &sealed), Err(VaultError::NoKey));
        assert_eq!(Vault::default().seal(&label, &secret(), DEK), Err(VaultError::NoKey));
        let text = str::to_owned;
        for other in [
            Label { kind: text("totp"), ..label.clone() },
            Label { audience: text("other"), ..label.clone() },
            Label { owner: text("acc_2"), ..label.clone() },
            Label { id: text("id-2"), ..label.clone() },
            Label { version: 4, ..label.clone() },
            Label { kind: text("byoka"), audience: text("cme"), ..label.clone() },
            Label { owner: text("acc_1i"), id: text("d-1"), ..label.clone() },
        ] {
            assert_eq!(ours.open(&other, &sealed), Err(VaultError::Damaged), "{other:?}");
            let moved = vault(&[2, 1]).rewrap(&other, &sealed);
            assert_eq!(moved, Err(VaultError::Damaged), "{other:?}");
        }
    }

    #[test]
    fn parts_of_two_secrets_do_not_make_a_third() {
        let (ours, label) = (vault(&[1, 2]), label());
        let one = ours.seal(&label, &secret(), DEK).unwrap();
        let two = ours.seal(&label, &Secret::new("sk-other".to_owned()), [8; 32]).unwrap();
        let old = vault(&[2]).seal(&label, &secret(), DEK).unwrap();
        for mixed in [
            Sealed { text: two.text.clone(), ..one.clone() },
            Sealed { dek: two.dek.clone(), ..one.clone() },
            Sealed { text: one.dek.clone(), dek: one.text.clone(), ..one.clone() },
            Sealed { kek: old.kek.clone(), ..one.clone() },
            Sealed { dek: old.dek, ..one.clone() },
        ] {
            assert_eq!(ours.open(&label, &mixed), Err(VaultError::Damaged), "{mixed:?}");
        }
        let named = Sealed { kek: "a'; b\n".to_owned(), ..one };
        assert_eq!(ours.open(&label, &named), Err(VaultError::OtherKey("?".to_owned())));
    }

    #[test]
    fn another_key_takes_over_and_the_old_one_is_not_needed_any_more() {
        let (old, both, new) = (vault(&[1]), vault(&[2, 1, 2]), vault(&[2]));
        let label = label();
        let sealed = old.seal(&label, &secret(), DEK).unwrap();
        assert!(both.knows(&sealed.kek) && !new.knows(&sealed.kek));
        let moved = both.rewrap(&label, &sealed).unwrap().unwrap();
        assert_eq!((&moved.text, Some(moved.kek.as_str())), (&sealed.text, new.primary()));
        assert_eq!(new.open(&label, &moved), Ok(secret()));
        assert_eq!(both.rewrap(&label, &moved), Ok(None));
        assert!(old.open(&label, &moved).is_err());
        assert!(new.rewrap(&label, &sealed).is_err());
    }

    proptest! {
        #[test]
        fn one_changed_bit_of_a_row_shuts_it(which in 0usize..3, at: usize, bit in 0u8..7) {
            let (ours, label) = (vault(&[1]), label());
            let sealed = ours.seal(&label, &secret(), DEK).unwrap();
            let mut changed = sealed.clone();
            let part = [&mut changed.kek, &mut changed.dek, &mut changed.text].into_iter().nth(which).unwrap();
            let mut bytes = part.clone().into_bytes();
            let at = at % bytes.len();
            bytes[at] ^= 1 << bit;
            *part = String::from_utf8(bytes).unwrap();
            prop_assert!(ours.open(&label, &changed).is_err());
            prop_assert!(which == 2 || vault(&[2, 1]).rewrap(&label, &changed).is_err());
        }

        #[test]
        fn whatever_is_in_a_row_is_an_answer(kek: String, dek: String, text: String) {
            let sealed = Sealed { kek, dek, text };
            prop_assert!(vault(&[1]).open(&label(), &sealed).is_err());
        }
    }
}
