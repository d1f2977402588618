//! What a purchase costs besides the credit (platform spec 4.2 and 19.4). Pure, and in whole cents.

use signalbox_core::Usd;

/// One cent in nano-dollars.
pub(crate) const CENT: i64 = 10_000_000;
/// Basis points in the whole.
const WHOLE: i128 = 10_000;

/// How a purchase is paid.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Method {
    /// By card, through the processor.
    Card,
    /// With a transfer of a stable coin.
    Crypto,
}

impl Method {
    /// The name on the wire.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Card => "card",
            Self::Crypto => "crypto",
        }
    }

    /// The method with this name.
    #[must_use]
    pub fn from_name(name: &str) -> Option<Self> {
        [Self::Card, Self::Crypto].into_iter().find(|one| one.name() == name)
    }
}

/// The fees of an account's plan, in basis points of the credit.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct FeeTerms {
    /// By card.
    pub card_bps: u32,
    /// Least fee by card, whole cents.
    pub card_min: Usd,
    /// With a stable coin.
    pub crypto_bps: u32,
    /// What comes off the fee, its minimum included, in basis points of the fee.
    pub discount_bps: u32,
}

impl Default for FeeTerms {
    /// 5.5 %, at least $0.80; 5 %; no discount.
    fn default() -> Self {
        let card_min = Usd::from_nanos(80 * CENT);
        Self { card_bps: 550, card_min, crypto_bps: 500, discount_bps: 0 }
    }
}

/// How much may be bought at once.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Bounds {
    /// At least.
    pub min: Usd,
    /// At most.
    pub max: Usd,
}

impl Default for Bounds {
    /// $5 to $25,000.
    fn default() -> Self {
        Self { min: Usd::from_nanos(500 * CENT), max: Usd::from_nanos(2_500_000 * CENT) }
    }
}

/// What is to be paid, before tax.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Quote {
    /// The credit.
    pub amount: Usd,
    /// The fee on top of it.
    pub fee: Usd,
    /// Both together.
    pub total: Usd,
}

/// Why an amount can't be bought.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum QuoteError {
    /// Not a whole number of cents.
    #[error("amount: dollars with at most two decimals")]
    Fraction,
    /// Too little or too much.
    #[error("amount: from ${min} to ${max}")]
    Bounds {
        /// At least.
        min: Usd,
        /// At most.
        max: Usd,
    },
    /// The fees of the plan are beyond the range of money.
    #[error("the fee of this amount can't be computed")]
    Range,
}

/// Whole cents of an amount that has nothing below them.
pub(crate) fn cents(amount: Usd) -> Option<i64> {
    (amount.nanos().rem_euclid(CENT) == 0).then(|| amount.nanos().div_euclid(CENT))
}

/// An amount of whole cents.
pub(crate) fn from_cents(cents: i64) -> Option<Usd> {
    cents.checked_mul(CENT).map(Usd::from_nanos)
}

/// The fee on an amount: its share, by card at least the minimum, less the discount, rounded once to
/// whole cents, half up.
///
/// # Errors
/// [`QuoteError`]
pub fn quote(
    amount: Usd,
    method: Method,
    terms: &FeeTerms,
    bounds: &Bounds,
) -> Result<Quote, QuoteError> {
    let whole = cents(amount).ok_or(QuoteError::Fraction)?;
    if amount < bounds.min || amount > bounds.max || whole <= 0 {
        return Err(QuoteError::Bounds { min: bounds.min, max: bounds.max });
    }
    let share = |bps: u32| i128::from(whole).saturating_mul(i128::from(bps));
    let least = i128::from(cents(terms.card_min).ok_or(QuoteError::Fraction)?);
    // In ten-thousandths of a cent.
    let fee = match method {
        Method::Card => share(terms.card_bps).max(least.saturating_mul(WHOLE)),
        Method::Crypto => share(terms.crypto_bps),
    };
    let kept = WHOLE.saturating_sub(i128::from(terms.discount_bps)).max(0);
    let unit = WHOLE.saturating_mul(WHOLE);
    let fee = fee.saturating_mul(kept).saturating_add(unit / 2) / unit;
    let fee = i64::try_from(fee).ok().and_then(from_cents).ok_or(QuoteError::Range)?;
    let total = amount.checked_add(fee).ok_or(QuoteError::Range)?;
    Ok(Quote { amount, fee, total })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn usd(text: &str) -> Usd {
        text.parse().unwrap()
    }

    fn fee(amount: &str, method: Method, discount_bps: u32) -> String {
        let terms = FeeTerms { discount_bps, ..FeeTerms::default() };
        let quote = quote(usd(amount), method, &terms, &Bounds::default()).unwrap();
        assert_eq!(quote.total, quote.amount.saturating_add(quote.fee));
        quote.fee.to_string()
    }

    #[test]
    fn the_fees_are_those_of_the_published_table() {
        for (amount, method, expected) in [
            ("5", Method::Card, "0.8"),
            ("10", Method::Card, "0.8"),
            ("14.54", Method::Card, "0.8"),
            ("20", Method::Card, "1.1"),
            ("100", Method::Card, "5.5"),
            ("100", Method::Crypto, "5"),
            // Where the share passes the minimum, and halves of a cent.
            ("14.55", Method::Card, "0.8"),
            ("14.63", Method::Card, "0.8"),
            ("14.64", Method::Card, "0.81"),
            ("15.00", Method::Card, "0.83"),
            ("10.10", Method::Crypto, "0.51"),
            ("10.09", Method::Crypto, "0.5"),
            ("25000", Method::Card, "1375"),
        ] {
            assert_eq!(fee(amount, method, 0), expected, "{amount} {method:?}");
        }
    }

    #[test]
    fn a_discount_comes_off_the_fee_and_its_minimum() {
        assert_eq!(fee("100", Method::Card, 2_000), "4.4");
        assert_eq!(fee("5", Method::Card, 5_000), "0.4");
        assert_eq!(fee("100", Method::Crypto, 10_000), "0");
        assert_eq!(fee("100", Method::Card, u32::MAX), "0", "never below nothing");
    }

    #[test]
    fn amounts_out_of_bounds_or_with_parts_of_a_cent_are_refused() {
        let ask = |amount: &str| {
            quote(usd(amount), Method::Card, &FeeTerms::default(), &Bounds::default())
        };
        for amount in ["4.99", "25000.01", "0", "-10", "9223372036.85"] {
            assert!(matches!(ask(amount), Err(QuoteError::Bounds { .. })), "{amount}");
        }
        assert_eq!(ask("10.005"), Err(QuoteError::Fraction));
        let bounds = Bounds { min: Usd::ZERO, max: Usd::MAX };
        let terms = FeeTerms { card_bps: u32::MAX, ..FeeTerms::default() };
        let most = Usd::from_nanos(Usd::MAX.nanos() / CENT * CENT);
        assert_eq!(quote(most, Method::Card, &terms, &bounds), Err(QuoteError::Range));
    }
}
