//! What the platform takes for a generation that ran on the caller's own provider key.

use signalbox_core::Usd;
use signalbox_core::plan::{ByokFree, Plan};

/// A plan's terms for the use of own provider keys.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ByokTerms {
    /// The fee in hundredths of a percent of the list price; 500 is 5 %.
    pub basis_points: u32,
    /// What is free in each calendar month (UTC). The sources disagree on what is counted, so both
    /// forms are a setting (platform spec 0.2).
    pub allowance: ByokFree,
}

impl ByokTerms {
    /// Those of a plan.
    #[must_use]
    pub const fn of(plan: &Plan) -> Self {
        Self { basis_points: plan.byok_fee_bps, allowance: plan.byok_free }
    }
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
        ByokFree::Requests(free) => (if counted_before < free { 0 } else { list }, 1),
        ByokFree::ListPriceUsd(free) => {
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
    use signalbox_core::plan::Tier;

    fn dollars(text: &str) -> Usd {
        text.parse().unwrap()
    }

    fn five_percent(allowance: ByokFree) -> ByokTerms {
        ByokTerms { basis_points: 500, allowance }
    }

    #[test]
    fn a_plan_has_its_terms() {
        let plan = Plan::built_in(Tier::Payg);
        assert_eq!(ByokTerms::of(&plan), five_percent(ByokFree::Requests(1_000_000)));
        let plan = Plan::built_in(Tier::Enterprise);
        assert_eq!(ByokTerms::of(&plan), five_percent(ByokFree::Requests(5_000_000)));
    }

    #[test]
    fn five_percent_is_taken_once_the_allowance_is_used_up() {
        let terms = five_percent(ByokFree::Requests(1_000_000));
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
    }

    #[test]
    fn an_allowance_in_dollars_is_used_up_to_the_last_one() {
        let terms = five_percent(ByokFree::ListPriceUsd(dollars("25000")));
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
        let all = ByokTerms { basis_points: u32::MAX, allowance: ByokFree::Requests(0) };
        assert_eq!(byok_fee(Usd::MAX, &all, 0).fee, Usd::MAX);
        let none = ByokTerms { basis_points: 0, allowance: ByokFree::Requests(0) };
        assert_eq!(byok_fee(Usd::MAX, &none, 0).fee, Usd::ZERO);
        let odd = ByokFree::ListPriceUsd(Usd::from_nanos(-1));
        assert_eq!(byok_fee(dollars("20"), &five_percent(odd), 0).fee, dollars("1"));
    }
}
