//! Discounts: exact parts of a price that are taken off.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Deserializer};

use crate::{PriceOverride, PriceTable, Rate, Rates, Usd};

/// 10⁹: what a whole price is in the parts that a [`Discount`] counts.
const WHOLE: i64 = 1_000_000_000;
/// The largest surcharge: a hundred times the price.
const MOST_SURCHARGE: i64 = 100 * WHOLE;

/// The fraction that is taken off every price of a row: below 1, with at most nine decimals. A
/// negative one is a surcharge (inference spec A.4, platform spec 15.3).
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct Discount(i64);

/// Why a text is not a discount.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum ParseDiscountError {
    /// Not a plain decimal with at most nine decimals.
    #[error("not a plain decimal with at most nine decimals")]
    Malformed,
    /// 1 or more would give the goods away, less than -100 is a slip of the pen.
    #[error("a discount is below 1 and at least -100")]
    OutOfRange,
}

impl Discount {
    /// Nothing is taken off.
    pub const NONE: Self = Self(0);
    /// One percent, for accounts that let their inputs and outputs be used (platform spec 9.4).
    pub const DATA_SHARING: Self = Self(WHOLE / 100);

    /// A discount from billionths of the price; `None` from a whole price on, and below -100 prices.
    #[must_use]
    pub const fn from_billionths(parts: i64) -> Option<Self> {
        if parts >= WHOLE || parts < -MOST_SURCHARGE { None } else { Some(Self(parts)) }
    }

    /// The price that is left of `rate`: `rate × (1 − d)`, exact as long as 28 decimals hold it and
    /// else rounded up there. `None` when a surcharge makes it larger than a price can be.
    #[must_use]
    pub fn of(self, rate: Rate) -> Option<Rate> {
        if self.0 == 0 {
            return Some(rate);
        }
        let left = i128::from(WHOLE) - i128::from(self.0);
        let whole = i128::from(WHOLE);
        // The two parts of the price apart, so that dear prices do not leave the range on the way.
        let high = (rate.units() / whole).checked_mul(left)?;
        let low = (rate.units() % whole).checked_mul(left)?;
        let up = i128::from(low % whole != 0);
        Rate::from_units(high.checked_add(low / whole)?.checked_add(up)?)
    }

    fn of_all(self, rates: &Rates) -> Option<Rates> {
        rates.iter().try_fold(Rates::default(), |mut left, (kind, rate)| {
            left.set(kind, self.of(rate)?);
            Some(left)
        })
    }
}

impl PriceTable {
    /// This row with a discount taken off every price, those of overrides included. It is what a
    /// generation is priced by and stored with, so that the charge can be computed again without the
    /// discount. `None` when a surcharge makes a price larger than it can be.
    #[must_use]
    pub fn discounted(&self, discount: Discount) -> Option<Self> {
        let overrides = self
            .overrides
            .iter()
            .map(|entry| Some(PriceOverride { rates: discount.of_all(&entry.rates)?, ..*entry }));
        Some(Self {
            rates: discount.of_all(&self.rates)?,
            overrides: overrides.collect::<Option<_>>()?,
        })
    }
}

impl FromStr for Discount {
    type Err = ParseDiscountError;

    /// Reads a plain decimal: `0.1`, `-0.2`.
    fn from_str(text: &str) -> Result<Self, ParseDiscountError> {
        let parts: Usd = text.parse().map_err(|_| ParseDiscountError::Malformed)?;
        Self::from_billionths(parts.nanos()).ok_or(ParseDiscountError::OutOfRange)
    }
}

impl fmt::Display for Discount {
    /// A plain decimal without trailing zeros.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        Usd::from_nanos(self.0).fmt(f)
    }
}

impl<'de> Deserialize<'de> for Discount {
    /// From a decimal in quotes, as prices are.
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = std::borrow::Cow::<'de, str>::deserialize(deserializer)?;
        text.parse().map_err(serde::de::Error::custom)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::PriceKind;

    fn left(discount: &str, rate: &str) -> Option<String> {
        let discount: Discount = discount.parse().unwrap();
        discount.of(rate.parse().unwrap()).map(|rate| rate.to_string())
    }

    #[test]
    fn what_is_left_of_a_price_is_exact() {
        for (discount, rate, expected) in [
            ("0", "0.000003", "0.000003"),
            ("0.01", "0.000003", "0.00000297"),
            ("0.01", "0.00000000000000000000123", "0.0000000000000000000012177"),
            ("0.8982", "0.000001", "0.0000001018"),
            ("0.999999999", "1", "0.000000001"),
            ("-0.2", "0.000003", "0.0000036"),
            ("-100", "0.5", "50.5"),
            ("0.5", "0", "0"),
            // The 29th decimal does not get lost for nothing.
            ("0.1", "0.0000000000000000000000000001", "0.0000000000000000000000000001"),
            ("0.1", "0.0000000000000000000000000011", "0.000000000000000000000000001"),
            ("0.01", "17000000000", "16830000000"),
        ] {
            assert_eq!(left(discount, rate).as_deref(), Some(expected), "{rate} less {discount}");
        }
        assert_eq!(left("-1", "17000000000"), None);
    }

    #[test]
    fn a_whole_price_or_more_is_no_discount() {
        for text in ["1", "1.5", "2", "-100.1", "-9000000000"] {
            assert_eq!(text.parse::<Discount>(), Err(ParseDiscountError::OutOfRange), "{text}");
        }
        for text in ["", "NaN", "1e-2", "10%", ".1", "0.0000000001", "--1", "inf"] {
            assert_eq!(text.parse::<Discount>(), Err(ParseDiscountError::Malformed), "{text}");
        }
        assert_eq!("0.01".parse(), Ok(Discount::DATA_SHARING));
        assert_eq!(Discount::DATA_SHARING.to_string(), "0.01");
        assert!(serde_json::from_str::<Discount>("0.1").is_err());
        assert_eq!(serde_json::from_str::<Discount>("\"0\"").unwrap(), Discount::NONE);
    }

    #[test]
    fn every_price_of_a_row_is_reduced_and_its_conditions_stay() {
        let rates = |text: &str| {
            PriceKind::ALL.into_iter().fold(Rates::default(), |mut rates, kind| {
                rates.set(kind, text.parse().unwrap());
                rates
            })
        };
        let entry = |text| PriceOverride {
            min_prompt_tokens: Some(7),
            utc_start: Some(900),
            utc_end: Some(1000),
            rates: rates(text),
        };
        let table = PriceTable { rates: rates("2"), overrides: vec![entry("4")] };
        let found = table.discounted("0.25".parse().unwrap()).unwrap();
        let expected = PriceTable { rates: rates("1.5"), overrides: vec![entry("3")] };
        assert_eq!(found, expected);
        let dear = PriceTable { rates: rates("1"), overrides: vec![entry("17000000000")] };
        assert_eq!(dear.discounted("-1".parse().unwrap()), None);
    }
}
