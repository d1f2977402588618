//! What is made of digits: cards, social security numbers, IPv4 addresses, phone numbers.

use std::ops::Range;

use crate::row::Builtin;

/// Most groups that belong together, and most digits of one: no number here has more.
const MAX_GROUPS: usize = 8;
const MAX_DIGITS: usize = 19;
/// Fewest digits of a number here that is no IPv4 address.
const FEWEST: usize = 8;
/// Groups of an IPv4 address.
const OCTETS: usize = 4;

/// A walk over the tokens of one text.
#[derive(Debug, Default)]
pub(crate) struct Digits {
    /// Tokens before this place are part of a number that was found.
    done: usize,
}

/// Groups of digits that stand close together.
struct Chain<'a> {
    bytes: &'a [u8],
    groups: [(usize, usize); MAX_GROUPS],
    count: usize,
    digits: usize,
}

impl Digits {
    /// Looks at the next token.
    #[inline]
    pub(crate) fn token(
        &mut self,
        bytes: &[u8],
        start: usize,
        end: usize,
        take: &mut impl FnMut(Builtin, Range<usize>),
    ) {
        if start < self.done || !bytes.get(start).is_some_and(u8::is_ascii_digit) {
            return;
        }
        // Most numbers are short and stand alone.
        if end.saturating_sub(start) < FEWEST && separator(bytes, end).is_none() {
            return;
        }
        let Some(chain) = Chain::read(bytes, start, end) else { return };
        if let Some((what, span)) = chain.judge(self.done) {
            self.done = span.end;
            take(what, span);
        }
    }
}

impl<'a> Chain<'a> {
    fn read(bytes: &'a [u8], start: usize, end: usize) -> Option<Self> {
        let mut chain = Self { bytes, groups: [(0, 0); MAX_GROUPS], count: 0, digits: 0 };
        chain.push(start, end)?;
        while chain.count < MAX_GROUPS {
            let (_, end) = chain.last();
            let Some(next) = separator(bytes, end) else { break };
            let rest = bytes.get(next..)?;
            let run =
                rest.iter().take(MAX_DIGITS + 1).take_while(|byte| byte.is_ascii_digit()).count();
            let closed = rest.get(run).is_none_or(|byte| !byte.is_ascii_alphanumeric());
            if run == 0 || !closed || chain.digits + run > MAX_DIGITS {
                break;
            }
            chain.push(next, next + run)?;
        }
        Some(chain)
    }

    /// Adds a group, when it is all digits and not too long.
    fn push(&mut self, start: usize, end: usize) -> Option<()> {
        let group = self.bytes.get(start..end).filter(|group| group.len() <= MAX_DIGITS)?;
        if !group.iter().all(u8::is_ascii_digit) {
            return None;
        }
        *self.groups.get_mut(self.count)? = (start, end);
        self.count += 1;
        self.digits += group.len();
        Some(())
    }

    fn last(&self) -> (usize, usize) {
        self.count.checked_sub(1).and_then(|at| self.groups.get(at)).copied().unwrap_or_default()
    }

    fn start(&self) -> usize {
        self.groups.first().map_or(0, |group| group.0)
    }

    fn before(&self, back: usize) -> Option<u8> {
        self.start().checked_sub(back).and_then(|at| self.bytes.get(at)).copied()
    }

    fn judge(&self, done: usize) -> Option<(Builtin, Range<usize>)> {
        if self.digits < FEWEST && self.count < OCTETS {
            return None;
        }
        // Part of a longer word, or of a decimal number.
        let glued = self.before(1) == Some(b'_')
            || self.before(1).is_some_and(|byte| matches!(byte, b'.' | b',' | b'-' | b'/'))
                && self.before(2).is_some_and(|byte| byte.is_ascii_digit())
                && self.start() != done.saturating_add(1);
        let plus = self.before(1) == Some(b'+')
            && self.before(2).is_none_or(|byte| !byte.is_ascii_alphanumeric() && byte != b')');
        if glued {
            return None;
        }
        if !plus {
            if let Some(end) = self.card() {
                return Some((Builtin::CreditCard, self.start()..end));
            }
            if let Some(end) = self.ssn() {
                return Some((Builtin::Ssn, self.start()..end));
            }
            if let Some(end) = self.ipv4() {
                return Some((Builtin::IpAddress, self.start()..end));
            }
        }
        // A sum.
        if !plus && self.before(1) == Some(b'+') {
            return None;
        }
        self.phone(plus).map(|span| (Builtin::Phone, span))
    }

    fn group(&self, index: usize) -> Option<&'a [u8]> {
        let (start, end) = self.groups.get(index).filter(|_| index < self.count)?;
        self.bytes.get(*start..*end)
    }

    fn sizes(&self) -> [usize; MAX_GROUPS] {
        self.groups.map(|(start, end)| end.saturating_sub(start))
    }

    /// Whether the first groups all stand apart by this one byte.
    fn apart_by(&self, count: usize, separator: u8) -> bool {
        let pairs =
            self.groups.iter().zip(self.groups.iter().skip(1)).take(count.saturating_sub(1));
        count <= self.count
            && pairs.into_iter().all(|(one, next)| {
                next.0 == one.1.saturating_add(1) && self.bytes.get(one.1) == Some(&separator)
            })
    }

    fn end_of(&self, count: usize) -> Option<usize> {
        count.checked_sub(1).and_then(|at| self.groups.get(at)).map(|group| group.1)
    }

    /// Whether a number that ends here goes on: a separator of its own kind and a digit.
    fn goes_on(&self, end: usize, separators: &[u8]) -> bool {
        let byte = |at: usize| self.bytes.get(at).copied();
        byte(end) == Some(b'_')
            || byte(end).is_some_and(|one| separators.contains(&one))
                && byte(end + 1).is_some_and(|one| one.is_ascii_digit())
    }

    fn digits(&self, count: usize) -> impl Iterator<Item = u8> + Clone + '_ {
        (0..count).filter_map(|index| self.group(index)).flatten().copied()
    }

    fn card(&self) -> Option<usize> {
        let sizes = self.sizes();
        let grouped: [&[usize]; 6] =
            [&[4, 4, 4, 4, 3], &[4, 4, 4, 4], &[4, 6, 5], &[4, 6, 4], &[4, 4, 5], &[4, 4, 4, 1]];
        let whole = sizes.first().copied().unwrap_or_default();
        let mut candidates = grouped
            .into_iter()
            .filter(|shape| {
                sizes.starts_with(shape)
                    && [b' ', b'-'].into_iter().any(|one| self.apart_by(shape.len(), one))
            })
            .map(<[usize]>::len)
            .chain((13..=19).contains(&whole).then_some(1));
        candidates.find_map(|count| {
            let end = self.end_of(count)?;
            (is_card(self.digits(count)) && self.bytes.get(end) != Some(&b'_')).then_some(end)
        })
    }

    fn ssn(&self) -> Option<usize> {
        let sizes = self.sizes();
        let (count, labelled) = match sizes {
            [9, ..] => (1, true),
            [3, 2, 4, ..] => (3, false),
            _ => return None,
        };
        let apart = [b'-', b' ', b'.'].into_iter().any(|one| self.apart_by(count, one));
        let end = self.end_of(count)?;
        if !apart || self.goes_on(end, b"-.") || labelled && !self.is_called_ssn() {
            return None;
        }
        let digits: Vec<u8> = self.digits(count).collect();
        let number = |range: Range<usize>| {
            digits.get(range).into_iter().flatten().fold(0_u32, |sum, digit| {
                sum.saturating_mul(10).saturating_add(u32::from(digit.wrapping_sub(b'0')))
            })
        };
        let (area, group, serial) = (number(0..3), number(3..5), number(5..9));
        let assigned = area != 0 && area != 666 && area < 900 && group != 0 && serial != 0;
        assigned.then_some(end)
    }

    /// Whether what stands before says what the nine digits are.
    fn is_called_ssn(&self) -> bool {
        let from = self.start().saturating_sub(24);
        let before = self.bytes.get(from..self.start()).unwrap_or_default();
        let has =
            |word: &[u8]| before.windows(word.len()).any(|part| part.eq_ignore_ascii_case(word));
        has(b"ssn") || has(b"social security")
    }

    fn ipv4(&self) -> Option<usize> {
        let end = self.end_of(OCTETS).filter(|_| self.apart_by(OCTETS, b'.'))?;
        let is_octet = |group: &[u8]| {
            let number = group.iter().fold(0_u32, |sum, digit| {
                sum.saturating_mul(10).saturating_add(u32::from(digit.wrapping_sub(b'0')))
            });
            group.len() <= 3 && number < 256 && (group.len() == 1 || group.first() != Some(&b'0'))
        };
        let octets = (0..OCTETS).all(|index| self.group(index).is_some_and(is_octet));
        (octets && !self.goes_on(end, b".")).then_some(end)
    }

    fn phone(&self, plus: bool) -> Option<Range<usize>> {
        let parenthesis = self.before(1) == Some(b'(');
        let opened = usize::from(plus || parenthesis);
        let start = self.start().saturating_sub(opened);
        let end = if plus {
            self.international()?
        } else {
            self.north_american().or_else(|| self.domestic())?
        };
        // The parenthesis goes with the number when it is closed inside it.
        let inside = self.bytes.get(self.start()..end).unwrap_or_default();
        let whole = plus || parenthesis && inside.contains(&b')');
        Some(if whole { start } else { self.start() }..end)
    }

    /// After a plus: a country's code and 8 to 15 digits in all (ITU-T E.164).
    fn international(&self) -> Option<usize> {
        if self.group(0)?.first() == Some(&b'0') {
            return None;
        }
        let is_nanp = self.group(0)?.first() == Some(&b'1');
        let most = if is_nanp { 11 } else { 15 };
        let fits = |count: &usize| {
            let digits = self.digits(*count).count();
            digits <= most && digits >= if is_nanp { 11 } else { 8 }
        };
        let count = (1..=self.count).rev().find(fits)?;
        self.end_of(count)
    }

    /// Ten digits with or without the 1 before them, whose area and exchange begin with 2 to 9.
    fn north_american(&self) -> Option<usize> {
        let sizes = self.sizes();
        let (skipped, count) = match sizes {
            [1, 3, 3, 4, ..] => (1, 4),
            [1, 3, 7, ..] => (1, 3),
            [1, 10, ..] => (1, 2),
            [3, 3, 4, ..] => (0, 3),
            [3, 7, ..] => (0, 2),
            [10, ..] => (0, 1),
            [11, ..] => (1, 1),
            _ => return None,
        };
        let end = self.end_of(count).filter(|_| count <= self.count)?;
        let mut digits = self.digits(count);
        if skipped == 1 && digits.next() != Some(b'1') {
            return None;
        }
        let digits: Vec<u8> = digits.collect();
        let from_two =
            |at: usize| digits.get(at).is_some_and(|digit| (b'2'..=b'9').contains(digit));
        let is_service = digits.get(1..3) == Some(b"11");
        (from_two(0) && from_two(3) && !is_service && !self.goes_on(end, b"-.")).then_some(end)
    }

    /// With a trunk 0 or an exit code 00 before it, in groups.
    fn domestic(&self) -> Option<usize> {
        let (first, count) = (self.group(0)?, self.count);
        let after_number = matches!(self.before(1), Some(b' ' | b'-'))
            && self.before(2).is_some_and(|byte| byte.is_ascii_digit());
        let exit = first.starts_with(b"00");
        let digits = self.digits(count).count();
        let fits = if exit { (10..=15).contains(&digits) } else { (10..=11).contains(&digits) };
        let sizes = self.sizes();
        let sizes = sizes.get(..count)?;
        let pairs = sizes.iter().all(|size| *size == 2);
        let spaced = [b' ', b'-'].into_iter().any(|one| self.apart_by(count, one))
            || self.bytes.get(self.start()..self.last().1)?.contains(&b')');
        let end = self.end_of(count)?;
        let groups = count > 1
            && (!pairs || count == 5 && !exit)
            && sizes.iter().skip(1).all(|size| *size > 1);
        (first.starts_with(b"0")
            && !after_number
            && fits
            && groups
            && spaced
            && !self.goes_on(end, b" -."))
        .then_some(end)
    }
}

/// The place after what may stand between two groups of a number: one of ` -.`, parentheses.
fn separator(bytes: &[u8], at: usize) -> Option<usize> {
    let byte = |at: usize| bytes.get(at).copied();
    match byte(at)? {
        b' ' | b'-' | b'.' if byte(at + 1) == Some(b'(') => Some(at + 2),
        b' ' | b'-' | b'.' | b'(' => Some(at + 1),
        b')' if matches!(byte(at + 1), Some(b' ' | b'-' | b'.')) => Some(at + 2),
        b')' => Some(at + 1),
        _ => None,
    }
}

/// Whether digits are a card number: an issuer's first digits and length, and the check digit.
fn is_card(digits: impl Iterator<Item = u8> + Clone) -> bool {
    let length = digits.clone().count();
    let head = digits.clone().take(4).fold(0_u32, |sum, digit| {
        sum.saturating_mul(10).saturating_add(u32::from(digit.wrapping_sub(b'0')))
    });
    let issued = match head {
        4000..=4999 => matches!(length, 13 | 16 | 19),
        5100..=5599 | 2221..=2720 => length == 16,
        3400..=3499 | 3700..=3799 => length == 15,
        3000..=3059 | 3600..=3699 | 3800..=3999 => (14..=19).contains(&length),
        3528..=3589 | 6011 | 6440..=6599 | 6200..=6299 => (16..=19).contains(&length),
        5000..=5099 | 5600..=5899 | 6300..=6439 | 6700..=6799 => (13..=19).contains(&length),
        _ => false,
    };
    issued && luhn(digits)
}

fn luhn(digits: impl Iterator<Item = u8> + Clone) -> bool {
    let length = digits.clone().count();
    let sum: u32 = digits
        .enumerate()
        .map(|(at, digit)| {
            let digit = u32::from(digit.wrapping_sub(b'0'));
            let is_doubled = length.saturating_sub(at) % 2 == 0;
            let value = if is_doubled { digit.saturating_mul(2) } else { digit };
            if value > 9 { value.saturating_sub(9) } else { value }
        })
        .sum();
    sum.is_multiple_of(10)
}
