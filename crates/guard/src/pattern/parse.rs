//! From text to a tree.

use super::{PatternError, Set};

/// Deepest nesting of groups.
pub(super) const MAX_DEPTH: usize = 50;
/// The same once it is written: a group may be repeated, a sequence and one of several.
pub(super) const MAX_WRITTEN_DEPTH: u32 = 400;
/// Most repetitions that a quantifier can name.
const MAX_REPEAT: u32 = 1_000;

/// What a pattern is made of.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Node {
    /// One of these characters.
    Set(Set),
    /// The start or the end of the text.
    Start,
    End,
    /// Where a word begins or ends, and where it doesn't.
    Boundary,
    NoBoundary,
    /// One after the other.
    Sequence(Vec<Node>),
    /// Any of them, the first that fits.
    Either(Vec<Node>),
    Repeat(Repeat),
}

/// Something several times.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Repeat {
    pub node: Box<Node>,
    pub min: u32,
    pub max: Option<u32>,
    pub lazy: bool,
    /// Where the quantifier stands, in characters.
    pub at: usize,
}

pub(super) fn parse(pattern: &str) -> Result<Node, PatternError> {
    let mut parser = Parser { letters: pattern.chars().collect(), at: 0 };
    let node = parser.either(0)?;
    if parser.at < parser.letters.len() {
        return parser.fail("there is a `)` without its `(`");
    }
    Ok(node)
}

struct Parser {
    letters: Vec<char>,
    at: usize,
}

impl Parser {
    fn peek(&self) -> Option<char> {
        self.letters.get(self.at).copied()
    }

    fn next(&mut self) -> Option<char> {
        let letter = self.peek()?;
        self.at += 1;
        Some(letter)
    }

    fn skip(&mut self, text: &str) -> bool {
        let found = text.chars().enumerate().all(|(index, letter)| {
            self.letters.get(self.at.saturating_add(index)) == Some(&letter)
        });
        if found {
            self.at += text.chars().count();
        }
        found
    }

    fn fail<T>(&self, reason: &'static str) -> Result<T, PatternError> {
        Err(PatternError::Syntax { reason, at: self.at.saturating_add(1) })
    }

    fn either(&mut self, depth: usize) -> Result<Node, PatternError> {
        if depth > MAX_DEPTH {
            return self.fail("groups are nested too deep");
        }
        let mut branches = vec![self.sequence(depth)?];
        while self.skip("|") {
            branches.push(self.sequence(depth)?);
        }
        Ok(match <[Node; 1]>::try_from(branches) {
            Ok([only]) => only,
            Err(branches) => Node::Either(branches),
        })
    }

    fn sequence(&mut self, depth: usize) -> Result<Node, PatternError> {
        let mut nodes = Vec::new();
        while let Some(letter) = self.peek().filter(|letter| !matches!(letter, '|' | ')')) {
            let place = self.at.saturating_add(1);
            self.at += 1;
            let node = match letter {
                '^' => Node::Start,
                '$' => Node::End,
                '.' => Node::Set(Set::dot()),
                '[' => Node::Set(self.class()?),
                '(' => self.group(depth, place)?,
                '\\' => self.escape(place)?,
                '*' | '+' | '?' => {
                    self.at -= 1;
                    return self.fail("there is nothing to repeat");
                }
                other => Node::Set(Set::one(other)),
            };
            nodes.push(self.quantified(node)?);
        }
        Ok(match <[Node; 1]>::try_from(nodes) {
            Ok([only]) => only,
            Err(nodes) => Node::Sequence(nodes),
        })
    }

    fn group(&mut self, depth: usize, place: usize) -> Result<Node, PatternError> {
        if self.skip("?:") {
        } else if self.skip("?=") || self.skip("?!") {
            return Err(PatternError::Lookahead(place));
        } else if self.skip("?<=") || self.skip("?<!") {
            return Err(PatternError::Lookbehind(place));
        } else if self.skip("?<") {
            let mut name = String::new();
            while let Some(letter) = self.next().filter(|letter| *letter != '>') {
                name.push(letter);
            }
            let mut letters = name.chars();
            let begins =
                letters.next().is_some_and(|one| one.is_alphabetic() || matches!(one, '_' | '$'));
            if !begins || !letters.all(|one| one.is_alphanumeric() || matches!(one, '_' | '$')) {
                return self.fail("the name of a group is not valid");
            }
        } else if self.peek() == Some('?') {
            return self.fail("this kind of group is not supported");
        }
        let node = self.either(depth.saturating_add(1))?;
        if !self.skip(")") {
            return self.fail("there is a `(` without its `)`");
        }
        Ok(node)
    }

    /// The node with the quantifier that follows it, if one does.
    fn quantified(&mut self, node: Node) -> Result<Node, PatternError> {
        let at = self.at.saturating_add(1);
        let Some((min, max)) = self.quantifier()? else { return Ok(node) };
        if matches!(node, Node::Start | Node::End | Node::Boundary | Node::NoBoundary) {
            return self.fail("there is nothing to repeat");
        }
        let lazy = self.skip("?");
        let mark = self.at;
        if matches!(self.peek(), Some('*' | '+' | '?')) || self.quantifier()?.is_some() {
            self.at = mark;
            return Err(PatternError::NestedQuantifier(mark.saturating_add(1)));
        }
        Ok(Node::Repeat(Repeat { node: Box::new(node), min, max, lazy, at }))
    }

    fn quantifier(&mut self) -> Result<Option<(u32, Option<u32>)>, PatternError> {
        Ok(match self.peek() {
            Some('*') => self.counted(0, None),
            Some('+') => self.counted(1, None),
            Some('?') => self.counted(0, Some(1)),
            Some('{') => return self.braces(),
            _ => None,
        })
    }

    fn counted(&mut self, min: u32, max: Option<u32>) -> Option<(u32, Option<u32>)> {
        self.at += 1;
        Some((min, max))
    }

    /// `{2}`, `{2,}`, `{2,5}`; other braces are letters.
    fn braces(&mut self) -> Result<Option<(u32, Option<u32>)>, PatternError> {
        let start = self.at;
        self.at += 1;
        let min = self.number();
        let max = if self.skip(",") { self.number() } else { min.map(Some).unwrap_or_default() };
        let open = self.letters.get(self.at.saturating_sub(1)) == Some(&',');
        let (Some(min), true) = (min, self.skip("}")) else {
            self.at = start;
            return Ok(None);
        };
        let max = if open { None } else { max };
        if min > MAX_REPEAT || max.is_some_and(|max| max > MAX_REPEAT) {
            return self.fail("a quantifier can count to 1000 at most");
        }
        if max.is_some_and(|max| max < min) {
            return self.fail("the numbers of a quantifier are in the wrong order");
        }
        Ok(Some((min, max)))
    }

    fn number(&mut self) -> Option<u32> {
        let mut number = None;
        while let Some(digit) = self.peek().and_then(|letter| letter.to_digit(10)) {
            self.at += 1;
            let sum = number.unwrap_or(0_u32).saturating_mul(10).saturating_add(digit);
            number = Some(sum);
        }
        number
    }

    /// What a backslash outside a class means.
    fn escape(&mut self, place: usize) -> Result<Node, PatternError> {
        match self.peek() {
            Some('b') => {
                self.at += 1;
                Ok(Node::Boundary)
            }
            Some('B') => {
                self.at += 1;
                Ok(Node::NoBoundary)
            }
            Some('1'..='9' | 'k') => Err(PatternError::Backreference(place)),
            _ => self.escaped_set().map(Node::Set),
        }
    }

    /// The characters that an escape stands for, in a class and outside.
    fn escaped_set(&mut self) -> Result<Set, PatternError> {
        let Some(letter) = self.next() else { return self.fail("a pattern must not end in `\\`") };
        Ok(match letter {
            'd' => Set::digits(),
            'D' => Set::digits().complement(),
            'w' => Set::word(),
            'W' => Set::word().complement(),
            's' => Set::space(),
            'S' => Set::space().complement(),
            't' => Set::one('\t'),
            'n' => Set::one('\n'),
            'v' => Set::one('\u{b}'),
            'f' => Set::one('\u{c}'),
            'r' => Set::one('\r'),
            '0' if !self.peek().is_some_and(|one| one.is_ascii_digit()) => Set::one('\0'),
            'c' => match self.next().filter(char::is_ascii_alphabetic) {
                Some(control) => Set::one(char::from(control as u8 & 0x1f)),
                None => return self.fail("`\\c` needs a letter"),
            },
            'x' => self.hexadecimal(2)?,
            'u' => self.unicode()?,
            other if other.is_ascii_alphanumeric() => {
                self.at -= 1;
                return self.fail("this escape is not supported");
            }
            other => Set::one(other),
        })
    }

    fn hexadecimal(&mut self, digits: usize) -> Result<Set, PatternError> {
        let code = self.code(digits)?;
        char::from_u32(code).map(Set::one).map_or_else(|| self.fail("this is no character"), Ok)
    }

    fn code(&mut self, digits: usize) -> Result<u32, PatternError> {
        let mut code = 0_u32;
        for _ in 0..digits {
            let Some(digit) = self.next().and_then(|letter| letter.to_digit(16)) else {
                return self.fail("an escape needs more hexadecimal digits");
            };
            code = code.saturating_mul(16).saturating_add(digit);
        }
        Ok(code)
    }

    /// Four digits, or two such escapes that are one character, or any number in braces.
    fn unicode(&mut self) -> Result<Set, PatternError> {
        if self.skip("{") {
            let mut code = 0_u32;
            while let Some(letter) = self.next().filter(|letter| *letter != '}') {
                let Some(digit) = letter.to_digit(16) else {
                    return self.fail("an escape needs hexadecimal digits");
                };
                code = code.saturating_mul(16).saturating_add(digit);
            }
            let known = char::from_u32(code).map(Set::one);
            return known.map_or_else(|| self.fail("this is no character"), Ok);
        }
        let first = self.code(4)?;
        if (0xd800..0xdc00).contains(&first) && self.skip("\\u") {
            let second = self.code(4)?;
            let low = second.checked_sub(0xdc00).filter(|low| *low < 0x400);
            let code = low.map(|low| 0x1_0000 + ((first - 0xd800) << 10) + low);
            let known = code.and_then(char::from_u32).map(Set::one);
            return known.map_or_else(|| self.fail("this is no character"), Ok);
        }
        char::from_u32(first).map(Set::one).map_or_else(|| self.fail("this is no character"), Ok)
    }

    /// A class, after its opening bracket.
    fn class(&mut self) -> Result<Set, PatternError> {
        let negated = self.skip("^");
        let mut set = Set::default();
        loop {
            let Some(letter) = self.next() else {
                return self.fail("there is a `[` without its `]`");
            };
            if letter == ']' {
                return Ok(if negated { set.complement() } else { set });
            }
            let (first, single) = self.member(letter)?;
            let is_range = self.peek() == Some('-')
                && self.letters.get(self.at.saturating_add(1)).is_some_and(|next| *next != ']');
            if !is_range {
                set.add(&first);
                continue;
            }
            self.at += 1;
            let Some(letter) = self.next() else {
                return self.fail("there is a `[` without its `]`");
            };
            let (last, other) = self.member(letter)?;
            match (single, other) {
                (Some(from), Some(to)) if from <= to => set.add_range(from, to),
                (Some(_), Some(_)) => return self.fail("a range is in the wrong order"),
                // `[\w-x]`: no range, but all three.
                _ => {
                    set.add(&first);
                    set.add(&last);
                    set.add(&Set::one('-'));
                }
            }
        }
    }

    /// One member of a class, and which character it is when it is one.
    fn member(&mut self, letter: char) -> Result<(Set, Option<char>), PatternError> {
        if letter != '\\' {
            return Ok((Set::one(letter), Some(letter)));
        }
        if self.skip("b") {
            return Ok((Set::one('\u{8}'), Some('\u{8}')));
        }
        let set = self.escaped_set()?;
        let single = match set.ranges().as_slice() {
            [(first, last)] if first == last => char::from_u32(*first),
            _ => None,
        };
        Ok((set, single))
    }
}
