//! Signatures and sealed reasoning that the simulator knows again. They depend on the text alone, so
//! that every simulator accepts what another one made.

use sha2::{Digest, Sha256};

use crate::base64;

const KEY: &[u8] = b"signalbox-simulator";
const TAG: usize = 32;

fn tag(purpose: &str, text: &[u8]) -> [u8; TAG] {
    let mut hash = Sha256::new();
    for part in [KEY, purpose.as_bytes(), text] {
        hash.update((part.len() as u64).to_be_bytes());
        hash.update(part);
    }
    hash.finalize().into()
}

/// The signature of a thinking text, in base64.
pub(crate) fn signature(text: &str) -> String {
    base64::encode(&tag("thinking", text.as_bytes()))
}

/// Whether a signature was made here for this text.
pub(crate) fn signed(text: &str, signature: &str) -> bool {
    base64::decode(signature).is_some_and(|bytes| bytes == tag("thinking", text.as_bytes()))
}

/// A text that can't be read by eye, in base64.
pub(crate) fn seal(text: &str) -> String {
    let mut bytes = tag("sealed", text.as_bytes()).to_vec();
    bytes.extend(text.bytes().map(|byte| byte ^ 0x5A));
    base64::encode(&bytes)
}

/// The text in a seal; `None` when the seal was not made here.
pub(crate) fn unseal(sealed: &str) -> Option<String> {
    let bytes = base64::decode(sealed)?;
    let (found, hidden) = bytes.split_at_checked(TAG)?;
    let text: Vec<u8> = hidden.iter().map(|byte| byte ^ 0x5A).collect();
    (tag("sealed", &text) == found).then(|| String::from_utf8(text).ok())?
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_signature_is_for_its_text_alone() {
        let made = signature("Let me think. ");
        assert!(signed("Let me think. ", &made));
        assert!(!signed("Let me think.", &made) && !signed("Let me think. ", "c2lt"));
    }

    #[test]
    fn a_seal_opens_unless_it_was_touched() {
        let sealed = seal("hidden");
        assert_eq!(unseal(&sealed).as_deref(), Some("hidden"));
        assert_eq!(
            unseal(&sealed.replacen(['A', 'B', 'C'], "D", 1)).is_some(),
            !sealed.contains(['A', 'B', 'C'])
        );
        assert_eq!(unseal("c2lt"), None);
    }
}
