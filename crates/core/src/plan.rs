//! Plans: what an account may do and what it pays, as data (platform spec 6).
//!
//! There are three built-in plans. The configuration may override any of their fields, and an account
//! may have terms of its own on top: [`Plans::of`] lays all of it together.

use std::fmt;

use serde::{Deserialize, Deserializer, Serialize};

use crate::Usd;

mod installed;

pub use installed::{Frozen, Plans, PlansRow, Standing};

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
    /// Whether requests may be kept in a region, by the host that they are sent to.
    in_region: bool;
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
            in_region: false,
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
                in_region: true,
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
