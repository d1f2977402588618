//! The plans of an installation, and what decides which of them an account has.

use serde::{Deserialize, Serialize};

use super::{Plan, PlanTerms, Tier};
use crate::{Timestamp, Usd};

/// Why an account may not spend.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Frozen {
    /// Since when.
    pub at: Timestamp,
    /// Why.
    pub reason: String,
}

/// What storage says about an account that decides its plan.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Standing {
    /// The plan by contract; `None` while it follows from purchases.
    pub contract: Option<Tier>,
    /// What was negotiated with it.
    pub terms: PlanTerms,
    /// Whether it lets its data be used, for a discount.
    pub shares_data: bool,
    /// What it ever purchased. Promotional credit, grants and vouchers don't count.
    pub purchased: Usd,
    /// Why it may not spend, while that is so.
    pub frozen: Option<Frozen>,
    /// What it may owe; 0 unless it is billed in arrears.
    pub line: Usd,
}

impl Standing {
    /// The plan: by contract, else free before the first purchase and pay-as-you-go after it.
    #[must_use]
    pub fn tier(&self) -> Tier {
        let derived = if self.purchased > Usd::ZERO { Tier::Payg } else { Tier::Free };
        self.contract.unwrap_or(derived)
    }
}

/// The three plans of this installation.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Plans {
    free: Plan,
    payg: Plan,
    enterprise: Plan,
}

/// Overrides of the plans, as the configuration has them.
#[derive(Debug, Clone, PartialEq, Eq, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct PlansRow {
    /// Of accounts that never purchased.
    pub free: PlanTerms,
    /// Of those that did.
    pub payg: PlanTerms,
    /// Of those with a contract.
    pub enterprise: PlanTerms,
}

impl Default for Plans {
    fn default() -> Self {
        Self {
            free: Plan::built_in(Tier::Free),
            payg: Plan::built_in(Tier::Payg),
            enterprise: Plan::built_in(Tier::Enterprise),
        }
    }
}

impl Plans {
    /// The built-in plans with these overrides.
    ///
    /// # Errors
    /// One line that names plan and field.
    pub fn with(self, row: &PlansRow) -> Result<Self, String> {
        let named = [("free", &row.free), ("payg", &row.payg), ("enterprise", &row.enterprise)];
        for (name, terms) in named {
            terms.check().map_err(|reason| format!("plans.{name}.{reason}"))?;
        }
        Ok(Self {
            free: self.free.with(&row.free),
            payg: self.payg.with(&row.payg),
            enterprise: self.enterprise.with(&row.enterprise),
        })
    }

    /// The plan of this name, before any account's own terms.
    #[must_use]
    pub const fn plan(&self, tier: Tier) -> &Plan {
        match tier {
            Tier::Free => &self.free,
            Tier::Payg => &self.payg,
            Tier::Enterprise => &self.enterprise,
        }
    }

    /// The terms that hold for an account.
    #[must_use]
    pub fn of(&self, standing: &Standing) -> Plan {
        self.plan(standing.tier()).clone().with(&standing.terms)
    }
}

#[cfg(test)]
mod tests {
    use super::super::{ByokFree, FreeLimits};
    use super::*;

    fn usd(text: &str) -> Usd {
        text.parse().unwrap()
    }

    fn bought(amount: &str) -> Standing {
        Standing { purchased: usd(amount), ..Standing::default() }
    }

    #[test]
    fn a_tier_follows_from_purchases_unless_there_is_a_contract() {
        let contract = Standing { contract: Some(Tier::Enterprise), ..Standing::default() };
        let tiers = [bought("0"), bought("0.000000001"), contract].map(|one| one.tier());
        assert_eq!(tiers, [Tier::Free, Tier::Payg, Tier::Enterprise]);
        for tier in Tier::ALL {
            assert_eq!(Tier::from_name(tier.name()), Some(tier));
            assert_eq!(serde_json::to_value(tier).unwrap(), tier.name());
        }
    }

    #[test]
    fn free_requests_grow_with_the_tenth_dollar_ever_purchased() {
        let plans = Plans::default();
        for (amount, per_day, enough) in
            [("0", 50, false), ("9.999999999", 50, false), ("10", 1000, true), ("25", 1000, true)]
        {
            let standing = bought(amount);
            let limits = plans.of(&standing).free_limits(standing.purchased);
            let expected = FreeLimits { per_minute: 20, per_day, purchased_enough: enough };
            assert_eq!(limits, expected, "{amount}");
        }
    }

    #[test]
    fn the_figures_of_the_three_plans_are_those_that_were_asked_for() {
        let plans = Plans::default();
        let byok = Tier::ALL.map(|tier| {
            let plan = plans.plan(tier);
            (plan.byok_allowed, plan.byok_free, plan.byok_fee_bps)
        });
        let expected = [
            (false, ByokFree::Requests(0), 500),
            (true, ByokFree::Requests(1_000_000), 500),
            (true, ByokFree::Requests(5_000_000), 500),
        ];
        assert_eq!(byok, expected);
        let payg = plans.plan(Tier::Payg);
        assert_eq!((payg.card_fee_bps, payg.card_fee_min), (550, usd("0.8")));
        assert_eq!((payg.crypto_fee_bps, payg.data_discount_bps), (500, 100));
        assert_eq!((payg.discount_bps(true), payg.discount_bps(false)), (100, 0));
    }

    #[test]
    fn terms_of_the_configuration_and_of_the_account_lie_on_top() {
        let row: PlansRow = serde_json::from_str(
            r#"{"payg": {"card_fee_min": "0.50", "byok_free": {"list_price_usd": "25000"}},
                "enterprise": {"requests_per_minute": 600, "support_hours": 4}}"#,
        )
        .unwrap();
        let plans = Plans::default().with(&row).unwrap();
        let mut standing = bought("1");
        standing.terms =
            serde_json::from_str(r#"{"purchase_discount_bps": 2000, "support_contact": null}"#)
                .unwrap();
        let plan = plans.of(&standing);
        assert_eq!((plan.card_fee_min, plan.purchase_discount_bps), (usd("0.5"), 2000));
        assert_eq!(plan.byok_free, ByokFree::ListPriceUsd(usd("25000")));
        assert_eq!((plan.support_contact, plan.card_fee_bps), (None, 550));
        let enterprise = plans.plan(Tier::Enterprise);
        assert_eq!(enterprise.requests_per_minute, Some(600));
        let again = serde_json::to_string(&standing.terms).unwrap();
        assert_eq!(serde_json::from_str::<PlanTerms>(&again).unwrap(), standing.terms);
    }

    #[test]
    fn terms_without_sense_are_refused() {
        for text in [
            r#"{"payg": {"card_fee_bps": 10001}}"#,
            r#"{"payg": {"card_fee_min": "-0.5"}}"#,
            r#"{"free": {"byok_free": {"list_price_usd": "-1"}}}"#,
        ] {
            let row: PlansRow = serde_json::from_str(text).unwrap();
            let reason = Plans::default().with(&row).unwrap_err();
            assert!(reason.starts_with("plans."), "{reason}");
        }
        for text in [
            r#"{"payg": {"card_fee_min": 0.8}}"#,
            r#"{"payg": {"discount": 5}}"#,
            r#"{"gold": {}}"#,
            r#"{"payg": {"byok_free": {"tokens": 5}}}"#,
            r#"{"payg": {"card_fee_bps": -1}}"#,
        ] {
            assert!(serde_json::from_str::<PlansRow>(text).is_err(), "{text}");
        }
    }
}
