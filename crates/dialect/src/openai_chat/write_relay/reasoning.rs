//! Asking for reasoning in the way the endpoint wants.

use super::{Outbound, ReasoningStyle, leave_out};
use crate::compose::ObjectText;
use crate::document::{Document, Edits, Raw, splice};
use crate::openai_chat::survey::{Effort, ReasoningRequest, Survey};

/// Replaces the three ways to ask by the one that the endpoint knows.
pub(super) fn ask(document: &Document, survey: &Survey, out: &Outbound<'_>, edits: &mut Edits) {
    match (out.reasoning, survey.reasoning) {
        (ReasoningStyle::Effort, Some(request)) => {
            leave_out(document, "reasoning", edits);
            let limit = out.max_output.or(survey.max_output);
            match effort(request, limit) {
                Some(effort) => edits.set("reasoning_effort", format!("\"{}\"", effort.name())),
                None => leave_out(document, "reasoning_effort", edits),
            }
        }
        (ReasoningStyle::Object, Some(request)) => {
            leave_out(document, "reasoning_effort", edits);
            let sent = document.get("reasoning").map(Raw::new).filter(|raw| !raw.is_null());
            match sent {
                Some(object) => {
                    if let Some(text) = with_effort(object, request) {
                        edits.set("reasoning", text);
                    }
                }
                None => edits.set("reasoning", object(request)),
            }
        }
        (
            ReasoningStyle::Budget
            | ReasoningStyle::AdaptiveOrBudget
            | ReasoningStyle::AdaptiveEffort
            | ReasoningStyle::None,
            _,
        )
        | (_, None) => {
            leave_out(document, "reasoning", edits);
            leave_out(document, "reasoning_effort", edits);
        }
    }
}

/// The effort to send; none when nothing was asked but to show or hide.
pub(crate) fn effort(request: ReasoningRequest, max_output: Option<u64>) -> Option<Effort> {
    match request {
        ReasoningRequest { enabled: Some(false), .. } => Some(Effort::None),
        ReasoningRequest { effort: Some(effort), .. } => Some(effort),
        ReasoningRequest { max_tokens: Some(budget), .. } => {
            Some(Effort::from_budget(budget, max_output))
        }
        ReasoningRequest { enabled: Some(true), .. } => Some(Effort::Medium),
        _ => None,
    }
}

/// The object as sent, with the effort of `reasoning_effort` when it has none of its own.
fn with_effort(object: Raw<'_>, request: ReasoningRequest) -> Option<String> {
    let effort = request.effort?;
    if object.get("effort").is_some_and(|sent| !sent.is_null()) {
        return None;
    }
    let mut edits = Edits::default();
    edits.set("effort", format!("\"{}\"", effort.name()));
    Some(splice(object.text(), object.members(), &edits))
}

/// An object for what was asked in other ways.
pub(in crate::openai_chat) fn object(request: ReasoningRequest) -> String {
    let mut object = ObjectText::new();
    object.optional_text("effort", request.effort.map(Effort::name));
    if let Some(budget) = request.max_tokens {
        object.json("max_tokens", &budget.to_string());
    }
    if let (None, Some(enabled)) = (request.effort, request.enabled) {
        object.json("enabled", if enabled { "true" } else { "false" });
    }
    if request.exclude {
        object.json("exclude", "true");
    }
    object.finish()
}
