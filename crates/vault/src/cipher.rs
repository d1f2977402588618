//! A box: `1.` and base64 of a nonce, AES-256-GCM's text and its tag.

use aws_lc_rs::aead::{AES_256_GCM, Aad, NONCE_LEN, Nonce, RandomizedNonceKey};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD_NO_PAD as BASE64;

/// The form of a box. Another one would begin with another number.
const FORM: &str = "1.";

/// Bytes as a box that only this key and these associated data open. The cipher's library draws the
/// nonce.
pub(crate) fn shut(key: &[u8; 32], about: &[u8], bytes: &[u8]) -> Option<String> {
    let cipher = RandomizedNonceKey::new(&AES_256_GCM, key).ok()?;
    let mut text = bytes.to_vec();
    let nonce = cipher.seal_in_place_append_tag(Aad::from(about), &mut text).ok()?;
    let mut whole = nonce.as_ref().to_vec();
    whole.append(&mut text);
    Some(format!("{FORM}{}", BASE64.encode(whole)))
}

/// What is in a box; `None` for anything else than what [`shut`] gave for the same key and data.
pub(crate) fn unlock(key: &[u8; 32], about: &[u8], shut: &str) -> Option<Vec<u8>> {
    let whole = BASE64.decode(shut.strip_prefix(FORM)?).ok()?;
    let (nonce, text) = whole.split_at_checked(NONCE_LEN)?;
    let nonce = Nonce::try_assume_unique_for_key(nonce).ok()?;
    let cipher = RandomizedNonceKey::new(&AES_256_GCM, key).ok()?;
    let mut text = text.to_vec();
    let length = cipher.open_in_place(nonce, Aad::from(about), &mut text).ok()?.len();
    text.truncate(length);
    Some(text)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const KEY: [u8; 32] = [7; 32];

    #[test]
    fn a_box_is_never_the_same_twice() {
        assert_ne!(shut(&KEY, b"a", b"x"), shut(&KEY, b"a", b"x"));
    }

    proptest! {
        #[test]
        fn what_was_shut_opens_for_the_same_key_and_data_alone(
            bytes: Vec<u8>, about: Vec<u8>, other: Vec<u8>, key: [u8; 32],
        ) {
            let shut = shut(&KEY, &about, &bytes).unwrap();
            prop_assert_eq!(unlock(&KEY, &about, &shut), Some(bytes));
            prop_assert_eq!(unlock(&KEY, &other, &shut).is_some(), other == about);
            prop_assert!(key == KEY || unlock(&key, &about, &shut).is_none());
        }

        #[test]
        fn a_box_with_one_changed_character_does_not_open(
            bytes in proptest::collection::vec(any::<u8>(), 0..40), at: usize, by in 0u8..128,
        ) {
            let shut = shut(&KEY, b"", &bytes).unwrap();
            let at = at % shut.len();
            let mut changed = shut.clone().into_bytes();
            changed[at] = by;
            let changed = String::from_utf8(changed).unwrap();
            prop_assert_eq!(unlock(&KEY, b"", &changed).is_some(), changed == shut);
        }

        #[test]
        fn any_text_is_a_box_that_does_not_open(text: String) {
            prop_assert_eq!(unlock(&KEY, b"", &text), None);
            prop_assert_eq!(unlock(&KEY, b"", &format!("1.{text}")), None);
        }
    }
}
