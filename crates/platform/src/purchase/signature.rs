//! The signature of a webhook: `t=<seconds>,v1=<hex>[,v1=<hex>…]`, where `v1` is the HMAC-SHA256 of
//! `<t>.<raw body>` (docs.stripe.com/webhooks/signature). Pure.

use aws_lc_rs::{constant_time, hmac};
use signalbox_core::{Secret, Timestamp};

/// Seconds by which the sender's clock may be off, in either direction.
const TOLERANCE: i64 = 300;
/// Longest header that is read.
const MAX_HEADER: usize = 4096;
/// Bytes of an HMAC-SHA256.
const LENGTH: usize = 32;

/// Why a webhook is not believed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Forged {
    /// No header, or not of its form.
    #[error("no signature of the expected form")]
    Malformed,
    /// Too old, or from the future.
    #[error("the signature's time is too far from ours")]
    Time,
    /// Signed with none of our secrets.
    #[error("the signature is not ours")]
    Signature,
}

/// A header, taken apart.
#[derive(Debug, PartialEq, Eq)]
struct Parts<'a> {
    time: &'a str,
    seconds: i64,
    signatures: Vec<[u8; LENGTH]>,
}

fn parts(header: &str) -> Option<Parts<'_>> {
    if header.len() > MAX_HEADER {
        return None;
    }
    let mut time = None;
    let mut signatures = Vec::new();
    for part in header.split(',') {
        let (name, value) = part.trim().split_once('=')?;
        match name {
            "t" => {
                let digits = !value.is_empty() && value.bytes().all(|byte| byte.is_ascii_digit());
                // Two times would leave open which of them was signed.
                if !digits || time.is_some() {
                    return None;
                }
                time = Some((value, value.parse().ok()?));
            }
            "v1" => {
                let mut bytes = [0; LENGTH];
                if hex::decode_to_slice(value, &mut bytes).is_ok() {
                    signatures.push(bytes);
                }
            }
            // Older and later schemes.
            _ => {}
        }
    }
    let (time, seconds) = time?;
    (!signatures.is_empty()).then_some(Parts { time, seconds, signatures })
}

/// Checks that `body`, byte for byte, was signed with one of `secrets` within five minutes of `now`.
/// Every signature is compared with every secret in constant time.
///
/// # Errors
/// [`Forged`]
pub fn verify(
    secrets: &[Secret<String>],
    header: &str,
    body: &[u8],
    now: Timestamp,
) -> Result<(), Forged> {
    let parts = parts(header).ok_or(Forged::Malformed)?;
    let mut found = false;
    for secret in secrets {
        let key = hmac::Key::new(hmac::HMAC_SHA256, secret.expose().as_bytes());
        let mut signing = hmac::Context::with_key(&key);
        signing.update(parts.time.as_bytes());
        signing.update(b".");
        signing.update(body);
        let expected = signing.sign();
        for given in &parts.signatures {
            found |= constant_time::verify_slices_are_equal(expected.as_ref(), given).is_ok();
        }
    }
    if !found {
        return Err(Forged::Signature);
    }
    match now.seconds().checked_sub(parts.seconds) {
        Some(age) if (-TOLERANCE..=TOLERANCE).contains(&age) => Ok(()),
        _ => Err(Forged::Time),
    }
}

/// The header that a sender with this secret would write: for tests and for peers.
#[must_use]
pub fn sign(secret: &Secret<String>, body: &[u8], at: Timestamp) -> String {
    let key = hmac::Key::new(hmac::HMAC_SHA256, secret.expose().as_bytes());
    let mut signing = hmac::Context::with_key(&key);
    signing.update(at.seconds().to_string().as_bytes());
    signing.update(b".");
    signing.update(body);
    format!("t={},v1={}", at.seconds(), hex::encode(signing.sign()))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const NOW: Timestamp = Timestamp::from_seconds(1_700_000_000);

    fn secret(text: &str) -> Secret<String> {
        Secret::new(text.to_owned())
    }

    #[test]
    fn the_signature_is_that_of_the_published_scheme() {
        // Made with Python: hmac.new(b"whsec_test", b"1700000000.{}", sha256).hexdigest().
        let expected = "35495024f4ef3f94e5a93e22221544c4b75e9a42300cd965ab81cb85cd994e91";
        let header = sign(&secret("whsec_test"), b"{}", NOW);
        assert_eq!(header, format!("t=1700000000,v1={expected}"));
    }

    #[test]
    fn every_secret_and_every_signature_counts() {
        let (old, new) = (secret("whsec_old"), secret("whsec_new"));
        let both = |body: &[u8]| {
            let old = sign(&old, body, NOW);
            let (_, last) = sign(&new, body, NOW)
                .split_once(',')
                .map(|(a, b)| (a.to_owned(), b.to_owned()))
                .unwrap();
            format!("{old},{last},v0=00")
        };
        for secrets in [vec![old.clone()], vec![new.clone()], vec![secret("x"), new.clone()]] {
            assert_eq!(verify(&secrets, &both(b"{}"), b"{}", NOW), Ok(()));
        }
        assert_eq!(verify(&[secret("x")], &both(b"{}"), b"{}", NOW), Err(Forged::Signature));
        assert_eq!(
            verify(&[], &both(b"{}"), b"{}", NOW),
            Err(Forged::Signature),
            "no secret at all"
        );
        assert_eq!(
            verify(std::slice::from_ref(&new), &both(b"{}"), b"{ }", NOW),
            Err(Forged::Signature),
            "other bytes"
        );
    }

    #[test]
    fn five_minutes_either_way_are_forgiven_and_no_second_more() {
        let key = secret("whsec_test");
        let at = |seconds| {
            let header = sign(&key, b"{}", Timestamp::from_seconds(NOW.seconds() + seconds));
            verify(std::slice::from_ref(&key), &header, b"{}", NOW)
        };
        for near in [-300, -299, 0, 300] {
            assert_eq!(at(near), Ok(()), "{near}");
        }
        for far in [-301, 301, -86_400, 86_400] {
            assert_eq!(at(far), Err(Forged::Time), "{far}");
        }
    }

    #[test]
    fn headers_of_another_form_are_refused() {
        let good = sign(&secret("whsec_test"), b"{}", NOW);
        let mac = good.split_once("v1=").unwrap().1.to_owned();
        for header in [
            String::new(),
            "t=1700000000".to_owned(),
            format!("v1={mac}"),
            format!("t=,v1={mac}"),
            format!("t=-1700000000,v1={mac}"),
            format!("t=99999999999999999999,v1={mac}"),
            format!("t=1700000000,t=1700000000,v1={mac}"),
            "t=1700000000,v1=abc".to_owned(),
            format!("t=1700000000,v2={mac}"),
            format!("t=1700000000,v1={mac}{}", ",v0=0".repeat(2000)),
        ] {
            let done = verify(&[secret("whsec_test")], &header, b"{}", NOW);
            assert_eq!(done, Err(Forged::Malformed), "{header:.60}");
        }
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(512))]

        #[test]
        fn no_header_is_believed_that_was_not_signed(
            header in "[tv10=, a-f]{0,120}|t=[0-9]{1,12},v1=[0-9a-f]{64}|\\PC{0,80}",
            body in proptest::collection::vec(any::<u8>(), 0..200),
        ) {
            let key = [secret("whsec_test")];
            prop_assert!(verify(&key, &header, &body, NOW).is_err());
        }

        #[test]
        fn a_changed_byte_is_noticed(
            body in proptest::collection::vec(any::<u8>(), 1..200),
            at in any::<proptest::sample::Index>(),
            bit in 0..8_u8,
        ) {
            let key = [secret("whsec_test")];
            let header = sign(&key[0], &body, NOW);
            prop_assert_eq!(verify(&key, &header, &body, NOW), Ok(()));
            let mut other = body.clone();
            let index = at.index(other.len());
            other[index] ^= 1 << bit;
            prop_assert_eq!(verify(&key, &header, &other, NOW), Err(Forged::Signature));
        }
    }
}
