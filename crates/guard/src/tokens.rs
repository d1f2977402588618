//! Where the words and numbers of a text are: maximal runs of ASCII letters and digits, in one pass of
//! word-sized steps.

const ONES: u64 = 0x0101_0101_0101_0101;
const HIGH: u64 = 0x8080_8080_8080_8080;

/// Calls `take` with the start and end of each run, in order.
pub(crate) fn each(bytes: &[u8], mut take: impl FnMut(usize, usize)) {
    let mut open = None;
    let mut carry = 0_u64;
    let mut base = 0_usize;
    let mut rest = bytes;
    while !rest.is_empty() {
        let (mask, taken) = match rest.split_first_chunk::<64>() {
            Some((block, tail)) => {
                rest = tail;
                (block_mask(block), 64)
            }
            None => {
                let mut block = [0_u8; 64];
                for (slot, byte) in block.iter_mut().zip(rest) {
                    *slot = *byte;
                }
                let taken = rest.len();
                rest = &[];
                (block_mask(&block), taken)
            }
        };
        // A bit is set where a run begins or has ended.
        let mut edges = mask ^ ((mask << 1) | carry);
        carry = mask >> 63;
        while edges != 0 {
            let at = base.saturating_add(edges.trailing_zeros() as usize);
            edges &= edges.wrapping_sub(1);
            match open.take() {
                None => open = Some(at),
                Some(start) => take(start, at),
            }
        }
        base = base.saturating_add(taken);
    }
    if let Some(start) = open {
        take(start, bytes.len());
    }
}

/// One bit for each byte: whether it is an ASCII letter or digit.
fn block_mask(block: &[u8; 64]) -> u64 {
    let mut mask = 0_u64;
    for (index, eight) in block.as_chunks::<8>().0.iter().enumerate() {
        let bits = alphanumeric(u64::from_le_bytes(*eight));
        mask |= bits << (index * 8);
    }
    mask
}

/// The same for eight bytes, in the low eight bits.
fn alphanumeric(word: u64) -> u64 {
    let low = word & !HIGH;
    let caseless = (word | (ONES * 0x20)) & !HIGH;
    let at_least =
        |word: u64, byte: u8| word.wrapping_add(ONES.wrapping_mul(0x80 - u64::from(byte)));
    let letters = at_least(caseless, b'a') & !at_least(caseless, b'z' + 1);
    let digits = at_least(low, b'0') & !at_least(low, b'9' + 1);
    let found = (letters | digits) & !word & HIGH;
    (found >> 7).wrapping_mul(0x0102_0408_1020_4080) >> 56
}

#[cfg(test)]
mod tests {
    use super::*;

    fn runs(text: &[u8]) -> Vec<(usize, usize)> {
        let mut found = Vec::new();
        each(text, |start, end| found.push((start, end)));
        found
    }

    fn slowly(text: &[u8]) -> Vec<(usize, usize)> {
        let mut found = Vec::new();
        let mut at = 0;
        while at < text.len() {
            let end = (at..text.len()).find(|at| !text[*at].is_ascii_alphanumeric());
            let end = end.unwrap_or(text.len());
            if end > at {
                found.push((at, end));
            }
            at = end + 1;
        }
        found
    }

    #[test]
    fn every_byte_is_judged_alike_wherever_it_stands() {
        for byte in 0..=255_u8 {
            for before in [0, 1, 7, 62, 63, 64, 65, 127] {
                let mut text = vec![b'-'; before];
                text.extend([byte, b'-', b'x']);
                assert_eq!(runs(&text), slowly(&text), "{byte} after {before}");
                let text = [vec![b'x'; before], vec![byte]].concat();
                assert_eq!(runs(&text), slowly(&text), "{byte} after {before} letters");
            }
        }
        assert_eq!(runs(b""), []);
    }
}
