//! Price rows in the public, flat form: `{"prompt": "0.000002", ..., "overrides": [...]}`.
//!
//! Used as `#[serde(with = "crate::prices")]` for the data rows and the configuration, and by the
//! listings, so that all three read the same.

use serde::de::Error as _;
use serde::{Deserialize, Deserializer, Serializer};
use serde_json::{Map, Value};
use signalbox_core::{PriceKind, PriceOverride, PriceTable, Rate, Rates};

/// The dearest price that is believed, a thousand dollars in units of 10⁻²⁸ USD; published ones stay
/// below 200. Costs of the longest requests then fit an amount.
const MOST_UNITS: i128 = 1000 * 10_i128.pow(28);

/// The flat form as a JSON object.
#[must_use]
pub fn to_json(table: &PriceTable) -> Map<String, Value> {
    let mut object = rates_to_json(&table.rates);
    if !table.overrides.is_empty() {
        let entries = table.overrides.iter().map(|entry| Value::Object(override_to_json(entry)));
        object.insert("overrides".to_owned(), entries.collect());
    }
    object
}

fn rates_to_json(rates: &Rates) -> Map<String, Value> {
    rates.iter().map(|(kind, rate)| (kind.name().to_owned(), rate.to_string().into())).collect()
}

fn override_to_json(entry: &PriceOverride) -> Map<String, Value> {
    let mut object = Map::new();
    if let Some(tokens) = entry.min_prompt_tokens {
        object.insert("min_prompt_tokens".to_owned(), tokens.into());
    }
    for (key, time) in [("utc_start", entry.utc_start), ("utc_end", entry.utc_end)] {
        if let Some(time) = time {
            object.insert(key.to_owned(), time.into());
        }
    }
    object.extend(rates_to_json(&entry.rates));
    object
}

/// Reads the flat form. The error names the key.
pub fn from_json(object: &Map<String, Value>) -> Result<PriceTable, String> {
    let mut table = PriceTable::default();
    for (key, value) in object {
        if key == "overrides" {
            let entries = value.as_array().ok_or("overrides: expected a list")?;
            for entry in entries {
                let entry = entry.as_object().ok_or("overrides: expected a list of objects")?;
                table.overrides.push(override_from_json(entry)?);
            }
        } else {
            read_rate(&mut table.rates, key, value)?;
        }
    }
    Ok(table)
}

fn override_from_json(object: &Map<String, Value>) -> Result<PriceOverride, String> {
    let mut entry = PriceOverride::default();
    for (key, value) in object {
        let number = || value.as_u64().ok_or_else(|| format!("{key}: expected a whole number"));
        match key.as_str() {
            "min_prompt_tokens" => entry.min_prompt_tokens = Some(number()?),
            "utc_start" => entry.utc_start = Some(time_of_day(key, number()?)?),
            "utc_end" => entry.utc_end = Some(time_of_day(key, number()?)?),
            _ => read_rate(&mut entry.rates, key, value)?,
        }
    }
    Ok(entry)
}

fn time_of_day(key: &str, hhmm: u64) -> Result<u16, String> {
    let valid = hhmm <= 2400 && hhmm % 100 < 60;
    let hhmm = u16::try_from(hhmm).ok().filter(|_| valid);
    hhmm.ok_or_else(|| format!("{key}: expected a time of day as HHMM"))
}

fn read_rate(rates: &mut Rates, key: &str, value: &Value) -> Result<(), String> {
    let kind = PriceKind::from_name(key).ok_or_else(|| format!("{key}: no such price"))?;
    let text = value.as_str().ok_or_else(|| format!("{key}: a price is a decimal in quotes"))?;
    let rate: Rate = text.parse().map_err(|problem| format!("{key}: {problem}"))?;
    if rate.units() > MOST_UNITS {
        return Err(format!("{key}: more than a thousand dollars for one is a slip of the pen"));
    }
    rates.set(kind, rate);
    Ok(())
}

/// Serialises the flat form.
pub fn serialize<S: Serializer>(table: &PriceTable, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.collect_map(to_json(table))
}

/// Deserialises the flat form.
pub fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<PriceTable, D::Error> {
    let object = Map::<String, Value>::deserialize(deserializer)?;
    from_json(&object).map_err(D::Error::custom)
}

/// A price table that reads itself from the flat form, for use inside `Option` and lists.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct FlatPrices(pub PriceTable);

impl<'de> Deserialize<'de> for FlatPrices {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserialize(deserializer).map(Self)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_flat_price_row_survives_reading_and_writing() {
        let text = r#"{"completion":"0.000008","overrides":[{"min_prompt_tokens":200000,"prompt":"0.000004"}],"prompt":"0.000002"}"#;
        let object: Map<String, Value> = serde_json::from_str(text).unwrap();
        let table = from_json(&object).unwrap();
        assert!(table.prices_tokens());
        assert_eq!(to_json(&table), object);
    }

    #[test]
    fn bad_prices_name_their_key() {
        for (text, key) in [
            (r#"{"prompt":"-1"}"#, "prompt"),
            (r#"{"prompt":1}"#, "prompt"),
            (r#"{"prompt":null}"#, "prompt"),
            (r#"{"prompt":"NaN"}"#, "prompt"),
            (r#"{"prompt":"inf"}"#, "prompt"),
            (r#"{"prompt":"-0"}"#, "prompt"),
            (r#"{"prompt":"1000.01"}"#, "prompt"),
            (r#"{"completion":"1e308"}"#, "completion"),
            (r#"{"request":"9223372036854775808"}"#, "request"),
            (r#"{"overrides":[{"prompt":"-1"}]}"#, "prompt"),
            (r#"{"overrides":[{"min_prompt_tokens":-1}]}"#, "min_prompt_tokens"),
            (r#"{"magic":"1"}"#, "magic"),
            (r#"{"overrides":{}}"#, "overrides"),
            (r#"{"overrides":[{"utc_start":2460}]}"#, "utc_start"),
        ] {
            let object: Map<String, Value> = serde_json::from_str(text).unwrap();
            assert!(from_json(&object).unwrap_err().starts_with(key), "{text}");
        }
    }
}
