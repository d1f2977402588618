//! Reading parts of JSON text that was already validated, without building a tree.
//!
//! A skip jumps from quote to quote, so walking a message costs far less than parsing it. On text
//! that is not JSON the iterators end early; they never panic.

use std::borrow::Cow;
use std::ops::Range;

use memchr::memchr;

use crate::scan::{NEAR, nearby, plain_prefix};

/// One JSON value as text.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Raw<'a>(&'a str);

/// What a JSON value is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[expect(missing_docs, reason = "the six kinds of JSON values")]
pub enum Kind {
    Null,
    Bool,
    Number,
    String,
    Array,
    Object,
}

/// A member of an object.
#[derive(Debug, Clone)]
pub struct Entry<'a> {
    /// The key without escapes.
    pub key: Cow<'a, str>,
    /// The value.
    pub value: Raw<'a>,
    /// Where the key lies in the text of the object, quotes included.
    pub key_at: Range<usize>,
    /// Where the value lies in the text of the object.
    pub value_at: Range<usize>,
}

/// The members of an object, in order.
#[derive(Debug, Clone)]
pub struct Members<'a> {
    text: &'a str,
    at: usize,
}

impl Members<'_> {
    /// Where the object ends, once its members have been taken.
    #[must_use]
    pub fn end(&self) -> usize {
        let end = separators(self.text.as_bytes(), self.at);
        end.saturating_add(1).min(self.text.len())
    }
}

impl<'a> Iterator for Members<'a> {
    type Item = Entry<'a>;

    fn next(&mut self) -> Option<Entry<'a>> {
        let bytes = self.text.as_bytes();
        let start = separators(bytes, self.at);
        if bytes.get(start) != Some(&b'"') {
            return None;
        }
        let key_end = skip_string(bytes, start);
        let value_start = separators(bytes, key_end);
        let end = skip(bytes, value_start);
        self.at = end;
        Some(Entry {
            key: Raw(self.text.get(start..key_end)?).string()?,
            value: Raw(self.text.get(value_start..end).filter(|text| !text.is_empty())?),
            key_at: start..key_end,
            value_at: value_start..end,
        })
    }
}

impl<'a> Raw<'a> {
    /// Takes text that is one valid JSON value, perhaps with white space around it.
    #[must_use]
    pub fn new(text: &'a str) -> Self {
        Self(text.trim_matches([' ', '\t', '\n', '\r']))
    }

    /// The text.
    #[must_use]
    pub const fn text(self) -> &'a str {
        self.0
    }

    /// What the value is, by its first character.
    #[must_use]
    pub fn kind(self) -> Kind {
        match self.0.as_bytes().first() {
            Some(b'"') => Kind::String,
            Some(b'{') => Kind::Object,
            Some(b'[') => Kind::Array,
            Some(b't' | b'f') => Kind::Bool,
            Some(b'-' | b'0'..=b'9') => Kind::Number,
            _ => Kind::Null,
        }
    }

    /// Whether the value is null.
    #[must_use]
    pub fn is_null(self) -> bool {
        self.kind() == Kind::Null
    }

    /// The members, when the value is an object; else nothing.
    #[must_use]
    pub fn members(self) -> Members<'a> {
        let at = if self.kind() == Kind::Object { 1 } else { self.0.len() };
        Members { text: self.0, at }
    }

    /// The elements, when the value is an array; else nothing. Each is given as the text that begins
    /// with it, and `read` says how long it is: so a large element is walked only once.
    ///
    /// # Errors
    /// The first that `read` gives.
    pub fn each<E>(
        self,
        mut read: impl FnMut(usize, Raw<'a>) -> Result<usize, E>,
    ) -> Result<(), E> {
        let mut at = if self.kind() == Kind::Array { 1 } else { self.0.len() };
        for index in 0.. {
            let start = separators(self.0.as_bytes(), at);
            let Some(rest) = self.0.get(start..).filter(|rest| rest.len() > 1) else { break };
            at = start.saturating_add(read(index, Raw(rest))?.max(1));
        }
        Ok(())
    }

    /// The elements with their places, when the value is an array; else nothing.
    pub fn elements(self) -> impl Iterator<Item = (Range<usize>, Raw<'a>)> {
        let mut at = if self.kind() == Kind::Array { 1 } else { self.0.len() };
        std::iter::from_fn(move || {
            let bytes = self.0.as_bytes();
            let start = separators(bytes, at);
            if bytes.get(start) == Some(&b']') {
                return None;
            }
            at = skip(bytes, start);
            let text = self.0.get(start..at).filter(|text| !text.is_empty())?;
            Some((start..at, Raw(text)))
        })
    }

    /// The member with this key; the last one when there are several, as most parsers have it.
    #[must_use]
    pub fn get(self, key: &str) -> Option<Raw<'a>> {
        self.members().filter(|entry| entry.key == key).last().map(|entry| entry.value)
    }

    /// The text between the quotes, escapes as they are, when the value is a string.
    #[must_use]
    pub fn inner(self) -> Option<&'a str> {
        self.0.strip_prefix('"')?.strip_suffix('"')
    }

    /// The string without escapes. A lone surrogate becomes U+FFFD.
    #[must_use]
    pub fn string(self) -> Option<Cow<'a, str>> {
        let inner = self.inner()?;
        if plain_prefix(inner.as_bytes()) == inner.len() {
            return Some(Cow::Borrowed(inner));
        }
        Some(Cow::Owned(unescape(inner)))
    }

    /// How many bytes the string has without escapes.
    #[must_use]
    pub fn string_bytes(self) -> u64 {
        let Some(mut rest) = self.inner().map(str::as_bytes) else { return 0 };
        if memchr(b'\\', rest).is_none() {
            return u64::try_from(rest.len()).unwrap_or(u64::MAX);
        }
        if let Some(escapes) = plain_escapes(rest) {
            return u64::try_from(rest.len().saturating_sub(escapes)).unwrap_or(u64::MAX);
        }
        let mut count = 0_usize;
        loop {
            // Inside a string this ends at a backslash, or at the end.
            let plain = plain_prefix(rest);
            if plain == rest.len() {
                break;
            }
            let (taken, bytes) = match rest.get(plain + 1..plain + 6) {
                Some([b'u', digits @ ..]) => (6, unicode_bytes(digits)),
                _ => (2, 1),
            };
            count = count.saturating_add(plain).saturating_add(bytes);
            rest = rest.get(plain + taken..).unwrap_or_default();
        }
        u64::try_from(count.saturating_add(rest.len())).unwrap_or(u64::MAX)
    }

    /// The boolean.
    #[must_use]
    pub fn bool(self) -> Option<bool> {
        match self.0 {
            "true" => Some(true),
            "false" => Some(false),
            _ => None,
        }
    }

    /// The number, when it is written as an integer that fits.
    #[must_use]
    pub fn integer(self) -> Option<i128> {
        if self.kind() == Kind::Number { self.0.parse().ok() } else { None }
    }

    /// The number. It may be infinite when the text is out of range.
    #[must_use]
    pub fn number(self) -> Option<f64> {
        if self.kind() == Kind::Number { self.0.parse().ok() } else { None }
    }
}

/// How many escapes there are, when each is a backslash and one letter for one byte: no escaped
/// backslash and no unicode. Blocks without an early way out let the compiler use vector instructions.
fn plain_escapes(bytes: &[u8]) -> Option<usize> {
    const BLOCK: usize = 128;
    let next = bytes.get(1..).unwrap_or_default();
    let mut count = 0_usize;
    for (block, next) in bytes.chunks(BLOCK).zip(next.chunks(BLOCK)) {
        let (mut escapes, mut odd) = (0_u8, false);
        for (byte, next) in block.iter().zip(next) {
            let escape = *byte == b'\\';
            escapes = escapes.wrapping_add(u8::from(escape));
            odd |= escape & ((*next == b'\\') | (*next == b'u'));
        }
        if odd {
            return None;
        }
        count = count.saturating_add(usize::from(escapes));
    }
    Some(count)
}

/// UTF-8 bytes that one `\uXXXX` stands for; each half of a pair counts two.
fn unicode_bytes(digits: &[u8]) -> usize {
    match code_unit(digits) {
        Some(0..=0x7f) => 1,
        Some(0x80..=0x7ff | 0xd800..=0xdfff) => 2,
        _ => 3,
    }
}

fn code_unit(digits: &[u8]) -> Option<u16> {
    u16::from_str_radix(std::str::from_utf8(digits).ok()?, 16).ok()
}

fn unescape(inner: &str) -> String {
    let mut out = String::with_capacity(inner.len());
    let mut rest = inner;
    while let Some((plain, escape)) = rest.split_once('\\') {
        out.push_str(plain);
        let mut letters = escape.chars();
        match letters.next() {
            Some('b') => out.push('\u{8}'),
            Some('f') => out.push('\u{c}'),
            Some('n') => out.push('\n'),
            Some('r') => out.push('\r'),
            Some('t') => out.push('\t'),
            Some('u') => {
                let units: Vec<u16> = std::iter::successors(Some(escape), |text| {
                    text.get(5..)?.strip_prefix('\\').filter(|next| next.starts_with('u'))
                })
                .map_while(|text| code_unit(text.as_bytes().get(1..5)?))
                .collect();
                let used = units.len().saturating_mul(6).saturating_sub(1);
                out.push_str(&String::from_utf16_lossy(&units));
                rest = escape.get(used.max(1)..).unwrap_or_default();
                continue;
            }
            Some(same) => out.push(same),
            None => {}
        }
        rest = letters.as_str();
    }
    out.push_str(rest);
    out
}

/// The place after white space, commas and colons.
fn separators(bytes: &[u8], mut at: usize) -> usize {
    while let Some(b' ' | b'\t' | b'\n' | b'\r' | b',' | b':') = bytes.get(at) {
        at += 1;
    }
    at
}

/// The place after the string whose opening quote is at `at`. Goes from quote to quote: one that
/// ends the string has an even number of backslashes before it.
fn skip_string(bytes: &[u8], at: usize) -> usize {
    let start = at.saturating_add(1);
    let rest = bytes.get(start..).unwrap_or_default();
    let plain = nearby(rest.get(..NEAR).unwrap_or(rest));
    let mut at = start + plain;
    if bytes.get(at) == Some(&b'"') {
        return at + 1;
    }
    loop {
        let rest = bytes.get(at..).unwrap_or_default();
        let Some(found) = memchr(b'"', rest) else { return bytes.len() };
        let quote = at + found;
        let before = bytes.get(start..quote).unwrap_or_default();
        let slashes = before.iter().rev().take_while(|byte| **byte == b'\\').count();
        at = quote + 1;
        if slashes % 2 == 0 {
            return at;
        }
    }
}

/// The place after the value that begins at `at`.
fn skip(bytes: &[u8], mut at: usize) -> usize {
    let mut depth = 0_usize;
    loop {
        match bytes.get(at) {
            Some(b'"') => at = skip_string(bytes, at),
            Some(b'{' | b'[') => {
                depth += 1;
                at += 1;
            }
            Some(b'}' | b']') => {
                if depth == 0 {
                    return at;
                }
                depth -= 1;
                at += 1;
            }
            Some(b',' | b' ' | b'\t' | b'\n' | b'\r' | b':') if depth == 0 => return at,
            Some(_) => {
                at += 1;
                if depth == 0 {
                    continue;
                }
            }
            None => return bytes.len(),
        }
        if depth == 0 {
            return at;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn members_and_elements_are_found_without_a_tree() {
        let raw = Raw::new(r#" {"a" : [1, "]", {"b":[]}], "c\n":-1.5e3 ,"a":true} "#);
        let keys: Vec<_> = raw.members().map(|entry| entry.key.into_owned()).collect();
        assert_eq!(keys, ["a", "c\n", "a"]);
        assert_eq!(raw.get("a").and_then(Raw::bool), Some(true));
        assert_eq!(raw.get("c\n").and_then(Raw::number), Some(-1500.0));
        let list = raw.members().next().unwrap().value;
        let texts: Vec<_> = list.elements().map(|(_, one)| one.text()).collect();
        assert_eq!(texts, ["1", "\"]\"", "{\"b\":[]}"]);
    }

    #[test]
    fn elements_that_are_read_one_by_one_are_the_same() {
        let raw = Raw::new(r#"[ {"a":"]"} , {}, {"b": [1,{"c":2}] } ]"#);
        let mut seen = Vec::new();
        let read = raw.each(|index, element| {
            let mut members = element.members();
            let count = members.by_ref().count();
            let end = members.end();
            seen.push((index, count, element.text().get(..end)));
            if end > 0 { Ok(end) } else { Err(()) }
        });
        assert_eq!(read, Ok(()));
        let texts = [r#"{"a":"]"}"#, "{}", r#"{"b": [1,{"c":2}] }"#];
        let expected: Vec<_> = texts
            .into_iter()
            .enumerate()
            .map(|(at, text)| (at, (at % 2) ^ 1, Some(text)))
            .collect();
        assert_eq!(seen, expected);
        for text in ["[", "[[", "[{", "[{\"a\":1", "{}", "[1 2"] {
            let read = Raw::new(text).each(|index, _| if index < 9 { Ok(1) } else { Err(()) });
            assert_eq!(read, Ok(()), "{text}");
        }
    }

    #[test]
    fn strings_lose_their_escapes() {
        let raw = Raw::new(r#""a\"\\\/\b\f\n\r\té\ud83d\ude00\ud800x""#);
        assert_eq!(raw.string().as_deref(), Some("a\"\\/\u{8}\u{c}\n\r\t\u{e9}\u{1f600}\u{fffd}x"));
        assert_eq!(raw.string_bytes(), 9 + 2 + 4 + 2 + 1);
        assert_eq!(Raw::new("5").string(), None);
    }

    #[test]
    fn long_strings_are_measured_like_short_ones() {
        for escape in ["x", r"\n", r"\\", r"\u00e9", r#"\""#] {
            for before in [0, 1, 63, 64, 126, 127, 128, 129, 300] {
                let text = format!("\"{}{escape}{}\"", "a".repeat(before), "b".repeat(130));
                let expected: String = serde_json::from_str(&text).unwrap();
                assert_eq!(Raw::new(&text).string_bytes(), expected.len() as u64, "{text}");
            }
        }
    }

    #[test]
    fn text_that_is_no_json_ends_the_walk() {
        for text in ["{", "[", "[[", "{\"a", "{\"a\":", "{\"a\"}", "[1 2", "\"", "\"\\", "]", "{]"]
        {
            let raw = Raw::new(text);
            assert!(raw.members().count() + raw.elements().count() < 5, "{text}");
            let _ = (raw.string(), raw.string_bytes(), raw.integer());
        }
    }
}
