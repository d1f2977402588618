//! `thinking`, `output_config` and `service_tier`.

use signalbox_core::{ApiError, Parameter};

use crate::document::Raw;
use crate::openai_chat::survey::field::{self, Path, missing};
use crate::openai_chat::survey::{Effort, ReasoningRequest, Survey, add, estimate, sampling};

const EFFORTS: &[(&str, Effort)] = &[
    ("low", Effort::Low),
    ("medium", Effort::Medium),
    ("high", Effort::High),
    ("xhigh", Effort::Xhigh),
    ("max", Effort::Max),
];

const TIERS: &[&str] =
    &["auto", "default", "fast", "flex", "priority", "scale", "standard", "standard_only"];

/// Reads `thinking`. How much to think comes with [`merged`].
pub(super) fn thinking(
    path: &Path<'_>,
    raw: Raw<'_>,
) -> Result<Option<ReasoningRequest>, ApiError> {
    field::object(path, raw)?;
    let kind = field::required_string(path, raw, "type")?;
    let kind = field::word(&path.member("type"), kind, &["enabled", "disabled", "adaptive"])?;
    let mut request = ReasoningRequest { enabled: Some(kind != "disabled"), ..Default::default() };
    if kind == "enabled" {
        let path = path.member("budget_tokens");
        let budget = raw.get("budget_tokens").filter(|budget| !budget.is_null());
        request.max_tokens = Some(sampling::tokens(&path, budget.ok_or_else(|| missing(&path))?)?);
    }
    if let Some(display) = raw.get("display").filter(|display| !display.is_null()) {
        field::word(&path.member("display"), display, &["summarized", "omitted"])?;
    }
    Ok(Some(request))
}

/// Reads `output_config` and gives its effort.
pub(super) fn output(
    survey: &mut Survey,
    path: &Path<'_>,
    raw: Raw<'_>,
) -> Result<Option<String>, ApiError> {
    field::object(path, raw)?;
    if let Some(format) = raw.get("format").filter(|format| !format.is_null()) {
        let path = path.member("format");
        field::object(&path, format)?;
        let kind = field::required_string(&path, format, "type")?;
        field::word(&path.member("type"), kind, &["json_schema"])?;
        let inside = path.member("schema");
        let schema = format.get("schema").ok_or_else(|| missing(&inside))?;
        field::object(&inside, schema)?;
        add(survey, estimate(schema));
        survey.needs.json_schema = true;
        survey.parameters.insert(Parameter::ResponseFormat);
    }
    let Some(effort) = raw.get("effort").filter(|effort| !effort.is_null()) else {
        return Ok(None);
    };
    let words: Vec<&str> = EFFORTS.iter().map(|(word, _)| *word).collect();
    field::word(&path.member("effort"), effort, &words).map(Some)
}

/// What was asked about reasoning. Adaptive thinking follows the effort; without one it is high, as
/// the dialect has it. An effort alone asks for no thinking.
pub(super) fn merged(
    thinking: Option<ReasoningRequest>,
    effort: Option<&str>,
) -> Option<ReasoningRequest> {
    let mut request = thinking?;
    if request.enabled == Some(true) && request.max_tokens.is_none() {
        let known = EFFORTS.iter().find(|(word, _)| Some(*word) == effort);
        request.effort = Some(known.map_or(Effort::High, |(_, effort)| *effort));
    }
    Some(request)
}

/// Reads `service_tier`. What is called standard here is the default tier elsewhere (16.5).
pub(super) fn tier(path: &Path<'_>, raw: Raw<'_>) -> Result<Option<String>, ApiError> {
    let tier = field::word(path, raw, TIERS)?;
    Ok(Some(match tier.as_str() {
        "standard" | "standard_only" => "default".to_owned(),
        _ => tier,
    }))
}
