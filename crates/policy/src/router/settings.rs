//! The settings of routers: entries of `plugins` (inference spec 8.1, 8.3, 13.1).

use serde_json::{Map, Value};
use signalbox_core::ApiError;

use super::{CostTier, Router};

/// Most patterns of one list, characters of one pattern, and characters of one list.
const PATTERNS: (usize, usize, usize) = (1024, 1024, 65_536);

/// What a request says of a router.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Settings {
    /// Of the auto routers.
    pub auto: AutoSettings,
    /// Of the Pareto router.
    pub pareto: ParetoSettings,
}

/// Settings of the auto routers.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct AutoSettings {
    /// Patterns of models that alone are allowed.
    pub allowed_models: Option<Vec<String>>,
    /// Patterns of models that are not; they win.
    pub excluded_models: Vec<String>,
    /// How much a request may and shall cost; `None` when nothing was said.
    pub band: Option<Band>,
    /// Whether the model of the last answer is to be kept.
    pub pin_model: bool,
}

/// A part of all models by what they cost for the task.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Band {
    /// `cost_tier`: between two percentiles.
    Tier(CostTier),
    /// `cost_quality_tradeoff`, 0 to 10: up to percentile 90 − 8 · t.
    Ceiling(u8),
}

/// Settings of the Pareto router.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub struct ParetoSettings {
    /// The least coding score, 0 to 1.
    pub min_coding_score: Option<f64>,
    /// USD per million input tokens at most.
    pub max_price: Option<f64>,
    /// Which input price that is about.
    pub price_source: PriceSource,
}

/// Which input price of a model counts.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum PriceSource {
    /// That of the cheapest endpoint.
    #[default]
    Prompt,
    /// The mean of its endpoints, weighted with their traffic.
    WeightedAverage,
}

impl Settings {
    /// Reads the entry of a router from the raw JSON of `plugins`; those of others are not looked at.
    /// The last entry counts; one with `enabled: false` says nothing.
    ///
    /// # Errors
    /// 400 naming the field.
    pub fn of(router: Router, plugins: Option<&str>) -> Result<Self, ApiError> {
        let (Some(id), Some(raw)) = (router.plugin(), plugins) else { return Ok(Self::default()) };
        let entries: Vec<Value> =
            serde_json::from_str(raw).map_err(|_| ApiError::invalid("plugins: expected a list"))?;
        let mut own = entries.into_iter().filter_map(|entry| match entry {
            Value::Object(members) if members.get("id").and_then(Value::as_str) == Some(id) => {
                Some(members)
            }
            _ => None,
        });
        let Some(members) = own.next_back() else { return Ok(Self::default()) };
        if members.get("enabled").and_then(Value::as_bool) == Some(false) {
            return Ok(Self::default());
        }
        let entry = Entry { id, members };
        Ok(match router {
            Router::Pareto => Self { pareto: entry.pareto()?, ..Self::default() },
            _ => Self { auto: entry.auto(router)?, ..Self::default() },
        })
    }
}

/// The members of one entry.
struct Entry {
    id: &'static str,
    members: Map<String, Value>,
}

impl Entry {
    fn wrong(&self, field: &str, expected: &str) -> ApiError {
        ApiError::invalid(format!("plugins ({}): {field}: expected {expected}", self.id))
    }

    fn present(&self, field: &str) -> Option<&Value> {
        self.members.get(field).filter(|value| !value.is_null())
    }

    fn auto(&self, router: Router) -> Result<AutoSettings, ApiError> {
        let tradeoff = self.present("cost_quality_tradeoff").map(|value| {
            let number = value.as_u64().filter(|number| *number <= 10);
            let number = number.and_then(|number| u8::try_from(number).ok());
            number.ok_or_else(|| self.wrong("cost_quality_tradeoff", "a whole number from 0 to 10"))
        });
        let tradeoff = tradeoff.transpose()?.map(Band::Ceiling);
        let tier = self.present("cost_tier").map(|value| {
            let tier = value.as_str().and_then(CostTier::from_name);
            tier.ok_or_else(|| self.wrong("cost_tier", "low, medium, high, xhigh or max"))
        });
        let pin = match self.present("pin_model") {
            None => false,
            Some(Value::Bool(pin)) => *pin && router == Router::Auto,
            Some(_) => return Err(self.wrong("pin_model", "true or false")),
        };
        Ok(AutoSettings {
            allowed_models: self.patterns("allowed_models")?,
            excluded_models: self.patterns("excluded_models")?.unwrap_or_default(),
            band: tier.transpose()?.map(Band::Tier).or(tradeoff),
            pin_model: pin,
        })
    }

    fn patterns(&self, field: &str) -> Result<Option<Vec<String>>, ApiError> {
        let (most, longest, together) = PATTERNS;
        let Some(value) = self.present(field) else { return Ok(None) };
        let expected = || {
            self.wrong(
                field,
                "a list of at most 1,024 patterns of at most 1,024 characters, together at most \
                 65,536",
            )
        };
        let list = value.as_array().filter(|list| list.len() <= most).ok_or_else(expected)?;
        let (mut patterns, mut sum) = (Vec::with_capacity(list.len()), 0usize);
        for entry in list {
            let text = entry.as_str().ok_or_else(expected)?;
            let length = text.chars().count();
            sum = sum.saturating_add(length);
            if text.is_empty() || length > longest || sum > together {
                return Err(expected());
            }
            patterns.push(text.to_owned());
        }
        Ok(Some(patterns))
    }

    fn pareto(&self) -> Result<ParetoSettings, ApiError> {
        let number = |field: &str, most: f64, expected: &str| {
            let Some(value) = self.present(field) else { return Ok(None) };
            let value = value.as_f64().filter(|value| (0.0..=most).contains(value));
            value.map(Some).ok_or_else(|| self.wrong(field, expected))
        };
        let price_source = match self.present("price_source").map(Value::as_str) {
            None | Some(Some("prompt")) => PriceSource::Prompt,
            Some(Some("weighted_avg")) => PriceSource::WeightedAverage,
            Some(_) => return Err(self.wrong("price_source", "prompt or weighted_avg")),
        };
        Ok(ParetoSettings {
            min_coding_score: number("min_coding_score", 1.0, "a number from 0 to 1")?,
            max_price: number("max_price", f64::MAX, "a number of dollars, 0 or more")?,
            price_source,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn auto(raw: &str) -> Result<AutoSettings, ApiError> {
        Settings::of(Router::Auto, Some(raw)).map(|one| one.auto)
    }

    #[test]
    fn each_router_reads_its_own_entry_alone() {
        let raw = r#"[{"id":"auto-beta-router","cost_tier":"max","pin_model":true},
            {"id":"pareto-router","min_coding_score":0.5,"max_price":2,"price_source":"weighted_avg"},
            {"id":"auto-router","allowed_models":["a/*"],"cost_quality_tradeoff":3,"pin_model":true}]"#;
        let of = |router| Settings::of(router, Some(raw)).unwrap();
        let auto = of(Router::Auto).auto;
        assert_eq!(auto.allowed_models, Some(vec!["a/*".to_owned()]));
        assert_eq!((auto.band, auto.pin_model), (Some(Band::Ceiling(3)), true));
        let beta = of(Router::AutoBeta).auto;
        assert_eq!(beta.band, Some(Band::Tier(CostTier::Max)));
        assert!(!beta.pin_model && beta.allowed_models.is_none(), "pinning is the other's");
        assert_eq!(of(Router::Free), Settings::default());
        let pareto = of(Router::Pareto).pareto;
        assert_eq!((pareto.min_coding_score, pareto.max_price), (Some(0.5), Some(2.0)));
        assert_eq!(pareto.price_source, PriceSource::WeightedAverage);
    }

    #[test]
    fn the_tier_wins_over_the_tradeoff_and_what_is_switched_off_says_nothing() {
        let both = r#"[{"id":"auto-router","cost_tier":"low","cost_quality_tradeoff":0}]"#;
        assert_eq!(auto(both).unwrap().band, Some(Band::Tier(CostTier::Low)));
        let off = r#"[{"id":"auto-router","enabled":false,"cost_tier":7}]"#;
        assert_eq!(auto(off).unwrap(), AutoSettings::default());
    }

    #[test]
    fn what_is_wrong_is_named() {
        let list = |count: usize, length: usize| {
            let patterns = vec!["x".repeat(length); count];
            serde_json::json!([{"id": "auto-router", "excluded_models": patterns}]).to_string()
        };
        for good in [list(1024, 64), list(64, 1024), list(0, 0)] {
            assert!(auto(&good).is_ok());
        }
        for bad in [list(1025, 1), list(1, 1025), list(65, 1024), list(1, 0)] {
            assert!(auto(&bad).unwrap_err().message.contains("excluded_models"));
        }
        for (member, field) in [
            (r#""cost_tier":"cheap""#, "cost_tier"),
            (r#""cost_quality_tradeoff":11"#, "cost_quality_tradeoff"),
            (r#""cost_quality_tradeoff":-1"#, "cost_quality_tradeoff"),
            (r#""cost_quality_tradeoff":1.5"#, "cost_quality_tradeoff"),
            (r#""allowed_models":"a/*""#, "allowed_models"),
            (r#""allowed_models":[5]"#, "allowed_models"),
            (r#""pin_model":"yes""#, "pin_model"),
        ] {
            let error = auto(&format!("[{{\"id\":\"auto-router\",{member}}}]")).unwrap_err();
            assert!(error.message.contains(field), "{member}: {}", error.message);
        }
        for (member, field) in [
            (r#""min_coding_score":1.1"#, "min_coding_score"),
            (r#""max_price":-1"#, "max_price"),
            (r#""price_source":"output""#, "price_source"),
        ] {
            let raw = format!("[{{\"id\":\"pareto-router\",{member}}}]");
            let error = Settings::of(Router::Pareto, Some(&raw)).unwrap_err();
            assert!(error.message.contains(field), "{member}: {}", error.message);
        }
    }
}
