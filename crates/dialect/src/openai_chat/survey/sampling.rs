//! The parameters that shape the output (inference spec 1.2).

use signalbox_core::{ApiError, limits};

use super::field::{self, Path, wrong};
use super::{Survey, add, estimate};
use crate::document::{Kind, Raw};

const VERBOSITIES: &[&str] = &["low", "medium", "high", "xhigh", "max"];

/// Reads one member; false when it is none of these.
pub(crate) fn read(
    survey: &mut Survey,
    path: &Path<'_>,
    key: &str,
    raw: Raw<'_>,
) -> Result<bool, ApiError> {
    match key {
        "temperature" | "repetition_penalty" => {
            field::number(path, raw, 0.0..=2.0)?;
        }
        "top_p" | "min_p" | "top_a" => {
            field::number(path, raw, 0.0..=1.0)?;
        }
        "frequency_penalty" | "presence_penalty" => {
            field::number(path, raw, -2.0..=2.0)?;
        }
        "top_k" => {
            field::integer(path, raw, 0..=i64::MAX)?;
        }
        "seed" => {
            field::integer(path, raw, i64::MIN..=i64::MAX)?;
        }
        "top_logprobs" => {
            field::integer(path, raw, 0..=20)?;
        }
        "logprobs" | "parallel_tool_calls" | "structured_outputs" => {
            field::boolean(path, raw)?;
        }
        "prediction" => {
            field::object(path, raw)?;
            add(survey, estimate(raw));
        }
        "web_search_options" | "audio" | "image_config" => {
            field::object(path, raw)?;
        }
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
    Ok(true)
}

/// A number of tokens to think, or none at all.
pub(super) fn budget(path: &Path<'_>, raw: Raw<'_>) -> Result<u64, ApiError> {
    let most = i64::try_from(limits::MAX_MAX_TOKENS).unwrap_or(i64::MAX);
    field::integer(path, raw, 0..=most).map(i64::unsigned_abs)
}

/// A positive number of tokens.
pub(crate) fn tokens(path: &Path<'_>, raw: Raw<'_>) -> Result<u64, ApiError> {
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
