//! A validating walk over JSON text that hands out raw slices and builds nothing.
//!
//! Relaying a stream looks at each chunk once: every member is either copied as it stands or
//! understood by its slice. The grammar is RFC 8259, checked in full, so that what is copied to a
//! client is JSON whatever a provider sent. Only lone surrogates in `\u` escapes are let through,
//! because they are legal JSON; [`unescape`] reads them as U+FFFD.

mod text;

use std::borrow::Cow;

use signalbox_core::limits;

pub(crate) use self::text::{
    NEAR, is_text, nearby, plain_prefix, push_string, text, text_bytes, unescape, unescape_one,
    whole,
};

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

    /// Whether one string is all there is, without white space around it.
    pub(crate) fn is_string(mut self) -> bool {
        self.byte() == Some(b'"') && self.string().is_ok() && self.at == self.text.len()
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

/// Whether a text is one JSON value.
pub(crate) fn is_json(text: &str) -> bool {
    let mut scanner = Scanner::new(text);
    scanner.value().is_ok() && scanner.end().is_ok()
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
}
