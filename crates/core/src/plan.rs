//! Plans: what an account may do and what it pays, as data (platform spec 6).
//!
//! There are three built-in plans. The configuration may override any of their fields, and an account
//! may have terms of its own on top: [`Plans::of`] lays all of it together.

use std::fmt;

use serde::{Deserialize, Deserializer, Serialize};

use crate::{Timestamp, Usd};

/// Basis points in the whole.
pub const WHOLE_BPS: u32 = 10_000;

/// Which plan an account is on.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Tier {
    /// It never purchased anything.
    Free,
    /// It did.
    Payg,
    /// It has a contract.
    Enterprise,
}

impl Tier {
    /// All plans.
    pub const ALL: [Self; 3] = [Self::Free, Self::Payg, Self::Enterprise];

    /// The name on the wire and in storage.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Free => "free",
            Self::Payg => "payg",
            Self::Enterprise => "enterprise",
        }
    }

    /// The plan with this name.
    #[must_use]
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|one| one.name() == name)
    }
}

/// What an account may use of its own provider keys in a month before the fee begins.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ByokFree {
    /// This many requests.
    Requests(u64),
    /// Requests that would have cost this much at list price.
    ListPriceUsd(#[serde(deserialize_with = "dollars")] Usd),
}

/// Free-model limits that hold for one account now.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub struct FreeLimits {
    /// Requests in a minute.
    pub per_minute: u32,
    /// Requests in a UTC day.
    pub per_day: u32,
    /// Whether the daily limit is that of accounts that purchased enough.
    pub purchased_enough: bool,
}

/// An amount in a configuration: a text such as `"0.80"`, or whole dollars. A number with decimals
/// would have been a float by the time we see it.
fn dollars<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Usd, D::Error> {
    struct Amount;
    impl serde::de::Visitor<'_> for Amount {
        type Value = Usd;

        fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
            f.write_str("dollars as a text such as \"0.80\", or whole dollars")
        }

        fn visit_str<E: serde::de::Error>(self, text: &str) -> Result<Usd, E> {
            text.parse().map_err(E::custom)
        }

        fn visit_i64<E: serde::de::Error>(self, whole: i64) -> Result<Usd, E> {
            Usd::from_dollars(whole).ok_or_else(|| E::custom("more dollars than there can be"))
        }

        fn visit_u64<E: serde::de::Error>(self, whole: u64) -> Result<Usd, E> {
            i64::try_from(whole).map_err(E::custom).and_then(|whole| self.visit_i64(whole))
        }
    }
    deserializer.deserialize_any(Amount)
}

fn some_dollars<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<Usd>, D::Error> {
    dollars(deserializer).map(Some)
}

macro_rules! plan {
    ($($(#[$meta:meta])* $field:ident: $kind:ty $(, with $reader:literal)?;)*) => {
        /// The complete terms of an account. Fees and discounts are basis points.
        #[derive(Debug, Clone, PartialEq, Eq, Serialize)]
        pub struct Plan {
            /// Which plan it is.
            pub tier: Tier,
            $($(#[$meta])* pub $field: $kind,)*
        }

        /// Fields of a plan that are to be others: from the configuration, or what was negotiated with
        /// one account. Those that are absent stay.
        #[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
        #[serde(default, deny_unknown_fields)]
        pub struct PlanTerms {
            $(
                #[doc = concat!("Replaces [`Plan::", stringify!($field), "`].")]
                #[serde(skip_serializing_if = "Option::is_none" $(, deserialize_with = $reader)?)]
                pub $field: Option<$kind>,
            )*
        }

        impl Plan {
            /// This plan with those terms laid on top.
            #[must_use]
            pub fn with(mut self, terms: &PlanTerms) -> Self {
                $(if let Some(value) = &terms.$field { self.$field.clone_from(value); })*
                self
            }
        }
    };
}

plan! {
    /// Fee on a purchase by card.
    card_fee_bps: u32;
    /// Least fee on a purchase by card.
    card_fee_min: Usd, with "some_dollars";
    /// Fee on a purchase with crypto currency.
    crypto_fee_bps: u32;
    /// What is taken off the fee of a purchase, its minimum included.
    purchase_discount_bps: u32;
    /// Whether requests may use the account's own provider keys.
    byok_allowed: bool;
    /// Fee on the list price of what own keys paid for, above the allowance.
    byok_fee_bps: u32;
    /// What is free of that fee each month.
    byok_free: ByokFree;
    /// Requests to free models in a minute.
    free_per_minute: u32;
    /// Requests to free models in a day, before enough was purchased.
    free_per_day: u32;
    /// The same once enough was purchased.
    free_per_day_purchased: u32;
    /// How much is enough, over the account's whole life.
    free_purchased_from: Usd, with "some_dollars";
    /// Requests in a minute, over all keys; `None` is no limit of the plan's.
    requests_per_minute: Option<u32>, with "some_option";
    /// What comes off prices while the account shares its data.
    data_discount_bps: u32;
    /// Members of an organization.
    members: u32;
    /// Whether it is billed in arrears.
    invoiced: bool;
    /// Whether workspaces may have budgets.
    workspace_budgets: bool;
    /// How help is to be had: `community`, `email`, `shared-channel`.
    support: String;
    /// Where.
    support_contact: Option<String>, with "some_option";
    /// Hours until somebody answers, where that was promised.
    support_hours: Option<u32>, with "some_option";
}

fn some_option<'de, D, T>(deserializer: D) -> Result<Option<Option<T>>, D::Error>
where
    D: Deserializer<'de>,
    T: Deserialize<'de>,
{
    Option::deserialize(deserializer).map(Some)
}

impl PlanTerms {
    /// Whether every figure makes sense.
    ///
    /// # Errors
    /// One line that names the field.
    pub fn check(&self) -> Result<(), String> {
        let shares = [
            ("card_fee_bps", self.card_fee_bps),
            ("crypto_fee_bps", self.crypto_fee_bps),
            ("purchase_discount_bps", self.purchase_discount_bps),
            ("byok_fee_bps", self.byok_fee_bps),
            ("data_discount_bps", self.data_discount_bps),
        ];
        for (name, value) in shares {
            if value.is_some_and(|bps| bps > WHOLE_BPS) {
                return Err(format!("{name}: at most {WHOLE_BPS} basis points"));
            }
        }
        let free = match self.byok_free {
            Some(ByokFree::ListPriceUsd(amount)) => Some(amount),
            _ => None,
        };
        let amounts = [
            ("card_fee_min", self.card_fee_min),
            ("free_purchased_from", self.free_purchased_from),
            ("byok_free", free),
        ];
        for (name, value) in amounts {
            if value.is_some_and(Usd::is_negative) {
                return Err(format!("{name}: not below zero"));
            }
        }
        Ok(())
    }
}

impl Plan {
    /// The built-in terms (platform spec 6.1, 6.2, 4.2, 0.2 and appendix D).
    #[must_use]
    pub fn built_in(tier: Tier) -> Self {
        let cents = |cents: i64| Usd::from_nanos(cents.saturating_mul(10_000_000));
        let free = Self {
            tier,
            card_fee_bps: 550,
            card_fee_min: cents(80),
            crypto_fee_bps: 500,
            purchase_discount_bps: 0,
            byok_allowed: false,
            byok_fee_bps: 500,
            byok_free: ByokFree::Requests(0),
            free_per_minute: 20,
            free_per_day: 50,
            free_per_day_purchased: 1000,
            free_purchased_from: cents(1000),
            requests_per_minute: None,
            data_discount_bps: 100,
            members: 10,
            invoiced: false,
            workspace_budgets: false,
            support: "community".to_owned(),
            support_contact: None,
            support_hours: None,
        };
        match tier {
            Tier::Free => free,
            Tier::Payg => Self {
                byok_allowed: true,
                byok_free: ByokFree::Requests(1_000_000),
                support: "email".to_owned(),
                ..free
            },
            Tier::Enterprise => Self {
                byok_allowed: true,
                byok_free: ByokFree::Requests(5_000_000),
                free_per_day: 1000,
                invoiced: true,
                workspace_budgets: true,
                support: "shared-channel".to_owned(),
                ..free
            },
        }
    }

    /// How many requests to free models an account may make that purchased this much in its life.
    #[must_use]
    pub fn free_limits(&self, purchased: Usd) -> FreeLimits {
        let purchased_enough = purchased >= self.free_purchased_from;
        let per_day =
            if purchased_enough { self.free_per_day_purchased } else { self.free_per_day };
        FreeLimits { per_minute: self.free_per_minute, per_day, purchased_enough }
    }

    /// What comes off the prices of an account.
    #[must_use]
    pub const fn discount_bps(&self, shares_data: bool) -> u32 {
        if shares_data { self.data_discount_bps } else { 0 }
    }
}

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
