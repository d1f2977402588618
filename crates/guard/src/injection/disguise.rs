//! Injections in disguise: scrambled letters, base64, hexadecimal, letters with spaces between them.
//! What is decoded is searched for keywords; spaced letters are joined and given to the patterns.

use std::ops::Range;
use std::sync::LazyLock;

use aho_corasick::{AhoCorasick, AhoCorasickKind};
use regex::Regex;

use super::table::{ROWS, WORDY, expanded};
use super::{WINDOW, find_plain};
use crate::allowlist::MASK;

/// The detectors' names.
pub const BASE64: &str = "base64_encoded_injection";
/// See [`BASE64`].
pub const HEX: &str = "hex_encoded_injection";
/// See [`BASE64`].
pub const TYPOGLYCEMIA: &str = "typoglycemia";
/// See [`BASE64`].
pub const SPACED: &str = "character_spaced_injection";

/// Words that are looked for in what is decoded.
const KEYWORDS: [&str; 6] = ["ignore", "bypass", "override", "reveal", "system", "prompt"];

/// Shortest run of base64 that is decoded: six letters and what it takes to begin anywhere.
const MIN_BASE64: usize = 12;
/// Fewest bytes that are looked at as hexadecimal: the shortest keyword.
const MIN_HEX_BYTES: usize = 6;
/// Fewest letters with spaces between them that are joined: no pattern has fewer.
const MIN_SPACED: usize = 10;
/// Fewest letters with spaces between them that are put together as words among others.
const MIN_WORD: usize = 4;
/// Most finds in one text: the first decides already.
const MAX_FOUND: usize = 8;

static DECODED: LazyLock<Option<AhoCorasick>> = LazyLock::new(|| {
    let kind = Some(AhoCorasickKind::DFA);
    AhoCorasick::builder().ascii_case_insensitive(true).kind(kind).build(KEYWORDS).ok()
});

/// The wordy patterns with their spaces optional.
static JOINED: LazyLock<Option<Regex>> = LazyLock::new(|| {
    let parts: Vec<String> = ROWS
        .iter()
        .take(WORDY)
        .map(|row| {
            let case = if row.case_sensitive { "(?-i:" } else { "(?:" };
            format!("{case}{})", expanded(row, r"\s*").replace(r"\b", ""))
        })
        .collect();
    Regex::new(&format!("(?i){}", parts.join("|"))).ok()
});

/// A walk over the tokens of one text.
#[derive(Debug, Default)]
pub(crate) struct Disguises {
    pub(crate) found: Vec<(&'static str, Range<usize>)>,
    /// Where the last token ended.
    last: usize,
    /// Where the run of base64 letters that it belongs to began.
    run: usize,
    /// Bytes from pairs of hexadecimal digits that stand apart, and where they began.
    pairs: Vec<u8>,
    pairs_from: usize,
    /// Letters that stand apart, and where they began.
    letters: String,
    letters_from: usize,
    /// Those that stood apart before, put together, and where.
    joined: Vec<(Range<usize>, String)>,
    /// Whether there are pairs or letters.
    in_row: bool,
}

impl Disguises {
    /// Looks at the next token.
    #[inline]
    pub(crate) fn token(&mut self, text: &str, start: usize, end: usize) {
        let bytes = text.as_bytes();
        if !self.joins(bytes, start) {
            if self.last.saturating_sub(self.run) >= MIN_BASE64 {
                self.base64(bytes);
            }
            self.run = start;
        }
        let at = |at: usize| bytes.get(at).copied().unwrap_or_default();
        let length = end.saturating_sub(start);
        let is_apart = match length {
            1 => true,
            2 => at(start).is_ascii_hexdigit() && at(start + 1).is_ascii_hexdigit(),
            3 | 4 => at(end - 3) == b'x',
            _ => false,
        };
        if is_apart || self.in_row {
            self.apart(bytes, start, end);
        }
        if let Some(target) = scrambled(length, at(start), at(end.saturating_sub(1))) {
            self.scrambled(bytes, start, end, target);
        }
        if length >= MIN_HEX_BYTES * 2 {
            self.hexadecimal(bytes, start, end);
        }
        self.last = end;
    }

    /// Whether what stands before a token is base64 as well.
    #[inline]
    fn joins(&self, bytes: &[u8], start: usize) -> bool {
        let is_joint = |byte: &u8| matches!(byte, b'+' | b'/' | b'-' | b'_');
        bytes.get(self.last).is_some_and(is_joint)
            && start.saturating_sub(self.last) < 3
            && bytes.get(self.last..start).is_some_and(|gap| gap.iter().all(is_joint))
    }

    /// Looks at what was still open.
    pub(crate) fn finish(&mut self, text: &str) {
        if self.last.saturating_sub(self.run) >= MIN_BASE64 {
            self.base64(text.as_bytes());
        }
        self.close_pairs();
        self.close_letters();
        self.collapsed(text);
    }

    /// Looks at the words that letters make which stood apart, with what is around them.
    fn collapsed(&mut self, text: &str) {
        let joined = std::mem::take(&mut self.joined);
        let mut done = 0_usize;
        let mut whole = String::new();
        let mut places: Vec<(Range<usize>, Range<usize>)> = Vec::with_capacity(joined.len());
        let part = |from: usize, to: usize| text.get(from..to).unwrap_or_default();
        for (at, letters) in joined {
            // No pattern is longer than this, so that nothing further away is a part of it.
            let before = text.ceil_char_boundary(at.start.saturating_sub(WINDOW)).max(done);
            let after = text.floor_char_boundary(done.saturating_add(WINDOW)).min(before);
            if done > 0 {
                whole.push_str(part(done, after));
            }
            if after < before {
                whole.push(char::from(MASK));
            }
            whole.push_str(part(before, at.start));
            let start = whole.len();
            whole.push_str(&letters);
            places.push((start..whole.len(), at.clone()));
            done = at.end;
        }
        if places.is_empty() {
            return;
        }
        whole.push_str(part(done, text.floor_char_boundary(done.saturating_add(WINDOW))));
        let mut found: Vec<Range<usize>> = Vec::new();
        find_plain(&whole, &mut |_, span| found.push(span));
        for span in found {
            let first = places.partition_point(|(place, _)| place.end <= span.start);
            if let Some((_, at)) = places.get(first).filter(|(place, _)| place.start < span.end) {
                self.note(SPACED, at.clone());
            }
        }
    }

    fn note(&mut self, name: &'static str, span: Range<usize>) {
        if self.found.len() < MAX_FOUND {
            self.found.push((name, span));
        }
    }

    /// Tokens of one letter and of two hexadecimal digits, which mean something in a row.
    fn apart(&mut self, bytes: &[u8], start: usize, end: usize) {
        let token = bytes.get(start..end).unwrap_or_default();
        let gap = bytes.get(self.last..start).unwrap_or_default();
        match hex_pair(token) {
            Some(byte) => {
                let follows = gap.len() < 3
                    && gap.iter().all(|one| matches!(one, b' ' | b'\\' | b',' | b':' | b'\n'));
                if !follows {
                    self.close_pairs();
                }
                if self.pairs.is_empty() {
                    self.pairs_from = start;
                }
                self.pairs.push(byte);
            }
            None => self.close_pairs(),
        }
        match token {
            [letter] if letter.is_ascii_alphabetic() => {
                let follows =
                    gap.len() < 4 && gap.iter().all(u8::is_ascii) && !gap.contains(&b'\n');
                if !follows {
                    self.close_letters();
                }
                if self.letters.is_empty() {
                    self.letters_from = start;
                } else if gap.len() > 1 && gap.iter().all(|one| *one == b' ') {
                    self.letters.push(' ');
                }
                self.letters.push(char::from(*letter));
            }
            _ => self.close_letters(),
        }
        self.in_row = !self.pairs.is_empty() || !self.letters.is_empty();
    }

    fn close_pairs(&mut self) {
        if self.pairs.len() >= MIN_HEX_BYTES && has_keyword(&self.pairs) {
            let span = self.pairs_from..self.last;
            self.note(HEX, span);
        }
        self.pairs.clear();
    }

    fn close_letters(&mut self) {
        if self.letters.len() >= MIN_SPACED
            && JOINED.as_ref().is_some_and(|joined| joined.is_match(&self.letters))
        {
            let span = self.letters_from..self.last;
            self.note(SPACED, span);
        } else if self.letters.len() >= MIN_WORD {
            let letters = std::mem::take(&mut self.letters);
            self.joined.push((self.letters_from..self.last, letters));
        }
        self.letters.clear();
    }

    /// A word with the first and last letter of a target and its length.
    #[inline(never)]
    fn scrambled(&mut self, bytes: &[u8], start: usize, end: usize, target: &[u8]) {
        let word = bytes.get(start..end).unwrap_or_default();
        if !word.eq_ignore_ascii_case(target) && sorted(word) == sorted(target) {
            self.note(TYPOGLYCEMIA, start..end);
        }
    }

    /// A token that is one number in hexadecimal.
    fn hexadecimal(&mut self, bytes: &[u8], start: usize, end: usize) {
        let token = bytes.get(start..end).unwrap_or_default();
        let token = token.strip_prefix(b"0x").unwrap_or(token);
        if !token.iter().all(u8::is_ascii_hexdigit) || !may_be_letters(token) {
            return;
        }
        for from in 0..2 {
            let digits = token.get(from..).unwrap_or_default();
            let pairs = digits.as_chunks::<2>().0.iter();
            let decoded: Vec<u8> = pairs.filter_map(|pair| hex_pair(pair)).collect();
            if has_keyword(&decoded) {
                return self.note(HEX, start..end);
            }
        }
    }

    /// The run of base64 letters that ends at the last token.
    #[inline(never)]
    fn base64(&mut self, bytes: &[u8]) {
        if self.found.len() >= MAX_FOUND {
            return;
        }
        let Some(run) = bytes.get(self.run..self.last) else { return };
        let phases = plausible(run);
        for phase in (0..4).filter(|phase| phases >> phase & 1 == 1) {
            if has_keyword(&decoded(run.get(phase..).unwrap_or_default())) {
                let span = self.run..self.last;
                return self.note(BASE64, span);
            }
        }
    }
}

/// The word that one of this length with these first and last letters may be a scrambled form of.
#[inline]
const fn scrambled(length: usize, first: u8, last: u8) -> Option<&'static [u8]> {
    Some(match (length, first | 0x20, last | 0x20) {
        (6, b'i', b'e') => b"ignore",
        (6, b'b', b's') => b"bypass",
        (8, b'o', b'e') => b"override",
        (6, b'r', b'l') => b"reveal",
        (6, b'd', b'e') => b"delete",
        (6, b's', b'm') => b"system",
        (6, b'p', b't') => b"prompt",
        (12, b'i', b's') => b"instructions",
        _ => return None,
    })
}

fn has_keyword(decoded: &[u8]) -> bool {
    DECODED.as_ref().is_some_and(|keywords| keywords.is_match(decoded))
}

fn sorted(word: &[u8]) -> [u8; 12] {
    let mut letters = [0; 12];
    letters.iter_mut().zip(word).for_each(|(slot, byte)| *slot = byte | 0x20);
    letters.sort_unstable();
    letters
}

/// The byte of `69`, `x69` or `0x69`.
fn hex_pair(token: &[u8]) -> Option<u8> {
    let digits = match token {
        [_, _] => token,
        [b'x', digits @ ..] | [b'0', b'x', digits @ ..] if digits.len() == 2 => digits,
        _ => return None,
    };
    let nibble = |byte: &u8| char::from(*byte).to_digit(16);
    let [high, low] = digits else { return None };
    u8::try_from(nibble(high)? * 16 + nibble(low)?).ok()
}

/// Whether every second of some digits is 4 to 7 for as long as the shortest keyword: the higher half of a
/// letter is one of these.
fn may_be_letters(digits: &[u8]) -> bool {
    let mut runs = [0_usize; 2];
    for (at, digit) in digits.iter().enumerate() {
        let Some(run) = runs.get_mut(at % 2) else { continue };
        *run = if matches!(digit, b'4'..=b'7') { *run + 1 } else { 0 };
        if *run == MIN_HEX_BYTES {
            return true;
        }
    }
    false
}

/// What a letter is worth in base64, in both alphabets; 255 for what is none.
const fn sixth(letter: u8) -> u8 {
    match letter {
        b'A'..=b'Z' => letter - b'A',
        b'a'..=b'z' => letter - b'a' + 26,
        b'0'..=b'9' => letter - b'0' + 52,
        b'+' | b'-' => 62,
        b'/' | b'_' => 63,
        _ => 255,
    }
}

/// A bit for each place in a group of four at which the letter can stand when all three bytes of the
/// group are letters.
const fn places(letter: u8) -> u8 {
    let value = sixth(letter);
    if value > 63 {
        return 0;
    }
    let first = value >= 16 && value <= 30;
    let second = value & 15 >= 4 && value & 15 <= 7;
    let third = value & 3 == 1;
    let fourth = (value >= 1 && value <= 26) || (value >= 33 && value <= 58);
    first as u8 | (second as u8) << 1 | (third as u8) << 2 | (fourth as u8) << 3
}

/// [`places`] of every letter.
const PLACES: [u8; 256] = {
    let mut table = [0_u8; 256];
    let mut letter = 0_u8;
    loop {
        #[expect(clippy::indexing_slicing, reason = "a byte is always inside")]
        {
            table[letter as usize] = places(letter);
        }
        if letter == u8::MAX {
            break table;
        }
        letter += 1;
    }
};

/// A bit for each phase, 0 to 3, in which some group of four stands for three letters that follow each
/// other in a keyword. A keyword of six letters has such a group wherever it begins.
fn plausible(run: &[u8]) -> u8 {
    let (mut phases, mut open) = (0, 0_u8);
    for (at, byte) in run.iter().enumerate() {
        // A bit for each group that goes on here; the fourth one is complete.
        open = (open << 1 | 1) & PLACES.get(usize::from(*byte)).copied().unwrap_or(0);
        if open & 8 != 0
            && let Some(from) = at.checked_sub(3)
            && run.get(from..=at).is_some_and(is_of_keyword)
        {
            phases |= 1 << (from % 4);
        }
    }
    phases
}

/// Whether four letters of base64 stand for three that follow each other in a keyword.
fn is_of_keyword(group: &[u8]) -> bool {
    let word = group.iter().fold(0, |word, letter| word << 6 | u32::from(sixth(*letter) & 63));
    let [_, letters @ ..] = (word | 0x0020_2020).to_be_bytes();
    KEYWORDS.iter().any(|word| word.as_bytes().windows(3).any(|three| three == letters))
}

/// The bytes that a run stands for, from its first letter on.
fn decoded(run: &[u8]) -> Vec<u8> {
    let mut out = Vec::with_capacity(run.len() / 4 * 3 + 3);
    for group in run.chunks(4) {
        let mut word = 0_u32;
        for at in 0..4 {
            let letter = group.get(at).copied().unwrap_or(b'A');
            word = word << 6 | u32::from(sixth(letter) & 63);
        }
        let bytes = word.to_be_bytes();
        out.extend(bytes.iter().skip(1).take(group.len().saturating_sub(1)));
    }
    out
}
