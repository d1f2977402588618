//! Codes that change every half minute (RFC 6238 with SHA-1 and six digits, which is what every app for
//! telephones knows).

use aws_lc_rs::hmac;
use signalbox_core::Timestamp;

/// Seconds that a code is good.
const STEP: i64 = 30;
/// Codes before and after the present one that are taken too, for clocks that are off.
const DRIFT: i64 = 1;
const LETTERS: &[u8; 32] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZ234567";

/// Base32 without padding (RFC 4648).
pub(crate) fn base32(bytes: &[u8]) -> String {
    let mut text = String::new();
    let (mut buffer, mut bits) = (0_u32, 0_u32);
    let mut push = |index: u32| {
        let letter = usize::try_from(index & 31).ok().and_then(|index| LETTERS.get(index));
        text.push(char::from(letter.copied().unwrap_or(b'A')));
    };
    for byte in bytes {
        buffer = (buffer << 8 | u32::from(*byte)) & 0xffff;
        bits += 8;
        while bits >= 5 {
            bits -= 5;
            push(buffer >> bits);
        }
    }
    if bits > 0 {
        push(buffer << (5 - bits));
    }
    text
}

/// The code of one step: six digits.
fn code(secret: &[u8], step: i64) -> String {
    let key = hmac::Key::new(hmac::HMAC_SHA1_FOR_LEGACY_USE_ONLY, secret);
    let tag = hmac::sign(&key, &step.to_be_bytes());
    let tag = tag.as_ref();
    let at = usize::from(tag.last().copied().unwrap_or(0) & 15);
    let four = tag.get(at..at.saturating_add(4)).unwrap_or(&[0; 4]);
    let number = four.iter().fold(0_u32, |number, byte| number << 8 | u32::from(*byte));
    format!("{:06}", (number & 0x7fff_ffff) % 1_000_000)
}

/// The step whose code this is, if it is one of those that are good now.
pub(crate) fn step_of(secret: &[u8], wanted: &str, now: Timestamp) -> Option<i64> {
    let present = now.seconds().div_euclid(STEP);
    let steps = present.saturating_sub(DRIFT)..=present.saturating_add(DRIFT);
    // All of them, whichever fits.
    let fits = |step: &i64| {
        let code = code(secret, *step);
        aws_lc_rs::constant_time::verify_slices_are_equal(code.as_bytes(), wanted.as_bytes())
            .is_ok()
    };
    steps.filter(fits).fold(None, |_, step| Some(step))
}

/// The address that apps for telephones read from a picture.
pub(crate) fn uri(secret: &[u8], email: &str) -> String {
    let mut name = String::new();
    for byte in email.bytes() {
        if byte.is_ascii_alphanumeric() || b"-._~".contains(&byte) {
            name.push(char::from(byte));
        } else {
            name.push_str(&format!("%{byte:02X}"));
        }
    }
    let secret = base32(secret);
    format!("otpauth://totp/Signalbox:{name}?secret={secret}&issuer=Signalbox")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn codes_are_those_of_the_rfc() {
        let secret = b"12345678901234567890";
        // RFC 6238, appendix B, the last six of eight digits.
        for (seconds, expected) in [
            (59, "287082"),
            (1_111_111_109, "081804"),
            (1_111_111_111, "050471"),
            (1_234_567_890, "005924"),
            (2_000_000_000, "279037"),
            (20_000_000_000, "353130"),
        ] {
            let now = Timestamp::from_seconds(seconds);
            assert_eq!(step_of(secret, expected, now), Some(seconds / 30), "{seconds}");
            assert_eq!(step_of(secret, expected, now.plus_millis(60_000)), None);
        }
        assert_eq!(step_of(secret, "", Timestamp::from_seconds(59)), None);
    }

    #[test]
    fn base32_is_that_of_the_rfc() {
        for (bytes, text) in [("", ""), ("f", "MY"), ("fo", "MZXQ"), ("foobar", "MZXW6YTBOI")] {
            assert_eq!(base32(bytes.as_bytes()), text);
        }
        assert!(uri(b"foobar", "a+b@c").contains("a%2Bb%40c?secret=MZXW6YTBOI"));
    }
}
