//! The parameters that shape the output (inference spec 1.2).

use std::ops::RangeInclusive;

use signalbox_core::{ApiError, limits};

use super::Survey;
use super::field::{self, Path, wrong};
use crate::document::{Kind, Raw};

const NUMBERS: &[(&str, RangeInclusive<f64>)] = &[
    ("temperature", 0.0..=2.0),
    ("top_p", 0.0..=1.0),
    ("min_p", 0.0..=1.0),
    ("top_a", 0.0..=1.0),
    ("frequency_penalty", -2.0..=2.0),
    ("presence_penalty", -2.0..=2.0),
    ("repetition_penalty", 0.0..=2.0),
];
const INTEGERS: &[(&str, RangeInclusive<i64>)] =
    &[("top_k", 0..=i64::MAX), ("seed", i64::MIN..=i64::MAX), ("top_logprobs", 0..=20)];
const BOOLEANS: &[&str] = &["logprobs", "parallel_tool_calls", "structured_outputs"];
const OBJECTS: &[&str] = &["prediction", "web_search_options", "audio", "image_config"];
const VERBOSITIES: &[&str] = &["low", "medium", "high", "xhigh", "max"];

/// Reads one member; false when it is none of these.
pub(super) fn read(
    survey: &mut Survey,
    path: &Path<'_>,
    key: &str,
    raw: Raw<'_>,
) -> Result<bool, ApiError> {
    if let Some((_, range)) = NUMBERS.iter().find(|(name, _)| *name == key) {
        field::number(path, raw, range.clone())?;
    } else if let Some((_, range)) = INTEGERS.iter().find(|(name, _)| *name == key) {
        field::integer(path, raw, range.clone())?;
    } else if BOOLEANS.contains(&key) {
        field::boolean(path, raw)?;
    } else if OBJECTS.contains(&key) {
        field::object(path, raw)?;
    } else {
        match key {
            "max_tokens" | "max_completion_tokens" => {
                let limit = tokens(path, raw)?;
                survey.max_output = Some(survey.max_output.map_or(limit, |other| other.min(limit)));
            }
            "n" => {
                let most = i64::try_from(limits::MAX_CHOICES).unwrap_or(i64::MAX);
                survey.choices = field::integer(path, raw, 1..=most)?.unsigned_abs();
            }
            "stop" => stop(path, raw)?,
            "logit_bias" => logit_bias(path, raw)?,
            "verbosity" => {
                field::word(path, raw, VERBOSITIES)?;
            }
            _ => return Ok(false),
        }
    }
    Ok(true)
}

/// A positive number of tokens.
pub(super) fn tokens(path: &Path<'_>, raw: Raw<'_>) -> Result<u64, ApiError> {
    let most = i64::try_from(limits::MAX_MAX_TOKENS).unwrap_or(i64::MAX);
    field::integer(path, raw, 1..=most).map(i64::unsigned_abs)
}

fn stop(path: &Path<'_>, raw: Raw<'_>) -> Result<(), ApiError> {
    match raw.kind() {
        Kind::String => Ok(()),
        Kind::Array => field::strings(path, raw, limits::MAX_STOP_SEQUENCES).map(|_| ()),
        _ => Err(wrong(path, "a string or a list of strings")),
    }
}

fn logit_bias(path: &Path<'_>, raw: Raw<'_>) -> Result<(), ApiError> {
    field::object(path, raw)?;
    for entry in raw.members() {
        field::number(&path.member(&entry.key), entry.value, -100.0..=100.0)?;
    }
    Ok(())
}
