//! The validating pass over JSON text: the grammar, the depth, and where the members are.

use std::ops::Range;

use signalbox_core::limits;

use crate::scan::plain_prefix;

/// A mistake and its byte offset.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Fault {
    pub(super) at: usize,
    pub(super) reason: &'static str,
}

/// A cursor over text that is known to be UTF-8 but not yet known to be JSON.
pub(super) struct Scanner<'a> {
    bytes: &'a [u8],
    at: usize,
}

impl<'a> Scanner<'a> {
    pub(super) const fn new(bytes: &'a [u8]) -> Self {
        Self { bytes, at: 0 }
    }

    pub(super) fn peek(&self) -> Option<u8> {
        self.bytes.get(self.at).copied()
    }

    /// Skips white space.
    pub(super) fn blank(&mut self) {
        while let Some(b' ' | b'\t' | b'\n' | b'\r') = self.peek() {
            self.at += 1;
        }
    }

    /// Only white space may follow.
    pub(super) fn end(&mut self) -> Result<(), Fault> {
        self.blank();
        if self.at == self.bytes.len() { Ok(()) } else { self.fault("trailing characters") }
    }

    /// One value inside `depth` open containers.
    pub(super) fn value(&mut self, depth: usize) -> Result<(), Fault> {
        match self.peek() {
            Some(b'"') => self.string(),
            Some(b'{') => self.object(depth + 1, |_, _| true),
            Some(b'[') => self.array(depth + 1),
            Some(b't') => self.literal(b"true"),
            Some(b'f') => self.literal(b"false"),
            Some(b'n') => self.literal(b"null"),
            Some(b'-' | b'0'..=b'9') => self.number(),
            Some(_) => self.fault("a value was expected"),
            None => self.fault("unexpected end"),
        }
    }

    /// One object, itself the `depth`th open container. `member` gets the span of each key (quotes
    /// included) and value, and ends the scan early by answering false.
    pub(super) fn object(
        &mut self,
        depth: usize,
        mut member: impl FnMut(Range<usize>, Range<usize>) -> bool,
    ) -> Result<(), Fault> {
        self.open(depth)?;
        if self.closes(b'}') {
            return Ok(());
        }
        loop {
            self.blank();
            if self.peek() != Some(b'"') {
                return self.fault("a key in quotes was expected");
            }
            let key = self.at;
            self.string()?;
            let key = key..self.at;
            self.blank();
            if self.peek() != Some(b':') {
                return self.fault("a colon was expected");
            }
            self.at += 1;
            self.blank();
            let value = self.at;
            self.value(depth)?;
            if !member(key, value..self.at) {
                return Ok(());
            }
            if self.closes(b'}') {
                return Ok(());
            }
            self.comma()?;
        }
    }

    fn array(&mut self, depth: usize) -> Result<(), Fault> {
        self.open(depth)?;
        if self.closes(b']') {
            return Ok(());
        }
        loop {
            self.blank();
            self.value(depth)?;
            if self.closes(b']') {
                return Ok(());
            }
            self.comma()?;
        }
    }

    fn open(&mut self, depth: usize) -> Result<(), Fault> {
        if depth >= limits::MAX_JSON_DEPTH {
            return self.fault("nested too deep");
        }
        self.at += 1;
        Ok(())
    }

    fn closes(&mut self, closing: u8) -> bool {
        self.blank();
        let closes = self.peek() == Some(closing);
        self.at += usize::from(closes);
        closes
    }

    fn comma(&mut self) -> Result<(), Fault> {
        if self.peek() != Some(b',') {
            return self.fault("a comma or a closing bracket was expected");
        }
        self.at += 1;
        Ok(())
    }

    fn string(&mut self) -> Result<(), Fault> {
        self.at += 1;
        loop {
            self.at += plain_prefix(self.bytes.get(self.at..).unwrap_or_default());
            match self.peek() {
                Some(b'"') => {
                    self.at += 1;
                    return Ok(());
                }
                Some(b'\\') => {
                    self.at += 1;
                    self.escape()?;
                }
                Some(_) => return self.fault("control character in a string"),
                None => return self.fault("unterminated string"),
            }
        }
    }

    /// What follows a backslash. Lone surrogates pass: JSON's grammar has them, and so have clients.
    fn escape(&mut self) -> Result<(), Fault> {
        match self.peek() {
            Some(b'"' | b'\\' | b'/' | b'b' | b'f' | b'n' | b'r' | b't') => self.at += 1,
            Some(b'u') => {
                let digits = self.bytes.get(self.at + 1..self.at + 5);
                if !digits.is_some_and(|digits| digits.iter().all(u8::is_ascii_hexdigit)) {
                    return self.fault("wrong unicode escape");
                }
                self.at += 5;
            }
            _ => return self.fault("unknown escape"),
        }
        Ok(())
    }

    fn literal(&mut self, word: &[u8]) -> Result<(), Fault> {
        if self.bytes.get(self.at..).is_some_and(|rest| rest.starts_with(word)) {
            self.at += word.len();
            return Ok(());
        }
        self.fault("unknown literal")
    }

    fn number(&mut self) -> Result<(), Fault> {
        self.at += usize::from(self.peek() == Some(b'-'));
        if self.peek() == Some(b'0') {
            self.at += 1;
        } else {
            self.digits()?;
        }
        if self.peek() == Some(b'.') {
            self.at += 1;
            self.digits()?;
        }
        if let Some(b'e' | b'E') = self.peek() {
            self.at += 1;
            self.at += usize::from(matches!(self.peek(), Some(b'+' | b'-')));
            self.digits()?;
        }
        Ok(())
    }

    /// One digit or more.
    fn digits(&mut self) -> Result<(), Fault> {
        if !self.peek().is_some_and(|byte| byte.is_ascii_digit()) {
            return self.fault("wrong number");
        }
        while self.peek().is_some_and(|byte| byte.is_ascii_digit()) {
            self.at += 1;
        }
        Ok(())
    }

    const fn fault<T>(&self, reason: &'static str) -> Result<T, Fault> {
        Err(Fault { at: self.at, reason })
    }
}
