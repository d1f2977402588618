//! Prices per unit: exact decimals.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Deserializer, Serialize, Serializer};

use crate::decimal::Decimal;

/// Decimals that a [`Rate`] keeps. Published prices have up to 23; a discount adds a few more.
pub const RATE_DECIMALS: usize = 28;

/// 10²⁸ / 10⁹: units of a rate in one nano-dollar.
const UNITS_PER_NANO: i128 = 10_i128.pow(19);

/// An exact, non-negative price in USD for one unit (a token, an image, a request): an `i128` scaled
/// by 10²⁸. The largest is about 17 billion dollars.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct Rate(i128);

impl Rate {
    /// A price of nothing.
    pub const ZERO: Self = Self(0);

    /// The price as a count of 10⁻²⁸ USD.
    #[must_use]
    pub const fn units(self) -> i128 {
        self.0
    }

    /// A price from a count of 10⁻²⁸ USD; `None` when negative.
    #[must_use]
    pub const fn from_units(units: i128) -> Option<Self> {
        if units < 0 { None } else { Some(Self(units)) }
    }

    /// Whether the price is nothing.
    #[must_use]
    pub const fn is_zero(self) -> bool {
        self.0 == 0
    }

    fn decimal(self) -> Decimal {
        // Fourteen digits fit a machine word, which is far cheaper to divide than 128 bits.
        const HALF: i128 = 10_i128.pow(14);
        let (above, low) = (self.0 / HALF, self.0 % HALF);
        let [whole, high, low] = [above / HALF, above % HALF, low].map(|part| part as u64);
        Decimal::new(false, whole, &[(high, 14), (low, 14)])
    }

    /// Price × quantity in units of 10⁻²⁸ USD, or `None` when it does not fit.
    #[must_use]
    pub fn times(self, quantity: u64) -> Option<i128> {
        self.0.checked_mul(i128::from(quantity))
    }
}

/// Rounds a sum of products (10⁻²⁸ USD) **up** to whole nano-dollars: the one rounding of a
/// generation. `None` when negative or beyond the range of [`crate::Usd`].
#[must_use]
pub fn ceil_to_nanos(units: i128) -> Option<crate::Usd> {
    if units < 0 {
        return None;
    }
    let whole = units / UNITS_PER_NANO;
    let nanos = if units % UNITS_PER_NANO == 0 { whole } else { whole.checked_add(1)? };
    i64::try_from(nanos).ok().map(crate::Usd::from_nanos)
}

/// Why a text is not a price.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum ParseRateError {
    /// Not a plain decimal number.
    #[error("not a decimal price")]
    Malformed,
    /// Below zero. Such a model is not routable.
    #[error("a price can't be negative")]
    Negative,
    /// More than 28 decimals or more than 17 billion dollars.
    #[error("a price has at most 28 decimals and 17 billion dollars")]
    OutOfRange,
}

impl FromStr for Rate {
    type Err = ParseRateError;

    /// Reads a plain decimal or one with an exponent (`2e-07`), exactly.
    fn from_str(text: &str) -> Result<Self, ParseRateError> {
        if text.starts_with('-') {
            return Err(ParseRateError::Negative);
        }
        let (mantissa, exponent) = match text.split_once(['e', 'E']) {
            Some((mantissa, exponent)) => {
                (mantissa, exponent.parse::<i32>().map_err(|_| ParseRateError::Malformed)?)
            }
            None => (text, 0),
        };
        let (whole, fraction) = mantissa.split_once('.').unwrap_or((mantissa, ""));
        let plain = |part: &str| part.bytes().all(|b| b.is_ascii_digit());
        if whole.is_empty() || !plain(whole) || !plain(fraction) || mantissa.ends_with('.') {
            return Err(ParseRateError::Malformed);
        }
        let fraction = fraction.trim_end_matches('0');
        let digits = format!("{whole}{fraction}");
        let digits = digits.trim_start_matches('0');
        if digits.is_empty() {
            return Ok(Self::ZERO);
        }
        let decimals = i32::try_from(RATE_DECIMALS).map_err(|_| ParseRateError::OutOfRange)?;
        let length = i32::try_from(fraction.len()).map_err(|_| ParseRateError::OutOfRange)?;
        let shift = decimals
            .checked_add(exponent)
            .and_then(|shift| shift.checked_sub(length))
            .and_then(|shift| u32::try_from(shift).ok())
            .ok_or(ParseRateError::OutOfRange)?;
        let digits: i128 = digits.parse().map_err(|_| ParseRateError::OutOfRange)?;
        10_i128
            .checked_pow(shift)
            .and_then(|scale| digits.checked_mul(scale))
            .map(Self)
            .ok_or(ParseRateError::OutOfRange)
    }
}

impl fmt::Display for Rate {
    /// Plain decimal without trailing zeros, as catalogue prices are written: `0.0000002`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.decimal().as_str())
    }
}

impl fmt::Debug for Rate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "${self}/unit")
    }
}

impl Serialize for Rate {
    /// A JSON string, as prices are on the wire.
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.decimal().as_str())
    }
}

impl<'de> Deserialize<'de> for Rate {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = std::borrow::Cow::<'de, str>::deserialize(deserializer)?;
        text.parse().map_err(serde::de::Error::custom)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Usd;

    #[test]
    fn prices_keep_every_digit() {
        for text in [
            "0",
            "1",
            "0.0000002",
            "0.00000000000000000000123",
            "0.00000000000001",
            "0.1000000000000000000000000001",
            "17000000000.5",
            "200",
            "0.1",
        ] {
            assert_eq!(text.parse::<Rate>().unwrap().to_string(), text);
        }
        assert_eq!("2e-07".parse::<Rate>().unwrap().to_string(), "0.0000002");
        assert_eq!("1.50".parse::<Rate>().unwrap().to_string(), "1.5");
    }

    #[test]
    fn bad_prices_are_refused() {
        assert_eq!("-1".parse::<Rate>(), Err(ParseRateError::Negative));
        for text in ["", "NaN", "inf", "1.", ".1", "1e", "0x2", "1 "] {
            assert_eq!(text.parse::<Rate>(), Err(ParseRateError::Malformed), "{text}");
        }
        for text in ["1e-29", "1e99", "99999999999999999999", "1e2147483647"] {
            assert_eq!(text.parse::<Rate>(), Err(ParseRateError::OutOfRange), "{text}");
        }
    }

    #[test]
    fn the_one_rounding_goes_up() {
        let price: Rate = "0.0000000001".parse().unwrap();
        assert_eq!(ceil_to_nanos(price.times(1).unwrap()), Some(Usd::from_nanos(1)));
        assert_eq!(ceil_to_nanos(price.times(10).unwrap()), Some(Usd::from_nanos(1)));
        assert_eq!(ceil_to_nanos(price.times(11).unwrap()), Some(Usd::from_nanos(2)));
        assert_eq!(ceil_to_nanos(0), Some(Usd::ZERO));
        assert_eq!(ceil_to_nanos(-1), None);
        assert_eq!(ceil_to_nanos(i128::MAX), None);
    }
}
