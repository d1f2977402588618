//! Base64 as providers and clients write it.

const LETTERS: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

/// The bytes behind base64, in either alphabet, padded or not. Line ends are skipped.
pub(crate) fn decode(data: &str) -> Option<Vec<u8>> {
    let mut bytes = Vec::with_capacity(data.len() / 4 * 3);
    let (mut buffer, mut bits) = (0_u32, 0_u32);
    for letter in data.trim_end_matches('=').bytes() {
        let value = match letter {
            b'A'..=b'Z' => letter - b'A',
            b'a'..=b'z' => letter - b'a' + 26,
            b'0'..=b'9' => letter - b'0' + 52,
            b'+' | b'-' => 62,
            b'/' | b'_' => 63,
            b'\r' | b'\n' => continue,
            _ => return None,
        };
        buffer = (buffer << 6 | u32::from(value)) & 0xffff;
        bits += 6;
        if bits >= 8 {
            bits -= 8;
            bytes.push(u8::try_from(buffer >> bits & 0xff).ok()?);
        }
    }
    Some(bytes)
}

/// The bytes in the standard alphabet, padded.
pub(crate) fn encode(bytes: &[u8]) -> String {
    let mut text = String::with_capacity(bytes.len().div_ceil(3).saturating_mul(4));
    for group in bytes.chunks(3) {
        let mut value = 0_u32;
        for at in 0..3 {
            value = value << 8 | u32::from(group.get(at).copied().unwrap_or(0));
        }
        for at in 0..4_u32 {
            let letter = usize::try_from(value >> (18 - 6 * at) & 0x3f).unwrap_or(0);
            let is_there = usize::try_from(at).is_ok_and(|at| at <= group.len());
            let letter = LETTERS.get(letter).copied().filter(|_| is_there);
            text.push(letter.map_or('=', char::from));
        }
    }
    text
}

/// Media type, without parameters, and base64 text of a data URL.
pub(crate) fn data_url(url: &str) -> Option<(&str, &str)> {
    let (head, data) = url.strip_prefix("data:")?.split_once(',')?;
    Some((head.strip_suffix(";base64")?.split(';').next()?, data))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn base64_is_read_in_both_alphabets() {
        assert_eq!(decode("aGVsbG8=").as_deref(), Some(&b"hello"[..]));
        assert_eq!(decode("aGVs\r\nbG8").as_deref(), Some(&b"hello"[..]));
        assert_eq!(decode("-_8+/w==").as_deref(), Some(&[0xfb, 0xff, 0x3e, 0xff][..]));
        assert_eq!(decode("").as_deref(), Some(&[][..]));
        assert_eq!(decode("a b"), None);
    }

    #[test]
    fn what_is_encoded_comes_back() {
        assert_eq!(encode(b"hello"), "aGVsbG8=");
        assert_eq!(encode(&[0xfb, 0xff, 0x3e, 0xff]), "+/8+/w==");
        for length in 0..20_u8 {
            let bytes: Vec<u8> = (0..length).map(|byte| byte.wrapping_mul(37)).collect();
            assert_eq!(decode(&encode(&bytes)), Some(bytes));
        }
    }

    #[test]
    fn a_data_url_comes_apart() {
        let url = "data:text/plain;charset=utf-8;base64,aGk=";
        assert_eq!(data_url(url), Some(("text/plain", "aGk=")));
        assert_eq!(data_url("data:text/plain,hi"), None);
        assert_eq!(data_url("https://a.test/"), None);
    }
}
