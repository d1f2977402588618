//! Sets of characters, as ranges of code points.

/// The last code point.
const LAST: u32 = 0x10_ffff;

/// A set of characters.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(crate) struct Set(Vec<(u32, u32)>);

impl Set {
    pub(super) fn one(letter: char) -> Self {
        Self(vec![(u32::from(letter), u32::from(letter))])
    }

    pub(super) fn digits() -> Self {
        Self(vec![(0x30, 0x39)])
    }

    pub(super) fn word() -> Self {
        Self(vec![(0x30, 0x39), (0x41, 0x5a), (0x5f, 0x5f), (0x61, 0x7a)])
    }

    /// White space and line ends as ECMAScript has them.
    pub(super) fn space() -> Self {
        Self(vec![
            (0x09, 0x0d),
            (0x20, 0x20),
            (0xa0, 0xa0),
            (0x1680, 0x1680),
            (0x2000, 0x200a),
            (0x2028, 0x2029),
            (0x202f, 0x202f),
            (0x205f, 0x205f),
            (0x3000, 0x3000),
            (0xfeff, 0xfeff),
        ])
    }

    /// What a dot stands for: anything but a line's end.
    pub(super) fn dot() -> Self {
        Self(vec![(0x0a, 0x0a), (0x0d, 0x0d), (0x2028, 0x2029)]).complement()
    }

    pub(super) fn add(&mut self, other: &Self) {
        self.0.extend_from_slice(&other.0);
    }

    pub(super) fn add_range(&mut self, first: char, last: char) {
        self.0.push((u32::from(first), u32::from(last)));
    }

    /// In order, without overlaps.
    pub(super) fn ranges(&self) -> Vec<(u32, u32)> {
        let mut sorted = self.0.clone();
        sorted.sort_unstable();
        let mut joined: Vec<(u32, u32)> = Vec::with_capacity(sorted.len());
        for (first, last) in sorted {
            match joined.last_mut() {
                Some(before) if first <= before.1.saturating_add(1) => {
                    before.1 = before.1.max(last)
                }
                _ => joined.push((first, last)),
            }
        }
        joined
    }

    pub(super) fn complement(&self) -> Self {
        let mut gaps = Vec::new();
        let mut next = 0;
        for (first, last) in self.ranges() {
            if first > next {
                gaps.push((next, first.saturating_sub(1)));
            }
            next = last.saturating_add(1);
        }
        if next <= LAST {
            gaps.push((next, LAST));
        }
        Self(gaps)
    }

    pub(super) fn overlaps(&self, other: &Self) -> bool {
        let others = other.ranges();
        self.ranges().iter().any(|one| others.iter().any(|two| one.0 <= two.1 && two.0 <= one.1))
    }
}
