//! The inside of JSON strings: escapes read and written.

use std::borrow::Cow;

/// Most strings are shorter, and longer ones are cut by escapes.
pub(crate) const NEAR: usize = 64;

/// How many bytes pass before a quote, a backslash or a control character.
#[inline]
pub(crate) fn plain_prefix(bytes: &[u8]) -> usize {
    let near = bytes.get(..NEAR).unwrap_or(bytes);
    let count = nearby(near);
    match bytes.get(NEAR..) {
        Some(rest) if count == NEAR => NEAR + far(rest),
        _ => count,
    }
}

/// The same for long texts: whole blocks first, each without an early way out, so that the compiler
/// uses vector instructions.
#[inline(never)]
fn far(bytes: &[u8]) -> usize {
    let plain = |block: &[u8; NEAR]| {
        !block.iter().fold(false, |special, byte| {
            special | (*byte < 0x20) | (*byte == b'"') | (*byte == b'\\')
        })
    };
    let mut rest = bytes;
    while let Some((block, tail)) = rest.split_first_chunk::<NEAR>() {
        if !plain(block) {
            break;
        }
        rest = tail;
    }
    bytes.len() - rest.len() + nearby(rest)
}

/// The same for short texts, eight at a time.
#[inline]
pub(crate) fn nearby(bytes: &[u8]) -> usize {
    const ONES: u64 = 0x0101_0101_0101_0101;
    const HIGH: u64 = 0x8080_8080_8080_8080;
    let zero = |word: u64| word.wrapping_sub(ONES) & !word & HIGH;
    let mut count = 0;
    let mut rest = bytes;
    while let Some((head, tail)) = rest.split_first_chunk::<8>() {
        let word = u64::from_le_bytes(*head);
        // A borrow can only mark bytes above a true match, and the lowest match is taken.
        let control = word.wrapping_sub(ONES * 0x20) & !word & HIGH;
        let found = control | zero(word ^ (ONES * 0x22)) | zero(word ^ (ONES * 0x5c));
        if found != 0 {
            return count + (found.trailing_zeros() / 8) as usize;
        }
        count += 8;
        rest = tail;
    }
    let tail = rest.iter().take_while(|&&b| b != b'"' && b != b'\\' && b >= 0x20).count();
    count + tail
}

/// Whether a raw value is a string with at least one character.
pub(crate) fn is_text(raw: &str) -> bool {
    raw.len() > 2 && raw.starts_with('"')
}

/// The text of a raw string; anything else gives `None`.
pub(crate) fn text(raw: &str) -> Option<Cow<'_, str>> {
    raw.starts_with('"').then(|| unescape(raw))
}

/// A raw value as a whole number of at most 64 bits.
pub(crate) fn whole(raw: &str) -> Option<u64> {
    raw.parse().ok()
}

/// The text inside a validated raw string, quotes included.
pub(crate) fn unescape(raw: &str) -> Cow<'_, str> {
    let inner = raw.get(1..raw.len().saturating_sub(1)).unwrap_or("");
    let Some(first) = memchr::memchr(b'\\', inner.as_bytes()) else { return Cow::Borrowed(inner) };
    let mut text = String::with_capacity(inner.len());
    text.push_str(inner.get(..first).unwrap_or(""));
    let mut rest = inner.get(first..).unwrap_or("");
    while let Some(escape) = rest.as_bytes().get(1).copied() {
        let (character, length) = unescape_one(rest, escape);
        text.push(character);
        rest = rest.get(length..).unwrap_or("");
        let plain = memchr::memchr(b'\\', rest.as_bytes()).unwrap_or(rest.len());
        text.push_str(rest.get(..plain).unwrap_or(""));
        rest = rest.get(plain..).unwrap_or("");
    }
    Cow::Owned(text)
}

/// The character that the escape at the start of `rest` stands for, and the escape's length.
pub(crate) fn unescape_one(rest: &str, escape: u8) -> (char, usize) {
    let plain = match escape {
        b'b' => '\u{8}',
        b'f' => '\u{c}',
        b'n' => '\n',
        b'r' => '\r',
        b't' => '\t',
        b'u' => return unescape_unicode(rest),
        other => char::from(other),
    };
    (plain, 2)
}

fn unescape_unicode(rest: &str) -> (char, usize) {
    let unit = |from: usize| {
        rest.get(from..from + 6)
            .and_then(|escape| escape.strip_prefix("\\u"))
            .and_then(|hex| u32::from_str_radix(hex, 16).ok())
    };
    let first = unit(0).unwrap_or(0xfffd);
    if let Some(second) = unit(6)
        && (0xd800..0xdc00).contains(&first)
        && (0xdc00..0xe000).contains(&second)
    {
        let code = 0x1_0000 + ((first - 0xd800) << 10) + (second - 0xdc00);
        return (char::from_u32(code).unwrap_or('\u{fffd}'), 12);
    }
    (char::from_u32(first).unwrap_or('\u{fffd}'), 6)
}

/// Bytes of a raw string once unescaped; 0 for anything else.
pub(crate) fn text_bytes(raw: &str) -> u64 {
    if !is_text(raw) {
        return 0;
    }
    let inner = raw.len() - 2;
    if memchr::memchr(b'\\', raw.as_bytes()).is_none() {
        return inner as u64;
    }
    unescape(raw).len() as u64
}

/// Appends a JSON string.
pub(crate) fn push_string(out: &mut Vec<u8>, text: &str) {
    out.push(b'"');
    let mut rest = text;
    while !rest.is_empty() {
        let plain = plain_prefix(rest.as_bytes());
        out.extend_from_slice(rest.as_bytes().get(..plain).unwrap_or(&[]));
        match rest.as_bytes().get(plain) {
            None => break,
            Some(b'"') => out.extend_from_slice(b"\\\""),
            Some(b'\\') => out.extend_from_slice(b"\\\\"),
            Some(b'\n') => out.extend_from_slice(b"\\n"),
            Some(b'\r') => out.extend_from_slice(b"\\r"),
            Some(b'\t') => out.extend_from_slice(b"\\t"),
            Some(&control) => {
                out.extend_from_slice(b"\\u00");
                out.extend_from_slice(&hex(control));
            }
        }
        rest = rest.get(plain + 1..).unwrap_or("");
    }
    out.push(b'"');
}

/// Two hexadecimal digits.
fn hex(byte: u8) -> [u8; 2] {
    let digit = |nibble: u8| if nibble < 10 { b'0' + nibble } else { b'a' + nibble - 10 };
    [digit(byte >> 4), digit(byte & 15)]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn escapes_are_read_as_serde_json_reads_them() {
        for raw in [
            r#""""#,
            r#""plain""#,
            r#""\n\t\r\b\f\/\\\"""#,
            r#""\u00e9 \ud83d\ude00 x""#,
            r#""a\u0000b""#,
        ] {
            let expected: String = serde_json::from_str(raw).unwrap();
            assert_eq!(unescape(raw), expected);
            assert_eq!(text_bytes(raw), expected.len() as u64);
            let mut out = Vec::new();
            push_string(&mut out, &expected);
            assert_eq!(serde_json::from_slice::<String>(&out).unwrap(), expected);
        }
        assert_eq!(unescape(r#""\ud83d x \ude00""#), "\u{fffd} x \u{fffd}");
    }
}
