//! Pieces of text as numbers: words, pairs, beginnings and runs of letters, hashed into buckets.
//!
//! One pass over what [`PromptText`] lets through, without a table of words. A piece that is new to
//! the model falls into some bucket; most of those have no weight.

use crate::PromptText;
use crate::weights::{BITS, BUCKETS};

/// Words: a run of letters, digits and `_`, in lower case, each digit as `0`. An ideograph is a word.
pub const WORDS: u32 = 1;
/// Two words that follow each other.
pub const PAIRS: u32 = 2;
/// The first five letters of a longer word, so that its forms meet.
pub const STEMS: u32 = 4;
/// Four letters in a row within a word.
pub const RUNS: u32 = 8;
/// Punctuation and signs.
pub const SIGNS: u32 = 16;
/// The first words of the user's text, as such.
pub const OPENING: u32 = 32;
/// Length, lines, tools, code, script.
pub const SHAPE: u32 = 64;
/// Words of the system text count as words of the prompt too, not only as the system's.
pub const SHARED_SYSTEM: u32 = 128;
/// The kinds that the committed weights use; cross-validation within the training half chose them.
pub const KINDS: u32 = WORDS | PAIRS | STEMS | RUNS | SIGNS | OPENING | SHAPE | SHARED_SYSTEM;

/// Which buckets a prompt has touched, without allocating.
#[derive(Debug)]
pub struct Seen([u64; BUCKETS / 64]);

impl Default for Seen {
    fn default() -> Self {
        Self([0; BUCKETS / 64])
    }
}

impl Seen {
    /// Whether the bucket is touched for the first time; it is noted.
    pub fn first_time(&mut self, bucket: u32) -> bool {
        let bit = 1u64 << (bucket % 64);
        let Some(word) = self.0.get_mut(bucket as usize / 64) else { return false };
        let new = *word & bit == 0;
        *word |= bit;
        new
    }
}

/// What the sum over that many distinct buckets is multiplied by, so that long prompts don't shout.
#[must_use]
pub fn norm(distinct: u32) -> f32 {
    1.0 / (distinct.max(1) as f32).sqrt()
}

/// Where a feature was found. Each section's sum has a [`norm`] of its own, so that a long system text
/// doesn't drown a short request.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Section {
    /// In the user's text, or in what the whole request looks like.
    User,
    /// In the system text.
    System,
}

/// Calls `emit` with the bucket of each feature of the prompt; a bucket may come more than once. The
/// user's come first.
pub fn each(prompt: &PromptText<'_>, emit: &mut impl FnMut(Section, u32)) {
    each_of(KINDS, prompt, emit);
}

/// [`each`] for a choice of kinds: a sum of this module's constants.
pub fn each_of(kinds: u32, prompt: &PromptText<'_>, emit: &mut impl FnMut(Section, u32)) {
    let mut users = |bucket| emit(Section::User, bucket);
    let mut reader = Reader::new(kinds, Salt::User, &mut users);
    prompt.each_user_piece(|piece| {
        reader.read(piece);
        reader.end_of_piece();
    });
    let shape = reader.shape;
    if kinds & SHAPE != 0 {
        shape.each(prompt, &mut |what, value| users(bucket(what << 8 | value, Salt::Shape)));
    }
    let system = prompt.system_read();
    let mut systems = |bucket| emit(Section::System, bucket);
    let mut reader = Reader::new(kinds & !OPENING, Salt::System, &mut systems);
    reader.read(system);
    reader.end_of_piece();
    if kinds & SHARED_SYSTEM != 0 {
        let mut reader = Reader::new(kinds & (WORDS | STEMS), Salt::User, &mut systems);
        reader.read(system);
        reader.end_of_piece();
    }
}

/// What a hash is a hash of, so that the same letters in another role are another feature.
#[derive(Clone, Copy)]
enum Salt {
    User = 0x51ed_270b,
    System = 0x2f0b_4c47,
    Stem = 0x7d16_9a3d,
    Run = 0x1c69_b3f7,
    Sign = 0x3a8f_05c5,
    First = 0x6e2d_71a9,
    Second = 0x4b95_0f13,
    Shape = 0x0d7a_c1e1,
}

const START: u32 = 0x811c_9dc5;

fn push(hash: u32, letter: char) -> u32 {
    (hash ^ letter as u32).wrapping_mul(0x0100_0193)
}

fn join(first: u32, second: u32) -> u32 {
    first.rotate_left(7).wrapping_mul(0x9e37_79b1) ^ second
}

/// The bucket of a hash: a finaliser, then the upper bits.
fn bucket(hash: u32, salt: Salt) -> u32 {
    let hash = hash ^ salt as u32;
    let hash = (hash ^ hash >> 16).wrapping_mul(0x85eb_ca6b);
    let hash = (hash ^ hash >> 13).wrapping_mul(0xc2b2_ae35);
    (hash ^ hash >> 16) >> (32 - BITS)
}

/// Reads one section of a prompt.
struct Reader<'e, E> {
    kinds: u32,
    space: Salt,
    emit: &'e mut E,
    word: u32,
    letters: u32,
    stem: u32,
    last: [char; 3],
    previous: u32,
    words: u32,
    shape: Shape,
}

impl<'e, E: FnMut(u32)> Reader<'e, E> {
    fn new(kinds: u32, space: Salt, emit: &'e mut E) -> Self {
        Self {
            kinds,
            space,
            emit,
            word: START,
            letters: 0,
            stem: START,
            last: ['^'; 3],
            previous: START,
            words: 0,
            shape: Shape::default(),
        }
    }

    fn has(&self, kind: u32) -> bool {
        self.kinds & kind != 0
    }

    fn read(&mut self, text: &str) {
        for letter in text.chars() {
            self.shape.note(letter);
            if letter.is_ascii_alphabetic() || letter == '_' {
                self.letter(letter.to_ascii_lowercase());
            } else if letter.is_ascii_digit() {
                self.letter('0');
            } else if letter.is_ascii() {
                self.end_word();
                if letter.is_ascii_punctuation() && self.has(SIGNS) {
                    (self.emit)(bucket(letter as u32, Salt::Sign));
                }
            } else if is_ideograph(letter) {
                self.end_word();
                self.letter(letter);
                self.end_word();
            } else if letter.is_alphanumeric() {
                for lower in letter.to_lowercase() {
                    self.letter(lower);
                }
            } else {
                self.end_word();
                if !letter.is_whitespace() && self.has(SIGNS) {
                    (self.emit)(bucket(letter as u32, Salt::Sign));
                }
            }
        }
    }

    fn letter(&mut self, letter: char) {
        self.word = push(self.word, letter);
        self.letters = self.letters.saturating_add(1);
        if self.letters <= 5 {
            self.stem = self.word;
        }
        self.run(letter);
    }

    fn run(&mut self, letter: char) {
        let [first, second, third] = self.last;
        if self.has(RUNS) && self.letters >= 3 {
            let run = push(push(push(push(START, first), second), third), letter);
            (self.emit)(bucket(run ^ self.space as u32, Salt::Run));
        }
        self.last = [second, third, letter];
    }

    fn end_word(&mut self) {
        if self.letters == 0 {
            return;
        }
        if self.letters >= 3 {
            self.run('$');
        }
        if self.has(WORDS) {
            (self.emit)(bucket(self.word, self.space));
        }
        if self.has(PAIRS) && self.words > 0 {
            (self.emit)(bucket(join(self.previous, self.word), self.space));
        }
        if self.has(STEMS) && self.letters > 5 {
            (self.emit)(bucket(self.stem ^ self.space as u32, Salt::Stem));
        }
        if self.has(OPENING) && self.words < 2 {
            let salt = if self.words == 0 { Salt::First } else { Salt::Second };
            (self.emit)(bucket(join(self.words, self.word), salt));
            if self.words == 1 {
                (self.emit)(bucket(join(self.previous, self.word), salt));
            }
        }
        self.previous = self.word;
        self.words = self.words.saturating_add(1);
        self.word = START;
        self.stem = START;
        self.letters = 0;
        self.last = ['^'; 3];
    }

    fn end_of_piece(&mut self) {
        self.end_word();
    }
}

/// A script that is written without spaces between words.
fn is_ideograph(letter: char) -> bool {
    matches!(letter, '\u{2e80}'..='\u{9fff}' | '\u{f900}'..='\u{faff}' | '\u{20000}'..='\u{3ffff}')
}

/// What a text looks like from afar.
#[derive(Debug, Clone, Copy, Default)]
struct Shape {
    letters: u32,
    lines: u32,
    digits: u32,
    code: u32,
    questions: u32,
    ideographs: u32,
    cyrillic: u32,
    accented: u32,
    stars: u32,
    upper: u32,
}

impl Shape {
    fn note(&mut self, letter: char) {
        let count = match letter {
            '\n' => &mut self.lines,
            '0'..='9' => &mut self.digits,
            '{' | '}' | ';' | '=' | '(' | ')' | '<' | '>' | '[' | ']' => &mut self.code,
            '?' | '？' | '¿' => &mut self.questions,
            '*' => &mut self.stars,
            'A'..='Z' => &mut self.upper,
            '\u{c0}'..='\u{24f}' => &mut self.accented,
            '\u{400}'..='\u{4ff}' => &mut self.cyrillic,
            other if is_ideograph(other) => &mut self.ideographs,
            _ => &mut self.letters,
        };
        *count = count.saturating_add(1);
    }

    /// Calls `emit` with the number of each property and a coarse value of it, below 256.
    fn each(&self, prompt: &PromptText<'_>, emit: &mut impl FnMut(u32, u32)) {
        let bytes = u32::try_from(prompt.user_bytes()).unwrap_or(u32::MAX);
        emit(0, magnitude(bytes));
        emit(1, magnitude(self.lines));
        emit(2, magnitude(u32::try_from(prompt.tools).unwrap_or(u32::MAX)).min(4));
        emit(3, u32::from(!prompt.system.is_empty()));
        emit(4, share(self.digits, bytes));
        emit(5, share(self.code, bytes));
        emit(6, self.questions.min(2));
        emit(7, u32::from(self.ideographs > 0));
        emit(8, u32::from(self.cyrillic > 0));
        emit(9, u32::from(self.accented > 0));
        emit(10, self.stars.min(2));
        emit(11, u32::from(self.upper > 0));
        emit(12, (u32::from(prompt.tools > 0) << 4) | (magnitude(bytes).min(9) / 2));
    }
}

/// The number of binary digits.
fn magnitude(count: u32) -> u32 {
    u32::BITS - count.leading_zeros()
}

/// In how many bytes one of these comes, as a magnitude; 0 for none.
fn share(count: u32, bytes: u32) -> u32 {
    bytes.checked_div(count).map_or(0, |apart| 1 + magnitude(apart).min(8))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(kinds: u32, text: &str) -> Vec<u32> {
        let mut found = Vec::new();
        each_of(kinds, &PromptText::new(&[text]), &mut |_, bucket| found.push(bucket));
        found
    }

    #[test]
    fn words_are_the_same_in_any_case_and_any_number_of_the_same_length() {
        assert_eq!(of(WORDS | PAIRS, "Fix line 12!"), of(WORDS | PAIRS, "fix, LINE 99"));
        assert_ne!(of(WORDS, "fix"), of(WORDS, "mix"));
        assert_eq!(of(WORDS, "数学").len(), 2);
        assert_eq!(of(WORDS, "Äpfel"), of(WORDS, "äpfel"));
    }

    #[test]
    fn forms_of_a_word_share_a_stem_and_runs() {
        let stems = |text| of(STEMS, text);
        assert_eq!(stems("translate"), stems("translation"));
        assert_eq!(of(RUNS, "abc").len(), 2, "^abc and abc$");
        assert!(of(RUNS, "ab").is_empty());
    }

    #[test]
    fn a_systems_word_is_not_a_users_word() {
        let mut found = Vec::new();
        let prompt = PromptText::new(&[]).system("fix");
        each_of(WORDS, &prompt, &mut |_, bucket| found.push(bucket));
        assert_ne!(found, of(WORDS, "fix"));
        assert_eq!(found.len(), 1);
    }

    #[test]
    fn a_bucket_is_new_once() {
        let mut seen = Seen::default();
        assert!(seen.first_time(7) && seen.first_time(8) && !seen.first_time(7));
        assert!(!seen.first_time(u32::MAX));
    }
}
