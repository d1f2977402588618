//! What the platform takes for a generation that ran on the caller's own provider key.

use signalbox_core::Usd;

/// How much use of own keys a month has for nothing (platform spec 0.2: the sources disagree on what
/// is counted, so both forms are a setting).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Allowance {
    /// So many requests.
    Requests(u64),
    /// Requests that would have cost so much at list prices.
    ListPrice(Usd),
}

/// A plan's terms for the use of own provider keys.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct ByokTerms {
    /// The fee in hundredths of a percent of the list price; 500 is 5 %.
    pub basis_points: u32,
    /// What is free in each calendar month (UTC).
    pub allowance: Allowance,
}

impl ByokTerms {
    /// Pay-as-you-go: 5 % after a million requests a month.
    pub const PAY_AS_YOU_GO: Self =
        Self { basis_points: 500, allowance: Allowance::Requests(1_000_000) };
    /// Enterprise: 5 % after five million requests a month.
    pub const ENTERPRISE: Self =
        Self { basis_points: 500, allowance: Allowance::Requests(5_000_000) };
    /// The documents' form of pay-as-you-go: 5 % after 25,000 dollars a month at list prices.
    pub const BY_LIST_PRICE: Self = Self {
        basis_points: 500,
        allowance: Allowance::ListPrice(Usd::from_nanos(25_000_000_000_000)),
    };
}

/// The fee of one generation, and how much of the month's allowance it takes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct ByokFee {
    /// What is charged.
    pub fee: Usd,
    /// What to add to the month's count: one request, or nano-dollars at list prices.
    pub counted: u64,
}

/// The fee for a generation that would have cost `list_price`, where the month has counted
/// `counted_before` already, in the unit of the allowance.
///
/// With an allowance in dollars only what lies beyond it is charged for, so that its last request may
/// be free in part. The fee is rounded up once, to a nano-dollar. A list price below zero counts as
/// nothing. What is billed beside the tokens and not by the key's owner (pages, searches of our own)
/// does not belong into `list_price`.
#[must_use]
pub fn byok_fee(list_price: Usd, terms: &ByokTerms, counted_before: u64) -> ByokFee {
    let list = u64::try_from(list_price.nanos()).unwrap_or(0);
    let (charged, counted) = match terms.allowance {
        Allowance::Requests(free) => (if counted_before < free { 0 } else { list }, 1),
        Allowance::ListPrice(free) => {
            let free = u64::try_from(free.nanos()).unwrap_or(0);
            let left = free.saturating_sub(counted_before);
            (list.saturating_sub(left), list)
        }
    };
    ByokFee { fee: share(charged, terms.basis_points), counted }
}

/// The most that [`byok_fee`] can be for a generation whose list price is at most `list_bound`,
/// whatever others count in the meantime: what to hold for it.
#[must_use]
pub fn byok_bound(list_bound: Usd, terms: &ByokTerms) -> Usd {
    share(u64::try_from(list_bound.nanos()).unwrap_or(0), terms.basis_points)
}

/// The largest list price whose [`byok_bound`] is at most `budget`.
pub(crate) fn list_within(budget: Usd, terms: &ByokTerms) -> Usd {
    let nanos = u128::try_from(budget.nanos()).unwrap_or(0).saturating_mul(10_000);
    let most = nanos.checked_div(u128::from(terms.basis_points));
    most.and_then(|most| i64::try_from(most).ok()).map_or(Usd::MAX, Usd::from_nanos)
}

/// So many hundredths of a percent, rounded up; at the end of the range it stays there.
fn share(nanos: u64, basis_points: u32) -> Usd {
    let parts = u128::from(nanos).saturating_mul(u128::from(basis_points)).div_ceil(10_000);
    i64::try_from(parts).map_or(Usd::MAX, Usd::from_nanos)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn dollars(text: &str) -> Usd {
        text.parse().unwrap()
    }

    #[test]
    fn five_percent_is_taken_once_the_allowance_is_used_up() {
        let terms = ByokTerms::PAY_AS_YOU_GO;
        for (list, before, fee) in [
            ("19", 0, "0"),
            ("19", 999_999, "0"),
            ("19", 1_000_000, "0.95"),
            ("19", u64::MAX, "0.95"),
            ("0", 2_000_000, "0"),
            ("0.000000001", 2_000_000, "0.000000001"),
            ("0.00000002", 2_000_000, "0.000000001"),
            ("0.000000021", 2_000_000, "0.000000002"),
            ("-5", 2_000_000, "0"),
        ] {
            let found = byok_fee(dollars(list), &terms, before);
            assert_eq!(found, ByokFee { fee: dollars(fee), counted: 1 }, "{list} after {before}");
        }
        assert_eq!(byok_fee(dollars("19"), &ByokTerms::ENTERPRISE, 4_999_999).fee, Usd::ZERO);
        assert_eq!(byok_fee(dollars("19"), &ByokTerms::ENTERPRISE, 5_000_000).fee, dollars("0.95"));
    }

    #[test]
    fn an_allowance_in_dollars_is_used_up_to_the_last_one() {
        let terms = ByokTerms::BY_LIST_PRICE;
        let nanos = |text: &str| u64::try_from(dollars(text).nanos()).unwrap();
        for (list, before, fee) in [
            ("19", "0", "0"),
            ("19", "24981", "0"),
            ("19", "24990", "0.45"),
            ("19", "25000", "0.95"),
            ("19", "99999", "0.95"),
            ("0.000000001", "24999.999999999", "0"),
            ("0.000000002", "24999.999999999", "0.000000001"),
        ] {
            let found = byok_fee(dollars(list), &terms, nanos(before));
            let expected = ByokFee { fee: dollars(fee), counted: nanos(list) };
            assert_eq!(found, expected, "{list} after {before}");
        }
    }

    #[test]
    fn the_ends_of_the_range_hold() {
        let all = ByokTerms { basis_points: u32::MAX, allowance: Allowance::Requests(0) };
        assert_eq!(byok_fee(Usd::MAX, &all, 0).fee, Usd::MAX);
        let none = ByokTerms { basis_points: 0, allowance: Allowance::Requests(0) };
        assert_eq!(byok_fee(Usd::MAX, &none, 0).fee, Usd::ZERO);
        let odd = Allowance::ListPrice(Usd::from_nanos(-1));
        let odd = ByokTerms { basis_points: 500, allowance: odd };
        assert_eq!(byok_fee(dollars("20"), &odd, 0).fee, dollars("1"));
    }
}
