//! What the platform takes for a generation that ran on the caller's own provider key.

use signalbox_core::Usd;

/// How a candidate with the caller's own key is paid for: the provider by the caller, the platform by
/// a fee on the list price.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct OwnKey {
    /// The fee in hundredths of a percent of the list price; 500 is 5 %.
    pub basis_points: u32,
    /// How much of the list price is free, because the month's allowance covers it. All there can be
    /// for a request that is free whatever it costs.
    pub free: Usd,
    /// The most that fee and list price may be together, where a limit counts both.
    pub together: Usd,
}

impl OwnKey {
    /// The largest list price that a budget for the fee and [`OwnKey::together`] afford.
    #[must_use]
    pub fn list_within(&self, budget: Usd) -> Usd {
        let parts = u128::try_from(budget.nanos()).unwrap_or(0).saturating_mul(10_000);
        let charged = parts.checked_div(u128::from(self.basis_points));
        let charged = charged.and_then(|most| i64::try_from(most).ok());
        let by_fee = charged.map_or(Usd::MAX, Usd::from_nanos).saturating_add(self.free());
        by_fee.min(self.list_within_together())
    }

    /// The largest list price that is at most `together` with its fee. Both are whole, so that rounding
    /// the fee up changes nothing.
    fn list_within_together(&self) -> Usd {
        let (together, free) = (self.together.nanos(), self.free().nanos());
        if together <= free {
            return self.together;
        }
        let bps = i128::from(self.basis_points);
        let parts = i128::from(together).saturating_mul(10_000);
        let parts = parts.saturating_add(i128::from(free).saturating_mul(bps));
        let most = parts.checked_div(bps.saturating_add(10_000)).unwrap_or(0);
        i64::try_from(most).map_or(Usd::MAX, Usd::from_nanos)
    }

    fn free(&self) -> Usd {
        self.free.max(Usd::ZERO)
    }

    /// The fee on a list price: rounded up once, on what lies beyond what is free.
    ///
    /// What is billed beside the tokens and not by the key's owner (pages, searches of our own) does not
    /// belong into `list`. A list price below zero counts as nothing.
    #[must_use]
    pub fn fee(&self, list: Usd) -> Usd {
        byok_fee(list, self.free, self.basis_points)
    }
}

/// The fee on a list price of which `free` is covered by the month's allowance. It grows with the list
/// price, so that the fee on an upper bound is an upper bound of the fee.
#[must_use]
pub fn byok_fee(list: Usd, free: Usd, basis_points: u32) -> Usd {
    let charged = list.saturating_sub(free.max(Usd::ZERO));
    share(u64::try_from(charged.nanos()).unwrap_or(0), basis_points)
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
    fn five_percent_is_taken_of_what_is_not_free() {
        for (list, free, fee) in [
            ("19", "0", "0.95"),
            ("19", "19", "0"),
            ("19", "99999", "0"),
            ("19", "10", "0.45"),
            ("100", "0", "5"),
            ("0", "0", "0"),
            ("0.000000001", "0", "0.000000001"),
            ("0.00000002", "0", "0.000000001"),
            ("0.000000021", "0", "0.000000002"),
            ("0.000000002", "0.000000001", "0.000000001"),
            ("-5", "0", "0"),
            ("20", "-1", "1"),
        ] {
            assert_eq!(
                byok_fee(dollars(list), dollars(free), 500),
                dollars(fee),
                "{list} - {free}"
            );
        }
    }

    #[test]
    fn the_ends_of_the_range_hold() {
        assert_eq!(byok_fee(Usd::MAX, Usd::ZERO, u32::MAX), Usd::MAX);
        assert_eq!(byok_fee(Usd::MAX, Usd::ZERO, 0), Usd::ZERO);
        assert_eq!(byok_fee(Usd::MAX, Usd::MAX, u32::MAX), Usd::ZERO);
        let own = OwnKey { basis_points: 0, free: Usd::MAX, together: Usd::MAX };
        assert_eq!(own.list_within(Usd::ZERO), Usd::MAX);
    }

    #[test]
    fn the_longest_list_price_within_two_budgets_is_found_to_the_nano() {
        for (bps, free, budget, together) in [
            (500, 0, 1_000, i64::MAX),
            (500, 7, 3, i64::MAX),
            (500, 0, 1_000, 1_050),
            (500, 40, 1_000, 1_049),
            (500, 5_000, 0, 900),
            (1, 13, 77, 1_000_001),
            (20_000, 3, 55, 100),
            (333, 1, 10, 301),
        ] {
            let nanos = Usd::from_nanos;
            let own = OwnKey { basis_points: bps, free: nanos(free), together: nanos(together) };
            let fits = |list: Usd| {
                let fee = own.fee(list);
                fee <= nanos(budget) && fee.saturating_add(list) <= own.together
            };
            let most = own.list_within(nanos(budget));
            assert!(fits(most) && !fits(nanos(most.nanos() + 1)), "{own:?} {budget}: {most:?}");
        }
    }
}
