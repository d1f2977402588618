//! Reading the `provider` object, field by field, with an error that names the field.

use std::collections::HashSet;

use serde_json::Value;
use signalbox_core::{ApiError, Rate};

use super::{Cutoffs, MaxPrice, Members, ProviderPreferences, SortBy};

/// The quantizations that exist (inference spec 5.1).
const QUANTIZATIONS: [&str; 12] = [
    "int4", "int8", "fp4", "mxfp4", "nvfp4", "fp6", "fp8", "mxfp8", "fp16", "bf16", "fp32",
    "unknown",
];
/// Longest list of slugs that is read.
const MAX_SLUGS: usize = 200;
/// Longest name in such a list, in bytes. The longest tag in the catalogue has a quarter of that.
const MAX_SLUG_BYTES: usize = 128;
/// Most tokens per second that can be asked for: a thousand times the fastest in the catalogue.
const MAX_THROUGHPUT: f64 = 1e6;
/// Longest wait in seconds that can be asked for: a day.
const MAX_LATENCY: f64 = 86_400.0;

fn wrong(field: &str, expected: &str) -> ApiError {
    ApiError::invalid(format!("provider.{field}: expected {expected}"))
}

/// A member that is there and not null.
fn present<'a>(members: &'a Members, field: &str) -> Option<&'a Value> {
    members.get(field).filter(|value| !value.is_null())
}

fn flag(members: &Members, field: &str, absent: bool) -> Result<bool, ApiError> {
    match present(members, field) {
        None => Ok(absent),
        Some(Value::Bool(value)) => Ok(*value),
        Some(_) => Err(wrong(field, "true or false")),
    }
}

fn slugs(members: &Members, field: &str) -> Result<Option<Vec<String>>, ApiError> {
    let expected = || wrong(field, "a list of up to 200 names of 1 to 128 bytes");
    let Some(value) = present(members, field) else { return Ok(None) };
    let list = value.as_array().filter(|list| list.len() <= MAX_SLUGS).ok_or_else(expected)?;
    let mut names: Vec<String> = Vec::with_capacity(list.len());
    let mut seen = HashSet::with_capacity(list.len());
    for entry in list {
        let text = entry.as_str().map(str::trim).ok_or_else(expected)?;
        if text.is_empty() || text.len() > MAX_SLUG_BYTES {
            return Err(expected());
        }
        // Clients that merge lists name some twice; the first place counts.
        if seen.insert(text.to_ascii_lowercase()) {
            names.push(text.to_owned());
        }
    }
    Ok(Some(names))
}

/// Reads the members of `provider`. Unknown members are left alone: the API may grow.
///
/// # Errors
/// 400 naming the field.
pub fn read(members: &Members) -> Result<ProviderPreferences, ApiError> {
    let (sort, across_models) = sort(members)?;
    Ok(ProviderPreferences {
        order: slugs(members, "order")?.unwrap_or_default(),
        only: slugs(members, "only")?,
        ignore: slugs(members, "ignore")?.unwrap_or_default(),
        allow_fallbacks: flag(members, "allow_fallbacks", true)?,
        require_parameters: flag(members, "require_parameters", false)?,
        deny_data_collection: denies_collection(members)?,
        zdr: flag(members, "zdr", false)?,
        enforce_distillable_text: flag(members, "enforce_distillable_text", false)?,
        quantizations: quantizations(members)?,
        sort,
        across_models,
        preferred_min_throughput: cutoffs(members, "preferred_min_throughput", MAX_THROUGHPUT)?,
        preferred_max_latency: cutoffs(members, "preferred_max_latency", MAX_LATENCY)?,
        max_price: max_price(members)?,
    })
}

fn denies_collection(members: &Members) -> Result<bool, ApiError> {
    match present(members, "data_collection").map(Value::as_str) {
        None | Some(Some("allow")) => Ok(false),
        Some(Some("deny")) => Ok(true),
        Some(_) => Err(wrong("data_collection", "\"allow\" or \"deny\"")),
    }
}

fn quantizations(members: &Members) -> Result<Vec<String>, ApiError> {
    let names = slugs(members, "quantizations")?.unwrap_or_default();
    match names.iter().find(|name| !QUANTIZATIONS.contains(&name.as_str())) {
        Some(_) => Err(wrong("quantizations", &format!("any of {}", QUANTIZATIONS.join(", ")))),
        None => Ok(names),
    }
}

fn sort(members: &Members) -> Result<(Option<SortBy>, bool), ApiError> {
    let (by, partition) = match present(members, "sort") {
        None => return Ok((None, false)),
        Some(Value::Object(object)) => (present(object, "by"), present(object, "partition")),
        Some(value) => (Some(value), None),
    };
    let by = match by.map(Value::as_str) {
        None => None,
        Some(Some("price")) => Some(SortBy::Price),
        Some(Some("throughput")) => Some(SortBy::Throughput),
        Some(Some("latency")) => Some(SortBy::Latency),
        Some(Some("exacto")) => Some(SortBy::Exacto),
        Some(_) => {
            return Err(wrong("sort", "\"price\", \"throughput\", \"latency\" or \"exacto\""));
        }
    };
    match partition.map(Value::as_str) {
        None | Some(Some("model")) => Ok((by, false)),
        Some(Some("none")) => Ok((by, true)),
        Some(_) => Err(wrong("sort.partition", "\"model\" or \"none\"")),
    }
}

fn cutoffs(members: &Members, field: &str, most: f64) -> Result<Cutoffs, ApiError> {
    let expected = || {
        let text = format!("a number from 0 to {most}, or an object of p50, p75, p90, p99");
        wrong(field, &text)
    };
    let number = |value: &Value| {
        value.as_f64().filter(|number| (0.0..=most).contains(number)).ok_or_else(expected)
    };
    match present(members, field) {
        None => Ok(Cutoffs::default()),
        Some(Value::Object(object)) => {
            known_only(object, field, &["p50", "p75", "p90", "p99"])?;
            let at = |name| present(object, name).map(number).transpose();
            Ok(Cutoffs { p50: at("p50")?, p75: at("p75")?, p90: at("p90")?, p99: at("p99")? })
        }
        Some(value) => Ok(Cutoffs { p50: Some(number(value)?), ..Cutoffs::default() }),
    }
}

/// A limit under a name that nobody knows would be no limit at all, silently.
fn known_only(object: &Members, field: &str, known: &[&str]) -> Result<(), ApiError> {
    match object.keys().find(|key| !known.contains(&key.as_str())) {
        Some(key) => {
            let key: String = key.chars().take(MAX_SLUG_BYTES).collect();
            Err(wrong(&format!("{field}.{key}"), &format!("one of {}", known.join(", "))))
        }
        None => Ok(()),
    }
}

fn max_price(members: &Members) -> Result<MaxPrice, ApiError> {
    let Some(value) = present(members, "max_price") else { return Ok(MaxPrice::default()) };
    let object = value.as_object().ok_or_else(|| wrong("max_price", "an object"))?;
    known_only(object, "max_price", &["prompt", "completion", "request", "image", "audio"])?;
    let price = |name: &str, per: i128| -> Result<Option<Rate>, ApiError> {
        let text = match present(object, name) {
            None => return Ok(None),
            Some(Value::String(text)) => text.clone(),
            Some(Value::Number(number)) => number.to_string(),
            Some(_) => String::new(),
        };
        let rate = text.parse::<Rate>().ok().and_then(|rate| Rate::from_units(rate.units() / per));
        let expected = || wrong(&format!("max_price.{name}"), "a price of zero or more");
        rate.map(Some).ok_or_else(expected)
    };
    const MILLION: i128 = 1_000_000;
    Ok(MaxPrice {
        prompt: price("prompt", MILLION)?,
        completion: price("completion", MILLION)?,
        request: price("request", 1)?,
        image: price("image", 1)?,
        audio: price("audio", MILLION)?,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn from(raw: &str) -> Result<ProviderPreferences, ApiError> {
        ProviderPreferences::from_json(Some(raw))
    }

    #[test]
    fn every_field_is_read() {
        let read = from(
            r#"{"order":["a","b/fp8"],"only":["a"],"ignore":["c"],"allow_fallbacks":false,
                "require_parameters":true,"data_collection":"deny","zdr":true,
                "quantizations":["fp8"],"sort":{"by":"throughput","partition":"none"},
                "preferred_min_throughput":50,"preferred_max_latency":{"p90":2.5},
                "max_price":{"prompt":1,"completion":"2.5"},"something_new":1}"#,
        )
        .unwrap();
        assert_eq!(read.order, ["a", "b/fp8"]);
        assert_eq!(read.only, Some(vec!["a".into()]));
        assert!(!read.allow_fallbacks && read.require_parameters && read.zdr);
        assert!(read.deny_data_collection && read.across_models);
        assert_eq!(read.sort, Some(SortBy::Throughput));
        assert_eq!(read.preferred_min_throughput.p50, Some(50.0));
        assert_eq!(read.preferred_max_latency.p90, Some(2.5));
        assert_eq!(read.max_price.prompt.unwrap().to_string(), "0.000001");
        assert_eq!(read.max_price.completion.unwrap().to_string(), "0.0000025");
    }

    #[test]
    fn nothing_and_null_mean_no_preference() {
        assert_eq!(ProviderPreferences::from_json(None).unwrap(), ProviderPreferences::default());
        for raw in ["null", "{}", r#"{"only":null,"sort":null,"max_price":null}"#] {
            assert_eq!(from(raw).unwrap(), ProviderPreferences::default(), "{raw}");
        }
    }

    #[test]
    fn a_name_has_at_most_128_bytes() {
        for field in ["order", "only", "ignore"] {
            let with = |bytes| from(&format!(r#"{{"{field}":["{}"]}}"#, "a".repeat(bytes)));
            assert!(with(128).is_ok());
            let error = with(129).unwrap_err();
            assert!(error.message.starts_with(&format!("provider.{field}")), "{}", error.message);
        }
    }

    #[test]
    fn a_name_that_comes_twice_keeps_its_first_place() {
        assert_eq!(from(r#"{"order":["a","b","A"]}"#).unwrap().order, ["a", "b"]);
    }

    #[test]
    fn a_bad_field_is_named() {
        for (raw, field) in [
            (r#"[]"#, "provider:"),
            (r#"{"order":"openai"}"#, "provider.order"),
            (r#"{"only":[1]}"#, "provider.only"),
            (r#"{"allow_fallbacks":"no"}"#, "provider.allow_fallbacks"),
            (r#"{"data_collection":"maybe"}"#, "provider.data_collection"),
            (r#"{"quantizations":["int3"]}"#, "provider.quantizations"),
            (r#"{"sort":"random"}"#, "provider.sort"),
            (r#"{"sort":{"partition":"all"}}"#, "provider.sort.partition"),
            (r#"{"order":["a",""]}"#, "provider.order"),
            (r#"{"ignore":["a","  "]}"#, "provider.ignore"),
            (r#"{"preferred_max_latency":-1}"#, "provider.preferred_max_latency"),
            (r#"{"preferred_max_latency":86401}"#, "provider.preferred_max_latency"),
            (r#"{"preferred_min_throughput":{"p90":-0.5}}"#, "provider.preferred_min_throughput"),
            (r#"{"preferred_min_throughput":1e300}"#, "provider.preferred_min_throughput"),
            (r#"{"preferred_min_throughput":"NaN"}"#, "provider.preferred_min_throughput"),
            (r#"{"preferred_max_latency":{"p95":1}}"#, "provider.preferred_max_latency.p95"),
            (r#"{"max_price":{"output":1}}"#, "provider.max_price.output"),
            (r#"{"max_price":{"prompt":-1}}"#, "provider.max_price.prompt"),
            (r#"{"max_price":5}"#, "provider.max_price"),
        ] {
            let error = from(raw).unwrap_err();
            assert!(error.message.starts_with(field), "{raw}: {}", error.message);
        }
    }
}
