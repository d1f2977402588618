//! What a word means to the detector, told by its first eight letters and its length.

use std::sync::LazyLock;

use super::table::ROWS;

const SLOTS: usize = 1024;
const SHIFT: u32 = 54;

/// The words at which patterns are tried.
pub(crate) struct Table {
    /// The word, its length, and its patterns; a length of zero is an empty slot.
    slots: Vec<(u64, u8, u64)>,
    /// By first letter, a bit for each length that some word has.
    lengths: [u32; 32],
}

static TABLE: LazyLock<Table> = LazyLock::new(|| {
    let mut table = Table { slots: vec![(0, 0, 0); SLOTS], lengths: [0; 32] };
    for (index, row) in ROWS.iter().enumerate() {
        for word in row.words {
            table.insert(word.as_bytes(), 1_u64 << index);
        }
    }
    table
});

impl Table {
    fn insert(&mut self, word: &[u8], patterns: u64) {
        let (key, length) = (key(word, 0, word.len()), u8::try_from(word.len()).unwrap_or(u8::MAX));
        let first = word.first().map_or(0, |first| usize::from(first & 31));
        if let Some(lengths) = self.lengths.get_mut(first) {
            *lengths |= 1_u32 << length.min(31);
        }
        let mut at = slot(key);
        while let Some(one) = self.slots.get_mut(at) {
            if one.1 == 0 || (one.0 == key && one.1 == length) {
                *one = (key, length, one.2 | patterns);
                return;
            }
            at = (at + 1) % SLOTS;
        }
    }

    fn get(&self, key: u64, length: usize) -> u64 {
        let mut at = slot(key);
        loop {
            match self.slots.get(at) {
                Some(one) if one.1 == 0 => return 0,
                Some(one) if one.0 == key && usize::from(one.1) == length => return one.2,
                Some(_) => at = (at + 1) % SLOTS,
                None => return 0,
            }
        }
    }
}

fn slot(key: u64) -> usize {
    (key.wrapping_mul(0x9e37_79b9_7f4a_7c15) >> SHIFT) as usize
}

/// The first eight letters of a word without their case.
#[inline]
pub(super) fn key(bytes: &[u8], start: usize, end: usize) -> u64 {
    const LOWER: u64 = 0x2020_2020_2020_2020;
    let length = end.saturating_sub(start);
    let word = match bytes.get(start..).and_then(<[u8]>::first_chunk::<8>) {
        Some(eight) => u64::from_le_bytes(*eight),
        None => {
            let mut eight = [0_u8; 8];
            let rest = bytes.get(start..end).unwrap_or_default();
            eight.iter_mut().zip(rest).for_each(|(slot, byte)| *slot = *byte);
            u64::from_le_bytes(eight)
        }
    };
    let mask = if length < 8 { (1_u64 << (length * 8)) - 1 } else { u64::MAX };
    (word | LOWER) & mask
}

/// The table, which is made once.
pub(crate) fn table() -> &'static Table {
    &TABLE
}

impl Table {
    /// A bit for each pattern that may begin with the word from `start` to `end`.
    #[inline]
    pub(crate) fn look(&self, bytes: &[u8], start: usize, end: usize) -> u64 {
        let length = end.saturating_sub(start);
        let first = bytes.get(start).map_or(0, |first| usize::from(first & 31));
        let lengths = self.lengths.get(first).copied().unwrap_or(0);
        if length > 31 || lengths >> length & 1 == 0 {
            return 0;
        }
        self.get(key(bytes, start, end), length)
    }
}
