//! What is asked about reasoning, against what the wanted models can do (inference spec 7, 8.6, 9.3).

use signalbox_core::{ApiError, Parameter};
use signalbox_dialect::openai_chat::survey::{ReasoningRequest, Survey};

use super::models::Found;

/// The survey of a request for some of whose models reasoning is on by their variant.
#[derive(Debug)]
pub(super) struct Thinking {
    survey: Survey,
    /// For each wanted model, whether it is one of them.
    models: Vec<bool>,
}

impl Thinking {
    pub(super) fn survey_for(&self, model_index: usize) -> Option<&Survey> {
        self.models.get(model_index).copied().unwrap_or_default().then_some(&self.survey)
    }
}

/// The models that do what is asked about reasoning: those that can't stop are no answer to a request
/// without it, unless a moving alias was asked for. One that is left out is an error only when it is
/// the last hope.
pub(super) fn fitting(survey: &Survey, models: Vec<Found>) -> Result<Vec<Found>, ApiError> {
    if !survey.reasoning.is_some_and(|request| request.is_off()) {
        return Ok(models);
    }
    let must = |one: &Found| {
        let wanted = &one.wanted;
        !wanted.requested.starts_with('~')
            && wanted.model.reasoning.as_ref().is_some_and(|facts| facts.mandatory)
    };
    let (refused, kept): (Vec<_>, Vec<_>) = models.into_iter().partition(must);
    match refused.first() {
        Some(one) if kept.is_empty() => Err(ApiError::invalid(format!(
            "{}: reasoning is mandatory for this model and can't be disabled; leave it out, or ask \
             for an effort",
            one.wanted.requested
        ))),
        _ => Ok(kept),
    }
}

/// Reasoning for the models with `:thinking`, unless the request itself says something about it.
pub(super) fn thinking(survey: &Survey, models: &[Found]) -> Option<Thinking> {
    let asked = survey.reasoning.is_some_and(|one| {
        one.enabled.is_some() || one.effort.is_some() || one.max_tokens.is_some()
    });
    if asked || !models.iter().any(|one| one.thinking) {
        return None;
    }
    let exclude = survey.reasoning.is_some_and(|one| one.exclude);
    let on = ReasoningRequest { enabled: Some(true), exclude, ..ReasoningRequest::default() };
    let mut survey = Survey { reasoning: Some(on), ..survey.clone() };
    survey.parameters.insert(Parameter::Reasoning);
    Some(Thinking { survey, models: models.iter().map(|one| one.thinking).collect() })
}
