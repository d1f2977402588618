//! Decimal numbers as text, without the machinery of formatting: amounts are in every answer.

/// Room for a sign and the digits before the point.
const WHOLE: usize = 21;
/// Most digits after the point.
const FRACTION: usize = 28;

/// A decimal number without zeros at its end.
pub(crate) struct Decimal {
    /// Right-aligned before the point, left-aligned after it.
    text: [u8; WHOLE + 1 + FRACTION],
    from: usize,
    to: usize,
}

impl Decimal {
    /// `whole` and the groups of digits that follow the point, each with its width; what is beyond
    /// 28 digits is left out.
    pub(crate) fn new(negative: bool, mut whole: u64, groups: &[(u64, usize)]) -> Self {
        let mut text = [b'0'; WHOLE + 1 + FRACTION];
        let (before, after) = text.split_at_mut(WHOLE);
        let mut from = WHOLE;
        for slot in before.iter_mut().rev() {
            *slot = digit(&mut whole);
            from = from.saturating_sub(1);
            if whole == 0 {
                break;
            }
        }
        if negative {
            from = from.saturating_sub(1);
            before.get_mut(from).into_iter().for_each(|slot| *slot = b'-');
        }
        let mut to = WHOLE;
        if let Some((point, mut rest)) = after.split_first_mut() {
            *point = b'.';
            let mut at = WHOLE.saturating_add(1);
            for (value, width) in groups {
                let Some((group, behind)) = rest.split_at_mut_checked(*width) else { break };
                let mut value = *value;
                for (index, slot) in group.iter_mut().enumerate().rev() {
                    if value == 0 {
                        break;
                    }
                    *slot = digit(&mut value);
                    if *slot != b'0' {
                        to = to.max(at.saturating_add(index).saturating_add(1));
                    }
                }
                at = at.saturating_add(*width);
                rest = behind;
            }
        }
        Self { text, from, to }
    }

    pub(crate) fn as_str(&self) -> &str {
        let digits = self.text.get(self.from..self.to).unwrap_or_default();
        std::str::from_utf8(digits).unwrap_or_default()
    }
}

/// Takes the last digit off a number.
fn digit(number: &mut u64) -> u8 {
    let last = (*number % 10) as u8;
    *number /= 10;
    b'0' + last
}
