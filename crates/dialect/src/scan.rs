//! A validating walk over JSON text that hands out raw slices and builds nothing.
//!
//! Relaying a stream looks at each chunk once: every member is either copied as it stands or
//! understood by its slice. The grammar is RFC 8259, checked in full, so that what is copied to a
//! client is JSON whatever a provider sent. Only lone surrogates in `\u` escapes are let through,
//! because they are legal JSON; [`unescape`] reads them as U+FFFD.

use std::borrow::Cow;

use signalbox_core::limits;

/// Where and why a text is not JSON.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("{what} at byte {at}")]
pub(crate) struct Malformed {
    /// Offset in bytes.
    pub at: usize,
    /// What was expected or found.
    pub what: &'static str,
}

/// A member's key.
#[derive(Debug)]
pub(crate) struct Key<'a> {
    /// Offset of the opening quote.
    pub at: usize,
    /// The name, unescaped.
    pub name: Cow<'a, str>,
}

/// A position in a JSON text. Copying it is a bookmark.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Scanner<'a> {
    text: &'a str,
    at: usize,
    depth: usize,
}

impl<'a> Scanner<'a> {
    #[inline]
    pub(crate) fn new(text: &'a str) -> Self {
        Self { text, at: 0, depth: 0 }
    }

    /// A scanner inside the outermost object, behind the first `at` bytes, which were read before.
    pub(crate) fn inside(text: &'a str, at: usize) -> Self {
        Self { text, at, depth: 1 }
    }

    /// The text between two offsets that this scanner gave.
    #[inline]
    pub(crate) fn slice(&self, from: usize, to: usize) -> &'a str {
        self.text.get(from..to).unwrap_or("")
    }

    /// The current offset.
    #[inline]
    pub(crate) fn at(&self) -> usize {
        self.at
    }

    /// The first byte of the next token.
    #[inline]
    pub(crate) fn peek(&mut self) -> Option<u8> {
        self.space();
        self.byte()
    }

    #[inline]
    fn byte(&self) -> Option<u8> {
        self.text.as_bytes().get(self.at).copied()
    }

    #[inline]
    fn rest(&self) -> &'a [u8] {
        self.text.as_bytes().get(self.at..).unwrap_or(&[])
    }

    #[inline]
    fn space(&mut self) {
        while let Some(b' ' | b'\n' | b'\r' | b'\t') = self.byte() {
            self.at += 1;
        }
    }

    fn fail<T>(&self, what: &'static str) -> Result<T, Malformed> {
        Err(Malformed { at: self.at, what })
    }

    #[inline]
    fn expect(&mut self, byte: u8, what: &'static str) -> Result<(), Malformed> {
        if self.peek() == Some(byte) {
            self.at += 1;
            return Ok(());
        }
        self.fail(what)
    }

    fn deeper(&mut self) -> Result<(), Malformed> {
        self.depth += 1;
        if self.depth > limits::MAX_JSON_DEPTH { self.fail("nesting too deep") } else { Ok(()) }
    }

    /// Enters an object; then [`Self::next_key`] until it gives `None`.
    pub(crate) fn enter_object(&mut self) -> Result<(), Malformed> {
        self.expect(b'{', "expected an object")?;
        self.deeper()
    }

    /// Enters an array; then [`Self::next_item`] until it gives `false`.
    pub(crate) fn enter_array(&mut self) -> Result<(), Malformed> {
        self.expect(b'[', "expected an array")?;
        self.deeper()
    }

    /// The next key, or `None` at the end of the object. `first` is `true` before the first call.
    /// The caller reads the value before it calls again.
    #[inline]
    pub(crate) fn next_key(&mut self, first: &mut bool) -> Result<Option<Key<'a>>, Malformed> {
        match self.peek() {
            Some(b'}') => {
                self.at += 1;
                self.depth = self.depth.saturating_sub(1);
                return Ok(None);
            }
            Some(b',') if !*first => {
                self.at += 1;
                self.space();
            }
            Some(_) if *first => {}
            _ => return self.fail("expected a comma or the end of an object"),
        }
        *first = false;
        let at = self.at;
        let (raw, escaped) = self.string()?;
        let name = if escaped {
            unescape(raw)
        } else {
            Cow::Borrowed(raw.get(1..raw.len() - 1).unwrap_or(""))
        };
        self.expect(b':', "expected a colon")?;
        Ok(Some(Key { at, name }))
    }

    /// Whether another item follows. `first` is `true` before the first call. The caller reads the
    /// item before it calls again.
    #[inline]
    pub(crate) fn next_item(&mut self, first: &mut bool) -> Result<bool, Malformed> {
        match self.peek() {
            Some(b']') => {
                self.at += 1;
                self.depth = self.depth.saturating_sub(1);
                Ok(false)
            }
            Some(b',') if !*first => {
                self.at += 1;
                Ok(true)
            }
            Some(_) if *first => {
                *first = false;
                Ok(true)
            }
            _ => self.fail("expected a comma or the end of an array"),
        }
    }

    /// Reads one value whatever it is and gives its raw text.
    #[inline]
    pub(crate) fn value(&mut self) -> Result<&'a str, Malformed> {
        let start = match self.peek() {
            Some(b'"') => return self.string().map(|(raw, _)| raw),
            Some(_) => self.at,
            None => return self.fail("expected a value"),
        };
        match self.byte() {
            Some(b'{') => {
                self.enter_object()?;
                let mut first = true;
                while self.skip_key(&mut first)? {
                    self.value()?;
                }
            }
            Some(b'[') => {
                self.enter_array()?;
                let mut first = true;
                while self.next_item(&mut first)? {
                    self.value()?;
                }
            }
            Some(b't') => self.word(b"true")?,
            Some(b'f') => self.word(b"false")?,
            Some(b'n') => self.word(b"null")?,
            _ => self.number()?,
        }
        Ok(self.slice(start, self.at))
    }

    /// As [`Self::next_key`], for an object nobody reads.
    fn skip_key(&mut self, first: &mut bool) -> Result<bool, Malformed> {
        match self.peek() {
            Some(b'}') => {
                self.at += 1;
                self.depth = self.depth.saturating_sub(1);
                return Ok(false);
            }
            Some(b',') if !*first => self.at += 1,
            Some(_) if *first => {}
            _ => return self.fail("expected a comma or the end of an object"),
        }
        *first = false;
        self.string()?;
        self.expect(b':', "expected a colon")?;
        Ok(true)
    }

    /// Makes sure that nothing follows.
    pub(crate) fn end(&mut self) -> Result<(), Malformed> {
        if self.peek().is_some() { self.fail("something follows the end") } else { Ok(()) }
    }

    fn word(&mut self, word: &[u8]) -> Result<(), Malformed> {
        if !self.rest().starts_with(word) {
            return self.fail("expected a value");
        }
        self.at += word.len();
        Ok(())
    }

    /// Reads a string and gives it with its quotes, and whether it has escapes.
    #[inline]
    fn string(&mut self) -> Result<(&'a str, bool), Malformed> {
        self.space();
        let start = self.at;
        if self.byte() != Some(b'"') {
            return self.fail("expected a string");
        }
        self.at += 1;
        let mut escaped = false;
        loop {
            self.at += plain_prefix(self.rest());
            match self.byte() {
                Some(b'"') => {
                    self.at += 1;
                    return Ok((self.slice(start, self.at), escaped));
                }
                Some(b'\\') => {
                    escaped = true;
                    self.escape()?;
                }
                Some(_) => return self.fail("control character in a string"),
                None => return self.fail("unfinished string"),
            }
        }
    }

    fn escape(&mut self) -> Result<(), Malformed> {
        let rest = self.rest();
        match rest.get(1) {
            Some(b'"' | b'\\' | b'/' | b'b' | b'f' | b'n' | b'r' | b't') => self.at += 2,
            Some(b'u')
                if rest.get(2..6).is_some_and(|hex| hex.iter().all(u8::is_ascii_hexdigit)) =>
            {
                self.at += 6;
            }
            _ => return self.fail("wrong escape in a string"),
        }
        Ok(())
    }

    fn digits(&mut self) -> Result<(), Malformed> {
        let count = self.rest().iter().take_while(|byte| byte.is_ascii_digit()).count();
        if count == 0 {
            return self.fail("expected a value");
        }
        self.at += count;
        Ok(())
    }

    fn number(&mut self) -> Result<(), Malformed> {
        if self.byte() == Some(b'-') {
            self.at += 1;
        }
        if self.byte() == Some(b'0') {
            self.at += 1;
        } else {
            self.digits()?;
        }
        if self.byte() == Some(b'.') {
            self.at += 1;
            self.digits()?;
        }
        if let Some(b'e' | b'E') = self.byte() {
            self.at += 1;
            if let Some(b'+' | b'-') = self.byte() {
                self.at += 1;
            }
            self.digits()?;
        }
        Ok(())
    }
}

/// How many bytes pass before a quote, a backslash or a control character; eight at a time.
#[inline]
fn plain_prefix(bytes: &[u8]) -> usize {
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

/// The members of an object that was validated before, in order. Nothing, when it is no object.
pub(crate) fn members(raw: &str) -> Vec<(Cow<'_, str>, &str)> {
    let mut scanner = Scanner::new(raw);
    let mut members = Vec::new();
    let mut first = true;
    if scanner.enter_object().is_ok() {
        while let Ok(Some(key)) = scanner.next_key(&mut first)
            && let Ok(value) = scanner.value()
        {
            members.push((key.name, value));
        }
    }
    members
}

/// The items of an array that was validated before. Nothing, when it is no array.
pub(crate) fn items(raw: &str) -> Vec<&str> {
    let mut scanner = Scanner::new(raw);
    let mut items = Vec::new();
    let mut first = true;
    if scanner.enter_array().is_ok() {
        while let Ok(true) = scanner.next_item(&mut first)
            && let Ok(item) = scanner.value()
        {
            items.push(item);
        }
    }
    items
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
fn unescape_one(rest: &str, escape: u8) -> (char, usize) {
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

    fn valid(text: &str) -> bool {
        let mut scanner = Scanner::new(text);
        scanner.value().and_then(|_| scanner.end()).is_ok()
    }

    #[test]
    fn the_grammar_is_that_of_serde_json() {
        for text in [
            "",
            " ",
            "{}",
            "[]",
            "[1,2]",
            "[1,]",
            "[,1]",
            "{\"a\":1}",
            "{\"a\":1,}",
            "{,}",
            "{\"a\"}",
            "{a:1}",
            "{\"a\":1 \"b\":2}",
            "[1 2]",
            "true",
            "tru",
            "truex",
            "null",
            "nul",
            "0",
            "-0",
            "01",
            "1.",
            ".5",
            "1.5",
            "1e5",
            "1E+5",
            "1e",
            "-",
            "+1",
            "1.5e-3",
            "\"a\"",
            "\"a",
            "\"\\",
            "\"\\x\"",
            "\"\\u12\"",
            "\"\\u12ag\"",
            "\"\\u12ab\"",
            "\"a\nb\"",
            "\"tab\there\"",
            "[[[]]]",
            "[[[]]",
            "]",
            "{\"a\":[{\"b\":null}]} ",
            "{} {}",
            "NaN",
            "Infinity",
            "\"é漢\"",
            "\"0123456789abcdef\"",
            "\"01234567\u{1}\"",
            "\u{feff}{}",
        ] {
            let expected = serde_json::from_str::<serde::de::IgnoredAny>(text).is_ok();
            assert_eq!(valid(text), expected, "{text:?}");
        }
    }

    #[test]
    fn depth_is_bounded() {
        let nested = |depth: usize| format!("{}{}", "[".repeat(depth), "]".repeat(depth));
        assert!(valid(&nested(limits::MAX_JSON_DEPTH)));
        assert!(!valid(&nested(limits::MAX_JSON_DEPTH + 1)));
        assert!(!valid(&"[".repeat(1_000_000)));
    }

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
