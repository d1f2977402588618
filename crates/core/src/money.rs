//! Amounts of money: whole nano-dollars in an `i64`.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Deserializer, Serialize, Serializer};
use serde_json::value::RawValue;

use crate::decimal::Decimal;

/// Nano-dollars in one dollar.
pub const NANOS_PER_USD: i64 = 1_000_000_000;

/// An amount of US dollars, held as whole nano-dollars (10⁻⁹ USD).
///
/// The range is about ±9.2 billion dollars. Arithmetic is checked: there is no operator that can
/// wrap. On the wire it is a JSON number with at most nine decimals, written digit by digit and so
/// never through a float.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct Usd(i64);

impl Usd {
    /// No money.
    pub const ZERO: Self = Self(0);
    /// The largest amount that can be held.
    pub const MAX: Self = Self(i64::MAX);

    /// An amount from whole nano-dollars.
    #[must_use]
    pub const fn from_nanos(nanos: i64) -> Self {
        Self(nanos)
    }

    /// The amount in whole nano-dollars.
    #[must_use]
    pub const fn nanos(self) -> i64 {
        self.0
    }

    /// An amount from whole dollars; `None` when it does not fit.
    #[must_use]
    pub const fn from_dollars(dollars: i64) -> Option<Self> {
        match dollars.checked_mul(NANOS_PER_USD) {
            Some(nanos) => Some(Self(nanos)),
            None => None,
        }
    }

    /// `self + other`, or `None` when the sum does not fit.
    #[must_use]
    pub const fn checked_add(self, other: Self) -> Option<Self> {
        match self.0.checked_add(other.0) {
            Some(nanos) => Some(Self(nanos)),
            None => None,
        }
    }

    /// `self - other`, or `None` when the difference does not fit.
    #[must_use]
    pub const fn checked_sub(self, other: Self) -> Option<Self> {
        match self.0.checked_sub(other.0) {
            Some(nanos) => Some(Self(nanos)),
            None => None,
        }
    }

    /// `self + other`, stopping at the ends of the range. For sums that are only shown or compared,
    /// never for a posting.
    #[must_use]
    pub const fn saturating_add(self, other: Self) -> Self {
        Self(self.0.saturating_add(other.0))
    }

    /// `self - other`, stopping at the ends of the range. For sums that are only shown or compared,
    /// never for a posting.
    #[must_use]
    pub const fn saturating_sub(self, other: Self) -> Self {
        Self(self.0.saturating_sub(other.0))
    }

    fn decimal(self) -> Decimal {
        const ONE: u64 = NANOS_PER_USD.unsigned_abs();
        let magnitude = self.0.unsigned_abs();
        Decimal::new(self.0 < 0, magnitude / ONE, &[(magnitude % ONE, 9)])
    }

    /// Whether the amount is below zero.
    #[must_use]
    pub const fn is_negative(self) -> bool {
        self.0 < 0
    }
}

impl fmt::Display for Usd {
    /// Plain decimal without trailing zeros: `0.00042`, `-3`, `12.5`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.decimal().as_str())
    }
}

impl fmt::Debug for Usd {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "${self}")
    }
}

/// Why a text is not an amount of dollars.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum ParseUsdError {
    /// Not a plain decimal number.
    #[error("not a decimal amount of dollars")]
    Malformed,
    /// More than nine decimals, or more than about 9.2 billion dollars.
    #[error("an amount has at most nine decimals and nine billion dollars")]
    OutOfRange,
}

impl FromStr for Usd {
    type Err = ParseUsdError;

    /// Reads a plain decimal: `12`, `0.5`, `-3.25`. No exponent, no separators.
    fn from_str(text: &str) -> Result<Self, ParseUsdError> {
        let (negative, digits) = match text.strip_prefix('-') {
            Some(rest) => (true, rest),
            None => (false, text),
        };
        let (whole, fraction) = digits.split_once('.').unwrap_or((digits, ""));
        let plain = |part: &str| part.bytes().all(|b| b.is_ascii_digit());
        if whole.is_empty() || !plain(whole) || !plain(fraction) || digits.ends_with('.') {
            return Err(ParseUsdError::Malformed);
        }
        let fraction = fraction.trim_end_matches('0');
        if fraction.len() > 9 {
            return Err(ParseUsdError::OutOfRange);
        }
        let nanos = format!("{whole}{fraction:0<9}");
        let nanos: i64 = nanos.parse().map_err(|_| ParseUsdError::OutOfRange)?;
        Ok(Self(if negative { -nanos } else { nanos }))
    }
}

impl Serialize for Usd {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        RawValue::from_string(self.to_string())
            .map_err(serde::ser::Error::custom)?
            .serialize(serializer)
    }
}

/// Farthest that the exponent of a JSON number moves its point: beyond it there is no amount.
const FARTHEST: usize = 40;

/// A number with an exponent as a plain decimal: `1.5e-3` is `0.0015`. JSON has both forms, and
/// writers choose the short one.
fn without_exponent(text: &str) -> Option<String> {
    let (mantissa, exponent) = text.split_once(['e', 'E'])?;
    let (sign, digits) = match mantissa.strip_prefix('-') {
        Some(rest) => ("-", rest),
        None => ("", mantissa),
    };
    let (whole, fraction) = digits.split_once('.').unwrap_or((digits, ""));
    if whole.is_empty() {
        return None;
    }
    let exponent: i32 = exponent.parse().ok()?;
    let far = usize::try_from(exponent.unsigned_abs()).ok().filter(|far| *far <= FARTHEST)?;
    let (whole, fraction) = if exponent >= 0 {
        let padded = format!("{fraction:0<far$}");
        let (moved, rest) = padded.split_at_checked(far)?;
        (format!("{whole}{moved}"), rest.to_owned())
    } else {
        let padded = format!("{whole:0>width$}", width = far.saturating_add(whole.len()));
        let (rest, moved) = padded.split_at_checked(whole.len())?;
        (rest.to_owned(), format!("{moved}{fraction}"))
    };
    let point = if fraction.is_empty() { "" } else { "." };
    Some(format!("{sign}{whole}{point}{fraction}"))
}

impl<'de> Deserialize<'de> for Usd {
    /// Accepts a JSON number or a string of digits; reads the digits themselves, never a float.
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let raw = Box::<RawValue>::deserialize(deserializer)?;
        let text = raw.get().trim_matches('"');
        // A text is what somebody wrote as an amount: plain, or nothing.
        let plain = without_exponent(text).filter(|_| text.len() == raw.get().len());
        plain.as_deref().unwrap_or(text).parse().map_err(serde::de::Error::custom)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_json_number_with_an_exponent_is_read_digit_by_digit() {
        for (text, nanos) in [
            ("1e-6", 1_000),
            ("1.5E-3", 1_500_000),
            ("-2.50e1", -25_000_000_000),
            ("12e0", 12_000_000_000),
            ("0.001e+3", 1_000_000_000),
            ("1e-9", 1),
        ] {
            assert_eq!(serde_json::from_str::<Usd>(text).unwrap(), Usd(nanos), "{text}");
        }
        for text in ["1e-10", "1e300", "1e-2147483648", "\"e5\"", "\"1e\"", "\"1e5e5\"", "\"é.e1\""]
        {
            assert!(serde_json::from_str::<Usd>(text).is_err(), "{text}");
        }
    }

    #[test]
    fn amounts_are_written_without_a_float() {
        for (nanos, text) in [
            (0, "0"),
            (1, "0.000000001"),
            (420_000, "0.00042"),
            (-3_000_000_000, "-3"),
            (12_500_000_000, "12.5"),
            (i64::MAX, "9223372036.854775807"),
        ] {
            assert_eq!(serde_json::to_string(&Usd(nanos)).unwrap(), text);
            assert_eq!(text.parse::<Usd>().unwrap(), Usd(nanos));
            assert_eq!(serde_json::from_str::<Usd>(text).unwrap(), Usd(nanos));
        }
    }

    #[test]
    fn malformed_amounts_are_refused() {
        for text in ["", "-", ".5", "5.", "1e3", "0x1", "1,000", " 1", "NaN", "--1"] {
            assert_eq!(text.parse::<Usd>(), Err(ParseUsdError::Malformed), "{text}");
        }
        for text in ["0.0000000001", "9223372037"] {
            assert_eq!(text.parse::<Usd>(), Err(ParseUsdError::OutOfRange), "{text}");
        }
    }

    #[test]
    fn sums_never_wrap() {
        assert_eq!(Usd::MAX.checked_add(Usd(1)), None);
        assert_eq!(Usd(i64::MIN).checked_sub(Usd(1)), None);
        assert_eq!(Usd::from_dollars(i64::MAX), None);
    }
}
